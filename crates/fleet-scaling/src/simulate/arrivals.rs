//! When jobs arrive: at a constant rate, at random, by the hour of the day, in bursts or as recorded.

mod stream;
mod text;
mod trace;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use stream::Stream;
pub use text::ArrivalsError;
pub use trace::{Trace, TraceError};

/// An arrival process. A simulation starts at midnight.
///
/// All but traces are also written as text: `constant:20/h`, `poisson:20/h`, `daily:2..40/h`,
/// `burst:50@09:00` (every day), `burst:50@90m` (once, after an hour and a half), and several of them
/// joined by `+`.
///
/// ```
/// use fleet_scaling::simulate::Arrivals;
///
/// let arrivals: Arrivals = "daily:2..40/h+burst:50@09:00".parse()?;
/// assert!("poisson:-1/h".parse::<Arrivals>().is_err());
/// # Ok::<(), fleet_scaling::simulate::ArrivalsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase", tag = "process")]
#[non_exhaustive]
pub enum Arrivals {
    /// No job ever.
    None,
    /// Evenly spaced.
    Constant {
        /// Jobs in an hour.
        per_hour: f64,
    },
    /// Independent of each other.
    Poisson {
        /// Jobs in an hour, in the mean.
        per_hour: f64,
    },
    /// Independent of each other at a rate that rises and falls as a cosine, least at 02:00 and most
    /// at 14:00.
    Daily {
        /// Jobs in an hour at the least busy time.
        low: f64,
        /// Jobs in an hour at the busiest time.
        high: f64,
    },
    /// Many at once.
    Burst {
        /// How many.
        jobs: u64,
        /// After midnight of the first day.
        at: Duration,
        /// Whether it comes again every day.
        daily: bool,
    },
    /// As recorded.
    Trace {
        /// The recording.
        trace: Trace,
        /// Whether it starts over at its end; otherwise nothing comes after it.
        #[serde(default)]
        repeat: bool,
    },
    /// Several processes together.
    Sum {
        /// The processes.
        parts: Vec<Arrivals>,
    },
}

impl Arrivals {
    /// Jobs in an hour in the long run; a burst that comes once counts as none.
    #[must_use]
    pub fn mean_per_hour(&self) -> f64 {
        match self {
            Self::None | Self::Burst { daily: false, .. } => 0.0,
            Self::Constant { per_hour } | Self::Poisson { per_hour } => *per_hour,
            Self::Daily { low, high } => f64::midpoint(*low, *high),
            Self::Burst { jobs, .. } => *jobs as f64 / 24.0,
            Self::Trace { trace, .. } => trace.mean_per_hour(),
            Self::Sum { parts } => parts.iter().map(Self::mean_per_hour).sum(),
        }
    }

    /// Checks the rates; text and recordings are checked when they are read.
    ///
    /// # Errors
    /// A rate that is negative or not finite.
    pub fn validate(&self) -> Result<(), ArrivalsError> {
        let rates: &[f64] = match self {
            Self::None | Self::Burst { .. } | Self::Trace { .. } => &[],
            Self::Constant { per_hour } | Self::Poisson { per_hour } => &[*per_hour],
            Self::Daily { low, high } if low > high => {
                return Err(ArrivalsError::LowAboveHigh {
                    low: *low,
                    high: *high,
                });
            }
            Self::Daily { low, high } => &[*low, *high],
            Self::Sum { parts } => return parts.iter().try_for_each(Self::validate),
        };
        match rates.iter().find(|rate| !(rate.is_finite() && **rate >= 0.0)) {
            Some(rate) => Err(ArrivalsError::Rate {
                text: rate.to_string(),
            }),
            None => Ok(()),
        }
    }
}
