//! The record of what was asked of the account, for tests and for the listener's `calls`.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

use crate::service::{Access, Service};
use crate::time::SimTime;

/// How many calls are kept; a sandbox that is polled for days must not grow.
const KEPT: usize = 50_000;

/// One API call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it came, in simulated time.
    pub at: SimTime,
    /// The service it was for.
    pub service: Service,
    /// The operation as the request named it.
    pub operation: String,
    /// What the operation does; `None` for one that the sandbox does not simulate.
    pub access: Option<Access>,
    /// The error code it was refused with.
    pub error: Option<String>,
    /// What a writing operation was asked to do, in the shapes of the API reference, without object bodies.
    pub input: Option<Value>,
    /// What IAM was asked before it was carried out: action and resource.
    pub asked: Vec<(String, String)>,
    /// ARN of the principal that asked.
    pub by: String,
    /// What the client calls itself: its `User-Agent`.
    pub agent: String,
}

impl Call {
    /// Whether the call may have changed the account: it was of a writing operation and was not refused.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.access == Some(Access::Write) && self.error.is_none()
    }
}

/// A call as the listener shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown<'a> {
    at: String,
    service: &'static str,
    operation: &'a str,
    write: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> From<&'a Call> for Shown<'a> {
    fn from(call: &'a Call) -> Self {
        Self {
            at: call.at.iso8601(),
            service: call.service.iam_prefix(),
            operation: &call.operation,
            write: call.access == Some(Access::Write),
            error: call.error.as_deref(),
        }
    }
}

/// The latest calls and the number of all.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallLog {
    calls: VecDeque<Call>,
    total: u64,
}

impl CallLog {
    pub(crate) fn record(&mut self, call: Call) {
        if self.calls.len() == KEPT {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
        self.total += 1;
    }

    pub(crate) fn latest(&self) -> &VecDeque<Call> {
        &self.calls
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
