//! From the states of the steps and the ends of what was followed to one verdict. Pure.

use std::collections::BTreeMap;

use super::outcome::{End, State, Verdict};
use super::spec::Words;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::output::counted;

/// Everything that a verdict is made from.
pub(super) struct Facts<'a> {
    pub(super) words: &'a Words,
    /// In the order of the plan.
    pub(super) states: Vec<(&'a str, &'a State)>,
    pub(super) ends: &'a BTreeMap<String, End>,
    /// Why the look afterwards had to give up.
    pub(super) trouble: Option<CtlError>,
    pub(super) interrupted: bool,
    /// The command that goes on with the steps of these names.
    pub(super) resume: &'a dyn Fn(&[&str]) -> CommandLine,
}

/// The verdict, and the error unless all is well. A single reason keeps its own status, reasons of one
/// kind keep theirs, a mixture of good and bad is a partial success.
pub(super) fn conclude(facts: Facts<'_>) -> (Verdict, Option<CtlError>) {
    let sorted = Sorted::new(&facts);
    let (verdict, error) = match sorted.reason(&facts) {
        Some((verdict, error)) => (verdict, error),
        None if facts.states.is_empty() => return (Verdict::NothingToChange, None),
        None => return (Verdict::Done, None),
    };
    let error = match verdict.exit_status() {
        Some(status) => error.exit_with(status),
        None => error,
    };
    (verdict, Some(error))
}

/// How something ends that was followed on its own, e.g. a task that an earlier run has started.
///
/// # Errors
/// Unless all is well; the status is that of the verdict.
pub(crate) fn conclude_end(words: &Words, name: &str, end: &End, interrupted: bool) -> Result<ExitStatus> {
    let facts = Facts {
        words,
        states: Vec::new(),
        ends: &BTreeMap::from([(name.to_owned(), end.clone())]),
        trouble: None,
        interrupted,
        resume: &|_| CommandLine::bpctl([""; 0]),
    };
    match conclude(facts) {
        (_, Some(error)) => Err(error),
        (_, None) => Ok(ExitStatus::Done),
    }
}

/// Steps and ends by how well they went.
#[derive(Default)]
struct Sorted<'a> {
    /// Done, and as it was meant or on its way there.
    good: Vec<&'a str>,
    /// Errors of steps and ends.
    failed: Vec<(&'a str, &'a CtlError)>,
    overturned: Vec<(&'a str, &'a str)>,
    superseded: Vec<(&'a str, &'a CtlError)>,
    rolled_back: Vec<(&'a str, &'a CtlError)>,
    /// How many things were followed and ended, or go on, as they were meant.
    followed_well: usize,
    exited: Vec<(u8, &'a CtlError)>,
    found: Vec<(ExitStatus, &'a CtlError)>,
    running: Vec<(&'a str, &'a Hint)>,
    not_begun: Vec<&'a str>,
    not_ready: Vec<(&'a str, &'a str)>,
    undone: Vec<&'a str>,
    still_done: Vec<(&'a str, &'a CtlError)>,
    /// Why the look failed.
    in_doubt: Vec<(&'a str, &'a CtlError)>,
}

impl<'a> Sorted<'a> {
    fn new(facts: &Facts<'a>) -> Self {
        let mut sorted = Self::default();
        for (id, state) in &facts.states {
            match state {
                State::NotBegun => sorted.not_begun.push(id),
                State::NotReady(why) => sorted.not_ready.push((id, why)),
                State::Failed(error) => sorted.failed.push((id, error)),
                State::Undone => sorted.undone.push(id),
                State::StillDone(error) => sorted.still_done.push((id, error)),
                State::InDoubt(error, look) => {
                    sorted.failed.push((id, error));
                    sorted.in_doubt.push((id, look));
                }
                State::Done { .. } => match facts.ends.get(*id) {
                    Some(end) => sorted.end(id, end),
                    None => sorted.good.push(id),
                },
            }
        }
        // What was followed without a step of its own, e.g. a fleet that an earlier run had shrunk.
        for (id, end) in facts.ends {
            if !facts.states.iter().any(|(step, _)| step == id) {
                sorted.end(id, end);
            }
        }
        sorted
    }

    fn end(&mut self, id: &'a str, end: &'a End) {
        match end {
            End::Settled => {
                self.followed_well += 1;
                self.good.push(id);
            }
            End::Running { hint, .. } => {
                self.followed_well += 1;
                self.good.push(id);
                self.running.push((id, hint));
            }
            End::Overturned(text) => self.overturned.push((id, text)),
            End::Superseded(error) => self.superseded.push((id, error)),
            End::RolledBack(error) => self.rolled_back.push((id, error)),
            End::Failed(error) => self.failed.push((id, error)),
            End::Exited { status, error } => self.exited.push((*status, error)),
            End::Found { status, error } => self.found.push((*status, error)),
        }
    }

    /// What keeps the run from being done, the weightiest reason first.
    fn reason(&self, facts: &Facts<'_>) -> Option<(Verdict, CtlError)> {
        let not_taken_back = !self.still_done.is_empty() || !self.in_doubt.is_empty();
        if !self.undone.is_empty() || not_taken_back {
            return Some(self.taken_back(facts));
        }
        let unfinished = self.unfinished();
        if let Some((verdict, error)) = self.single() {
            // An error that knows how its work goes on says so itself.
            let goes_on = verdict == Verdict::Interrupted && error.hints().is_empty();
            let error = match goes_on {
                true => error.hint(go_on(facts, &unfinished)),
                false => error,
            };
            return Some((verdict, error));
        }
        if facts.interrupted && !(unfinished.is_empty() && self.running.is_empty()) {
            return Some((Verdict::Interrupted, self.interrupted(facts, &unfinished)));
        }
        if let ([(status, error)], true) = (self.found.as_slice(), self.failed.is_empty()) {
            return Some((Verdict::Found(*status), (*error).clone()));
        }
        let deployed = self.rolled_back.len() + self.superseded.len();
        if !(self.failed.is_empty() && self.overturned.is_empty()) || deployed > 0 {
            return Some(self.bad(facts, &unfinished));
        }
        if let Some(trouble) = &facts.trouble {
            let error = trouble.clone().context(facts.words.settle.clone());
            let error = with_hints(error, self.running.iter().map(|(_, hint)| (*hint).clone()));
            return Some((verdict_of(error.kind()), error));
        }
        if !self.not_ready.is_empty() {
            return Some((Verdict::TimedOut, self.busy(facts, &unfinished)));
        }
        if !self.running.is_empty() {
            return Some((Verdict::TimedOut, self.late(facts)));
        }
        if !self.not_begun.is_empty() {
            let error = CtlError::new(
                ErrorKind::Partial,
                format!("{}: {} not begun", facts.words.goal, self.not_begun.join(", ")),
            );
            return Some((Verdict::PartlyDone, error.hint(go_on(facts, &unfinished))));
        }
        None
    }

    /// One reason and nothing that went well: it speaks for itself.
    fn single(&self) -> Option<(Verdict, CtlError)> {
        let bad = self.failed.len()
            + self.overturned.len()
            + self.superseded.len()
            + self.rolled_back.len()
            + self.exited.len();
        if let [(status, error)] = self.exited.as_slice()
            && bad == 1
        {
            // What went before, e.g. a snapshot, does not change the container's status.
            return Some((Verdict::Exited(*status), (*error).clone()));
        }
        // Whatever led there, e.g. a revision that was registered: nothing that was followed went well.
        for (verdict, ends) in [
            (Verdict::RolledBack, &self.rolled_back),
            (Verdict::Changed, &self.superseded),
        ] {
            if bad == ends.len() && self.followed_well == 0 {
                return Some((verdict, alike(ends)?));
            }
        }
        match self.failed.as_slice() {
            [(_, error)] if error.kind() == ErrorKind::Interrupted => {
                Some((Verdict::Interrupted, (*error).clone()))
            }
            [(_, error)] if bad == 1 && self.good.is_empty() && self.not_ready.is_empty() => {
                Some((verdict_of(error.kind()), (*error).clone()))
            }
            _ => None,
        }
    }

    /// Deployments in whose place something else runs.
    fn replaced(&self) -> impl Iterator<Item = (&'a str, &'a CtlError)> {
        self.rolled_back.iter().chain(&self.superseded).copied()
    }

    /// Steps that a further run would carry out.
    fn unfinished(&self) -> Vec<&'a str> {
        let failed = self.failed.iter().map(|(id, _)| *id);
        let overturned = self.overturned.iter().map(|(id, _)| *id);
        let not_ready = self.not_ready.iter().map(|(id, _)| *id);
        failed
            .chain(overturned)
            .chain(self.not_begun.iter().copied())
            .chain(not_ready)
            .collect()
    }

    fn total(&self, unfinished: &[&str], words: &Words) -> String {
        counted((self.good.len() + unfinished.len()) as u64, words.thing)
    }

    fn interrupted(&self, facts: &Facts<'_>, unfinished: &[&str]) -> CtlError {
        if unfinished.is_empty() {
            let message = format!("{}: interrupted, {}", facts.words.settle, self.what_runs(facts));
            let error = CtlError::new(ErrorKind::Interrupted, message);
            return with_hints(error, self.running.iter().map(|(_, hint)| (*hint).clone()));
        }
        CtlError::new(
            ErrorKind::Interrupted,
            format!(
                "{}: interrupted after {} of {}",
                facts.words.goal,
                self.good.len(),
                self.total(unfinished, facts.words)
            ),
        )
        .hint(go_on(facts, unfinished))
    }

    fn bad(&self, facts: &Facts<'_>, unfinished: &[&str]) -> (Verdict, CtlError) {
        let names: Vec<&str> = self
            .failed
            .iter()
            .map(|(id, _)| *id)
            .chain(self.overturned.iter().map(|(id, _)| *id))
            .chain(self.replaced().map(|(id, _)| id))
            .collect();
        // Of deployments those count that were followed: a step that led to one is none.
        let good = match self.replaced().next() {
            Some(_) => self.followed_well,
            None => self.good.len(),
        };
        let (verdict, mut error) = if good == 0 {
            // Nothing went well: the common reason decides, if there is one.
            let mut kinds: Vec<ErrorKind> = self.failed.iter().map(|(_, error)| error.kind()).collect();
            kinds.dedup();
            let kind = match kinds.as_slice() {
                [only] if self.overturned.is_empty() && self.replaced().next().is_none() => *only,
                _ => ErrorKind::Failed,
            };
            let message = format!("{}: {} not", facts.words.goal, names.join(", "));
            let mut error = CtlError::new(kind, message);
            if let Some((_, first)) = self.failed.first() {
                error = error.cause(first.to_string());
            }
            (verdict_of(kind), error)
        } else {
            let total = match self.replaced().next() {
                Some(_) => counted((good + names.len()) as u64, facts.words.thing),
                None => self.total(unfinished, facts.words),
            };
            let message = format!(
                "{}: {good} of {total} are, {} not",
                facts.words.goal,
                names.join(", ")
            );
            (Verdict::PartlyDone, CtlError::new(ErrorKind::Partial, message))
        };
        for (_, text) in &self.overturned {
            error = error.cause(*text);
        }
        for (_, replaced) in self.replaced() {
            error = error.cause(replaced.to_string());
        }
        // One hint per reason, not one per step.
        error = with_hints(
            error,
            self.failed
                .iter()
                .copied()
                .chain(self.replaced())
                .flat_map(|(_, error)| error.hints())
                .cloned(),
        );
        // What was rolled back or replaced is what a further run is about.
        let left: Vec<&str> = unfinished
            .iter()
            .copied()
            .chain(self.replaced().map(|(id, _)| id))
            .collect();
        (verdict, error.hint(go_on(facts, &left)))
    }

    fn busy(&self, facts: &Facts<'_>, unfinished: &[&str]) -> CtlError {
        let waiting: Vec<String> = self
            .not_ready
            .iter()
            .map(|(id, why)| format!("{id} ({why})"))
            .collect();
        CtlError::new(
            ErrorKind::TimedOut,
            format!(
                "{}: the time to wait for {} is over",
                facts.words.goal,
                waiting.join(", ")
            ),
        )
        .hint(go_on(facts, unfinished).and(", with a longer `--timeout`"))
    }

    fn late(&self, facts: &Facts<'_>) -> CtlError {
        let message = format!("{} in time: {}", facts.words.settle, self.what_runs(facts));
        let error = CtlError::new(ErrorKind::TimedOut, message);
        with_hints(error, self.running.iter().map(|(_, hint)| (*hint).clone()))
    }

    fn what_runs(&self, facts: &Facts<'_>) -> String {
        let what = self
            .running
            .iter()
            .filter_map(|(id, _)| match facts.ends.get(*id) {
                Some(End::Running { what, .. }) => Some(what.as_str()),
                _ => None,
            });
        what.collect::<Vec<_>>().join(", ")
    }

    /// An all-or-nothing plan that failed: in which state is the world?
    fn taken_back(&self, facts: &Facts<'_>) -> (Verdict, CtlError) {
        let reason = match self.failed.first() {
            Some((_, error)) => error.to_string(),
            None => "interrupted".to_owned(),
        };
        let kind = self
            .failed
            .first()
            .map_or(ErrorKind::Interrupted, |(_, error)| error.kind());
        let names = |of: &[(&str, &CtlError)]| of.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", ");
        let mut states = Vec::new();
        if !self.still_done.is_empty() {
            states.push(format!(
                "{} stays changed, it could not be undone",
                names(&self.still_done)
            ));
        }
        if !self.in_doubt.is_empty() {
            states.push(format!(
                "whether {} was changed is not known, and could not be looked at",
                names(&self.in_doubt)
            ));
        }
        if states.is_empty() {
            let error = CtlError::new(
                kind,
                format!("{}: everything that was done is undone", facts.words.goal),
            )
            .cause(reason);
            let left: Vec<&str> = facts.states.iter().map(|(id, _)| *id).collect();
            return (verdict_of(kind), error.hint(go_on(facts, &left)));
        }
        let mut error = CtlError::new(
            ErrorKind::Partial,
            format!("{}: {}", facts.words.goal, states.join("; ")),
        )
        .cause(reason);
        for (_, why) in self.still_done.iter().chain(&self.in_doubt) {
            error = error.cause(why.to_string());
        }
        // What keeps bpctl from looking comes first.
        let looks = self.still_done.iter().chain(&self.in_doubt);
        let hints: Vec<Hint> = looks.flat_map(|(_, why)| why.hints().to_vec()).collect();
        let error = with_hints(error, hints.into_iter().take(1));
        let left: Vec<&str> = facts.states.iter().map(|(id, _)| *id).collect();
        (Verdict::PartlyDone, error.hint(go_on(facts, &left)))
    }
}

fn go_on(facts: &Facts<'_>, unfinished: &[&str]) -> Hint {
    Hint::new("to go on:").command((facts.resume)(unfinished))
}

/// The verdict of an error that stands for the whole run.
pub(super) fn verdict_of(kind: ErrorKind) -> Verdict {
    match kind {
        ErrorKind::Changed => Verdict::Changed,
        ErrorKind::TimedOut => Verdict::TimedOut,
        ErrorKind::Interrupted => Verdict::Interrupted,
        ErrorKind::Partial => Verdict::PartlyDone,
        ErrorKind::Usage
        | ErrorKind::Config
        | ErrorKind::Declined
        | ErrorKind::Credentials
        | ErrorKind::AccessDenied
        | ErrorKind::WrongAccount
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Throttled
        | ErrorKind::Quota
        | ErrorKind::Unreachable
        | ErrorKind::Rejected
        | ErrorKind::Failed
        | ErrorKind::Unexpected => Verdict::Failed,
    }
}

/// One error for ends of one kind; `None` without any.
fn alike(ends: &[(&str, &CtlError)]) -> Option<CtlError> {
    let (_, first) = ends.first()?;
    let [_, others @ ..] = ends else { return None };
    let mut error = (*first).clone();
    for (_, other) in others {
        error = error.cause(other.to_string());
    }
    let hints = others.iter().flat_map(|(_, other)| other.hints()).cloned();
    Some(with_hints(error, hints))
}

/// At most three hints, each once.
fn with_hints(mut error: CtlError, hints: impl Iterator<Item = Hint>) -> CtlError {
    let mut told: Vec<Hint> = Vec::new();
    for hint in hints {
        if told.len() < 3 && !told.contains(&hint) {
            error = error.hint(hint.clone());
            told.push(hint);
        }
    }
    error
}

#[cfg(test)]
#[path = "conclude_tests.rs"]
mod tests;
