//! `bpctl monitoring`: alarms, dashboard, logs, budget, and who is told.

pub(super) mod apply;
pub(super) mod check;
mod compare;
mod observe;
pub(super) mod show;
pub(super) mod subscribe;
mod wanted;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Look at what watches the platform, and put it right
///
/// Alarms, dashboard, retention of logs, subscribers and budget, beside what the platform's stacks make of them.
#[derive(Debug, Args)]
pub(crate) struct MonitoringArgs {
    #[command(subcommand)]
    command: MonitoringCommand,
}

verbs! {
    enum MonitoringCommand {
        Show(show::ShowArgs),
        Check(check::CheckArgs),
        Apply(apply::ApplyArgs),
        Subscribe(subscribe::SubscribeArgs),
    }
}

impl Verb for MonitoringArgs {
    fn uses() -> Uses {
        Uses::Verbs(MonitoringCommand::uses())
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
