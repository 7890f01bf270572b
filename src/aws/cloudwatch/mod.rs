//! CloudWatch: metric data and alarms.

mod alarms;
mod metrics;

pub(crate) use alarms::{Alarm, AlarmState};
pub(crate) use metrics::{Datapoint, MetricQuery, MetricSeries, Statistic};
