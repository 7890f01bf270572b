//! Tasks as scripts and people read them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ecs::{Container, Task, short};
use crate::output::{Render, Table, View, one_line};
use crate::tasks::shell_line;

/// The list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TaskList {
    pub(super) tasks: Vec<TaskRow>,
}

/// One task of the list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct TaskRow {
    pub(in crate::commands) task: String,
    task_arn: String,
    /// Family and revision.
    pub(in crate::commands) definition: String,
    pub(in crate::commands) state: String,
    /// The service that it belongs to; null for a one-off task.
    pub(in crate::commands) service: Option<String>,
    pub(in crate::commands) started_by: Option<String>,
    /// The container that was given a command of its own.
    container: Option<String>,
    /// That command, as the container got it.
    command: Option<Vec<String>>,
    created: Option<Timestamp>,
    started: Option<Timestamp>,
    stopped: Option<Timestamp>,
    /// Since it was created.
    age_seconds: Option<i64>,
    stop_code: Option<String>,
    pub(in crate::commands) stopped_reason: Option<String>,
    pub(in crate::commands) containers: Vec<Container>,
    pub(in crate::commands) tags: BTreeMap<String, String>,
}

impl TaskRow {
    pub(in crate::commands) fn new(task: &Task, now: Timestamp) -> Self {
        let service = task
            .group
            .as_deref()
            .and_then(|group| group.strip_prefix("service:"));
        let given = task.commands.first();
        let redacted = |text: &String| crate::tasks::shown(text);
        Self {
            task: task.id().to_owned(),
            task_arn: task.arn.clone(),
            definition: short(&task.definition).to_owned(),
            state: task.state.clone(),
            service: service.map(str::to_owned),
            started_by: task.started_by.clone(),
            container: given.map(|(container, _)| container.clone()),
            command: given.map(|(_, command)| command.iter().map(redacted).collect()),
            created: task.created,
            started: task.started,
            stopped: task.stopped,
            age_seconds: task
                .created
                .map(|created| now.duration_since(created).as_secs().max(0)),
            stop_code: task.stop_code.clone(),
            stopped_reason: task.stopped_reason.as_ref().map(redacted),
            containers: task.containers.clone(),
            tags: task.tags.iter().cloned().collect(),
        }
    }

    /// `3m`, `2h`, `5d`.
    pub(in crate::commands) fn age(&self) -> String {
        match self.age_seconds {
            None => "-".to_owned(),
            Some(seconds @ 0..120) => format!("{seconds}s"),
            Some(seconds @ 120..7_200) => format!("{}m", seconds / 60),
            Some(seconds @ 7_200..172_800) => format!("{}h", seconds / 3_600),
            Some(seconds) => format!("{}d", seconds / 86_400),
        }
    }

    /// What it is for: the service, or the command that it was given.
    pub(in crate::commands) fn purpose(&self) -> String {
        if let Some(service) = &self.service {
            return format!("service {service}");
        }
        match self.command.as_deref() {
            Some([one]) => one_line(one),
            Some(words) if !words.is_empty() => {
                one_line(&shell_line(words).unwrap_or_else(|_| words.join(" ")))
            }
            _ => self.started_by.clone().unwrap_or_else(|| "-".to_owned()),
        }
    }

    /// How it ended, of a task that has.
    pub(in crate::commands) fn end(&self) -> String {
        let exits = self.containers.iter().filter_map(|container| {
            let code = container.exit_code.filter(|code| *code != 0)?;
            Some(format!("{} exited with {code}", container.name))
        });
        let exits: Vec<String> = exits.collect();
        match (&self.stop_code, exits.is_empty()) {
            (None, _) => "-".to_owned(),
            (Some(code), true) => code.clone(),
            (Some(_), false) => exits.join(", "),
        }
    }
}

impl Render for TaskList {
    fn human(&self, view: &View) -> String {
        let stopped = self.tasks.iter().any(|task| task.stop_code.is_some());
        let mut headers = vec!["TASK", "DEFINITION", "STATE", "AGE"];
        if stopped {
            headers.push("END");
        }
        headers.push("FOR");
        if view.wide {
            headers.extend(["STARTED BY", "REASON"]);
        }
        let mut table = Table::new(&headers);
        for task in &self.tasks {
            let mut row = vec![
                task.task.clone(),
                task.definition.clone(),
                task.state.clone(),
                task.age(),
            ];
            if stopped {
                row.push(task.end());
            }
            row.push(task.purpose());
            if view.wide {
                row.push(task.started_by.clone().unwrap_or_else(|| "-".to_owned()));
                row.push(task.stopped_reason.clone().unwrap_or_else(|| "-".to_owned()));
            }
            table.row(row);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.tasks.iter().map(|task| task.task.clone()).collect()
    }
}

/// One task with everything around it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TaskDetails {
    #[serde(flatten)]
    pub(super) task: TaskRow,
    /// Where its containers log.
    pub(super) logs: Vec<LogStream>,
}

/// Where a container logs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct LogStream {
    pub(super) container: String,
    pub(super) group: String,
    pub(super) stream: String,
}

impl Render for TaskDetails {
    fn human(&self, view: &View) -> String {
        let task = &self.task;
        let time = |time: Option<Timestamp>| {
            time.map_or_else(
                || "-".to_owned(),
                |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            )
        };
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            text.push_str(&format!("{name:<12}{}\n", one_line(value)));
        };
        line("task", &task.task);
        line("definition", &task.definition);
        line("state", &format!("{}, {} old", task.state, task.age()));
        line("for", &task.purpose());
        if let Some(by) = &task.started_by {
            line("started by", by);
        }
        line("created", &time(task.created));
        line("started", &time(task.started));
        if let Some(code) = &task.stop_code {
            line("stopped", &time(task.stopped));
            line("stop code", code);
            line("reason", task.stopped_reason.as_deref().unwrap_or("-"));
        }
        text.push('\n');
        let mut table = Table::new(&["CONTAINER", "EXIT", "REASON", "LOG STREAM"]);
        for container in &task.containers {
            let log = self.logs.iter().find(|log| log.container == container.name);
            table.row([
                container.name.clone(),
                container
                    .exit_code
                    .map_or_else(|| "-".to_owned(), |code| code.to_string()),
                container.reason.clone().unwrap_or_else(|| "-".to_owned()),
                log.map_or_else(|| "-".to_owned(), |log| log.stream.clone()),
            ]);
        }
        text + &table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.task.task.clone()]
    }
}

/// Tasks that were told to stop.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stopped {
    pub(super) tasks: Vec<TaskRow>,
}

impl Render for Stopped {
    fn human(&self, view: &View) -> String {
        TaskList {
            tasks: self.tasks.clone(),
        }
        .human(view)
    }

    fn names(&self) -> Vec<String> {
        self.tasks.iter().map(|task| task.task.clone()).collect()
    }
}
