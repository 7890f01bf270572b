//! `runs resume` and `runs undo`: the command line of the earlier run is carried out again, with the flags
//! of this one, and the engine is told which run it is about.

use clap::Args;

use crate::change::{ChangeArgs, Direction, RunId};
use crate::commands::verb::{Continuation, Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;

/// Go on with a run that was cut off
///
/// Looks at AWS again, shows what is left and asks before going on. What the earlier run has done is not done
/// again; a request that may still be on its way is sent again with the same token.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl runs list                                       which runs were cut off
  bpctl runs resume 20260115T090000Z-0123456789ab       go on with one of them")]
pub(crate) struct ResumeArgs {
    /// The run, as `runs list` names it
    #[arg(value_name = "RUN")]
    run: RunId,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Take back what a run did
///
/// Undoes the run's finished steps, the last one first, through a plan of their own. Steps without a way back
/// (a migration that has run) are named and stay; a run without any way back ends with status 2 and says what is done
/// by hand.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl runs undo 20260115T090000Z-0123456789ab --dry-run    what would be undone")]
pub(crate) struct UndoArgs {
    /// The run, as `runs list` names it
    #[arg(value_name = "RUN")]
    run: RunId,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for ResumeArgs {
    fn needs(&self) -> Needs {
        Needs::AWS
    }

    fn continues(&self) -> Option<Continuation> {
        Some(Continuation {
            direction: Direction::Resume,
            run: self.run.clone(),
            change: self.change.clone(),
        })
    }

    async fn run(self, _ctx: &Ctx) -> Result<ExitStatus> {
        Err(not_dispatched("resume"))
    }
}

impl Verb for UndoArgs {
    fn needs(&self) -> Needs {
        Needs::AWS
    }

    fn continues(&self) -> Option<Continuation> {
        Some(Continuation {
            direction: Direction::Undo,
            run: self.run.clone(),
            change: self.change.clone(),
        })
    }

    async fn run(self, _ctx: &Ctx) -> Result<ExitStatus> {
        Err(not_dispatched("undo"))
    }
}

/// The dispatcher runs the earlier run's own verb in the place of these.
fn not_dispatched(verb: &str) -> CtlError {
    CtlError::new(
        ErrorKind::Unexpected,
        format!("{verb} the run: its verb was not dispatched"),
    )
}
