//! What a fleet is doing, by its metrics (the safe options).

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use aws_smithy_async::time::SharedTimeSource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failed;

/// A metric is the present up to this many periods before the current one: it is published once a period
/// and takes a while until it can be read.
const LATE: i64 = 2;

/// The metric that an alarm watches.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trigger {
    namespace: String,
    dimensions: Vec<NameAndValue>,
    /// Seconds.
    period: i32,
    evaluation_periods: i32,
}

#[derive(Debug, Deserialize)]
struct NameAndValue {
    name: String,
    value: String,
}

/// What the fleet's metrics say; `None` where they say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Work {
    /// Jobs that are not done: `QueueDepth` of this platform counts those that workers hold, too.
    pub(super) queued: Option<f64>,
    /// Workers with a job in hand: those registered (`ActiveWorkers`) that have no free slot
    /// (`AvailableCapacity`). Without word of free slots every worker may be busy.
    pub(super) busy: Option<u32>,
    /// How many of the points that the alarm needs are missing.
    pub(super) missing: usize,
}

/// Values by the start of their period, in seconds since 1970.
type Series = BTreeMap<i64, f64>;

impl Work {
    /// `series` are `QueueDepth`, `ActiveWorkers` and `AvailableCapacity`.
    fn of(series: &[Series; 3], now: i64, period: i64, periods: i64) -> Self {
        let current = now - now.rem_euclid(period);
        let oldest = current - LATE * period;
        let newest = |series: &Series| {
            series
                .range(oldest..)
                .next_back()
                .map(|(at, value)| (*at, *value))
        };
        let [queue, workers, capacity] = series;
        // The newest points may still be on their way; those before them may not.
        let last = newest(queue).map_or(oldest, |(at, _)| at);
        let expected = (0..periods).map(|back| last - back * period);
        let missing = expected.filter(|at| !queue.contains_key(at)).count();
        let busy = newest(workers).map(|(_, workers)| {
            let free = newest(capacity).map_or(0.0, |(_, free)| free);
            // Saturates: what is below zero is none.
            (workers - free).ceil() as u32
        });
        Self {
            queued: newest(queue).map(|(_, jobs)| jobs),
            busy,
            missing,
        }
    }
}

impl Work {
    /// Reads the fleet's metrics over the alarm's window, by the dimensions that the alarm watches: they
    /// are right in both naming layouts.
    pub(super) async fn read(
        cloudwatch: &Client,
        time: &SharedTimeSource,
        trigger: &Value,
    ) -> Result<Self, String> {
        let Trigger {
            namespace,
            dimensions,
            period,
            evaluation_periods,
        } = Trigger::deserialize(trigger).map_err(|error| format!("read the alarm's `Trigger`: {error}"))?;
        if period < 60 || evaluation_periods < 1 {
            return Err(format!(
                "read the alarm's `Trigger`: {evaluation_periods} periods of {period} s"
            ));
        }
        let dimensions: Vec<Dimension> = dimensions
            .into_iter()
            .map(|one| Dimension::builder().name(one.name).value(one.value).build())
            .collect();
        let query = |(number, (name, statistic)): (usize, (&str, &str))| {
            let metric = Metric::builder().namespace(&namespace).metric_name(name);
            let metric = metric.set_dimensions(Some(dimensions.clone())).build();
            let statistic = MetricStat::builder()
                .metric(metric)
                .period(period)
                .stat(statistic)
                .build();
            MetricDataQuery::builder()
                .id(format!("m{number}"))
                .metric_stat(statistic)
                .build()
        };
        let metrics = [
            ("QueueDepth", "Maximum"),
            ("ActiveWorkers", "Maximum"),
            ("AvailableCapacity", "Minimum"),
        ];
        let now = time
            .now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_secs() as i64;
        let (period, periods) = (i64::from(period), i64::from(evaluation_periods));
        let from = now - now.rem_euclid(period) - (periods + LATE) * period;
        let mut pages = cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(metrics.into_iter().enumerate().map(query).collect()))
            .start_time(DateTime::from_secs(from))
            .end_time(DateTime::from_secs(now))
            .into_paginator()
            .send();
        let mut series: [Series; 3] = Default::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("read the fleet's metrics", &error))?;
            for result in page.metric_data_results() {
                if let Some(code @ (StatusCode::Forbidden | StatusCode::InternalError)) = result.status_code()
                {
                    return Err(format!("read the fleet's metrics: {code}"));
                }
                let number = result
                    .id()
                    .and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
                if let Some(series) = number.and_then(|number| series.get_mut(number)) {
                    let starts = result.timestamps().iter().map(DateTime::secs);
                    series.extend(starts.zip(result.values().iter().copied()));
                }
            }
        }
        Ok(Self::of(&series, now, period, periods))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of every minute that `minutes` names, counted back from the current one.
    fn series(minutes: impl IntoIterator<Item = i64>, value: f64) -> Series {
        minutes
            .into_iter()
            .map(|back| (6000 - 60 * back, value))
            .collect()
    }

    fn work(queue: Series, workers: Series, capacity: Series) -> Work {
        Work::of(&[queue, workers, capacity], 6030, 60, 15)
    }

    #[test]
    fn the_newest_points_may_be_late_but_older_ones_are_missing() {
        let missing = |queue: Series| {
            let work = work(queue, Series::new(), Series::new());
            (work.queued, work.missing)
        };
        assert_eq!(missing(series(0..17, 0.0)), (Some(0.0), 0));
        assert_eq!(missing(series(2..17, 0.0)), (Some(0.0), 0));
        // Three minutes of silence are too long to be a delay.
        assert_eq!(missing(series(3..18, 0.0)), (None, 1));
        assert_eq!(
            missing(series((0..17).filter(|back| *back != 7), 0.0)),
            (Some(0.0), 1)
        );
        assert_eq!(missing(series(0..10, 3.0)), (Some(3.0), 5));
        assert_eq!(missing(Series::new()), (None, 15));
    }

    #[test]
    fn a_worker_without_a_free_slot_is_busy() {
        let busy = |workers, capacity| work(Series::new(), workers, capacity).busy;
        assert_eq!(busy(series([1], 3.0), series([1], 1.0)), Some(2));
        assert_eq!(busy(series([1], 1.0), series([1], 4.0)), Some(0));
        // No metric says how many slots are free: all of them may be taken.
        assert_eq!(busy(series([1], 3.0), Series::new()), Some(3));
        assert_eq!(busy(series([5], 3.0), series([1], 1.0)), None);
    }
}
