//! CloudWatch: metric data and alarms.

mod alarms;
mod dashboards;
mod history;
mod metrics;
mod put_alarm;

#[cfg(test)]
pub(crate) use alarms::AlarmDetails;
pub(crate) use alarms::{Alarm, AlarmState};
pub(crate) use history::StateChange;
pub(crate) use metrics::{Datapoint, MetricQuery, MetricSeries, Statistic};
pub(crate) use put_alarm::PutMetricAlarm;
