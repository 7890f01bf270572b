//! Follows the task that was started to its end and says what that end means.

use futures::FutureExt as _;

use super::attach::{attach_command, goes_on};
use super::follow::{Screen, judged};
use super::plan::{Action, CONTAINER, Start};
use super::rival::Rivals;
use super::view::MigrateResult;
use super::{Migrate, Output};
use crate::aws::ecs::Task;
use crate::change::{End, Later, Step, Verification};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::tasks::{Followed, Follower, Judged, Judgement, Observer, Tail, Verdict, judge};

/// Why a task is stopped that `--stop-on-interrupt` stops.
pub(super) const STOP_REASON: &str = "bpctl migrate was interrupted (--stop-on-interrupt)";

/// Why a task is stopped beside which another one migrates.
pub(super) const GIVES_WAY: &str = "bpctl migrate: another migration was started first";

pub(super) async fn verify<'c>(change: &Migrate<'c>, run: &mut Verification<'_, Migrate<'c>>) -> Result<()> {
    let done = run.done();
    let snapshot = done.iter().find_map(|(_, output)| match output {
        Some(Output::Snapshot(id)) => Some(id.clone()),
        Some(Output::Task(_)) | None => None,
    });
    let started = done
        .iter()
        .find_map(|(step, output)| match (&step.action, output) {
            (Action::Start(start), Some(Output::Task(arn))) => Some((*step, start, arn.clone())),
            _ => None,
        });
    let Some((step, start, arn)) = started else {
        return Ok(());
    };
    let ctx = change.ctx;
    let task = Task {
        arn,
        definition: start.call.definition.clone(),
        state: "PROVISIONING".to_owned(),
        ..Task::default()
    };
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let observer = Observer {
        aws: &ctx.aws,
        cancel: &ctx.cancel,
        events: &events,
    };
    let mut follower = Follower::of_new(observer, &start.call.cluster, CONTAINER, &task);
    follower.tail = start
        .logs
        .as_ref()
        .map(|place| Tail::new(place, CONTAINER, task.id()));
    let started = Started {
        step,
        start,
        rivals: Rivals::of(ctx, start, &task.arn),
    };
    let end = if run.waits() {
        ctx.ui.group("migration");
        screen.begin(&follower.id);
        let end = watch(change, run, &started, &screen, &mut follower).await;
        screen.end();
        ctx.ui.end_group();
        end.map_err(|error| goes_on(error, task.id()))?
    } else {
        let known = follower
            .until_known()
            .await
            .map_err(|error| error.hint(("look for it with", attach_command(task.id()))))?;
        let judged = judged(&change.request, &start.essential);
        let elder = ctx.unless_interrupted(async { Ok(started.rivals.elder_at_once().await) });
        match elder.await.unwrap_or_default() {
            Some(elder) => give_way(ctx, run, &started, &mut follower, &judged, &elder).await?,
            None => {
                ctx.ui
                    .hint(Hint::new("follow it with").command(attach_command(known.id())));
                Watched {
                    judgement: judge(&known, &judged),
                    task: known,
                    end: End::Settled,
                }
            }
        }
    };
    let result = MigrateResult::new(&end.task, &end.judgement, follower.tail.as_ref(), snapshot);
    if end.judgement.verdict == Verdict::Succeeded {
        ctx.ui.status(&format!("migrated in {}", result.duration()));
    }
    run.end(&step.id, end.end);
    run.ending(&step.id, result);
    Ok(())
}

/// A task that was watched, and how that ended.
pub(super) struct Watched {
    pub(super) task: Task,
    pub(super) judgement: Judgement,
    pub(super) end: End,
}

/// The step that started a task.
struct Started<'a> {
    step: &'a Step<Action>,
    start: &'a Start,
    rivals: Rivals<'a>,
}

async fn watch<'c>(
    change: &Migrate<'c>,
    run: &Verification<'_, Migrate<'c>>,
    started: &Started<'_>,
    screen: &Screen<'_>,
    follower: &mut Follower<'_>,
) -> Result<Watched> {
    let ctx = change.ctx;
    let judged = judged(&change.request, &started.start.essential);
    let followed = tokio::select! {
        biased;
        followed = follower.follow(run.remaining()).boxed_local() => Ok(followed?),
        elder = started.rivals.elder().boxed_local() => Err(elder),
    };
    let followed = match followed {
        Ok(followed) => followed,
        Err(elder) => return give_way(ctx, run, started, follower, &judged, &elder).await,
    };
    match followed {
        Followed::Interrupted(task) if change.request.stop_on_interrupt => {
            let stop = started
                .start
                .stop(Later::Known(task.id().to_owned()), STOP_REASON);
            ctx.ui.status(&format!("stopping task {}", task.id()));
            run.send(started.step, &ctx.aws, &stop).await?;
            Ok(stopped_on_interrupt(
                ctx,
                &judged,
                follower.follow_to_stop().await?,
            ))
        }
        followed => Ok(ended(screen, followed, &judged, follower.tail.as_ref())),
    }
}

/// Stops the task of this run, because another migration was created before it.
async fn give_way<'c>(
    ctx: &Ctx,
    run: &Verification<'_, Migrate<'c>>,
    started: &Started<'_>,
    follower: &mut Follower<'_>,
    judged: &Judged,
    elder: &Task,
) -> Result<Watched> {
    let (first, ours) = (elder.id(), follower.id.clone());
    let by = match &elder.started_by {
        Some(by) => format!(", started by {by},"),
        None => String::new(),
    };
    ctx.ui.warn(&format!(
        "task {first}{by} began to migrate before task {ours} of this run: stopping {ours}"
    ));
    let stop = started.start.stop(Later::Known(ours.clone()), GIVES_WAY);
    run.send(started.step, &ctx.aws, &stop).await.map_err(|error| {
        error
            .context(format!("stop task {ours}, which migrates beside task {first}"))
            .hint(("follow the one of this run with", attach_command(&ours)))
    })?;
    let (Followed::Stopped(task) | Followed::TimedOut(task) | Followed::Interrupted(task)) =
        follower.follow_to_stop().await?;
    let judgement = judge(&task, judged);
    let superseded = |ours: String| {
        End::Superseded(
            CtlError::new(
                ErrorKind::Changed,
                format!("migrate: task {first} was started first, and {ours}"),
            )
            .hint(("follow the first one with", attach_command(first))),
        )
    };
    let end = match judgement.verdict {
        Verdict::Succeeded => {
            ctx.ui
                .status("the migration had finished before it could be stopped");
            End::Settled
        }
        Verdict::Running => superseded(format!(
            "task {ours} of this run was told to stop and is still {}",
            task.state
        )),
        Verdict::Failed | Verdict::NeverStarted | Verdict::Stopped | Verdict::Unknown => {
            superseded(format!("task {ours} of this run is stopped"))
        }
    };
    Ok(Watched { task, judgement, end })
}

/// The task was told to stop. It may have finished just before.
fn stopped_on_interrupt(ctx: &Ctx, judged: &Judged, followed: Followed) -> Watched {
    let (Followed::Stopped(task) | Followed::TimedOut(task) | Followed::Interrupted(task)) = followed;
    let judgement = judge(&task, judged);
    let end = match judgement.verdict {
        Verdict::Succeeded => {
            ctx.ui
                .status("the migration had finished before it could be stopped");
            End::Settled
        }
        Verdict::Running => End::Failed(
            CtlError::new(
                ErrorKind::Interrupted,
                format!("stop task {}: it is still {}", task.id(), task.state),
            )
            .hint(("follow it with", attach_command(task.id()))),
        ),
        Verdict::Failed | Verdict::NeverStarted | Verdict::Stopped | Verdict::Unknown => End::Failed(
            CtlError::new(
                ErrorKind::Interrupted,
                format!("migrate: interrupted, and task {} is stopped", task.id()),
            )
            .cause(judgement.summary.clone())
            .hint((
                "migrations that were finished are recorded in the database:",
                judged.go_on.clone(),
                "goes on with the rest",
            )),
        ),
    };
    Watched { task, judgement, end }
}

/// What the end of following means.
pub(super) fn ended(
    screen: &Screen<'_>,
    followed: Followed,
    judged: &Judged,
    tail: Option<&Tail>,
) -> Watched {
    let (task, stopped) = match followed {
        Followed::Stopped(task) => (task, true),
        Followed::TimedOut(task) | Followed::Interrupted(task) => (task, false),
    };
    let judgement = judge(&task, judged);
    let end = if !stopped {
        End::Running {
            what: format!("task {} is {} and goes on", task.id(), task.state),
            hint: Hint::new("follow it again with").command(attach_command(task.id())),
        }
    } else if judgement.verdict == Verdict::Succeeded {
        screen.remember_pools(&task);
        End::Settled
    } else {
        failed(&judgement, tail)
    };
    Watched { task, judgement, end }
}

fn failed(judgement: &Judgement, tail: Option<&Tail>) -> End {
    let mut error = CtlError::new(ErrorKind::Failed, format!("migrate: {}", judgement.summary));
    for cause in &judgement.causes {
        error = error.cause(cause);
    }
    for hint in &judgement.hints {
        error = error.hint(hint);
    }
    if let (Verdict::Failed | Verdict::Stopped | Verdict::Unknown, Some(tail)) = (judgement.verdict, tail) {
        error = error.hint(tail.command());
    }
    match judgement.status {
        ExitStatus::External(status) => End::Exited { status, error },
        _ => End::Failed(error),
    }
}
