//! ECS Exec: a program in a container of a running task.

use serde_json::{Map, Value};

use crate::aws::Aws;
use crate::aws::operation::ShowPermit;
use crate::aws::sessions::Opened;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// Starts a program in a container and opens a session to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExecuteCommand {
    pub(crate) cluster: String,
    /// ARN.
    pub(crate) task: String,
    pub(crate) container: String,
    /// One line; the agent splits it into words.
    pub(crate) command: String,
}

impl Call for ExecuteCommand {
    const SERVICE: &'static str = "ecs";
    const OPERATION: &'static str = "ExecuteCommand";
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Aws;
    type Answer = Opened;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("cluster", self.cluster.as_str().into()),
            ("task", self.task.as_str().into()),
            ("container", self.container.as_str().into()),
            ("interactive", true.into()),
            ("command", self.command.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("session/{}", super::short(&self.task))
    }

    /// # Errors
    /// What AWS refuses.
    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Opened> {
        let answer = aws
            .ecs_client()
            .await?
            .execute_command()
            .cluster(&self.cluster)
            .task(&self.task)
            .container(&self.container)
            .interactive(true)
            .command(&self.command)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                let task = super::short(&self.task);
                from_sdk(
                    format!("execute a command in {} of task {task}", self.container),
                    &error,
                )
            })?;
        let session = answer.session().required(Self::OPERATION, "session")?;
        Opened::new(
            Self::OPERATION,
            session.session_id(),
            session.stream_url(),
            session.token_value(),
        )
    }
}
