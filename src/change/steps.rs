//! Carries out the steps of an approved plan: in the order of their needs, some at once, each in the
//! journal before and after; waits for those that are not ready, and takes back what must not stay.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::outcome::State;
use super::plan::{OnFailure, Step};
use super::running::{Running, StepRun};
use super::spec::{Change, Done, Readiness};
use crate::error::{CtlError, ErrorKind, Result};
use crate::wait::{Look, Waited, Waiter};

/// Steps and what became of them so far.
pub(super) struct Steps<V: Change> {
    /// Planned ones, and those that they added.
    pub(super) all: Vec<Step<V::Action>>,
    pub(super) states: BTreeMap<String, State>,
}

/// Carries out all steps. What failed is in the states; waiting ends at the deadline.
///
/// # Errors
/// When the journal cannot be written before the first step: what cannot be recorded is not begun.
pub(super) async fn carry_out<V: Change>(
    verb: &V,
    running: &Running<'_, V>,
    planned: &[Step<V::Action>],
    at_once: usize,
    following: &str,
) -> Result<Steps<V>> {
    let mut steps = Steps {
        all: planned.to_vec(),
        states: BTreeMap::new(),
    };
    if planned.iter().any(|step| step.waits) {
        steps.when_ready(verb, running, at_once, following).await?;
    } else {
        let nobody_waits = BTreeMap::new();
        steps.run_ready(verb, running, at_once, &nobody_waits).await?;
    }
    for step in &steps.all {
        steps.states.entry(step.id.clone()).or_insert(State::NotBegun);
    }
    if steps.must_undo() {
        steps.undo(verb, running).await;
    }
    Ok(steps)
}

impl<V: Change> Steps<V> {
    fn is_done(&self, id: &str) -> bool {
        matches!(self.states.get(id), Some(State::Done { .. }))
    }

    /// Whether a failure keeps further steps from being begun.
    fn is_stopped(&self) -> bool {
        self.all.iter().any(|step| {
            step.on_failure != OnFailure::Continue
                && matches!(self.states.get(&step.id), Some(State::Failed(_)))
        })
    }

    fn must_undo(&self) -> bool {
        // An interrupt in the middle of an all-or-nothing plan leaves half of it behind just the same.
        let begun = self.states.values().any(|state| *state != State::NotBegun);
        let incomplete =
            |step: &Step<V::Action>| step.on_failure == OnFailure::Undo && begun && !self.is_done(&step.id);
        self.all.iter().any(incomplete)
    }

    /// The next step that may be begun; `waiting` says why some may not yet.
    fn next(&self, under_way: &[String], waiting: &BTreeMap<String, String>) -> Option<Step<V::Action>> {
        let may_begin = |step: &&Step<V::Action>| {
            !self.states.contains_key(&step.id)
                && !under_way.contains(&step.id)
                && !waiting.contains_key(&step.id)
                && step.needs.iter().all(|need| self.is_done(need))
        };
        self.all.iter().find(may_begin).cloned()
    }

    /// Carries out everything that may be begun now.
    async fn run_ready(
        &mut self,
        verb: &V,
        running: &Running<'_, V>,
        at_once: usize,
        waiting: &BTreeMap<String, String>,
    ) -> Result<()> {
        let mut under_way: Vec<String> = Vec::new();
        let mut work = FuturesUnordered::new();
        loop {
            while under_way.len() < at_once.max(1) && !self.is_stopped() && !running.cancel.is_cancelled() {
                let Some(step) = self.next(&under_way, waiting) else {
                    break;
                };
                if let Err(error) = running.journal.step_begins(&step.id, &step.summary) {
                    // What earlier steps did must still be told.
                    if self.states.is_empty() && under_way.is_empty() {
                        return Err(error);
                    }
                    running.ui.warn(&format!("{}: {error}", step.id));
                    self.states.insert(step.id, State::Failed(error));
                    continue;
                }
                under_way.push(step.id.clone());
                work.push(
                    async move {
                        let run = StepRun { step: &step, running };
                        let done = verb.act(&run).await;
                        (step, done)
                    }
                    // On the heap: futures of SDK calls are large.
                    .boxed_local(),
                );
            }
            let Some((step, done)) = work.next().await else {
                return Ok(());
            };
            under_way.retain(|id| *id != step.id);
            let done = done.and_then(|done| self.add(running, &step, done));
            self.conclude(running, &step, done);
        }
    }

    /// Takes in the steps that a step announced, and what it found out.
    fn add(&mut self, running: &Running<'_, V>, step: &Step<V::Action>, done: Done<V>) -> Result<Done<V>> {
        let announced = step.then.iter().flat_map(|then| &then.calls);
        let announced: Vec<_> = announced.collect();
        for more in &done.more {
            let shown = |call: &super::call::ApiCall| announced.iter().any(|shown| shown.allows(call));
            if !more.calls.iter().all(shown) {
                return Err(CtlError::new(
                    ErrorKind::Unexpected,
                    format!(
                        "go on with `{}`: the approved plan does not announce it",
                        more.summary
                    ),
                ));
            }
        }
        if !done.more.is_empty() {
            running.journal.steps_added(&done.more)?;
            self.all.extend(done.more.iter().cloned());
        }
        if let Some(output) = &done.output {
            running
                .outputs
                .borrow_mut()
                .insert(step.id.clone(), output.clone());
        }
        Ok(done)
    }

    fn conclude(&mut self, running: &Running<'_, V>, step: &Step<V::Action>, done: Result<Done<V>>) {
        let state = match done {
            Ok(done) => {
                // It is done all the same; a journal that is really broken stops the next step.
                let written = running
                    .journal
                    .step_done(&step.id, &done.did, done.output.as_ref());
                if let Err(error) = written {
                    running.ui.warn(&format!("{}: {error}", step.id));
                }
                running.ui.status(&format!("{}: {}", step.id, done.did));
                State::Done { did: done.did }
            }
            Err(error) => {
                if let Err(error) = running.journal.step_failed(&step.id, &error) {
                    running.ui.warn(&format!("{}: {error}", step.id));
                }
                // The world moved between the look and the write: a step that waits goes on waiting.
                if step.waits && error.kind() == ErrorKind::Changed {
                    return;
                }
                if self.all.len() > 1 {
                    running.ui.warn(&format!("{}: {error}", step.id));
                }
                State::Failed(error)
            }
        };
        self.states.insert(step.id.clone(), state);
    }

    /// Looks at all steps that wait in one go, until none is left or the deadline passes. A look that
    /// fails for good fails the steps that were left.
    async fn when_ready(
        &mut self,
        verb: &V,
        running: &Running<'_, V>,
        at_once: usize,
        following: &str,
    ) -> Result<()> {
        let progress = running.ui.progress(following);
        let waiter = Waiter::until_deadline(running.clock, running.deadline, running.cancel)
            .pace(super::WAITING_PACE.0, super::WAITING_PACE.1);
        let mut waiting: BTreeMap<String, String> = BTreeMap::new();
        let mut broken: Result<()> = Ok(());
        let waited = {
            let (steps, waiting, broken) = (&mut *self, &mut waiting, &mut broken);
            waiter
                .until(
                    async || {
                        let left = steps.left();
                        let waits: Vec<&Step<V::Action>> = left.iter().filter(|step| step.waits).collect();
                        let readiness = verb.ready(&waits).await?;
                        waiting.clear();
                        for (step, readiness) in waits.iter().zip(readiness) {
                            if let Readiness::NotYet(why) = readiness {
                                waiting.insert(step.id.clone(), why);
                            }
                        }
                        if let Err(error) = steps.run_ready(verb, running, at_once, waiting).await {
                            *broken = Err(error);
                            return Ok(Look::Ready(()));
                        }
                        let left = steps.left();
                        if left.is_empty() || steps.is_stopped() {
                            return Ok(Look::Ready(()));
                        }
                        Ok(Look::Pending(told(&left, waiting)))
                    },
                    |text| {
                        // Where the line is seen as it changes, what it said before is no news.
                        match progress.is_shown() {
                            true => progress.say(text),
                            false => running.ui.status(text),
                        }
                    },
                )
                .await
        };
        broken?;
        match waited {
            // An interrupt leaves the rest untouched.
            Ok(Waited::Ready(()) | Waited::Cancelled) => {}
            Ok(Waited::TimedOut) => {
                for step in self.left() {
                    let why = waiting.remove(&step.id).unwrap_or_default();
                    self.states.insert(step.id, State::NotReady(why));
                }
            }
            Err(error) => {
                for step in self.left() {
                    self.states.insert(step.id, State::Failed(error.clone()));
                }
            }
        }
        Ok(())
    }

    fn left(&self) -> Vec<Step<V::Action>> {
        let left = |step: &&Step<V::Action>| !self.states.contains_key(&step.id);
        self.all.iter().filter(left).cloned().collect()
    }

    /// Takes back what is done, the last step first. An interrupt does not stop this: half of an
    /// all-or-nothing plan is what the operator did not agree to.
    async fn undo(&mut self, verb: &V, running: &Running<'_, V>) {
        let begun: Vec<Step<V::Action>> = self
            .all
            .iter()
            .rev()
            .filter(|step| match self.states.get(&step.id) {
                Some(State::Done { .. }) => true,
                // The request may have arrived all the same.
                Some(State::Failed(_)) => V::UNDO_LOOKS,
                _ => false,
            })
            .cloned()
            .collect();
        for step in begun {
            let failed = match self.states.get(&step.id) {
                Some(State::Failed(error)) => Some(error.clone()),
                _ => None,
            };
            let state = match (self.take_back(verb, running, &step).await, failed) {
                (Ok(did), failed) => {
                    running.ui.status(&format!("{}: {did}", step.id));
                    failed.map_or(State::Undone, State::Failed)
                }
                (Err(error), failed) => {
                    running.ui.warn(&format!("{}: failed to undo: {error}", step.id));
                    match failed {
                        Some(failed) => State::InDoubt(failed, error),
                        None => State::StillDone(error),
                    }
                }
            };
            self.states.insert(step.id, state);
        }
    }

    async fn take_back(&self, verb: &V, running: &Running<'_, V>, step: &Step<V::Action>) -> Result<String> {
        let Some(undo) = undo_step(verb, step) else {
            return Err(CtlError::new(
                ErrorKind::Failed,
                format!("undo `{}`: there is no way back", step.summary),
            ));
        };
        running.journal.steps_added(std::slice::from_ref(&undo))?;
        running.journal.step_begins(&undo.id, &undo.summary)?;
        let run = StepRun { step: &undo, running };
        let done = verb.act(&run).await;
        let written = match &done {
            Ok(done) => running
                .journal
                .step_done(&undo.id, &done.did, done.output.as_ref()),
            Err(error) => running.journal.step_failed(&undo.id, error),
        };
        if let Err(error) = written {
            running.ui.warn(&format!("{}: {error}", undo.id));
        }
        done.map(|done| done.did)
    }
}

/// The step that takes `step` back, under a name of its own.
pub(super) fn undo_step<V: Change>(verb: &V, step: &Step<V::Action>) -> Option<Step<V::Action>> {
    let mut undo = verb.undo(step)?;
    undo.id = format!("undo {}", step.id);
    undo.waits = false;
    undo.needs = Vec::new();
    Some(undo)
}

/// The first few steps by name, the others by number.
fn told<A>(left: &[Step<A>], waiting: &BTreeMap<String, String>) -> String {
    const NAMED: usize = 3;
    let named: Vec<String> = left
        .iter()
        .take(NAMED)
        .map(|step| match waiting.get(&step.id) {
            Some(why) => format!("{} ({why})", step.id),
            None => step.id.clone(),
        })
        .collect();
    let others = match left.len().saturating_sub(NAMED) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    format!("Waiting for {}{others}", named.join(", "))
}
