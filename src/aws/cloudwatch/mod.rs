//! CloudWatch: metric data and alarms.

mod alarms;
mod metrics;

#[cfg(test)]
pub(crate) use alarms::AlarmDetails;
pub(crate) use alarms::{Alarm, AlarmState};
pub(crate) use metrics::{Datapoint, MetricQuery, MetricSeries, Statistic};
