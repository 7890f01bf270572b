//! How resources go: with their stack, with an update that no longer wants them, or because their creation is undone.

use std::collections::{BTreeMap, BTreeSet};

use super::super::document::Document;
use super::super::stack::set_status;
use super::super::{Resource, find, stack_mut};
use super::end::executed;
use super::job::{Job, Step, Work};
use super::{Goal, Phase, Run, put_back};
use crate::world::World;

/// A job for each resource, behind those that need it.
fn jobs(template: &str, resources: &[Resource]) -> Vec<Job> {
    let document = Document::parse(template).unwrap_or_default();
    let users = |logical: &str| -> BTreeSet<String> {
        let others = resources.iter().map(|other| &other.logical);
        others
            .filter(|other| *other != logical && document.needs(other).contains(logical))
            .cloned()
            .collect()
    };
    resources
        .iter()
        .rev()
        .filter(|resource| !resource.physical.is_empty())
        .map(|resource| {
            let work = Work::Delete(resource.clone());
            Job::new(&resource.logical, &resource.kind, work, users(&resource.logical))
        })
        .collect()
}

/// The resources that could not be deleted, as a reason says it.
fn left(run: &Run) -> Option<String> {
    let failed: Vec<&str> = run
        .jobs
        .iter()
        .filter(|job| job.step == Step::Failed)
        .map(|job| job.logical.as_str())
        .collect();
    let said = format!(
        "The following resource(s) failed to delete: [{}].",
        failed.join(", ")
    );
    (!failed.is_empty()).then_some(said)
}

/// Begins to delete a stack.
pub(in super::super) fn begin_deletion(
    world: &mut World,
    name: &str,
    token: Option<&str>,
    retain: BTreeSet<String>,
) {
    let Some(stack) = find(world, name) else { return };
    let resources: Vec<Resource> = stack
        .spec
        .resources
        .iter()
        .chain(&stack.leaving)
        .cloned()
        .collect();
    let run = Run {
        goal: Goal::Delete,
        phase: Phase::Forward,
        token: token.map(str::to_owned),
        set: None,
        starts: world.now + super::BEFORE_THE_FIRST,
        jobs: jobs(&stack.template, &resources),
        old: BTreeMap::new(),
        retain,
    };
    set_status(world, name, token, "DELETE_IN_PROGRESS", Some("User Initiated"));
    put_back(world, name, run);
}

/// A deletion is over: the stack is gone, or has what did not go.
pub(super) fn end(world: &mut World, name: &str, run: &Run) {
    if let Some(reason) = left(run) {
        return set_status(world, name, run.token(), "DELETE_FAILED", Some(&reason));
    }
    set_status(world, name, run.token(), "DELETE_COMPLETE", None);
    bury(world, name);
}

/// The stack is known by its id alone from now on.
pub(in super::super) fn bury(world: &mut World, name: &str) {
    let now = world.now;
    let state = &mut world.services.cloudformation;
    if let Some(mut stack) = state.stacks.remove(name) {
        stack.deleted = Some(now);
        stack.spec.outputs.clear();
        stack.spec.resources.clear();
        stack.change_sets.clear();
        state.deleted.push(stack);
    }
}

/// A creation has failed: what it has made goes, or the whole stack where the change set says so.
pub(super) fn roll_back(world: &mut World, name: &str, mut run: Run, reason: &str) {
    let deletes = run
        .set
        .as_ref()
        .is_some_and(|set| set.on_failure.as_deref() == Some("DELETE"));
    let status = if deletes {
        "DELETE_IN_PROGRESS"
    } else {
        "ROLLBACK_IN_PROGRESS"
    };
    set_status(world, name, run.token(), status, Some(reason));
    executed(world, name, &run, "EXECUTE_FAILED");
    let Some(stack) = stack_mut(world, name) else {
        return;
    };
    stack
        .spec
        .resources
        .retain(|resource| !resource.physical.is_empty());
    run.jobs = jobs(&stack.template, &stack.spec.resources);
    run.goal = if deletes { Goal::Delete } else { Goal::Create };
    run.phase = Phase::Back;
    run.starts = world.now + super::BEFORE_THE_FIRST;
    put_back(world, name, run);
}

pub(super) fn end_of_rollback(world: &mut World, name: &str, run: Run) {
    match left(&run) {
        Some(reason) => set_status(world, name, run.token(), "ROLLBACK_FAILED", Some(&reason)),
        None => set_status(world, name, run.token(), "ROLLBACK_COMPLETE", None),
    }
}

/// Deletes what an update no longer needs; `template` is the one that had it.
pub(super) fn clean(world: &mut World, name: &str, mut run: Run, template: &str, back: bool) {
    let leaving = find(world, name)
        .map(|stack| stack.leaving.clone())
        .unwrap_or_default();
    run.jobs = jobs(template, &leaving);
    run.phase = Phase::Cleanup { back };
    run.starts = world.now + super::BEFORE_THE_FIRST;
    put_back(world, name, run);
}

/// What could not be deleted is the stack's no longer: "CloudFormation [...] the stack's update is complete".
pub(super) fn end_of_cleanup(world: &mut World, name: &str, run: Run) {
    let back = run.phase == Phase::Cleanup { back: true };
    let (status, execution) = match back {
        true => ("UPDATE_ROLLBACK_COMPLETE", "EXECUTE_FAILED"),
        false => ("UPDATE_COMPLETE", "EXECUTE_COMPLETE"),
    };
    set_status(world, name, run.token(), status, left(&run).as_deref());
    executed(world, name, &run, execution);
    let Some(stack) = stack_mut(world, name) else {
        return;
    };
    let stayed = std::mem::take(&mut stack.leaving);
    let state = &mut world.services.cloudformation;
    state
        .retained
        .extend(stayed.into_iter().map(|resource| (name.to_owned(), resource)));
}
