//! Tasks and their containers: what ECS knows about them and how it tells.

use serde_json::{Value, json};

use crate::application::process::Process;
use crate::service::member::{present, time};
use crate::session::SessionTrouble;
use crate::time::SimTime;
use crate::world::World;

/// A task's place in its life ("Amazon ECS task lifecycle").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// Why a task stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopCode {
    TaskFailedToStart,
    EssentialContainerExited,
    UserInitiated,
    ServiceSchedulerInitiated,
    SpotInterruption,
}

impl StopCode {
    fn name(self) -> &'static str {
        match self {
            Self::TaskFailedToStart => "TaskFailedToStart",
            Self::EssentialContainerExited => "EssentialContainerExited",
            Self::UserInitiated => "UserInitiated",
            Self::ServiceSchedulerInitiated => "ServiceSchedulerInitiated",
            Self::SpotInterruption => "SpotInterruption",
        }
    }
}

/// The verdict of a container health check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Health {
    #[default]
    Unknown,
    Healthy,
    Unhealthy,
}

impl Health {
    fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
        }
    }
}

/// A task, from RunTask or a service's scheduler until an hour after it stopped.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: String,
    /// Index among the task definitions.
    pub(crate) definition: usize,
    pub(crate) started_by: Option<String>,
    /// The name of the service that runs it, and the id of the deployment.
    pub(crate) service: Option<(String, String)>,
    pub(crate) group: String,
    /// `FARGATE` or `FARGATE_SPOT`; `None` for a launch type.
    pub(crate) capacity_provider: Option<String>,
    pub(crate) tags: Vec<Value>,
    pub(crate) overrides: Value,
    pub(crate) execute_command: bool,
    pub(crate) interface: Interface,
    pub(crate) phase: Phase,
    /// When the present phase is over, as far as that is known.
    pub(crate) until: SimTime,
    pub(crate) created: SimTime,
    pub(crate) connected: Option<SimTime>,
    pub(crate) pull_started: Option<SimTime>,
    pub(crate) pull_stopped: Option<SimTime>,
    pub(crate) started: Option<SimTime>,
    pub(crate) stopping: Option<SimTime>,
    pub(crate) execution_stopped: Option<SimTime>,
    pub(crate) stopped: Option<SimTime>,
    pub(crate) stop: Option<(StopCode, String)>,
    /// What prevents the start: the reason, and the container it concerns.
    pub(crate) launch_failure: Option<(String, Option<usize>)>,
    pub(crate) containers: Vec<Container>,
    /// Passed the health checks of its service at least once.
    pub(crate) proven: bool,
    /// It fails its health checks; why it will be stopped.
    pub(crate) unwell: Option<String>,
    /// Its service has taken note of its end.
    pub(crate) counted: bool,
    pub(crate) version: u32,
}

/// The elastic network interface of a task.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) attachment: String,
    pub(crate) id: String,
    pub(crate) subnet: String,
    /// It has a public address as well.
    pub(crate) public: bool,
    pub(crate) zone: String,
    pub(crate) ip: String,
    pub(crate) mac: String,
}

/// A container of a task; its definition has the same index in the task definition.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) status: ContainerStatus,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) health: Health,
    pub(crate) failed_checks: u32,
    pub(crate) next_check: SimTime,
    pub(crate) digest: Option<String>,
    pub(crate) runtime_id: Option<String>,
    pub(crate) started: Option<SimTime>,
    pub(crate) process: Option<Process>,
    /// When the exit that SIGTERM or SIGKILL forces happens, and its code.
    pub(crate) dies: Option<(SimTime, i32)>,
    /// Lines the log driver holds back until it flushes.
    pub(crate) unflushed: Vec<(SimTime, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContainerStatus {
    Pending,
    Running,
    Stopped,
}

impl Task {
    pub(crate) fn arn(&self, world: &World) -> String {
        arn(world, &self.id)
    }

    /// ECS wants it stopped.
    pub(crate) fn is_doomed(&self) -> bool {
        self.stop.is_some()
    }

    /// Started and not yet on its way out.
    pub(crate) fn is_running(&self) -> bool {
        self.phase == Phase::Running && !self.is_doomed()
    }

    /// Passed its health checks and has not failed them since.
    pub(crate) fn is_healthy(&self) -> bool {
        self.proven && self.unwell.is_none()
    }

    /// On its way to running.
    pub(crate) fn is_pending(&self) -> bool {
        self.phase < Phase::Running && !self.is_doomed()
    }

    /// Whether it belongs to that deployment of that service.
    pub(crate) fn belongs_to(&self, service: &str, deployment: &str) -> bool {
        self.service
            .as_ref()
            .is_some_and(|(name, id)| name == service && id == deployment)
    }

    /// Healthy when every essential container with a check is, unhealthy when one is not.
    pub(crate) fn health(&self, world: &World) -> Health {
        let definition = &world.services.ecs.definitions[self.definition];
        let mut verdict = Health::Unknown;
        for (container, defined) in self.containers.iter().zip(&definition.containers) {
            if !defined.essential || defined.health_check.is_none() {
                continue;
            }
            match container.health {
                Health::Unhealthy => return Health::Unhealthy,
                Health::Unknown => return Health::Unknown,
                Health::Healthy => verdict = Health::Healthy,
            }
        }
        verdict
    }
}

/// `arn:aws:ecs:…:task/<cluster>/<id>`.
pub(crate) fn arn(world: &World, id: &str) -> String {
    format!(
        "arn:aws:ecs:{}:{}:task/{}/{id}",
        world.options.region, world.options.account_id, world.services.ecs.cluster
    )
}

/// A task as DescribeTasks, RunTask and StopTask answer it.
pub(super) fn described(world: &World, task: &Task) -> Value {
    let definition = &world.services.ecs.definitions[task.definition];
    let arn = task.arn(world);
    let gone = task.phase == Phase::Stopped;
    let attached = match task.phase {
        Phase::Provisioning => "PRECREATED",
        Phase::Stopped => "DELETED",
        _ => "ATTACHED",
    };
    let interface = &task.interface;
    let mut details = vec![json!({"name": "subnetId", "value": interface.subnet})];
    if task.phase > Phase::Provisioning {
        details.extend([
            json!({"name": "networkInterfaceId", "value": interface.id}),
            json!({"name": "macAddress", "value": interface.mac}),
            json!({"name": "privateDnsName",
                "value": format!("ip-{}.ec2.internal", interface.ip.replace('.', "-"))}),
            json!({"name": "privateIPv4Address", "value": interface.ip}),
        ]);
    }
    let containers: Vec<Value> = task
        .containers
        .iter()
        .zip(&definition.containers)
        .map(|(container, defined)| described_container(world, task, &arn, container, defined))
        .collect();
    let desired = if task.is_doomed() { "STOPPED" } else { "RUNNING" };
    present(json!({
        "attachments": [{
            "id": interface.attachment,
            "type": "ElasticNetworkInterface",
            "status": attached,
            "details": details,
        }],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "arm64"}],
        "availabilityZone": interface.zone,
        "capacityProviderName": task.capacity_provider,
        "clusterArn": super::cluster_arn(world),
        "connectivity": task.connected.map(|_| if gone { "DISCONNECTED" } else { "CONNECTED" }),
        "connectivityAt": time(task.connected),
        "containers": containers,
        "cpu": definition.cpu.to_string(),
        "createdAt": task.created.epoch_seconds(),
        "desiredStatus": desired,
        "enableExecuteCommand": executes(world, task),
        "executionStoppedAt": time(task.execution_stopped),
        "group": task.group,
        "healthStatus": task.health(world).name(),
        "lastStatus": task.phase.name(),
        "launchType": "FARGATE",
        "memory": definition.memory.to_string(),
        "overrides": overrides(task, definition),
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "pullStartedAt": time(task.pull_started),
        "pullStoppedAt": time(task.pull_stopped),
        "startedAt": time(task.started),
        "startedBy": task.started_by,
        "stopCode": task.stop.as_ref().map(|(code, _)| code.name()),
        "stoppedAt": time(task.stopped),
        "stoppedReason": task.stop.as_ref().map(|(_, reason)| reason),
        "stoppingAt": time(task.stopping),
        "tags": task.tags,
        "taskArn": arn,
        "taskDefinitionArn": definition.arn(world),
        "version": task.version,
        "ephemeralStorage": {"sizeInGiB": 20},
        "fargateEphemeralStorage": {"sizeInGiB": 20},
    }))
}

/// The ARN of the container at that place of the task definition.
pub(crate) fn container_arn(world: &World, task: &Task, position: usize) -> String {
    container_arn_of(world, task, &task.containers[position])
}

fn container_arn_of(world: &World, task: &Task, container: &Container) -> String {
    format!(
        "arn:aws:ecs:{}:{}:container/{}/{}/{}",
        world.options.region, world.options.account_id, world.services.ecs.cluster, task.id, container.id
    )
}

/// Whether commands can be executed in the task at all.
fn executes(world: &World, task: &Task) -> bool {
    task.execute_command && world.services.sessions.trouble != Some(SessionTrouble::NotEnabled)
}

fn described_container(
    world: &World,
    task: &Task,
    task_arn: &str,
    container: &Container,
    defined: &super::definition::ContainerDefinition,
) -> Value {
    let status = match container.status {
        ContainerStatus::Pending => "PENDING",
        ContainerStatus::Running => "RUNNING",
        ContainerStatus::Stopped => "STOPPED",
    };
    let interfaces: Vec<Value> = (task.phase > Phase::Provisioning)
        .then(|| {
            json!({
                "attachmentId": task.interface.attachment,
                "privateIpv4Address": task.interface.ip,
            })
        })
        .into_iter()
        .collect();
    let trouble = world.services.sessions.trouble;
    let agents = (executes(world, task) && container.started.is_some()).then(|| {
        let running =
            container.status == ContainerStatus::Running && trouble != Some(SessionTrouble::AgentStopped);
        json!([{
            "name": "ExecuteCommandAgent",
            "lastStatus": if running { "RUNNING" } else { "STOPPED" },
            "lastStartedAt": time(container.started),
        }])
    });
    json!({
        "containerArn": container_arn_of(world, task, container),
        "taskArn": task_arn,
        "name": defined.name,
        "image": defined.image,
        "imageDigest": container.digest,
        "runtimeId": container.runtime_id,
        "lastStatus": status,
        "exitCode": container.exit_code,
        "reason": container.reason,
        "networkBindings": [],
        "networkInterfaces": interfaces,
        "healthStatus": container.health.name(),
        "managedAgents": agents,
        "cpu": "0",
    })
}

/// ECS lists every container among the overrides, also those that override nothing.
fn overrides(task: &Task, definition: &super::definition::TaskDefinition) -> Value {
    let mut answer = task.overrides.clone();
    if !answer.is_object() {
        answer = json!({});
    }
    let given = answer
        .get("containerOverrides")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let all: Vec<Value> = definition
        .containers
        .iter()
        .map(|defined| {
            given
                .iter()
                .find(|given| given.get("name").and_then(Value::as_str) == Some(&defined.name))
                .cloned()
                .unwrap_or_else(|| json!({"name": defined.name}))
        })
        .collect();
    answer["containerOverrides"] = Value::from(all);
    if answer.get("inferenceAcceleratorOverrides").is_none() {
        answer["inferenceAcceleratorOverrides"] = json!([]);
    }
    answer
}
