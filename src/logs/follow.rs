//! Follows logs through Live Tail, and by searching while there is no session: no line twice, none left out.
//!
//! A session tells what arrives from its beginning on. What arrived before is searched for: when following begins,
//! and again from before the interruption whenever a session was lost, was refused or could tell a sample only.
//! Searches overlap with what was seen, because lines arrive later than they were written; [`Seen`] keeps those apart
//! that were given out.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::history::history;
use super::pace::{Attempts, HELD_UP, POLL, Progress, REFUSED, SETTLED, SILENT, plus};
use super::seen::{Seen, Told};
use super::source::{Line, Source, by_time};
use crate::aws::Aws;
use crate::aws::logs::{LiveTail, Tailed};
use crate::error::{ErrorKind, Result};

/// Live Tail takes at most ten groups (API reference of StartLiveTail).
const GROUPS: usize = 10;

/// Who hears of lines, and of how they are followed.
pub(crate) trait Listener {
    /// Lines that were there before following began; whether more are wanted.
    fn backlog(&mut self, lines: Vec<Line>) -> Result<bool>;
    /// What comes from now on is new; whether it is wanted.
    fn backlog_is_over(&mut self) -> Result<bool>;
    /// New lines, in the order of their times as far as that is possible; whether more are wanted.
    fn lines(&mut self, lines: Vec<Line>) -> Result<bool>;
    /// How the logs are followed from now on, or what holds it up.
    fn says(&mut self, text: &str);
}

/// How following ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FollowEnd {
    Interrupted,
    /// The reader wants no more lines.
    Enough,
}

/// What is followed.
pub(crate) struct Follow<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) sources: &'a [Source],
    pub(crate) pattern: Option<&'a str>,
    pub(crate) from: Timestamp,
    pub(crate) cancel: &'a CancellationToken,
}

type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What is under way, and what comes next.
struct State<'a> {
    session: Option<Task<'a, (LiveTail, Result<Tailed>)>>,
    opening: Option<Task<'a, Result<LiveTail>>>,
    search: Option<Task<'a, (Vec<Line>, Result<()>)>>,
    search_begun: Timestamp,
    next_search: Timestamp,
    next_opening: Timestamp,
    /// When the search after the beginning of a session is due.
    settled: Option<Timestamp>,
    session_begun: Timestamp,
    last_update: Timestamp,
    attempts: Attempts,
    searches_failed: Attempts,
    /// Why lines are searched for, as it was said.
    said: Option<String>,
    seen: Seen,
    by_session: Told,
    progress: Progress,
}

enum Happened {
    Cancelled,
    Told(LiveTail, Result<Tailed>),
    Opened(Result<LiveTail>),
    Searched(Vec<Line>, Result<()>),
    Time,
}

impl<'a> Follow<'a> {
    /// Gives out every line once until the reader wants no more.
    ///
    /// # Errors
    /// What does not pass: a group that does not exist, a permission, credentials; what the listener fails with.
    pub(crate) async fn run(&self, listener: &mut impl Listener) -> Result<FollowEnd> {
        let now = self.aws.clock().now();
        let mut state = State {
            session: None,
            opening: None,
            search: None,
            search_begun: now,
            next_search: Timestamp::MAX,
            next_opening: Timestamp::MAX,
            settled: None,
            session_begun: now,
            last_update: now,
            attempts: Attempts::default(),
            searches_failed: Attempts::default(),
            said: None,
            seen: Seen::default(),
            by_session: Told::default(),
            progress: Progress::new(self.from),
        };
        if self.groups().len() > GROUPS {
            state.polls(&format!("Live Tail takes at most {GROUPS} log groups"), listener);
        } else {
            state.opening = Some(self.open());
        }
        if let Some(end) = self.backlog(&mut state, listener).await? {
            return Ok(end);
        }
        loop {
            self.begin_what_is_due(&mut state);
            let happened = self.next(&mut state).await;
            let now = self.aws.clock().now();
            let more = match happened {
                Happened::Cancelled => return Ok(FollowEnd::Interrupted),
                Happened::Told(tail, told) => self.heard(&mut state, tail, told, now, listener)?,
                Happened::Opened(opened) => {
                    self.opened(&mut state, opened, now, listener)?;
                    true
                }
                Happened::Searched(found, result) => {
                    let more = state.give_searched(found, listener)?;
                    state.searched(result, now, listener)?;
                    more
                }
                Happened::Time => {
                    let silent = self.aws.clock().from_real(SILENT);
                    if state.session.is_some() && now > plus(state.last_update, silent) {
                        state.lost(now);
                    }
                    true
                }
            };
            if !more {
                return Ok(FollowEnd::Enough);
            }
        }
    }

    /// What there is already, in order. What a session tells meanwhile comes after it.
    async fn backlog(
        &self,
        state: &mut State<'a>,
        listener: &mut impl Listener,
    ) -> Result<Option<FollowEnd>> {
        let begun = self.aws.clock().now();
        let mut told = Told::default();
        let mut more = true;
        let (seen, progress) = (&mut state.seen, &mut state.progress);
        let give = |mut lines: Vec<Line>| {
            lines.retain(|line| seen.is_new(&mut told, line));
            for line in &lines {
                progress.arrived(line.event.ingested);
            }
            more = lines.is_empty() || listener.backlog(lines)?;
            Ok(more)
        };
        let reading = history(self.aws, self.sources, self.pattern, self.from, None, give);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Ok(Some(FollowEnd::Interrupted)),
            read = reading.boxed_local() => read?,
        }
        state.progress.complete_until(begun);
        state.next_search = plus(begun, POLL);
        let more = more && listener.backlog_is_over()?;
        Ok((!more).then_some(FollowEnd::Enough))
    }

    fn groups(&self) -> Vec<&'a str> {
        let mut groups: Vec<&str> = self.sources.iter().map(|source| source.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    fn open(&self) -> Task<'a, Result<LiveTail>> {
        let groups = self.groups();
        // Streams can be chosen with one group only; with several, lines of others are left out here.
        let prefixes: Option<Vec<&str>> = self
            .sources
            .iter()
            .map(|source| source.prefix.as_deref())
            .collect();
        let prefixes = prefixes.filter(|_| groups.len() == 1).unwrap_or_default();
        let (aws, pattern) = (self.aws, self.pattern);
        Box::pin(async move { aws.live_tail(&groups, &prefixes, pattern).await })
    }

    fn begin_what_is_due(&self, state: &mut State<'a>) {
        let now = self.aws.clock().now();
        if state.search.is_none() && state.next_search <= now {
            let (aws, sources, pattern) = (self.aws, self.sources, self.pattern);
            let from = state.progress.next_search();
            state.search_begun = now;
            state.next_search = Timestamp::MAX;
            state.search = Some(Box::pin(async move {
                let mut found = Vec::new();
                let result = history(aws, sources, pattern, from, None, |lines| {
                    found.extend(lines);
                    Ok(true)
                })
                .await;
                (found, result)
            }));
        }
        if state.session.is_none() && state.opening.is_none() && state.next_opening <= now {
            state.opening = Some(self.open());
        }
    }

    /// The next thing that happens. Nothing that is under way is given up for it.
    async fn next(&self, state: &mut State<'a>) -> Happened {
        let clock = self.aws.clock();
        let mut wake = Timestamp::MAX;
        if state.search.is_none() {
            wake = wake.min(state.next_search);
        }
        if state.session.is_some() {
            wake = wake.min(plus(state.last_update, clock.from_real(SILENT) + POLL));
        } else if state.opening.is_none() {
            wake = wake.min(state.next_opening);
        }
        let pause = async {
            if wake == Timestamp::MAX {
                return pending().await;
            }
            let pause = wake.duration_since(clock.now());
            clock.sleep(Duration::try_from(pause).unwrap_or_default()).await;
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Happened::Cancelled,
            (tail, told) = done(&mut state.session) => Happened::Told(tail, told),
            opened = done(&mut state.opening) => Happened::Opened(opened),
            (found, result) = done(&mut state.search) => Happened::Searched(found, result),
            () = pause => Happened::Time,
        }
    }

    fn opened(
        &self,
        state: &mut State<'a>,
        opened: Result<LiveTail>,
        now: Timestamp,
        listener: &mut impl Listener,
    ) -> Result<()> {
        match opened {
            Ok(tail) => {
                state.session = Some(listen(tail));
                state.by_session = Told::default();
                state.session_begun = now;
                state.last_update = now;
                state.settled = Some(plus(now, SETTLED));
                state.progress.interrupted();
                state.next_search = now;
                if state.said.take().is_some() {
                    listener.says("following through Live Tail again");
                }
                Ok(())
            }
            Err(error) => {
                let (why, again) = match error.kind() {
                    ErrorKind::Credentials | ErrorKind::WrongAccount => return Err(error),
                    ErrorKind::Quota => (
                        "all Live Tail sessions that the account may have are taken".to_owned(),
                        Some(REFUSED),
                    ),
                    ErrorKind::Throttled | ErrorKind::Unreachable => (
                        "Live Tail cannot be reached now".to_owned(),
                        Some(state.attempts.next_pause()),
                    ),
                    ErrorKind::AccessDenied => (
                        "these credentials may not use Live Tail (logs:StartLiveTail)".to_owned(),
                        None,
                    ),
                    _ => (
                        format!("there is no Live Tail here ({})", error.causes().join(": ")),
                        None,
                    ),
                };
                state.next_opening = again.map_or(Timestamp::MAX, |pause| plus(now, pause));
                state.polls(&why, listener);
                state.next_search = state.next_search.min(now);
                Ok(())
            }
        }
    }

    fn heard(
        &self,
        state: &mut State<'a>,
        tail: LiveTail,
        told: Result<Tailed>,
        now: Timestamp,
        listener: &mut impl Listener,
    ) -> Result<bool> {
        let (lines, sampled) = match told {
            Ok(Tailed::Lines { lines, sampled }) => (lines, sampled),
            Ok(Tailed::TimedOut | Tailed::Closed) => {
                state.lost(now);
                return Ok(true);
            }
            Err(error) => {
                tracing::info!(%error, "the session was lost");
                state.lost(now);
                return Ok(true);
            }
        };
        if sampled {
            drop(tail);
            state.progress.interrupted();
            state.next_search = now;
            state.next_opening = plus(now, REFUSED);
            state.polls(
                "more than 500 lines a second, of which Live Tail shows a sample",
                listener,
            );
        } else {
            state.session = Some(listen(tail));
            let held_up = self.aws.clock().from_real(HELD_UP);
            if now > plus(state.last_update, held_up) {
                state.progress.interrupted();
                state.next_search = now;
            } else if state.next_search > now {
                state.progress.complete_until(now);
            }
            state.last_update = now;
        }
        let mut new: Vec<Line> = lines
            .into_iter()
            .filter_map(|(group, event)| {
                let source = self
                    .sources
                    .iter()
                    .position(|source| source.holds(&group, &event.stream))?;
                Some(Line { source, event })
            })
            .collect();
        new.retain(|line| state.seen.is_new(&mut state.by_session, line));
        state.give(new, listener)
    }
}

impl State<'_> {
    fn give(&mut self, mut lines: Vec<Line>, listener: &mut impl Listener) -> Result<bool> {
        for line in &lines {
            self.progress.arrived(line.event.ingested);
        }
        by_time(&mut lines);
        let earliest = self.progress.earliest().as_millisecond();
        self.seen.forget_before(earliest);
        self.by_session.forget_before(earliest);
        if lines.is_empty() {
            return Ok(true);
        }
        listener.lines(lines)
    }

    fn give_searched(&mut self, mut found: Vec<Line>, listener: &mut impl Listener) -> Result<bool> {
        let mut told = Told::default();
        found.retain(|line| self.seen.is_new(&mut told, line));
        self.give(found, listener)
    }

    /// A search came to its end, or broke off.
    fn searched(&mut self, result: Result<()>, now: Timestamp, listener: &mut impl Listener) -> Result<()> {
        match result {
            Ok(()) => {
                self.searches_failed.reset();
                self.progress.complete_until(self.search_begun);
                let next = match (&self.session, self.settled) {
                    (Some(_), Some(settled)) if settled > self.search_begun => {
                        self.progress.interrupted();
                        settled
                    }
                    (Some(_), _) => {
                        self.settled = None;
                        Timestamp::MAX
                    }
                    (None, _) => plus(self.search_begun, POLL),
                };
                // Something may have been interrupted meanwhile.
                self.next_search = self.next_search.min(next);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::Throttled | ErrorKind::Unreachable) => {
                if self.searches_failed.is_first() {
                    listener.says(&format!("lines come late: failed to {error}; looking again"));
                }
                self.progress.interrupted();
                self.next_search = plus(now, self.searches_failed.next_pause());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The session is over; what it did not tell is searched for until there is another.
    fn lost(&mut self, now: Timestamp) {
        self.session = None;
        let lasted = now.duration_since(self.session_begun);
        self.attempts
            .worked_for(Duration::try_from(lasted).unwrap_or_default());
        // At once, unless the one before did not last either.
        let at_once = self.attempts.is_first();
        let pause = self.attempts.next_pause();
        self.next_opening = if at_once { now } else { plus(now, pause) };
        self.progress.interrupted();
        self.next_search = now;
    }

    /// Says that lines are searched for, and why, once for each reason.
    fn polls(&mut self, why: &str, listener: &mut impl Listener) {
        if self.said.as_deref() != Some(why) {
            listener.says(&format!("following by searching every second: {why}"));
            self.said = Some(why.to_owned());
        }
    }
}

fn listen<'a>(mut tail: LiveTail) -> Task<'a, (LiveTail, Result<Tailed>)> {
    Box::pin(async move {
        let told = tail.next().await;
        (tail, told)
    })
}

/// The outcome of a task that is under way, taken off when it is there; without one, never.
async fn done<T>(task: &mut Option<Task<'_, T>>) -> T {
    let Some(running) = task else {
        return pending().await;
    };
    let outcome = running.await;
    *task = None;
    outcome
}
