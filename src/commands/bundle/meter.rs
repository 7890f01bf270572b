//! How far a transfer of many bytes is: a bar with rate and remaining time on a terminal, a line now and then elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::text::{about, rate, size};
use crate::ui::{Bar, Ui};

/// Between two lines where there is no bar: often enough for a log, and few for an hour.
const PAUSE: Duration = Duration::from_secs(30);

/// Counts bytes of a known total. Rates are of this machine's own time, also where that of the account is simulated.
pub(super) struct Meter<'a> {
    ui: &'a Ui,
    bar: Bar,
    /// Present continuous: "hashing".
    what: &'static str,
    total: u64,
    done: Cell<u64>,
    began: Instant,
    /// When a line was last written.
    told: Cell<Instant>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(ui: &'a Ui, what: &'static str, total: u64) -> Self {
        let began = Instant::now();
        Self {
            ui,
            bar: ui.bytes_bar(what),
            what,
            total,
            done: Cell::new(0),
            began,
            told: Cell::new(began),
        }
    }

    /// So many more bytes are done.
    pub(super) fn add(&self, bytes: u64) {
        let done = self.done.get() + bytes;
        self.done.set(done);
        self.bar.gauge().set(done.min(self.total), self.total);
        if self.bar.is_silent() && self.told.get().elapsed() >= PAUSE {
            self.told.set(Instant::now());
            self.ui
                .status(&sentence(self.what, done, self.total, self.took()));
        }
    }

    pub(super) fn done(&self) -> u64 {
        self.done.get()
    }

    /// Since the beginning.
    pub(super) fn took(&self) -> Duration {
        self.began.elapsed()
    }
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
