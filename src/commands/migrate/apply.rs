//! Carries out an approved migration: the snapshot, then the task. What fails stops what follows.

use std::time::Duration;

use super::follow::Screen;
use super::observe;
use super::plan::{Action, CONTAINER, Order};
use crate::aws::ecs::{Network, RunTask, Task};
use crate::aws::wait::{Look, Waited, Waiter};
use crate::change::{Approved, Journal, OperationLock, Permit, Target};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::layout::Layout;
use crate::tasks::stop_reason::{recognize, remedy};
use crate::tasks::{self, Observer};

/// A migration that has been started.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) order: Order,
    pub(super) task: Task,
    /// The snapshot that was taken first.
    pub(super) snapshot: Option<String>,
}

/// What everything that a migration makes is marked with.
pub(super) fn tags(short: &str) -> Vec<(String, String)> {
    [
        ("ManagedBy", "bpctl"),
        ("bpctl:command", "migrate"),
        ("bpctl:run", short),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec()
}

/// One migration at a time on this machine; ECS is asked about the other machines.
pub(super) fn lock(ctx: &Ctx, target: &Target) -> Result<OperationLock> {
    OperationLock::take(ctx, "migrate", target).map_err(|error| {
        if error.kind() != ErrorKind::Conflict {
            return error;
        }
        CtlError::new(ErrorKind::Conflict, error.message()).hint((
            "wait for it to end;",
            migrate().args(["--dry-run"]),
            "names its task as soon as there is one",
        ))
    })
}

pub(super) async fn apply(
    ctx: &Ctx,
    layout: &Layout,
    approved: &Approved<Action>,
    journal: &mut Journal,
    tags: &[(String, String)],
) -> Result<Begun> {
    let mut snapshot = None;
    for step in &approved.plan().steps {
        if ctx.cancel.is_cancelled() {
            return Err(with_snapshot(
                CtlError::new(
                    ErrorKind::Interrupted,
                    "migrate: interrupted before the task was started",
                ),
                snapshot.as_deref(),
            ));
        }
        journal.begin(&step.id, &step.summary)?;
        let done = match &step.action {
            Action::Snapshot { instance, id } => take_snapshot(ctx, approved.permit(), instance, id, tags)
                .await
                .map(|()| Done::Snapshot(id.clone())),
            Action::Start(order) => start(ctx, layout, approved.permit(), order, tags)
                .await
                .map(|task| {
                    Done::Task(Box::new(Begun {
                        order: (**order).clone(),
                        task,
                        snapshot: snapshot.clone(),
                    }))
                }),
        };
        match done {
            Ok(Done::Snapshot(id)) => {
                let written = journal.done(&step.id, &format!("took snapshot {id}"));
                written.map_err(|error| with_snapshot(error, Some(&id)))?;
                snapshot = Some(id);
            }
            Ok(Done::Task(begun)) => {
                // First of all, so that a kill at any later moment leaves a trace of the task. Once it
                // runs, a full disk is no reason not to watch it.
                let written = journal
                    .note("task", &begun.task.arn)
                    .and_then(|()| journal.done(&step.id, &format!("started task {}", begun.task.id())));
                if let Err(error) = written {
                    ctx.ui
                        .warn(&format!("task {} runs, but failed to {error}", begun.task.id()));
                }
                return Ok(*begun);
            }
            Err(error) => {
                if let Err(error) = journal.failed(&step.id, &error) {
                    ctx.ui.warn(&format!("failed to {error}"));
                }
                return Err(with_snapshot(error, snapshot.as_deref()));
            }
        }
    }
    Err(CtlError::new(
        ErrorKind::Unexpected,
        "migrate: the plan starts no task",
    ))
}

fn migrate() -> CommandLine {
    CommandLine::bpctl(["migrate"])
}

enum Done {
    Snapshot(String),
    Task(Box<Begun>),
}

fn with_snapshot(error: CtlError, snapshot: Option<&str>) -> CtlError {
    match snapshot {
        Some(id) => error.hint((
            format!("snapshot {id} was taken and stays:"),
            migrate(),
            "without `--snapshot` goes on from here",
        )),
        None => error,
    }
}

async fn start(
    ctx: &Ctx,
    layout: &Layout,
    permit: Permit<'_>,
    order: &Order,
    tags: &[(String, String)],
) -> Result<Task> {
    // Minutes may have passed since the plan: a question, a snapshot.
    if let Some(other) = observe::migrations(ctx, layout).await?.first() {
        return Err(CtlError::new(
            ErrorKind::Changed,
            format!(
                "migrate: task {} has begun to migrate since the plan was made",
                other.id
            ),
        )
        .hint(("follow it with", migrate().option("--attach", &other.id))));
    }
    let request = RunTask {
        cluster: order.cluster.clone(),
        definition: order.definition.clone(),
        container: CONTAINER.to_owned(),
        command: order.command.clone(),
        network: Network {
            subnets: order.subnets.ids.clone(),
            security_groups: order.security_groups.ids.clone(),
            public_ip: order.public_ip,
        },
        platform_version: order.platform_version.clone(),
        execute_command: order.execute_command,
        started_by: order.started_by.clone(),
        client_token: order.client_token.clone(),
        tags: tags.to_vec(),
    };
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let observer = Observer {
        aws: &ctx.aws,
        cancel: &ctx.cancel,
        events: &events,
    };
    let send = async || ctx.aws.run_task(permit, &request).await;
    tasks::start(&observer, &order.cluster, &order.started_by, &migrate(), send)
        .await
        .map_err(|error| explained(error, order))
}

/// RunTask's refusals, with what to do about those that have a known remedy.
fn explained(error: CtlError, order: &Order) -> CtlError {
    let refused = |code: &str| error.reply().is_some_and(|reply| reply.is(code));
    if ["InvalidSubnetID", "InvalidGroup", "InvalidSecurityGroup"]
        .into_iter()
        .any(refused)
    {
        return error.hint(format!(
            "the subnets come from {}, the security groups from {}: choose others with `--subnets` and `--security-groups`",
            order.subnets.source, order.security_groups.source
        ));
    }
    let text = error.to_string();
    match recognize(&text) {
        Some(reason) => error.hint(remedy(reason, &text, &migrate())),
        None => error,
    }
}

async fn take_snapshot(
    ctx: &Ctx,
    permit: Permit<'_>,
    instance: &str,
    id: &str,
    tags: &[(String, String)],
) -> Result<()> {
    ctx.ui.status(&format!("taking snapshot {id} of {instance}"));
    ctx.aws.create_db_snapshot(permit, instance, id, tags).await?;
    let waiter = Waiter::new(&ctx.clock, ctx.settings.wait_timeout.value, &ctx.cancel)
        .pace(Duration::from_secs(5), Duration::from_secs(15));
    let waited = waiter
        .until(
            async || {
                let Some(snapshot) = ctx.aws.db_snapshot(id).await? else {
                    return Ok(Look::Pending("snapshot is not known to RDS yet".to_owned()));
                };
                match snapshot.status.as_str() {
                    "available" => Ok(Look::Ready(())),
                    "failed" | "deleting" | "incompatible-restore" => Err(CtlError::new(
                        ErrorKind::Failed,
                        format!("take snapshot {id}: it is {}", snapshot.status),
                    )
                    .hint((
                        "nothing was migrated; look for the reason with",
                        CommandLine::aws("rds", "describe-events")
                            .option("--source-type", "db-snapshot")
                            .option("--source-identifier", id),
                    ))),
                    // Steps of ten: a line every quarter of a minute says nothing more.
                    status => Ok(Look::Pending(format!(
                        "snapshot is {status}: {} %",
                        snapshot.percent / 10 * 10
                    ))),
                }
            },
            |line| ctx.ui.status(line),
        )
        .await?;
    let look = Hint::new("see how far it is with")
        .command(CommandLine::aws("rds", "describe-db-snapshots").option("--db-snapshot-identifier", id))
        .and("; when it is available, run")
        .command(migrate())
        .and("without `--snapshot`");
    match waited {
        Waited::Ready(()) => {
            ctx.ui.status(&format!("snapshot {id} is available"));
            Ok(())
        }
        Waited::TimedOut => Err(CtlError::new(
            ErrorKind::TimedOut,
            format!("wait for snapshot {id}: it is not available yet, and nothing was migrated"),
        )
        .hint(look)),
        Waited::Cancelled => Err(CtlError::new(
            ErrorKind::Interrupted,
            format!("wait for snapshot {id}: interrupted, nothing was migrated"),
        )
        .hint(look)),
    }
}
