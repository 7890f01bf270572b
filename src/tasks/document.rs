//! What a result document says of a one-off task, in the parts that all of them have.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Judgement, Tail, Verdict};
use crate::aws::ecs::{Container, Task, short};

/// How the task ended, and which task it was.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct EndOfTask {
    pub(crate) verdict: Verdict,
    /// Of the container whose command was replaced; absent unless it ended.
    pub(crate) exit_code: Option<i32>,
    /// What happened, in words.
    pub(crate) summary: String,
    pub(crate) task_arn: String,
    pub(crate) task_definition: String,
}

/// The task as ECS shows it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct TaskAtLast {
    /// As the container got it: one string for a shell, words otherwise.
    pub(crate) command: Vec<String>,
    pub(crate) state: String,
    pub(crate) stop_code: Option<String>,
    pub(crate) stopped_reason: Option<String>,
    pub(crate) containers: Vec<Container>,
    pub(crate) started_by: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) stopped: Option<Timestamp>,
}

/// Where its lines are; null without the awslogs driver.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct LogOfTask {
    pub(crate) log_group: Option<String>,
    pub(crate) log_stream: Option<String>,
}

impl EndOfTask {
    pub(crate) fn of(task: &Task, container: &str, judgement: &Judgement) -> Self {
        Self {
            verdict: judgement.verdict,
            exit_code: task.container(container).and_then(|found| found.exit_code),
            summary: judgement.summary.clone(),
            task_arn: task.arn.clone(),
            task_definition: task.definition.clone(),
        }
    }

    pub(crate) fn task_id(&self) -> &str {
        short(&self.task_arn)
    }

    /// The exit code in a cell.
    pub(crate) fn exit(&self) -> String {
        self.exit_code
            .map_or_else(|| "-".to_owned(), |code| code.to_string())
    }
}

impl TaskAtLast {
    pub(crate) fn of(task: &Task, container: &str) -> Self {
        Self {
            command: task.command(container).unwrap_or_default().to_vec(),
            state: task.state.clone(),
            stop_code: task.stop_code.clone(),
            stopped_reason: task.stopped_reason.clone(),
            containers: task.containers.clone(),
            started_by: task.started_by.clone(),
            created: task.created,
            started: task.started,
            stopped: task.stopped,
        }
    }
}

impl LogOfTask {
    pub(crate) fn of(tail: Option<&Tail>) -> Self {
        Self {
            log_group: tail.map(|tail| tail.group.clone()),
            log_stream: tail.map(|tail| tail.stream.clone()),
        }
    }
}
