//! The metrics that alarms watch, open to any name, and their data points: one per minute, or none.

pub mod math;
mod metric;
mod signal;
mod source;
mod statistic;

use serde::{Deserialize, Serialize};

pub use metric::Metric;
pub(crate) use signal::Signals;
pub use signal::{Published, Signal};
pub use source::Source;
pub use statistic::{Percentile, Statistic, UnknownStatistic};

/// The recent data points of metrics: oldest first, one per minute up to the present, `None` for a minute
/// without data. Minutes before the first point count as missing, and so does a metric that is not here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Metrics {
    series: Vec<Series>,
}

/// The minutes of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Series {
    metric: Metric,
    /// Which statistic of each minute's samples this is. Without it the metric has one sample a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statistic: Option<Statistic>,
    minutes: Vec<Option<f64>>,
}

impl Metrics {
    /// No data at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These with the points of `metric` replaced: its one sample of each minute.
    #[must_use]
    pub fn with(mut self, metric: impl Into<Metric>, minutes: impl IntoIterator<Item = Option<f64>>) -> Self {
        *self.entry(metric.into(), None) = minutes.into_iter().collect();
        self
    }

    /// These with a statistic of `metric` replaced, minute by minute as CloudWatch computes it, of a metric with
    /// any number of samples a minute. An alarm on this statistic looks here before it looks at
    /// [`Self::with`]'s samples.
    #[must_use]
    pub fn with_statistic(
        mut self,
        metric: impl Into<Metric>,
        statistic: Statistic,
        minutes: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        *self.entry(metric.into(), Some(statistic)) = minutes.into_iter().collect();
        self
    }

    /// Adds the sample of the minute that just ended.
    pub fn push(&mut self, metric: &Metric, value: Option<f64>) {
        match self.position(metric, None) {
            Some(position) => self.series[position].minutes.push(value),
            None => self.entry(metric.clone(), None).push(value),
        }
    }

    /// The same metrics, and no data of any.
    pub(crate) fn without_data(&self) -> Self {
        let mut without = self.clone();
        without.keep_newest(0);
        without
    }

    /// Adds the minute at `position` of `all`, which this began as [`Self::without_data`] of.
    pub(crate) fn push_minute(&mut self, all: &Self, position: usize) {
        for (own, series) in self.series.iter_mut().zip(&all.series) {
            own.minutes.push(series.minutes.get(position).copied().flatten());
        }
    }

    /// Every series with its metric, also those of a statistic.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Metric, &[Option<f64>])> {
        self.series
            .iter()
            .map(|series| (&series.metric, series.minutes.as_slice()))
    }

    /// These as they were so many minutes ago.
    #[must_use]
    pub fn ago(&self, minutes: usize) -> Self {
        let mut earlier = self.clone();
        for series in &mut earlier.series {
            series
                .minutes
                .truncate(series.minutes.len().saturating_sub(minutes));
        }
        earlier
    }

    /// Forgets all but the newest `minutes` points of every metric.
    pub fn keep_newest(&mut self, minutes: usize) {
        for series in &mut self.series {
            let surplus = series.minutes.len().saturating_sub(minutes);
            series.minutes.drain(..surplus);
        }
    }

    /// The samples of `metric`, oldest first.
    #[must_use]
    pub fn of(&self, metric: &Metric) -> &[Option<f64>] {
        self.position(metric, None)
            .map_or(&[], |position| &self.series[position].minutes)
    }

    /// The sample of the minute that just ended.
    #[must_use]
    pub fn newest(&self, metric: &Metric) -> Option<f64> {
        self.of(metric).last().copied().flatten()
    }

    /// Every metric that has samples here.
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        let samples = self.series.iter().filter(|series| series.statistic.is_none());
        samples.map(|series| &series.metric)
    }

    /// The data points of an alarm, newest first, each of `period` minutes.
    pub(crate) fn points<'a>(
        &'a self,
        metric: &Metric,
        statistic: Statistic,
        period: usize,
    ) -> impl Iterator<Item = Option<f64>> + use<'a> {
        let own = self.position(metric, Some(statistic));
        let samples = || self.position(metric, None);
        let minutes: &[_] = own
            .or_else(samples)
            .map_or(&[], |position| &self.series[position].minutes);
        let over = match own {
            Some(_) => statistic.of_minutes(),
            None => statistic,
        };
        minutes.rchunks(period.max(1)).map(move |minutes| match minutes {
            // A sample is every statistic of itself but their number.
            [only] if over != Statistic::SampleCount => *only,
            _ => over.of(minutes.iter().copied()),
        })
    }

    fn position(&self, metric: &Metric, statistic: Option<Statistic>) -> Option<usize> {
        let is = |series: &Series| series.statistic == statistic && series.metric == *metric;
        self.series.iter().position(is)
    }

    fn entry(&mut self, metric: Metric, statistic: Option<Statistic>) -> &mut Vec<Option<f64>> {
        let position = self.position(&metric, statistic).unwrap_or_else(|| {
            self.series.push(Series {
                metric,
                statistic,
                minutes: Vec::new(),
            });
            self.series.len() - 1
        });
        &mut self.series[position].minutes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_at_the_present() {
        let depth = Metric::new("QueueDepth");
        let metrics = Metrics::new().with("QueueDepth", [9.0, 1.0, 2.0, 3.0, 4.0].map(Some));
        let points: Vec<_> = metrics.points(&depth, Statistic::Maximum, 2).collect();
        assert_eq!(points, [Some(4.0), Some(2.0), Some(9.0)]);
        assert_eq!(metrics.newest(&depth), Some(4.0));
        assert_eq!(metrics.newest(&Metric::new("ActiveWorkers")), None);
        let counts: Vec<_> = metrics.points(&depth, Statistic::SampleCount, 2).collect();
        assert_eq!(counts, [Some(2.0), Some(2.0), Some(1.0)]);
    }

    /// CloudWatch User Guide, "Metrics concepts": a metric is its namespace, name and dimensions, and each
    /// combination is a separate one.
    #[test]
    fn metrics_of_one_name_are_told_apart() {
        let of = |queue: &str| {
            Metric::new("ApproximateNumberOfMessagesVisible")
                .in_namespace("AWS/SQS")
                .of("QueueName", queue)
        };
        let metrics = Metrics::new()
            .with(of("a"), [Some(1.0)])
            .with(of("b"), [Some(2.0)]);
        assert_eq!(metrics.newest(&of("a")), Some(1.0));
        assert_eq!(metrics.newest(&of("b")), Some(2.0));
        assert_eq!(metrics.newest(&of("a").with_unit("Count")), None);
    }

    /// A metric with many samples a minute: the alarm's own statistic goes before samples, and minutes add up to
    /// periods as the statistic lets them.
    #[test]
    fn a_statistic_of_each_minute_is_used_by_alarms_on_it() {
        let p99: Statistic = "p99".parse().unwrap();
        let latency = Metric::new("TargetResponseTime");
        let metrics = Metrics::new()
            .with("TargetResponseTime", [Some(9.0), Some(9.0)])
            .with_statistic("TargetResponseTime", p99, [Some(0.2), Some(0.4)])
            .with_statistic(
                "TargetResponseTime",
                Statistic::SampleCount,
                [Some(10.0), Some(30.0)],
            );
        let points = |statistic, period| metrics.points(&latency, statistic, period).collect::<Vec<_>>();
        assert_eq!(points(p99, 1), [Some(0.4), Some(0.2)]);
        assert_eq!(points(Statistic::SampleCount, 2), [Some(40.0)]);
        assert_eq!(points(Statistic::Maximum, 2), [Some(9.0)]);
    }
}
