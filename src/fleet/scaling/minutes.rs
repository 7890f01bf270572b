//! A fleet's metrics minute by minute, as its policies see them.

use std::time::Duration;

use fleet_scaling::metrics::{Metrics, Signal};
use fleet_templates::{BACKLOG, FREE_SLOTS, QUEUE_DEPTH, WORKERS};
use jiff::Timestamp;

use crate::aws::Aws;
use crate::aws::cloudwatch::{MetricQuery, MetricSeries, Statistic};
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{FLEET_NAMESPACE, FleetId, Layout};

/// A point may show up this much later than its minute ended: until then its absence says nothing.
const DELAY_SECONDS: i64 = 180;

/// The platform's metrics, and how raw values of a minute become one.
const METRICS: [(Signal, &str, Statistic); 4] = [
    (Signal::Depth, QUEUE_DEPTH, Statistic::Maximum),
    (Signal::Backlog, BACKLOG, Statistic::Average),
    (Signal::Workers, WORKERS, Statistic::Maximum),
    (Signal::FreeSlots, FREE_SLOTS, Statistic::Minimum),
];

/// How far back `count` minutes begin, with room for points that are late.
///
/// Never as far as single minutes are kept: "no data points in that time range is returned" for a start
/// before that (CloudWatch API Reference, MetricStat, Period).
fn look_back(count: usize) -> Duration {
    let minutes = |count: u64| Duration::from_secs(count.saturating_mul(60));
    minutes((count as u64).saturating_add(4)).min(super::LONGEST - minutes(2))
}

/// The four metrics of a fleet, one entry per minute, oldest first, and all of the same length.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Minutes {
    /// When the first minute ended.
    pub(crate) first: Timestamp,
    series: [Vec<Option<f64>>; METRICS.len()],
    /// The desired capacity, where the group publishes it.
    pub(crate) desired: Vec<Option<f64>>,
}

impl Minutes {
    /// Reads the last `count` minutes; `group` is the fleet's Auto Scaling group.
    ///
    /// # Errors
    /// The metrics cannot be read, or not all of them.
    pub(crate) async fn read(
        aws: &Aws,
        layout: &Layout,
        fleet: &FleetId,
        group: &str,
        count: usize,
    ) -> Result<Self> {
        let now = aws.clock().now();
        let from = now.checked_sub(look_back(count)).unwrap_or(Timestamp::MIN);
        let mut queries: Vec<MetricQuery> = METRICS
            .into_iter()
            .map(|(_, metric, statistic)| MetricQuery {
                namespace: FLEET_NAMESPACE,
                metric,
                dimensions: layout.metric_dimensions(fleet),
                statistic,
                period_seconds: 60,
            })
            .collect();
        queries.push(MetricQuery {
            namespace: "AWS/AutoScaling",
            metric: "GroupDesiredCapacity",
            dimensions: vec![("AutoScalingGroupName", group.to_owned())],
            statistic: Statistic::Maximum,
            period_seconds: 60,
        });
        let series = aws.metric_data(&queries, from, now).await?;
        if let Some(why) = series.iter().find_map(|series| series.trouble.clone()) {
            return Err(
                CtlError::new(ErrorKind::Failed, format!("read the metrics of fleet `{fleet}`")).cause(why),
            );
        }
        Ok(Self::align(&series, now, count))
    }

    /// The last `count` minutes of series that hold the four metrics and the desired capacity.
    fn align(series: &[MetricSeries], now: Timestamp, count: usize) -> Self {
        let minute = |at: Timestamp| at.as_second().div_euclid(60);
        let fleet = &series[..series.len().min(METRICS.len())];
        let newest = fleet
            .iter()
            .filter_map(|series| Some(minute(series.latest()?.at) + 1))
            .max();
        // The newest minute with data, unless it is so old that data is truly missing.
        let end = newest
            .filter(|end| now.as_second() - end * 60 <= DELAY_SECONDS)
            .unwrap_or_else(|| minute(now));
        let count_minutes = i64::try_from(count).unwrap_or(i64::MAX);
        let begin = end.saturating_sub(count_minutes);
        let row = |series: Option<&MetricSeries>| {
            let mut row = vec![None; count];
            for point in series.map(|series| series.points.as_slice()).unwrap_or_default() {
                let position = usize::try_from(minute(point.at) - begin).ok();
                if let Some(cell) = position.and_then(|position| row.get_mut(position)) {
                    *cell = Some(point.value);
                }
            }
            row
        };
        let rows = std::array::from_fn(|position| row(series.get(position)));
        Self {
            first: Timestamp::from_second((begin + 1) * 60).unwrap_or(now),
            series: rows,
            desired: row(series.get(METRICS.len())),
        }
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.desired.len()
    }

    /// When the minute at `position` ended.
    pub(crate) fn end_of(&self, position: usize) -> Timestamp {
        let seconds = i64::try_from(position).unwrap_or(i64::MAX).saturating_mul(60);
        Timestamp::from_second(self.first.as_second().saturating_add(seconds)).unwrap_or(self.first)
    }

    /// The metric of `signal`; empty for one that the platform does not publish.
    pub(crate) fn of(&self, signal: Signal) -> &[Option<f64>] {
        let position = METRICS.iter().position(|(known, ..)| *known == signal);
        position.map_or(&[], |position| &self.series[position])
    }

    /// Without the minutes before the first one with any data of the fleet.
    pub(crate) fn since_data(mut self) -> Self {
        let first = self
            .series
            .iter()
            .filter_map(|row| row.iter().position(Option::is_some))
            .min()
            .unwrap_or(self.len());
        self.first = self.end_of(first);
        for row in self.series.iter_mut().chain([&mut self.desired]) {
            row.drain(..first);
        }
        self
    }

    /// As the library takes them.
    pub(crate) fn metrics(&self) -> Metrics {
        let own = METRICS.iter().zip(&self.series);
        own.fold(Metrics::new(), |metrics, ((_, metric, _), row)| {
            metrics.with(*metric, row.iter().copied())
        })
    }
}

#[cfg(test)]
impl Minutes {
    /// Minutes that end at `first` and after it.
    pub(crate) fn sample(first: Timestamp, series: [Vec<Option<f64>>; 4], desired: Vec<Option<f64>>) -> Self {
        Self {
            first,
            series,
            desired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudwatch::Datapoint;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Points at the starts of these minutes, each with the minute's number as its value.
    fn series(minutes: &[i64]) -> MetricSeries {
        MetricSeries {
            points: minutes
                .iter()
                .rev()
                .map(|minute| Datapoint {
                    at: at(minute * 60),
                    value: *minute as f64,
                })
                .collect(),
            trouble: None,
        }
    }

    fn queue(minutes: &[i64], now: i64) -> Minutes {
        let none = || series(&[]);
        Minutes::align(
            &[series(minutes), none(), none(), none(), series(&[5])],
            at(now),
            4,
        )
    }

    #[test]
    fn a_point_that_is_late_is_not_missing() {
        // 10:30 into the hour: the point of minute 9 has not arrived.
        let minutes = queue(&[5, 7, 8], 10 * 60 + 30);
        assert_eq!(minutes.of(Signal::Depth), [Some(5.0), None, Some(7.0), Some(8.0)]);
        assert_eq!(minutes.end_of(3), at(9 * 60));
        assert_eq!(minutes.desired, [Some(5.0), None, None, None]);
    }

    #[test]
    fn nothing_is_asked_of_a_time_without_single_minutes() {
        assert_eq!(look_back(60), Duration::from_secs(64 * 60));
        let days = |days: u64| usize::try_from(days * 24 * 60).unwrap();
        assert!(look_back(days(14)) > Duration::from_secs(14 * 86_400));
        assert!(look_back(days(15)) < Duration::from_secs(15 * 86_400));
    }

    #[test]
    fn a_publisher_that_stopped_is_missing() {
        let minutes = queue(&[5, 7, 8], 14 * 60 + 30);
        assert_eq!(minutes.of(Signal::Depth), [None; 4]);
        assert_eq!(minutes.end_of(3), at(14 * 60));
        assert_eq!(queue(&[], 600).of(Signal::Depth), [None; 4]);
    }

    #[test]
    fn history_begins_with_the_first_data() {
        let minutes = queue(&[7, 9], 10 * 60).since_data();
        assert_eq!(minutes.of(Signal::Depth), [Some(7.0), None, Some(9.0)]);
        assert_eq!((minutes.len(), minutes.first), (3, at(8 * 60)));
        assert_eq!(queue(&[], 600).since_data().len(), 0);
    }
}
