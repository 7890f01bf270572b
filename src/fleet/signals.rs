//! What a fleet's own metrics say, with the difference between "zero" and "not published".
//!
//! The backend's scheduler publishes them once a minute. When it stops, a metric is silent; a silent
//! metric is never read as 0, because the platform's scale-to-zero alarm does exactly that.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::aws::Aws;
use crate::aws::cloudwatch::{Datapoint, MetricQuery, MetricSeries, Statistic};
use crate::error::CtlError;
use crate::layout::{FLEET_NAMESPACE, FleetId, Layout};

/// Up to this age a data point counts as the present: they come once a minute, and CloudWatch may
/// take two more minutes to show them.
pub(crate) const FRESH: Duration = Duration::from_secs(5 * 60);

/// How far back to look for the last sign of life.
const LOOK_BACK: Duration = Duration::from_secs(60 * 60);

/// The metrics read, in the order of the members of [`Signals`].
const METRICS: [(&str, Statistic); 4] = [
    ("QueueDepth", Statistic::Maximum),
    ("ActiveWorkers", Statistic::Maximum),
    ("AvailableCapacity", Statistic::Minimum),
    ("BacklogPerInstance", Statistic::Average),
];

/// One metric at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reading {
    Fresh {
        value: f64,
        at: Timestamp,
        age: Duration,
    },
    /// Nothing published lately; the last point within the hour, if there was one.
    Silent { last: Option<(Datapoint, Duration)> },
    /// Not known: it could not be read.
    Unknown { why: String },
}

impl Reading {
    /// The newest point of a series as of `now`.
    pub(crate) fn of(series: &MetricSeries, now: Timestamp) -> Self {
        if let Some(why) = &series.trouble {
            return Self::Unknown { why: why.clone() };
        }
        let aged = |point: Datapoint| Duration::try_from(now.duration_since(point.at)).unwrap_or_default();
        match series.latest() {
            Some(point) if aged(point) <= FRESH => Self::Fresh {
                value: point.value,
                at: point.at,
                age: aged(point),
            },
            last => Self::Silent {
                last: last.map(|point| (point, aged(point))),
            },
        }
    }

    /// Half a minute old.
    #[cfg(test)]
    pub(crate) fn sample(value: f64) -> Self {
        Self::Fresh {
            value,
            at: Timestamp::UNIX_EPOCH,
            age: Duration::from_secs(30),
        }
    }

    /// The value, when it is fresh.
    pub(crate) fn value(&self) -> Option<f64> {
        match self {
            Self::Fresh { value, .. } => Some(*value),
            Self::Silent { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// The members that a reading is written with. There is a `value` in every state.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
#[schemars(rename = "Reading")]
enum ReadingView<'a> {
    /// Published in the last minutes.
    Fresh {
        value: f64,
        at: Timestamp,
        age_seconds: u64,
    },
    /// Not published for minutes: that is not the same as 0.
    Silent {
        value: (),
        last_value: Option<f64>,
        last_at: Option<Timestamp>,
    },
    /// It could not be read.
    Unknown { value: (), why: &'a str },
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = match self {
            Self::Fresh { value, at, age } => ReadingView::Fresh {
                value: *value,
                at: *at,
                age_seconds: age.as_secs(),
            },
            Self::Silent { last } => ReadingView::Silent {
                value: (),
                last_value: last.map(|(point, _)| point.value),
                last_at: last.map(|(point, _)| point.at),
            },
            Self::Unknown { why } => ReadingView::Unknown { value: (), why },
        };
        view.serialize(serializer)
    }
}

impl JsonSchema for Reading {
    fn schema_name() -> Cow<'static, str> {
        ReadingView::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ReadingView::json_schema(generator)
    }
}

/// The metrics of a fleet that say whether it works.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Signals {
    /// Jobs that are not done.
    pub(crate) queue_depth: Reading,
    /// Registered workers.
    pub(crate) active_workers: Reading,
    /// Jobs that the workers could take on top of those they have.
    pub(crate) available_capacity: Reading,
    /// The whole queue as long as there is no worker.
    pub(crate) backlog_per_instance: Reading,
}

impl Signals {
    /// Nothing could be read.
    pub(crate) fn unknown(why: &str) -> Self {
        let unknown = || Reading::Unknown { why: why.to_owned() };
        Self {
            queue_depth: unknown(),
            active_workers: unknown(),
            available_capacity: unknown(),
            backlog_per_instance: unknown(),
        }
    }
}

/// Reads the metrics of all `fleets`, 125 fleets per call. When that fails, every reading is
/// unknown and the error comes along.
pub(crate) async fn read(
    aws: &Aws,
    layout: &Layout,
    fleets: &[FleetId],
) -> (BTreeMap<FleetId, Signals>, Option<CtlError>) {
    let now = aws.clock().now();
    let queries: Vec<MetricQuery> = fleets
        .iter()
        .flat_map(|fleet| {
            METRICS.map(|(metric, statistic)| MetricQuery {
                namespace: FLEET_NAMESPACE,
                metric,
                dimensions: layout.metric_dimensions(fleet),
                statistic,
                period_seconds: 60,
            })
        })
        .collect();
    let from = now.checked_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
    match aws.metric_data(&queries, from, now).await {
        Ok(series) => {
            let signals = series.chunks(METRICS.len()).filter_map(|of_one| {
                let [queue, workers, capacity, backlog] = of_one else {
                    return None;
                };
                Some(Signals {
                    queue_depth: Reading::of(queue, now),
                    active_workers: Reading::of(workers, now),
                    available_capacity: Reading::of(capacity, now),
                    backlog_per_instance: Reading::of(backlog, now),
                })
            });
            (fleets.iter().cloned().zip(signals).collect(), None)
        }
        Err(error) => {
            let signals = Signals::unknown(&error.to_string());
            let all = fleets.iter().map(|fleet| (fleet.clone(), signals.clone()));
            (all.collect(), Some(error))
        }
    }
}

/// Reads the metrics of one fleet. What cannot be read is unknown.
pub(crate) async fn read_one(aws: &Aws, layout: &Layout, fleet: &FleetId) -> Signals {
    let (mut signals, _) = read(aws, layout, std::slice::from_ref(fleet)).await;
    let found = signals.remove(fleet);
    found.unwrap_or_else(|| Signals::unknown("no answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(ages: &[i64]) -> MetricSeries {
        MetricSeries {
            points: ages
                .iter()
                .map(|age| Datapoint {
                    at: Timestamp::from_second(100_000 - age).unwrap(),
                    value: 3.0,
                })
                .collect(),
            trouble: None,
        }
    }

    fn reading(series: &MetricSeries) -> Reading {
        Reading::of(series, Timestamp::from_second(100_000).unwrap())
    }

    #[test]
    fn silence_is_not_zero() {
        assert_eq!(reading(&series(&[])), Reading::Silent { last: None });
        assert_eq!(reading(&series(&[])).value(), None);
        assert_eq!(reading(&series(&[30, 90])).value(), Some(3.0));
    }

    #[test]
    fn an_old_point_is_a_last_sign_of_life() {
        assert_eq!(reading(&series(&[300])).value(), Some(3.0));
        let Reading::Silent { last: Some((_, age)) } = reading(&series(&[301])) else {
            panic!("301 seconds are silence")
        };
        assert_eq!(age.as_secs(), 301);
    }

    #[test]
    fn a_forbidden_metric_is_unknown_even_with_points() {
        let mut forbidden = series(&[30]);
        forbidden.trouble = Some("Forbidden".to_owned());
        assert!(matches!(reading(&forbidden), Reading::Unknown { .. }));
    }

    #[test]
    fn scripts_can_tell_the_three_apart() {
        let document = |reading: &Reading| serde_json::to_value(reading).unwrap();
        assert_eq!(document(&reading(&series(&[30])))["state"], "fresh");
        let silent = document(&reading(&series(&[600])));
        assert_eq!(
            (
                silent["state"].as_str(),
                silent["value"].is_null(),
                silent["last_value"].as_f64()
            ),
            (Some("silent"), true, Some(3.0))
        );
    }
}
