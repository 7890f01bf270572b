//! `bpctl iam`: permissions as documents.

pub(super) mod policy;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Write IAM policies of least privilege for bpctl's verbs
#[derive(Debug, Args)]
pub(crate) struct IamArgs {
    #[command(subcommand)]
    command: IamCommand,
}

verbs! {
    enum IamCommand {
        Policy(policy::PolicyArgs),
    }
}

impl Verb for IamArgs {
    fn uses() -> Uses {
        Uses::Verbs(IamCommand::uses())
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
