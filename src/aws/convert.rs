//! SDK timestamps and maps in the types that the rest of bpctl uses.

use aws_smithy_types::DateTime;
use jiff::{Timestamp, Unit};

/// An SDK timestamp; one outside the calendar becomes `None`. AWS sends milliseconds, in some protocols
/// as a binary fraction of seconds whose noise is rounded off.
pub(super) fn timestamp(value: &DateTime) -> Option<Timestamp> {
    Timestamp::new(value.secs(), i32::try_from(value.subsec_nanos()).ok()?)
        .and_then(|exact| exact.round(Unit::Millisecond))
        .ok()
}

/// An optional SDK timestamp.
pub(super) fn time(value: Option<&DateTime>) -> Option<Timestamp> {
    value.and_then(timestamp)
}

/// For a request.
pub(super) fn date_time(value: Timestamp) -> DateTime {
    DateTime::from_secs_and_nanos(value.as_second(), value.subsec_nanosecond().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_of_fractions_is_rounded_off() {
        let noisy = DateTime::from_secs_f64(1_768_467_600.267);
        assert_eq!(timestamp(&noisy).unwrap().to_string(), "2026-01-15T09:00:00.267Z");
    }
}
