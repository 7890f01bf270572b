//! Deployments: what is done to the resources of a stack, one after the other where they need each other and side by
//! side where they do not ("Stack status codes", "Understand CloudFormation stack creation events").

mod back;
mod end;
mod import;
mod job;
mod removal;
mod scenario;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

pub(super) use self::back::continue_rollback;
use self::job::{Job, Step, Work};
pub(super) use self::removal::{begin_deletion, bury};
use super::change_set::{self, ChangeSet, compare};
use super::document::Document;
use super::intrinsics::Scope;
use super::stack::set_status;
use super::{Resource, exports, find, kinds, stack_mut};
use crate::error::ApiError;
use crate::time::SimTime;
use crate::world::World;

/// From the stack's first event to that of its first resource.
const BEFORE_THE_FIRST: Duration = Duration::from_secs(3);

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Create,
    Update,
    Delete,
    /// Resources that are there come in.
    Import,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Resources come and change; or they go, if the stack is to go.
    Forward,
    /// What was done is undone.
    Back,
    /// What was replaced or removed is deleted; `back` after an update that was undone.
    Cleanup { back: bool },
    /// The operator has to say how it goes on.
    Halted,
}

/// A deployment under way.
#[derive(Debug)]
pub(super) struct Run {
    goal: Goal,
    phase: Phase,
    /// Of the request; every event has it.
    token: Option<String>,
    /// What is deployed; a deletion has none.
    set: Option<ChangeSet>,
    starts: SimTime,
    jobs: Vec<Job>,
    /// The resources as they were, with the properties that they were deployed with.
    old: BTreeMap<String, Resource>,
    /// Resources that are to be left alone when the stack goes.
    retain: BTreeSet<String>,
}

/// Whether a stack in this state can be updated.
pub(super) fn can_update(status: &str) -> bool {
    matches!(
        status,
        "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "IMPORT_COMPLETE"
            | "IMPORT_ROLLBACK_COMPLETE"
            | "CREATE_FAILED"
            | "UPDATE_FAILED"
    )
}

/// Remembers a token. Returns whether it is new; the same token for the same request is no second request.
///
/// # Errors
/// `TokenAlreadyExistsException` for another request.
pub(super) fn remember(world: &mut World, stack: &str, token: &str, request: &str) -> Result<bool, ApiError> {
    let Some(stack) = stack_mut(world, stack) else {
        return Ok(true);
    };
    match stack.tokens.get(token) {
        None => {
            stack.tokens.insert(token.to_owned(), request.to_owned());
            Ok(true)
        }
        Some(known) if known == request => Ok(false),
        Some(_) => Err(ApiError::client(
            "TokenAlreadyExistsException",
            format!("Token already exists: {token}"),
        )),
    }
}

/// Begins with what a change set says.
pub(super) fn begin(world: &mut World, name: &str, set: &ChangeSet, token: Option<&str>) {
    let compared = compare(world, name, set);
    let now = world.now;
    let goal = match (set.imports.is_empty(), set.creates) {
        (false, _) => Goal::Import,
        (true, true) => Goal::Create,
        (true, false) => Goal::Update,
    };
    let Some(stack) = stack_mut(world, name) else {
        return;
    };
    let status = match goal {
        Goal::Create => "CREATE_IN_PROGRESS",
        Goal::Import => "IMPORT_IN_PROGRESS",
        _ => "UPDATE_IN_PROGRESS",
    };
    if goal == Goal::Create {
        stack.template = set.template().to_owned();
        stack.parameters = set.parameters.clone();
        stack.spec.tags = set.tags.clone();
    } else if !set.creates {
        stack.spec.updated = Some(now);
    }
    stack.capabilities = set.capabilities.clone();
    set_status(world, name, token, status, Some("User Initiated"));
    let mut run = Run {
        goal,
        phase: Phase::Forward,
        token: token.map(str::to_owned),
        set: Some(set.clone()),
        starts: now + BEFORE_THE_FIRST,
        jobs: Vec::new(),
        old: BTreeMap::new(),
        retain: BTreeSet::new(),
    };
    let document = set.document();
    match compared {
        Ok(compared) => {
            for change in compared.changes {
                let work = match change.action {
                    change_set::Action::Add => Work::Create,
                    change_set::Action::Import => Work::Import(change.physical.unwrap_or_default()),
                    change_set::Action::Modify => {
                        let old = find(world, name)
                            .and_then(|stack| stack.resource(&change.logical))
                            .cloned();
                        if let Some(old) = old {
                            let properties = change.before;
                            run.old
                                .insert(change.logical.clone(), Resource { properties, ..old });
                        }
                        Work::Modify
                    }
                    change_set::Action::Remove => continue,
                };
                run.jobs.push(Job::new(
                    &change.logical,
                    &change.kind,
                    work,
                    document.needs(&change.logical),
                ));
            }
        }
        // What could be compared a moment ago can be still, unless something else has taken it away.
        Err(reason) => return end::turn_back(world, name, run, Some(reason)),
    }
    let missing = missing_import(world, name, &document, set);
    match missing {
        Some(export) => end::turn_back(world, name, run, Some(format!("No export named {export} found"))),
        None => put_back(world, name, run),
    }
}

/// The first import of a template that no stack exports.
fn missing_import(world: &World, name: &str, document: &Document, set: &ChangeSet) -> Option<String> {
    let values = document.resolved(world, &set.parameters);
    let stack = find(world, name)?;
    let nowhere = |_: &str, _: Option<&str>| Err(String::new());
    let scope = Scope::new(world, document, name, &stack.id, &values, &nowhere);
    let mut names = BTreeSet::new();
    for part in ["Resources", "Outputs"] {
        for (_, member) in document.section(part) {
            if scope.is_wanted(member).unwrap_or(true) {
                exports::collect(member, &scope, &mut names);
            }
        }
    }
    names
        .into_iter()
        .find(|export| exports::value(world, export).is_none())
}

fn put_back(world: &mut World, name: &str, run: Run) {
    if let Some(stack) = stack_mut(world, name) {
        stack.run = Some(run);
    }
}

/// One second passes in every stack that something is done to.
pub(crate) fn tick(world: &mut World) {
    change_set::tick(world);
    let state = &world.services.cloudformation;
    let busy: Vec<String> = state
        .stacks
        .values()
        .filter(|stack| stack.run.as_ref().is_some_and(|run| run.phase != Phase::Halted))
        .map(|stack| stack.spec.name.clone())
        .collect();
    for name in busy {
        let Some(mut run) = stack_mut(world, &name).and_then(|stack| stack.run.take()) else {
            continue;
        };
        if run.starts > world.now {
            put_back(world, &name, run);
            continue;
        }
        for at in 0..run.jobs.len() {
            job::advance(world, &name, &mut run, at);
        }
        end::look(world, &name, run);
    }
}

impl Run {
    fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether everything that a job waits for is done.
    fn is_ready(&self, job: &Job) -> bool {
        let mut others = self
            .jobs
            .iter()
            .filter(|other| job.needs.contains(&other.logical));
        others.all(|other| other.step == Step::Done)
    }

    /// Whether a job can never begin, because one that it waits for has failed.
    fn is_blocked(&self, job: &Job) -> bool {
        let mut others = self
            .jobs
            .iter()
            .filter(|other| job.needs.contains(&other.logical));
        job.step == Step::Waiting
            && others.any(|other| matches!(other.step, Step::Failed) || self.is_blocked(other))
    }

    /// The resources whose jobs have failed in this way.
    fn failed(&self, made: bool) -> Vec<&str> {
        let failed = self.jobs.iter().filter(|job| job.step == Step::Failed);
        let failed = failed.filter(|job| matches!(job.work, Work::Create) == made);
        failed.map(|job| job.logical.as_str()).collect()
    }
}

/// A value of the template that is being deployed, with every function carried out on the stack as it is now.
fn resolved(world: &World, name: &str, set: &ChangeSet, value: &Value) -> Result<Option<Value>, String> {
    let document = set.document();
    let values = document.resolved(world, &set.parameters);
    let stack = find(world, name).ok_or("the stack is gone")?;
    let present = |logical: &str, attribute: Option<&str>| {
        let resource = stack
            .resource(logical)
            .ok_or_else(|| format!("Unresolved resource dependency {logical}"))?;
        match attribute {
            None => Ok(json!(resource.physical)),
            Some(attribute) => kinds::attribute(world, resource, attribute)
                .ok_or_else(|| format!("Attribute '{attribute}' does not exist")),
        }
    };
    Scope::new(world, &document, name, &stack.id, &values, &present).value(value)
}
