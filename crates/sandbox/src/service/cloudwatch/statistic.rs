//! Statistics: what many data of a period become.

use super::metric::Datum;

/// A statistic of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    Average,
    Maximum,
    Minimum,
    Sum,
    SampleCount,
    /// `p50`, `p99.9`: the percentile in `0.0..=100.0`.
    Percentile(f64),
}

impl Statistic {
    /// The statistic with this name in the API.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Average" => Self::Average,
            "Maximum" => Self::Maximum,
            "Minimum" => Self::Minimum,
            "Sum" => Self::Sum,
            "SampleCount" => Self::SampleCount,
            _ => {
                let percentile: f64 = name.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percentile).then_some(())?;
                Self::Percentile(percentile)
            }
        })
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Average => "Average".to_owned(),
            Self::Maximum => "Maximum".to_owned(),
            Self::Minimum => "Minimum".to_owned(),
            Self::Sum => "Sum".to_owned(),
            Self::SampleCount => "SampleCount".to_owned(),
            Self::Percentile(percentile) => format!("p{percentile}"),
        }
    }

    /// The value over `data`; `None` without data.
    pub(super) fn of<'a>(self, data: impl Iterator<Item = &'a Datum> + Clone) -> Option<f64> {
        let mut count = 0.0;
        let mut sum = 0.0;
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for datum in data.clone() {
            count += datum.count;
            sum += datum.sum;
            min = min.min(datum.min);
            max = max.max(datum.max);
        }
        if count == 0.0 {
            return None;
        }
        Some(match self {
            Self::Average => sum / count,
            Self::Maximum => max,
            Self::Minimum => min,
            Self::Sum => sum,
            Self::SampleCount => count,
            Self::Percentile(percentile) => nearest_rank(data, percentile),
        })
    }
}

/// Percentiles need raw values; a statistic set stands for its mean.
fn nearest_rank<'a>(data: impl Iterator<Item = &'a Datum>, percentile: f64) -> f64 {
    let mut values: Vec<f64> = data.map(|datum| datum.sum / datum.count).collect();
    values.sort_by(f64::total_cmp);
    let rank = (percentile / 100.0 * values.len() as f64).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}
