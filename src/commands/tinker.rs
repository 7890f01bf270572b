//! `bpctl tinker`: `php artisan tinker` in the backend.

use clap::Args;

use super::exec::place::Wanted;
use super::exec::{Mode, Request};
use crate::change::SessionArgs;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{HISTORY, On, SESSION, Use, Uses};
use crate::tasks::artisan::artisan;

/// The container that has the application.
const CONTAINER: &str = "php-fpm";

/// Open `php artisan tinker` in php-fpm of a backend task
///
/// At a terminal it is interactive. What is piped into it is evaluated line by line.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl tinker
  bpctl tinker 0123456789abcdef0123456789abcdef      in this task and no other")]
pub(crate) struct TinkerArgs {
    /// Id of a task [default: the newest of the backend]
    #[arg(value_name = "TASK", default_value = "backend", hide_default_value = true)]
    target: String,

    #[command(flatten)]
    session: SessionArgs,
}

impl Verb for TinkerArgs {
    fn uses() -> Uses {
        Uses::of(&[
            HISTORY,
            SESSION,
            &[
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:ExecuteCommand", On::CommandsInTasks),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS.own_interrupts()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let program = artisan(&["tinker"]);
        let terminal = ctx.attached.stdin_is_terminal && ctx.attached.stdout_is_terminal;
        let request = Request {
            verb: "tinker",
            wanted: Wanted::parse(&ctx.layout()?, &self.target)?,
            container: Some(CONTAINER.to_owned()),
            session: self.session,
            mode: Mode::decide(ctx, terminal, false, false, &program)?,
            program,
        };
        request.run(ctx).await
    }
}
