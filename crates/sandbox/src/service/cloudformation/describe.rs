//! `DescribeStacks`, `ListStacks` and `DescribeStackEvents`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::document::Document;
use super::stack::Stack;
use super::{drift, find, paged, validation};
use crate::error::OpResult;
use crate::service::paging::strings;
use crate::world::World;

/// "The stack summary information for deleted stacks is kept for 90 days" (API Reference, ListStacks).
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The values of parameters; of one from Parameter Store also what it stands for. Values of `NoEcho` parameters are
/// masked.
pub(super) fn parameters(world: &World, document: &Document, values: &BTreeMap<String, String>) -> Value {
    values
        .iter()
        .map(|(key, value)| {
            let hidden = document.hides(key);
            let mut shape =
                json!({ "ParameterKey": key, "ParameterValue": if hidden { "****" } else { value } });
            if let Some(resolved) = document.looked_up(world, key, value) {
                shape["ResolvedValue"] = json!(resolved);
            }
            shape
        })
        .collect()
}

fn shown(world: &World, stack: &Stack) -> Value {
    let spec = &stack.spec;
    let mut shape = Map::new();
    let mut set = |name: &str, value: Value| {
        shape.insert(name.to_owned(), value);
    };
    set("StackId", json!(stack.id));
    set("StackName", json!(spec.name));
    if !spec.description.is_empty() {
        set("Description", json!(spec.description));
    }
    set("CreationTime", json!(spec.created.epoch_seconds()));
    if let Some(updated) = spec.updated {
        set("LastUpdatedTime", json!(updated.epoch_seconds()));
    }
    set("RollbackConfiguration", json!({}));
    set("StackStatus", json!(stack.status));
    if let Some(reason) = &stack.reason {
        set("StackStatusReason", json!(reason));
    }
    if let Some(id) = &stack.change_set {
        set("ChangeSetId", json!(id));
    }
    if let Some(deleted) = stack.deleted {
        set("DeletionTime", json!(deleted.epoch_seconds()));
    }
    set("DisableRollback", json!(stack.disable_rollback));
    set("NotificationARNs", json!([]));
    set("Capabilities", json!(stack.capabilities));
    if !stack.parameters.is_empty() {
        let document = Document::parse(&stack.template).unwrap_or_default();
        set("Parameters", parameters(world, &document, &stack.parameters));
    }
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
    set("EnableTerminationProtection", json!(stack.protected));
    set("DriftInformation", drift::information(world, stack));
    Value::Object(shape)
}

pub(super) fn stacks(world: &mut World, input: &Value) -> OpResult {
    if let Some(name) = input["StackName"].as_str() {
        let stack =
            find(world, name).ok_or_else(|| validation(format!("Stack with id {name} does not exist")))?;
        return Ok(json!({ "Stacks": [shown(world, stack)] }));
    }
    let stacks = world.services.cloudformation.stacks.values();
    let stacks = stacks.map(|stack| shown(world, stack)).collect();
    paged("Stacks", stacks, input)
}

pub(super) fn list(world: &mut World, input: &Value) -> OpResult {
    let statuses = strings(input, "StackStatusFilter");
    let state = &world.services.cloudformation;
    let mut stacks: Vec<&Stack> = state
        .stacks
        .values()
        .chain(&state.deleted)
        .filter(|stack| statuses.is_empty() || statuses.contains(&stack.status))
        .filter(|stack| stack.deleted.is_none_or(|at| world.now.since(at) < KEPT))
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
                "StackStatus": stack.status,
                "DriftInformation": drift::information(world, stack),
            });
            if let Some(updated) = stack.spec.updated {
                item["LastUpdatedTime"] = json!(updated.epoch_seconds());
            }
            if let Some(deleted) = stack.deleted {
                item["DeletionTime"] = json!(deleted.epoch_seconds());
            }
            if let Some(reason) = &stack.reason {
                item["StackStatusReason"] = json!(reason);
            }
            item
        })
        .collect();
    paged("StackSummaries", summaries, input)
}

pub(super) fn stack_events(world: &mut World, input: &Value) -> OpResult {
    let name = input["StackName"].as_str().unwrap_or_default();
    let stack = find(world, name).ok_or_else(|| validation(format!("Stack [{name}] does not exist")))?;
    paged("StackEvents", stack.events.clone(), input)
}
