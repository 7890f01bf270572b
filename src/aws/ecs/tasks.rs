//! Tasks: which there are, and how they are doing.

use aws_sdk_ecs::types::{DesiredStatus, ManagedAgentName, TaskField};
use futures::future::try_join;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::pages::Pages;
use crate::aws::{Aws, convert};
use crate::error::{Required as _, Result, from_sdk};

/// DescribeTasks takes at most 100 tasks (Amazon ECS API Reference).
const BATCH: usize = 100;

/// A task, as far as bpctl cares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) arn: String,
    pub(crate) definition: String,
    /// `PROVISIONING`, `PENDING`, `ACTIVATING`, `RUNNING`, `DEACTIVATING`, `STOPPING`,
    /// `DEPROVISIONING` or `STOPPED` ("Amazon ECS task lifecycle").
    pub(crate) state: String,
    pub(crate) started_by: Option<String>,
    /// `service:<name>` for tasks of a service, `family:<family>` for those of RunTask.
    pub(crate) group: Option<String>,
    /// `EssentialContainerExited`, `TaskFailedToStart`, `UserInitiated`, …
    pub(crate) stop_code: Option<String>,
    pub(crate) stopped_reason: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) started: Option<Timestamp>,
    /// When the last container exited; the task is cleaned up after that.
    pub(crate) execution_stopped: Option<Timestamp>,
    pub(crate) stopped: Option<Timestamp>,
    pub(crate) containers: Vec<Container>,
    /// Container name and the command it was given instead of the task definition's.
    pub(crate) commands: Vec<(String, Vec<String>)>,
    /// Name and value.
    pub(crate) tags: Vec<(String, String)>,
    /// Whether commands may be executed in it: decided when it was started.
    pub(crate) execute_command: bool,
}

/// A container of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub(crate) struct Container {
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) image: Option<String>,
    /// What the image was when it was pulled.
    #[serde(skip)]
    pub(crate) digest: Option<String>,
    /// `PENDING`, `RUNNING` or `STOPPED`.
    #[serde(skip)]
    pub(crate) state: Option<String>,
    /// What Systems Manager knows the container by.
    #[serde(skip)]
    pub(crate) runtime_id: Option<String>,
    /// The agent of ECS Exec, where commands may be executed.
    #[serde(skip)]
    pub(crate) agent: Option<Agent>,
    /// Absent while it runs, and for ever when it never ran or ECS never learnt it.
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
}

/// The agent that executes commands in a container (`ExecuteCommandAgent`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agent {
    /// `PENDING`, `RUNNING` or `STOPPED`.
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) started: Option<Timestamp>,
}

impl Task {
    /// The last part of the ARN.
    pub(crate) fn id(&self) -> &str {
        super::short(&self.arn)
    }

    /// Whether it has come to its end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state == "STOPPED"
    }

    /// The container with this name.
    pub(crate) fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == name)
    }

    /// The command that `container` was given instead of the task definition's.
    pub(crate) fn command(&self, container: &str) -> Option<&[String]> {
        self.commands
            .iter()
            .find(|(name, _)| name == container)
            .map(|(_, command)| command.as_slice())
    }
}

impl Aws {
    /// Tasks of a family that have not come to their end, also those that are already being stopped.
    ///
    /// ListTasks filters by the *desired* status, so a task on its way down is only found among the
    /// stopped ones, of which ECS keeps an hour's worth.
    pub(crate) async fn live_tasks_of_family(&self, cluster: &str, family: &str) -> Result<Vec<Task>> {
        let (mut arns, stopping) = try_join(
            self.list_family(cluster, family, DesiredStatus::Running),
            self.list_family(cluster, family, DesiredStatus::Stopped),
        )
        .await?;
        arns.extend(stopping);
        let mut tasks = self.tasks(cluster, &arns).await?;
        tasks.retain(|task| !task.is_stopped());
        Ok(tasks)
    }

    /// ARNs of the tasks of a family that are to go on.
    pub(crate) async fn running_tasks_of_family(&self, cluster: &str, family: &str) -> Result<Vec<String>> {
        self.list_family(cluster, family, DesiredStatus::Running).await
    }

    /// ARNs of all tasks of a cluster that are to go on.
    pub(crate) async fn running_tasks(&self, cluster: &str) -> Result<Vec<String>> {
        let stream = self
            .ecs_client()
            .await?
            .list_tasks()
            .cluster(cluster)
            .desired_status(DesiredStatus::Running)
            .into_paginator()
            .send();
        Pages::new(format!("list the tasks of cluster {cluster}"), stream)
            .all()
            .await
    }

    /// ARNs of the tasks of a service that are to go on.
    pub(crate) async fn running_tasks_of_service(&self, cluster: &str, service: &str) -> Result<Vec<String>> {
        let stream = self
            .ecs_client()
            .await?
            .list_tasks()
            .cluster(cluster)
            .service_name(service)
            .desired_status(DesiredStatus::Running)
            .into_paginator()
            .send();
        Pages::new(format!("list the tasks of {service}"), stream)
            .all()
            .await
    }

    /// Tasks of a family that are to go on, or those that have stopped or are about to, of which ECS keeps an
    /// hour's worth.
    pub(crate) async fn tasks_of_family(
        &self,
        cluster: &str,
        family: &str,
        stopped: bool,
    ) -> Result<Vec<String>> {
        let status = if stopped {
            DesiredStatus::Stopped
        } else {
            DesiredStatus::Running
        };
        self.list_family(cluster, family, status).await
    }

    async fn list_family(&self, cluster: &str, family: &str, status: DesiredStatus) -> Result<Vec<String>> {
        let stream = self
            .ecs_client()
            .await?
            .list_tasks()
            .cluster(cluster)
            .family(family)
            .desired_status(status)
            .into_paginator()
            .send();
        Pages::new(format!("list the tasks of {family}"), stream)
            .all()
            .await
    }

    /// Tasks of a service that have stopped, of which ECS keeps an hour's worth.
    pub(crate) async fn stopped_tasks_of_service(&self, cluster: &str, service: &str) -> Result<Vec<Task>> {
        let stream = self
            .ecs_client()
            .await?
            .list_tasks()
            .cluster(cluster)
            .service_name(service)
            .desired_status(DesiredStatus::Stopped)
            .into_paginator()
            .send();
        let arns = Pages::new(format!("list the stopped tasks of {service}"), stream)
            .all()
            .await?;
        self.tasks(cluster, &arns).await
    }

    /// ARNs of tasks that were started with exactly this `startedBy`, running or stopped.
    pub(crate) async fn tasks_started_by(&self, cluster: &str, started_by: &str) -> Result<Vec<String>> {
        let client = self.ecs_client().await?;
        let list = async |status: DesiredStatus| {
            let stream = client
                .list_tasks()
                .cluster(cluster)
                .started_by(started_by)
                .desired_status(status)
                .into_paginator()
                .send();
            Pages::new(format!("list the tasks started by {started_by}"), stream)
                .all()
                .await
        };
        let (mut arns, stopped) =
            try_join(list(DesiredStatus::Running), list(DesiredStatus::Stopped)).await?;
        arns.extend(stopped);
        Ok(arns)
    }

    /// The tasks with these ids or ARNs; those that ECS does not know (yet, or any more) are left out.
    pub(crate) async fn tasks(&self, cluster: &str, ids: &[String]) -> Result<Vec<Task>> {
        const REQUEST: &str = "DescribeTasks";
        let client = self.ecs_client().await?;
        let mut tasks = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let answer = client
                .describe_tasks()
                .cluster(cluster)
                .set_tasks(Some(batch.to_vec()))
                .include(TaskField::Tags)
                .send()
                .await
                .map_err(|error| {
                    let what = match batch {
                        [one] => format!("task {}", super::short(one)),
                        many => format!("{} tasks", many.len()),
                    };
                    from_sdk(format!("describe {what}"), &error)
                })?;
            for task in answer.tasks.required(REQUEST, "tasks")? {
                tasks.push(convert_task(REQUEST, &task)?);
            }
        }
        Ok(tasks)
    }

    /// The task with this id or ARN; `None` when ECS does not know it (yet, or any more).
    pub(crate) async fn task(&self, cluster: &str, id: &str) -> Result<Option<Task>> {
        Ok(self.tasks(cluster, &[id.to_owned()]).await?.pop())
    }
}

/// ECS leaves out what there is nothing to say about; emulators of it send an empty text.
pub(super) fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn convert_task(request: &str, task: &aws_sdk_ecs::types::Task) -> Result<Task> {
    Ok(Task {
        arn: task.task_arn().required(request, "taskArn")?.to_owned(),
        definition: task
            .task_definition_arn()
            .required(request, "taskDefinitionArn")?
            .to_owned(),
        state: task.last_status().required(request, "lastStatus")?.to_owned(),
        execute_command: task.enable_execute_command(),
        started_by: task.started_by().map(str::to_owned),
        group: task.group().map(str::to_owned),
        stop_code: task.stop_code().and_then(|code| said(code.as_str())),
        stopped_reason: task.stopped_reason().and_then(said),
        created: convert::time(task.created_at()),
        started: convert::time(task.started_at()),
        execution_stopped: convert::time(task.execution_stopped_at()),
        stopped: convert::time(task.stopped_at()),
        containers: task
            .containers()
            .iter()
            .map(|container| Container {
                name: container.name().unwrap_or_default().to_owned(),
                image: container.image().map(str::to_owned),
                digest: container.image_digest().and_then(said),
                state: container.last_status().map(str::to_owned),
                runtime_id: container.runtime_id().and_then(said),
                agent: agent(container),
                exit_code: container.exit_code(),
                reason: container.reason().map(str::to_owned),
            })
            .collect(),
        commands: task
            .overrides()
            .map(|overrides| overrides.container_overrides())
            .unwrap_or_default()
            .iter()
            .filter(|container| !container.command().is_empty())
            .map(|container| {
                (
                    container.name().unwrap_or_default().to_owned(),
                    container.command().to_vec(),
                )
            })
            .collect(),
        tags: task
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
            .collect(),
    })
}

fn agent(container: &aws_sdk_ecs::types::Container) -> Option<Agent> {
    let agents = container.managed_agents();
    let agent = agents
        .iter()
        .find(|agent| agent.name() == Some(&ManagedAgentName::ExecuteCommandAgent))?;
    Some(Agent {
        state: agent.last_status().unwrap_or_default().to_owned(),
        reason: agent.reason().and_then(said),
        started: convert::time(agent.last_started_at()),
    })
}
