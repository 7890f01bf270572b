//! The loop: keys, answers of AWS, lines of commands beside it, sizes and signals; whatever comes changes the view, and a
//! view that has changed is drawn.

use std::time::Duration;

use futures::future::LocalBoxFuture;
use jiff::Timestamp;

use super::beside::{Job, News, attended};
use super::draw::{Banner, Place, Scene, Theme, draw, room_above};
use super::keys::{Decoder, Key};
use super::overlay::{Overlay, Pager};
use super::picture::Picture;
use super::poll::{Poller, Seen};
use super::propose::Proposal;
use super::rows::{PaneRows, ago, rows};
use super::screen::Screen;
use super::view::{Action, View};
use super::{alarms, findings, rows as row};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::layout::Layout;
use crate::process::{Resizes, Signals, TerminalChange, Termination, Typed};
use crate::triage::report::Report;
use crate::ui::one_line;

/// How long a sequence of a key may take to come whole: a slow connection splits it.
const SEQUENCE: Duration = Duration::from_millis(50);

/// How often ages and waits that are shown are looked at.
const TICK: Duration = Duration::from_secs(1);

/// A look that takes longer is mentioned.
const LONG_LOOK: Duration = Duration::from_secs(3);

/// Shows the view until the operator leaves it.
///
/// # Errors
/// The account guard's, credentials that are missing at the beginning, a terminal that cannot be used.
pub(super) async fn run(ctx: &Ctx, interval: Duration) -> Result<ExitStatus> {
    let layout = ctx.layout()?;
    let place = place(ctx).await?;
    let screen = Screen::enter(ctx)?;
    let typed = typed(ctx)?;
    let poller = Poller::new(&ctx.aws, layout.clone(), interval);
    let mut live = Live {
        ctx,
        layout,
        place,
        screen,
        typed: Some(typed),
        termination: Termination::new(),
        poller,
        theme: Theme {
            color: ctx.ui.colors_result(),
            unicode: ctx.ui.has_unicode(),
        },
        picture: Picture::default(),
        view: View::default(),
        panes: Vec::new(),
        keys: Decoder::default(),
        looking: None,
        job: None,
        told: String::new(),
    };
    // On the heap: it holds futures of the SDK.
    let ended = Box::pin(live.go()).await;
    // Before anything is said.
    live.screen.hide();
    ended
}

/// What is typed: on the terminal, which is raw by now, or at whatever stands for it.
fn typed(ctx: &Ctx) -> Result<Typed> {
    let typed = if ctx.owns_process {
        Typed::terminal()
    } else {
        Typed::reader(ctx.ui.take_input())
    };
    typed.map_err(|error| CtlError::new(ErrorKind::Failed, "read keys").source(&error))
}

/// Where this is; the account guard answers first.
async fn place(ctx: &Ctx) -> Result<Place> {
    let asked = async {
        ctx.aws.guard_account().await?;
        let identity = ctx.aws.identity().await?;
        Ok((identity.account.clone(), ctx.aws.region().await?))
    };
    let ended = async {
        Signals::new().or_cancelled(&ctx.cancel).await;
    };
    let (account, region) = tokio::select! {
        biased;
        () = ended => return Err(CtlError::new(ErrorKind::Interrupted, "show the live view: interrupted")),
        asked = Box::pin(asked) => asked?,
    };
    let settings = &ctx.settings;
    Ok(Place {
        context: one_line(&settings.context.value),
        stage: settings
            .stage
            .as_ref()
            .map(|stage| stage.value.as_str().to_owned()),
        layout: settings.layout.value.as_str(),
        protected: settings.protected.value || settings.protected_context(&account).is_some(),
        account: Some(account.to_string()),
        region: region.map(|region| one_line(&region)),
    })
}

/// A look that is under way.
struct Looking {
    seen: LocalBoxFuture<'static, Seen>,
    since: Timestamp,
}

/// What came.
enum Event {
    Keys(Vec<u8>),
    /// Nothing followed the beginning of a sequence.
    NoMore,
    Seen(Box<Seen>),
    Due,
    News(News),
    Tick,
    Resized,
    Ended(ExitStatus),
}

struct Live<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    place: Place,
    screen: Screen<'a>,
    /// `None` while another command reads the terminal.
    typed: Option<Typed>,
    /// An order to end that came while another command had the terminal.
    termination: Termination,
    poller: Poller,
    theme: Theme,
    picture: Picture,
    view: View,
    panes: Vec<PaneRows>,
    keys: Decoder,
    looking: Option<Looking>,
    job: Option<Job>,
    /// The ages and waits that were shown.
    told: String,
}

impl Live<'_> {
    async fn go(&mut self) -> Result<ExitStatus> {
        let (mut signals, mut changes) = (Signals::new(), Resizes::new());
        self.panes = self.rows();
        self.draw()?;
        loop {
            let changed = match self.next(&mut signals, &mut changes).await {
                Event::Ended(status) => return Ok(status),
                Event::Resized => {
                    self.screen.measure()?;
                    true
                }
                Event::Tick => self.clockwork() != self.told,
                Event::Due => {
                    self.look();
                    false
                }
                Event::Seen(seen) => {
                    self.looking = None;
                    self.take(*seen);
                    true
                }
                Event::News(news) => {
                    self.hear(news);
                    true
                }
                Event::Keys(bytes) => {
                    let keys = self.keys.push(&bytes);
                    match self.press(&keys).await? {
                        Pressed::Ended(status) => return Ok(status),
                        Pressed::Nothing => !keys.is_empty(),
                        Pressed::CameBack => {
                            // Ctrl-C was meant for the other command.
                            signals = Signals::new();
                            changes = Resizes::new();
                            true
                        }
                    }
                }
                Event::NoMore => {
                    let keys = self.keys.give_up();
                    if let Pressed::Ended(status) = self.press(&keys).await? {
                        return Ok(status);
                    }
                    !keys.is_empty()
                }
            };
            if changed {
                self.draw()?;
            }
        }
    }

    /// Waits for what comes next.
    async fn next(&mut self, signals: &mut Signals, changes: &mut Resizes) -> Event {
        let ctx = self.ctx;
        let wait = self.poller.wait();
        let is_looking = self.looking.is_some();
        let waits = self.keys.waits();
        let shows_time = is_looking || self.picture.trouble().is_some();
        let real = |real| ctx.clock.sleep(ctx.clock.from_real(real));
        tokio::select! {
            biased;
            () = signals.or_cancelled(&ctx.cancel) => Event::Ended(ExitStatus::Interrupted),
            change = changes.next() => match change {
                TerminalChange::Resized => Event::Resized,
                TerminalChange::Gone => Event::Ended(ExitStatus::Interrupted),
            },
            typed = next(&mut self.typed) => match typed {
                Some(bytes) => Event::Keys(bytes),
                None => Event::Ended(ExitStatus::Interrupted),
            },
            () = real(SEQUENCE), if waits => Event::NoMore,
            news = news(&mut self.job) => Event::News(news),
            seen = seen(&mut self.looking) => Event::Seen(Box::new(seen)),
            () = ctx.clock.sleep(wait), if !is_looking => Event::Due,
            () = real(TICK), if shows_time => Event::Tick,
        }
    }

    fn look(&mut self) {
        self.looking = Some(Looking {
            seen: self.poller.ask(&self.picture),
            since: self.ctx.clock.now(),
        });
    }

    /// Takes in what was seen.
    fn take(&mut self, seen: Seen) {
        let now = self.ctx.clock.now();
        self.poller.answered(&seen);
        match seen {
            Seen::Glance(glance) => self.picture.glanced(*glance, now),
            Seen::Look(snapshot) => {
                let report = Report::new(&snapshot, now).in_place(self.ctx.ui.place());
                self.picture.looked(&snapshot, report, now);
            }
        }
        self.panes = self.rows();
    }

    fn rows(&self) -> Vec<PaneRows> {
        rows(
            &self.picture,
            &self.layout,
            &self.view.filter,
            self.ctx.clock.now(),
        )
    }

    /// What a command beside the view says.
    fn hear(&mut self, news: News) {
        let Some(pager) = self.view.overlay.pager() else {
            self.job = None;
            return;
        };
        match news {
            News::Lines(lines) => {
                pager.state.clear();
                pager.push(&lines);
            }
            News::Ended(status) => {
                let tails = self.job.take().is_some_and(|job| job.tails);
                pager.state = match (tails, status.code()) {
                    (true, code) => format!("ended with status {code}"),
                    (false, 0) if pager.is_empty() => "it says nothing".to_owned(),
                    (false, 0) => String::new(),
                    (false, code) => format!("ended with status {code}"),
                };
            }
        }
    }

    /// Does what keys ask for, in their order.
    async fn press(&mut self, keys: &[Key]) -> Result<Pressed> {
        for key in keys {
            let filter = self.view.filter.clone();
            let action = self.view.press(*key, &self.panes);
            if self.view.filter != filter {
                self.panes = self.rows();
            }
            match action {
                Action::Nothing => {}
                Action::Quit => return Ok(Pressed::Ended(ExitStatus::Done)),
                Action::Interrupt => return Ok(Pressed::Ended(ExitStatus::Interrupted)),
                Action::Repaint => self.screen.measure()?,
                Action::Refresh => {
                    let asked = self.looking.is_none() && self.poller.refresh();
                    self.view.notice = (!asked).then(|| "it was looked at just now".to_owned());
                }
                Action::Show(command) => self.show(&command),
                Action::Tail(command) => self.tail(&command),
                Action::ShowFinding(key) => self.show_finding(&key),
                Action::ShowAlarm(name) => match alarms::told(&self.picture, &name) {
                    Some(text) => self.view.overlay = Overlay::Pager(Pager::new("ALARM", &text)),
                    None => self.view.notice = Some("the alarm has gone".to_owned()),
                },
                Action::ProposeFor(key) => self.propose_for(&key),
                Action::Close => {
                    self.view.overlay = Overlay::None;
                    self.job = None;
                }
                Action::Run(command) => {
                    self.job = None;
                    // Keys behind it were typed without having seen its question.
                    return self.leave_for(&command).await;
                }
            }
        }
        Ok(Pressed::Nothing)
    }

    fn show(&mut self, command: &CommandLine) {
        let mut pager = Pager::new(self.titled(command), "");
        pager.state = "looking …".to_owned();
        self.view.overlay = Overlay::Pager(pager);
        self.job = Some(Job::start(self.ctx, command, self.screen.room().0, false));
    }

    fn tail(&mut self, command: &CommandLine) {
        self.view.overlay = Overlay::Pager(Pager::following(self.titled(command)));
        self.job = Some(Job::start(self.ctx, command, self.screen.room().0, true));
    }

    fn titled(&self, command: &CommandLine) -> String {
        one_line(&command.in_place(self.ctx.ui.place()).to_string())
    }

    fn show_finding(&mut self, key: &str) {
        match findings::find(&self.picture, key) {
            Some(finding) => {
                let text = findings::told(finding).join("\n");
                self.view.overlay = Overlay::Pager(Pager::new("FINDING", &text));
            }
            None => self.view.notice = Some("the finding has gone".to_owned()),
        }
    }

    fn propose_for(&mut self, key: &str) {
        let found = findings::find(&self.picture, key);
        let proposals = found.map(findings::next).unwrap_or_default();
        let proposals = proposals.into_iter().map(Proposal::Command).collect();
        self.view.open_menu(one_line(key), proposals);
    }

    /// Leaves the view for a command with a plan and a question, and comes back.
    async fn leave_for(&mut self, command: &CommandLine) -> Result<Pressed> {
        let ctx = self.ctx;
        // The operator no longer waits for this answer: it would seem to be late.
        self.looking = None;
        if ctx.owns_process {
            // What it has heard of the terminal until now is old when the other command has read from it.
            self.typed = None;
        }
        self.screen.hide();
        ctx.ui.important(&format!("$ {}", self.titled(command)));
        let status = Box::pin(attended(ctx, command)).await;
        if ctx.cancel.is_cancelled() || is_ready(self.termination.next()) {
            return Ok(Pressed::Ended(ExitStatus::Interrupted));
        }
        let code = status.code();
        ctx.ui.important(&format!(
            "ended with status {code}: press a key to go back to the live view"
        ));
        self.screen.take_keys()?;
        if self.typed.is_none() {
            self.typed = Some(typed(ctx)?);
        }
        let mut signals = Signals::new();
        let mut changes = Resizes::new();
        loop {
            tokio::select! {
                biased;
                () = signals.or_cancelled(&ctx.cancel) => return Ok(Pressed::Ended(ExitStatus::Interrupted)),
                change = changes.next() => match change {
                    TerminalChange::Gone => return Ok(Pressed::Ended(ExitStatus::Interrupted)),
                    TerminalChange::Resized => {}
                },
                typed = next(&mut self.typed) => match typed {
                    Some(bytes) if bytes.contains(&0x03) => return Ok(Pressed::Ended(ExitStatus::Interrupted)),
                    Some(_) => break,
                    None => return Ok(Pressed::Ended(ExitStatus::Interrupted)),
                },
            }
        }
        self.screen.show()?;
        // What it did shows at the next look.
        self.poller.refresh();
        self.view.notice = Some(format!("`{command}` ended with status {code}"));
        Ok(Pressed::CameBack)
    }

    fn banner(&self) -> Option<Banner> {
        let (trouble, since) = self.picture.trouble()?;
        let blind = &trouble.blind;
        let hint = match blind.kind {
            ErrorKind::Credentials => Some(self.poller.aws().sign_in().hint()),
            // To wait longer is what a single triage can do.
            ErrorKind::TimedOut => None,
            _ => blind.hints.first().cloned(),
        };
        let place = self.ctx.ui.place();
        Some(Banner {
            since,
            why: one_line(&blind.reason),
            hint: hint.map(|hint| hint.in_place(place)),
        })
    }

    /// What is being done, once it takes long.
    fn doing(&self) -> Option<String> {
        let looking = self.looking.as_ref()?;
        let now = self.ctx.clock.now();
        let long = self.ctx.clock.from_real(LONG_LOOK);
        let passed = now.duration_since(looking.since).unsigned_abs();
        (passed >= long).then(|| format!("waiting for AWS for {}", ago(looking.since, now)))
    }

    /// Everything shown that changes with time alone.
    fn clockwork(&self) -> String {
        let now = self.ctx.clock.now();
        let since = self.picture.trouble().and_then(|(_, since)| since);
        let age = since.map(|since| row::ago(since, now));
        format!("{age:?} {:?}", self.doing())
    }

    fn draw(&mut self) -> Result<()> {
        let (banner, doing) = (self.banner(), self.doing());
        self.told = self.clockwork();
        let scene = Scene {
            place: &self.place,
            panes: &self.panes,
            view: &self.view,
            banner: banner.as_ref(),
            seen: self.picture.seen(),
            doing: doing.as_deref(),
            theme: self.theme,
            now: self.ctx.clock.now(),
        };
        self.screen.draw(|area, buffer| draw(&scene, area, buffer))?;
        let (columns, rows) = self.screen.room();
        if let Some(pager) = self.view.overlay.pager() {
            let height = room_above(rows, banner.as_ref());
            let (at, count, _) = pager.in_sight(usize::from(columns), height);
            pager.drawn(at, count.saturating_sub(height));
        }
        Ok(())
    }
}

/// What keys led to.
enum Pressed {
    Nothing,
    CameBack,
    Ended(ExitStatus),
}

async fn next(typed: &mut Option<Typed>) -> Option<Vec<u8>> {
    match typed {
        Some(typed) => typed.next().await,
        None => std::future::pending().await,
    }
}

async fn news(job: &mut Option<Job>) -> News {
    match job {
        Some(job) => job.next().await,
        None => std::future::pending().await,
    }
}

async fn seen(looking: &mut Option<Looking>) -> Seen {
    match looking {
        Some(looking) => (&mut looking.seen).await,
        None => std::future::pending().await,
    }
}

fn is_ready(event: impl Future<Output = ()>) -> bool {
    use futures::FutureExt as _;
    event.now_or_never().is_some()
}
