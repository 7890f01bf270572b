//! One deadline for all probes, and errors as reasons why something could not be checked.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::triage::snapshot::{Blind, Checked, Probe};

/// The time that a triage may take.
#[derive(Debug)]
pub(super) struct Deadline<'a> {
    clock: &'a Clock,
    began: Timestamp,
    limit: Duration,
}

impl<'a> Deadline<'a> {
    pub(super) fn begin(clock: &'a Clock, limit: Duration) -> Self {
        Self {
            clock,
            began: clock.now(),
            limit,
        }
    }

    /// When the triage began: the end of every window that probes look through.
    pub(super) fn now(&self) -> Timestamp {
        self.began
    }

    /// The moment `minutes` before the triage began.
    pub(super) fn minutes_ago(&self, minutes: u64) -> Timestamp {
        self.began
            .checked_sub(Duration::from_secs(minutes * 60))
            .unwrap_or(Timestamp::MIN)
    }

    /// Looks, for as long as there is time.
    ///
    /// On the heap at once: a dozen requests of the SDK side by side are too much for a thread's stack.
    pub(super) fn check<'f, T: 'f>(
        &'f self,
        look: impl Future<Output = Result<T>> + 'f,
    ) -> LocalBoxFuture<'f, Checked<T>> {
        let look = look.boxed_local();
        let seen = async move {
            let passed = self.clock.now().duration_since(self.began).unsigned_abs();
            let left = self.limit.saturating_sub(passed);
            tokio::select! {
                biased;
                result = look => result.map_err(|error| blind(&error)),
                () = self.clock.sleep(left) => Err(self.too_late()),
            }
        };
        seen.boxed_local()
    }

    fn too_late(&self) -> Blind {
        Blind {
            kind: ErrorKind::TimedOut,
            reason: format!("no answer within {}", humantime::format_duration(self.limit)),
            hints: vec![
                CommandLine::bpctl(["triage"])
                    .option(
                        "--timeout",
                        humantime::format_duration(self.limit * 4).to_string(),
                    )
                    .into(),
            ],
            needs: None,
        }
    }
}

fn blind(error: &CtlError) -> Blind {
    Blind {
        kind: error.kind(),
        reason: format!("failed to {error}"),
        hints: error.hints().to_vec(),
        needs: None,
    }
}

/// What a probe saw; without it the asking probe has no question to ask.
pub(super) fn needed<T>(answer: &Checked<T>, probe: Probe) -> Checked<&T> {
    answer.as_ref().map_err(|blind| Blind {
        kind: blind.kind,
        reason: format!("needs `{}`, which could not be checked", probe.name()),
        hints: Vec::new(),
        needs: Some(probe),
    })
}
