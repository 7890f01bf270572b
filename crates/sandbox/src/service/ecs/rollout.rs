//! Service deployments, the record of every rollout: ListServiceDeployments and DescribeServiceDeployments.

use serde_json::{Value, json};

use super::service::{self, Deployment, Service};
use super::task::Task;
use super::{bad_token, check_length, cluster_arn, invalid, names_cluster, page_size};
use crate::error::{ApiError, OpResult};
use crate::service::member::{page, present, text, texts, time};
use crate::time::SimTime;
use crate::world::World;

/// How far a service deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    InProgress,
    Successful,
    Stopped,
    RollbackRequested,
    RollbackInProgress,
    RollbackSuccessful,
    RollbackFailed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::Stopped => "STOPPED",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
        }
    }
}

/// One service deployment.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    id: String,
    /// The number of the deployment, which is that of the target service revision.
    pub(super) number: String,
    /// The numbers of the deployments it replaces, and how many tasks each had.
    sources: Vec<(String, usize)>,
    created: SimTime,
    started: Option<SimTime>,
    pub(super) finished: Option<SimTime>,
    updated: SimTime,
    pub(super) status: Status,
    reason: Option<String>,
    /// When the rollback began, why, and to which revision.
    rollback: Option<(SimTime, String, String)>,
    pub(super) failures: usize,
    threshold: usize,
    requested: usize,
    /// StopServiceDeployment ended it, not the circuit breaker.
    pub(super) by_hand: bool,
}

impl Rollout {
    /// The record of a rollout that begins now.
    pub(super) fn new(world: &mut World, service: usize, deployment: &Deployment) -> Self {
        let hex = world.application_ids.hex(21);
        let now = world.now;
        let service = &world.services.ecs.services[service];
        let running = |id: &str| {
            world
                .services
                .ecs
                .tasks
                .iter()
                .filter(|task| task.is_running() && task.belongs_to(&service.name, id))
                .count()
        };
        Self {
            id: hex,
            number: deployment.number().to_owned(),
            sources: service
                .deployments
                .iter()
                .filter(|known| known.id != deployment.id)
                .map(|known| (known.number().to_owned(), running(&known.id)))
                .collect(),
            created: now,
            started: None,
            finished: None,
            updated: now,
            status: Status::Pending,
            reason: None,
            rollback: None,
            failures: 0,
            threshold: service.breaker.threshold(service.desired),
            requested: service.desired,
            by_hand: false,
        }
    }

    /// The record of one that was over long ago.
    pub(super) fn completed(mut self, at: SimTime) -> Self {
        self.created = at;
        self.updated = at;
        self.started = Some(at);
        self.finished = Some(at + std::time::Duration::from_secs(214));
        self.status = Status::Successful;
        self
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(
            self.status,
            Status::Pending | Status::InProgress | Status::RollbackRequested | Status::RollbackInProgress
        )
    }

    pub(super) fn turn(&mut self, status: Status, reason: Option<&str>, now: SimTime) {
        self.status = status;
        self.updated = now;
        if let Some(reason) = reason {
            self.reason = Some(reason.to_owned());
        }
        match status {
            Status::InProgress => self.started = Some(now),
            Status::Pending | Status::RollbackRequested | Status::RollbackInProgress => {}
            Status::Successful | Status::Stopped | Status::RollbackSuccessful | Status::RollbackFailed => {
                self.finished = Some(now);
            }
        }
    }

    /// The circuit breaker, or an operator, sends the service back to deployment `number`.
    pub(super) fn roll_back(&mut self, number: &str, reason: &str, now: SimTime) {
        self.turn(Status::RollbackInProgress, Some(reason), now);
        self.rollback = Some((now, reason.to_owned(), number.to_owned()));
    }
}

pub(super) fn arn(world: &World, service: &Service, rollout: &Rollout) -> String {
    format!(
        "arn:aws:ecs:{}:{}:service-deployment/{}/{}/{}",
        world.options.region, world.options.account_id, world.services.ecs.cluster, service.name, rollout.id
    )
}

pub(super) fn revision_arn(world: &World, service: &Service, number: &str) -> String {
    format!(
        "arn:aws:ecs:{}:{}:service-revision/{}/{}/{number}",
        world.options.region, world.options.account_id, world.services.ecs.cluster, service.name
    )
}

/// The service deployment that is under way.
pub(super) fn current(world: &World, service: &Service) -> Option<String> {
    service
        .rollouts
        .iter()
        .find(|rollout| rollout.is_open())
        .map(|rollout| arn(world, service, rollout))
}

/// The revisions that have tasks, as `currentServiceRevisions`.
pub(super) fn revisions(world: &World, service: &Service) -> Value {
    service
        .deployments
        .iter()
        .map(|deployment| {
            let count = |wanted: fn(&Task) -> bool| {
                world
                    .services
                    .ecs
                    .tasks
                    .iter()
                    .filter(|task| wanted(task) && task.belongs_to(&service.name, &deployment.id))
                    .count()
            };
            json!({
                "arn": revision_arn(world, service, deployment.number()),
                "requestedTaskCount": if deployment.primary { service.desired } else { 0 },
                "runningTaskCount": count(Task::is_running),
                "pendingTaskCount": count(Task::is_pending),
            })
        })
        .collect()
}

pub(super) fn list_deployments(world: &World, input: &Value) -> OpResult {
    if !text(input, "cluster").is_some_and(|named| names_cluster(world, named))
        && !text(input, "service").is_some_and(|named| named.starts_with("arn:"))
    {
        return Err(ApiError::client("ClusterNotFoundException", "Cluster not found."));
    }
    let service = text(input, "service")
        .and_then(|named| service::find(world, named))
        .ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?;
    let statuses = texts(input, "status");
    let bound = |name: &str| {
        input
            .get("createdAt")
            .and_then(|created| created.get(name))
            .and_then(Value::as_f64)
    };
    let (after, before) = (bound("after"), bound("before"));
    let briefs: Vec<Value> = service
        .rollouts
        .iter()
        .filter(|rollout| {
            let created = rollout.created.epoch_seconds();
            (statuses.is_empty() || statuses.iter().any(|status| status == rollout.status.name()))
                && after.is_none_or(|after| created > after)
                && before.is_none_or(|before| created < before)
        })
        .map(|rollout| {
            json!({
                "serviceDeploymentArn": arn(world, service, rollout),
                "serviceArn": service.arn(world),
                "clusterArn": cluster_arn(world),
                "startedAt": time(rollout.started),
                "createdAt": rollout.created.epoch_seconds(),
                "finishedAt": time(rollout.finished),
                "targetServiceRevisionArn": revision_arn(world, service, &rollout.number),
                "status": rollout.status.name(),
                "statusReason": rollout.reason,
            })
        })
        .collect();
    // ListServiceDeployments answers 20 a page unless told otherwise, at most 100 (API reference).
    let size = page_size(input, 20)?;
    let (briefs, next) = page(briefs, text(input, "nextToken"), size, bad_token)?;
    Ok(present(json!({"serviceDeployments": briefs, "nextToken": next})))
}

pub(super) fn describe(world: &World, input: &Value) -> OpResult {
    check_length(input, "serviceDeploymentArns", "Service deployment ARNs", 20)?;
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for asked in texts(input, "serviceDeploymentArns") {
        if !asked.contains(":service-deployment/") {
            return Err(invalid(format!("Invalid identifier: {asked}")));
        }
        let known = world.services.ecs.services.iter().find_map(|service| {
            service
                .rollouts
                .iter()
                .find(|rollout| arn(world, service, rollout) == asked)
                .map(|rollout| described(world, service, rollout))
        });
        match known {
            Some(known) => found.push(known),
            None => failures.push(json!({"arn": asked, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceDeployments": found, "failures": failures}))
}

fn described(world: &World, service: &Service, rollout: &Rollout) -> Value {
    let count = |number: &str, wanted: fn(&Task) -> bool| {
        let id = format!("ecs-svc/{number}");
        world
            .services
            .ecs
            .tasks
            .iter()
            .filter(|task| wanted(task) && task.belongs_to(&service.name, &id))
            .count()
    };
    let sources: Vec<Value> = rollout
        .sources
        .iter()
        .map(|(number, tasks)| {
            json!({
                "arn": revision_arn(world, service, number),
                "requestedTaskCount": tasks,
                "runningTaskCount": count(number, Task::is_running),
                "pendingTaskCount": count(number, Task::is_pending),
            })
        })
        .collect();
    let breaker = match rollout.status {
        _ if !service.breaker.enabled => "DISABLED",
        Status::Pending | Status::InProgress => "MONITORING",
        Status::Successful | Status::Stopped => "MONITORING_COMPLETE",
        _ if rollout.by_hand => "MONITORING_COMPLETE",
        Status::RollbackRequested
        | Status::RollbackInProgress
        | Status::RollbackSuccessful
        | Status::RollbackFailed => "TRIGGERED",
    };
    let rollback = rollout.rollback.as_ref().map(|(at, reason, number)| {
        json!({
            "reason": reason,
            "startedAt": at.epoch_seconds(),
            "serviceRevisionArn": revision_arn(world, service, number),
        })
    });
    let stopped = (rollout.status == Status::Stopped)
        .then_some(rollout.finished)
        .flatten();
    present(json!({
        "serviceDeploymentArn": arn(world, service, rollout),
        "serviceArn": service.arn(world),
        "clusterArn": cluster_arn(world),
        "createdAt": rollout.created.epoch_seconds(),
        "startedAt": time(rollout.started),
        "finishedAt": time(rollout.finished),
        "stoppedAt": time(stopped),
        "updatedAt": rollout.updated.epoch_seconds(),
        "sourceServiceRevisions": sources,
        "targetServiceRevision": {
            "arn": revision_arn(world, service, &rollout.number),
            "requestedTaskCount": rollout.requested,
            "runningTaskCount": count(&rollout.number, Task::is_running),
            "pendingTaskCount": count(&rollout.number, Task::is_pending),
        },
        "status": rollout.status.name(),
        "statusReason": rollout.reason,
        "deploymentConfiguration": super::describe::configuration(service),
        "rollback": rollback,
        "deploymentCircuitBreaker": {
            "status": breaker,
            "failureCount": rollout.failures,
            "threshold": rollout.threshold,
        },
        "alarms": {"status": "DISABLED", "alarmNames": [], "triggeredAlarmNames": []},
    }))
}
