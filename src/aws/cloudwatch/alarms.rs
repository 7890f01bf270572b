//! DescribeAlarms: metric alarms by name.

use aws_sdk_cloudwatch::types::{MetricAlarm, StateValue};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Aws;
use super::super::convert::time;
use crate::error::{Required as _, Result, from_sdk};

/// DescribeAlarms: at most 100 names, at most 100 records per page (CloudWatch API Reference).
const BATCH: usize = 100;

/// How many batches are under way at once: as many as the documented 9 a second let through.
const CONCURRENT: usize = 9;

const REQUEST: &str = "DescribeAlarms";

/// State of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

/// A metric alarm. Composite alarms are not part of the platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) state: AlarmState,
    pub(crate) reason: Option<String>,
    /// Since when it is in this state.
    pub(crate) since: Option<Timestamp>,
    pub(crate) actions_enabled: bool,
    /// ARNs of what happens in ALARM.
    pub(crate) actions: Vec<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) metric: Option<String>,
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) statistic: Option<String>,
    pub(crate) period_seconds: Option<i32>,
    /// E.g. `GreaterThanOrEqualToThreshold`.
    pub(crate) comparison: Option<String>,
    pub(crate) threshold: Option<f64>,
    pub(crate) evaluation_periods: Option<i32>,
    pub(crate) datapoints_to_alarm: Option<i32>,
    /// `breaching`, `notBreaching`, `ignore` or `missing`.
    pub(crate) missing_data: Option<String>,
    pub(crate) details: AlarmDetails,
}

/// What few alarms have and what decides on the ones that do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AlarmDetails {
    /// Only points of this unit count.
    pub(crate) unit: Option<String>,
    pub(crate) description: Option<String>,
    /// ARNs of what happens in OK.
    pub(crate) ok_actions: Vec<String>,
    /// ARNs of what happens in INSUFFICIENT_DATA.
    pub(crate) insufficient_data_actions: Vec<String>,
    /// Metric math.
    pub(crate) expressions: Vec<String>,
    /// Compared with a band instead of a threshold.
    pub(crate) anomaly_band: bool,
    /// Evaluated over whole periods of the clock instead of a sliding window.
    pub(crate) wall_clock: bool,
}

impl Alarm {
    /// Whether it is in the state ALARM.
    pub(crate) fn is_on(&self) -> bool {
        self.state == AlarmState::Alarm
    }
}

impl Aws {
    /// The alarms of these names; those that do not exist are simply not among the answers.
    pub(crate) async fn alarms_named(&self, names: &[String]) -> Result<Vec<Alarm>> {
        let client = self.cloudwatch_client().await?;
        let batches: Vec<_> = stream::iter(names.chunks(BATCH).map(<[String]>::to_vec))
            .map(|batch| {
                let call = client
                    .describe_alarms()
                    .set_alarm_names(Some(batch))
                    .max_records(100);
                async move { call.send().await.map_err(|error| from_sdk("read alarms", &error)) }
            })
            .buffer_unordered(CONCURRENT)
            .try_collect()
            .await?;
        let mut alarms = Vec::with_capacity(names.len());
        for batch in batches {
            for alarm in batch.metric_alarms.required(REQUEST, "MetricAlarms")? {
                alarms.push(convert(&alarm)?);
            }
        }
        Ok(alarms)
    }
}

fn convert(alarm: &MetricAlarm) -> Result<Alarm> {
    let state = match alarm.state_value().required(REQUEST, "StateValue")? {
        StateValue::Ok => AlarmState::Ok,
        StateValue::Alarm => AlarmState::Alarm,
        // A state that this version does not know is not one to act on.
        _ => AlarmState::InsufficientData,
    };
    let statistic = alarm
        .statistic()
        .map(|statistic| statistic.as_str())
        .or(alarm.extended_statistic());
    let dimensions = alarm
        .dimensions()
        .iter()
        .filter_map(|dimension| Some((dimension.name()?.to_owned(), dimension.value()?.to_owned())));
    Ok(Alarm {
        name: alarm.alarm_name().required(REQUEST, "AlarmName")?.to_owned(),
        state,
        reason: alarm.state_reason().map(str::to_owned),
        since: time(
            alarm
                .state_transitioned_timestamp()
                .or(alarm.state_updated_timestamp()),
        ),
        actions_enabled: alarm.actions_enabled().unwrap_or(true),
        actions: alarm.alarm_actions().to_vec(),
        namespace: alarm.namespace().map(str::to_owned),
        metric: alarm.metric_name().map(str::to_owned),
        dimensions: dimensions.collect(),
        statistic: statistic.map(str::to_owned),
        period_seconds: alarm.period(),
        comparison: alarm
            .comparison_operator()
            .map(|operator| operator.as_str().to_owned()),
        threshold: alarm.threshold(),
        evaluation_periods: alarm.evaluation_periods(),
        datapoints_to_alarm: alarm.datapoints_to_alarm(),
        missing_data: alarm.treat_missing_data().map(str::to_owned),
        details: AlarmDetails {
            unit: alarm.unit().map(|unit| unit.as_str().to_owned()),
            description: alarm.alarm_description().map(str::to_owned),
            ok_actions: alarm.ok_actions().to_vec(),
            insufficient_data_actions: alarm.insufficient_data_actions().to_vec(),
            expressions: alarm
                .metrics()
                .iter()
                .filter_map(|query| query.expression().map(str::to_owned))
                .collect(),
            anomaly_band: alarm.threshold_metric_id().is_some(),
            wall_clock: alarm
                .evaluation_window()
                .is_some_and(|window| window.is_wall_clock_window()),
        },
    })
}
