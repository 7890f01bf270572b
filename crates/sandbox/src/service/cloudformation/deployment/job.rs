//! What is done to one resource, and the events that tell of it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::super::kinds::{self, Kind, Request};
use super::super::stack::{Happened, tell};
use super::super::{Resource, find, stack_mut};
use super::{Goal, Phase, Run, resolved};
use crate::time::SimTime;
use crate::world::World;

/// From the first event of a resource to the request to its service.
const REQUEST: Duration = Duration::from_secs(1);
/// How often CloudFormation looks whether a resource is gone that takes its time.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What is done to a resource.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Create,
    /// It is there under this name, and becomes the stack's.
    Import(String),
    /// It becomes what the new template says: in place, or by a new one.
    Modify,
    Delete(Resource),
    /// It becomes again what it was.
    Restore(Resource),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Waiting,
    /// The first event is told; the service is asked next.
    Begun,
    /// The service is at it.
    Working,
    Done,
    Failed,
}

/// What a modification has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    None,
    Updated,
    Replaced,
}

/// The work on one resource.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) logical: String,
    pub(super) kind: String,
    pub(super) work: Work,
    /// The resources whose jobs come first.
    pub(super) needs: BTreeSet<String>,
    pub(super) step: Step,
    pub(super) effect: Effect,
    until: SimTime,
    /// The properties that the resource is to have.
    pub(super) properties: Value,
}

impl Job {
    pub(super) fn new(logical: &str, kind: &str, work: Work, needs: BTreeSet<String>) -> Self {
        Self {
            logical: logical.to_owned(),
            kind: kind.to_owned(),
            work,
            needs,
            step: Step::Waiting,
            effect: Effect::None,
            until: SimTime(0),
            properties: Value::Null,
        }
    }

    fn verb(&self) -> [&'static str; 3] {
        match self.work {
            Work::Create => ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_FAILED"],
            Work::Import(_) => ["IMPORT_IN_PROGRESS", "IMPORT_COMPLETE", "IMPORT_FAILED"],
            Work::Modify | Work::Restore(_) => ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_FAILED"],
            Work::Delete(_) => ["DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_FAILED"],
        }
    }
}

/// Tells of a job; the physical id is that of the resource that it deletes, or of the stack's.
fn told(world: &mut World, name: &str, run: &Run, at: usize, status: &'static str, reason: Option<&str>) {
    let job = &run.jobs[at];
    let physical = match &job.work {
        Work::Delete(resource) => resource.physical.clone(),
        _ => find(world, name)
            .and_then(|stack| stack.resource(&job.logical))
            .map(|resource| resource.physical.clone())
            .unwrap_or_default(),
    };
    let happened = Happened {
        logical: &job.logical,
        physical: &physical,
        kind: &job.kind,
        status,
        reason,
        properties: Some(&job.properties),
    };
    tell(world, name, run.token(), &happened);
}

fn fail(world: &mut World, name: &str, run: &mut Run, at: usize, reason: &str) {
    let [_, _, failed] = run.jobs[at].verb();
    run.jobs[at].step = Step::Failed;
    told(world, name, run, at, failed, Some(reason));
}

/// Another resource has failed: this one is given up.
pub(super) fn cancel(world: &mut World, name: &str, run: &mut Run, at: usize) {
    let reason = match run.jobs[at].work {
        Work::Create => "Resource creation cancelled",
        Work::Import(_) => "Resource import cancelled",
        _ => "Resource update cancelled",
    };
    fail(world, name, run, at, reason);
}

/// A second passes for a job.
pub(super) fn advance(world: &mut World, name: &str, run: &mut Run, at: usize) {
    let now = world.now;
    let job = &run.jobs[at];
    match job.step {
        Step::Waiting if run.is_ready(job) => begin(world, name, run, at),
        Step::Begun if job.until <= now => act(world, name, run, at),
        Step::Working if job.until <= now => conclude(world, name, run, at),
        _ => {}
    }
}

/// The service has done what it was asked for, and is given time to come to rest.
fn conclude(world: &mut World, name: &str, run: &mut Run, at: usize) {
    let job = &run.jobs[at];
    let [_, complete, _] = job.verb();
    let made = !matches!(job.work, Work::Delete(_));
    let settled = match (
        kinds::find(&job.kind),
        find(world, name).and_then(|stack| stack.resource(&job.logical)),
    ) {
        (Some(kind), Some(resource)) if made => (kind.settled)(world, resource),
        _ => Ok(true),
    };
    match settled {
        Ok(true) => {}
        Ok(false) => {
            run.jobs[at].until = world.now + LOOK_AGAIN;
            return;
        }
        Err(refusal) => {
            let reason = refusal.reason(world);
            return fail(world, name, run, at, &reason);
        }
    }
    run.jobs[at].step = Step::Done;
    told(world, name, run, at, complete, None);
    if let (Work::Delete(resource), Some(stack)) = (&run.jobs[at].work, stack_mut(world, name)) {
        forget(stack, resource);
    }
}

/// A resource that is gone is no longer the stack's.
fn forget(stack: &mut super::super::Stack, resource: &Resource) {
    stack
        .leaving
        .retain(|leaving| leaving.physical != resource.physical);
    stack
        .spec
        .resources
        .retain(|one| one.logical != resource.logical || one.physical != resource.physical);
}

fn begin(world: &mut World, name: &str, run: &mut Run, at: usize) {
    let [progress, ..] = run.jobs[at].verb();
    let logical = run.jobs[at].logical.clone();
    let mut reason = None;
    match run.jobs[at].work.clone() {
        Work::Create | Work::Import(_) | Work::Modify => {
            let Some(set) = run.set.clone() else { return };
            let document = set.document();
            let wanted = document
                .resource(&logical)
                .map(|resource| resource["Properties"].clone());
            let properties = match resolved(world, name, &set, &wanted.unwrap_or_default()) {
                Ok(properties) => properties.unwrap_or_default(),
                Err(why) => return fail(world, name, run, at, &why),
            };
            let attributes = document.attributes(&logical);
            run.jobs[at].properties = properties;
            if matches!(run.jobs[at].work, Work::Create | Work::Import(_)) {
                let resource = Resource {
                    logical,
                    physical: String::new(),
                    kind: run.jobs[at].kind.clone(),
                    properties: Value::Null,
                    attributes,
                };
                if let Some(stack) = stack_mut(world, name) {
                    stack.spec.resources.push(resource);
                }
            } else {
                let tagged = kinds::find(&run.jobs[at].kind).is_some_and(|kind| kind.tagged);
                let retagged = tagged && find(world, name).is_some_and(|stack| stack.spec.tags != set.tags);
                if changed(run, at).is_empty() && !retagged {
                    // Nothing that its service has to know: no event.
                    run.jobs[at].step = Step::Done;
                    if let Some(resource) =
                        stack_mut(world, name).and_then(|stack| stack.resource_mut(&logical))
                    {
                        resource.attributes = attributes;
                    }
                    return;
                }
                let anew = is_replaced(run, at);
                reason = anew.then_some(
                    "Requested update requires the creation of a new physical resource; hence creating one.",
                );
            }
        }
        Work::Delete(resource) => {
            run.jobs[at].properties = resource.properties.clone();
            if is_kept(run, &resource) {
                run.jobs[at].step = Step::Done;
                told(world, name, run, at, "DELETE_SKIPPED", None);
                if let Some(stack) = stack_mut(world, name) {
                    forget(stack, &resource);
                }
                let state = &mut world.services.cloudformation;
                state.retained.push((name.to_owned(), resource));
                return;
            }
        }
        Work::Restore(old) => run.jobs[at].properties = old.properties.clone(),
    }
    run.jobs[at].step = Step::Begun;
    run.jobs[at].until = world.now + REQUEST;
    told(world, name, run, at, progress, reason);
}

/// "DeletionPolicy attribute": with `RetainExceptOnCreate` only a resource whose creation is undone goes.
fn is_kept(run: &Run, resource: &Resource) -> bool {
    let undone = run.phase == Phase::Back || run.phase == Phase::Cleanup { back: true };
    match resource.attributes["DeletionPolicy"].as_str() {
        Some("Retain") => true,
        Some("RetainExceptOnCreate") => !undone,
        _ => run.goal == Goal::Delete && run.retain.contains(&resource.logical),
    }
}

/// The properties that a modification changes.
fn changed(run: &Run, at: usize) -> Vec<String> {
    let job = &run.jobs[at];
    let before = run.old.get(&job.logical).map(|old| &old.properties);
    kinds::changed(before.unwrap_or(&Value::Null), &job.properties)
}

fn is_replaced(run: &Run, at: usize) -> bool {
    let kind = kinds::find(&run.jobs[at].kind);
    let changed = changed(run, at);
    kind.is_some_and(|kind| {
        changed
            .iter()
            .any(|property| kind.recreation(property) == "Always")
    })
}

/// The service is asked.
fn act(world: &mut World, name: &str, run: &mut Run, at: usize) {
    let Some(kind) = kinds::find(&run.jobs[at].kind) else {
        let unknown = format!("Unrecognized resource type {}", run.jobs[at].kind);
        return fail(world, name, run, at, &unknown);
    };
    let done = match run.jobs[at].work.clone() {
        Work::Create => create(world, name, run, at, kind),
        Work::Import(physical) => super::import::take_in(world, name, run, at, &physical),
        Work::Modify if is_replaced(run, at) => replace(world, name, run, at, kind),
        Work::Modify => update(world, name, run, at, kind),
        Work::Restore(old) => restore(world, name, run, kind, &old),
        Work::Delete(resource) => match (kind.delete)(world, &resource) {
            Ok(true) => Ok(()),
            Ok(false) => {
                run.jobs[at].until = world.now + LOOK_AGAIN;
                return;
            }
            Err(refusal) => Err(refusal.reason(world)),
        },
    };
    match done {
        Ok(()) => {
            let seconds = match run.jobs[at].work {
                Work::Delete(_) | Work::Import(_) => 1,
                _ => kind.seconds,
            };
            run.jobs[at].step = Step::Working;
            run.jobs[at].until = world.now + Duration::from_secs(seconds);
            let made = matches!(run.jobs[at].work, Work::Create) || run.jobs[at].effect == Effect::Replaced;
            if made {
                let [progress, ..] = run.jobs[at].verb();
                told(
                    world,
                    name,
                    run,
                    at,
                    progress,
                    Some("Resource creation Initiated"),
                );
            }
        }
        Err(reason) => fail(world, name, run, at, &reason),
    }
}

/// What a handler is given: properties, and the tags that the stack is to have.
fn asked<T>(run: &Run, name: &str, job: &Job, attributes: &Value, ask: impl FnOnce(&Request<'_>) -> T) -> T {
    let none = Vec::new();
    ask(&Request {
        stack: name,
        logical: &job.logical,
        properties: &job.properties,
        attributes,
        tags: run.set.as_ref().map_or(&none, |set| &set.tags),
    })
}

fn attributes(run: &Run, logical: &str) -> Value {
    let document = run.set.as_ref().map(super::ChangeSet::document);
    document
        .map(|document| document.attributes(logical))
        .unwrap_or_default()
}

fn create(world: &mut World, name: &str, run: &Run, at: usize, kind: &Kind) -> Result<(), String> {
    if let Some(reason) = super::scenario::refuses(world, run.goal, &run.jobs[at]) {
        return Err(reason);
    }
    let job = &run.jobs[at];
    let attributes = attributes(run, &job.logical);
    let made = asked(run, name, job, &attributes, |request| {
        (kind.create)(world, request)
    });
    let physical = made.map_err(|refusal| refusal.reason(world))?;
    let job = &run.jobs[at];
    if let Some(resource) = stack_mut(world, name).and_then(|stack| stack.resource_mut(&job.logical)) {
        resource.physical = physical;
        resource.properties = job.properties.clone();
    }
    Ok(())
}

fn update(world: &mut World, name: &str, run: &mut Run, at: usize, kind: &Kind) -> Result<(), String> {
    if let Some(reason) = super::scenario::refuses(world, run.goal, &run.jobs[at]) {
        return Err(reason);
    }
    let job = &run.jobs[at];
    let attributes = attributes(run, &job.logical);
    let Some(old) = run.old.get(&job.logical) else {
        return Err("the resource is gone".to_owned());
    };
    let changed = asked(run, name, job, &attributes, |request| {
        (kind.update)(world, &old.physical, &old.properties, request)
    });
    changed.map_err(|refusal| refusal.reason(world))?;
    run.jobs[at].effect = Effect::Updated;
    let job = &run.jobs[at];
    if let Some(resource) = stack_mut(world, name).and_then(|stack| stack.resource_mut(&job.logical)) {
        resource.properties = job.properties.clone();
        resource.attributes = attributes;
    }
    Ok(())
}

/// A new resource comes; the old one goes when everything else is done.
fn replace(world: &mut World, name: &str, run: &mut Run, at: usize, kind: &Kind) -> Result<(), String> {
    let job = &run.jobs[at];
    let Some(old) = run.old.get(&job.logical).cloned() else {
        return Err("the resource is gone".to_owned());
    };
    if let Some(property) = kind.named
        && let Some(stated) = job.properties[property].as_str()
        && old.properties[property] == *stated
    {
        return Err(format!(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {stated} and \
             update the stack again."
        ));
    }
    let attributes = attributes(run, &job.logical);
    let made = asked(run, name, job, &attributes, |request| {
        (kind.create)(world, request)
    });
    let physical = made.map_err(|refusal| refusal.reason(world))?;
    run.jobs[at].effect = Effect::Replaced;
    let job = &run.jobs[at];
    if let Some(stack) = stack_mut(world, name) {
        if let Some(resource) = stack.resource_mut(&job.logical) {
            resource.physical = physical;
            resource.properties = job.properties.clone();
            resource.attributes = attributes.clone();
        }
        // What becomes of the old one is said by the new template.
        let policy = attributes["UpdateReplacePolicy"].clone();
        stack.leaving.push(Resource {
            attributes: serde_json::json!({ "DeletionPolicy": policy }),
            ..old
        });
    }
    Ok(())
}

fn restore(world: &mut World, name: &str, run: &Run, kind: &Kind, old: &Resource) -> Result<(), String> {
    if let Some(reason) = super::scenario::refuses_to_go_back(world, &old.kind) {
        return Err(reason);
    }
    let Some(stack) = find(world, name) else {
        return Ok(());
    };
    let present = stack
        .resource(&old.logical)
        .map(|resource| resource.properties.clone())
        .unwrap_or_default();
    let tags = stack.spec.tags.clone();
    let request = Request {
        stack: name,
        logical: &old.logical,
        properties: &old.properties,
        attributes: &old.attributes,
        tags: &tags,
    };
    let back = (kind.update)(world, &old.physical, &present, &request);
    back.map_err(|refusal| refusal.reason(world))?;
    if let Some(resource) = stack_mut(world, name).and_then(|stack| stack.resource_mut(&old.logical)) {
        *resource = old.clone();
    }
    debug_assert!(run.phase == Phase::Back);
    Ok(())
}
