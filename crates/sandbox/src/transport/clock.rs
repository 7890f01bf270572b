//! How simulated time relates to the machine's. The only place that reads a real clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::SimTime;

/// How a sandbox's time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Only when told to.
    Stepped,
    /// By itself.
    Live {
        /// Simulated seconds per second; 30 lets an operator watch a deployment in a minute.
        speed: f64,
    },
}

impl Default for Pace {
    fn default() -> Self {
        Self::Live { speed: 30.0 }
    }
}

impl Pace {
    /// Simulated seconds per second; 0 when time stands still.
    #[must_use]
    pub fn speed(self) -> f64 {
        match self {
            Self::Stepped => 0.0,
            Self::Live { speed } => speed,
        }
    }
}

/// Waits in the time of the machine: the network's time, not the account's.
#[expect(
    clippy::disallowed_methods,
    reason = "delays on the way are those of a network, whatever time the account has"
)]
pub(crate) async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

/// Reads simulated time off the machine's monotonic clock. It is Tokio's, so that a paused runtime pauses it too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pace: Pace,
    /// The simulated time at `since`.
    base: SimTime,
    since: Instant,
}

impl Clock {
    pub(crate) fn starting_at(base: SimTime, pace: Pace) -> Self {
        Self {
            pace,
            base,
            since: Instant::now(),
        }
    }

    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    pub(crate) fn now(&self) -> SimTime {
        match self.pace {
            Pace::Stepped => self.base,
            Pace::Live { speed } => {
                let passed = self.since.elapsed().as_secs_f64() * speed.max(0.0);
                self.base + Duration::try_from_secs_f64(passed).unwrap_or(Duration::ZERO)
            }
        }
    }

    /// Jumps ahead.
    pub(crate) fn skip(&mut self, duration: Duration) {
        self.base = self.base + duration;
    }
}
