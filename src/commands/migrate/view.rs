//! What a migration came to, as scripts and people read it.

use schemars::JsonSchema;
use serde::Serialize;

use super::plan::CONTAINER;
use crate::aws::ecs::short;
use crate::context::Ctx;
use crate::output::markdown::{cell, code};
use crate::output::{Render, Table, View};
use crate::tasks::{EndOfTask, LogOfTask, Tail, TaskAtLast, Verdict, Watched, shell_line};

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MigrateResult {
    #[serde(flatten)]
    end: EndOfTask,
    #[serde(flatten)]
    task: TaskAtLast,
    /// From start (or creation) to the end of the containers.
    duration_seconds: Option<i64>,
    #[serde(flatten)]
    log: LogOfTask,
    /// Identifier of the database snapshot that was taken first.
    snapshot: Option<String>,
}

impl MigrateResult {
    pub(super) fn new(watched: &Watched, tail: Option<&Tail>, snapshot: Option<String>) -> Self {
        let task = &watched.task;
        let end = task.execution_stopped.or(task.stopped);
        let begin = task.started.or(task.created);
        Self {
            end: EndOfTask::of(task, CONTAINER, &watched.judgement),
            task: TaskAtLast::of(task, CONTAINER),
            duration_seconds: begin
                .zip(end)
                .map(|(begin, end)| end.duration_since(begin).as_secs().max(0)),
            log: LogOfTask::of(tail),
            snapshot,
        }
    }

    /// Says how long it took, if it has succeeded.
    pub(super) fn tell(&self, ctx: &Ctx) {
        if self.end.verdict == Verdict::Succeeded {
            ctx.ui.status(&format!("migrated in {}", self.duration()));
        }
    }

    fn duration(&self) -> String {
        let seconds = self
            .duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok());
        let told = |seconds| humantime::format_duration(std::time::Duration::from_secs(seconds)).to_string();
        seconds.map_or_else(|| "-".to_owned(), |seconds| told(seconds).replace(' ', ""))
    }
}

impl Render for MigrateResult {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["TASK", "VERDICT", "EXIT", "DURATION"];
        let mut row = vec![
            self.end.task_id().to_owned(),
            self.end.verdict.as_str().to_owned(),
            self.end.exit(),
            self.duration(),
        ];
        if let Some(snapshot) = &self.snapshot {
            headers.push("SNAPSHOT");
            row.push(snapshot.clone());
        }
        if view.wide {
            headers.extend(["DEFINITION", "LOG", "COMMAND"]);
            row.push(short(&self.end.task_definition).to_owned());
            row.push(match (&self.log.log_group, &self.log.log_stream) {
                (Some(group), Some(stream)) => format!("{group} {stream}"),
                _ => "-".to_owned(),
            });
            row.push(match self.task.command.as_slice() {
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
        vec![self.end.task_id().to_owned()]
    }

    fn markdown(&self) -> Option<String> {
        let mut text = format!(
            "### migrate: {}\n\n| task | definition | exit code | duration |\n| --- | --- | --- | --- |\n| {} | {} | {} | {} |\n",
            self.end.verdict.as_str(),
            cell(&code(self.end.task_id())),
            cell(&code(short(&self.end.task_definition))),
            self.end.exit(),
            self.duration(),
        );
        if let (Some(group), Some(stream)) = (&self.log.log_group, &self.log.log_stream) {
            text.push_str(&format!("\nLog: {}, stream {}\n", code(group), code(stream)));
        }
        if let Some(snapshot) = &self.snapshot {
            text.push_str(&format!("\nSnapshot: {}\n", code(snapshot)));
        }
        Some(text)
    }
}
