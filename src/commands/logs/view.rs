//! Lines as a document.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::logs::{Line, Source};
use crate::output::{Render, View, one_line};
use crate::redact::redact;

/// The lines between two times.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct LogLines {
    /// In the order of their times.
    pub(super) lines: Vec<LogLine>,
}

/// A line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct LogLine {
    /// When the program wrote it.
    at: Option<Timestamp>,
    /// The same in milliseconds since 1970.
    timestamp: i64,
    /// When CloudWatch Logs had it, in milliseconds since 1970.
    ingestion_time: i64,
    group: String,
    stream: String,
    /// Of a task's stream.
    container: Option<String>,
    /// Id of the task that wrote it.
    task: Option<String>,
    /// Without the values of secrets.
    message: String,
}

impl LogLine {
    pub(super) fn new(line: &Line, source: &Source) -> Self {
        let task = task_stream(&line.event.stream);
        Self {
            at: Timestamp::from_millisecond(line.event.at).ok(),
            timestamp: line.event.at,
            ingestion_time: line.event.ingested,
            group: source.group.clone(),
            stream: line.event.stream.to_string(),
            container: task.map(|(container, _)| container.to_owned()),
            task: task.map(|(_, task)| task.to_owned()),
            message: redact(&line.event.message).into_owned(),
        }
    }
}

/// Container and task of a stream `<prefix>/<container>/<task>`.
pub(super) fn task_stream(stream: &str) -> Option<(&str, &str)> {
    let mut parts = stream.splitn(3, '/').skip(1);
    let (container, task) = (parts.next()?, parts.next()?);
    (task.len() >= 32 && !task.contains('/')).then_some((container, task))
}

impl Render for LogLines {
    fn human(&self, _view: &View) -> String {
        self.lines
            .iter()
            .map(|line| {
                format!(
                    "{} {} | {}\n",
                    line.timestamp,
                    line.stream,
                    one_line(&line.message)
                )
            })
            .collect()
    }

    /// The streams that the lines are of.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lines.iter().map(|line| line.stream.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
