//! The picture as rows: what each pane shows, in order, harmless, and what a row is about.

use jiff::Timestamp;

use super::picture::{Kept, Picture, Trouble};
use super::{alarms, events, findings};
use crate::aws::autoscaling::Phase;
use crate::aws::ecs::short;
use crate::fleet::hold;
use crate::layout::{App, FleetId, Layout};
use crate::output::age;
use crate::triage::finding::Severity;
use crate::triage::snapshot::{FleetGroup, MISSING, Service};
use crate::ui::one_line;

/// How old a metric's newest value may be to count as the present one.
const PRESENT_SECONDS: i64 = 300;

/// A part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pane {
    Services,
    Fleets,
    Alarms,
    Findings,
    Events,
}

impl Pane {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Services => "SERVICES",
            Self::Fleets => "FLEETS",
            Self::Alarms => "ALARMS",
            Self::Findings => "FINDINGS",
            Self::Events => "EVENTS",
        }
    }
}

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
    Dim,
}

/// What a row is about, for what is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Service {
        app: App,
        name: String,
    },
    Fleet {
        fleet: FleetId,
        desired: u32,
    },
    Alarm {
        name: String,
        fleet: Option<FleetId>,
        /// Whether `bpctl describe` knows it.
        described: bool,
    },
    /// By its key in the report.
    Finding {
        key: String,
        fleet: Option<FleetId>,
        app: Option<App>,
    },
    Deployment {
        app: App,
        id: String,
    },
    Activity {
        fleet: FleetId,
    },
    Note,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Service {
        name: String,
        running: String,
        pending: String,
        state: (String, Tone),
        definition: String,
        age: String,
    },
    Fleet(Box<FleetRow>),
    Alarm {
        name: (String, Tone),
        since: String,
        reason: String,
    },
    Finding {
        depth: usize,
        severity: Severity,
        code: &'static str,
        text: String,
        fresh: bool,
    },
    Event {
        at: String,
        what: &'static str,
        text: (String, Tone),
    },
}

/// A fleet and its last hour.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FleetRow {
    pub(super) name: String,
    /// The present value, if there is one, and an hour of it.
    pub(super) queue: (Option<f64>, Vec<Option<f64>>),
    pub(super) workers: (Option<f64>, Vec<Option<f64>>),
    pub(super) desired: (u32, Vec<Option<f64>>),
    pub(super) in_service: usize,
    pub(super) bounds: String,
    pub(super) state: (String, Tone),
}

/// A row that can be selected.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The same as long as the row is about the same thing.
    pub(super) key: String,
    pub(super) subject: Subject,
    pub(super) content: Content,
}

impl Row {
    /// Everything that a filter looks through.
    fn text(&self) -> String {
        match &self.content {
            Content::Service {
                name,
                state,
                definition,
                ..
            } => format!("{name} {} {definition}", state.0),
            Content::Fleet(fleet) => format!("{} {}", fleet.name, fleet.state.0),
            Content::Alarm { name, reason, .. } => format!("{} {reason}", name.0),
            Content::Finding {
                severity, code, text, ..
            } => format!("{} {code} {text}", severity.as_str()),
            Content::Event { at, what, text } => format!("{at} {what} {}", text.0),
        }
    }

    pub(super) fn fits(&self, filter: &str) -> bool {
        filter.is_empty() || self.text().to_lowercase().contains(&filter.to_lowercase())
    }
}

/// A pane with its rows.
#[derive(Clone, Debug)]
pub(super) struct PaneRows {
    pub(super) pane: Pane,
    /// Beside the title.
    pub(super) summary: (String, Tone),
    pub(super) rows: Vec<Row>,
    /// How many rows there are without the filter.
    pub(super) all: usize,
    /// Instead of rows, when there are none.
    pub(super) empty: (String, Tone),
    /// Since when and why it is stale.
    pub(super) stale: Option<String>,
}

/// All panes.
pub(super) fn rows(picture: &Picture, layout: &Layout, filter: &str, now: Timestamp) -> Vec<PaneRows> {
    let mut all = vec![
        services(picture, now),
        fleets(picture, layout, now),
        alarms::pane(picture, layout, now),
        findings::pane(picture, now),
        events::pane(picture, layout, now),
    ];
    for pane in &mut all {
        pane.all = pane.rows.len();
        pane.rows.retain(|row| row.fits(filter));
        if pane.rows.is_empty() && pane.all > 0 {
            pane.empty = (format!("none of {} fits the filter", pane.all), Tone::Dim);
        }
    }
    all
}

/// `12:34:56Z`.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// The same of today; of another day without the seconds: `01-15 12:34Z`.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> String {
    let day = |at: Timestamp| at.as_second().div_euclid(86_400);
    if day(at) == day(now) {
        clock(at)
    } else {
        at.strftime("%m-%d %H:%MZ").to_string()
    }
}

/// How long ago, coarsely enough that it does not tick.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    age(now.duration_since(at).try_into().unwrap_or_default())
}

/// `stale since 12:34:56Z: no answer within 20s`.
pub(super) fn stale<T>(kept: &Kept<T>) -> Option<String> {
    told(kept.trouble()?, kept.at())
}

fn told(trouble: &Trouble, seen: Option<Timestamp>) -> Option<String> {
    let why = one_line(&trouble.blind.reason);
    let seen = seen?;
    Some(format!("stale since {}: {why}", clock(seen)))
}

/// What stands where there would be rows, of something that was never seen.
pub(super) fn unseen<T>(kept: &Kept<T>) -> Option<(String, Tone)> {
    if kept.value().is_some() {
        return None;
    }
    Some(match kept.trouble() {
        None => ("looking …".to_owned(), Tone::Dim),
        Some(trouble) => (
            format!("could not check: {}", one_line(&trouble.blind.reason)),
            Tone::Warning,
        ),
    })
}

fn services(picture: &Picture, now: Timestamp) -> PaneRows {
    let kept = &picture.services;
    let rows: Vec<Row> = kept
        .value()
        .into_iter()
        .flatten()
        .map(|service| service_row(service, now))
        .collect();
    PaneRows {
        pane: Pane::Services,
        summary: (String::new(), Tone::Plain),
        rows,
        all: 0,
        empty: unseen(kept).unwrap_or_else(|| ("there are none".to_owned(), Tone::Warning)),
        stale: stale(kept),
    }
}

fn service_row(service: &Service, now: Timestamp) -> Row {
    let primary = service.primary();
    let state = primary.and_then(|primary| primary.rollout_state.as_deref());
    let failed = primary.map_or(0, |primary| primary.failed);
    let (mut words, mut tone) = match (service.status.as_str(), state) {
        (MISSING, _) => ("does not exist".to_owned(), Tone::Bad),
        ("ACTIVE", Some("COMPLETED")) => ("steady".to_owned(), Tone::Good),
        ("ACTIVE", Some("IN_PROGRESS")) => ("deploying".to_owned(), Tone::Warning),
        ("ACTIVE", Some("FAILED")) => ("deployment failed".to_owned(), Tone::Bad),
        ("ACTIVE", Some(other)) => (one_line(other), Tone::Plain),
        ("ACTIVE", None) => ("-".to_owned(), Tone::Plain),
        (other, _) => (one_line(other).to_lowercase(), Tone::Warning),
    };
    if service.unstarted {
        (words, tone) = ("not started yet".to_owned(), Tone::Warning);
    } else if service.status == "ACTIVE" && service.running < service.desired && tone == Tone::Good {
        (words, tone) = ("tasks missing".to_owned(), Tone::Warning);
    }
    if failed > 0 {
        words = format!("{words}, {failed} failed");
        tone = Tone::Bad;
    }
    let created = primary.and_then(|primary| primary.created);
    Row {
        key: format!("service {}", service.name),
        subject: Subject::Service {
            app: service.app,
            name: service.name.clone(),
        },
        content: Content::Service {
            name: one_line(&service.name),
            running: format!("{}/{}", service.running, service.desired),
            pending: service.pending.to_string(),
            state: (words, tone),
            definition: one_line(short(&service.task_definition)),
            age: created.map_or_else(|| "-".to_owned(), |at| ago(at, now)),
        },
    }
}

fn fleets(picture: &Picture, layout: &Layout, now: Timestamp) -> PaneRows {
    let kept = &picture.groups;
    let mut groups: Vec<&FleetGroup> = kept.value().into_iter().flatten().collect();
    groups.sort_by(|a, b| a.fleet.cmp(&b.fleet));
    let rows: Vec<Row> = groups
        .iter()
        .map(|group| fleet_row(picture, layout, group, now))
        .collect();
    let metrics = match (picture.metrics.value(), stale(&picture.metrics)) {
        (_, Some(stale)) => Some(format!("metrics {stale}")),
        (None, None) if !rows.is_empty() => picture.metrics.trouble().map(|trouble| {
            format!(
                "metrics could not be checked: {}",
                one_line(&trouble.blind.reason)
            )
        }),
        _ => None,
    };
    PaneRows {
        pane: Pane::Fleets,
        summary: (String::new(), Tone::Plain),
        rows,
        all: 0,
        empty: unseen(kept).unwrap_or_else(|| ("there are none".to_owned(), Tone::Dim)),
        stale: stale(kept).or(metrics),
    }
}

fn fleet_row(picture: &Picture, layout: &Layout, group: &FleetGroup, now: Timestamp) -> Row {
    let of = picture.metrics.value().and_then(|all| all.get(&group.fleet));
    let then = picture.metrics.at().unwrap_or(now);
    let series = |points: Option<&[(Timestamp, f64)]>| {
        let points = points.unwrap_or_default();
        let last = points
            .last()
            .filter(|(at, _)| then.as_second() - at.as_second() <= PRESENT_SECONDS);
        (last.map(|(_, value)| *value), Picture::minutes(points, then))
    };
    let in_phase = |phase: Phase| group.instances.iter().filter(|one| one.phase == phase).count();
    let seen = picture.groups.at().unwrap_or(now);
    let (serving, pending) = (in_phase(Phase::InService), in_phase(Phase::Pending));
    let leaving = in_phase(Phase::Terminating);
    let state = if hold::may_be_held(&group.group) {
        ("scaling suspended".to_owned(), Tone::Warning)
    } else if pending > 0 {
        (format!("{pending} starting"), Tone::Warning)
    } else if leaving > 0 {
        (format!("{leaving} leaving"), Tone::Dim)
    } else if serving < group.desired as usize {
        ("instances missing".to_owned(), Tone::Warning)
    } else if group.desired == 0 {
        ("at zero".to_owned(), Tone::Dim)
    } else {
        ("steady".to_owned(), Tone::Good)
    };
    Row {
        key: format!("fleet {}", group.fleet),
        subject: Subject::Fleet {
            fleet: group.fleet.clone(),
            desired: group.desired,
        },
        content: Content::Fleet(Box::new(FleetRow {
            name: group.fleet.to_string(),
            queue: series(of.map(|of| of.queue.0.as_slice())),
            workers: series(of.map(|of| of.workers.0.as_slice())),
            desired: (group.desired, picture.desired(layout, &group.fleet, seen)),
            in_service: serving,
            bounds: format!("{}-{}", group.min, group.max),
            state,
        })),
    }
}
