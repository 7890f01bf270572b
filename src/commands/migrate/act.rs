//! Carries out the steps of a migration: the snapshot, then the task, which is followed to its end.

use std::time::Duration;

use super::follow::{FOLLOWING, Pools, judged};
use super::observe;
use super::plan::Action;
use super::view::MigrateResult;
use super::{Migrate, Output};
use crate::aws::ecs::short;
use crate::aws::rds::CreateDbSnapshot;
use crate::change::{Done, StepRun, Verification};
use crate::commands::one_off::{Watch, begin};
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::wait::{Waited, Waiter};

type Step<'s, 'c> = StepRun<'s, Migrate<'c>>;

pub(super) async fn act<'c>(change: &Migrate<'c>, step: &Step<'_, 'c>) -> Result<Done<Migrate<'c>>> {
    match step.action() {
        Action::Snapshot(call) => {
            take_snapshot(change, step, call).await?;
            let id = call.snapshot.clone();
            Ok(Done::new(format!("took snapshot {id}")).with(Output::Snapshot(id)))
        }
        Action::Start(start) => {
            // Minutes may have passed since the plan: a question, a snapshot.
            observe::still_alone(change.ctx, &change.layout, &start.call).await?;
            let task = begin::<Pools, _>(change.ctx, step, start, &change.request.again()).await?;
            let did = format!("started task {} of {}", task.id(), short(&start.call.definition));
            Ok(Done::new(did).with(Output::Task(task.arn)))
        }
    }
}

/// Follows the task that was started to its end and says what that end means.
pub(super) async fn verify<'c>(change: &Migrate<'c>, run: &mut Verification<'_, Migrate<'c>>) -> Result<()> {
    let (mut snapshot, mut started) = (None, None);
    for (step, output) in run.done() {
        match (&step.action, output) {
            (_, Some(Output::Snapshot(id))) => snapshot = Some(id),
            (Action::Start(start), Some(Output::Task(arn))) => started = Some((step, start, arn)),
            (Action::Start(_) | Action::Snapshot(_), Some(Output::Task(_)) | None) => {}
        }
    }
    let Some((step, start, arn)) = started else {
        return Ok(());
    };
    let judged = judged(&change.request, &start.essential);
    let watch = Watch {
        ctx: change.ctx,
        following: FOLLOWING,
        start,
        arn,
        stop_on_interrupt: change.request.task.stop_on_interrupt,
        stays: Hint::new(format!("{}:", judged.kept))
            .command(judged.go_on.clone())
            .and("goes on with the rest"),
        judged,
        alone: true,
    };
    let (watched, tail) = watch.until_end::<Pools, _>(run, step).await?;
    let result = MigrateResult::new(&watched, tail.as_ref(), snapshot);
    result.tell(change.ctx);
    run.end(&step.id, watched.end);
    run.ending(&step.id, result);
    Ok(())
}

async fn take_snapshot<'c>(change: &Migrate<'c>, step: &Step<'_, 'c>, call: &CreateDbSnapshot) -> Result<()> {
    let ctx = change.ctx;
    let id = &call.snapshot;
    step.status(&format!("taking snapshot {id} of {}", call.instance));
    step.send(&ctx.aws, call).await?;
    let waiter = Waiter::new(&ctx.clock, ctx.settings.wait_timeout.value, &ctx.cancel)
        .pace(Duration::from_secs(5), Duration::from_secs(15));
    let waited = ctx
        .aws
        .settled_snapshot(id, waiter, |line| step.status(line))
        .await?;
    let look = (
        "see how far it is with",
        CommandLine::aws("rds", "describe-db-snapshots").option("--db-snapshot-identifier", id),
        "; when it is available, migrate without `--snapshot`",
    );
    match waited {
        Waited::Ready(status) if status == "available" => {
            step.status(&format!("snapshot {id} is available"));
            Ok(())
        }
        Waited::Ready(status) => {
            Err(
                CtlError::new(ErrorKind::Failed, format!("take snapshot {id}: it is {status}")).hint((
                    "nothing was migrated; look for the reason with",
                    CommandLine::aws("rds", "describe-events").option("--source-type", "db-snapshot"),
                )),
            )
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
