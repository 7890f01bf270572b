//! Stops what runs in a cluster beside the services of its stack: ECS deletes no cluster with tasks or services, and no
//! capacity provider that is in use (API Reference, DeleteCluster, PutClusterCapacityProviders).

use serde::{Deserialize, Serialize};

use std::time::Duration;

use super::Teardown;
use super::observe::Cluster;
use super::plan::{Action, work};
use crate::aws::ecs::removal::DeleteService;
use crate::aws::ecs::{StopTask, short};
use crate::change::{ApiCall, Call as _, Done, Later, Step, StepRun};
use crate::error::{CtlError, ErrorKind, Result};
use crate::output::counted;
use crate::wait::{Look, Waited, Waiter};

/// Tasks have 30 seconds, or at most two minutes, after SIGTERM, and then their interfaces go.
const PACE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(10));

/// What ECS is told to say of the tasks.
const REASON: &str = "bpctl teardown";

/// Tasks and services that are stopped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ClearAction {
    cluster: String,
    tasks: Vec<StopTask>,
    services: Vec<DeleteService>,
}

/// The id of the step about a cluster.
pub(super) fn id(cluster: &str) -> String {
    format!("cluster {cluster}")
}

pub(super) fn stop(cluster: &str, task: Later, what: &str) -> StopTask {
    StopTask {
        cluster: cluster.to_owned(),
        task,
        reason: REASON.to_owned(),
        resource: format!("ecs/{cluster}"),
        loses: Some(work(what)),
    }
}

pub(super) fn remove(cluster: &str, service: Later, what: &str) -> DeleteService {
    DeleteService {
        cluster: cluster.to_owned(),
        service,
        resource: format!("ecs/{cluster}"),
        loses: Some(work(what)),
    }
}

/// `None` when nothing else runs.
pub(super) fn step(cluster: &Cluster) -> Option<Step<Action>> {
    if cluster.tasks.is_empty() && cluster.services.is_empty() {
        return None;
    }
    let mut notes = Vec::new();
    let tasks = cluster.tasks.iter().map(|task| {
        let of = task.group.as_deref().unwrap_or("no family");
        let by = task.started_by.as_deref();
        let by = by.map(|by| format!(", started by {by}")).unwrap_or_default();
        notes.push(format!("task {} of {of}{by}", task.id()));
        let what = format!("what task {} does", task.id());
        stop(&cluster.name, Later::Known(task.arn.clone()), &what)
    });
    let tasks: Vec<StopTask> = tasks.collect();
    let services = cluster.services.iter().map(|name| {
        let what = format!("what service {name} runs");
        remove(&cluster.name, Later::Known(name.clone()), &what)
    });
    let services: Vec<DeleteService> = services.collect();
    notes.extend(
        cluster
            .services
            .iter()
            .map(|name| format!("service {name}, which no stack of the platform has made")),
    );
    let mut calls: Vec<ApiCall> = tasks.iter().map(StopTask::described).collect();
    calls.extend(services.iter().map(DeleteService::described));
    let summary = format!(
        "stop {} and delete {}, and wait until they are gone",
        counted(tasks.len() as u64, "one-off task"),
        counted(services.len() as u64, "service")
    );
    let action = Action::Clear(ClearAction {
        cluster: cluster.name.clone(),
        tasks,
        services,
    });
    let mut step = Step::new(id(&cluster.name), summary, calls, action);
    step.notes = notes;
    Some(step)
}

pub(super) async fn act<'c>(
    change: &Teardown<'c>,
    step: &StepRun<'_, Teardown<'c>>,
    action: &ClearAction,
) -> Result<Done<Teardown<'c>>> {
    let aws = &change.ctx.aws;
    let running = aws.tasks_of_cluster(&action.cluster).await?;
    for call in &action.tasks {
        // One that has ended since needs no request.
        let task = call.task.known()?;
        if running.iter().any(|one| one.arn == task) {
            step.send(aws, call).await?;
        }
    }
    for call in &action.services {
        step.send(aws, call).await?;
    }
    let arns: Vec<String> = action
        .tasks
        .iter()
        .filter_map(|call| call.task.known().ok().map(str::to_owned))
        .collect();
    let services: Vec<String> = action
        .services
        .iter()
        .filter_map(|call| call.service.known().ok().map(str::to_owned))
        .collect();
    let counts = |task: Option<&str>, service: Option<&str>| {
        task.is_some_and(|task| arns.iter().any(|arn| arn == task))
            || service.is_some_and(|service| services.iter().any(|name| name == service))
    };
    Box::pin(until_gone(change, step, &action.cluster, counts)).await?;
    Ok(Done::new("stopped what runs in the cluster beside its services"))
}

/// Stops everything that a cluster still runs, as the step that deletes its stack may.
pub(super) async fn everything<'c>(
    change: &Teardown<'c>,
    step: &StepRun<'_, Teardown<'c>>,
    cluster: &str,
) -> Result<()> {
    let aws = &change.ctx.aws;
    for service in aws.services_of_cluster(cluster).await? {
        if service.status != "INACTIVE" {
            let call = remove(cluster, Later::Known(service.name), "");
            step.send(aws, &call).await?;
        }
    }
    for task in aws.tasks_of_cluster(cluster).await? {
        step.status(&format!(
            "stopping task {} in cluster {cluster}",
            short(&task.arn)
        ));
        let call = stop(cluster, Later::Known(task.arn), "");
        step.send(aws, &call).await?;
    }
    Box::pin(until_gone(change, step, cluster, |_, _| true)).await
}

/// Waits until no task or service is left that `counts`: it is asked by ARN of a task, or by name of a service.
async fn until_gone<'c>(
    change: &Teardown<'c>,
    step: &StepRun<'_, Teardown<'c>>,
    cluster: &str,
    counts: impl Fn(Option<&str>, Option<&str>) -> bool,
) -> Result<()> {
    let ctx = change.ctx;
    let waiter = Waiter::until_deadline(&ctx.clock, step.deadline(), &ctx.cancel).pace(PACE.0, PACE.1);
    let look = async || {
        let (tasks, services) = futures::try_join!(
            Box::pin(ctx.aws.tasks_of_cluster(cluster)),
            Box::pin(ctx.aws.services_of_cluster(cluster))
        )?;
        let tasks = tasks.iter().filter(|task| counts(Some(&task.arn), None)).count();
        let services = services.iter().filter(|service| {
            // A service that drains is there until its last task has stopped.
            service.status != "INACTIVE" && counts(None, Some(&service.name))
        });
        let services = services.count();
        Ok(match tasks + services {
            0 => Look::Ready(()),
            _ => Look::Pending(format!(
                "{cluster}: {} and {} left",
                counted(tasks as u64, "task"),
                counted(services as u64, "service")
            )),
        })
    };
    let waited = waiter.until(look, |text| step.status(text)).await?;
    match waited {
        Waited::Ready(()) => Ok(()),
        Waited::TimedOut => Err(CtlError::new(
            ErrorKind::TimedOut,
            format!("see what runs in cluster {cluster} end: some of it still does"),
        )),
        Waited::Cancelled => Err(CtlError::new(
            ErrorKind::Interrupted,
            format!("see what runs in cluster {cluster} end: interrupted"),
        )),
    }
}
