//! How sizes, rates and counts are put into words.

use std::time::Duration;

pub(super) use crate::output::counted;

/// `1.5 GB`: in powers of a thousand, as `size_bytes` and S3's prices are.
pub(in crate::commands) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    for (unit, scale) in UNITS {
        if bytes >= scale {
            return format!("{:.1} {unit}", bytes as f64 / scale as f64);
        }
    }
    counted(bytes, "byte")
}

/// `312.4 MB/s`; nothing for a time too short to say.
pub(super) fn rate(bytes: u64, took: Duration) -> Option<String> {
    let seconds = took.as_secs_f64();
    (seconds >= 0.001).then(|| format!("{}/s", size((bytes as f64 / seconds) as u64)))
}

/// `40 s`, `12 min`, `3 h 5 min`.
pub(super) fn about(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=7_199 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_powers_of_a_thousand() {
        for (bytes, text) in [
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_500, "1.5 kB"),
            (60_000_000_000, "60.0 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(
            rate(3_000_000, Duration::from_secs(2)).as_deref(),
            Some("1.5 MB/s")
        );
        assert_eq!(rate(1, Duration::ZERO), None);
        assert_eq!(about(Duration::from_secs(11_100)), "3 h 5 min");
    }
}
