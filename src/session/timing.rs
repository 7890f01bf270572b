//! When an unacknowledged message is sent again.

use std::time::Duration;

/// What both ends begin with (`src/config/config.go` of the client, `agent/session/config` of the agent).
const FIRST_ROUND_TRIP: f64 = 0.100;
const FIRST_TIMEOUT: Duration = Duration::from_millis(200);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(1);
/// The weight of a new round trip, and of its distance from the mean.
const ROUND_TRIP_WEIGHT: f64 = 1.0 / 8.0;
const VARIATION_WEIGHT: f64 = 1.0 / 4.0;
/// The least that is added to the mean.
const GRANULARITY: f64 = 0.010;

/// The smoothed round trip of a channel, in seconds, and the timeout that follows from it (as RFC 6298 has it).
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundTrip {
    mean: f64,
    variation: f64,
    timeout: Duration,
}

impl Default for RoundTrip {
    fn default() -> Self {
        Self {
            mean: FIRST_ROUND_TRIP,
            variation: 0.0,
            timeout: FIRST_TIMEOUT,
        }
    }
}

impl RoundTrip {
    /// A message was acknowledged after `took`. Messages that were sent twice do not count: nothing says which of
    /// the two was acknowledged.
    pub(super) fn measured(&mut self, took: Duration) {
        let took = took.as_secs_f64();
        self.variation =
            (1.0 - VARIATION_WEIGHT) * self.variation + VARIATION_WEIGHT * (self.mean - took).abs();
        self.mean = (1.0 - ROUND_TRIP_WEIGHT) * self.mean + ROUND_TRIP_WEIGHT * took;
        let timeout = self.mean + GRANULARITY.max(4.0 * self.variation);
        self.timeout = Duration::try_from_secs_f64(timeout)
            .unwrap_or(LONGEST_TIMEOUT)
            .min(LONGEST_TIMEOUT);
    }

    /// How long an acknowledgement is waited for.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TestCalculateRetransmissionTimeout` of the public client.
    #[test]
    fn the_timeout_follows_the_public_clients_arithmetic() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.timeout().as_millis(), 200);
        round_trip.measured(Duration::from_millis(140));
        assert_eq!((round_trip.mean * 1000.0) as i64, 105);
        assert_eq!((round_trip.variation * 1000.0) as i64, 10);
        assert_eq!(round_trip.timeout().as_millis(), 145);
    }

    #[test]
    fn it_never_waits_longer_than_a_second_and_comes_down_again() {
        let mut round_trip = RoundTrip::default();
        for _ in 0..20 {
            round_trip.measured(Duration::from_secs(9));
        }
        assert_eq!(round_trip.timeout(), LONGEST_TIMEOUT);
        for _ in 0..200 {
            round_trip.measured(Duration::from_millis(20));
        }
        assert!(round_trip.timeout() < Duration::from_millis(40), "{round_trip:?}");
    }
}
