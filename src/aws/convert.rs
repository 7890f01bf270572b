//! SDK timestamps and maps in the types that the rest of bpctl uses.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// An SDK timestamp; one outside the calendar becomes `None`.
pub(super) fn timestamp(value: &DateTime) -> Option<Timestamp> {
    Timestamp::new(value.secs(), i32::try_from(value.subsec_nanos()).ok()?).ok()
}

/// An optional SDK timestamp.
pub(super) fn time(value: Option<&DateTime>) -> Option<Timestamp> {
    value.and_then(timestamp)
}

/// For a request.
pub(super) fn date_time(value: Timestamp) -> DateTime {
    DateTime::from_secs_and_nanos(value.as_second(), value.subsec_nanosecond().unsigned_abs())
}
