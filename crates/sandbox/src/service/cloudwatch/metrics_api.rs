//! `PutMetricData`, `ListMetrics` and `GetMetricStatistics`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::metric::{Datum, MetricKey};
use super::{Statistic, validation};
use crate::error::{ApiError, OpResult};
use crate::service::paging::{page, strings};
use crate::time::SimTime;
use crate::world::World;

/// Metrics on one page of `ListMetrics`.
const METRICS_A_PAGE: usize = 500;
/// Points that one `GetMetricStatistics` returns.
const MOST_POINTS: i64 = 1440;
/// Metrics that saw no data for two weeks are not listed any more.
const LISTED_MILLIS: i64 = 14 * 24 * 3600 * 1000;
/// `RecentlyActive=PT3H`.
const RECENT_MILLIS: i64 = 3 * 3600 * 1000;

pub(super) fn put_metric_data(world: &mut World, input: &Value) -> OpResult {
    let namespace = input["Namespace"].as_str().unwrap_or_default();
    if namespace.starts_with("AWS/") {
        return Err(ApiError::client(
            "InvalidParameterValue",
            "The value AWS/ for parameter Namespace is invalid.",
        ));
    }
    let data = input["MetricData"].as_array().cloned().unwrap_or_default();
    for item in &data {
        let at = item["Timestamp"]
            .as_f64()
            .map_or(world.now, SimTime::from_epoch_seconds);
        let key = MetricKey::from_input(&input["Namespace"], &item["MetricName"], &item["Dimensions"]);
        let state = &mut world.services.cloudwatch;
        let id = state.metric(key);
        let metric = &mut state.metrics[id.0];
        let set = &item["StatisticValues"];
        if let Some(value) = item["Value"].as_f64() {
            metric.add(Datum::single(at, value));
        } else if set.is_object() {
            let member = |name: &str| set[name].as_f64().unwrap_or_default();
            metric.add(Datum {
                at,
                count: member("SampleCount"),
                sum: member("Sum"),
                min: member("Minimum"),
                max: member("Maximum"),
            });
        } else if let Some(values) = item["Values"].as_array() {
            for (position, value) in values.iter().filter_map(Value::as_f64).enumerate() {
                let count = item["Counts"][position].as_f64().unwrap_or(1.0);
                metric.add(Datum {
                    count,
                    sum: value * count,
                    ..Datum::single(at, value)
                });
            }
        } else {
            return Err(ApiError::client(
                "InvalidParameterCombination",
                "At least one of the parameters must be specified: Value, Values, StatisticValues.",
            ));
        }
    }
    Ok(json!({}))
}

pub(super) fn list_metrics(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let namespace = input["Namespace"].as_str();
    let name = input["MetricName"].as_str();
    let age = if input["RecentlyActive"].as_str() == Some("PT3H") {
        RECENT_MILLIS
    } else {
        LISTED_MILLIS
    };
    let wanted = input["Dimensions"].as_array().cloned().unwrap_or_default();
    let mut keys: Vec<&MetricKey> = world
        .services
        .cloudwatch
        .metrics
        .iter()
        .filter(|metric| metric.last().is_some_and(|last| now.0 - last.0 <= age))
        .map(|metric| &metric.key)
        .filter(|key| {
            namespace.is_none_or(|wanted| key.namespace == wanted)
                && name.is_none_or(|wanted| key.name == wanted)
                && wanted.iter().all(|filter| {
                    key.dimensions.iter().any(|(name, value)| {
                        filter["Name"] == **name && filter["Value"].as_str().is_none_or(|v| v == value)
                    })
                })
        })
        .collect();
    keys.sort();
    let shown = keys
        .into_iter()
        .map(|key| {
            json!({
                "Namespace": key.namespace,
                "MetricName": key.name,
                "Dimensions": key.shown_dimensions(),
            })
        })
        .collect();
    let (metrics, next) = page(shown, input["NextToken"].as_str(), METRICS_A_PAGE)
        .map_err(|_| ApiError::client("InvalidParameterValue", "The next token specified is invalid."))?;
    let mut output = json!({ "Metrics": metrics });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

/// Start, end and period of a request, checked as both reading operations check them.
pub(super) fn window(start: &Value, end: &Value) -> Result<(SimTime, SimTime), ApiError> {
    let at = |value: &Value| SimTime::from_epoch_seconds(value.as_f64().unwrap_or_default());
    let (start, end) = (at(start), at(end));
    if start >= end {
        return Err(validation(
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    Ok((start, end))
}

/// Milliseconds of a period: 1, 5, 10, 20, 30 seconds or whole minutes.
pub(super) fn period_millis(period: &Value) -> Result<i64, ApiError> {
    let seconds = period.as_i64().unwrap_or_default();
    if seconds > 0 && ([1, 5, 10, 20, 30].contains(&seconds) || seconds % 60 == 0) {
        Ok(seconds * 1000)
    } else {
        Err(validation(format!(
            "The value {seconds} for parameter Period is invalid. Valid values are 1, 5, 10, 20, 30, or any multiple \
             of 60."
        )))
    }
}

pub(super) fn get_metric_statistics(world: &mut World, input: &Value) -> OpResult {
    let (start, end) = window(&input["StartTime"], &input["EndTime"])?;
    let period = period_millis(&input["Period"])?;
    let start = SimTime(start.0.div_euclid(period) * period);
    let points = (end.0 - start.0 + period - 1) / period;
    if points > MOST_POINTS {
        return Err(ApiError::client(
            "InvalidParameterCombination",
            format!(
                "You have requested up to {points} datapoints, which exceeds the limit of {MOST_POINTS}. You may reduce \
                 the datapoints requested by increasing Period, or decreasing the time range."
            ),
        ));
    }
    let names: Vec<&str> = [strings(input, "Statistics"), strings(input, "ExtendedStatistics")].concat();
    if names.is_empty() {
        return Err(ApiError::client(
            "InvalidParameterCombination",
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        ));
    }
    let key = MetricKey::from_input(&input["Namespace"], &input["MetricName"], &input["Dimensions"]);
    let state = &world.services.cloudwatch;
    let metric = state.by_key.get(&key).map(|id| &state.metrics[id.0]);
    let mut data: BTreeMap<i64, Map<String, Value>> = BTreeMap::new();
    for name in names {
        let statistic = Statistic::parse(name)
            .ok_or_else(|| validation(format!("The value {name} for parameter Statistics is invalid.")))?;
        let Some(metric) = metric else { continue };
        let count = usize::try_from(points).unwrap_or_default();
        let last = SimTime(start.0 + points * period);
        for (position, value) in metric
            .series(statistic, period, count, last)
            .into_iter()
            .enumerate()
        {
            let Some(value) = value else { continue };
            let at = start.0 + position as i64 * period;
            let entry = data.entry(at).or_insert_with(|| {
                let mut entry = Map::new();
                entry.insert("Timestamp".to_owned(), json!(SimTime(at).epoch_seconds()));
                entry.insert("Unit".to_owned(), json!("None"));
                entry
            });
            if let Statistic::Percentile(_) = statistic {
                let extended = entry.entry("ExtendedStatistics").or_insert_with(|| json!({}));
                extended[name] = json!(value);
            } else {
                entry.insert(name.to_owned(), json!(value));
            }
        }
    }
    let data: Vec<Value> = data.into_values().map(Value::Object).collect();
    Ok(json!({ "Label": input["MetricName"], "Datapoints": data }))
}
