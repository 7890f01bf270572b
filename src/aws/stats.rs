//! Counts what went over the wire, for `--api-stats` and for the call budgets that tests assert.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format as DateTimeFormat;
use jiff::Timestamp;

/// Requests of one operation, retries included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) calls: u64,
    /// Answers with a status of 400 and above, and requests without an answer.
    pub(crate) errors: u64,
}

/// Requests by `service:Operation`, and how the machine's clock stands to that of AWS.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    counts: Mutex<BTreeMap<String, Count>>,
    /// Seconds that this machine was ahead when the latest answer came.
    ahead: Mutex<Option<i64>>,
}

impl Stats {
    pub(super) fn record(&self, label: &str, status: Option<u16>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(label.to_owned()).or_default();
        count.calls += 1;
        count.errors += u64::from(status.is_none_or(|status| status >= 400));
    }

    /// Takes note of the time that an answer says (the header `Date`), beside the machine's own.
    pub(super) fn note_date(&self, date: Option<&str>, now: Timestamp) {
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(date) = date {
            let ahead = now.as_second() - date.secs();
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
    }

    /// How many seconds this machine is ahead of AWS; `None` before an answer said its time.
    pub(crate) fn seconds_ahead(&self) -> Option<i64> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far, by operation.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, Count> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls so far, retries included.
    pub(crate) fn calls(&self) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.values().map(|count| count.calls).sum()
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
