//! Counts what went over the wire, for `--api-stats` and for the call budgets that tests assert.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Requests of one operation, retries included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) calls: u64,
    /// Answers with a status of 400 and above, and requests without an answer.
    pub(crate) errors: u64,
}

/// Requests by `service:Operation`.
#[derive(Debug, Default)]
pub(crate) struct Stats(Mutex<BTreeMap<String, Count>>);

impl Stats {
    pub(super) fn record(&self, label: &str, status: Option<u16>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(label.to_owned()).or_default();
        count.calls += 1;
        count.errors += u64::from(status.is_none_or(|status| status >= 400));
    }

    /// Everything so far, by operation.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A small table and a total, for stderr.
    pub(crate) fn report(&self) -> String {
        let counts = self.snapshot();
        let width = counts.keys().map(String::len).max().unwrap_or(0);
        let mut text = String::new();
        let (mut calls, mut errors) = (0, 0);
        for (operation, count) in &counts {
            calls += count.calls;
            errors += count.errors;
            text.push_str(&format!(
                "api: {operation:<width$}  {:>5} calls  {:>3} errors\n",
                count.calls, count.errors
            ));
        }
        text.push_str(&format!(
            "api: {:<width$}  {calls:>5} calls  {errors:>3} errors",
            "total"
        ));
        text
    }
}
