//! `--attach`: follows a one-off task that was started before. Changes nothing.

use std::time::Duration;

use super::screen::{Lines, Screen};
use crate::aws::ecs::{Task, TaskDefinition};
use crate::change::{Words, conclude_end};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::layout::Layout;
use crate::output::Render;
use crate::tasks::{Follower, Following, Judged, LogPlace, Tail, TaskName, Watched};

/// What a verb makes of a task that was started before.
pub(in crate::commands) trait Attach {
    type Lines: Lines;
    type Document: Render;

    fn following(&self) -> Following;

    fn words(&self) -> Words;

    /// What to do about a task that ECS does not know.
    fn unknown(&self, error: CtlError, layout: &Layout, id: &str) -> CtlError;

    /// The container that the task is about.
    ///
    /// # Errors
    /// A task that is none of the verb's.
    fn container(&self, task: &Task) -> Result<String>;

    /// What the task is judged by.
    ///
    /// # Errors
    /// A task definition that is none of the verb's.
    fn judged(&self, ctx: &Ctx, task: &Task, definition: &TaskDefinition, container: &str) -> Result<Judged>;

    /// The result, unless it was told already.
    fn document(
        &self,
        ctx: &Ctx,
        watched: &Watched,
        container: &str,
        tail: Option<&Tail>,
    ) -> Option<Self::Document>;
}

/// Follows the task to its end, to the deadline or to an interrupt.
///
/// # Errors
/// When there is no such task, and whatever but success it ends with.
pub(in crate::commands) async fn attach<A: Attach>(
    ctx: &Ctx,
    verb: A,
    name: &TaskName,
    timeout: Option<Duration>,
) -> Result<ExitStatus> {
    let layout = ctx.layout()?;
    let cluster = layout.cluster();
    name.in_cluster(&cluster)?;
    let screen = Screen::<A::Lines>::new(ctx);
    let events = |event| screen.hear(event);
    let mut follower = Follower::of_named(screen.observer(&events), &cluster, &name.id);
    // One that was started a moment ago may not be known to all of ECS yet.
    let task = ctx
        .unless_interrupted(follower.until_known())
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => verb.unknown(error, &layout, &name.id),
            _ => error,
        })?;
    let container = verb.container(&task)?;
    let definition = ctx
        .unless_interrupted(ctx.aws.task_definition(&task.definition))
        .await?;
    let judged = verb.judged(ctx, &task, &definition, &container)?;
    follower.tail = definition
        .container(&container)
        .and_then(LogPlace::of)
        .map(|place| Tail::new(&place, &container, &name.id));
    follower.container.clone_from(&container);
    let timeout = timeout.unwrap_or(ctx.settings.wait_timeout.value);
    let watched = screen
        .follow(&mut follower, verb.following(), &judged, timeout)
        .await?;
    let document = verb.document(ctx, &watched, &container, follower.tail.as_ref());
    let outcome = conclude_end(&verb.words(), &name.id, &watched.end, ctx.cancel.is_cancelled());
    match document {
        Some(document) => ctx.emit_outcome(&document, outcome),
        None => outcome,
    }
}
