//! Reads what the plan needs to know, in two rounds of calls.

use futures::future::OptionFuture;
use futures::try_join;
use jiff::SignedDuration;

use super::follow::FOLLOWING;
use super::plan::{CONTAINER, Observed};
use super::request::Request;
use crate::aws::ecs::{RunTask, Task, short};
use crate::change::journal::Record;
use crate::commands::db::instances;
use crate::commands::one_off::went_on;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{App, Layout};
use crate::tasks::{Place, is_migration};

/// ECS may take so long until every part of it knows a new task (API Reference, RunTask).
const KNOWN_AFTER: SignedDuration = SignedDuration::from_mins(2);

pub(super) async fn observe(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
    recent: &[Record],
) -> Result<Observed> {
    // Futures of SDK calls are large: joined on the heap they do not pile up on the stack.
    let (place, migrations, database) = try_join!(
        Box::pin(Place::look(&ctx.aws, layout, App::Backend, CONTAINER)),
        Box::pin(migrations(ctx, layout)),
        Box::pin(async {
            let look = request.databases.snapshot.then(|| instances::look(ctx, layout));
            let found = OptionFuture::from(look).await.transpose()?;
            Ok(found.map(|found| found.chosen()))
        }),
    )?;
    Ok(Observed {
        layout: layout.kind(),
        migrations: with_recent(ctx, &place.cluster, migrations, recent).await?,
        place,
        database,
    })
}

/// Migrations of the backend that have not come to their end, also those that bpctl did not start.
async fn migrations(ctx: &Ctx, layout: &Layout) -> Result<Vec<Task>> {
    let family = layout.task_family(App::Backend);
    let mut tasks = ctx
        .aws
        .live_tasks_of_family(&layout.cluster(), &family)
        .await
        .or_else(|error| {
            // Without the cluster there are none; the service's absence is what gets reported.
            if error.kind() == ErrorKind::NotFound {
                Ok(Vec::new())
            } else {
                Err(error)
            }
        })?;
    tasks.retain(is_migration);
    Ok(tasks)
}

/// No other migration has begun since the plan was made. The task of the very request that is sent again is no
/// other one.
pub(super) async fn still_alone(ctx: &Ctx, layout: &Layout, call: &RunTask) -> Result<()> {
    let others = migrations(ctx, layout).await?;
    let ours = Some(call.started_by.as_str());
    match others.iter().find(|other| other.started_by.as_deref() != ours) {
        None => Ok(()),
        Some(other) => Err(CtlError::new(
            ErrorKind::Changed,
            format!(
                "migrate: task {} has begun to migrate since the plan was made",
                other.id()
            ),
        )
        .hint(("follow it with", (FOLLOWING.attach)(other.id())))),
    }
}

/// Adds the tasks that this machine has started in the last minutes: ECS lists a new task only after some
/// seconds (API Reference, RunTask), and describes it by its ARN before that.
async fn with_recent(
    ctx: &Ctx,
    cluster: &str,
    mut migrations: Vec<Task>,
    recent: &[Record],
) -> Result<Vec<Task>> {
    for record in recent {
        let is_known = |arn: &String| migrations.iter().any(|known| known.id() == short(arn));
        if record.notes.get("task").is_some_and(is_known) {
            continue;
        }
        if let Some((arn, task)) = went_on(ctx, cluster, record, KNOWN_AFTER).await? {
            migrations.push(task.unwrap_or_else(|| Task {
                arn: arn.to_owned(),
                state: "not known to all of ECS yet".to_owned(),
                created: record.run.began(),
                ..Task::default()
            }));
        }
    }
    Ok(migrations)
}
