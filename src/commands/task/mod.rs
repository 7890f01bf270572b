//! `bpctl task`: the tasks of the platform's services, and one-off ones.

mod describe;
mod list;
mod stop;
pub(super) mod view;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// List, describe and stop tasks
#[derive(Debug, Args)]
pub(crate) struct TaskArgs {
    #[command(subcommand)]
    command: TaskCommand,
}

verbs! {
    enum TaskCommand {
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Describe(describe::DescribeArgs),
        Stop(stop::StopArgs),
    }
}

impl Verb for TaskArgs {
    fn uses() -> Uses {
        Uses::Verbs(TaskCommand::uses())
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
