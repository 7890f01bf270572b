//! RunTask.

use serde_json::{Value, json};

use super::launch::{self, Order};
use super::task::{self, described};
use super::{check_cluster, definition, invalid, scheduler};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, integer, list, text, texts};
use crate::world::World;

/// RunTask starts at most 10 tasks at once (API reference).
const MOST: i64 = 10;

pub(super) fn run(world: &mut World, input: &Value) -> OpResult {
    check_cluster(world, input)?;
    if let Some(answer) = repeated(world, input) {
        return answer;
    }
    let definition = definition::find(world, text(input, "taskDefinition").unwrap_or_default())
        .ok_or_else(|| ApiError::client("ClientException", "TaskDefinition not found."))?;
    check(world, input, definition)?;
    let network = input
        .get("networkConfiguration")
        .and_then(|network| network.get("awsvpcConfiguration"))
        .ok_or_else(|| {
            invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        })?;
    let subnets = texts(network, "subnets");
    check_network(world, network, &subnets)?;
    let capacity_provider = list(input, "capacityProviderStrategy")
        .first()
        .and_then(|item| text(item, "capacityProvider"))
        .map(str::to_owned);
    let family = world.services.ecs.definitions[definition].family.clone();
    let mut ids = Vec::new();
    let mut failures = Vec::new();
    for _ in 0..integer(input, "count").unwrap_or(1) {
        if !scheduler::has_capacity(world, capacity_provider.as_deref()) {
            failures.push(json!({"reason": format!("{}.", scheduler::NO_CAPACITY)}));
            continue;
        }
        let order = Order {
            definition,
            started_by: text(input, "startedBy").map(str::to_owned),
            service: None,
            group: text(input, "group").map_or_else(|| format!("family:{family}"), str::to_owned),
            capacity_provider: capacity_provider.clone(),
            tags: list(input, "tags").to_vec(),
            overrides: input.get("overrides").cloned().unwrap_or_else(|| json!({})),
            execute_command: flag(input, "enableExecuteCommand").unwrap_or(false),
            subnets: subnets.clone(),
            public_address: text(network, "assignPublicIp") == Some("ENABLED"),
        };
        ids.push(launch::place(world, order));
    }
    if let (Some(token), false) = (text(input, "clientToken"), ids.is_empty()) {
        let known = (input.clone(), ids.clone());
        world.services.ecs.tokens.insert(token.to_owned(), known);
    }
    Ok(json!({"tasks": tasks(world, &ids), "failures": failures}))
}

fn tasks(world: &World, ids: &[String]) -> Vec<Value> {
    world
        .services
        .ecs
        .tasks
        .iter()
        .filter(|task| ids.contains(&task.id))
        .map(|task| described(world, task))
        .collect()
}

/// The answer to a request whose client token was used before: the same tasks for the same request, a
/// conflict for another one ("Ensuring idempotency").
fn repeated(world: &World, input: &Value) -> Option<OpResult> {
    let token = text(input, "clientToken")?;
    let (request, ids) = world.services.ecs.tokens.get(token)?;
    if request == input {
        return Some(Ok(json!({"tasks": tasks(world, ids), "failures": []})));
    }
    let mut error = ApiError::client(
        "ConflictException",
        "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use with a different RunTask request.",
    );
    let arns: Vec<String> = ids.iter().map(|id| task::arn(world, id)).collect();
    error.members.insert("resourceIds".to_owned(), Value::from(arns));
    Some(Err(error))
}

fn check(world: &World, input: &Value, definition: usize) -> Result<(), ApiError> {
    let count = integer(input, "count").unwrap_or(1);
    if !(1..=MOST).contains(&count) {
        return Err(invalid(format!("Count must be between 1 and {MOST}.")));
    }
    if text(input, "startedBy").is_some_and(|by| by.chars().count() > 128) {
        return Err(invalid("startedBy must be at most 128 characters long."));
    }
    if text(input, "clientToken").is_some_and(|token| token.chars().count() > 64) {
        return Err(invalid("clientToken must be at most 64 characters long."));
    }
    if text(input, "launchType").is_some() && !list(input, "capacityProviderStrategy").is_empty() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    if matches!(text(input, "launchType"), Some("EC2" | "EXTERNAL")) {
        return Err(invalid("No Container Instances were found in your cluster."));
    }
    for overriding in input
        .get("overrides")
        .map_or(&[][..], |overrides| list(overrides, "containerOverrides"))
    {
        let name = text(overriding, "name").unwrap_or_default();
        if !world.services.ecs.definitions[definition]
            .containers
            .iter()
            .any(|container| container.name == name)
        {
            return Err(invalid(format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            )));
        }
    }
    Ok(())
}

fn check_network(world: &World, network: &Value, subnets: &[String]) -> Result<(), ApiError> {
    if subnets.is_empty() {
        return Err(invalid("subnets can not be empty."));
    }
    for subnet in subnets {
        if !world
            .services
            .ecs
            .subnets
            .iter()
            .any(|(known, _)| known == subnet)
        {
            return Err(invalid(format!(
                "Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
            )));
        }
    }
    for group in texts(network, "securityGroups") {
        if !world.services.ecs.security_groups.contains(&group) {
            return Err(invalid(format!(
                "Error retrieving security group information for [{group}]: The security group '{group}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )));
        }
    }
    Ok(())
}
