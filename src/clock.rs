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
    /// `None`: the machine's clock, read anew each time. A laptop that slept for an hour would otherwise
    /// sign its requests with the time of an hour ago.
    origin: Option<Origin>,
    speed: f64,
}

/// What a simulated clock showed when it was made.
#[derive(Clone, Copy, Debug)]
struct Origin {
    base: Timestamp,
    started: Instant,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self {
            origin: None,
            speed: 1.0,
        }
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
            origin: Some(Origin {
                base,
                started: Instant::now(),
            }),
            speed,
        }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let Some(Origin { base, started }) = self.origin else {
            return machine();
        };
        let elapsed = started.elapsed().mul_f64(self.speed);
        base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// What this clock shows when `duration` has passed on the machine's.
    #[must_use]
    pub fn from_real(&self, duration: Duration) -> Duration {
        Duration::try_from_secs_f64(duration.as_secs_f64() * self.speed).unwrap_or(Duration::MAX)
    }

    /// Waits until `duration` has passed on this clock.
    pub async fn sleep(&self, duration: Duration) {
        #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
        tokio::time::sleep(duration.div_f64(self.speed)).await;
    }
}

fn machine() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    let now = SystemTime::now();
    Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH)
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
