//! Elastic Container Service on Fargate: task definitions, tasks that live and die, and services whose
//! scheduler keeps them running.

mod breaker;
pub(crate) mod definition;
#[cfg(test)]
mod deployment_tests;
mod describe;
mod judge;
mod launch;
mod life;
mod metrics;
mod register;
mod revisions;
mod rollout;
#[cfg(test)]
mod rollout_tests;
mod run;
mod scheduler;
pub(crate) mod service;
mod stop;
mod stop_deployment;
pub(crate) mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use crate::application::migrations::{applied_central, applied_tenant};
pub(crate) use metrics::publish;
pub(crate) use update::{create, create_service, deploy, set_desired};

use crate::error::{ApiError, OpResult};
use crate::service::elb::Failure;
use crate::service::member::{list, page, present, text, texts};
use crate::service::table::operations;
use crate::world::World;

/// The one cluster and all that is in it.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) cluster: String,
    pub(crate) definitions: Vec<definition::TaskDefinition>,
    pub(crate) services: Vec<service::Service>,
    pub(crate) tasks: Vec<task::Task>,
    /// Subnet and availability zone of every subnet that tasks can be placed in.
    pub(crate) subnets: Vec<(String, String)>,
    pub(crate) security_groups: Vec<String>,
    /// RunTask's client tokens: the request each was used for and the ids of its tasks.
    tokens: BTreeMap<String, (Value, Vec<String>)>,
    /// How long a new task is not shown.
    consistent_after: Option<Duration>,
    /// Services that were deleted and still have tasks.
    draining: BTreeSet<String>,
}

operations! {
    Write DeleteService => update::delete,
    Read DescribeClusters => describe_clusters,
    Read DescribeServiceDeployments => rollout::describe,
    Read DescribeServiceRevisions => revisions::describe,
    Read DescribeServices => describe::services,
    Read DescribeTaskDefinition => definition::describe,
    Read DescribeTasks => tasks::describe,
    Write ExecuteCommand => crate::session::execute_command,
    Read ListServiceDeployments => rollout::list_deployments,
    Read ListServices => list_services,
    Read ListTaskDefinitions => register::list,
    Read ListTasks => tasks::list_tasks,
    Write RegisterTaskDefinition => register::register,
    Write RunTask => run::run,
    Write StopServiceDeployment => stop_deployment::stop,
    Write StopTask => stop::stop,
    Write UpdateService => update::update,
}

/// One second: tasks live, then the services' schedulers look at them.
pub(crate) fn tick(world: &mut World) {
    life::tick(world);
    scheduler::tick(world);
    for name in world.services.ecs.draining.clone() {
        if delete_service(world, &name) {
            world.services.ecs.draining.remove(&name);
        }
    }
}

/// Whether the cluster has a service.
pub(crate) fn has_services(world: &World) -> bool {
    !world.services.ecs.services.is_empty()
}

/// Whether a task of the cluster runs or is about to.
pub(crate) fn has_tasks(world: &World) -> bool {
    let mut tasks = world.services.ecs.tasks.iter();
    tasks.any(|task| task.is_running() || task.is_pending())
}

/// Makes the cluster, if there is none. Returns whether it did.
pub(crate) fn create_cluster(world: &mut World, name: &str) -> bool {
    let cluster = &mut world.services.ecs.cluster;
    let free = cluster.is_empty();
    if free {
        name.clone_into(cluster);
    }
    free
}

/// The cluster is gone: no name means it any more.
pub(crate) fn delete_cluster(world: &mut World) {
    world.services.ecs.cluster.clear();
}

/// How the last deployment of a service stands: whether it is complete; an error once the circuit breaker has ended it.
pub(crate) fn settled(world: &World, name: &str) -> Result<bool, ()> {
    let primary = service::named(world, name).and_then(service::Service::primary);
    match primary {
        Some(primary) if primary.undoes() => Err(()),
        Some(primary) => match primary.state {
            service::RolloutState::Completed => Ok(true),
            service::RolloutState::InProgress => Ok(false),
            service::RolloutState::Failed => Err(()),
        },
        None => Ok(true),
    }
}

/// Takes a service to zero, and away once its last task has stopped. Returns whether it is gone.
pub(crate) fn delete_service(world: &mut World, name: &str) -> bool {
    set_desired(world, name, 0);
    let state = &mut world.services.ecs;
    let mut own = state.tasks.iter().filter(|task| {
        let own = task.service.as_ref().is_some_and(|(service, _)| service == name);
        own && (task.is_running() || task.is_pending())
    });
    if own.next().is_some() {
        return false;
    }
    state.services.retain(|service| service.name != name);
    true
}

/// How many tasks run the backend's scheduler, which publishes the fleets' metrics.
pub(crate) fn running_schedulers(world: &World) -> usize {
    let state = &world.services.ecs;
    let runs = |task: &&task::Task| {
        task.containers
            .iter()
            .zip(&state.definitions[task.definition].containers)
            .any(|(container, defined)| {
                defined.name == "scheduler" && container.status == task::ContainerStatus::Running
            })
    };
    state.tasks.iter().filter(runs).count()
}

/// Where a running task of a service stands.
fn running(world: &World, service: &str) -> Option<usize> {
    world
        .services
        .ecs
        .tasks
        .iter()
        .position(|task| task.is_running() && task.service.as_ref().is_some_and(|(name, _)| name == service))
}

/// A container of a running task of the service ends after a while, with this status.
pub(crate) fn kill(world: &mut World, service: &str, container: &str, after: Duration, status: i32) {
    let at = world.now + after;
    if let Some(index) = running(world, service)
        && let Some(position) = life::position(world, &world.services.ecs.tasks[index], container)
    {
        world.services.ecs.tasks[index].containers[position].dies = Some((at, status));
    }
}

/// The availability zone of a running task of the service.
pub(crate) fn zone_of(world: &World, service: &str) -> Option<String> {
    let index = running(world, service)?;
    Some(world.services.ecs.tasks[index].interface.zone.clone())
}

/// A container with this name writes a line, in one of the running tasks.
pub(crate) fn write_line(world: &mut World, container: &str, line: String) {
    let now = world.now;
    let writer = world
        .services
        .ecs
        .tasks
        .iter()
        .enumerate()
        .find_map(|(index, task)| {
            let position = life::position(world, task, container).filter(|_| task.is_running())?;
            (task.containers[position].status == task::ContainerStatus::Running).then_some((index, position))
        });
    if let Some((index, position)) = writer {
        world.services.ecs.tasks[index].containers[position]
            .unflushed
            .push((now, line));
    }
}

/// The spot tasks of a service are taken away, one of them at once.
pub(crate) fn interrupt_spot(world: &mut World, service: &str) {
    let spot = world.services.ecs.tasks.iter().position(|task| {
        task.is_running()
            && task.capacity_provider.as_deref() == Some("FARGATE_SPOT")
            && task.service.as_ref().is_some_and(|(name, _)| name == service)
    });
    if let Some(index) = spot {
        stop::begin(
            world,
            index,
            task::StopCode::SpotInterruption,
            "Your Spot Task was interrupted.".to_owned(),
        );
    }
}

/// What a health check of the load balancer meets at that address.
pub(crate) fn health_check(world: &World, ip: &str) -> Result<(), Failure> {
    let state = &world.services.ecs;
    let Some(task) = state
        .tasks
        .iter()
        .find(|task| task.interface.ip == ip && task.phase < task::Phase::Deprovisioning)
    else {
        return Err(Failure::Timeout);
    };
    life::answers(world, task)
}

/// `arn:aws:ecs:…:cluster/<name>`.
pub(crate) fn cluster_arn(world: &World) -> String {
    format!(
        "arn:aws:ecs:{}:{}:cluster/{}",
        world.options.region, world.options.account_id, world.services.ecs.cluster
    )
}

/// The task with this id.
pub(crate) fn task_by_id<'a>(world: &'a World, id: &str) -> Option<&'a task::Task> {
    world.services.ecs.tasks.iter().find(|task| task.id == id)
}

/// The task that an id or ARN names.
pub(crate) fn task_named<'a>(world: &'a World, named: &str) -> Option<&'a task::Task> {
    tasks::find(world, named).map(|index| &world.services.ecs.tasks[index])
}

fn names_cluster(world: &World, named: &str) -> bool {
    named == world.services.ecs.cluster || named == cluster_arn(world)
}

/// Refuses an input whose `cluster` is not ours; no cluster means `default`, which does not exist here.
pub(crate) fn check_cluster(world: &World, input: &Value) -> Result<(), ApiError> {
    if text(input, "cluster").is_some_and(|named| names_cluster(world, named)) {
        Ok(())
    } else {
        Err(ApiError::client("ClusterNotFoundException", "Cluster not found."))
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}

fn describe_clusters(world: &World, input: &Value) -> OpResult {
    let mut asked = texts(input, "clusters");
    if asked.is_empty() {
        asked.push("default".to_owned());
    }
    let state = &world.services.ecs;
    let count = |wanted: fn(&task::Task) -> bool| state.tasks.iter().filter(|task| wanted(task)).count();
    let mut clusters = Vec::new();
    let mut failures = Vec::new();
    for named in asked {
        if names_cluster(world, &named) {
            clusters.push(json!({
                "clusterArn": cluster_arn(world),
                "clusterName": state.cluster,
                "status": "ACTIVE",
                "registeredContainerInstancesCount": 0,
                "runningTasksCount": count(task::Task::is_running),
                "pendingTasksCount": count(task::Task::is_pending),
                "activeServicesCount": state.services.len(),
                "statistics": [],
                "tags": [],
                "settings": [{"name": "containerInsights", "value": "enabled"}],
                "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "defaultCapacityProviderStrategy": [],
            }));
        } else {
            let arn = if named.starts_with("arn:") {
                named
            } else {
                format!(
                    "arn:aws:ecs:{}:{}:cluster/{named}",
                    world.options.region, world.options.account_id
                )
            };
            failures.push(json!({"arn": arn, "reason": "MISSING"}));
        }
    }
    Ok(json!({"clusters": clusters, "failures": failures}))
}

fn list_services(world: &World, input: &Value) -> OpResult {
    check_cluster(world, input)?;
    let arns: Vec<String> = world
        .services
        .ecs
        .services
        .iter()
        .map(|service| service.arn(world))
        .collect();
    // ListServices answers 10 a page unless told otherwise, at most 100 (API reference).
    let size = page_size(input, 10)?;
    let (arns, next) = page(arns, text(input, "nextToken"), size, bad_token)?;
    Ok(present(json!({"serviceArns": arns, "nextToken": next})))
}

fn bad_token() -> ApiError {
    invalid("Invalid token.")
}

fn page_size(input: &Value, default: i64) -> Result<usize, ApiError> {
    match crate::service::member::integer(input, "maxResults").unwrap_or(default) {
        size @ 1..=100 => Ok(size as usize),
        _ => Err(invalid("maxResults must be between 1 and 100.")),
    }
}

/// Refuses an empty or too long list as ECS words it.
fn check_length(input: &Value, member: &str, what: &str, most: usize) -> Result<(), ApiError> {
    match list(input, member).len() {
        0 => Err(invalid(format!("{what} cannot be empty."))),
        length if length > most => Err(invalid(format!("{what} cannot have more than {most} elements."))),
        _ => Ok(()),
    }
}
