//! UpdateService, and how a new deployment begins.

use std::time::Duration;

use serde_json::{Value, json};

use super::describe::described;
use super::revisions::Revision;
use super::rollout::{Rollout, Status};
use super::service::{Deployment, Provider, Service};
use super::{check_cluster, definition, invalid, scheduler};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, integer, list, text, texts};
use crate::time::SimTime;
use crate::world::World;

pub(super) fn update(world: &mut World, input: &Value) -> OpResult {
    check_cluster(world, input)?;
    let asked = text(input, "service").unwrap_or_default();
    let index = world
        .services
        .ecs
        .services
        .iter()
        .position(|service| service.name == asked || service.arn(world) == asked)
        .ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?;
    let wanted = match text(input, "taskDefinition") {
        None => None,
        Some(named) => Some(
            definition::find(world, named)
                .ok_or_else(|| ApiError::client("ClientException", "TaskDefinition not found."))?,
        ),
    };
    if integer(input, "desiredCount").is_some_and(|desired| desired < 0) {
        return Err(invalid("desiredCount must be a non-negative integer."));
    }
    let service = &mut world.services.ecs.services[index];
    let before = service.primary().map(|primary| primary.definition);
    let mut fresh = flag(input, "forceNewDeployment").unwrap_or(false)
        || wanted.is_some_and(|wanted| Some(wanted) != before);
    if let Some(desired) = integer(input, "desiredCount") {
        let desired = desired.unsigned_abs() as usize;
        if service.desired != desired {
            service.desired = desired;
            service.steady_since = None;
        }
    }
    if let Some(seconds) = integer(input, "healthCheckGracePeriodSeconds") {
        service.grace = Duration::from_secs(seconds.max(0).unsigned_abs());
    }
    if let Some(configuration) = input.get("deploymentConfiguration") {
        configure(service, configuration);
    }
    if let Some(network) = input
        .get("networkConfiguration")
        .and_then(|network| network.get("awsvpcConfiguration"))
    {
        service.subnets = texts(network, "subnets");
        service.security_groups = texts(network, "securityGroups");
        fresh = true;
    }
    let strategy = list(input, "capacityProviderStrategy");
    if !strategy.is_empty() {
        let amount =
            |item: &Value, name: &str| integer(item, name).unwrap_or(0).max(0).unsigned_abs() as usize;
        service.strategy = strategy
            .iter()
            .map(|item| Provider {
                name: text(item, "capacityProvider").unwrap_or_default().to_owned(),
                base: amount(item, "base"),
                weight: amount(item, "weight"),
            })
            .collect();
        fresh = true;
    }
    if fresh && let Some(definition) = wanted.or(before) {
        begin(world, index, definition);
    }
    let service = &world.services.ecs.services[index];
    Ok(json!({"service": described(world, service)}))
}

/// A service drains until its last task has stopped, and is gone then (API Reference, DeleteService).
pub(super) fn delete(world: &mut World, input: &Value) -> OpResult {
    check_cluster(world, input)?;
    let asked = text(input, "service").unwrap_or_default();
    let services = &world.services.ecs.services;
    let service = services
        .iter()
        .find(|service| service.name == asked || service.arn(world) == asked)
        .ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?;
    if service.desired > 0 && flag(input, "force") != Some(true) {
        return Err(invalid(
            "The service cannot be stopped while it is scaled above 0.",
        ));
    }
    let name = service.name.clone();
    world.services.ecs.draining.insert(name.clone());
    set_desired(world, &name, 0);
    let services = world.services.ecs.services.iter();
    let service = services
        .filter(|service| service.name == name)
        .map(|service| described(world, service));
    let service: Vec<Value> = service.collect();
    Ok(json!({ "service": service.first() }))
}

fn configure(service: &mut Service, configuration: &Value) {
    if let Some(percent) = integer(configuration, "minimumHealthyPercent") {
        service.minimum_healthy = percent.max(0).unsigned_abs() as usize;
    }
    if let Some(percent) = integer(configuration, "maximumPercent") {
        service.maximum = percent.max(0).unsigned_abs() as usize;
    }
    if let Some(breaker) = configuration.get("deploymentCircuitBreaker") {
        service.breaker.enabled = flag(breaker, "enable").unwrap_or(false);
        service.breaker.rollback = flag(breaker, "rollback").unwrap_or(false);
        service.breaker.count = breaker
            .get("thresholdConfiguration")
            .filter(|threshold| text(threshold, "type") == Some("COUNT"))
            .and_then(|threshold| integer(threshold, "value"))
            .map(|count| count.max(1).unsigned_abs() as usize);
    }
}

/// Starts a deployment; what was primary lives on as ACTIVE until its tasks are replaced.
fn begin(world: &mut World, index: usize, definition: usize) {
    let now = world.now;
    let deployment = Deployment::new(world, definition);
    let rollout = Rollout::new(world, index, &deployment);
    let service = &mut world.services.ecs.services[index];
    for older in &mut service.deployments {
        older.primary = false;
        older.updated = now;
    }
    if let Some(open) = service.rollouts.iter_mut().find(|rollout| rollout.is_open()) {
        let reason = "Service deployment stopped because a newer service deployment started.";
        open.turn(Status::Stopped, Some(reason), now);
    }
    let revision = Revision::new(service, &deployment);
    service.revisions.insert(0, revision);
    service.deployments.insert(0, deployment);
    service.rollouts.insert(0, rollout);
    service.steady_since = None;
}

/// Deploys a definition (by default the present one) to the service of that name.
pub(crate) fn deploy(world: &mut World, name: &str, definition: Option<usize>) {
    let Some(index) = position(world, name) else {
        return;
    };
    let present = world.services.ecs.services[index]
        .primary()
        .map(|primary| primary.definition);
    if let Some(definition) = definition.or(present) {
        begin(world, index, definition);
    }
}

/// Changes the desired count of the service of that name.
pub(crate) fn set_desired(world: &mut World, name: &str, desired: usize) {
    if let Some(index) = position(world, name) {
        let service = &mut world.services.ecs.services[index];
        service.desired = desired;
        service.steady_since = None;
    }
}

fn position(world: &World, name: &str) -> Option<usize> {
    world
        .services
        .ecs
        .services
        .iter()
        .position(|service| service.name == name)
}

/// Creates a service, whose first deployment begins now (API Reference, CreateService).
pub(crate) fn create_service(world: &mut World, service: Service, definition: usize) {
    let state = &mut world.services.ecs;
    for group in &service.security_groups {
        if !state.security_groups.contains(group) {
            state.security_groups.push(group.clone());
        }
    }
    state.services.push(service);
    let index = state.services.len() - 1;
    begin(world, index, definition);
}

/// Puts a service in place whose tasks have been running for `age`, deployed just before.
pub(crate) fn create(world: &mut World, service: Service, definition: usize, age: Duration) {
    let deployed = world.now - age - Duration::from_secs(220);
    let mut deployment = Deployment::new(world, definition);
    deployment.state = super::service::RolloutState::Completed;
    deployment.reason = format!("ECS deployment {} completed.", deployment.id);
    deployment.created = deployed;
    deployment.updated = deployed + Duration::from_secs(210);
    world.services.ecs.services.push(service);
    let index = world.services.ecs.services.len() - 1;
    let rollout = Rollout::new(world, index, &deployment).completed(deployed);
    let service = &mut world.services.ecs.services[index];
    service.rollouts.push(rollout);
    let revision = Revision::new(service, &deployment);
    service.revisions.push(revision);
    service.deployments.push(deployment);
    scheduler::establish(world, index, age);
    let steady: SimTime = world.now - Duration::from_secs(3 * 3600 + 11 * 60);
    let id = world.application_ids.uuid();
    let service = &mut world.services.ecs.services[index];
    service.last_completed = service.deployments.first().cloned();
    service.steady_since = Some(steady);
    let message = format!("(service {}) has reached a steady state.", service.name);
    service.tell(id, steady, message);
}
