//! How a task is stopped: StopTask and everything else that stops tasks.

use std::time::Duration;

use serde_json::{Value, json};

use super::task::{ContainerStatus, Phase, StopCode, described};
use super::{check_cluster, invalid, life, service, tasks};
use crate::error::OpResult;
use crate::service::member::text;
use crate::world::World;

/// Between SIGTERM and SIGKILL, unless the container definition says otherwise.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// 128 + SIGKILL.
const KILLED: i32 = 137;

pub(super) fn stop(world: &mut World, input: &Value) -> OpResult {
    check_cluster(world, input)?;
    let named = text(input, "task").unwrap_or_default();
    let index = tasks::find(world, named).ok_or_else(|| invalid("The referenced task was not found."))?;
    let reason = text(input, "reason").unwrap_or("Task stopped by user");
    begin(world, index, StopCode::UserInitiated, reason.to_owned());
    let task = &world.services.ecs.tasks[index];
    Ok(json!({"task": described(world, task)}))
}

/// Sets a task on its way to STOPPED; one that is already on it keeps its first reason.
pub(super) fn begin(world: &mut World, index: usize, code: StopCode, reason: String) {
    let now = world.now;
    let task = &mut world.services.ecs.tasks[index];
    if task.is_doomed() {
        return;
    }
    task.stop = Some((code, reason));
    task.stopping = Some(now);
    if task.phase < Phase::Activating {
        // Nothing runs yet: only the network interface has to go.
        for container in &mut task.containers {
            container.status = ContainerStatus::Stopped;
        }
        let until = now + Duration::from_secs(world.application_ids.between(8, 12));
        life::enter(world, index, Phase::Deprovisioning);
        let task = &mut world.services.ecs.tasks[index];
        task.until = until;
        task.execution_stopped = Some(now);
        return;
    }
    if service::deregister_target(world, index) {
        // A task without a connection need not wait for its target to drain.
        let drains = if code == StopCode::EssentialContainerExited {
            2
        } else {
            25
        };
        life::enter(world, index, Phase::Deactivating);
        world.services.ecs.tasks[index].until = now + Duration::from_secs(drains);
    } else {
        terminate_containers(world, index);
    }
}

/// SIGTERM to every container that still runs, SIGKILL for those that do not care.
pub(super) fn terminate_containers(world: &mut World, index: usize) {
    let now = world.now;
    life::enter(world, index, Phase::Stopping);
    for container in &mut world.services.ecs.tasks[index].containers {
        if container.status != ContainerStatus::Running {
            container.status = ContainerStatus::Stopped;
            continue;
        }
        let reaction = container
            .process
            .as_ref()
            .and_then(crate::application::process::Process::terminated);
        let (after, code) = reaction.unwrap_or((STOP_TIMEOUT, KILLED));
        container.dies = Some((now + after, code));
    }
}
