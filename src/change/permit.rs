//! Permission to send one call of one approved step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::call::ApiCall;

/// Can only be had from the engine, for a call that the approved plan shows. It is not `Copy` and names
/// its operation: the HTTP layer refuses to send any other change.
#[derive(Debug)]
pub(crate) struct Permit {
    service: String,
    operation: String,
    pause: Pause,
}

/// Holds the permits of a run back while the run cannot rely on its leases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pause(Arc<AtomicBool>);

impl Pause {
    pub(super) fn set(&self, paused: bool) {
        self.0.store(paused, Ordering::Relaxed);
    }

    /// Whether nothing may be sent at the moment.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Permit {
    pub(super) fn of(call: &ApiCall) -> Self {
        Self {
            service: call.service.clone(),
            operation: call.operation.clone(),
            pause: Pause::default(),
        }
    }

    /// For leases and the history, bpctl's own objects beside the platform's logs.
    pub(super) fn bookkeeping(operation: &str) -> Self {
        Self {
            service: "s3".to_owned(),
            operation: operation.to_owned(),
            pause: Pause::default(),
        }
    }

    /// The permit is held back with all others of its run.
    #[must_use]
    pub(super) fn unless(mut self, pause: &Pause) -> Self {
        self.pause = pause.clone();
        self
    }

    /// The IAM prefix of the service.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// The operation, as in the API reference.
    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    /// What holds the permit back.
    pub(crate) fn pause(&self) -> &Pause {
        &self.pause
    }
}
