//! `DescribeChangeSet` and `ListChangeSets`.

use serde_json::{Value, json};

use super::super::{describe, document::Document, find, paged};
use super::{ChangeSet, Planned, named, stack_named};
use crate::error::OpResult;
use crate::service::member::{flag, present};
use crate::service::paging::page;
use crate::world::World;

/// Changes on one page.
const A_PAGE: usize = 100;

pub(in super::super) fn describe(world: &mut World, input: &Value) -> OpResult {
    let (stack, set) = named(world, input)?;
    let values = flag(input, "IncludePropertyValues") == Some(true);
    let changes: Vec<Value> = match &set.outcome {
        Some(Ok(changes)) => changes.iter().map(|change| shown(change, values)).collect(),
        _ => Vec::new(),
    };
    let (changes, next) = page(changes, input["NextToken"].as_str(), A_PAGE)
        .map_err(|_| super::validation("Invalid NextToken"))?;
    let document = Document::parse(&set.template).unwrap_or_default();
    let parameters = describe::parameters(world, &document, &set.parameters);
    let mut answer = summary(world, stack, set);
    answer["Parameters"] = parameters;
    answer["NotificationARNs"] = json!([]);
    answer["RollbackConfiguration"] = json!({});
    answer["Capabilities"] = json!(set.capabilities);
    answer["Tags"] = set
        .tags
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    answer["Changes"] = json!(changes);
    answer["NextToken"] = json!(next);
    answer["OnStackFailure"] = json!(set.on_failure);
    Ok(present(answer))
}

pub(in super::super) fn list(world: &mut World, input: &Value) -> OpResult {
    let name = stack_named(world, input)?;
    let sets = find(world, &name).map(|stack| stack.change_sets.iter());
    let summaries = sets.into_iter().flatten();
    let summaries = summaries.map(|set| present(summary(world, &name, set))).collect();
    paged("Summaries", summaries, input)
}

/// What both operations say.
fn summary(world: &World, stack: &str, set: &ChangeSet) -> Value {
    let id = find(world, stack).map(|stack| stack.id.clone());
    let reason = match &set.outcome {
        Some(Err(reason)) => Some(reason),
        _ => None,
    };
    json!({
        "StackId": id,
        "StackName": stack,
        "ChangeSetId": set.id,
        "ChangeSetName": set.name,
        "Description": set.description,
        "CreationTime": set.created.epoch_seconds(),
        "Status": set.status(world.now),
        "StatusReason": reason,
        "ExecutionStatus": set.execution,
        "IncludeNestedStacks": false,
        "ImportExistingResources": false,
    })
}

/// A change as the API shows it; the properties of before and after only when they are asked for.
fn shown(change: &Planned, values: bool) -> Value {
    let details: Vec<Value> = change
        .details
        .iter()
        .map(|detail| {
            let mut target = json!({
                "Attribute": detail.attribute,
                "Name": detail.property,
                "RequiresRecreation": detail.recreation,
            });
            if values && let Some(property) = &detail.property {
                target["Path"] = json!(format!("/Properties/{property}"));
                target["BeforeValue"] = plain(change.before.get(property));
                target["AfterValue"] = plain(change.after.get(property));
                target["AttributeChangeType"] =
                    json!(match (change.before.get(property), change.after.get(property)) {
                        (None, _) => "Add",
                        (_, None) => "Remove",
                        _ => "Modify",
                    });
            }
            json!({
                "Target": target,
                "Evaluation": detail.evaluation,
                "ChangeSource": detail.source,
                "CausingEntity": detail.cause,
            })
        })
        .collect();
    let context = |properties: &Value| match values && !properties.is_null() {
        true => json!(json!({ "Properties": properties }).to_string()),
        false => Value::Null,
    };
    present(json!({
        "Type": "Resource",
        "ResourceChange": {
            "PolicyAction": change.policy_action(),
            "Action": change.action.name(),
            "LogicalResourceId": change.logical,
            "PhysicalResourceId": change.physical,
            "ResourceType": change.kind,
            "Replacement": change.replacement.map(super::Replacement::name),
            "Scope": change.scope,
            "Details": details,
            "BeforeContext": context(&change.before),
            "AfterContext": context(&change.after),
        },
    }))
}

fn plain(value: Option<&Value>) -> Value {
    match value {
        None => Value::Null,
        Some(Value::String(text)) => json!(text),
        Some(other) => json!(other.to_string()),
    }
}
