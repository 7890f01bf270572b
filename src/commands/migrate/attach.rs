//! `--attach`: follows a migration that somebody started before. Changes nothing.

use std::time::Duration;

use futures::try_join;

use super::follow::{Screen, judged};
use super::plan::CONTAINER;
use super::request::TaskName;
use super::view::MigrateResult;
use crate::completion;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::layout::{App, Layout};
use crate::tasks::{Followed, Follower, Judged, LogPlace, Observer, Tail, Verdict, is_migration, judge};

pub(super) async fn run(
    ctx: &Ctx,
    layout: &Layout,
    name: &TaskName,
    timeout: Duration,
) -> Result<ExitStatus> {
    let cluster = layout.cluster();
    if let Some(other) = name.cluster.as_ref().filter(|other| **other != cluster) {
        return Err(
            CtlError::usage(format!("attach to task {}: it is in cluster {other}", name.id)).hint(format!(
                "this context's cluster is {cluster}: choose another context or stage with `--context` or `--stage`"
            )),
        );
    }
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let observer = Observer {
        aws: &ctx.aws,
        cancel: &ctx.cancel,
        events: &events,
    };
    let mut follower = Follower::of_named(observer, &cluster, CONTAINER, &name.id);
    let looks = async { try_join!(Box::pin(ctx.target()), Box::pin(follower.until_known())) };
    let (_, task) = ctx.unless_interrupted(looks).await.map_err(|error| {
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
    ctx.ui.group("migration");
    screen.begin(&name.id);
    let followed = follower.follow(timeout).await;
    screen.end();
    ctx.ui.end_group();
    let followed = followed.map_err(|error| goes_on(&name.id, error))?;
    let judged = judged(Some(&definition));
    ended(ctx, followed, &judged, &screen, follower.tail.as_ref(), None)
}

/// Whatever goes wrong while watching, the task does not care; the operator has to know.
pub(super) fn goes_on(task: &str, error: CtlError) -> CtlError {
    match error.kind() {
        ErrorKind::Credentials
        | ErrorKind::AccessDenied
        | ErrorKind::Throttled
        | ErrorKind::Unreachable
        | ErrorKind::Unexpected
        | ErrorKind::Rejected => {
            error.hint(("the task goes on in AWS: follow it again with", reattach(task)))
        }
        _ => error,
    }
}

/// The command line that follows a task again.
pub(super) fn reattach(task: &str) -> CommandLine {
    CommandLine::bpctl(["migrate"]).option("--attach", task)
}

/// Result on stdout, then the status.
pub(super) fn ended(
    ctx: &Ctx,
    followed: Followed,
    judged: &Judged,
    screen: &Screen<'_>,
    tail: Option<&Tail>,
    snapshot: Option<String>,
) -> Result<ExitStatus> {
    let (Followed::Stopped(task) | Followed::TimedOut(task) | Followed::Interrupted(task)) = &followed;
    let judgement = judge(task, judged);
    let result = MigrateResult::new(task, &judgement, tail, snapshot);
    let again = Hint::from(("follow it again with", reattach(task.id())));
    let outcome = match followed {
        Followed::TimedOut(task) => Err(CtlError::new(
            ErrorKind::TimedOut,
            format!(
                "see the end of the migration in time: task {} is {} and goes on",
                task.id(),
                task.state
            ),
        )
        .hint(again)),
        Followed::Interrupted(task) => Err(CtlError::new(
            ErrorKind::Interrupted,
            format!(
                "follow the migration to its end: interrupted, and task {} goes on ({})",
                task.id(),
                task.state
            ),
        )
        .hint(again)),
        Followed::Stopped(task) if judgement.verdict == Verdict::Succeeded => {
            let all = task
                .command(CONTAINER)
                .is_some_and(|command| !command.join(" ").contains("--pools"));
            let pools = screen.pools();
            if all && !pools.is_empty() {
                completion::remember(ctx, "pools", pools.into_iter());
            }
            ctx.ui.status(&format!("migrated in {}", result.duration()));
            Ok(ExitStatus::Done)
        }
        Followed::Stopped(_) => {
            let mut error = CtlError::new(ErrorKind::Failed, format!("migrate: {}", judgement.summary))
                .exit_with(judgement.status);
            for cause in judgement.causes {
                error = error.cause(cause);
            }
            for hint in judgement.hints {
                error = error.hint(hint);
            }
            if let (Verdict::Failed | Verdict::Stopped | Verdict::Unknown, Some(tail)) =
                (judgement.verdict, tail)
            {
                error = error.hint(tail.command());
            }
            Err(error)
        }
    };
    ctx.emit_outcome(&result, outcome)
}
