//! What a command in a one-off task came to, as scripts and people read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{Render, Table, View};
use crate::tasks::{EndOfTask, LogOfTask, Tail, TaskAtLast, Verdict, Watched};

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RunResult {
    #[serde(flatten)]
    end: EndOfTask,
    /// The container whose command was replaced.
    container: String,
    #[serde(flatten)]
    task: TaskAtLast,
    #[serde(flatten)]
    log: LogOfTask,
}

impl RunResult {
    pub(super) fn new(watched: &Watched, container: &str, tail: Option<&Tail>) -> Self {
        Self {
            end: EndOfTask::of(&watched.task, container, &watched.judgement),
            container: container.to_owned(),
            task: TaskAtLast::of(&watched.task, container),
            log: LogOfTask::of(tail),
        }
    }

    /// Whether the task has come to its end.
    pub(super) fn is_over(&self) -> bool {
        self.end.verdict != Verdict::Running
    }
}

impl Render for RunResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["TASK", "VERDICT", "STATE", "EXIT"]);
        table.row([
            self.end.task_id().to_owned(),
            self.end.verdict.as_str().to_owned(),
            self.task.state.clone(),
            self.end.exit(),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.end.task_id().to_owned()]
    }
}
