//! Times, counts and sizes in the words of evidence lines.

use jiff::Timestamp;

/// `2026-01-15T08:55:00Z`.
pub(crate) fn at(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-01-15T08:55:00Z`, or `an unknown time`.
pub(crate) fn at_or_unknown(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "an unknown time".to_owned(), at)
}

/// Whole minutes from `time` to `now`; 0 for a time in the future.
pub(crate) fn minutes_since(now: Timestamp, time: Timestamp) -> i64 {
    (now.as_second() - time.as_second()).max(0) / 60
}

/// `5 min ago`, `2 h ago`, `just now`.
pub(crate) fn ago(now: Timestamp, time: Timestamp) -> String {
    match minutes_since(now, time) {
        0 => "just now".to_owned(),
        minutes @ 1..120 => format!("{minutes} min ago"),
        minutes @ 120..2880 => format!("{} h ago", minutes / 60),
        minutes => format!("{} days ago", minutes / 1440),
    }
}

/// `1 task`, `2 tasks`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}

/// Bytes as `1.2 GB` (GB of 2^30 bytes, as the runbook's storage threshold means it).
pub(crate) fn gigabytes(bytes: f64) -> String {
    format!("{:.1} GB", bytes / (1024.0 * 1024.0 * 1024.0))
}

/// The first `limit` characters, with `…` when there was more.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_coarse() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let before = |seconds: i64| Timestamp::from_second(1_000_000 - seconds).unwrap();
        assert_eq!(ago(now, before(20)), "just now");
        assert_eq!(ago(now, before(60 * 119)), "119 min ago");
        assert_eq!(ago(now, before(60 * 121)), "2 h ago");
        assert_eq!(ago(now, before(-50)), "just now");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shorten("ääää", 4), "ääää");
        assert_eq!(shorten("äääää", 4), "äää…");
    }
}
