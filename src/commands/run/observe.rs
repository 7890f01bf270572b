//! Reads what the plan needs to know.

use jiff::SignedDuration;

use super::plan::{Observed, STEP};
use super::request::Request;
use crate::aws::ecs::{RunTask, short};
use crate::change::RunId;
use crate::change::journal::Record;
use crate::commands::one_off::went_on;
use crate::context::Ctx;
use crate::error::Result;
use crate::layout::Layout;
use crate::tasks::artisan::is_seeding;
use crate::tasks::{Place, Start, is_migration};

/// Within a minute ECS knows a task that it has started (API Reference, RunTask, on eventual consistency).
const KNOWN_AFTER: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn observe(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
    recent: &[Record],
) -> Result<Observed> {
    let place = Place::look(&ctx.aws, layout, request.app, &request.container).await?;
    let alive = if request.seeds {
        ctx.aws
            .live_tasks_of_family(&place.cluster, &layout.task_family(request.app))
            .await?
    } else {
        Vec::new()
    };
    let earlier = earlier_tasks(ctx, &place.cluster, request, recent).await?;
    let migration = alive.iter().find(|task| is_migration(task));
    let migration = migration.map(|task| task.id().to_owned());
    let seeding = if request.seeds {
        let listed = alive.iter().filter(|task| is_seeding(task, &request.container));
        let listed = listed.map(|task| task.id().to_owned());
        // ECS lists a new task only after some seconds.
        let known = earlier.iter().map(|task| short(&task.arn).to_owned());
        listed.chain(known).next()
    } else {
        None
    };
    Ok(Observed {
        place,
        migration,
        seeding,
        cut_off: earlier.into_iter().filter(|task| task.is_cut_off).collect(),
    })
}

/// The task of an earlier run, which has not stopped.
#[derive(Clone, Debug)]
pub(super) struct EarlierTask {
    pub(super) run: RunId,
    pub(super) is_cut_off: bool,
    pub(super) arn: String,
    /// What it was started with.
    pub(super) call: RunTask,
}

/// The tasks of these runs that have not stopped. A command is typed anew as often as somebody likes: of `run` only
/// those count that were cut off.
async fn earlier_tasks(
    ctx: &Ctx,
    cluster: &str,
    request: &Request,
    recent: &[Record],
) -> Result<Vec<EarlierTask>> {
    let mut found = Vec::new();
    for record in recent {
        let is_cut_off = record.is_cut_off();
        let step = record.steps.iter().find(|step| step.id == STEP);
        let action = step.and_then(|step| step.step::<Start>());
        let (Some(step), true) = (action, request.seeds || is_cut_off) else {
            continue;
        };
        if let Some((arn, _)) = went_on(ctx, cluster, record, KNOWN_AFTER).await? {
            found.push(EarlierTask {
                run: record.run.clone(),
                is_cut_off,
                arn: arn.to_owned(),
                call: step.action.call,
            });
        }
    }
    Ok(found)
}
