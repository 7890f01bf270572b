//! A task of this run: started once, then followed to its end.

use futures::FutureExt as _;
use jiff::SignedDuration;

use super::screen::{Lines, Screen};
use crate::aws::ecs::{StopTask, Task};
use crate::change::journal::Record;
use crate::change::{Change, End, Later, Step, StepRun, Verification};
use crate::context::Ctx;
use crate::error::{CommandLine, Hint, Result};
use crate::tasks::{
    self, FINISHED_BEFORE, Followed, Follower, Following, Judged, Rivals, Start, Tail, Watched, judge,
};

/// Starts the task of a step. Its ARN is in the journal at once, so that a kill at any later moment leaves a trace.
/// `again` is the command that the operator may repeat.
///
/// # Errors
/// What AWS refuses; when the answer was lost and no task was found.
pub(in crate::commands) async fn begin<L: Lines, V: Change>(
    ctx: &Ctx,
    step: &StepRun<'_, V>,
    start: &Start,
    again: &CommandLine,
) -> Result<Task> {
    let screen = Screen::<L>::new(ctx);
    let events = |event| screen.hear(event);
    let call = &start.call;
    let send = async || step.send(&ctx.aws, call).await;
    let observer = screen.observer(&events);
    let task = tasks::start(&observer, &call.cluster, &call.started_by, again, send)
        .await
        .map_err(|error| tasks::refused(error, &start.network_from, again))?;
    step.note("task", &task.arn);
    Ok(task)
}

/// The task of a recent run, unless it has stopped: what ECS says of it, or nothing while ECS may merely not know it
/// yet, for `known_after` from the beginning of the run. By its ARN ECS describes a task that it does not list yet.
///
/// # Errors
/// When ECS cannot be asked.
pub(in crate::commands) async fn went_on<'r>(
    ctx: &Ctx,
    cluster: &str,
    record: &'r Record,
    known_after: SignedDuration,
) -> Result<Option<(&'r str, Option<Task>)>> {
    let Some(arn) = record.notes.get("task") else {
        return Ok(None);
    };
    Ok(match ctx.aws.task(cluster, arn).await? {
        Some(task) => (!task.is_stopped()).then_some((arn, Some(task))),
        None => {
            let now = ctx.clock.now();
            let is_new = |began| now.duration_since(began) < known_after;
            record.run.began().is_some_and(is_new).then_some((arn, None))
        }
    })
}

/// How the task of a run is watched.
pub(in crate::commands) struct Watch<'a> {
    pub(in crate::commands) ctx: &'a Ctx,
    pub(in crate::commands) following: Following,
    pub(in crate::commands) start: &'a Start,
    /// ARN of the task.
    pub(in crate::commands) arn: String,
    pub(in crate::commands) judged: Judged,
    pub(in crate::commands) stop_on_interrupt: bool,
    /// What a task has done that was stopped.
    pub(in crate::commands) stays: Hint,
    /// Of two such tasks only the first goes on.
    pub(in crate::commands) alone: bool,
}

impl Watch<'_> {
    /// Follows the task to its end; without waiting only until ECS knows it. The log comes along.
    ///
    /// # Errors
    /// When the task cannot be seen or stopped.
    pub(in crate::commands) async fn until_end<L: Lines, V: Change>(
        self,
        run: &Verification<'_, V>,
        step: &Step<V::Action>,
    ) -> Result<(Watched, Option<Tail>)> {
        let Self {
            ctx,
            following,
            start,
            ..
        } = self;
        let task = Task {
            arn: self.arn.clone(),
            definition: start.call.definition.clone(),
            state: "PROVISIONING".to_owned(),
            ..Task::default()
        };
        let screen = Screen::<L>::new(ctx);
        let events = |event| screen.hear(event);
        let observer = screen.observer(&events);
        let mut follower = Follower::of_new(observer, &start.call.cluster, &start.call.container, &task);
        follower.tail = start.tail(task.id());
        let rivals = self
            .alone
            .then(|| Rivals::of(observer, following, start, &task.arn));
        let watched = if run.waits() {
            screen.begin(&follower.id);
            let watched = self
                .wait(run, step, &screen, &mut follower, rivals.as_ref())
                .await;
            screen.end();
            watched.map_err(|error| following.goes_on(error, task.id()))?
        } else {
            self.leave(run, step, &mut follower, rivals.as_ref()).await?
        };
        Ok((watched, follower.tail))
    }

    async fn wait<L: Lines, V: Change>(
        &self,
        run: &Verification<'_, V>,
        step: &Step<V::Action>,
        screen: &Screen<'_, L>,
        follower: &mut Follower<'_>,
        rivals: Option<&Rivals<'_>>,
    ) -> Result<Watched> {
        let Self {
            ctx,
            following,
            judged,
            ..
        } = self;
        let elder = async {
            match rivals {
                Some(rivals) => (rivals, rivals.elder().await),
                None => std::future::pending().await,
            }
        };
        let followed = tokio::select! {
            biased;
            followed = follower.follow(run.remaining()).boxed_local() => Ok(followed?),
            elder = elder.boxed_local() => Err(elder),
        };
        let task = match followed {
            Ok(Followed::Interrupted(task)) if self.stop_on_interrupt => task,
            Ok(followed) => return Ok(screen.ended(followed, follower, *following, judged)),
            Err((rivals, elder)) => {
                let send = async |stop: &StopTask| run.send(step, &ctx.aws, stop).await;
                return rivals.give_way(&elder, follower, judged, send).await;
            }
        };
        let reason = following.stop_reason;
        let stop = self.start.stop(Later::Known(task.id().to_owned()), reason);
        ctx.ui.status(&format!("stopping task {}", task.id()));
        run.send(step, &ctx.aws, &stop).await?;
        let followed = follower.follow_to_stop().await?;
        let watched = following.stopped_on_interrupt(followed, judged, self.stays.clone());
        if self.alone && matches!(watched.end, End::Settled) {
            ctx.ui.status(FINISHED_BEFORE);
        }
        Ok(watched)
    }

    async fn leave<V: Change>(
        &self,
        run: &Verification<'_, V>,
        step: &Step<V::Action>,
        follower: &mut Follower<'_>,
        rivals: Option<&Rivals<'_>>,
    ) -> Result<Watched> {
        let Self {
            ctx,
            following,
            judged,
            ..
        } = self;
        let known = follower
            .until_known()
            .await
            .map_err(|error| error.hint(("look for it with", (following.attach)(&follower.id))))?;
        if let Some(rivals) = rivals {
            let elder = ctx.unless_interrupted(async { Ok(rivals.elder_at_once().await) });
            if let Some(elder) = elder.await.unwrap_or_default() {
                let send = async |stop: &StopTask| run.send(step, &ctx.aws, stop).await;
                return rivals.give_way(&elder, follower, judged, send).await;
            }
        }
        ctx.ui
            .hint(Hint::new("follow it with").command((following.attach)(known.id())));
        Ok(Watched {
            judgement: judge(&known, judged),
            task: known,
            end: End::Settled,
        })
    }
}
