//! `bpctl secrets`: the platform's secrets and parameters, without showing them.

mod consumers;
pub(super) mod diff;
pub(super) mod get;
pub(super) mod history;
mod input;
pub(super) mod list;
pub(super) mod observe;
mod redeploy;
mod rotate;
mod set;
mod sync;
mod undo;
mod view;
mod write;
pub(super) mod written;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Look at the platform's secrets and change them, without showing them
///
/// A secret is named as `bpctl secrets list` names it, e.g. `app-key` or `fleet-secret/production`, or by its full
/// path. Values appear nowhere but where `--reveal` asks for them: plans, logs and journals show lengths and
/// fingerprints. A fingerprint compares values on this machine, also between contexts, and says nothing elsewhere.
#[derive(Debug, Args)]
pub(crate) struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
}

verbs! {
    enum SecretsCommand {
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Get(get::GetArgs),
        Set(set::SetArgs),
        Sync(sync::SyncArgs),
        Rotate(rotate::RotateArgs),
        Diff(diff::DiffArgs),
        History(history::HistoryArgs),
        Undo(undo::UndoArgs),
    }
}

impl Verb for SecretsArgs {
    fn uses() -> Uses {
        Uses::Verbs(SecretsCommand::uses())
    }

    fn needs(&self) -> Needs {
        self.command.needs()
    }

    fn continues(&self) -> Option<Continuation> {
        self.command.continues()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        ctx.holds_secrets();
        self.command.run(ctx).await
    }
}
