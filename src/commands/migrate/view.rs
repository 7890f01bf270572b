//! What a migration came to, as scripts and people read it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::plan::CONTAINER;
use crate::aws::ecs::{Container, Task};
use crate::output::markdown::{cell, code};
use crate::output::{Render, Table, View};
use crate::tasks::{Judgement, Tail, Verdict, shell_line};

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MigrateResult {
    verdict: Verdict,
    /// Of php-fpm; absent unless it ended.
    exit_code: Option<i32>,
    /// What happened, in words.
    summary: String,
    task_arn: String,
    task_definition: String,
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
    /// From start (or creation) to the end of the containers.
    duration_seconds: Option<i64>,
    log_group: Option<String>,
    log_stream: Option<String>,
    /// Identifier of the database snapshot that was taken first.
    snapshot: Option<String>,
}

impl MigrateResult {
    pub(super) fn new(
        task: &Task,
        judgement: &Judgement,
        tail: Option<&Tail>,
        snapshot: Option<String>,
    ) -> Self {
        let end = task.execution_stopped.or(task.stopped);
        let begin = task.started.or(task.created);
        Self {
            verdict: judgement.verdict,
            exit_code: task
                .container(CONTAINER)
                .and_then(|container| container.exit_code),
            summary: judgement.summary.clone(),
            task_arn: task.arn.clone(),
            task_definition: task.definition.clone(),
            command: task.command(CONTAINER).unwrap_or_default().to_vec(),
            state: task.state.clone(),
            stop_code: task.stop_code.clone(),
            stopped_reason: task.stopped_reason.clone(),
            containers: task.containers.clone(),
            started_by: task.started_by.clone(),
            created: task.created,
            started: task.started,
            stopped: task.stopped,
            duration_seconds: begin
                .zip(end)
                .map(|(begin, end)| end.duration_since(begin).as_secs().max(0)),
            log_group: tail.map(|tail| tail.group.clone()),
            log_stream: tail.map(|tail| tail.stream.clone()),
            snapshot,
        }
    }

    fn task_id(&self) -> &str {
        crate::aws::ecs::short(&self.task_arn)
    }

    pub(super) fn duration(&self) -> String {
        self.duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or_else(
                || "-".to_owned(),
                |seconds| {
                    humantime::format_duration(std::time::Duration::from_secs(seconds))
                        .to_string()
                        .replace(' ', "")
                },
            )
    }
}

impl Render for MigrateResult {
    fn human(&self, view: &View) -> String {
        let exit = self
            .exit_code
            .map_or_else(|| "-".to_owned(), |code| code.to_string());
        let mut headers = vec!["TASK", "VERDICT", "EXIT", "DURATION"];
        let mut row = vec![
            self.task_id().to_owned(),
            self.verdict.as_str().to_owned(),
            exit,
            self.duration(),
        ];
        if let Some(snapshot) = &self.snapshot {
            headers.push("SNAPSHOT");
            row.push(snapshot.clone());
        }
        if view.wide {
            headers.extend(["DEFINITION", "LOG", "COMMAND"]);
            row.push(crate::aws::ecs::short(&self.task_definition).to_owned());
            row.push(match (&self.log_group, &self.log_stream) {
                (Some(group), Some(stream)) => format!("{group} {stream}"),
                _ => "-".to_owned(),
            });
            row.push(match self.command.as_slice() {
                [] => "-".to_owned(),
                [one] => one.clone(),
                words => shell_line(words).unwrap_or_else(|_| words.join(" ")),
            });
        }
        let mut table = Table::new(&headers);
        table.row(row);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.task_id().to_owned()]
    }

    fn markdown(&self) -> Option<String> {
        let mut text = format!(
            "### migrate: {}\n\n| task | definition | exit code | duration |\n| --- | --- | --- | --- |\n| {} | {} | {} | {} |\n",
            self.verdict.as_str(),
            cell(&code(self.task_id())),
            cell(&code(crate::aws::ecs::short(&self.task_definition))),
            self.exit_code
                .map_or_else(|| "-".to_owned(), |code| code.to_string()),
            self.duration(),
        );
        if let (Some(group), Some(stream)) = (&self.log_group, &self.log_stream) {
            text.push_str(&format!("\nLog: {}, stream {}\n", code(group), code(stream)));
        }
        if let Some(snapshot) = &self.snapshot {
            text.push_str(&format!("\nSnapshot: {}\n", code(snapshot)));
        }
        Some(text)
    }
}
