//! `--attach`: follows a one-off task that was started before. Changes nothing.

use std::time::Duration;

use super::follow::{Screen, following, lines_are_the_result};
use super::view::RunResult;
use super::words;
use crate::change::conclude_end;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::layout::Layout;
use crate::tasks::{Follower, LogPlace, Tail, TaskName};

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
    let observer = screen.observer(&events);
    // One that was started a moment ago may not be known to all of ECS yet.
    let mut first = Follower::of_named(observer, &cluster, "", &name.id);
    let first = ctx
        .unless_interrupted(first.until_known())
        .await
        .map_err(|error| {
            if error.kind() != ErrorKind::NotFound {
                return error;
            }
            CtlError::new(
                ErrorKind::NotFound,
                format!("attach to task {}: ECS does not know it", name.id),
            )
            .cause("ECS forgets a task about an hour after it stopped")
            .hint((
                "its log may be there yet:",
                CommandLine::bpctl(["logs", "task", &name.id]),
            ))
        })?;
    // The container that was given a command is the one that the task is about.
    let Some(container) = first.commands.first().map(|(container, _)| container.clone()) else {
        return Err(CtlError::usage(format!(
            "attach to task {}: it runs no command of its own",
            name.id
        ))
        .hint((
            "it belongs to a service: read its log with",
            CommandLine::bpctl(["logs", "task", &name.id]),
        )));
    };
    let definition = ctx
        .unless_interrupted(ctx.aws.task_definition(&first.definition))
        .await?;
    let mut follower = Follower::of_named(observer, &cluster, &container, &name.id);
    follower.tail = definition
        .container(&container)
        .and_then(LogPlace::of)
        .map(|place| Tail::new(&place, &container, &name.id));
    let following = following("run");
    // bpctl does not know how it was asked for.
    let again = (following.attach)(&name.id);
    let judged = following.judged(&container, definition.essential(), again.clone(), again);
    let watched = screen.follow(&mut follower, following, &judged, timeout).await?;
    let result = RunResult::new(&watched, &container, follower.tail.as_ref());
    let outcome = conclude_end(&words("run"), &name.id, &watched.end, ctx.cancel.is_cancelled());
    if lines_are_the_result(ctx) {
        return outcome;
    }
    ctx.emit_outcome(&result, outcome)
}
