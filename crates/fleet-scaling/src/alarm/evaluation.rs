//! Evaluation of an alarm: M out of N data points, four ways to treat missing ones.
//!
//! Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms", sections "Evaluating an
//! alarm" and "Configuring how CloudWatch alarms treat missing data".

use serde::Serialize;

use super::{AlarmRule, AlarmState, MissingData};

/// What an evaluation came to, and on what grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The state that the alarm should now have.
    pub state: AlarmState,
    /// Positions in the evaluated slice of the real points that were looked at, newest first.
    pub used: Vec<usize>,
    /// How many of the used points breach.
    pub breaching: usize,
    /// How many points had to be filled in because they were missing.
    pub filled: usize,
}

/// What an evaluation came to, in numbers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The state that the alarm should now have.
    pub state: AlarmState,
    /// How many real points were used.
    pub real: usize,
    /// How many of them breach.
    pub breaching: usize,
    /// How many points had to be filled in because they were missing.
    pub filled: usize,
}

impl AlarmRule {
    /// How many recent points CloudWatch retrieves, so that a few missing ones do not matter.
    ///
    /// AWS documents that more than N points are retrieved and shows 5 for N = 3; the exact number
    /// for other N is not published. Two more than N is what the documented examples show.
    #[must_use]
    pub fn evaluation_range(&self) -> usize {
        self.evaluation_periods + 2
    }

    /// Evaluates `points`, oldest first and one per period up to the present, `None` for a period
    /// without data. Only the newest [`Self::evaluation_range`] of them are looked at.
    #[must_use]
    pub fn evaluate(&self, points: &[Option<f64>], current: AlarmState) -> Evaluation {
        let verdict = self.judge(points.iter().rev().copied(), current);
        let oldest = points.len().saturating_sub(self.evaluation_range());
        Evaluation {
            state: verdict.state,
            used: (oldest..points.len())
                .rev()
                .filter(|&at| points[at].is_some())
                .take(verdict.real)
                .collect(),
            breaching: verdict.breaching,
            filled: verdict.filled,
        }
    }

    /// The same as [`Self::evaluate`] without a slice or a list: the points come newest first, and
    /// what was used is counted only.
    #[must_use]
    pub fn judge(&self, newest_first: impl Iterator<Item = Option<f64>>, current: AlarmState) -> Verdict {
        let needed = self.evaluation_periods.max(1);
        let (mut real, mut breaching, mut oldest) = (0, 0, 0);
        for (age, point) in newest_first.take(self.evaluation_range()).enumerate() {
            if let Some(value) = point {
                real += 1;
                breaching += usize::from(self.comparison.breaches(value, self.threshold));
                oldest = age + 1;
                if real == needed {
                    break;
                }
            }
        }
        self.verdict(real, breaching, oldest, current)
    }

    /// The state that follows from the newest `real` points (at most N), of which `breaching` breach
    /// and the oldest is `oldest` periods old (the newest possible point is 1 period old).
    ///
    /// The order of the rules is that of the page "Configuring how CloudWatch alarms treat missing
    /// data": with at least N real points the newest N decide and the treatment of missing data is
    /// not used; otherwise every real point in the range counts and only the rest is filled in.
    #[must_use]
    pub fn verdict(&self, real: usize, breaching: usize, oldest: usize, current: AlarmState) -> Verdict {
        let filled = self.evaluation_periods.max(1).saturating_sub(real);
        let state = if breaching >= self.datapoints_to_alarm {
            AlarmState::Alarm
        } else if filled == 0 {
            AlarmState::Ok
        } else {
            match self.missing_data {
                MissingData::Breaching if breaching + filled >= self.datapoints_to_alarm => AlarmState::Alarm,
                MissingData::Breaching | MissingData::NotBreaching => AlarmState::Ok,
                // One real point within the threshold is enough for OK; with none the two treatments differ.
                MissingData::Missing | MissingData::Ignore if real > breaching => AlarmState::Ok,
                MissingData::Ignore => current,
                MissingData::Missing if real == 0 => AlarmState::InsufficientData,
                // "Premature alarm state": every real point breaches but there are fewer than M. The alarm
                // goes to ALARM once the oldest of them is at least as old as M periods; until then the
                // next point may still show that nothing is wrong.
                MissingData::Missing if oldest >= self.datapoints_to_alarm => AlarmState::Alarm,
                MissingData::Missing => current,
            }
        };
        Verdict {
            state,
            real,
            breaching,
            filled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Comparison;

    const EVERY: [MissingData; 4] = [
        MissingData::Missing,
        MissingData::Ignore,
        MissingData::Breaching,
        MissingData::NotBreaching,
    ];

    fn rule(needed: usize, to_alarm: usize, missing_data: MissingData) -> AlarmRule {
        AlarmRule {
            comparison: Comparison::GreaterThanThreshold,
            threshold: 10.0,
            evaluation_periods: needed,
            datapoints_to_alarm: to_alarm,
            missing_data,
        }
    }

    /// `0` is within the threshold, `X` breaches, `-` is missing; the newest is on the right.
    fn points(pattern: &str) -> Vec<Option<f64>> {
        pattern
            .split_whitespace()
            .map(|symbol| match symbol {
                "X" => Some(11.0),
                "0" => Some(10.0),
                _ => None,
            })
            .collect()
    }

    /// Checks one row of a table of the user guide: the states under missing, ignore, breaching,
    /// not breaching. `keep` stands for "Retain current state" and is tried from every state.
    fn row(pattern: &str, to_alarm: usize, filled: usize, expected: [&str; 4]) {
        for (treatment, expected) in EVERY.into_iter().zip(expected) {
            for current in [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData] {
                let got = rule(3, to_alarm, treatment).evaluate(&points(pattern), current);
                let expected = if expected == "keep" {
                    current.name()
                } else {
                    expected
                };
                assert_eq!(
                    got.state.name(),
                    expected,
                    "{pattern} treated as {} from {current}",
                    treatment.name()
                );
                assert_eq!(got.filled, filled, "{pattern}");
            }
        }
    }

    #[test]
    fn three_of_three_as_in_the_user_guide() {
        row("0 - X - X", 3, 0, ["OK", "OK", "OK", "OK"]);
        row("0 - - - -", 3, 2, ["OK", "OK", "OK", "OK"]);
        row("- - - - -", 3, 3, ["INSUFFICIENT_DATA", "keep", "ALARM", "OK"]);
        row("0 X X - X", 3, 0, ["ALARM", "ALARM", "ALARM", "ALARM"]);
        row("- - X - -", 3, 2, ["ALARM", "keep", "ALARM", "OK"]);
    }

    #[test]
    fn two_of_three_as_in_the_user_guide() {
        row("0 - X - X", 2, 0, ["ALARM", "ALARM", "ALARM", "ALARM"]);
        row("0 0 X 0 X", 2, 0, ["ALARM", "ALARM", "ALARM", "ALARM"]);
        row("0 - X - -", 2, 1, ["OK", "OK", "ALARM", "OK"]);
        row("- - - - 0", 2, 2, ["OK", "OK", "ALARM", "OK"]);
        row("- - - X -", 2, 2, ["ALARM", "keep", "ALARM", "OK"]);
    }

    #[test]
    fn a_single_young_breach_is_no_premature_alarm() {
        // "Avoiding premature transitions to alarm state": `- - - - X` and `- - - X -` wait when M is 3.
        row("- - - - X", 3, 2, ["keep", "keep", "ALARM", "OK"]);
        row("- - - X -", 3, 2, ["keep", "keep", "ALARM", "OK"]);
    }

    #[test]
    fn points_older_than_the_range_do_not_count() {
        let silent = points("X X X X X X X X - - - - -");
        let evaluation = rule(3, 3, MissingData::NotBreaching).evaluate(&silent, AlarmState::Alarm);
        assert_eq!(evaluation.state, AlarmState::Ok);
        assert!(evaluation.used.is_empty());
    }

    #[test]
    fn with_enough_real_points_only_the_newest_decide() {
        let evaluation =
            rule(3, 3, MissingData::Breaching).evaluate(&points("X X 0 X X"), AlarmState::InsufficientData);
        assert_eq!(evaluation.state, AlarmState::Ok);
        assert_eq!(evaluation.used, [4, 3, 2]);
        assert_eq!(evaluation.breaching, 2);
    }

    #[test]
    fn a_busy_queue_that_falls_silent_counts_as_empty_once_its_last_point_has_left_the_range() {
        let empty = AlarmRule {
            comparison: Comparison::LessThanOrEqualToThreshold,
            threshold: 0.0,
            evaluation_periods: 15,
            datapoints_to_alarm: 15,
            missing_data: MissingData::Breaching,
        };
        let silent_for = |minutes: usize| {
            let mut points = vec![Some(4.0); 20];
            points.resize(20 + minutes, None);
            empty.evaluate(&points, AlarmState::Ok).state
        };
        assert_eq!(silent_for(15), AlarmState::Ok);
        assert_eq!(silent_for(16), AlarmState::Ok);
        assert_eq!(silent_for(17), AlarmState::Alarm);
    }

    #[test]
    fn the_threshold_itself_breaches_only_where_the_operator_says_so() {
        use Comparison::*;
        let at = |comparison: Comparison| [9.0, 10.0, 11.0].map(|value| comparison.breaches(value, 10.0));
        assert_eq!(at(GreaterThanOrEqualToThreshold), [false, true, true]);
        assert_eq!(at(GreaterThanThreshold), [false, false, true]);
        assert_eq!(at(LessThanThreshold), [true, false, false]);
        assert_eq!(at(LessThanOrEqualToThreshold), [true, true, false]);
    }

    #[test]
    fn names_are_read_back() {
        assert_eq!("notBreaching".parse(), Ok(MissingData::NotBreaching));
        assert_eq!("INSUFFICIENT_DATA".parse(), Ok(AlarmState::InsufficientData));
        assert_eq!(
            "ok".parse::<AlarmState>().unwrap_err().to_string(),
            "unknown alarm state `ok`"
        );
    }
}
