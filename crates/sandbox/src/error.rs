//! The error an operation answers with, before a wire format gives it its shape.

use serde_json::{Map, Value};

/// An API error as AWS names it: `code` and `message` reach the caller unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The error code, e.g. `ClusterNotFoundException` or `ValidationError`.
    pub code: String,
    /// The message a person reads.
    pub message: String,
    /// The HTTP status; 400 unless the API says otherwise.
    pub status: u16,
    /// Further members of the error's shape. Boxed, because nearly every error has none.
    pub members: Box<Map<String, Value>>,
}

impl ApiError {
    /// An error of the caller's making, HTTP 400.
    pub fn client(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status: 400,
            members: Box::default(),
        }
    }

    /// The same error under another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// What an operation answers: the output structure by its API member names, or an error.
pub type OpResult = Result<Value, ApiError>;
