//! `bpctl stack`: the CloudFormation stacks of the platform.

pub(super) mod bootstrap;
mod change_set;
pub(super) mod continue_rollback;
pub(super) mod delete;
pub(in crate::commands) mod deploy;
pub(super) mod diff;
pub(super) mod drift;
pub(super) mod events;
pub(super) mod import;
pub(super) mod list;
pub(in crate::commands) mod operation;
pub(super) mod outputs;
pub(super) mod status;
pub(super) mod template;
mod which;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Look at the stacks of the platform, and deploy them
///
/// A stack is named in full (`bp-compute`), by its part (`compute`), or by the fleet that it holds
/// (`production/gpu-default`).
#[derive(Debug, Args)]
pub(crate) struct StackArgs {
    #[command(subcommand)]
    command: StackCommand,
}

verbs! {
    enum StackCommand {
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Status(status::StatusArgs),
        Events(events::EventsArgs),
        Outputs(outputs::OutputsArgs),
        Drift(drift::DriftArgs),
        Diff(diff::StackDiffArgs),
        Template(template::TemplateArgs),
        Bootstrap(bootstrap::BootstrapArgs),
        Deploy(deploy::StackDeployArgs),
        Delete(delete::StackDeleteArgs),
        Import(import::ImportArgs),
        ContinueRollback(continue_rollback::ContinueRollbackArgs),
    }
}

impl Verb for StackArgs {
    fn uses() -> Uses {
        Uses::Verbs(StackCommand::uses())
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
