//! `bpctl db`: the database of the platform.

pub(super) mod instances;
pub(super) mod tunnel;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Reach the platform's database
#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    command: DbCommand,
}

verbs! {
    enum DbCommand {
        Tunnel(tunnel::TunnelArgs),
    }
}

impl Verb for DbArgs {
    fn uses() -> Uses {
        Uses::Verbs(DbCommand::uses())
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
