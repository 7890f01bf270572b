//! Services as DescribeServices and UpdateService answer them.

use serde_json::{Value, json};

use super::service::{RolloutState, Service, find};
use super::task::Task;
use super::{check_cluster, check_length, cluster_arn};
use crate::error::OpResult;
use crate::service::member::{present, texts};
use crate::world::World;

pub(super) fn services(world: &World, input: &Value) -> OpResult {
    check_cluster(world, input)?;
    check_length(input, "services", "Services", 10)?;
    let mut services = Vec::new();
    let mut failures = Vec::new();
    for asked in texts(input, "services") {
        match find(world, &asked) {
            Some(service) => services.push(described(world, service)),
            None => {
                let arn = if asked.starts_with("arn:") {
                    asked
                } else {
                    format!(
                        "arn:aws:ecs:{}:{}:service/{}/{asked}",
                        world.options.region, world.options.account_id, world.services.ecs.cluster
                    )
                };
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"services": services, "failures": failures}))
}

fn count(world: &World, service: &Service, deployment: Option<&str>, wanted: fn(&Task) -> bool) -> usize {
    world
        .services
        .ecs
        .tasks
        .iter()
        .filter(|task| {
            wanted(task)
                && task.service.as_ref().is_some_and(|(name, id)| {
                    *name == service.name && deployment.is_none_or(|deployment| id == deployment)
                })
        })
        .count()
}

pub(super) fn configuration(service: &Service) -> Value {
    let breaker = &service.breaker;
    json!({
        "deploymentCircuitBreaker": {
            "enable": breaker.enabled,
            "rollback": breaker.rollback,
            "thresholdConfiguration": breaker.count.map(|count| json!({"type": "COUNT", "value": count})),
        },
        "maximumPercent": service.maximum,
        "minimumHealthyPercent": service.minimum_healthy,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    })
}

/// A service as DescribeServices and UpdateService answer it.
pub(super) fn described(world: &World, service: &Service) -> Value {
    let state = &world.services.ecs;
    let strategy: Vec<Value> = service
        .strategy
        .iter()
        .map(|provider| {
            json!({
                "capacityProvider": provider.name,
                "weight": provider.weight,
                "base": provider.base,
            })
        })
        .collect();
    let network = json!({"awsvpcConfiguration": {
        "subnets": service.subnets,
        "securityGroups": service.security_groups,
        "assignPublicIp": "DISABLED",
    }});
    let deployments: Vec<Value> = service
        .deployments
        .iter()
        .map(|deployment| {
            let running = count(world, service, Some(&deployment.id), Task::is_running);
            let pending = count(world, service, Some(&deployment.id), Task::is_pending);
            json!({
                "id": deployment.id,
                "status": if deployment.primary { "PRIMARY" } else { "ACTIVE" },
                "taskDefinition": state.definitions[deployment.definition].arn(world),
                "desiredCount": if deployment.primary { service.desired } else { running },
                "pendingCount": pending,
                "runningCount": running,
                "failedTasks": deployment.failed,
                "createdAt": deployment.created.epoch_seconds(),
                "updatedAt": deployment.updated.epoch_seconds(),
                "capacityProviderStrategy": strategy,
                "platformVersion": "1.4.0",
                "platformFamily": "Linux",
                "networkConfiguration": network,
                "rolloutState": match deployment.state {
                    RolloutState::InProgress => "IN_PROGRESS",
                    RolloutState::Completed => "COMPLETED",
                    RolloutState::Failed => "FAILED",
                },
                "rolloutStateReason": deployment.reason,
            })
        })
        .collect();
    let events: Vec<Value> = service
        .events
        .iter()
        .map(|event| json!({"id": event.id, "createdAt": event.at.epoch_seconds(), "message": event.message}))
        .collect();
    present(json!({
        "serviceArn": service.arn(world),
        "serviceName": service.name,
        "clusterArn": cluster_arn(world),
        "loadBalancers": [{
            "targetGroupArn": service.load_balancer.target_group,
            "containerName": service.load_balancer.container,
            "containerPort": service.load_balancer.port,
        }],
        "serviceRegistries": [],
        "status": if state.draining.contains(&service.name) { "DRAINING" } else { "ACTIVE" },
        "desiredCount": service.desired,
        "runningCount": count(world, service, None, Task::is_running),
        "pendingCount": count(world, service, None, Task::is_pending),
        "capacityProviderStrategy": strategy,
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": service
            .primary()
            .map(|deployment| state.definitions[deployment.definition].arn(world)),
        "deploymentConfiguration": configuration(service),
        "deployments": deployments,
        "roleArn": format!(
            "arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
            world.options.account_id
        ),
        "events": events,
        "createdAt": service.created.epoch_seconds(),
        "currentServiceDeployment": super::rollout::current(world, service),
        "currentServiceRevisions": super::rollout::revisions(world, service),
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": network,
        "healthCheckGracePeriodSeconds": service.grace.as_secs(),
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "createdBy": format!(
            "arn:aws:iam::{}:role/cdk-hnb659fds-cfn-exec-role",
            world.options.account_id
        ),
        "enableECSManagedTags": true,
        "propagateTags": "NONE",
        "enableExecuteCommand": true,
        "availabilityZoneRebalancing": "ENABLED",
    }))
}
