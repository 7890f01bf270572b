//! StopServiceDeployment.

use serde_json::{Value, json};

use super::invalid;
use super::rollout::{Status, arn};
use crate::error::{ApiError, OpResult};
use crate::service::member::text;
use crate::world::World;

/// Asks for the rollback of a deployment that has not finished ("Stopping Amazon ECS service deployments"). It works
/// also where the circuit breaker is off or does not roll back.
pub(super) fn stop(world: &mut World, input: &Value) -> OpResult {
    // "The valid values are ROLLBACK" (API reference, StopServiceDeployment).
    if text(input, "stopType").is_some_and(|kind| kind != "ROLLBACK") {
        return Err(invalid("The valid values of stopType are ROLLBACK."));
    }
    let asked = text(input, "serviceDeploymentArn").unwrap_or_default();
    let found = world
        .services
        .ecs
        .services
        .iter()
        .enumerate()
        .find_map(|(index, service)| {
            let of_it = service
                .rollouts
                .iter()
                .position(|rollout| arn(world, service, rollout) == asked)?;
            Some((index, of_it))
        });
    let Some((index, position)) = found else {
        return Err(ApiError::client(
            "ServiceDeploymentNotFoundException",
            "The service deploy ARN that you specified in the StopServiceDeployment doesn't exist.",
        ));
    };
    let now = world.now;
    let service = &mut world.services.ecs.services[index];
    let rollout = &mut service.rollouts[position];
    match rollout.status {
        Status::Pending | Status::InProgress if service.last_completed.is_some() => {
            rollout.by_hand = true;
            rollout.turn(Status::RollbackRequested, None, now);
        }
        // "The service deployment continues the rollback operation."
        Status::RollbackRequested | Status::RollbackInProgress => {}
        // Over, or there is nothing to go back to.
        Status::Pending
        | Status::InProgress
        | Status::Successful
        | Status::Stopped
        | Status::RollbackSuccessful
        | Status::RollbackFailed => {
            return Err(ApiError::client(
                "ConflictException",
                "The request could not be processed because of conflict in the current state of the resource.",
            ));
        }
    }
    Ok(json!({"serviceDeploymentArn": asked}))
}
