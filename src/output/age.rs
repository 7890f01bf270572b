//! How long ago something was, as tables say it.

use std::time::Duration;

use jiff::Timestamp;

/// `38s`, `5m`, `3h`, `12d`.
pub(crate) fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", seconds / 60),
        7_200..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// The age at `now` of what was at `at`; `-` for what has no time.
pub(crate) fn age_at(now: Timestamp, at: Option<Timestamp>) -> String {
    at.map_or_else(
        || "-".to_owned(),
        |at| age(Duration::try_from(now.duration_since(at)).unwrap_or_default()),
    )
}

/// A length of time, to the second: `1m54s`, `7d`.
pub(crate) fn lasted(length: Duration) -> String {
    humantime::format_duration(Duration::from_secs(length.as_secs()))
        .to_string()
        .replace(' ', "")
        .replace("days", "d")
        .replace("day", "d")
}

/// The time from one moment to another, as [`lasted`] says it.
pub(crate) fn took(began: Timestamp, ended: Timestamp) -> String {
    lasted(Duration::try_from(ended.duration_since(began)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_one_number_and_one_letter() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (7_199, "119m"),
            (7_200, "2h"),
            (172_800, "2d"),
        ] {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
        for (seconds, text) in [(114, "1m54s"), (604_800, "7d"), (90_000, "1d1h")] {
            assert_eq!(lasted(Duration::from_secs(seconds)), text);
        }
        let now: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).ok();
        assert_eq!(age_at(now, ago(300)), "5m");
        assert_eq!(age_at(now, None), "-");
        // A clock that goes before ours.
        assert_eq!(age_at(now, now.checked_add(Duration::from_secs(5)).ok()), "0s");
    }
}
