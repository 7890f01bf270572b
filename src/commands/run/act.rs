//! Starts the task and follows it to its end.

use super::attach::attach_command;
use super::follow::{Screen, following, judged, unknown};
use super::view::RunResult;
use super::{Kind, OneOff, Started};
use crate::aws::ecs::{RunAside, Task, short};
use crate::change::{Done, End, Later, StepRun, Verification};
use crate::error::{Hint, Result};
use crate::tasks::{self, Followed, Follower, Observer, Tail, Watched, judge};

pub(super) async fn act<'c, K: Kind>(
    change: &OneOff<'c, K>,
    step: &StepRun<'_, OneOff<'c, K>>,
) -> Result<Done<OneOff<'c, K>>> {
    let ctx = change.ctx;
    let start = step.action();
    if let Some(arn) = &start.going_on {
        step.note("task", arn);
        return Ok(Done::new(format!("goes on with task {}", short(arn))).with(Started(arn.clone())));
    }
    let screen = Screen::new(ctx);
    let events = |event| screen.hear(event);
    let observer = Observer {
        aws: &ctx.aws,
        cancel: &ctx.cancel,
        events: &events,
    };
    let call = &start.call;
    let again = change.request.again();
    let send = async || {
        if start.aside {
            step.send(&ctx.aws, &RunAside(call.clone())).await
        } else {
            step.send(&ctx.aws, call).await
        }
    };
    let task = tasks::start(&observer, &call.cluster, &call.started_by, &again, send)
        .await
        .map_err(|error| tasks::refused(error, &start.network_from, &again))?;
    // At once, so that a kill at any later moment leaves a trace of the task.
    step.note("task", &task.arn);
    let did = format!("started task {} of {}", task.id(), short(&call.definition));
    Ok(Done::new(did).with(Started(task.arn)))
}

pub(super) async fn verify<'c, K: Kind>(
    change: &OneOff<'c, K>,
    run: &mut Verification<'_, OneOff<'c, K>>,
) -> Result<()> {
    let done = run.done();
    let started = done
        .iter()
        .find_map(|(step, output)| output.as_ref().map(|Started(arn)| (*step, arn.clone())));
    let Some((step, arn)) = started else {
        return Ok(());
    };
    let ctx = change.ctx;
    let start = &step.action;
    let container = start.call.container.as_str();
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
    let mut follower = Follower::of_new(observer, &start.call.cluster, container, &task);
    follower.tail = start
        .logs
        .as_ref()
        .map(|place| Tail::new(place, container, task.id()));
    let judged = judged(
        container,
        start.essential.clone(),
        unknown(Some(&change.request), task.id()),
    );
    let watched = if run.waits() {
        let following = following(K::NAME);
        screen.begin(&follower.id);
        let followed = follower.follow(run.remaining()).await;
        screen.end();
        match followed.map_err(|error| following.goes_on(error, task.id()))? {
            Followed::Interrupted(task) if change.request.stop_on_interrupt => {
                let stop = start.stop(Later::Known(task.id().to_owned()));
                ctx.ui.status(&format!("stopping task {}", task.id()));
                run.send(step, &ctx.aws, &stop).await?;
                let stays = Hint::new(format!("{} as it is", judged.kept));
                following.stopped_on_interrupt(follower.follow_to_stop().await?, &judged, stays)
            }
            followed => following.ended(followed, &judged, follower.tail.as_ref()),
        }
    } else {
        let known = follower
            .until_known()
            .await
            .map_err(|error| error.hint(("look for it with", attach_command(task.id()))))?;
        ctx.ui
            .hint(Hint::new("follow it with").command(attach_command(known.id())));
        Watched {
            judgement: judge(&known, &judged),
            task: known,
            end: End::Settled,
        }
    };
    let result = RunResult::new(
        &watched.task,
        container,
        &watched.judgement,
        follower.tail.as_ref(),
    );
    run.end(&step.id, watched.end);
    run.ending(&step.id, result);
    Ok(())
}
