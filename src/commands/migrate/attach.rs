//! `--attach`: follows a migration that was started before. Changes nothing.

use std::time::Duration;

use super::follow::{FOLLOWING, Screen, judged};
use super::plan::CONTAINER;
use super::request::Request;
use super::view::MigrateResult;
use super::words;
use crate::change::conclude_end;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::layout::{App, Layout};
use crate::tasks::{Follower, LogPlace, Tail, TaskName, is_migration};

pub(super) async fn run(
    ctx: &Ctx,
    layout: &Layout,
    name: &TaskName,
    timeout: Duration,
) -> Result<ExitStatus> {
    let cluster = layout.cluster();
    name.in_cluster(&cluster)?;
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let mut follower = Follower::of_named(screen.observer(&events), &cluster, CONTAINER, &name.id);
    let task = ctx
        .unless_interrupted(follower.until_known())
        .await
        .map_err(|error| {
            if error.kind() != ErrorKind::NotFound {
                return error;
            }
            // The log outlives the task, and its place follows from the platform's naming.
            let place = LogPlace {
                group: layout.log_group(App::Backend),
                prefix: Layout::log_stream_prefix(CONTAINER).to_owned(),
            };
            error.hint(Tail::new(&place, CONTAINER, &name.id).command())
        })?;
    let definition = ctx
        .unless_interrupted(ctx.aws.task_definition(&task.definition))
        .await?;
    let Some(container) = definition.container(CONTAINER) else {
        return Err(CtlError::usage(format!(
            "attach to task {}: {} has no container {CONTAINER}",
            name.id,
            crate::aws::ecs::short(&task.definition)
        ))
        .hint("name a task of the backend"));
    };
    if !is_migration(&task) {
        ctx.ui
            .warn(&format!("task {} does not look like a migration", name.id));
    }
    follower.tail = LogPlace::of(container).map(|place| Tail::new(&place, CONTAINER, &name.id));
    let judged = judged(&Request::default(), &definition.essential());
    let watched = screen.follow(&mut follower, FOLLOWING, &judged, timeout).await?;
    let result = MigrateResult::new(&watched, follower.tail.as_ref(), None);
    result.tell(ctx);
    let outcome = conclude_end(&words(), &name.id, &watched.end, ctx.cancel.is_cancelled());
    ctx.emit_outcome(&result, outcome)
}
