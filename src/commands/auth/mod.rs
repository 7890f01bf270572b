//! `bpctl auth`: what the caller may do.

pub(super) mod can_i;
pub(super) mod simulate;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Find out whether the caller may run verbs, before running them
#[derive(Debug, Args)]
pub(crate) struct AuthArgs {
    #[command(subcommand)]
    command: AuthCommand,
}

verbs! {
    enum AuthCommand {
        CanI(can_i::CanIArgs),
    }
}

impl Verb for AuthArgs {
    fn uses() -> Uses {
        Uses::Verbs(AuthCommand::uses())
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
