//! What a program came to, as a document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{Render, View};

/// The result document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ExecResult {
    pub(super) task: String,
    pub(super) container: String,
    pub(super) command: Vec<String>,
    /// The program's own.
    pub(super) exit_status: u8,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
}

/// What a program wrote.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Output {
    Text(String),
    /// Bytes that are no UTF-8.
    Base64(String),
}

impl From<Vec<u8>> for Output {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Base64(STANDARD.encode(error.into_bytes())),
        }
    }
}

impl Render for ExecResult {
    fn human(&self, _view: &View) -> String {
        match &self.stdout {
            Output::Text(text) | Output::Base64(text) => text.clone(),
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.task.clone()]
    }
}
