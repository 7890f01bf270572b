//! What a command in a one-off task came to, as scripts and people read it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ecs::{Container, Task, short};
use crate::output::{Render, Table, View};
use crate::tasks::{Judgement, Tail, Verdict};

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RunResult {
    verdict: Verdict,
    /// Of the container; absent unless it ended.
    exit_code: Option<i32>,
    /// What happened, in words.
    summary: String,
    task_arn: String,
    task_definition: String,
    /// The container whose command was replaced.
    container: String,
    /// As the container got it: one string for a shell, words otherwise.
    command: Vec<String>,
    state: String,
    stop_code: Option<String>,
    stopped_reason: Option<String>,
    containers: Vec<Container>,
    started_by: Option<String>,
    created: Option<Timestamp>,
    started: Option<Timestamp>,
    stopped: Option<Timestamp>,
    log_group: Option<String>,
    log_stream: Option<String>,
}

impl RunResult {
    pub(super) fn new(task: &Task, container: &str, judgement: &Judgement, tail: Option<&Tail>) -> Self {
        Self {
            verdict: judgement.verdict,
            exit_code: task.container(container).and_then(|found| found.exit_code),
            summary: judgement.summary.clone(),
            task_arn: task.arn.clone(),
            task_definition: task.definition.clone(),
            container: container.to_owned(),
            command: task.command(container).unwrap_or_default().to_vec(),
            state: task.state.clone(),
            stop_code: task.stop_code.clone(),
            stopped_reason: task.stopped_reason.clone(),
            containers: task.containers.clone(),
            started_by: task.started_by.clone(),
            created: task.created,
            started: task.started,
            stopped: task.stopped,
            log_group: tail.map(|tail| tail.group.clone()),
            log_stream: tail.map(|tail| tail.stream.clone()),
        }
    }

    /// Whether the task has come to its end.
    pub(super) fn is_over(&self) -> bool {
        self.verdict != Verdict::Running
    }
}

impl Render for RunResult {
    fn human(&self, view: &View) -> String {
        let exit = self
            .exit_code
            .map_or_else(|| "-".to_owned(), |code| code.to_string());
        let mut table = Table::new(&["TASK", "VERDICT", "STATE", "EXIT"]);
        table.row([
            short(&self.task_arn).to_owned(),
            self.verdict.as_str().to_owned(),
            self.state.clone(),
            exit,
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![short(&self.task_arn).to_owned()]
    }
}
