//! The metrics that alarms watch: one data point per minute and metric, or none.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A metric of a queue-driven fleet, published once a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Metric {
    /// Jobs that wait for a worker, and with
    /// [`depth_counts_running`](crate::config::JobsSpec::depth_counts_running) also those in the hands of
    /// one, so that it is 0 only when every job is done.
    QueueDepth,
    /// [`Self::QueueDepth`] per registered worker. While there is no worker, the depth itself, or no data without
    /// [`backlog_without_workers`](crate::config::JobsSpec::backlog_without_workers).
    BacklogPerInstance,
    /// Registered workers, idle and busy alike.
    ActiveWorkers,
    /// Free slots of the registered workers: jobs that they could start at once.
    AvailableCapacity,
}

impl Metric {
    /// Every metric, in the order of their positions.
    pub const ALL: [Self; 4] = [
        Self::QueueDepth,
        Self::BacklogPerInstance,
        Self::ActiveWorkers,
        Self::AvailableCapacity,
    ];

    /// The name in CloudWatch.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueDepth => "QueueDepth",
            Self::BacklogPerInstance => "BacklogPerInstance",
            Self::ActiveWorkers => "ActiveWorkers",
            Self::AvailableCapacity => "AvailableCapacity",
        }
    }

    pub(crate) fn position(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the minutes of one alarm period become one data point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Statistic {
    /// The mean of the minutes with data.
    #[default]
    Average,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// All of them together.
    Sum,
}

impl Statistic {
    /// One data point of the minutes with data; `None` without any.
    #[must_use]
    pub fn of(self, minutes: impl Iterator<Item = Option<f64>>) -> Option<f64> {
        let mut count = 0_u32;
        let mut so_far = 0.0_f64;
        for value in minutes.flatten() {
            so_far = match self {
                _ if count == 0 => value,
                Self::Maximum => so_far.max(value),
                Self::Minimum => so_far.min(value),
                Self::Average | Self::Sum => so_far + value,
            };
            count += 1;
        }
        match (count, self) {
            (0, _) => None,
            (_, Self::Average) => Some(so_far / f64::from(count)),
            _ => Some(so_far),
        }
    }
}

/// The recent data points of every metric: oldest first, one per minute up to the present, `None` for
/// a minute without data. Minutes before the first point count as missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    series: [Vec<Option<f64>>; Metric::ALL.len()],
}

impl Metrics {
    /// No data at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These with the points of `metric` replaced.
    #[must_use]
    pub fn with(mut self, metric: Metric, minutes: impl IntoIterator<Item = Option<f64>>) -> Self {
        self.series[metric.position()] = minutes.into_iter().collect();
        self
    }

    /// Adds the point of the minute that just ended.
    pub fn push(&mut self, metric: Metric, value: Option<f64>) {
        self.series[metric.position()].push(value);
    }

    /// These as they were so many minutes ago.
    #[must_use]
    pub fn ago(&self, minutes: usize) -> Self {
        let mut earlier = self.clone();
        for series in &mut earlier.series {
            series.truncate(series.len().saturating_sub(minutes));
        }
        earlier
    }

    /// Forgets all but the newest `minutes` points of every metric.
    pub fn keep_newest(&mut self, minutes: usize) {
        for series in &mut self.series {
            let surplus = series.len().saturating_sub(minutes);
            series.drain(..surplus);
        }
    }

    /// The points of `metric`, oldest first.
    #[must_use]
    pub fn of(&self, metric: Metric) -> &[Option<f64>] {
        &self.series[metric.position()]
    }

    /// The point of the minute that just ended.
    #[must_use]
    pub fn newest(&self, metric: Metric) -> Option<f64> {
        self.of(metric).last().copied().flatten()
    }

    /// Workers that hold a job, as far as the newest points tell: those registered less the free slots,
    /// rounded up and never below 0. Without word of free slots every worker may be busy; without a
    /// count of workers nobody knows.
    ///
    /// A worker that runs several jobs at once can have a free slot and be busy, so with a concurrency
    /// above 1 this is too low, down to 0 while jobs run. A `QueueDepth` that counts running jobs is not.
    #[must_use]
    pub fn busy_workers(&self) -> Option<u32> {
        let workers = self.newest(Metric::ActiveWorkers)?;
        let free = self.newest(Metric::AvailableCapacity).unwrap_or(0.0);
        // Saturates: what is below 0 becomes 0.
        Some((workers - free).ceil() as u32)
    }

    /// The data points of an alarm, newest first, each of `period` minutes.
    pub(crate) fn points(
        &self,
        metric: Metric,
        statistic: Statistic,
        period: usize,
    ) -> impl Iterator<Item = Option<f64>> {
        self.of(metric)
            .rchunks(period.max(1))
            .map(move |minutes| match minutes {
                [only] => *only,
                _ => statistic.of(minutes.iter().copied()),
            })
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
        assert_eq!(Statistic::Average.of([None, None].into_iter()), None);
    }

    #[test]
    fn workers_without_a_free_slot_are_busy() {
        let busy = |workers: Option<f64>, free: Option<f64>| {
            Metrics::new()
                .with(Metric::ActiveWorkers, [Some(9.0), workers])
                .with(Metric::AvailableCapacity, [Some(9.0), free])
                .busy_workers()
        };
        assert_eq!(busy(Some(5.0), Some(3.0)), Some(2));
        assert_eq!(busy(Some(5.0), Some(4.5)), Some(1));
        assert_eq!(busy(Some(5.0), None), Some(5));
        assert_eq!(busy(None, Some(3.0)), None);
        // Two workers with four slots each and one job in hand: seven slots are free.
        assert_eq!(busy(Some(2.0), Some(7.0)), Some(0));
    }

    #[test]
    fn periods_end_at_the_present() {
        let metrics = Metrics::new().with(Metric::QueueDepth, [9.0, 1.0, 2.0, 3.0, 4.0].map(Some));
        let points: Vec<_> = metrics
            .points(Metric::QueueDepth, Statistic::Maximum, 2)
            .collect();
        assert_eq!(points, [Some(4.0), Some(2.0), Some(9.0)]);
        assert_eq!(metrics.newest(Metric::QueueDepth), Some(4.0));
        assert_eq!(metrics.newest(Metric::ActiveWorkers), None);
    }
}
