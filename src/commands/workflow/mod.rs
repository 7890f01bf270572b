//! `bpctl workflow`: the platform's workflows in a repository on GitHub.

pub(super) mod check;
pub(super) mod diff;
mod files;
pub(super) mod init;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Write the platform's workflows for GitHub Actions, and check what they need
#[derive(Debug, Args)]
pub(crate) struct WorkflowArgs {
    #[command(subcommand)]
    command: WorkflowCommand,
}

verbs! {
    enum WorkflowCommand {
        Init(init::InitArgs),
        Check(check::CheckArgs),
        Diff(diff::DiffArgs),
    }
}

impl Verb for WorkflowArgs {
    fn uses() -> Uses {
        Uses::Verbs(WorkflowCommand::uses())
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
