//! What a verb's functions are handed while its plan is carried out.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::gate::Approved;
use super::held::HeldLeases;
use super::journal::Journal;
use super::outcome::{End, State};
use super::permit::Permit;
use super::plan::Step;
use super::spec::Change;
use crate::clock::Clock;
use crate::error::{CtlError, ErrorKind, Result};
use crate::ui::Ui;

/// What all steps of a run share.
pub(super) struct Running<'a, V: Change> {
    pub(super) ui: &'a Ui,
    pub(super) clock: &'a Clock,
    pub(super) cancel: &'a CancellationToken,
    pub(super) journal: &'a Journal,
    /// What the steps rely on.
    pub(super) leases: &'a HeldLeases,
    /// What finished steps found out, by step.
    pub(super) outputs: RefCell<BTreeMap<String, V::Output>>,
    /// When waiting ends.
    pub(super) deadline: Timestamp,
}

impl<V: Change> Running<'_, V> {
    /// Keeps something for the reader of the journal. What is already under way in AWS is more important
    /// than a full disk.
    fn note(&self, what: &str, value: &str) {
        if let Err(error) = self.journal.note(what, value) {
            self.ui.warn(&format!("{what} is {value}, but failed to {error}"));
        }
    }

    /// The permit for a call that the plan shows.
    fn permit<C: Call>(step: &Step<V::Action>, call: &C) -> Result<Permit> {
        let described = call.described();
        Approved::permit(step, &described).ok_or_else(|| {
            CtlError::new(
                ErrorKind::Unexpected,
                format!(
                    "send {}: the approved plan shows no such call in the step `{}`",
                    described.label(),
                    step.id
                ),
            )
        })
    }
}

/// One step while it is carried out.
pub(crate) struct StepRun<'a, V: Change> {
    pub(super) step: &'a Step<V::Action>,
    pub(super) running: &'a Running<'a, V>,
}

impl<V: Change> StepRun<'_, V> {
    pub(crate) fn action(&self) -> &V::Action {
        &self.step.action
    }

    /// The step's name.
    pub(crate) fn id(&self) -> &str {
        &self.step.id
    }

    /// What an earlier step found out.
    pub(crate) fn output(&self, step: &str) -> Option<V::Output> {
        self.running.outputs.borrow().get(step).cloned()
    }

    /// Sends a call that the plan shows for this step, and no other.
    ///
    /// # Errors
    /// What AWS refuses; a call that the plan does not show is not sent, and none while the run cannot rely
    /// on its leases.
    pub(crate) async fn send<C: Call>(&self, via: &C::Via, call: &C) -> Result<C::Answer> {
        let leases = self.running.leases;
        let permit = Running::<V>::permit(self.step, call)?;
        leases.check()?;
        // On the heap: futures of SDK calls are large.
        let sent = call.send(via, &permit.unless(&leases.pause)).boxed_local().await;
        match (sent, leases.check()) {
            (Err(error), Err(lost)) => Err(lost.cause(error.to_string())),
            (sent, _) => sent,
        }
    }

    /// When waiting ends.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.running.deadline
    }

    /// From here on the run relies on no lease: the step takes away the place where they are kept. Those that it held
    /// are renewed no more, and end by themselves where they outlive the step.
    pub(crate) fn go_on_without_leases(&self) {
        self.running.leases.take();
    }

    /// Keeps something in the journal, e.g. the ARN of a task that was started.
    pub(crate) fn note(&self, what: &str, value: &str) {
        self.running.note(what, value);
    }

    /// Says what is being done.
    pub(crate) fn status(&self, text: &str) {
        self.running.ui.status(text);
    }
}

/// A step that is done, with what it found out.
pub(crate) type DoneStep<'a, V> = (&'a Step<<V as Change>::Action>, Option<<V as Change>::Output>);

/// The look afterwards.
pub(crate) struct Verification<'a, V: Change> {
    pub(super) running: &'a Running<'a, V>,
    pub(super) steps: &'a [Step<V::Action>],
    pub(super) states: &'a BTreeMap<String, State>,
    pub(super) ends: BTreeMap<String, End>,
    pub(super) endings: BTreeMap<String, V::Ending>,
    /// False under `--no-wait`.
    pub(super) waits: bool,
}

impl<'a, V: Change> Verification<'a, V> {
    /// The steps that are done, with what they found out.
    pub(crate) fn done(&self) -> Vec<DoneStep<'a, V>> {
        let outputs = self.running.outputs.borrow();
        self.steps
            .iter()
            .filter(|step| matches!(self.states.get(&step.id), Some(State::Done { .. })))
            .map(|step| (step, outputs.get(&step.id).cloned()))
            .collect()
    }

    /// Whether to wait for the end; under `--no-wait` only what is certain at once is recorded.
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// How long to wait from now on.
    pub(crate) fn remaining(&self) -> Duration {
        let left = self.running.deadline.duration_since(self.running.clock.now());
        Duration::try_from(left).unwrap_or_default()
    }

    /// When waiting ends.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.running.deadline
    }

    /// Records how something ended.
    pub(crate) fn end(&mut self, name: impl Into<String>, end: End) {
        self.ends.insert(name.into(), end);
    }

    /// Records how it ended in the verb's own terms.
    pub(crate) fn ending(&mut self, name: impl Into<String>, ending: V::Ending) {
        self.endings.insert(name.into(), ending);
    }

    /// Sends a call that the plan shows as one that a step may need, e.g. StopTask on an interrupt. It takes
    /// back what this run has done, so it needs no lease.
    ///
    /// # Errors
    /// What AWS refuses; a call that the plan does not show is not sent.
    pub(crate) async fn send<C: Call>(
        &self,
        step: &Step<V::Action>,
        via: &C::Via,
        call: &C,
    ) -> Result<C::Answer> {
        let permit = Running::<V>::permit(step, call)?;
        // On the heap: futures of SDK calls are large.
        call.send(via, &permit).boxed_local().await
    }
}
