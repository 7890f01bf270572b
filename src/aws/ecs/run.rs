//! Starting and stopping tasks.

use aws_sdk_ecs::operation::run_task::RunTaskOutput;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, ContainerOverride, LaunchType, NetworkConfiguration, Tag,
    TaskOverride,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::tasks::{Task, convert_task};
use crate::aws::Aws;
use crate::aws::operation::ShowPermit;
use crate::change::{Call, Later, Loss, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

const DOING: &str = "start the task";

/// The network of a service or task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Network {
    pub(crate) subnets: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) public_ip: bool,
}

impl Network {
    pub(super) fn from_sdk(network: &AwsVpcConfiguration) -> Self {
        Self {
            subnets: network.subnets().to_vec(),
            security_groups: network.security_groups().to_vec(),
            public_ip: network.assign_public_ip() == Some(&AssignPublicIp::Enabled),
        }
    }
}

/// A one-off task on Fargate, in which one container gets another command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunTask {
    pub(crate) cluster: String,
    /// ARN: the revision that was looked at is the one that runs.
    pub(crate) definition: String,
    /// The definition that runs in its stead, of the same family: one that another step brings.
    #[serde(default)]
    pub(crate) brought: Option<Later>,
    /// It keeps nothing out, and nothing keeps it out: a command that an operator runs in passing.
    #[serde(default)]
    pub(crate) aside: bool,
    pub(crate) container: String,
    pub(crate) command: Vec<String>,
    pub(crate) network: Network,
    pub(crate) platform_version: Option<String>,
    pub(crate) execute_command: bool,
    /// Letters, digits, `-`, `/` and `_`, at most 128 (API reference).
    pub(crate) started_by: String,
    /// Printable ASCII, at most 64 characters: however often the request is sent, one task starts.
    pub(crate) client_token: String,
    pub(crate) tags: Vec<(String, String)>,
    /// What the command loses, if it does.
    pub(crate) loses: Option<Loss>,
}

impl RunTask {
    /// The family of the task definition, e.g. `bp-backend`.
    pub(crate) fn family(&self) -> &str {
        let name = super::short(&self.definition);
        name.split_once(':').map_or(name, |(family, _)| family)
    }
}

impl Call for RunTask {
    const SERVICE: &'static str = "ecs";
    const OPERATION: &'static str = "RunTask";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["clientToken", "startedBy", "tags"];
    type Via = Aws;
    type Answer = Task;

    fn parameters(&self) -> Map<String, Value> {
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value}));
        let public_ip = if self.network.public_ip {
            "ENABLED"
        } else {
            "DISABLED"
        };
        let definition = match &self.brought {
            Some(brought) => brought.parameter(),
            None => self.definition.as_str().into(),
        };
        let mut members = parameters([
            ("cluster", self.cluster.as_str().into()),
            ("taskDefinition", definition),
            ("count", 1.into()),
            ("launchType", "FARGATE".into()),
        ]);
        if let Some(version) = &self.platform_version {
            members.insert("platformVersion".to_owned(), version.as_str().into());
        }
        members.extend(parameters([
            ("enableExecuteCommand", self.execute_command.into()),
            (
                "networkConfiguration",
                json!({"awsvpcConfiguration": {
                    "subnets": self.network.subnets,
                    "securityGroups": self.network.security_groups,
                    "assignPublicIp": public_ip,
                }}),
            ),
            (
                "overrides",
                json!({"containerOverrides": [{"name": self.container, "command": self.command}]}),
            ),
            ("startedBy", self.started_by.as_str().into()),
            ("tags", tags.collect::<Vec<_>>().into()),
            ("clientToken", self.client_token.as_str().into()),
        ]));
        members
    }

    fn resource(&self) -> String {
        match self.aside {
            // No other run has this resource.
            true => format!("ecs/{}", self.started_by),
            false => format!("ecs/{}", self.family()),
        }
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    /// The SDK repeats the request with the same token when an answer is lost.
    ///
    /// # Errors
    /// What AWS refuses; [`ErrorKind::Failed`] with the reason when ECS answers "no" with a `failures`
    /// list; [`ErrorKind::Unreachable`] when it is not known whether the task started.
    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Task> {
        let definition = match &self.brought {
            Some(brought) => brought.known()?,
            None => &self.definition,
        };
        let vpc = AwsVpcConfiguration::builder()
            .set_subnets(Some(self.network.subnets.clone()))
            .set_security_groups(Some(self.network.security_groups.clone()))
            .assign_public_ip(if self.network.public_ip {
                AssignPublicIp::Enabled
            } else {
                AssignPublicIp::Disabled
            })
            .build()
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, DOING).source(&error))?;
        let overriding = ContainerOverride::builder()
            .name(&self.container)
            .set_command(Some(self.command.clone()))
            .build();
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let answer = aws
            .ecs_client()
            .await?
            .run_task()
            .cluster(&self.cluster)
            .task_definition(definition)
            .count(1)
            .launch_type(LaunchType::Fargate)
            .set_platform_version(self.platform_version.clone())
            .enable_execute_command(self.execute_command)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
            .overrides(TaskOverride::builder().container_overrides(overriding).build())
            .started_by(&self.started_by)
            .client_token(&self.client_token)
            .set_tags(Some(tags.collect()))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(DOING, &error))?;
        placed(&answer)
    }
}

/// Asks ECS to stop a task; SIGTERM to every container, SIGKILL after their stop timeouts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StopTask {
    pub(crate) cluster: String,
    pub(crate) task: Later,
    pub(crate) reason: String,
    pub(crate) resource: String,
    /// What is under way in the task and lost, if anything.
    #[serde(default)]
    pub(crate) loses: Option<Loss>,
}

impl Call for StopTask {
    const SERVICE: &'static str = "ecs";
    const OPERATION: &'static str = "StopTask";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = Task;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("cluster", self.cluster.as_str().into()),
            ("task", self.task.parameter()),
            ("reason", self.reason.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Task> {
        let task = self.task.known()?;
        let answer = aws
            .ecs_client()
            .await?
            .stop_task()
            .cluster(&self.cluster)
            .task(task)
            .reason(&self.reason)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("stop task {}", super::short(task)), &error))?;
        convert_task("StopTask", answer.task().required("StopTask", "task")?)
    }
}

/// The task that was started. RunTask reports what could not be placed with HTTP 200, and then there
/// may be no task at all.
fn placed(answer: &RunTaskOutput) -> Result<Task> {
    if let Some(task) = answer.tasks().first() {
        return convert_task("RunTask", task);
    }
    let Some(failure) = answer.failures().first() else {
        // Not the answer of RunTask: the task may have been started all the same.
        return Err(CtlError::new(ErrorKind::Unexpected, DOING)
            .cause("ECS answered with neither a task nor a failure"));
    };
    let reason = failure.reason().unwrap_or("it gave no reason");
    let detail = failure.detail().map(|detail| format!(" ({detail})"));
    let detail = detail.unwrap_or_default();
    Err(CtlError::new(ErrorKind::Failed, DOING).cause(format!("ECS could not place it: {reason}{detail}")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::Failure;

    use super::*;

    #[test]
    fn an_answer_without_a_task_is_a_failure() {
        let failure = Failure::builder()
            .reason("Capacity is unavailable at this time.")
            .detail("zone a");
        let answer = RunTaskOutput::builder().failures(failure.build()).build();
        let error = placed(&answer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert_eq!(
            error.to_string(),
            "start the task: ECS could not place it: Capacity is unavailable at this time. (zone a)"
        );
        let error = placed(&RunTaskOutput::builder().build()).unwrap_err();
        assert!(error.to_string().contains("neither a task nor a failure"));
    }

    #[test]
    fn a_started_task_is_a_task() {
        let task = aws_sdk_ecs::types::Task::builder()
            .task_arn("arn:aws:ecs:us-east-1:123456789012:task/bp/0af")
            .task_definition_arn("arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:42")
            .last_status("PROVISIONING");
        let answer = RunTaskOutput::builder().tasks(task.build()).build();
        let task = placed(&answer).unwrap();
        assert_eq!((task.id(), task.state.as_str()), ("0af", "PROVISIONING"));
        let nameless = aws_sdk_ecs::types::Task::builder().last_status("PENDING").build();
        let answer = RunTaskOutput::builder().tasks(nameless).build();
        assert_eq!(placed(&answer).unwrap_err().kind(), ErrorKind::Unexpected);
    }
}
