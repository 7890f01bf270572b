//! RegisterTaskDefinition and ListTaskDefinitions.

use serde_json::{Value, json};

use super::definition::{self, ContainerDefinition, HealthCheck, TaskDefinition};
use super::{bad_token, page_size};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, integer, list as items, page, present, text, texts};
use crate::world::World;

fn refused(message: impl Into<String>) -> ApiError {
    ApiError::client("ClientException", message)
}

pub(super) fn register(world: &mut World, input: &Value) -> OpResult {
    let family = text(input, "family").unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if family.is_empty() || family.len() > 255 || !family.chars().all(letters) {
        return Err(refused("Invalid family name."));
    }
    let containers: Vec<ContainerDefinition> = items(input, "containerDefinitions")
        .iter()
        .map(container)
        .collect();
    if containers.is_empty() {
        return Err(refused("Container list cannot be empty."));
    }
    if !containers.iter().any(|container| container.essential) {
        return Err(refused("At least one container must be essential."));
    }
    let number = |member: &str| text(input, member).and_then(|text| text.parse().ok());
    // Fargate takes its size from the task (API reference, RegisterTaskDefinition, `cpu` and `memory`).
    let (Some(cpu), Some(memory)) = (number("cpu"), number("memory")) else {
        return Err(refused(
            "Fargate requires that 'cpu' and 'memory' be defined at the task level.",
        ));
    };
    let index = definition::register(
        world,
        TaskDefinition {
            family: family.to_owned(),
            revision: 1,
            cpu,
            memory,
            registered: world.now,
            containers,
            input: Some(input.clone()),
        },
    );
    let mut described = definition::described(world, index);
    described["tags"] = input.get("tags").cloned().unwrap_or_else(|| json!([]));
    Ok(present(described))
}

fn container(given: &Value) -> ContainerDefinition {
    let pairs = |member: &str, value: &str| -> Vec<(String, String)> {
        items(given, member)
            .iter()
            .map(|pair| {
                let part = |name: &str| text(pair, name).unwrap_or_default().to_owned();
                (part("name"), part(value))
            })
            .collect()
    };
    let options = given
        .get("logConfiguration")
        .and_then(|logs| logs.get("options"))
        .cloned()
        .unwrap_or_default();
    let option = |name: &str| text(&options, name).unwrap_or_default().to_owned();
    let seconds = |check: &Value, member: &str, otherwise: u32| {
        integer(check, member)
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(otherwise)
    };
    ContainerDefinition {
        name: text(given, "name").unwrap_or_default().to_owned(),
        image: text(given, "image").unwrap_or_default().to_owned(),
        essential: flag(given, "essential").unwrap_or(true),
        entry_point: texts(given, "entryPoint"),
        command: texts(given, "command"),
        environment: pairs("environment", "value"),
        secrets: pairs("secrets", "valueFrom"),
        port: items(given, "portMappings")
            .first()
            .and_then(|mapping| integer(mapping, "containerPort"))
            .and_then(|port| u16::try_from(port).ok()),
        log_group: option("awslogs-group"),
        stream_prefix: option("awslogs-stream-prefix"),
        // Defaults of the API reference, HealthCheck.
        health_check: given.get("healthCheck").map(|check| HealthCheck {
            command: texts(check, "command"),
            interval: seconds(check, "interval", 30),
            timeout: seconds(check, "timeout", 5),
            retries: seconds(check, "retries", 3),
            start_period: seconds(check, "startPeriod", 0),
        }),
    }
}

pub(super) fn list(world: &World, input: &Value) -> OpResult {
    let prefix = text(input, "familyPrefix");
    // Nothing is ever deregistered here.
    let active = text(input, "status").unwrap_or("ACTIVE") == "ACTIVE";
    let mut known: Vec<&TaskDefinition> = world
        .services
        .ecs
        .definitions
        .iter()
        // "the full family name": not a beginning of it (API reference, ListTaskDefinitions).
        .filter(|definition| active && prefix.is_none_or(|family| definition.family == family))
        .collect();
    known.sort_by(|a, b| (&a.family, a.revision).cmp(&(&b.family, b.revision)));
    if text(input, "sort") == Some("DESC") {
        known.reverse();
    }
    let arns: Vec<String> = known.iter().map(|definition| definition.arn(world)).collect();
    // ListTaskDefinitions answers 100 a page unless told otherwise, at most 100 (API reference).
    let size = page_size(input, 100)?;
    let (arns, next) = page(arns, text(input, "nextToken"), size, bad_token)?;
    Ok(present(json!({"taskDefinitionArns": arns, "nextToken": next})))
}
