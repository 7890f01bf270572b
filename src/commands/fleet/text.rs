//! How fleets' facts are put into words, the same in every command.

use jiff::Timestamp;

use crate::change::Readiness;
use crate::fleet::{Gap, Reading, Verdict};
use crate::output::age;
pub(super) use crate::output::counted;
use crate::ui::Ui;

/// `2026-01-15 09:00`, in UTC as everything in AWS.
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A number without a needless fraction.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

/// A metric in a table cell: its value, `silent` or `?`.
pub(super) fn cell(reading: &Reading) -> String {
    match reading {
        Reading::Fresh { value, .. } => number(*value),
        Reading::Silent { .. } => "silent".to_owned(),
        Reading::Unknown { .. } => "?".to_owned(),
    }
}

/// A metric in a sentence, with its age.
pub(super) fn phrase(reading: &Reading) -> String {
    match reading {
        Reading::Fresh { value, age: old, .. } => format!("{} ({} ago)", number(*value), age(*old)),
        Reading::Silent {
            last: Some((point, old)),
        } => {
            format!("silent (last {} {} ago)", number(point.value), age(*old))
        }
        Reading::Silent { last: None } => "silent for over an hour".to_owned(),
        Reading::Unknown { .. } => "could not be read".to_owned(),
    }
}

/// `3 jobs wait, 2 workers are busy`.
pub(super) fn at_work(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Idle => "no jobs".to_owned(),
        Verdict::Unknown { why } => why.clone(),
        Verdict::Busy { queued, busy_workers } => {
            let jobs = (*queued > 0).then(|| format!("{} in the queue", counted(*queued, "job")));
            let workers =
                (*busy_workers > 0).then(|| format!("{} at work", counted(*busy_workers, "worker")));
            jobs.into_iter().chain(workers).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Whether a fleet may go down without losing a job, and what is waited for, in the words of `told`.
pub(in crate::commands) fn readiness(verdict: &Verdict, told: impl Fn(&Verdict) -> String) -> Readiness {
    match verdict {
        Verdict::Idle => Readiness::Now,
        Verdict::Busy { .. } | Verdict::Unknown { .. } => Readiness::NotYet(told(verdict)),
    }
}

/// Says what could not be looked at.
pub(super) fn warn_of_gaps(ui: &Ui, gaps: &[Gap]) {
    for gap in gaps {
        ui.warn_with(
            &format!("the {} could not be read: {}", gap.what, gap.why),
            &gap.hints,
        );
    }
}

/// `12s`, `4m 10s`, `2h 05m`, `3d 04h`.
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (large, small) = match seconds {
        0..=59 => return format!("{seconds}s"),
        60..=3_599 => ((60, "m"), (1, "s")),
        3_600..=86_399 => ((3_600, "h"), (60, "m")),
        _ => ((86_400, "d"), (3_600, "h")),
    };
    let rest = seconds % large.0 / small.0;
    let whole = format!("{}{}", seconds / large.0, large.1);
    if rest == 0 {
        whole
    } else {
        format!("{whole} {rest:02}{}", small.1)
    }
}

/// `$12.34`; of small amounts as many digits as say something.
pub(super) fn dollars(amount: f64) -> String {
    if amount == 0.0 || amount >= 0.995 {
        format!("${amount:.2}")
    } else {
        format!("${amount:.4}")
    }
}

/// `12.3%`; whole when it is.
pub(super) fn percent(share: f64) -> String {
    let percent = (share * 1_000.0).round() / 10.0;
    if percent == 0.0 && share > 0.0 {
        "under 0.1%".to_owned()
    } else {
        format!("{percent}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_never_reads_like_a_number() {
        assert_eq!(cell(&Reading::Silent { last: None }), "silent");
        assert_eq!(phrase(&Reading::Silent { last: None }), "silent for over an hour");
        assert_eq!(cell(&Reading::Unknown { why: String::new() }), "?");
    }

    #[test]
    fn whole_numbers_have_no_fraction() {
        assert_eq!((number(3.0).as_str(), number(1.25).as_str()), ("3", "1.2"));
    }

    #[test]
    fn spans_have_at_most_two_units() {
        let spans = [0.0, 0.4, 59.4, 60.0, 250.0, 3_600.0, 7_500.0, 273_600.0].map(span);
        assert_eq!(
            spans,
            ["0s", "0s", "59s", "1m", "4m 10s", "1h", "2h 05m", "3d 04h"]
        );
    }

    #[test]
    fn figures_say_as_much_as_they_know() {
        assert_eq!(
            [0.0, 0.0038, 0.5, 12.0].map(dollars),
            ["$0.00", "$0.0038", "$0.5000", "$12.00"]
        );
        assert_eq!(
            [0.0, 0.0001, 0.5, 0.1234].map(percent),
            ["0%", "under 0.1%", "50%", "12.3%"]
        );
    }
}
