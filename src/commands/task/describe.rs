//! `task describe`.

use clap::Args;

use super::view::{LogStream, TaskDetails, TaskRow};
use crate::aws::ecs::Task;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::Layout;
use crate::tasks::{LogPlace, TaskName};

/// Show a task: containers and their exit codes, why it stopped, where its logs are
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl task describe 0123456789abcdef0123456789abcdef
  bpctl task describe 0123456789abcdef0123456789abcdef -o json")]
pub(crate) struct DescribeArgs {
    /// The task: its id or ARN
    #[arg(value_name = "TASK")]
    task: TaskName,
}

impl Verb for DescribeArgs {
    fn uses() -> Uses {
        Uses::of(&[&[Use::of("ecs:DescribeTasks", On::Tasks)]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let details = ctx
            .unless_interrupted(async {
                let task = one(ctx, &layout, &self.task, "describe").await?;
                let definition = ctx.aws.task_definition(&task.definition).await?;
                let logs = definition.containers.iter().filter_map(|container| {
                    let place = LogPlace::of(container)?;
                    Some(LogStream {
                        container: container.name.clone(),
                        stream: place.stream(&container.name, task.id()),
                        group: place.group,
                    })
                });
                Ok(TaskDetails {
                    logs: logs.collect(),
                    task: TaskRow::new(&task, ctx.clock.now()),
                })
            })
            .await?;
        ctx.emit(&details)?;
        ctx.ui.hint((
            "read its lines with",
            CommandLine::bpctl(["logs", "task", &self.task.id]),
        ));
        Ok(ExitStatus::Done)
    }
}

/// A task of this context's cluster.
pub(super) async fn one(ctx: &Ctx, layout: &Layout, name: &TaskName, doing: &str) -> Result<Task> {
    let cluster = layout.cluster();
    if let Some(other) = name.cluster.as_ref().filter(|other| **other != cluster) {
        return Err(
            CtlError::usage(format!("{doing} task {}: it is in cluster {other}", name.id)).hint(format!(
                "this context's cluster is {cluster}: choose another context or stage with `--context` or `--stage`"
            )),
        );
    }
    ctx.aws.task(&cluster, &name.id).await?.ok_or_else(|| {
        CtlError::new(
            ErrorKind::NotFound,
            format!("{doing} task {}: ECS does not know it", name.id),
        )
        .cause("ECS forgets a task about an hour after it stopped")
        .hint((
            "its log may be there yet:",
            CommandLine::bpctl(["logs", "task", &name.id]),
        ))
    })
}
