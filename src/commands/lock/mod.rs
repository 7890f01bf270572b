//! `bpctl lock`: who works on what, on this machine and in the account.

pub(super) mod list;
pub(super) mod release;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Show which runs keep others out, and release what a dead one left behind
///
/// A change holds a lock on this machine and a lease in the account for everything that it works on. A lease
/// ends by itself two minutes after its holder has stopped renewing it.
#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    #[command(subcommand)]
    command: LockCommand,
}

verbs! {
    enum LockCommand {
        #[command(visible_aliases = ["ls", "show"])]
        List(list::ListArgs),
        Release(release::ReleaseArgs),
    }
}

impl Verb for LockArgs {
    fn uses() -> Uses {
        Uses::Verbs(LockCommand::uses())
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
