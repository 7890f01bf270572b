//! The way back of an update ("Continue rolling back an update").

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::stack::{Happened, set_status, tell};
use super::super::{find, named, stack_mut, validation};
use super::end::{executed, touched};
use super::job::{Effect, Job, Step, Work};
use super::{Phase, Run, put_back, remember, removal};
use crate::error::OpResult;
use crate::service::member::{text, texts};
use crate::world::World;

/// An update has failed: what it has changed becomes what it was.
pub(super) fn begin(world: &mut World, name: &str, mut run: Run, reason: &str) {
    set_status(
        world,
        name,
        run.token(),
        "UPDATE_ROLLBACK_IN_PROGRESS",
        Some(reason),
    );
    let mut jobs = Vec::new();
    let changed: Vec<Job> = touched(&run).cloned().collect();
    for job in &changed {
        let old = run.old.get(&job.logical).cloned();
        match (&job.work, job.effect, old) {
            (Work::Create, ..) => {
                let taken = stack_mut(world, name).and_then(|stack| stack.take(&job.logical));
                if let (Some(taken), Some(stack)) = (
                    taken.filter(|one| !one.physical.is_empty()),
                    stack_mut(world, name),
                ) {
                    stack.leaving.push(taken);
                }
            }
            (_, Effect::Replaced, Some(old)) => {
                // The old one is still there; the new one goes when everything else is done.
                if let Some(stack) = stack_mut(world, name) {
                    stack.leaving.retain(|leaving| leaving.physical != old.physical);
                    if let Some(new) = stack.take(&job.logical) {
                        stack.leaving.push(new);
                    }
                    stack.spec.resources.push(old.clone());
                }
                let happened = Happened {
                    logical: &job.logical,
                    physical: &old.physical,
                    kind: &job.kind,
                    status: "UPDATE_COMPLETE",
                    reason: None,
                    properties: None,
                };
                tell(world, name, run.token(), &happened);
            }
            (_, _, Some(old)) => {
                jobs.push(Job::new(
                    &job.logical,
                    &job.kind,
                    Work::Restore(old),
                    BTreeSet::new(),
                ));
            }
            _ => {}
        }
    }
    run.jobs = jobs;
    run.phase = Phase::Back;
    run.starts = world.now + super::BEFORE_THE_FIRST;
    put_back(world, name, run);
}

/// A resource does not become what it was: the operator has to help.
pub(super) fn fail(world: &mut World, name: &str, mut run: Run) {
    let failed = run.failed(false).join(", ");
    let reason = format!("The following resource(s) failed to update: [{failed}].");
    set_status(world, name, run.token(), "UPDATE_ROLLBACK_FAILED", Some(&reason));
    executed(world, name, &run, "EXECUTE_FAILED");
    run.phase = Phase::Halted;
    put_back(world, name, run);
}

/// Everything is what it was: what the update has made goes.
pub(super) fn clean(world: &mut World, name: &str, run: Run) {
    set_status(
        world,
        name,
        run.token(),
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        None,
    );
    let template = run
        .set
        .as_ref()
        .map(|set| set.template().to_owned())
        .unwrap_or_default();
    removal::clean(world, name, run, &template, true);
}

/// `ContinueUpdateRollback`: what has failed is tried again; resources to skip are taken as they are.
pub(in super::super) fn continue_rollback(world: &mut World, input: &Value) -> OpResult {
    let given = text(input, "StackName").unwrap_or_default();
    let name = named(world, given).ok_or_else(|| validation(format!("Stack [{given}] does not exist")))?;
    let token = text(input, "ClientRequestToken");
    if let Some(token) = token
        && !remember(world, &name, token, "ContinueUpdateRollback")?
    {
        return Ok(json!({}));
    }
    let (id, status) = find(world, &name)
        .map(|stack| (stack.id.clone(), stack.status))
        .unwrap_or_default();
    let halted =
        stack_mut(world, &name).and_then(|stack| stack.run.take_if(|run| run.phase == Phase::Halted));
    let Some(mut run) = halted else {
        return Err(validation(format!(
            "Stack:{id} is in {status} state and can not be continued to roll back."
        )));
    };
    let skipped = texts(input, "ResourcesToSkip");
    let failed: Vec<String> = run.failed(false).into_iter().map(str::to_owned).collect();
    if let Some(stranger) = skipped.iter().find(|logical| !failed.contains(logical)) {
        put_back(world, &name, run);
        return Err(validation(format!(
            "The resource [{stranger}] is not in the UPDATE_FAILED state and cannot be skipped."
        )));
    }
    run.token = token.map(str::to_owned);
    set_status(
        world,
        &name,
        token,
        "UPDATE_ROLLBACK_IN_PROGRESS",
        Some("User Initiated"),
    );
    for job in &mut run.jobs {
        if job.step != Step::Failed {
            continue;
        }
        // "CloudFormation sets the status of the specified resources to UPDATE_COMPLETE".
        if skipped.contains(&job.logical) {
            job.step = Step::Done;
            let physical = find(world, &name).and_then(|stack| stack.resource(&job.logical));
            let physical = physical
                .map(|resource| resource.physical.clone())
                .unwrap_or_default();
            let happened = Happened {
                logical: &job.logical,
                physical: &physical,
                kind: &job.kind,
                status: "UPDATE_COMPLETE",
                reason: None,
                properties: None,
            };
            tell(world, &name, token, &happened);
        } else {
            job.step = Step::Waiting;
        }
    }
    run.phase = Phase::Back;
    run.starts = world.now + super::BEFORE_THE_FIRST;
    put_back(world, &name, run);
    Ok(json!({}))
}
