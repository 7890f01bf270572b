//! CloudFormation: stacks that are deployed from templates through change sets, with their outputs, resources and events.

mod change_set;
mod deletion;
mod deployment;
mod describe;
mod document;
mod drift;
mod exports;
#[cfg(test)]
mod fleet_tests;
mod intrinsics;
mod kinds;
mod resources;
#[cfg(test)]
mod service_tests;
mod stack;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use self::stack::Stack;
use crate::error::{ApiError, OpResult};
use crate::service::paging::page;
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

pub(crate) use self::deployment::tick;

/// Stacks, summaries, events and exports on one page.
const A_PAGE: usize = 100;

/// Stacks by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    stacks: BTreeMap<String, Stack>,
    /// Stacks that were deleted, in the order of their end. Their names are free again.
    deleted: Vec<Stack>,
    /// What outlived its stack: the name of that stack and the resource.
    retained: Vec<(String, Resource)>,
    /// Comparisons that were asked for, the newest last.
    detections: Vec<drift::Detection>,
}

/// What a stack is created with.
#[derive(Clone, Debug, Default)]
pub(crate) struct StackSpec {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created: SimTime,
    /// The last update, if there was one.
    pub(crate) updated: Option<SimTime>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) resources: Vec<Resource>,
}

/// An output of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) export: Option<String>,
}

/// A resource of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) logical: String,
    /// Empty until the resource is there.
    pub(crate) physical: String,
    /// `AWS::AutoScaling::AutoScalingGroup`
    pub(crate) kind: String,
    /// What the template says of it, with names and ARNs as they are in the account; null when nothing.
    pub(crate) properties: Value,
    /// What the template says beside them, such as `UpdatePolicy`; null when nothing.
    pub(crate) attributes: Value,
}

operations! {
    Write ContinueUpdateRollback => deployment::continue_rollback,
    Write CreateChangeSet => change_set::create,
    Write DeleteChangeSet => change_set::delete,
    Write DeleteStack => deletion::delete_stack,
    Read DescribeChangeSet => change_set::describe,
    Read DescribeStackDriftDetectionStatus => drift::status,
    Read DescribeStackEvents => describe::stack_events,
    Read DescribeStackResourceDrifts => drift::resource_drifts,
    Read DescribeStackResources => resources::describe,
    Read DescribeStacks => describe::stacks,
    Read DetectStackDrift => drift::detect,
    Write ExecuteChangeSet => change_set::execute,
    Read GetTemplate => template::get_template,
    Read ListChangeSets => change_set::list,
    Read ListExports => exports::list,
    Read ListImports => exports::imports,
    Read ListStackResources => resources::list,
    Read ListStacks => describe::list,
    Write UpdateTerminationProtection => deletion::protect,
    Read ValidateTemplate => document::validate,
}

/// The tags that a resource has from its stack, also once it has outlived it ("Resource tags", CloudFormation User
/// Guide: `aws:cloudformation:stack-name` and the stack's own).
pub(crate) fn tags_of(world: &World, physical: &str) -> Vec<Value> {
    let state = &world.services.cloudformation;
    let holds = |stack: &&Stack| stack.spec.resources.iter().any(|one| one.physical == physical);
    let outlived = || {
        let (name, _) = state.retained.iter().find(|(_, one)| one.physical == physical)?;
        state.deleted.iter().rfind(|stack| stack.spec.name == *name)
    };
    let Some(stack) = state.stacks.values().find(holds).or_else(outlived) else {
        return Vec::new();
    };
    let own = stack
        .spec
        .tags
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }));
    own.chain([json!({ "Key": "aws:cloudformation:stack-name", "Value": stack.spec.name })])
        .collect()
}

/// Puts a stack in place as if it had been deployed at the times of its spec.
pub(crate) fn put_stack(world: &mut World, spec: StackSpec) {
    let id = format!(
        "arn:aws:cloudformation:{}:{}:stack/{}/{}",
        world.options.region,
        world.options.account_id,
        spec.name,
        world.ids.uuid()
    );
    let mut events = Vec::new();
    told(world, &id, &spec, "CREATE", spec.created, &mut events);
    if let Some(updated) = spec.updated {
        told(world, &id, &spec, "UPDATE", updated, &mut events);
    }
    events.reverse();
    let template = template::body(&world.services.cloudformation, &spec);
    let stack = Stack {
        events,
        ..Stack::seeded(id, spec, template)
    };
    world
        .services
        .cloudformation
        .stacks
        .insert(stack.spec.name.clone(), stack);
}

/// Deploys a stack again with other outputs and resources; one that is as it was stays as it is.
pub(crate) fn deploy_again(world: &mut World, name: &str, outputs: Vec<Output>, resources: Vec<Resource>) {
    let Some(mut stack) = world.services.cloudformation.stacks.remove(name) else {
        return;
    };
    let spec = StackSpec {
        outputs,
        resources,
        ..stack.spec.clone()
    };
    let template = template::body(&world.services.cloudformation, &spec);
    if template != stack.template {
        let now = world.now;
        let mut events = Vec::new();
        told(world, &stack.id, &spec, "UPDATE", now, &mut events);
        events.reverse();
        events.append(&mut stack.events);
        stack.events = events;
        stack.spec = StackSpec {
            updated: Some(now),
            ..spec
        };
        stack.template = template;
        stack.status = "UPDATE_COMPLETE";
    }
    world
        .services
        .cloudformation
        .stacks
        .insert(name.to_owned(), stack);
}

/// Every resource of every stack, with the name of its stack; also those that outlived their stack, or that an
/// update has replaced and not yet deleted.
pub(crate) fn resources(world: &World) -> impl Iterator<Item = (&str, &Resource)> {
    let state = &world.services.cloudformation;
    let retained = state
        .retained
        .iter()
        .map(|(stack, resource)| (stack.as_str(), resource));
    state
        .stacks
        .values()
        .flat_map(|stack| {
            let present = stack.spec.resources.iter().chain(&stack.leaving);
            present.map(|resource| (stack.spec.name.as_str(), resource))
        })
        .chain(retained)
        .filter(|(_, resource)| !resource.physical.is_empty())
}

/// When the stack was last deployed.
pub(crate) fn deployed(world: &World, stack: &str) -> Option<SimTime> {
    let spec = &world.services.cloudformation.stacks.get(stack)?.spec;
    Some(spec.updated.unwrap_or(spec.created))
}

/// The events of one deployment, oldest first: the stack begins, each resource goes by, the stack ends.
fn told(world: &mut World, id: &str, spec: &StackSpec, verb: &str, began: SimTime, events: &mut Vec<Value>) {
    let itself = Resource {
        logical: spec.name.clone(),
        physical: id.to_owned(),
        kind: "AWS::CloudFormation::Stack".to_owned(),
        properties: Value::Null,
        attributes: Value::Null,
    };
    let mut at = began;
    let mut add = |resource: &Resource, status: String, reason: Option<&str>, at: SimTime| {
        let mut event = json!({
            "StackId": id,
            "EventId": world.ids.uuid(),
            "StackName": spec.name,
            "LogicalResourceId": resource.logical,
            "PhysicalResourceId": resource.physical,
            "ResourceType": resource.kind,
            "Timestamp": at.epoch_seconds(),
            "ResourceStatus": status,
        });
        if let Some(reason) = reason {
            event["ResourceStatusReason"] = json!(reason);
        }
        events.push(event);
    };
    add(&itself, format!("{verb}_IN_PROGRESS"), Some("User Initiated"), at);
    for resource in &spec.resources {
        at = at + Duration::from_secs(4);
        add(resource, format!("{verb}_IN_PROGRESS"), None, at);
        at = at + Duration::from_secs(9);
        add(resource, format!("{verb}_COMPLETE"), None, at);
    }
    at = at + Duration::from_secs(3);
    add(&itself, format!("{verb}_COMPLETE"), None, at);
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

/// A stack by its name, or by its id: then also one that was deleted.
fn find<'a>(world: &'a World, wanted: &str) -> Option<&'a Stack> {
    let state = &world.services.cloudformation;
    let everyone = state.stacks.values().chain(&state.deleted);
    state
        .stacks
        .get(wanted)
        .or_else(|| everyone.into_iter().find(|stack| stack.id == wanted))
}

/// The name of a stack that is there, by name or id.
fn named(world: &World, wanted: &str) -> Option<String> {
    let stack = find(world, wanted).filter(|stack| stack.deleted.is_none())?;
    Some(stack.spec.name.clone())
}

fn stack_mut<'a>(world: &'a mut World, name: &str) -> Option<&'a mut Stack> {
    world.services.cloudformation.stacks.get_mut(name)
}

/// A new stack id.
fn stack_id(world: &mut World, name: &str) -> String {
    format!(
        "arn:aws:cloudformation:{}:{}:stack/{name}/{}",
        world.options.region,
        world.options.account_id,
        world.ids.uuid()
    )
}

fn paged(name: &str, items: Vec<Value>, input: &Value) -> OpResult {
    let (items, next) =
        page(items, input["NextToken"].as_str(), A_PAGE).map_err(|_| validation("Invalid NextToken"))?;
    let mut output = json!({ name: items });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}
