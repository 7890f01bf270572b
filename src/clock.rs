//! This module owns time: the only place that reads the machine's clock, and the only way to sleep.

use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use jiff::Timestamp;
use tokio::time::Instant;

/// A clock that starts at a given moment and runs `speed` times as fast as the machine's.
///
/// Against AWS the speed is 1. Against a sandbox it is the sandbox's, so that deadlines, polling
/// intervals and metric windows mean simulated time there.
#[derive(Clone, Debug)]
pub struct Clock {
    base: Timestamp,
    started: Instant,
    speed: f64,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the machine's clock"
        )]
        let now = SystemTime::now();
        Self::starting_at(Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH), 1.0)
    }

    /// A clock that shows `base` now and runs `speed` times as fast; a speed of zero or less counts as 1.
    #[must_use]
    pub fn starting_at(base: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 {
            speed
        } else {
            1.0
        };
        Self {
            base,
            started: Instant::now(),
            speed,
        }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let elapsed = self.started.elapsed().mul_f64(self.speed);
        self.base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// Waits until `duration` has passed on this clock.
    pub async fn sleep(&self, duration: Duration) {
        #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
        tokio::time::sleep(duration.div_f64(self.speed)).await;
    }
}

impl AsyncSleep for Clock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.clone();
        Sleep::new(async move { Self::sleep(&clock, duration).await })
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::from(Self::now(self))
    }
}
