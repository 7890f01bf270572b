//! When to look again, and how far back.

use std::time::Duration;

use jiff::Timestamp;

/// Between two searches while there is no session. Each takes one call for each source, of at least five a second.
pub(super) const POLL: Duration = Duration::from_secs(1);
/// A program's line takes some seconds until it can be found: the awslogs driver delivers every five seconds, and
/// CloudWatch Logs shows what it was given after a moment.
const LATE: Duration = Duration::from_secs(20);
/// Lines that come later than that are found by every fifteenth search, and by those after an interruption.
const VERY_LATE: Duration = Duration::from_secs(5 * 60);
const THOROUGH_EVERY: u32 = 15;
/// After a session has begun one more search finds what arrived just before it and could not be found yet.
pub(super) const SETTLED: Duration = Duration::from_secs(10);
/// A session tells something every second. When it has said nothing for so long on this machine's clock, it is lost.
pub(super) const SILENT: Duration = Duration::from_secs(15);
/// CloudWatch Logs keeps ten updates for one who reads too slowly and drops older ones without a word. After such a
/// pause on this machine's clock lines may be missing.
pub(super) const HELD_UP: Duration = Duration::from_secs(5);
/// A session that lasted so long is opened again at once.
const LASTING: Duration = Duration::from_secs(30);
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Until a session is tried again that the account's quota or the number of lines did not allow.
pub(super) const REFUSED: Duration = Duration::from_secs(60);

/// How far everything was seen.
#[derive(Debug)]
pub(super) struct Progress {
    /// Nothing before is wanted.
    from: Timestamp,
    /// Until when everything that had arrived was seen, on this machine's clock.
    complete: Timestamp,
    /// The latest arrival of a line, on AWS' clock.
    newest: Option<Timestamp>,
    searches: u32,
    /// The next search goes far back.
    interrupted: bool,
}

impl Progress {
    pub(super) fn new(from: Timestamp) -> Self {
        Self {
            from,
            complete: from,
            newest: None,
            searches: 0,
            interrupted: false,
        }
    }

    pub(super) fn arrived(&mut self, ingested: i64) {
        let ingested = Timestamp::from_millisecond(ingested).ok();
        self.newest = self.newest.max(ingested);
    }

    pub(super) fn complete_until(&mut self, time: Timestamp) {
        self.complete = self.complete.max(time);
    }

    /// Something may have been missed since.
    pub(super) fn interrupted(&mut self) {
        self.interrupted = true;
    }

    /// Where the next search begins.
    pub(super) fn next_search(&mut self) -> Timestamp {
        self.searches += 1;
        let thorough = self.interrupted || self.searches.is_multiple_of(THOROUGH_EVERY);
        self.interrupted = false;
        self.before(if thorough { VERY_LATE } else { LATE })
    }

    /// No search begins before that any more.
    pub(super) fn earliest(&self) -> Timestamp {
        self.before(VERY_LATE)
    }

    fn before(&self, late: Duration) -> Timestamp {
        // This machine's clock may be ahead of AWS': the latest line tells, as long as it is not too old.
        let least = minus(self.complete, VERY_LATE);
        let seen = self.newest.map_or(self.complete, |newest| newest.max(least));
        minus(self.complete.min(seen), late).max(self.from)
    }
}

/// Growing pauses between attempts.
#[derive(Debug, Default)]
pub(super) struct Attempts(u32);

impl Attempts {
    pub(super) fn next_pause(&mut self) -> Duration {
        let pause = SHORTEST_PAUSE * 2_u32.pow(self.0.min(5));
        self.0 += 1;
        pause.min(LONGEST_PAUSE)
    }

    /// It worked, for so long; short times do not count.
    pub(super) fn worked_for(&mut self, time: Duration) {
        if time >= LASTING {
            self.0 = 0;
        }
    }

    pub(super) fn is_first(&self) -> bool {
        self.0 == 0
    }

    pub(super) fn reset(&mut self) {
        self.0 = 0;
    }
}

pub(super) fn plus(time: Timestamp, duration: Duration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

fn minus(time: Timestamp, duration: Duration) -> Timestamp {
    time.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-01-15T{text}Z").parse().unwrap()
    }

    #[test]
    fn a_search_begins_before_what_was_seen_and_never_before_what_is_wanted() {
        let mut progress = Progress::new(at("09:00:00"));
        assert_eq!(progress.next_search(), at("09:00:00"));
        progress.complete_until(at("09:10:00"));
        progress.arrived(at("09:09:58").as_millisecond());
        assert_eq!(progress.next_search(), at("09:09:38"));
        progress.interrupted();
        assert_eq!(progress.next_search(), at("09:04:58"));
        assert_eq!(progress.next_search(), at("09:09:38"));
        for _ in 0..10 {
            progress.next_search();
        }
        assert_eq!(progress.next_search(), at("09:04:58"), "the fifteenth");
    }

    #[test]
    fn a_clock_that_is_ahead_hides_no_lines() {
        let mut progress = Progress::new(at("09:00:00"));
        progress.complete_until(at("09:13:00"));
        progress.arrived(at("09:10:00").as_millisecond());
        assert_eq!(progress.next_search(), at("09:09:40"));
        // Nothing came for long: that line says nothing about the clock any more.
        progress.complete_until(at("09:30:00"));
        assert_eq!(progress.next_search(), at("09:24:40"));
    }

    #[test]
    fn what_failed_does_not_move_the_beginning() {
        let mut progress = Progress::new(at("09:00:00"));
        progress.complete_until(at("09:10:00"));
        // A line of a search that broke off.
        progress.arrived(at("09:20:00").as_millisecond());
        assert_eq!(progress.next_search(), at("09:09:40"));
        assert_eq!(progress.earliest(), at("09:05:00"));
    }

    #[test]
    fn pauses_grow_until_it_works_for_a_while() {
        let mut attempts = Attempts::default();
        let pauses: Vec<u64> = (0..7).map(|_| attempts.next_pause().as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        attempts.worked_for(Duration::from_secs(3));
        assert_eq!(attempts.next_pause().as_secs(), 60);
        attempts.worked_for(Duration::from_secs(40));
        assert!(attempts.is_first());
    }
}
