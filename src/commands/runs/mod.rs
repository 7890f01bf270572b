//! `bpctl runs`: what bpctl has changed from this machine, and how to go on with it or take it back.

mod again;
mod by_hand;
pub(super) mod list;
pub(super) mod prune;
pub(super) mod show;

use clap::Args;

pub(crate) use by_hand::{by_hand, refuse_without_way_back};

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Look at runs that changed something, go on with one that was cut off, take one back
///
/// Every run of a mutating verb keeps a journal on this machine: its whole plan, each step before and after,
/// and its end. A run without an end whose process is gone was cut off.
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    command: RunsCommand,
}

verbs! {
    enum RunsCommand {
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Show(show::ShowArgs),
        Resume(again::ResumeArgs),
        Undo(again::UndoArgs),
        Prune(prune::PruneArgs),
    }
}

impl Verb for RunsArgs {
    fn uses() -> Uses {
        Uses::Verbs(RunsCommand::uses())
    }

    fn needs(&self) -> Needs {
        self.command.needs()
    }

    fn continues(&self) -> Option<Continuation> {
        self.command.continues()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.command.run(ctx).await
    }
}
