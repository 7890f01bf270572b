//! What a run came to: the state of every step, the end of everything that was followed, the verdict.

use std::collections::BTreeMap;

use super::journal::Record;
use super::run_id::RunId;
use super::spec::Change;
use super::target::Target;
use crate::error::{CtlError, Hint};
use crate::exit::ExitStatus;

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not begun: an interrupt, or an earlier step failed.
    NotBegun,
    /// Not begun: the world was not ready in time. With what it waited for.
    NotReady(String),
    Done {
        /// Past tense.
        did: String,
    },
    Failed(CtlError),
    /// Done, and taken back because another step failed.
    Undone,
    /// Done, and could not be taken back.
    StillDone(CtlError),
    /// Failed with the first error, perhaps after the request had arrived, and with the second one AWS could not be looked at.
    InDoubt(CtlError, CtlError),
}

/// How something that was followed ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As it was meant, or left alone because nothing was to be waited for.
    Settled,
    /// Under way when the wait ended; `what` fits "see every instance leave: …".
    Running {
        what: String,
        /// How to look again.
        hint: Hint,
    },
    /// Something else changed it back: "production/a was set to 2 again by …".
    Overturned(String),
    /// Another actor's change took its place.
    Superseded(CtlError),
    /// AWS took it back by itself.
    RolledBack(CtlError),
    Failed(CtlError),
    /// A container's own status, which is passed through.
    Exited {
        status: u8,
        error: CtlError,
    },
    /// Every step was carried out, and what the verb was to find out is not as it must be, or is not known. The status is
    /// that of the verbs that only check.
    Found {
        status: ExitStatus,
        error: CtlError,
    },
}

/// How a run ended, as scripts and the history see it. The only source of a mutating verb's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    NothingToChange,
    Failed,
    PartlyDone,
    RolledBack,
    /// Changed meanwhile, or superseded by another actor.
    Changed,
    /// The wait is over and it goes on in AWS.
    TimedOut,
    Interrupted,
    /// The container's own status.
    Exited(u8),
    /// Checks have failed, or could not be made.
    Found(ExitStatus),
}

impl Verdict {
    /// For journals and documents.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NothingToChange => "nothing-to-change",
            Self::Failed => "failed",
            Self::PartlyDone => "partly-done",
            Self::RolledBack => "rolled-back",
            Self::Changed => "changed",
            Self::TimedOut => "timed-out",
            Self::Interrupted => "interrupted",
            Self::Exited(_) => "exited",
            Self::Found(_) => "checks-failed",
        }
    }

    /// The status of a verdict that has one of its own; a failure's depends on its error.
    pub(super) fn exit_status(self) -> Option<ExitStatus> {
        match self {
            Self::Done | Self::NothingToChange => Some(ExitStatus::Done),
            Self::Failed => None,
            Self::PartlyDone => Some(ExitStatus::Partial),
            Self::RolledBack => Some(ExitStatus::RolledBack),
            Self::Changed => Some(ExitStatus::Changed),
            Self::TimedOut => Some(ExitStatus::TimedOut),
            Self::Interrupted => Some(ExitStatus::Interrupted),
            Self::Exited(status) => Some(ExitStatus::External(status)),
            Self::Found(status) => Some(status),
        }
    }
}

/// Everything that a result document may be made from.
pub(crate) struct Outcome<V: Change> {
    pub(crate) run: RunId,
    pub(crate) target: Target,
    pub(crate) steps: Vec<StepOutcome<V>>,
    /// How things ended that were followed, in the verb's own terms, by the names that it followed them under.
    pub(crate) endings: BTreeMap<String, V::Ending>,
    /// Runs that were cut off before this one.
    pub(crate) cut_off: Vec<Record>,
}

/// One step and what became of it.
pub(crate) struct StepOutcome<V: Change> {
    pub(crate) id: String,
    pub(crate) state: State,
    pub(crate) output: Option<V::Output>,
}

impl<V: Change> Outcome<V> {
    /// The step of this name.
    pub(crate) fn step(&self, id: &str) -> Option<&StepOutcome<V>> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// What a step found out.
    pub(crate) fn output(&self, id: &str) -> Option<&V::Output> {
        self.step(id)?.output.as_ref()
    }

    /// How many steps are done and stay so.
    pub(crate) fn done(&self) -> usize {
        let done = |step: &&StepOutcome<V>| matches!(step.state, State::Done { .. });
        self.steps.iter().filter(done).count()
    }
}
