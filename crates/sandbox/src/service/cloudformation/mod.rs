//! CloudFormation: stacks with their outputs, resources, events and templates.

mod drift;
mod resources;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::paging::{page, strings};
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

/// Stacks, summaries, events and exports on one page.
const A_PAGE: usize = 100;

/// Stacks by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    stacks: BTreeMap<String, Stack>,
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
    pub(crate) physical: String,
    /// `AWS::AutoScaling::AutoScalingGroup`
    pub(crate) kind: String,
    /// What the template says of it, with names and ARNs as they are in the account; null when nothing.
    pub(crate) properties: Value,
    /// What the template says beside them, such as `UpdatePolicy`; null when nothing.
    pub(crate) attributes: Value,
}

#[derive(Debug)]
struct Stack {
    id: String,
    spec: StackSpec,
    /// As it was deployed.
    template: String,
    /// Newest first.
    events: Vec<Value>,
}

impl Stack {
    fn status(&self) -> &'static str {
        match self.spec.updated {
            Some(_) => "UPDATE_COMPLETE",
            None => "CREATE_COMPLETE",
        }
    }
}

operations! {
    Read DescribeStackDriftDetectionStatus => drift::status,
    Read DescribeStackEvents => describe_stack_events,
    Read DescribeStackResourceDrifts => drift::resource_drifts,
    Read DescribeStackResources => resources::describe,
    Read DescribeStacks => describe_stacks,
    Read DetectStackDrift => drift::detect,
    Read GetTemplate => template::get_template,
    Read ListExports => list_exports,
    Read ListStackResources => resources::list,
    Read ListStacks => list_stacks,
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
    deployment(world, &id, &spec, "CREATE", spec.created, &mut events);
    if let Some(updated) = spec.updated {
        deployment(world, &id, &spec, "UPDATE", updated, &mut events);
    }
    events.reverse();
    let template = template::body(&world.services.cloudformation, &spec);
    let stack = Stack {
        id,
        spec,
        template,
        events,
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
        deployment(world, &stack.id, &spec, "UPDATE", now, &mut events);
        events.reverse();
        events.append(&mut stack.events);
        stack.events = events;
        stack.spec = StackSpec {
            updated: Some(now),
            ..spec
        };
        stack.template = template;
    }
    world
        .services
        .cloudformation
        .stacks
        .insert(name.to_owned(), stack);
}

/// Every resource of every stack, with the name of its stack.
pub(crate) fn resources(world: &World) -> impl Iterator<Item = (&str, &Resource)> {
    let stacks = world.services.cloudformation.stacks.values();
    stacks.flat_map(|stack| {
        stack
            .spec
            .resources
            .iter()
            .map(|resource| (stack.spec.name.as_str(), resource))
    })
}

/// When the stack was last deployed.
pub(crate) fn deployed(world: &World, stack: &str) -> Option<SimTime> {
    let spec = &world.services.cloudformation.stacks.get(stack)?.spec;
    Some(spec.updated.unwrap_or(spec.created))
}

/// The events of one deployment, oldest first: the stack begins, each resource goes by, the stack ends.
fn deployment(
    world: &mut World,
    id: &str,
    spec: &StackSpec,
    verb: &str,
    began: SimTime,
    events: &mut Vec<Value>,
) {
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

fn find<'a>(world: &'a World, wanted: &str) -> Option<&'a Stack> {
    let stacks = &world.services.cloudformation.stacks;
    stacks
        .get(wanted)
        .or_else(|| stacks.values().find(|stack| stack.id == wanted))
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

fn shown(world: &World, stack: &Stack) -> Value {
    let spec = &stack.spec;
    let mut shape = Map::new();
    let mut set = |name: &str, value: Value| {
        shape.insert(name.to_owned(), value);
    };
    set("StackId", json!(stack.id));
    set("StackName", json!(spec.name));
    set("Description", json!(spec.description));
    set("CreationTime", json!(spec.created.epoch_seconds()));
    if let Some(updated) = spec.updated {
        set("LastUpdatedTime", json!(updated.epoch_seconds()));
    }
    set("RollbackConfiguration", json!({}));
    set("StackStatus", json!(stack.status()));
    set("DisableRollback", json!(false));
    set("NotificationARNs", json!([]));
    set(
        "Capabilities",
        json!(["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]),
    );
    set(
        "Outputs",
        spec.outputs
            .iter()
            .map(|output| {
                let mut item = json!({ "OutputKey": output.key, "OutputValue": output.value });
                if let Some(export) = &output.export {
                    item["ExportName"] = json!(export);
                }
                item
            })
            .collect(),
    );
    set(
        "Tags",
        spec.tags
            .iter()
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect(),
    );
    set("EnableTerminationProtection", json!(false));
    set("DriftInformation", drift::information(world, stack));
    Value::Object(shape)
}

fn describe_stacks(world: &mut World, input: &Value) -> OpResult {
    if let Some(name) = input["StackName"].as_str() {
        let stack =
            find(world, name).ok_or_else(|| validation(format!("Stack with id {name} does not exist")))?;
        return Ok(json!({ "Stacks": [shown(world, stack)] }));
    }
    let stacks = world.services.cloudformation.stacks.values();
    let stacks = stacks.map(|stack| shown(world, stack)).collect();
    paged("Stacks", stacks, input)
}

fn list_stacks(world: &mut World, input: &Value) -> OpResult {
    let statuses = strings(input, "StackStatusFilter");
    let mut stacks: Vec<&Stack> = world
        .services
        .cloudformation
        .stacks
        .values()
        .filter(|stack| statuses.is_empty() || statuses.contains(&stack.status()))
        .collect();
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.spec.created));
    let summaries = stacks
        .into_iter()
        .map(|stack| {
            let mut item = json!({
                "StackId": stack.id,
                "StackName": stack.spec.name,
                "TemplateDescription": stack.spec.description,
                "CreationTime": stack.spec.created.epoch_seconds(),
                "StackStatus": stack.status(),
                "DriftInformation": drift::information(world, stack),
            });
            if let Some(updated) = stack.spec.updated {
                item["LastUpdatedTime"] = json!(updated.epoch_seconds());
            }
            item
        })
        .collect();
    paged("StackSummaries", summaries, input)
}

fn describe_stack_events(world: &mut World, input: &Value) -> OpResult {
    let name = input["StackName"].as_str().unwrap_or_default();
    let stack = find(world, name).ok_or_else(|| validation(format!("Stack [{name}] does not exist")))?;
    paged("StackEvents", stack.events.clone(), input)
}

fn list_exports(world: &mut World, input: &Value) -> OpResult {
    let mut exports = BTreeMap::new();
    for stack in world.services.cloudformation.stacks.values() {
        for output in &stack.spec.outputs {
            if let Some(name) = &output.export {
                exports.insert(
                    name.clone(),
                    json!({ "ExportingStackId": stack.id, "Name": name, "Value": output.value }),
                );
            }
        }
    }
    paged("Exports", exports.into_values().collect(), input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    #[test]
    fn a_missing_stack_is_named_in_the_words_of_each_operation() {
        let mut world = World::new(Options::default());
        let mut message = |operation| {
            let input = json!({"StackName": "bp-none"});
            world
                .call(Service::CloudFormation, operation, &input)
                .unwrap_err()
                .message
        };
        assert_eq!(message("DescribeStacks"), "Stack with id bp-none does not exist");
        assert_eq!(message("DescribeStackEvents"), "Stack [bp-none] does not exist");
    }

    #[test]
    fn events_tell_the_last_deployment_first() {
        let mut world = World::new(Options::default());
        let created = SimTime(1_000_000);
        put_stack(
            &mut world,
            StackSpec {
                name: "t".to_owned(),
                created,
                updated: Some(created + Duration::from_secs(3600)),
                resources: vec![Resource {
                    logical: "Queue".to_owned(),
                    physical: "q".to_owned(),
                    kind: "AWS::SQS::Queue".to_owned(),
                    properties: Value::Null,
                    attributes: Value::Null,
                }],
                ..StackSpec::default()
            },
        );
        let input = json!({"StackName": "t"});
        let events = world
            .call(Service::CloudFormation, "DescribeStackEvents", &input)
            .unwrap();
        let events = events["StackEvents"].as_array().unwrap();
        assert_eq!(events.len(), 8);
        assert_eq!(events[0]["ResourceStatus"], "UPDATE_COMPLETE");
        assert_eq!(events[7]["ResourceStatusReason"], "User Initiated");
        assert_eq!(events[7]["ResourceStatus"], "CREATE_IN_PROGRESS");
    }
}
