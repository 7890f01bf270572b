//! How far a transfer of many bytes is: a bar with rate and remaining time on a terminal, a line now and then elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::text::{about, rate, size};
use crate::clock::Clock;
use crate::ui::{Bar, Ui};

/// Between two lines where there is no bar: often enough for a log, and few for an hour.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Counts bytes of a known total.
pub(super) struct Meter<'a> {
    ui: &'a Ui,
    clock: &'a Clock,
    bar: Bar,
    /// Present continuous: "hashing".
    what: &'static str,
    total: u64,
    done: AtomicU64,
    began: Timestamp,
    /// Milliseconds since the epoch.
    told: AtomicU64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(ui: &'a Ui, clock: &'a Clock, what: &'static str, total: u64) -> Self {
        let began = clock.now();
        Self {
            ui,
            clock,
            bar: ui.bytes_bar(what),
            what,
            total,
            done: AtomicU64::new(0),
            began,
            told: AtomicU64::new(milliseconds(began)),
        }
    }

    /// So many more bytes are done.
    pub(super) fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.bar.gauge().set(done.min(self.total), self.total);
        let now = self.clock.now();
        let told = self.told.load(Ordering::Relaxed);
        let pause = u64::try_from(PAUSE.as_millis()).unwrap_or_default();
        if self.bar.is_silent() && milliseconds(now) >= told.saturating_add(pause) {
            self.told.store(milliseconds(now), Ordering::Relaxed);
            self.ui
                .status(&sentence(self.what, done, self.total, self.took()));
        }
    }

    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Since the beginning.
    pub(super) fn took(&self) -> Duration {
        Duration::try_from(self.clock.now().duration_since(self.began)).unwrap_or_default()
    }
}

fn milliseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default()
}

/// `hashing: 1.5 GB of 60.0 GB, 500.0 MB/s, 117 s left`.
fn sentence(what: &str, done: u64, total: u64, took: Duration) -> String {
    let mut text = format!("{what}: {} of {}", size(done), size(total));
    if let Some(rate) = rate(done, took) {
        text.push_str(&format!(", {rate}"));
    }
    if done > 0 {
        let left = took.mul_f64(total.saturating_sub(done) as f64 / done as f64);
        text.push_str(&format!(", about {} left", about(left)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_rate_and_remaining_time() {
        assert_eq!(
            sentence("hashing", 1_500_000_000, 61_500_000_000, Duration::from_secs(3)),
            "hashing: 1.5 GB of 61.5 GB, 500.0 MB/s, about 2 min left"
        );
        assert_eq!(
            sentence("hashing", 0, 5, Duration::ZERO),
            "hashing: 0 bytes of 5 bytes"
        );
    }
}
