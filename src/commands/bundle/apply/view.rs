//! What became of the command.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::aws::ssm::command::{Invocation, Progress};
use crate::change::RunId;
use crate::error::{CtlError, ErrorKind, Result};
use crate::output::{Render, Table, View};
use crate::redact::redact;

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ApplyResult {
    /// `null` for a command that was only watched.
    pub(super) run: Option<RunId>,
    command: String,
    instance: String,
    /// In the words of Systems Manager.
    status: String,
    succeeded: bool,
    exit_code: Option<i32>,
    /// Where the output is kept, in the logs bucket.
    pub(super) log_key: Option<String>,
    #[serde(skip)]
    stdout: String,
    #[serde(skip)]
    stderr: String,
}

impl ApplyResult {
    pub(super) fn of(ended: &Invocation) -> Self {
        Self {
            run: None,
            command: ended.command.clone(),
            instance: ended.instance.clone(),
            status: ended.status.clone(),
            succeeded: ended.progress == Progress::Succeeded,
            exit_code: ended.exit_code,
            log_key: None,
            stdout: ended.stdout.clone(),
            stderr: ended.stderr.clone(),
        }
    }

    pub(super) fn going_on(command: &str, instance: &str) -> Self {
        Self {
            run: None,
            command: command.to_owned(),
            instance: instance.to_owned(),
            status: "InProgress".to_owned(),
            succeeded: false,
            exit_code: None,
            log_key: None,
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    /// What is kept of the command in the logs bucket.
    pub(super) fn log(&self, bundle_id: &str) -> Result<String> {
        let log = json!({
            "bundle_id": bundle_id,
            "command_id": self.command,
            "instance_id": self.instance,
            "status": self.status,
            "exit_code": self.exit_code,
            "stdout": redact(&self.stdout),
            "stderr": redact(&self.stderr),
        });
        serde_json::to_string_pretty(&log)
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write the output as JSON").source(&error))
    }
}

impl Render for ApplyResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["INSTANCE", "STATUS", "EXIT CODE", "COMMAND"]);
        table.row([
            self.instance.clone(),
            self.status.clone(),
            self.exit_code
                .map_or_else(|| "-".to_owned(), |code| code.to_string()),
            self.command.clone(),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.command.clone()]
    }
}
