//! `bpctl diff`: two places beside each other.

mod compare;
pub(crate) mod contexts;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Compare two places
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(subcommand)]
    command: DiffCommand,
}

verbs! {
    enum DiffCommand {
        Contexts(contexts::ContextsArgs),
    }
}

impl Verb for DiffArgs {
    fn uses() -> Uses {
        Uses::Verbs(DiffCommand::uses())
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
