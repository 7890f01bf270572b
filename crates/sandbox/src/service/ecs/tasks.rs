//! ListTasks and DescribeTasks.

use std::time::Duration;

use serde_json::{Value, json};

use super::task::{self, Task, described};
use super::{bad_token, check_cluster, check_length, invalid, page_size, service};
use crate::error::{ApiError, OpResult};
use crate::service::member::{page, present, text, texts};
use crate::world::World;

/// How long ECS needs before every part of it knows a new task (API reference of RunTask: "eventual
/// consistency model"), unless told otherwise.
const CONSISTENT_AFTER: Duration = Duration::from_secs(1);

impl World {
    /// From now on ECS lists and describes new tasks only after `delay`. Its API reference promises no time.
    pub fn show_new_tasks_after(&mut self, delay: Duration) {
        self.services.ecs.consistent_after = Some(delay);
    }
}

/// The task that an id or ARN names.
pub(super) fn find(world: &World, named: &str) -> Option<usize> {
    let id = named.rsplit('/').next().unwrap_or(named);
    let index = world.services.ecs.tasks.iter().position(|task| task.id == id)?;
    let whole = named == id || named == task::arn(world, id);
    whole.then_some(index)
}

fn is_known(world: &World, task: &Task) -> bool {
    let after = world.services.ecs.consistent_after.unwrap_or(CONSISTENT_AFTER);
    world.now >= task.created + after
}

pub(super) fn list_tasks(world: &World, input: &Value) -> OpResult {
    check_cluster(world, input)?;
    let started_by = text(input, "startedBy");
    let service_name = text(input, "serviceName");
    let others = [
        "serviceName",
        "family",
        "containerInstance",
        "launchType",
        "daemonName",
    ];
    if started_by.is_some() && others.iter().any(|name| input.get(name).is_some()) {
        return Err(invalid("cannot specify startedBy with other arguments"));
    }
    let service_name = match service_name {
        None => None,
        Some(named) => Some(
            service::find(world, named)
                .ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?
                .name
                .as_str(),
        ),
    };
    let family = text(input, "family");
    let doomed = match text(input, "desiredStatus").unwrap_or("RUNNING") {
        "RUNNING" => Some(false),
        "STOPPED" => Some(true),
        // ECS never sets the desired status PENDING.
        _ => None,
    };
    let arns: Vec<String> = world
        .services
        .ecs
        .tasks
        .iter()
        .filter(|task| {
            is_known(world, task)
                && doomed == Some(task.is_doomed())
                && started_by.is_none_or(|by| task.started_by.as_deref() == Some(by))
                && service_name.is_none_or(|name| task.service.as_ref().is_some_and(|(own, _)| own == name))
                && family
                    .is_none_or(|family| world.services.ecs.definitions[task.definition].family == family)
                && text(input, "launchType").is_none_or(|launch| launch == "FARGATE")
                && text(input, "containerInstance").is_none()
        })
        .map(|task| task.arn(world))
        .collect();
    let size = page_size(input, 100)?;
    let (arns, next) = page(arns, text(input, "nextToken"), size, bad_token)?;
    Ok(present(json!({"taskArns": arns, "nextToken": next})))
}

pub(super) fn describe(world: &World, input: &Value) -> OpResult {
    check_cluster(world, input)?;
    check_length(input, "tasks", "Tasks", 100)?;
    let with_tags = texts(input, "include").iter().any(|field| field == "TAGS");
    let mut tasks = Vec::new();
    let mut failures = Vec::new();
    for named in texts(input, "tasks") {
        let task = find(world, &named)
            .map(|index| &world.services.ecs.tasks[index])
            .filter(|task| is_known(world, task));
        match task {
            Some(task) => {
                let mut task = described(world, task);
                if !with_tags && let Some(members) = task.as_object_mut() {
                    members.remove("tags");
                }
                tasks.push(task);
            }
            None => {
                let arn = if named.starts_with("arn:") {
                    named
                } else {
                    task::arn(world, &named)
                };
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}))
}
