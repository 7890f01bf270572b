//! `bpctl secrets`: the platform's secrets and parameters, without showing them.

mod consumers;
mod create;
pub(super) mod diff;
pub(super) mod get;
pub(super) mod history;
mod input;
pub(super) mod list;
pub(super) mod observe;
mod occasion;
mod redeploy;
pub(crate) mod restore;
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
use crate::iam::{On, Use, Uses};

/// What every verb needs of AWS that writes secrets and says who has them.
const WRITING: &[Use] = &[
    Use::of("ecs:DescribeServices", On::Services),
    Use::of("ecs:DescribeTaskDefinition", On::Anything),
    Use::of("ecs:DescribeTasks", On::Tasks),
    Use::of("ecs:ListTasks", On::AnythingInCluster),
    Use::of("secretsmanager:BatchGetSecretValue", On::Anything),
    Use::of("secretsmanager:DescribeSecret", On::Secrets),
    Use::of("secretsmanager:GetSecretValue", On::Secrets),
    Use::of("secretsmanager:ListSecrets", On::Anything),
    // What was written before goes back when another write fails.
    Use::of("secretsmanager:UpdateSecretVersionStage", On::Secrets),
    Use::of("ssm:DescribeParameters", On::Anything),
    Use::of("ssm:GetParameters", On::FleetSecrets),
    Use::of("ssm:PutParameter", On::FleetSecrets),
];

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
