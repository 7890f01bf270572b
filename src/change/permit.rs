//! Permission to send one call of one approved step.

use super::call::ApiCall;

/// Can only be had from the engine, for a call that the approved plan shows. It is not `Copy` and names
/// its operation: the HTTP layer refuses to send any other change.
#[derive(Debug)]
pub(crate) struct Permit {
    service: String,
    operation: String,
}

impl Permit {
    pub(super) fn of(call: &ApiCall) -> Self {
        Self {
            service: call.service.clone(),
            operation: call.operation.clone(),
        }
    }

    /// For leases and the history, bpctl's own objects beside the platform's logs.
    pub(super) fn bookkeeping(operation: &str) -> Self {
        Self {
            service: "s3".to_owned(),
            operation: operation.to_owned(),
        }
    }

    /// The IAM prefix of the service.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// The operation, as in the API reference.
    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }
}
