//! CloudWatch: metrics, and alarms that look at them every minute.

mod actions;
mod alarm;
mod alarms_api;
mod dashboards;
mod expression;
mod history;
mod metric;
mod metric_data;
mod metrics_api;
mod put_alarm;
mod reason;
mod statistic;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

pub(crate) use actions::{AlarmMessage, evaluate};
pub(crate) use alarm::{Alarm, AlarmSpec};
pub(crate) use dashboards::{delete as delete_dashboard, put as put_dashboard};
use history::HistoryItem;
pub(crate) use metric::MetricId;
use metric::{Metric, MetricKey};
pub(crate) use statistic::Statistic;

use crate::error::ApiError;
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

/// Metrics by the order of their first mention, alarms and dashboards by name, and what happened to the alarms.
#[derive(Debug, Default)]
pub(crate) struct State {
    metrics: Vec<Metric>,
    by_key: HashMap<MetricKey, MetricId>,
    alarms: BTreeMap<String, Alarm>,
    /// The bodies.
    dashboards: BTreeMap<String, String>,
    /// Oldest first.
    history: Vec<HistoryItem>,
}

operations! {
    Write DeleteAlarms => alarms_api::delete_alarms,
    Read DescribeAlarmHistory => history::describe_alarm_history,
    Read DescribeAlarms => alarms_api::describe_alarms,
    Read GetDashboard => dashboards::get_dashboard,
    Read GetMetricData => metric_data::get_metric_data,
    Read GetMetricStatistics => metrics_api::get_metric_statistics,
    Read ListMetrics => metrics_api::list_metrics,
    Write PutMetricAlarm => put_alarm::put_metric_alarm,
    Write PutMetricData => metrics_api::put_metric_data,
    Write SetAlarmState => alarms_api::set_alarm_state,
}

/// The metric with these coordinates; it exists from its first mention and is listed once it has data.
pub(crate) fn metric(
    world: &mut World,
    namespace: &str,
    name: &str,
    dimensions: &[(&str, &str)],
) -> MetricId {
    let key = MetricKey::new(namespace, name, dimensions);
    let state = &mut world.services.cloudwatch;
    state.metric(key)
}

/// One datum of a metric at the present.
pub(crate) fn put(world: &mut World, namespace: &str, name: &str, dimensions: &[(&str, &str)], value: f64) {
    let id = metric(world, namespace, name, dimensions);
    record(world, id, world.now, value);
}

/// One datum of a known metric at any time.
pub(crate) fn record(world: &mut World, id: MetricId, at: SimTime, value: f64) {
    world.services.cloudwatch.metrics[id.0].add(metric::Datum::single(at, value));
}

/// The value of a metric's statistic over the `period` seconds that hold `at`.
pub(crate) fn value_at(
    world: &World,
    id: MetricId,
    statistic: Statistic,
    period: i64,
    at: SimTime,
) -> Option<f64> {
    let from = SimTime(at.0.div_euclid(period * 1000) * period * 1000);
    let to = SimTime(from.0 + period * 1000);
    statistic.of(world.services.cloudwatch.metrics[id.0].between(from, to))
}

/// Creates the alarm or replaces its configuration.
pub(crate) fn put_alarm(world: &mut World, spec: AlarmSpec) {
    alarm::put(world, spec);
}

/// The alarm with this name.
pub(crate) fn alarm<'a>(world: &'a World, name: &str) -> Option<&'a Alarm> {
    world.services.cloudwatch.alarms.get(name)
}

/// Deletes an alarm.
pub(crate) fn delete_alarm(world: &mut World, name: &str) {
    world.services.cloudwatch.alarms.remove(name);
}

/// Gives every alarm the state that its metric's past implies, without actions or history: the
/// account is older than the hour that is lived through.
pub(crate) fn settle(world: &mut World) {
    actions::settle(world);
}

impl State {
    fn metric(&mut self, key: MetricKey) -> MetricId {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let id = MetricId(self.metrics.len());
        self.metrics.push(Metric::new(key.clone()));
        self.by_key.insert(key, id);
        id
    }
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

/// A `MaxRecords` outside of what the operation allows.
fn max_records(input: &Value, default: u64, most: u64) -> Result<usize, ApiError> {
    let limit = input["MaxRecords"].as_u64().unwrap_or(default);
    if limit == 0 || limit > most {
        return Err(validation(format!(
            "1 validation error detected: Value '{limit}' at 'maxRecords' failed to satisfy constraint: \
             Member must have value {} than or equal to {}",
            if limit == 0 { "greater" } else { "less" },
            if limit == 0 { 1 } else { most },
        )));
    }
    Ok(usize::try_from(limit).unwrap_or(100))
}

#[cfg(test)]
mod tests;
