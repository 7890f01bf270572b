//! `DeleteStack` and `UpdateTerminationProtection`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stack::{Happened, tell};
use super::{deployment, exports, find, named, validation};
use crate::error::OpResult;
use crate::service::member::{flag, text, texts};
use crate::world::World;

pub(super) fn delete_stack(world: &mut World, input: &Value) -> OpResult {
    let given = text(input, "StackName").unwrap_or_default();
    // A stack that is not there, or that is gone already, is deleted.
    let Some(name) = named(world, given) else {
        return Ok(json!({}));
    };
    let token = text(input, "ClientRequestToken");
    if let Some(token) = token
        && !deployment::remember(world, &name, token, "DeleteStack")?
    {
        return Ok(json!({}));
    }
    let Some(stack) = find(world, &name) else {
        return Ok(json!({}));
    };
    let (id, status) = (stack.id.clone(), stack.status);
    if stack.protected {
        return Err(validation(format!(
            "Stack [{given}] cannot be deleted while TerminationProtection is enabled"
        )));
    }
    let retain: BTreeSet<String> = texts(input, "RetainResources").into_iter().collect();
    if !retain.is_empty() && status != "DELETE_FAILED" {
        return Err(validation(format!(
            "Invalid operation on stack [{id}]. RetainResources can be specified only for a stack in the DELETE_FAILED \
             state."
        )));
    }
    if let Some(stranger) = retain.iter().find(|logical| stack.resource(logical).is_none()) {
        return Err(validation(format!(
            "The specified resources to retain must be in a valid state. Resource [{stranger}] is not in the stack."
        )));
    }
    match status {
        "DELETE_IN_PROGRESS" => return Ok(json!({})),
        // There is nothing in it.
        "REVIEW_IN_PROGRESS" => {
            super::stack::set_status(world, &name, token, "DELETE_COMPLETE", Some("User Initiated"));
            deployment::bury(world, &name);
            return Ok(json!({}));
        }
        status if status.ends_with("_IN_PROGRESS") && status != "CREATE_IN_PROGRESS" => {
            return Err(validation(format!(
                "Stack [{name}] cannot be deleted while in status {status}"
            )));
        }
        _ => {}
    }
    let exported: Vec<String> = stack
        .spec
        .outputs
        .iter()
        .filter_map(|output| output.export.clone())
        .collect();
    for export in exported {
        let importers: Vec<String> = exports::importers(world, &export);
        if importers.is_empty() {
            continue;
        }
        // The request is accepted; the stack stays in the state that it has, and an event says why.
        let reason = format!(
            "Delete canceled. Cannot delete export {export} as it is in use by {}.",
            exports::listed(&importers)
        );
        let happened = Happened {
            logical: &name,
            physical: &id,
            kind: "AWS::CloudFormation::Stack",
            status,
            reason: Some(&reason),
            properties: None,
        };
        tell(world, &name, token, &happened);
        if let Some(stack) = super::stack_mut(world, &name) {
            stack.reason = Some(reason);
        }
        return Ok(json!({}));
    }
    deployment::begin_deletion(world, &name, token, retain);
    Ok(json!({}))
}

pub(super) fn protect(world: &mut World, input: &Value) -> OpResult {
    let given = text(input, "StackName").unwrap_or_default();
    let name = named(world, given).ok_or_else(|| validation(format!("Stack [{given}] does not exist")))?;
    let protected = flag(input, "EnableTerminationProtection") == Some(true);
    let stack = super::stack_mut(world, &name);
    let id = stack.map(|stack| {
        stack.protected = protected;
        stack.id.clone()
    });
    Ok(json!({ "StackId": id }))
}
