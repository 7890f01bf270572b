//! `task stop`.

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::describe::one;
use super::view::{Stopped, TaskRow};
use crate::aws::ecs::{StopTask, Task};
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, ChangeArgs, Done, End, Later, Loss, Outcome, Plan, Step, StepRun, Target,
    Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;
use crate::tasks::{TaskName, is_migration};
use crate::wait::{Look, Waited, Waiter};

/// Stop tasks and wait until they have stopped
///
/// Containers get SIGTERM, and SIGKILL after their stop timeout. A service starts another task in the place of one of
/// its own. A migration that is stopped leaves databases half-way: that needs the context's name typed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl task stop 0123456789abcdef0123456789abcdef
  bpctl task stop 0123456789abcdef0123456789abcdef --reason 'stuck since 9:00'")]
pub(crate) struct StopArgs {
    /// The tasks: ids or ARNs
    #[arg(value_name = "TASK", required = true)]
    tasks: Vec<TaskName>,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for StopArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:StopTask", On::Tasks),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let mut tasks: Vec<TaskName> = Vec::new();
        for task in self.tasks {
            if !tasks.iter().any(|known| known.id == task.id) {
                tasks.push(task);
            }
        }
        let change = Stop {
            ctx,
            layout: ctx.layout()?,
            tasks,
            reason: self.change.reason.clone(),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Stop<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    tasks: Vec<TaskName>,
    reason: Option<String>,
}

/// Stops one task.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct StopOne(StopTask);

impl Change for Stop<'_> {
    const NAME: &'static str = "task stop";
    type Seen = Vec<Task>;
    type Action = StopOne;
    type Output = ();
    type Ending = Task;
    type Document = Stopped;

    fn words(&self) -> Words {
        Words {
            goal: "stop the tasks".to_owned(),
            thing: "task",
            settle: "see the tasks stop".to_owned(),
            following: "waiting until the tasks have stopped".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Vec<Task>> {
        let mut tasks = Vec::with_capacity(self.tasks.len());
        for name in &self.tasks {
            tasks.push(one(self.ctx, &self.layout, name, "stop").await?);
        }
        Ok(tasks)
    }

    fn plan(&self, seen: &Vec<Task>, basis: &Basis<'_>) -> Result<Plan<StopOne>> {
        let alive = || seen.iter().filter(|task| !task.is_stopped());
        let steps = alive().map(|task| self.step(task, basis)).collect();
        let mut plan = Plan::new(
            match seen.as_slice() {
                [only] => format!("stop task {}", only.id()),
                many => format!("stop {} tasks", many.len()),
            },
            steps,
        );
        for task in alive() {
            let service = task
                .group
                .as_deref()
                .and_then(|group| group.strip_prefix("service:"));
            if let Some(service) = service {
                plan.warnings.push(format!(
                    "task {} belongs to service {service}, which starts another one",
                    task.id()
                ));
            }
        }
        for task in seen.iter().filter(|task| task.is_stopped()) {
            plan.warnings
                .push(format!("task {} has stopped already", task.id()));
        }
        Ok(plan)
    }

    fn covers(&self, _seen: &Vec<Task>, _plan: &Plan<StopOne>) -> Vec<String> {
        self.tasks.iter().map(|task| task.id.clone()).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let StopOne(call) = step.action();
        step.send(&self.ctx.aws, call).await?;
        Ok(Done::new(format!("told task {} to stop", call.task.known()?)))
    }

    async fn verify(&self, _seen: &Vec<Task>, run: &mut Verification<'_, Self>) -> Result<()> {
        let ids: Vec<String> = run.done().iter().map(|(step, _)| step.id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let (aws, cluster) = (&self.ctx.aws, self.layout.cluster());
        let look = async || {
            let tasks = aws.tasks(&cluster, &ids).await?;
            let left = tasks.iter().filter(|task| !task.is_stopped()).count();
            let over = left == 0 || !run.waits();
            Ok(if over {
                Look::Ready(tasks)
            } else {
                Look::Pending(format!("{left} of {} tasks are still stopping", ids.len()))
            })
        };
        let waiter = Waiter::new(&self.ctx.clock, run.remaining(), &self.ctx.cancel)
            .pace(Duration::from_secs(1), Duration::from_secs(5));
        let waited = waiter.until(look, |text| self.ctx.ui.status(text)).await?;
        match waited {
            Waited::Ready(tasks) => {
                for id in &ids {
                    run.end(id, End::Settled);
                }
                for task in tasks {
                    let id = task.id().to_owned();
                    run.ending(&id, task);
                }
            }
            Waited::TimedOut | Waited::Cancelled => {
                for id in &ids {
                    run.end(
                        id,
                        End::Running {
                            what: format!("task {id} is still stopping"),
                            hint: Hint::new("see it with")
                                .command(CommandLine::bpctl(["task", "describe", id])),
                        },
                    );
                }
            }
        }
        Ok(())
    }

    fn document(&self, _seen: &Vec<Task>, outcome: &Outcome<Self>) -> Option<Stopped> {
        let now = self.ctx.clock.now();
        let tasks: Vec<TaskRow> = outcome
            .endings
            .values()
            .map(|task| TaskRow::new(task, now))
            .collect();
        (!tasks.is_empty()).then_some(Stopped { tasks })
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        CommandLine::bpctl(["task", "stop"]).args(left.iter().copied())
    }

    fn explain(&self, error: CtlError, _outcome: &Outcome<Self>) -> CtlError {
        if error.kind() == ErrorKind::NotFound {
            return error.hint(("see the tasks with", CommandLine::bpctl(["task", "list"])));
        }
        error
    }
}

impl Stop<'_> {
    fn step(&self, task: &Task, basis: &Basis<'_>) -> Step<StopOne> {
        let run = basis.names.run.short();
        let reason = match &self.reason {
            Some(reason) => format!("bpctl task stop ({run}): {reason}"),
            None => format!("bpctl task stop ({run})"),
        };
        let call = StopTask {
            cluster: self.layout.cluster(),
            task: Later::Known(task.id().to_owned()),
            reason,
            resource: format!("ecs/task/{}", task.id()),
            loses: is_migration(task)
                .then(|| Loss::Work(format!("the migration that task {} runs", task.id()))),
        };
        Step::new(task.id(), "stop it", vec![call.described()], StopOne(call))
            .changing(task.state.clone(), "STOPPED")
    }
}
