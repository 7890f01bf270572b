//! How the samples of one alarm period become one data point.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How the samples of one alarm period become one data point.
///
/// Source: CloudWatch User Guide, "CloudWatch statistics definitions". In files it has the name that the API gives
/// it: `Average`, `SampleCount`, `p99.9`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Statistic {
    /// The mean of the samples.
    #[default]
    Average,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// All of them together.
    Sum,
    /// How many there are.
    SampleCount,
    /// The value that so many percent of them lie below. Of a single sample, or of equal ones, it is that value;
    /// how CloudWatch interpolates between others is not published.
    Percentile(Percentile),
}

/// From 0 to 100.
#[derive(Clone, Copy, Debug)]
pub struct Percentile(f64);

impl Percentile {
    /// `None` for what is not from 0 to 100.
    #[must_use]
    pub fn new(percent: f64) -> Option<Self> {
        (0.0..=100.0).contains(&percent).then_some(Self(percent + 0.0))
    }

    /// The percentage.
    #[must_use]
    pub fn percent(self) -> f64 {
        self.0
    }
}

impl PartialEq for Percentile {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Percentile {}

impl Hash for Percentile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl Statistic {
    /// One data point of the samples of a period, one per minute; `None` without any.
    #[must_use]
    pub fn of(self, minutes: impl Iterator<Item = Option<f64>>) -> Option<f64> {
        let mut count = 0_u32;
        let mut so_far = 0.0_f64;
        for value in minutes.flatten() {
            so_far = match self {
                _ if count == 0 => value,
                // Other than equal samples make no percentile that is known. NaN would breach nothing, and the
                // configuration names such an alarm as not modelled.
                Self::Percentile(_) if value.to_bits() != so_far.to_bits() => return None,
                Self::Percentile(_) | Self::SampleCount => so_far,
                Self::Maximum => so_far.max(value),
                Self::Minimum => so_far.min(value),
                Self::Average | Self::Sum => so_far + value,
            };
            count += 1;
        }
        match (count, self) {
            (0, _) => None,
            (_, Self::Average) => Some(so_far / f64::from(count)),
            (_, Self::SampleCount) => Some(f64::from(count)),
            _ => Some(so_far),
        }
    }

    /// What makes one value of a period of this statistic's values of each minute.
    ///
    /// Averages are taken to be of equally many samples in every minute.
    pub(super) fn of_minutes(self) -> Self {
        match self {
            Self::SampleCount => Self::Sum,
            other => other,
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Average => f.write_str("Average"),
            Self::Maximum => f.write_str("Maximum"),
            Self::Minimum => f.write_str("Minimum"),
            Self::Sum => f.write_str("Sum"),
            Self::SampleCount => f.write_str("SampleCount"),
            Self::Percentile(percentile) => write!(f, "p{}", percentile.percent()),
        }
    }
}

/// The text names no statistic that is modelled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown statistic `{0}`: Average, Maximum, Minimum, Sum, SampleCount or a percentile such as p99")]
pub struct UnknownStatistic(String);

impl FromStr for Statistic {
    type Err = UnknownStatistic;

    fn from_str(text: &str) -> Result<Self, UnknownStatistic> {
        let percentile = || {
            // Digits and a point only: "p95.45", up to ten decimal places.
            let percent = text.strip_prefix('p')?;
            let plain = percent.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let percent = percent.parse().ok().filter(|_| plain)?;
            Percentile::new(percent).map(Self::Percentile)
        };
        match text {
            "Average" => Some(Self::Average),
            "Maximum" => Some(Self::Maximum),
            "Minimum" => Some(Self::Minimum),
            "Sum" => Some(Self::Sum),
            "SampleCount" => Some(Self::SampleCount),
            _ => percentile(),
        }
        .ok_or_else(|| UnknownStatistic(text.to_owned()))
    }
}

impl Serialize for Statistic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Statistic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_aggregated_from_its_minutes_with_data() {
        let minutes = [Some(4.0), None, Some(1.0)];
        let of = |statistic: Statistic| statistic.of(minutes.into_iter());
        assert_eq!(of(Statistic::Average), Some(2.5));
        assert_eq!(of(Statistic::Maximum), Some(4.0));
        assert_eq!(of(Statistic::Minimum), Some(1.0));
        assert_eq!(of(Statistic::Sum), Some(5.0));
        assert_eq!(of(Statistic::SampleCount), Some(2.0));
        assert_eq!(Statistic::Average.of([None, None].into_iter()), None);
    }

    /// CloudWatch User Guide, "CloudWatch statistics definitions": p95 is the value that 95 percent of the data are
    /// below. "Metrics concepts", section "Percentiles", names the statistic sets of which they are known without the
    /// samples: "The Min and Max are equal, and Sum is equal to Min multiplied by SampleCount."
    #[test]
    fn a_percentile_is_known_where_all_samples_are_equal() {
        let p99: Statistic = "p99".parse().unwrap();
        assert_eq!(p99.of([Some(7.0)].into_iter()), Some(7.0));
        assert_eq!(p99.of([Some(7.0), None, Some(7.0)].into_iter()), Some(7.0));
        assert_eq!(p99.of([Some(7.0), Some(8.0)].into_iter()), None);
        assert_eq!(p99.of([None].into_iter()), None);
    }

    #[test]
    fn names_are_those_of_the_api() {
        for name in [
            "Average",
            "Maximum",
            "Minimum",
            "Sum",
            "SampleCount",
            "p99",
            "p95.45",
            "p0",
        ] {
            assert_eq!(name.parse::<Statistic>().unwrap().to_string(), name);
        }
        for name in [
            "average",
            "p",
            "p101",
            "p-1",
            "p1e1",
            "pNaN",
            "TM(10%:90%)",
            "tm90",
            "",
        ] {
            assert!(name.parse::<Statistic>().is_err(), "{name}");
        }
    }
}
