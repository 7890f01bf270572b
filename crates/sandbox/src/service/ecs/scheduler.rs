//! The service scheduler: keeps the desired number of healthy tasks running, rolls deployments out and
//! rolls them back when the circuit breaker says so.

use std::collections::BTreeMap;
use std::time::Duration;

use super::breaker;
use super::judge;
use super::launch::{self, Order};
use super::rollout::Status;
use super::service::{RolloutState, tell};
use super::stop;
use super::task::{Phase, StopCode, Task};
use crate::scenario::Scenario;
use crate::scenario::in_force;
use crate::time::SimTime;
use crate::world::World;

/// "Duplicate event messages are omitted until either the cause is resolved or six hours passes".
const REPEAT: Duration = Duration::from_secs(6 * 3600);
/// Failures in a row after which the service says that it cannot start tasks consistently.
const IMPAIRED_AFTER: usize = 4;
const TROUBLESHOOTING: &str =
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";

pub(super) fn tick(world: &mut World) {
    for index in 0..world.services.ecs.services.len() {
        note_ends(world, index);
        judge::look(world, index);
        breaker::requested(world, index);
        breaker::trip(world, index);
        scale(world, index);
        settle(world, index);
    }
}

/// The positions of a service's tasks that satisfy `wanted`.
pub(super) fn tasks_of(world: &World, index: usize, wanted: impl Fn(&Task) -> bool) -> Vec<usize> {
    let name = &world.services.ecs.services[index].name;
    world
        .services
        .ecs
        .tasks
        .iter()
        .enumerate()
        .filter(|(_, task)| task.service.as_ref().is_some_and(|(service, _)| service == name) && wanted(task))
        .map(|(position, _)| position)
        .collect()
}

pub(super) fn deployment_of(task: &Task) -> &str {
    task.service.as_ref().map_or("", |(_, deployment)| deployment)
}

/// Counts the tasks that failed since the last look, and waits longer after each of them.
fn note_ends(world: &mut World, index: usize) {
    let now = world.now;
    for position in tasks_of(world, index, |task| task.stop.is_some() && !task.counted) {
        let task = &mut world.services.ecs.tasks[position];
        task.counted = true;
        let Some((code, reason)) = task.stop.clone() else {
            continue;
        };
        let deployment_id = deployment_of(task).to_owned();
        let proven = task.proven;
        let scheduled = code == StopCode::ServiceSchedulerInitiated && !reason.starts_with("Task failed");
        world.services.ecs.services[index].steady_since = None;
        if scheduled || matches!(code, StopCode::UserInitiated | StopCode::SpotInterruption) {
            continue;
        }
        if code == StopCode::TaskFailedToStart {
            complain(world, index, &reason);
        }
        let service = &mut world.services.ecs.services[index];
        let Some(deployment) = service
            .deployments
            .iter_mut()
            .find(|deployment| deployment.id == deployment_id)
        else {
            continue;
        };
        if !proven {
            deployment.failed += 1;
        }
        deployment.updated = now;
        deployment.next_launch = now + pause(code, deployment.failed);
        let failed = deployment.failed;
        let number = deployment.number().to_owned();
        let impaired = failed >= IMPAIRED_AFTER && !deployment.impaired;
        deployment.impaired |= impaired;
        if let Some(rollout) = service
            .rollouts
            .iter_mut()
            .find(|rollout| rollout.number == number && rollout.is_open())
        {
            rollout.failures = failed;
        }
        if impaired {
            tell(
                world,
                index,
                &format!("is unable to consistently start tasks successfully. {TROUBLESHOOTING}"),
            );
        }
    }
}

/// The scheduler slows down when tasks keep failing ("service throttle logic").
fn pause(code: StopCode, failed: usize) -> Duration {
    Duration::from_secs(match (code, failed) {
        (StopCode::TaskFailedToStart, 2..) => 240,
        (_, ..6) => 5,
        (_, 6..12) => 30,
        _ => 60,
    })
}

/// Says why no task can be placed, unless it said so lately.
fn complain(world: &mut World, index: usize, reason: &str) {
    let now = world.now;
    // Request ids differ each time, the cause does not.
    let cause: String = reason.chars().take(90).collect();
    let service = &mut world.services.ecs.services[index];
    if service
        .complained
        .as_ref()
        .is_some_and(|(at, said)| *said == cause && now < *at + REPEAT)
    {
        return;
    }
    service.complained = Some((now, cause));
    tell(
        world,
        index,
        &format!("was unable to place a task. Reason: {reason}."),
    );
}

/// Starts and stops tasks within the limits of the deployment configuration.
fn scale(world: &mut World, index: usize) {
    let service = &world.services.ecs.services[index];
    let desired = service.desired;
    let Some(primary) = service.primary() else {
        return;
    };
    let (id, state, next_launch) = (primary.id.clone(), primary.state, primary.next_launch);
    let most = (desired * service.maximum / 100).max(1);
    let live = tasks_of(world, index, |task| !task.is_doomed());
    // Unhealthy tasks do not count: their replacements are started before they are stopped.
    let own: Vec<usize> = live
        .iter()
        .copied()
        .filter(|&position| {
            let task = &world.services.ecs.tasks[position];
            deployment_of(task) == id && task.unwell.is_none()
        })
        .collect();
    if own.len() < desired && live.len() < most && state != RolloutState::Failed && world.now >= next_launch {
        start_tasks(world, index, (desired - own.len()).min(most - live.len()));
    }
    if own.len() > desired {
        let surplus = own.len() - desired;
        // Pending tasks go first, then the newest.
        let mut victims = own;
        victims.sort_by_key(|&position| {
            let task = &world.services.ecs.tasks[position];
            (task.is_running(), std::cmp::Reverse(task.created))
        });
        victims.truncate(surplus);
        stop_tasks(world, index, &victims, &id);
        return;
    }
    judge::dismiss(world, index, &own, live.len() >= most);
    let victims = superseded(world, index, &id);
    stop_tasks(world, index, &victims, &id);
}

/// The tasks of older deployments that can go while enough healthy ones remain.
fn superseded(world: &World, index: usize, primary: &str) -> Vec<usize> {
    let service = &world.services.ecs.services[index];
    let least = (service.desired * service.minimum_healthy).div_ceil(100);
    let healthy = tasks_of(world, index, |task| task.is_running() && task.is_healthy()).len();
    let mut spare = healthy.saturating_sub(least);
    tasks_of(world, index, |task| {
        !task.is_doomed() && deployment_of(task) != primary
    })
    .into_iter()
    .filter(|&position| {
        let free = !world.services.ecs.tasks[position].is_healthy();
        if !free && spare > 0 {
            spare -= 1;
            return true;
        }
        free
    })
    .collect()
}

fn stop_tasks(world: &mut World, index: usize, victims: &[usize], cause: &str) {
    if victims.is_empty() {
        return;
    }
    let reason = format!("Scaling activity initiated by (deployment {cause})");
    let mut running = Vec::new();
    let mut pending = 0;
    for &position in victims {
        let task = &world.services.ecs.tasks[position];
        if task.is_running() {
            running.push(format!("(task {})", task.id));
        } else {
            pending += 1;
        }
    }
    if pending > 0 {
        tell(world, index, &format!("stopped {pending} pending tasks."));
    }
    if !running.is_empty() {
        tell(
            world,
            index,
            &format!("has begun draining connections on {} tasks.", running.len()),
        );
        tell(
            world,
            index,
            &format!(
                "has stopped {} running tasks: {}.",
                running.len(),
                running.join(" ")
            ),
        );
    }
    for &position in victims {
        stop::begin(
            world,
            position,
            StopCode::ServiceSchedulerInitiated,
            reason.clone(),
        );
    }
}

/// The capacity provider of the primary deployment's next task: bases first, then by weight.
fn provider(world: &World, index: usize) -> Option<String> {
    let service = &world.services.ecs.services[index];
    let primary = service.primary()?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for task in &world.services.ecs.tasks {
        if !task.is_doomed() && task.belongs_to(&service.name, &primary.id) {
            let name = task.capacity_provider.as_deref().unwrap_or_default();
            *counts.entry(name).or_default() += 1;
        }
    }
    let running = |name: &str| counts.get(name).copied().unwrap_or_default();
    service
        .strategy
        .iter()
        .find(|item| running(&item.name) < item.base)
        .or_else(|| {
            service
                .strategy
                .iter()
                .filter(|item| item.weight > 0)
                .min_by_key(|item| {
                    let used = running(&item.name).saturating_sub(item.base) * 1000 / item.weight;
                    (used, std::cmp::Reverse(item.weight))
                })
        })
        .map(|item| item.name.clone())
}

/// Whether a capacity provider has room for one more task.
pub(super) fn has_capacity(world: &World, provider: Option<&str>) -> bool {
    provider != Some("FARGATE_SPOT") || !in_force(world, Scenario::CapacityUnavailable)
}

pub(super) const NO_CAPACITY: &str =
    "Capacity is unavailable at this time. Please try again later or in a different availability zone";

fn start_tasks(world: &mut World, index: usize, wanted: usize) {
    let mut started = Vec::new();
    for _ in 0..wanted {
        let provider = provider(world, index);
        if !has_capacity(world, provider.as_deref()) {
            complain(
                world,
                index,
                &format!("{NO_CAPACITY}. {}", TROUBLESHOOTING.trim_end_matches('.')),
            );
            let again = world.now + Duration::from_secs(60);
            if let Some(primary) = primary_mut(world, index) {
                primary.next_launch = again;
            }
            break;
        }
        let Some(order) = order(world, index, provider) else {
            break;
        };
        started.push(format!("(task {})", launch::place(world, order)));
    }
    if !started.is_empty() {
        let now = world.now;
        if let Some(primary) = primary_mut(world, index) {
            primary.updated = now;
        }
        world.services.ecs.services[index].steady_since = None;
        tell(
            world,
            index,
            &format!("has started {} tasks: {}.", started.len(), started.join(" ")),
        );
    }
}

/// Puts the desired number of tasks in place, running and healthy since `age` ago.
pub(super) fn establish(world: &mut World, index: usize, age: Duration) {
    for number in 0..world.services.ecs.services[index].desired {
        let provider = provider(world, index);
        if let Some(order) = order(world, index, provider) {
            launch::establish(world, order, age + Duration::from_secs(41 * number as u64));
        }
    }
}

fn primary_mut(world: &mut World, index: usize) -> Option<&mut super::service::Deployment> {
    world.services.ecs.services[index]
        .deployments
        .iter_mut()
        .find(|deployment| deployment.primary)
}

/// A task of the primary deployment.
fn order(world: &World, index: usize, capacity_provider: Option<String>) -> Option<Order> {
    let service = &world.services.ecs.services[index];
    let primary = service.primary()?;
    Some(Order {
        definition: primary.definition,
        started_by: Some(primary.id.clone()),
        service: Some((service.name.clone(), primary.id.clone())),
        group: format!("service:{}", service.name),
        capacity_provider,
        tags: Vec::new(),
        overrides: serde_json::json!({}),
        execute_command: true,
        subnets: service.subnets.clone(),
        public_address: false,
    })
}

/// Notices that a deployment has done its work and that the service is steady.
fn settle(world: &mut World, index: usize) {
    let now = world.now;
    let service = &world.services.ecs.services[index];
    let Some(primary) = service.primary() else {
        return;
    };
    let (id, settles) = (primary.id.clone(), primary.settles);
    open_rollout(world, index, now);
    // The tasks on their way out have to be gone as well, and the scheduler looks only now and then.
    let leaving = tasks_of(world, index, |task| {
        task.is_doomed() && (task.phase < Phase::Deprovisioning || !task.counted)
    });
    if !leaving.is_empty() || now < settles {
        return;
    }
    let live = tasks_of(world, index, |task| !task.is_doomed());
    let mut own = 0;
    let mut good = 0;
    for &position in &live {
        let task = &world.services.ecs.tasks[position];
        if deployment_of(task) == id {
            own += 1;
            good += usize::from(task.is_running() && task.is_healthy());
        }
    }
    let service = &mut world.services.ecs.services[index];
    let done = own == live.len() && own == service.desired && good == own;
    if !done {
        return;
    }
    service.deployments.retain(|deployment| deployment.primary);
    let Some(primary) = service.deployments.first_mut() else {
        return;
    };
    if primary.state == RolloutState::InProgress {
        let was_rollback = std::mem::take(&mut primary.is_rollback);
        primary.state = RolloutState::Completed;
        primary.reason = format!("ECS deployment {id} completed.");
        primary.updated = now;
        service.last_completed = Some(primary.clone());
        let status = if was_rollback {
            Status::RollbackSuccessful
        } else {
            Status::Successful
        };
        if let Some(rollout) = service.rollouts.iter_mut().find(|rollout| rollout.is_open()) {
            rollout.turn(status, None, now);
        }
        tell(world, index, &format!("(deployment {id}) deployment completed."));
    }
    let service = &mut world.services.ecs.services[index];
    if service.steady_since.is_none_or(|since| now >= since + REPEAT) {
        service.steady_since = Some(now);
        tell(world, index, "has reached a steady state.");
    }
}

/// A service deployment is PENDING for a moment before its first tasks are placed.
fn open_rollout(world: &mut World, index: usize, now: SimTime) {
    if let Some(rollout) = world.services.ecs.services[index]
        .rollouts
        .iter_mut()
        .find(|rollout| rollout.status == Status::Pending)
    {
        rollout.turn(Status::InProgress, None, now);
    }
}
