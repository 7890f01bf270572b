//! The deployment circuit breaker and the way back it takes.

use super::rollout::Status;
use super::service::{Deployment, RolloutState, SETTLES_AFTER, tell};
use crate::world::World;

const ROLLED_BACK: &str =
    "Service deployment rolled back because the circuit breaker threshold was exceeded.";

/// Fails the primary deployment when too many of its tasks failed, and goes back to the last good one. A
/// rollback that fails in the same way is the end: nothing is started any more.
pub(super) fn trip(world: &mut World, index: usize) {
    let now = world.now;
    let service = &mut world.services.ecs.services[index];
    let threshold = service.breaker.threshold(service.desired);
    let tripped = service.breaker.enabled;
    let Some(failing) = service.deployments.iter_mut().find(|deployment| {
        tripped
            && deployment.primary
            && deployment.state == RolloutState::InProgress
            && deployment.failed >= threshold
    }) else {
        return;
    };
    failing.state = RolloutState::Failed;
    failing.reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
    failing.updated = now;
    let (failed_id, was_rollback) = (failing.id.clone(), failing.is_rollback);
    let goal = service
        .last_completed
        .clone()
        .filter(|goal| service.breaker.rollback && !was_rollback && goal.id != failed_id);
    if let Some(rollout) = service.rollouts.iter_mut().find(|rollout| rollout.is_open()) {
        let reason = "Service deployment failed because the circuit breaker threshold was exceeded.";
        match &goal {
            Some(goal) => rollout.roll_back(goal.number(), ROLLED_BACK, now),
            None if was_rollback => rollout.turn(Status::RollbackFailed, Some(reason), now),
            None => rollout.turn(Status::Stopped, Some(reason), now),
        }
    }
    tell(
        world,
        index,
        &format!("(deployment {failed_id}) deployment failed: tasks failed to start."),
    );
    if let Some(goal) = goal {
        let why = "ECS deployment circuit breaker: rolling back to deploymentId";
        roll_back(world, index, goal, why);
    }
}

/// A rollback that StopServiceDeployment asked for begins ("Stopping Amazon ECS service deployments": the deployment moves
/// to `ROLLBACK_REQUESTED`, "and then the rollback operation starts").
pub(super) fn requested(world: &mut World, index: usize) {
    let now = world.now;
    let service = &mut world.services.ecs.services[index];
    let Some(goal) = service.last_completed.clone() else {
        return;
    };
    let asked = service
        .rollouts
        .iter_mut()
        .find(|rollout| rollout.status == Status::RollbackRequested);
    let Some(rollout) = asked else {
        return;
    };
    let reason = "Service deployment rolled back because it was stopped by a user.";
    rollout.roll_back(goal.number(), reason, now);
    roll_back(
        world,
        index,
        goal,
        "ECS deployment stopped: rolling back to deploymentId",
    );
}

/// The last deployment that completed becomes primary again.
fn roll_back(world: &mut World, index: usize, mut goal: Deployment, why: &str) {
    let now = world.now;
    let service = &mut world.services.ecs.services[index];
    let id = goal.id.clone();
    if let Some(position) = service.deployments.iter().position(|known| known.id == id) {
        goal = service.deployments.remove(position);
    }
    goal.primary = true;
    goal.is_rollback = true;
    goal.failed = 0;
    goal.state = RolloutState::InProgress;
    goal.reason = format!("{why} {id}.");
    goal.updated = now;
    goal.next_launch = now;
    goal.settles = now + SETTLES_AFTER;
    for other in &mut service.deployments {
        other.primary = false;
    }
    service.deployments.insert(0, goal);
    service.steady_since = None;
    tell(world, index, &format!("rolling back to deployment {id}."));
}
