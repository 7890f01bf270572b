//! Which of a service's tasks are healthy, and what becomes of those that are not.

use super::scheduler::{deployment_of, tasks_of};
use super::service::{RolloutState, target_group, tell};
use super::stop;
use super::task::{Health, StopCode, Task};
use crate::service::elb;
use crate::world::World;

/// Looks at every running task: at its target's health and at its containers' health checks, which
/// count only after the grace period.
pub(super) fn look(world: &mut World, index: usize) {
    let now = world.now;
    let service = &world.services.ecs.services[index];
    let (grace, port) = (service.grace, service.load_balancer.port);
    let Some(group) = target_group(world, &service.name).map(str::to_owned) else {
        return;
    };
    for position in tasks_of(world, index, Task::is_running) {
        let task = &world.services.ecs.tasks[position];
        let target = elb::health(world, &group, &task.interface.ip).cloned();
        let container = task.health(world);
        let past_grace = task.started.is_some_and(|started| now > started + grace);
        let (id, known) = (task.id.clone(), task.unwell.is_some());
        match target {
            Some(elb::Health::Healthy) if container == Health::Healthy && (known || !task.proven) => {
                prove(world, index, position);
            }
            Some(elb::Health::Unhealthy(failure)) if past_grace && !known => {
                let why = format!(
                    "(task {id}) (port {port}) is unhealthy in (target-group {group}) due to (reason {}).",
                    failure.description()
                );
                tell(world, index, &why);
                let reason = format!("Task failed ELB health checks in (target-group {group})");
                condemn(world, index, position, reason);
            }
            _ if container == Health::Unhealthy && past_grace && !known => {
                tell(
                    world,
                    index,
                    &format!("(task {id}) failed container health checks."),
                );
                condemn(
                    world,
                    index,
                    position,
                    "Task failed container health checks".to_owned(),
                );
            }
            _ => {}
        }
    }
}

/// A task is healthy: "the failure count is reset when a task is determined to be healthy".
fn prove(world: &mut World, index: usize, position: usize) {
    let task = &mut world.services.ecs.tasks[position];
    task.proven = true;
    task.unwell = None;
    let id = deployment_of(task).to_owned();
    let service = &mut world.services.ecs.services[index];
    if let Some(deployment) = service.deployments.iter_mut().find(|known| known.id == id) {
        deployment.failed = 0;
        deployment.impaired = false;
    }
    service.complained = None;
}

/// A task of a rollout that is still under way fails it; one of a completed deployment is replaced
/// first and stopped afterwards ("Amazon ECS services": unhealthy tasks and `maximumPercent`).
fn condemn(world: &mut World, index: usize, position: usize, reason: String) {
    let id = deployment_of(&world.services.ecs.tasks[position]);
    let completed = world.services.ecs.services[index]
        .deployments
        .iter()
        .any(|deployment| deployment.id == id && deployment.state == RolloutState::Completed);
    world.services.ecs.services[index].steady_since = None;
    if completed {
        world.services.ecs.tasks[position].unwell = Some(reason);
    } else {
        stop::begin(world, position, StopCode::ServiceSchedulerInitiated, reason);
    }
}

/// Stops unhealthy tasks whose replacements are healthy. When there is no room for replacements, or
/// these are unhealthy too, the oldest ones make room.
pub(super) fn dismiss(world: &mut World, index: usize, own: &[usize], full: bool) {
    let mut unwell = tasks_of(world, index, |task| task.unwell.is_some() && !task.is_doomed());
    if unwell.is_empty() {
        return;
    }
    let desired = world.services.ecs.services[index].desired;
    let healthy = own
        .iter()
        .filter(|&&position| world.services.ecs.tasks[position].is_healthy())
        .count();
    let replaced = healthy >= desired;
    // As long as replacements are on their way, everything stays as it is.
    if !replaced && (!full || own.len() > healthy) {
        return;
    }
    if !replaced {
        unwell.sort_by_key(|&position| world.services.ecs.tasks[position].created);
        let keep = desired
            .saturating_sub(healthy)
            .min(unwell.len().saturating_sub(1));
        unwell.truncate(unwell.len() - keep);
    }
    let count = unwell.len();
    for position in unwell {
        if let Some(reason) = world.services.ecs.tasks[position].unwell.clone() {
            stop::begin(world, position, StopCode::ServiceSchedulerInitiated, reason);
        }
    }
    tell(
        world,
        index,
        &format!("Amazon ECS replaced {count} tasks due to an unhealthy status."),
    );
}
