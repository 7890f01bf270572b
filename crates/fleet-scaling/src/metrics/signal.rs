//! What a simulated fleet says of itself, and under which metric's name.

use serde::{Deserialize, Serialize};

use super::Metric;

/// What a fleet that works through a queue can publish of itself once a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Signal {
    /// Jobs that wait for a worker, and with
    /// [`depth_counts_running`](crate::config::JobsSpec::depth_counts_running) also those in the hands of
    /// one, so that it is 0 only when every job is done.
    Depth,
    /// [`Self::Depth`] per registered worker. While there is no worker, the depth itself, or no data without
    /// [`backlog_without_workers`](crate::config::JobsSpec::backlog_without_workers).
    Backlog,
    /// Registered workers, idle and busy alike.
    Workers,
    /// Free slots of the registered workers: jobs that they could start at once.
    FreeSlots,
    /// Jobs that a worker holds, or held until it was gone: what Amazon SQS calls in flight.
    InFlight,
}

impl Signal {
    /// Every signal, in the order of their positions.
    pub const ALL: [Self; 5] = [
        Self::Depth,
        Self::Backlog,
        Self::Workers,
        Self::FreeSlots,
        Self::InFlight,
    ];

    pub(crate) fn position(self) -> usize {
        self as usize
    }
}

/// A value of each signal, in the order of [`Signal::ALL`].
pub(crate) type Signals<T> = [T; Signal::ALL.len()];

/// A metric that the fleet publishes: which signal, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// What alarms know it as.
    pub metric: Metric,
    /// What it says.
    pub signal: Signal,
}

impl Published {
    /// `signal` under the name of `metric`.
    #[must_use]
    pub fn new(metric: impl Into<Metric>, signal: Signal) -> Self {
        Self {
            metric: metric.into(),
            signal,
        }
    }
}
