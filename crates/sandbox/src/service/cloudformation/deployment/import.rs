//! How resources that are there come into a stack, and how that is undone: no service is asked to change anything.

use super::super::kinds;
use super::super::stack::set_status;
use super::super::{find, stack_mut};
use super::end::executed;
use super::job::{Step, Work};
use super::{Phase, Run, put_back};
use crate::world::World;

/// Takes a resource into the stack under the name that the request gives.
///
/// # Errors
/// The reason of its `IMPORT_FAILED`.
pub(super) fn take_in(
    world: &mut World,
    name: &str,
    run: &Run,
    at: usize,
    physical: &str,
) -> Result<(), String> {
    let job = &run.jobs[at];
    let property = kinds::imported_by(&job.kind).unwrap_or_default();
    if let Some(stated) = job.properties[property].as_str()
        && stated != physical
    {
        return Err(format!(
            "The identifier {property} {physical} does not match {stated} in the template."
        ));
    }
    if !kinds::is_there(world, &job.kind, physical) {
        return Err(format!(
            "Resource of type '{}' with identifier '{{\"/properties/{property}\":\"{physical}\"}}' was not found.",
            job.kind
        ));
    }
    let state = &mut world.services.cloudformation;
    let mut others = state.stacks.values();
    let owner = others.find(|stack| {
        let mut resources = stack.spec.resources.iter();
        resources.any(|one| one.kind == job.kind && one.physical == physical)
    });
    if let Some(owner) = owner {
        return Err(format!("{physical} already exists in stack {}", owner.id));
    }
    state
        .retained
        .retain(|(_, one)| one.kind != job.kind || one.physical != physical);
    if let Some(resource) = stack_mut(world, name).and_then(|stack| stack.resource_mut(&job.logical)) {
        physical.clone_into(&mut resource.physical);
        resource.properties = job.properties.clone();
    }
    Ok(())
}

/// An import has failed: what it has taken in is in no stack again.
pub(super) fn undo(world: &mut World, name: &str, mut run: Run, reason: &str) {
    set_status(
        world,
        name,
        run.token(),
        "IMPORT_ROLLBACK_IN_PROGRESS",
        Some(reason),
    );
    let imported: Vec<String> = run
        .jobs
        .iter()
        .filter(|job| matches!(job.work, Work::Import(_)) && job.step != Step::Waiting)
        .map(|job| job.logical.clone())
        .collect();
    for logical in imported {
        let taken = stack_mut(world, name).and_then(|stack| stack.take(&logical));
        if let Some(taken) = taken.filter(|taken| !taken.physical.is_empty()) {
            let state = &mut world.services.cloudformation;
            state.retained.push((name.to_owned(), taken));
        }
    }
    run.jobs.clear();
    run.phase = Phase::Back;
    run.starts = world.now + super::BEFORE_THE_FIRST;
    put_back(world, name, run);
}

pub(super) fn end_of_undoing(world: &mut World, name: &str, run: &Run) {
    set_status(world, name, run.token(), "IMPORT_ROLLBACK_COMPLETE", None);
    executed(world, name, run, "EXECUTE_FAILED");
    debug_assert!(find(world, name).is_some());
}
