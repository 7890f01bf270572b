//! Carries out the steps of a migration: the snapshot, then the task.

use std::time::Duration;

use super::follow::Screen;
use super::observe;
use super::plan::{Action, Start};
use super::{Migrate, Output};
use crate::aws::ecs::{Task, short};
use crate::aws::rds::CreateDbSnapshot;
use crate::change::{Done, StepRun};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::tasks::{self, Observer};
use crate::wait::{Look, Waited, Waiter};

type Step<'s, 'c> = StepRun<'s, Migrate<'c>>;

pub(super) async fn act<'c>(change: &Migrate<'c>, step: &Step<'_, 'c>) -> Result<Done<Migrate<'c>>> {
    match step.action() {
        Action::Snapshot(call) => {
            take_snapshot(change, step, call).await?;
            let id = call.snapshot.clone();
            Ok(Done::new(format!("took snapshot {id}")).with(Output::Snapshot(id)))
        }
        Action::Start(start) => {
            let task = start_task(change, step, start).await?;
            // At once, so that a kill at any later moment leaves a trace of the task.
            step.note("task", &task.arn);
            let did = format!("started task {} of {}", task.id(), short(&start.call.definition));
            Ok(Done::new(did).with(Output::Task(task.arn)))
        }
    }
}

async fn start_task<'c>(change: &Migrate<'c>, step: &Step<'_, 'c>, start: &Start) -> Result<Task> {
    let ctx = change.ctx;
    // Minutes may have passed since the plan: a question, a snapshot.
    observe::still_alone(ctx, &change.layout, &start.call).await?;
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let observer = Observer {
        aws: &ctx.aws,
        cancel: &ctx.cancel,
        events: &events,
    };
    let call = &start.call;
    let send = async || step.send(&ctx.aws, call).await;
    let again = change.request.again();
    tasks::start(&observer, &call.cluster, &call.started_by, &again, send)
        .await
        .map_err(|error| tasks::refused(error, &start.network_from, &again))
}

async fn take_snapshot<'c>(change: &Migrate<'c>, step: &Step<'_, 'c>, call: &CreateDbSnapshot) -> Result<()> {
    let ctx = change.ctx;
    let id = &call.snapshot;
    step.status(&format!("taking snapshot {id} of {}", call.instance));
    step.send(&ctx.aws, call).await?;
    let waited = Waiter::new(&ctx.clock, ctx.settings.wait_timeout.value, &ctx.cancel)
        .pace(Duration::from_secs(5), Duration::from_secs(15))
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
                        CommandLine::aws("rds", "describe-events").option("--source-type", "db-snapshot"),
                    ))),
                    // Steps of ten: a line every quarter of a minute says nothing more.
                    status => Ok(Look::Pending(format!(
                        "snapshot is {status}: {} %",
                        snapshot.percent / 10 * 10
                    ))),
                }
            },
            |line| step.status(line),
        )
        .await?;
    let look = (
        "see how far it is with",
        CommandLine::aws("rds", "describe-db-snapshots").option("--db-snapshot-identifier", id),
        "; when it is available, migrate without `--snapshot`",
    );
    match waited {
        Waited::Ready(()) => {
            step.status(&format!("snapshot {id} is available"));
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
