//! Evaluation of a CloudWatch metric alarm: M out of N data points, four ways to treat missing ones.
//!
//! Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms", sections "Evaluating an
//! alarm" and "Configuring how CloudWatch alarms treat missing data".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a value is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `value >= threshold`
    GreaterThanOrEqualToThreshold,
    /// `value > threshold`
    GreaterThanThreshold,
    /// `value < threshold`
    LessThanThreshold,
    /// `value <= threshold`
    LessThanOrEqualToThreshold,
}

impl Comparison {
    /// Whether `value` is on the breaching side of `threshold`.
    #[must_use]
    pub fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold => value >= threshold,
            Self::GreaterThanThreshold => value > threshold,
            Self::LessThanThreshold => value < threshold,
            Self::LessThanOrEqualToThreshold => value <= threshold,
        }
    }

    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "GreaterThanOrEqualToThreshold",
            Self::GreaterThanThreshold => "GreaterThanThreshold",
            Self::LessThanThreshold => "LessThanThreshold",
            Self::LessThanOrEqualToThreshold => "LessThanOrEqualToThreshold",
        }
    }

    /// The words that AWS puts into an alarm's state reason: "greater than or equal to".
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "greater than or equal to",
            Self::GreaterThanThreshold => "greater than",
            Self::LessThanThreshold => "less than",
            Self::LessThanOrEqualToThreshold => "less than or equal to",
        }
    }
}

/// What stands in for a data point that never arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingData {
    /// Nothing: when every point is missing the alarm has insufficient data. The default.
    #[default]
    Missing,
    /// Nothing: the alarm keeps its state.
    Ignore,
    /// A breaching point.
    Breaching,
    /// A point within the threshold.
    NotBreaching,
}

impl MissingData {
    /// The value of `TreatMissingData` in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }
}

/// The state of an alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AlarmState {
    /// Within the threshold.
    #[serde(rename = "OK")]
    Ok,
    /// Outside the threshold.
    #[serde(rename = "ALARM")]
    Alarm,
    /// Not enough data to tell; also the state of a new alarm.
    #[default]
    #[serde(rename = "INSUFFICIENT_DATA")]
    InsufficientData,
}

impl AlarmState {
    /// The value of `StateValue` in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl fmt::Display for AlarmState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is none of the names that CloudWatch knows here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{text}`")]
pub struct UnknownName {
    kind: &'static str,
    text: String,
}

macro_rules! from_name {
    ($type:ident, $kind:literal, [$($variant:ident),+]) => {
        impl FromStr for $type {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                [$(Self::$variant),+]
                    .into_iter()
                    .find(|known| known.name() == text)
                    .ok_or_else(|| UnknownName { kind: $kind, text: text.to_owned() })
            }
        }
    };
}

from_name!(
    Comparison,
    "comparison operator",
    [
        GreaterThanOrEqualToThreshold,
        GreaterThanThreshold,
        LessThanThreshold,
        LessThanOrEqualToThreshold
    ]
);
from_name!(
    MissingData,
    "treatment of missing data",
    [Missing, Ignore, Breaching, NotBreaching]
);
from_name!(AlarmState, "alarm state", [Ok, Alarm, InsufficientData]);

/// When an alarm goes to `ALARM`: `datapoints_to_alarm` out of `evaluation_periods`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmRule {
    /// How a data point is compared.
    pub comparison: Comparison,
    /// What it is compared with.
    pub threshold: f64,
    /// N: how many data points are needed to evaluate.
    pub evaluation_periods: usize,
    /// M: how many of them must breach.
    pub datapoints_to_alarm: usize,
    /// What stands in for the ones that are missing.
    pub missing_data: MissingData,
}

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
    ///
    /// The order of the rules is that of the page "Configuring how CloudWatch alarms treat missing
    /// data": with at least N real points the newest N decide and the treatment of missing data is
    /// not used; otherwise every real point in the range counts and only the rest is filled in.
    #[must_use]
    pub fn evaluate(&self, points: &[Option<f64>], current: AlarmState) -> Evaluation {
        let needed = self.evaluation_periods.max(1);
        let oldest = points.len().saturating_sub(self.evaluation_range());
        let real: Vec<(usize, bool)> = points
            .iter()
            .enumerate()
            .skip(oldest)
            .rev()
            .filter_map(|(at, value)| value.map(|value| (at, self.breaches(value))))
            .take(needed)
            .collect();
        let breaching = real.iter().filter(|(_, breaches)| *breaches).count();
        let filled = needed - real.len();
        let state = if breaching >= self.datapoints_to_alarm {
            AlarmState::Alarm
        } else if filled == 0 {
            AlarmState::Ok
        } else {
            self.state_with_missing(points.len(), &real, breaching, filled, current)
        };
        Evaluation {
            state,
            used: real.into_iter().map(|(at, _)| at).collect(),
            breaching,
            filled,
        }
    }

    fn breaches(&self, value: f64) -> bool {
        self.comparison.breaches(value, self.threshold)
    }

    /// The state when fewer than M real points breach and fewer than N points are real.
    fn state_with_missing(
        &self,
        length: usize,
        real: &[(usize, bool)],
        breaching: usize,
        filled: usize,
        current: AlarmState,
    ) -> AlarmState {
        match self.missing_data {
            MissingData::Breaching if breaching + filled >= self.datapoints_to_alarm => AlarmState::Alarm,
            MissingData::Breaching | MissingData::NotBreaching => AlarmState::Ok,
            // One real point within the threshold is enough for OK; with none the two treatments differ.
            MissingData::Missing | MissingData::Ignore if real.len() > breaching => AlarmState::Ok,
            MissingData::Ignore => current,
            MissingData::Missing if real.is_empty() => AlarmState::InsufficientData,
            // "Premature alarm state": every real point breaches but there are fewer than M. The alarm
            // goes to ALARM once the oldest of them is at least as old as M periods; until then the
            // next point may still show that nothing is wrong.
            MissingData::Missing => {
                let age = real.last().map_or(0, |(at, _)| length - at);
                if age >= self.datapoints_to_alarm {
                    AlarmState::Alarm
                } else {
                    current
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
