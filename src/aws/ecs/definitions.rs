//! Task definitions: what a task's containers run and where their logs go.

use aws_sdk_ecs::types::LogDriver;

use crate::aws::Aws;
use crate::error::{Required as _, Result, from_sdk};

/// One revision of a task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskDefinition {
    pub(crate) arn: String,
    /// What the containers may do.
    pub(crate) task_role: Option<String>,
    pub(crate) containers: Vec<ContainerDefinition>,
}

/// One container of a task definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerDefinition {
    pub(crate) name: String,
    pub(crate) image: String,
    /// When it exits, the whole task stops.
    pub(crate) essential: bool,
    /// Empty when the image's own entry point counts.
    pub(crate) entry_point: Vec<String>,
    pub(crate) logs: Option<AwsLogs>,
    /// Environment variable and where its value comes from: an ARN of Secrets Manager (with `:key:stage:version`
    /// behind it or not) or of Parameter Store, or a parameter's name.
    pub(crate) secrets: Vec<(String, String)>,
}

/// Where the awslogs driver sends a container's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsLogs {
    pub(crate) group: String,
    /// Absent: the stream is named after the container's runtime id.
    pub(crate) stream_prefix: Option<String>,
}

impl TaskDefinition {
    /// The container with this name.
    pub(crate) fn container(&self, name: &str) -> Option<&ContainerDefinition> {
        self.containers.iter().find(|container| container.name == name)
    }

    /// Names of the containers with which a task ends.
    pub(crate) fn essential(&self) -> Vec<String> {
        let essential = self.containers.iter().filter(|container| container.essential);
        essential.map(|container| container.name.clone()).collect()
    }
}

impl Aws {
    /// The task definition with this ARN, `family:revision`, or the newest active one of a family.
    pub(crate) async fn task_definition(&self, name: &str) -> Result<TaskDefinition> {
        const REQUEST: &str = "DescribeTaskDefinition";
        let answer = self
            .ecs_client()
            .await?
            .describe_task_definition()
            .task_definition(name)
            .send()
            .await
            .map_err(|error| from_sdk(format!("describe task definition {}", super::short(name)), &error))?;
        let definition = answer.task_definition().required(REQUEST, "taskDefinition")?;
        Ok(TaskDefinition {
            arn: definition
                .task_definition_arn()
                .required(REQUEST, "taskDefinitionArn")?
                .to_owned(),
            task_role: definition.task_role_arn().map(str::to_owned),
            containers: definition
                .container_definitions()
                .iter()
                .map(convert_container)
                .collect(),
        })
    }
}

fn convert_container(container: &aws_sdk_ecs::types::ContainerDefinition) -> ContainerDefinition {
    let logs = container
        .log_configuration()
        .filter(|logs| *logs.log_driver() == LogDriver::Awslogs)
        .and_then(|logs| logs.options())
        .and_then(|options| {
            Some(AwsLogs {
                group: options.get("awslogs-group")?.clone(),
                stream_prefix: options.get("awslogs-stream-prefix").cloned(),
            })
        });
    ContainerDefinition {
        name: container.name().unwrap_or_default().to_owned(),
        image: container.image().unwrap_or_default().to_owned(),
        // "If this parameter is omitted, a container is assumed to be essential" (API reference).
        essential: container.essential().unwrap_or(true),
        entry_point: container.entry_point().to_vec(),
        logs,
        secrets: container
            .secrets()
            .iter()
            .map(|secret| (secret.name().to_owned(), secret.value_from().to_owned()))
            .collect(),
    }
}
