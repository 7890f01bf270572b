//! The resources of a stack: the first hundred (DescribeStackResources), or all in pages (ListStackResources).

use serde_json::{Value, json};

use super::stack::Stack;
use super::{A_PAGE, Resource, find, paged, validation};
use crate::error::OpResult;
use crate::service::member::present;
use crate::world::World;

pub(super) fn describe(world: &mut World, input: &Value) -> OpResult {
    let physical = input["PhysicalResourceId"].as_str();
    let stacks = &world.services.cloudformation.stacks;
    let stack = match (input["StackName"].as_str(), physical) {
        (Some(name), _) => {
            find(world, name).ok_or_else(|| validation(format!("Stack with id {name} does not exist")))?
        }
        (None, Some(id)) => stacks
            .values()
            .find(|stack| stack.spec.resources.iter().any(|r| r.physical == id))
            .ok_or_else(|| validation(format!("Stack for {id} does not exist")))?,
        (None, None) => {
            return Err(validation("Stack name or physical resource id must be specified"));
        }
    };
    let logical = input["LogicalResourceId"].as_str();
    let resources: Vec<Value> = stack
        .spec
        .resources
        .iter()
        .filter(|resource| logical.is_none_or(|wanted| wanted == resource.logical))
        .take(A_PAGE)
        .map(|resource| {
            let mut shown = shown(stack, resource, "Timestamp");
            shown["StackName"] = json!(stack.spec.name);
            shown["StackId"] = json!(stack.id);
            shown
        })
        .collect();
    Ok(json!({ "StackResources": resources }))
}

/// Unlike DescribeStackResources it pages, and names the time differently.
pub(super) fn list(world: &mut World, input: &Value) -> OpResult {
    let name = input["StackName"].as_str().unwrap_or_default();
    let stack =
        find(world, name).ok_or_else(|| validation(format!("Stack with id {name} does not exist")))?;
    let resources = stack.spec.resources.iter();
    let resources = resources
        .map(|resource| shown(stack, resource, "LastUpdatedTimestamp"))
        .collect();
    paged("StackResourceSummaries", resources, input)
}

fn shown(stack: &Stack, resource: &Resource, time: &str) -> Value {
    let state = stack.state(&resource.logical);
    present(json!({
        "LogicalResourceId": resource.logical,
        "PhysicalResourceId": Some(&resource.physical).filter(|id| !id.is_empty()),
        "ResourceType": resource.kind,
        time: state.at.epoch_seconds(),
        "ResourceStatus": state.status,
        "ResourceStatusReason": state.reason,
        "DriftInformation": { "StackResourceDriftStatus": "NOT_CHECKED" },
    }))
}
