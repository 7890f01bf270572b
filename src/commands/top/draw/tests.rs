//! Whole pictures of a platform, as they stand on the terminal.

use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::{Banner, Place, Scene, Theme, draw};
use crate::commands::top::keys::Key;
use crate::commands::top::picture::Picture;
use crate::commands::top::rows::{Pane, PaneRows, rows};
use crate::commands::top::view::{Action, View};
use crate::error::{ErrorKind, SignIn};
use crate::layout::App;
use crate::triage::probes::glance::Glance;
use crate::triage::report::Report;
use crate::triage::rules::sample;
use crate::triage::snapshot::{Blind, Rollout, Snapshot};

const MONO: Theme = Theme {
    color: false,
    unicode: true,
};

fn place() -> Place {
    Place {
        context: "prod".to_owned(),
        stage: None,
        layout: "single",
        account: Some("123456789012".to_owned()),
        region: Some("us-east-1".to_owned()),
        protected: true,
    }
}

/// Jobs wait for a fleet that EC2 gives nothing, a deployment has been rolled back, and an alarm tells.
fn troubled() -> Snapshot {
    let mut snapshot = sample::healthy();
    let backend = sample::service_mut(&mut snapshot, App::Backend);
    backend.running = 1;
    backend.pending = 1;
    let name = snapshot.layout.platform_alarms()[0].clone();
    let alarm = sample::alarm_mut(&mut snapshot, &name);
    alarm.state = crate::aws::cloudwatch::AlarmState::Alarm;
    alarm.since = Some(sample::before(4));
    alarm.reason = Some("Threshold Crossed: 3 out of 3 datapoints\u{1b}[2J were greater".to_owned());
    sample::group_mut(&mut snapshot, "production/gpu-default").desired = 3;
    let metrics = snapshot.fleet_metrics.as_mut().unwrap();
    for (fleet, of) in metrics.iter_mut() {
        if fleet.to_string() == "production/gpu-default" {
            for (number, (_, value)) in of.queue.0.iter_mut().enumerate() {
                *value = number as f64;
            }
        }
    }
    snapshot.activities = Ok(vec![sample::launch(
        2,
        "Failed",
        "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity. Launching EC2 instance failed.",
    )]);
    let record = crate::aws::ecs::ServiceDeployment {
        status: "ROLLBACK_SUCCESSFUL".to_owned(),
        reason: Some("tasks failed to start".to_owned()),
        revision: Some(
            "arn:aws:ecs:us-east-1:123456789012:service-revision/bp/bp-backend/0123456789".to_owned(),
        ),
        created: Some(sample::before(12)),
        finished: Some(sample::before(7)),
        arn: String::new(),
    };
    snapshot.rollouts = Ok(vec![Rollout {
        app: App::Backend,
        record,
    }]);
    snapshot
}

fn looked(snapshot: &Snapshot) -> Picture {
    let mut picture = Picture::default();
    let report = Report::new(snapshot, sample::now());
    picture.looked(snapshot, report, sample::now());
    picture
}

fn panes(picture: &Picture, filter: &str, now: Timestamp) -> Vec<PaneRows> {
    rows(picture, &sample::healthy().layout, filter, now)
}

fn buffer(
    picture: &Picture,
    view: &View,
    theme: Theme,
    (columns, lines): (u16, u16),
    banner: Option<&Banner>,
) -> Buffer {
    let now = sample::now();
    let panes = panes(picture, &view.filter, now);
    let scene = Scene {
        place: &place(),
        panes: &panes,
        view,
        banner,
        seen: picture.seen(),
        doing: None,
        theme,
        now,
    };
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    terminal
        .draw(|frame| draw(&scene, frame.area(), frame.buffer_mut()))
        .unwrap();
    terminal.backend().buffer().clone()
}

/// The lines, without blanks at their ends.
fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let line: String = (area.left()..area.right())
                .map(|x| buffer[(x, y)].symbol())
                .collect();
            format!("{}\n", line.trim_end())
        })
        .collect()
}

fn shown(picture: &Picture, view: &View, size: (u16, u16)) -> String {
    text(&buffer(picture, view, MONO, size, None))
}

fn pressed(view: &mut View, picture: &Picture, keys: &str) -> Vec<Action> {
    let panes = panes(picture, &view.filter, sample::now());
    keys.chars()
        .map(|key| view.press(Key::Char(key), &panes))
        .collect()
}

fn lost() -> Glance {
    let blind = Blind {
        kind: ErrorKind::Unreachable,
        reason: "failed to reach AWS:\n\u{1b}[31mdispatch failure".to_owned(),
        hints: Vec::new(),
        needs: None,
    };
    Glance {
        services: Err(blind.clone()),
        groups: Err(blind.clone()),
        alarms: Err(blind.clone()),
        fleet_alarms: Err(blind.clone()),
        rollouts: Some(Err(blind.clone())),
        activities: Some(Err(blind.clone())),
        fleet_metrics: Some(Err(blind)),
    }
}

#[test]
fn a_platform_in_trouble_at_80_columns() {
    insta::assert_snapshot!(shown(&looked(&troubled()), &View::default(), (80, 24)), @r"
    bpctl top  prod PROTECTED · all stages · 123456789012 · us-east-1 seen 09:00:00Z
    SERVICES       RUNNING  PENDING  STATE                   DEFINITION
    ▸ bp-backend       1/2        1  tasks missing           bp-backend:7
      bp-frontend      2/2        0  steady                  bp-frontend:7
    FLEETS                    QUEUE          WORKERS      DESIRED       UP  BOUNDS
      staging/gpu-default         0 ▁▁▁▁▁▁▁    0 ▁▁▁▁▁▁▁    0       ▁    0  0-10
      production/gpu-default     59 ▁▃▄▅▆▇█    2 ███████    3       █    2  0-10
    ALARMS 1 to look at, 1 of 22 in ALARM ──────────────────────────────────────────
      p1-alb-5xx-critical    4m  Threshold Crossed: 3 out of 3 datapoints were grea…
    FINDINGS 4 P1, 1 P2, as of 09:00:00Z ───────────────────────────────────────────
        P1  BP-ECS-006  bp-backend: deployment was rolled back
        P1  BP-ECS-003  └ bp-backend: service runs too few tasks
        P1  BP-ALB-001    └ load balancer: load balancer answers with 5xx
        P1  BP-ALM-001      └ p1-alb-5xx-critical: alarm is on
        P2  BP-FLT-007  production/gpu-default: no Spot capacity for the fleet
    EVENTS ─────────────────────────────────────────────────────────────────────────
      08:58:00Z     scaling  production/gpu-default launch i-0123456789abcdef0 fail…
      08:53:00Z     deploy   backend ecs-svc/0123456789 rolled back: tasks failed t…
      08:48:00Z     deploy   backend ecs-svc/0123456789 begun




    / filter  Enter describe  l logs  + - s propose  r refresh  ? help  q quit
    ");
}

#[test]
fn a_platform_in_trouble_at_120_columns() {
    insta::assert_snapshot!(shown(&looked(&troubled()), &View::default(), (120, 40)), @r"
    bpctl top  prod PROTECTED · all stages · single · 123456789012 · us-east-1                                seen 09:00:00Z
    SERVICES       RUNNING  PENDING  STATE                   DEFINITION              AGE
    ▸ bp-backend       1/2        1  tasks missing           bp-backend:7            18h
      bp-frontend      2/2        0  steady                  bp-frontend:7           18h
    FLEETS                    QUEUE                 WORKERS             DESIRED              UP  BOUNDS
      staging/gpu-default         0 ▁▁▁▁▁▁▁▁▁▁▁▁▁▁    0 ▁▁▁▁▁▁▁▁▁▁▁▁▁▁    0              ▁    0  0-10    at zero
      production/gpu-default     59 ▁▁▂▃▃▄▄▅▆▆▇▇██    2 ██████████████    3              █    2  0-10    instances missing
    ALARMS 1 to look at, 1 of 22 in ALARM ──────────────────────────────────────────────────────────────────────────────────
      p1-alb-5xx-critical    4m  Threshold Crossed: 3 out of 3 datapoints were greater
    FINDINGS 4 P1, 1 P2, as of 09:00:00Z ───────────────────────────────────────────────────────────────────────────────────
        P1  BP-ECS-006  bp-backend: deployment was rolled back
        P1  BP-ECS-003  └ bp-backend: service runs too few tasks
        P1  BP-ALB-001    └ load balancer: load balancer answers with 5xx
        P1  BP-ALM-001      └ p1-alb-5xx-critical: alarm is on
        P2  BP-FLT-007  production/gpu-default: no Spot capacity for the fleet
    EVENTS ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
      08:58:00Z     scaling  production/gpu-default launch i-0123456789abcdef0 failed: EC2 has no capacity (UnfulfillableCa…
      08:53:00Z     deploy   backend ecs-svc/0123456789 rolled back: tasks failed to start
      08:48:00Z     deploy   backend ecs-svc/0123456789 begun




















    / filter  Enter describe  l logs  + - s propose  r refresh  ? help  q quit
    ");
}

#[test]
fn a_healthy_platform() {
    insta::assert_snapshot!(shown(&looked(&sample::healthy()), &View::default(), (80, 20)), @r"
    bpctl top  prod PROTECTED · all stages · 123456789012 · us-east-1 seen 09:00:00Z
    SERVICES       RUNNING  PENDING  STATE                   DEFINITION
    ▸ bp-backend       2/2        0  steady                  bp-backend:7
      bp-frontend      2/2        0  steady                  bp-frontend:7
    FLEETS                    QUEUE          WORKERS      DESIRED       UP  BOUNDS
      staging/gpu-default         0 ▁▁▁▁▁▁▁    0 ▁▁▁▁▁▁▁    0       ▁    0  0-10
      production/gpu-default      3 ███████    2 ███████    2       █    2  0-10
    ALARMS 0 of 22 in ALARM ────────────────────────────────────────────────────────
      none
    FINDINGS as of 09:00:00Z ───────────────────────────────────────────────────────
      nothing is wrong
    EVENTS ─────────────────────────────────────────────────────────────────────────
      nothing within the last hour






    / filter  Enter describe  l logs  + - s propose  r refresh  ? help  q quit
    ");
}

#[test]
fn before_anything_was_seen_nothing_is_fine() {
    let text = shown(&Picture::default(), &View::default(), (80, 24));
    assert_eq!(text.matches("looking …").count(), 5, "{text}");
    assert!(
        !text.contains("nothing is wrong") && !text.contains("none"),
        "{text}"
    );
}

#[test]
fn without_room_it_says_so() {
    let picture = looked(&sample::healthy());
    let text = shown(&picture, &View::default(), (40, 10));
    assert!(
        text.starts_with("too small: 40x10\n60x14 are needed\nq quits\n"),
        "{text}"
    );
    // Any size is drawn.
    for size in [(1, 1), (59, 40), (60, 14), (60, 13), (5, 2), (300, 90)] {
        shown(&picture, &View::default(), size);
    }
}

#[test]
fn a_lost_network_keeps_the_picture_and_says_since_when() {
    let mut picture = looked(&troubled());
    let later = sample::now()
        .checked_add(std::time::Duration::from_secs(90))
        .unwrap();
    picture.glanced(lost(), later);
    let (trouble, since) = picture.trouble().unwrap();
    assert_eq!((trouble.since, since), (later, Some(sample::now())));
    let banner = Banner {
        since,
        why: crate::ui::one_line(&trouble.blind.reason),
        hint: None,
    };
    let text = text(&buffer(
        &picture,
        &View::default(),
        MONO,
        (100, 24),
        Some(&banner),
    ));
    assert!(
        text.contains("STALE since 09:00:00Z (0s): failed to reach AWS: dispatch failure"),
        "{text}"
    );
    assert!(
        text.contains("SERVICES stale since 09:00:00Z: failed to reach AWS: dispatch failure"),
        "{text}"
    );
    assert!(text.contains("FINDINGS stale since 09:00:00Z"), "{text}");
    assert!(text.contains("bp-backend       1/2"), "{text}");
    // An answer ends it.
    picture.glanced(Glance::of(&sample::healthy()), later);
    assert!(picture.trouble().is_none());
}

#[test]
fn what_was_never_seen_could_not_be_checked() {
    let mut picture = Picture::default();
    picture.glanced(lost(), sample::now());
    let text = shown(&picture, &View::default(), (100, 24));
    assert_eq!(
        text.matches("could not check: failed to reach AWS").count(),
        5,
        "{text}"
    );
    assert!(!text.contains("none") && !text.contains("nothing"), "{text}");
}

#[test]
fn one_part_that_cannot_be_checked_is_not_fine() {
    let mut snapshot = sample::healthy();
    snapshot.fleet_alarms = Err(sample::blind());
    snapshot.activities = Err(sample::blind());
    let text = shown(&looked(&snapshot), &View::default(), (100, 30));
    assert!(
        text.contains("ALARMS those of the fleets could not be checked"),
        "{text}"
    );
    assert!(
        text.contains("EVENTS could not check: not authorized")
            || text.contains("could not check: not authorized"),
        "{text}"
    );
    assert!(text.contains("could not be checked, as of 09:00:00Z"), "{text}");
    assert!(!text.contains("nothing is wrong"), "{text}");
}

#[test]
fn expired_credentials_come_before_other_trouble() {
    let mut picture = Picture::default();
    let mut glance = lost();
    glance.alarms = Err(Blind {
        kind: ErrorKind::Credentials,
        reason: "the token has expired".to_owned(),
        hints: Vec::new(),
        needs: None,
    });
    picture.glanced(glance, sample::now());
    assert_eq!(picture.trouble().unwrap().0.blind.kind, ErrorKind::Credentials);
    let banner = Banner {
        since: None,
        why: "the token has expired".to_owned(),
        hint: Some(SignIn::Sso("ops".to_owned()).hint()),
    };
    let text = text(&buffer(
        &picture,
        &View::default(),
        MONO,
        (100, 24),
        Some(&banner),
    ));
    assert!(text.contains("COULD NOT CHECK: the token has expired"), "{text}");
    assert!(
        text.contains("hint: sign in with profile `ops`: `aws sso login --profile ops`"),
        "{text}"
    );
}

#[test]
fn without_colour_nothing_is_coloured_and_with_it_meanings_are() {
    let picture = looked(&troubled());
    let view = View::default();
    let colors = |color: bool| {
        let theme = Theme { color, unicode: true };
        let buffer = buffer(&picture, &view, theme, (100, 30), None);
        buffer
            .content
            .iter()
            .filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
            .count()
    };
    assert_eq!(colors(false), 0);
    assert!(colors(true) > 50);
    // The selected row is told apart by more than colour.
    let buffer = buffer(&picture, &view, MONO, (100, 30), None);
    let reversed = |y: u16| buffer[(50, y)].modifier.contains(Modifier::REVERSED);
    let lines: Vec<u16> = (0..30).filter(|y| reversed(*y)).collect();
    assert_eq!(lines, [2]);
    assert_eq!(buffer[(0, 2)].symbol(), "▸");
}

#[test]
fn ascii_terminals_get_ascii() {
    let theme = Theme {
        color: false,
        unicode: false,
    };
    let buffer = buffer(&looked(&troubled()), &View::default(), theme, (120, 40), None);
    let text = text(&buffer);
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn hostile_text_moves_nothing() {
    let mut snapshot = troubled();
    let hostile = "a\u{1b}[2J\u{202e}b\nc\u{9b}31m";
    for alarm in snapshot.alarms.as_mut().unwrap() {
        alarm.reason = Some(hostile.to_owned());
        alarm.state = crate::aws::cloudwatch::AlarmState::Alarm;
    }
    sample::service_mut(&mut snapshot, App::Frontend).name = hostile.to_owned();
    let Ok(activities) = &mut snapshot.activities else {
        panic!()
    };
    activities[0].message = Some(hostile.to_owned());
    let buffer = buffer(&looked(&snapshot), &View::default(), MONO, (120, 40), None);
    let bad = |cell: &ratatui::buffer::Cell| cell.symbol().chars().any(|c| c.is_control() || c == '\u{202e}');
    assert_eq!(buffer.content.iter().filter(|cell| bad(cell)).count(), 0);
}

#[test]
fn a_filter_leaves_what_fits_and_escape_shows_all() {
    let picture = looked(&troubled());
    let mut view = View::default();
    pressed(&mut view, &picture, "/FRONT");
    assert!(view.types_filter);
    let text = shown(&picture, &view, (100, 30));
    assert!(
        text.contains("bp-frontend") && !text.contains("bp-backend "),
        "{text}"
    );
    assert!(text.contains("/FRONT"), "{text}");
    view.press(Key::Enter, &panes(&picture, &view.filter, sample::now()));
    assert!(!view.types_filter && view.filter == "FRONT");
    view.press(Key::Escape, &[]);
    assert_eq!(view.filter, "");
}

#[test]
fn keys_go_through_all_panes_and_ask_for_what_they_say() {
    let picture = looked(&troubled());
    let all = panes(&picture, "", sample::now());
    let mut view = View::default();
    let mut press = |key| view.press(key, &all);
    let Action::Show(command) = press(Key::Enter) else {
        panic!()
    };
    assert_eq!(command.to_string(), "bpctl describe service -- bp-backend");
    let Action::Tail(command) = press(Key::Char('l')) else {
        panic!()
    };
    assert_eq!(command.to_string(), "bpctl logs backend --follow --timestamps");
    assert_eq!(press(Key::Char('+')), Action::Nothing);
    press(Key::Tab);
    let fleet = |action| match action {
        Action::Run(command) => command.to_string(),
        other => panic!("{other:?}"),
    };
    // Both fleets of the sample: the first one stands at the top.
    let more = fleet(press(Key::Char('+')));
    assert!(
        more.starts_with("bpctl fleet scale ") && more.contains(" --desired "),
        "{more}"
    );
    press(Key::Char('s'));
    assert_eq!(press(Key::Enter), Action::Nothing);
    press(Key::Char('1'));
    press(Key::Char('2'));
    let sized = fleet(press(Key::Enter));
    assert!(sized.ends_with(" --desired 12"), "{sized}");
    press(Key::Char('s'));
    press(Key::Char('j'));
    assert!(fleet(press(Key::Enter)).starts_with("bpctl fleet scale-to-zero "));
    assert_eq!(press(Key::Char('?')), Action::Nothing);
    assert_eq!(press(Key::Escape), Action::Close);
    assert_eq!(press(Key::Char('r')), Action::Refresh);
    assert_eq!(press(Key::Char('q')), Action::Quit);
    assert_eq!(press(Key::CtrlC), Action::Interrupt);
}

#[test]
fn the_selection_stays_on_its_row_and_ends_at_the_ends() {
    let picture = looked(&troubled());
    let all = panes(&picture, "", sample::now());
    let mut view = View::default();
    view.press(Key::Down, &all);
    let key = view.row(&all).unwrap().key.clone();
    assert_eq!(key, "service bp-frontend");
    view.press(Key::End, &all);
    let last = view.row(&all).unwrap().key.clone();
    view.press(Key::Down, &all);
    assert_eq!(view.row(&all).unwrap().key, last);
    view.press(Key::Home, &all);
    assert_eq!(view.row(&all).unwrap().key, "service bp-backend");
    view.press(Key::Up, &all);
    view.press(Key::BackTab, &all);
    assert_eq!(view.selection(&all), Some((Pane::Events, 0)));
    // A row that has gone leaves the selection in its pane.
    view.press(Key::Home, &all);
    view.press(Key::Down, &all);
    let mut fewer = all.clone();
    fewer[0].rows.pop();
    assert_eq!(view.row(&fewer).unwrap().key, "service bp-backend");
    // With nothing there keys do nothing.
    assert_eq!(View::default().press(Key::Down, &[]), Action::Nothing);
    assert_eq!(View::default().press(Key::Tab, &[]), Action::Nothing);
    assert_eq!(View::default().press(Key::Enter, &[]), Action::Nothing);
}

#[test]
fn findings_that_come_and_go_are_events_and_marked() {
    let mut picture = looked(&sample::healthy());
    let later = sample::now()
        .checked_add(std::time::Duration::from_secs(60))
        .unwrap();
    let troubled = troubled();
    picture.looked(&troubled, Report::new(&troubled, later), later);
    assert!(!picture.fresh.is_empty());
    assert!(picture.notes.iter().all(|note| note.came));
    let came = picture.notes.len();
    let healthy = sample::healthy();
    picture.looked(&healthy, Report::new(&healthy, later), later);
    assert!(picture.fresh.is_empty());
    assert_eq!(picture.notes.iter().filter(|note| !note.came).count(), came);
    // What cannot be checked has not gone.
    picture.looked(&troubled, Report::new(&troubled, later), later);
    let known = picture.notes.len();
    let mut blind = sample::healthy();
    blind.services = Err(sample::blind());
    picture.looked(&blind, Report::new(&blind, later), later);
    assert_eq!(picture.notes.len(), known, "{:?}", picture.notes);
    picture.looked(&healthy, Report::new(&healthy, later), later);
    assert_eq!(picture.notes.len(), known + came);
}

#[test]
fn the_desired_capacity_goes_back_as_far_as_it_is_known() {
    let mut snapshot = sample::healthy();
    let fleet = "production/gpu-default";
    let mut activity = sample::launch(30, "Successful", "");
    activity.cause = "At 2026-01-15T08:30:00Z a user request explicitly set group desired capacity changing the desired capacity from 1 to 4.".to_owned();
    snapshot.activities = Ok(vec![activity]);
    sample::group_mut(&mut snapshot, fleet).desired = 4;
    let picture = looked(&snapshot);
    let id = picture
        .groups
        .value()
        .unwrap()
        .iter()
        .find(|group| group.fleet.to_string() == fleet)
        .unwrap()
        .fleet
        .clone();
    let desired = picture.desired(&snapshot.layout, &id, sample::now());
    assert_eq!(desired.len(), 60);
    assert_eq!(
        (desired[0], desired[28], desired[30], desired[59]),
        (Some(1.0), Some(1.0), Some(4.0), Some(4.0))
    );
    let other = looked(&sample::healthy()).desired(&snapshot.layout, &id, sample::now());
    assert_eq!(other[58], None);
    assert!(other[59].is_some());
}
