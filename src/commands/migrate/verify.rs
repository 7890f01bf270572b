//! Follows the task that was started to its end and says what that end means.

use futures::FutureExt as _;

use super::attach::attach_command;
use super::follow::{FOLLOWING, Screen, ended, judged};
use super::plan::{Action, CONTAINER, Start};
use super::rival::Rivals;
use super::view::MigrateResult;
use super::{Migrate, Output};
use crate::aws::ecs::Task;
use crate::change::{End, Later, Step, Verification};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Hint, Result};
use crate::tasks::{Followed, Follower, Judged, Observer, Tail, Verdict, Watched, judge};

/// Why a task is stopped that `--stop-on-interrupt` stops.
pub(super) const STOP_REASON: &str = "bpctl migrate was interrupted (--stop-on-interrupt)";

/// What is told when a task that was to be stopped had succeeded by then.
const FINISHED_BEFORE: &str = "the migration had finished before it could be stopped";

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
        end.map_err(|error| FOLLOWING.goes_on(error, task.id()))?
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
            let stays = Hint::new("migrations that were finished are recorded in the database:")
                .command(judged.go_on.clone())
                .and("goes on with the rest");
            let followed = follower.follow_to_stop().await?;
            let watched = FOLLOWING.stopped_on_interrupt(followed, &judged, stays);
            if matches!(watched.end, End::Settled) {
                ctx.ui.status(FINISHED_BEFORE);
            }
            Ok(watched)
        }
        followed => Ok(ended(ctx, screen, followed, &judged, follower.tail.as_ref())),
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
    let task = follower.follow_to_stop().await?.into_task();
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
            ctx.ui.status(FINISHED_BEFORE);
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
