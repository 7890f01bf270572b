//! Starts the task and follows it to its end.

use super::attach::{attach_command, goes_on};
use super::follow::{Screen, ended, judged, stopped, unknown};
use super::plan::Start;
use super::view::RunResult;
use super::{Kind, OneOff, Started};
use crate::aws::ecs::{RunAside, Task, short};
use crate::change::{Done, End, Later, StepRun, Verification};
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::tasks::stop_reason::{recognize, remedy};
use crate::tasks::{self, Followed, Follower, Observer, Tail, judge};

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
        .map_err(|error| explained(error, start, &again))?;
    // At once, so that a kill at any later moment leaves a trace of the task.
    step.note("task", &task.arn);
    let did = format!("started task {} of {}", task.id(), short(&call.definition));
    Ok(Done::new(did).with(Started(task.arn)))
}

/// RunTask's refusals, with what to do about those that have a known remedy.
fn explained(error: CtlError, start: &Start, again: &CommandLine) -> CtlError {
    let refused = |code: &str| error.reply().is_some_and(|reply| reply.is(code));
    if ["InvalidSubnetID", "InvalidGroup", "InvalidSecurityGroup"]
        .into_iter()
        .any(refused)
    {
        return error.hint(format!(
            "{}: choose others with `--subnets` and `--security-groups`",
            start.network_from
        ));
    }
    let text = error.to_string();
    match recognize(&text) {
        Some(reason) => error.hint(remedy(reason, &text, again)),
        None => error,
    }
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
    let (task, judgement, end) = if run.waits() {
        screen.begin(&follower.id);
        let followed = follower.follow(run.remaining()).await;
        screen.end();
        let mut followed = followed.map_err(|error| goes_on(error, task.id()))?;
        let (judgement, end) = match &followed {
            Followed::Interrupted(task) if change.request.stop_on_interrupt => {
                let stop = start.stop(Later::Known(task.id().to_owned()));
                ctx.ui.status(&format!("stopping task {}", task.id()));
                run.send(step, &ctx.aws, &stop).await?;
                followed = follower.follow_to_stop().await?;
                stopped(K::NAME, &followed, &judged)
            }
            _ => ended(K::NAME, &followed, &judged, follower.tail.as_ref()),
        };
        let (Followed::Stopped(task) | Followed::TimedOut(task) | Followed::Interrupted(task)) = followed;
        (task, judgement, end)
    } else {
        let known = follower
            .until_known()
            .await
            .map_err(|error| error.hint(("look for it with", attach_command(task.id()))))?;
        ctx.ui
            .hint(Hint::new("follow it with").command(attach_command(known.id())));
        (known.clone(), judge(&known, &judged), End::Settled)
    };
    let result = RunResult::new(&task, container, &judgement, follower.tail.as_ref());
    run.end(&step.id, end);
    run.ending(&step.id, result);
    Ok(())
}
