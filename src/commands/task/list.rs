//! `task list`.

use clap::{Args, ValueEnum};
use futures::future::try_join_all;

use super::view::{TaskList, TaskRow};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::App;

/// List tasks of the services and one-off ones, the newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl task list                   what runs
  bpctl task list --stopped         what stopped within the last hour, and why
  bpctl task list backend -o name   ids alone")]
pub(crate) struct ListArgs {
    /// Only tasks of this service's task definition
    #[arg(value_name = "SERVICE")]
    service: Option<Service>,

    /// Tasks that have stopped; ECS keeps them for about an hour
    #[arg(long)]
    stopped: bool,
}

/// A service of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Service {
    Backend,
    Frontend,
}

impl Service {
    fn app(self) -> App {
        match self {
            Self::Backend => App::Backend,
            Self::Frontend => App::Frontend,
        }
    }
}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let cluster = layout.cluster();
        let apps = self.service.map_or_else(
            || vec![App::Backend, App::Frontend],
            |service| vec![service.app()],
        );
        let families: Vec<String> = apps.iter().map(|app| layout.task_family(*app)).collect();
        let read = async {
            let lists = families
                .iter()
                .map(|family| ctx.aws.tasks_of_family(&cluster, family, self.stopped));
            let arns: Vec<String> = try_join_all(lists).await?.into_iter().flatten().collect();
            ctx.aws.tasks(&cluster, &arns).await
        };
        let mut tasks = ctx.unless_interrupted(read).await.map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                error.hint(Hint::not_deployed())
            } else {
                error
            }
        })?;
        tasks.sort_by(|one, other| (other.created, one.id()).cmp(&(one.created, other.id())));
        let now = ctx.clock.now();
        let tasks = tasks.iter().map(|task| TaskRow::new(task, now)).collect();
        ctx.emit(&TaskList { tasks })?;
        Ok(ExitStatus::Done)
    }
}
