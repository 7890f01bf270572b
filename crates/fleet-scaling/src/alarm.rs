//! A CloudWatch metric alarm: its rule, its states, and the names that the API gives them.
//!
//! Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms".

mod evaluation;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use evaluation::{Evaluation, Verdict};

/// How a value is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
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

    /// Whether values above the threshold are the breaching ones.
    #[must_use]
    pub fn looks_up(self) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold | Self::GreaterThanThreshold => true,
            Self::LessThanThreshold | Self::LessThanOrEqualToThreshold => false,
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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
