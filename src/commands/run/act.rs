//! Starts the task and follows it to its end.

use super::follow::{Lines, following};
use super::view::RunResult;
use super::{Kind, OneOff, Started};
use crate::aws::ecs::short;
use crate::change::{Done, StepRun, Verification};
use crate::commands::one_off::{Watch, begin};
use crate::error::{Hint, Result};

pub(super) async fn act<'c, K: Kind>(
    change: &OneOff<'c, K>,
    step: &StepRun<'_, OneOff<'c, K>>,
) -> Result<Done<OneOff<'c, K>>> {
    let start = step.action();
    if let Some(arn) = &start.going_on {
        step.note("task", arn);
        return Ok(Done::new(format!("goes on with task {}", short(arn))).with(Started(arn.clone())));
    }
    let task = begin::<Lines, _>(change.ctx, step, start, &change.request.again()).await?;
    let did = format!("started task {} of {}", task.id(), short(&start.call.definition));
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
    let (start, following, again) = (&step.action, following(K::NAME), change.request.again());
    let container = start.call.container.as_str();
    let watch = Watch {
        ctx: change.ctx,
        following,
        start,
        arn,
        judged: following.judged(container, start.essential.clone(), again.clone(), again),
        stop_on_interrupt: change.request.task.stop_on_interrupt,
        stays: Hint::new(format!("{} as it is", following.kept)),
        alone: false,
    };
    let (watched, tail) = watch.until_end::<Lines, _>(run, step).await?;
    let result = RunResult::new(&watched, container, tail.as_ref());
    run.end(&step.id, watched.end);
    run.ending(&step.id, result);
    Ok(())
}
