//! What a mutating verb supplies to the engine: data and small functions.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::journal::Record;
use super::outcome::Outcome;
use super::plan::{Plan, Step};
use super::run_id::RunNames;
use super::running::{StepRun, Verification};
use super::target::Target;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::output::Render;

/// A mutating verb.
pub(crate) trait Change: Sized {
    /// As it is typed, e.g. `fleet scale-to-zero`.
    const NAME: &'static str;
    /// Whether a step that failed is taken back as well, because its request may have arrived all the same. Each step
    /// that [`Change::undo`] makes looks first; these leave alone what somebody else has written since.
    const UNDO_LOOKS: bool = false;
    /// What the plan is made from.
    type Seen;
    /// What one step does: plain data that the journal keeps.
    type Action: Clone + Serialize + DeserializeOwned;
    /// What a step finds out for later ones and for the result, e.g. a task's ARN.
    type Output: Clone + Serialize + DeserializeOwned;
    /// How something that was followed ended, in the verb's own terms, for the result.
    type Ending;
    /// The result.
    type Document: Render;

    /// The words of this verb's outcome.
    fn words(&self) -> Words;

    /// How the operator is told of an earlier run of this verb that was cut off.
    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        super::cut_off::sentence(record, self.words().thing)
    }

    /// Reads AWS. Changes nothing. `recent` are the runs of this verb in the last minutes, however they ended:
    /// what they have started, AWS may not list yet. With them come all runs that were cut off, interrupted or timed
    /// out: what they have started may still go on.
    async fn observe(&self, target: &Target, recent: &[Record]) -> Result<Self::Seen>;

    /// From what was seen to what will be done. Pure.
    fn plan(&self, seen: &Self::Seen, basis: &Basis<'_>) -> Result<Plan<Self::Action>>;

    /// Ids of all steps that the request can have, also of those that the plan does not need: a run that was
    /// cut off over some of them is taken care of by this one. The plan cannot tell: after a kill behind the
    /// write it is empty.
    fn covers(&self, seen: &Self::Seen, plan: &Plan<Self::Action>) -> Vec<String>;

    /// For steps that wait: which of them may be carried out now. One look for all of them.
    async fn ready(&self, steps: &[&Step<Self::Action>]) -> Result<Vec<Readiness>> {
        Ok(steps.iter().map(|_| Readiness::Now).collect())
    }

    /// Carries out one step: check that the plan still holds, send, read back.
    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>>;

    /// The step that takes `step` back. Pure; it is carried out by [`Change::act`] like any other. What it finds as it
    /// was before it leaves so: the request of a step that was cut off may never have arrived.
    fn undo(&self, _step: &Step<Self::Action>) -> Option<Step<Self::Action>> {
        None
    }

    /// Whether it really happened, and how it ends. Records an [`End`](super::End) for everything that
    /// is followed.
    ///
    /// # Errors
    /// When AWS cannot be looked at any more; what is under way goes on.
    async fn verify(&self, seen: &Self::Seen, run: &mut Verification<'_, Self>) -> Result<()>;

    /// The result, whatever the run came to. `None` when there is nothing to tell, e.g. because the
    /// only step failed.
    fn document(&self, seen: &Self::Seen, outcome: &Outcome<Self>) -> Option<Self::Document>;

    /// The command that goes on with what is left.
    fn resume(&self, left: &[&str]) -> CommandLine;

    /// Adds to an error what only this verb knows, e.g. why a policy undid the change.
    fn explain(&self, error: CtlError, _outcome: &Outcome<Self>) -> CtlError {
        error
    }
}

/// What a plan is made from besides what was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Basis<'a> {
    pub(crate) target: &'a Target,
    pub(crate) names: &'a RunNames,
    pub(crate) now: Timestamp,
}

/// How the engine speaks about a verb's work.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// Fits "failed to …": "take all fleets to zero".
    pub(crate) goal: String,
    /// What a step is about, in the singular: "fleet".
    pub(crate) thing: &'static str,
    /// Fits "failed to …": "see every instance leave".
    pub(crate) settle: String,
    /// While steps wait and while their end is awaited.
    pub(crate) following: String,
}

/// Whether a step may be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Now,
    /// What it still waits for: "3 jobs in the queue".
    NotYet(String),
}

/// A step that was carried out.
#[derive(Debug)]
pub(crate) struct Done<V: Change> {
    /// Past tense: "set the desired capacity to 0".
    pub(crate) did: String,
    pub(crate) output: Option<V::Output>,
    /// Steps that the plan announced with `then`.
    pub(crate) more: Vec<Step<V::Action>>,
}

impl<V: Change> Done<V> {
    /// Done, and nothing was found out.
    pub(crate) fn new(did: impl Into<String>) -> Self {
        Self {
            did: did.into(),
            output: None,
            more: Vec::new(),
        }
    }

    /// What was found out.
    #[must_use]
    pub(crate) fn with(mut self, output: V::Output) -> Self {
        self.output = Some(output);
        self
    }
}
