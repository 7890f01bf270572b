//! PutMetricAlarm, with the alarm read back.

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, StandardUnit, Statistic};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::Alarm;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Result, from_sdk};

/// Makes an alarm on one metric, or overwrites the one of this name: "the update completely overwrites the previous
/// configuration of the alarm" (CloudWatch API Reference, PutMetricAlarm). Its state and its tags stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PutMetricAlarm {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) actions_enabled: bool,
    pub(crate) actions: Vec<String>,
    pub(crate) ok_actions: Vec<String>,
    pub(crate) insufficient_data_actions: Vec<String>,
    pub(crate) namespace: String,
    pub(crate) metric: String,
    pub(crate) dimensions: Vec<(String, String)>,
    /// One of CloudWatch's own, no percentile.
    pub(crate) statistic: String,
    pub(crate) period_seconds: i32,
    pub(crate) comparison: String,
    pub(crate) threshold: f64,
    pub(crate) evaluation_periods: i32,
    pub(crate) datapoints_to_alarm: i32,
    pub(crate) missing_data: String,
    /// Only points of this unit count.
    pub(crate) unit: Option<String>,
}

impl PutMetricAlarm {
    /// The call that makes an alarm as it is; `None` for what the call cannot say: metric math, bands, percentiles,
    /// windows of the clock.
    pub(crate) fn of(alarm: &Alarm) -> Option<Self> {
        const STATISTICS: [&str; 5] = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"];
        let details = &alarm.details;
        if details.anomaly_band || details.wall_clock || !details.expressions.is_empty() {
            return None;
        }
        Some(Self {
            name: alarm.name.clone(),
            description: details.description.clone(),
            actions_enabled: alarm.actions_enabled,
            actions: alarm.actions.clone(),
            ok_actions: details.ok_actions.clone(),
            insufficient_data_actions: details.insufficient_data_actions.clone(),
            namespace: alarm.namespace.clone()?,
            metric: alarm.metric.clone()?,
            dimensions: alarm.dimensions.clone(),
            statistic: alarm
                .statistic
                .clone()
                .filter(|name| STATISTICS.contains(&name.as_str()))?,
            period_seconds: alarm.period_seconds?,
            comparison: alarm.comparison.clone()?,
            threshold: alarm.threshold?,
            evaluation_periods: alarm.evaluation_periods?,
            datapoints_to_alarm: alarm.datapoints_to_alarm.or(alarm.evaluation_periods)?,
            missing_data: alarm.missing_data.clone().unwrap_or_else(|| "missing".to_owned()),
            unit: details.unit.clone(),
        })
    }

    /// Whether an alarm is what the call makes; the order of dimensions and actions says nothing.
    pub(crate) fn is_kept(&self, alarm: &Alarm) -> bool {
        Self::of(alarm).is_some_and(|now| now.sorted() == self.clone().sorted())
    }

    fn sorted(mut self) -> Self {
        self.dimensions.sort();
        for arns in [
            &mut self.actions,
            &mut self.ok_actions,
            &mut self.insufficient_data_actions,
        ] {
            arns.sort();
        }
        self
    }
}

impl Call for PutMetricAlarm {
    const SERVICE: &'static str = "cloudwatch";
    const OPERATION: &'static str = "PutMetricAlarm";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = Alarm;

    fn parameters(&self) -> Map<String, Value> {
        let dimensions = self.dimensions.iter();
        let dimensions: Value = dimensions
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect();
        let mut members = parameters([("AlarmName", self.name.as_str().into())]);
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        if let Some(text) = &self.description {
            put("AlarmDescription", text.as_str().into());
        }
        put("ActionsEnabled", self.actions_enabled.into());
        for (name, arns) in [
            ("OKActions", &self.ok_actions),
            ("AlarmActions", &self.actions),
            ("InsufficientDataActions", &self.insufficient_data_actions),
        ] {
            if !arns.is_empty() {
                put(name, json!(arns));
            }
        }
        put("MetricName", self.metric.as_str().into());
        put("Namespace", self.namespace.as_str().into());
        put("Statistic", self.statistic.as_str().into());
        put("Dimensions", dimensions);
        put("Period", self.period_seconds.into());
        put("EvaluationPeriods", self.evaluation_periods.into());
        put("DatapointsToAlarm", self.datapoints_to_alarm.into());
        put("Threshold", self.threshold.into());
        put("ComparisonOperator", self.comparison.as_str().into());
        put("TreatMissingData", self.missing_data.as_str().into());
        if let Some(unit) = &self.unit {
            put("Unit", unit.as_str().into());
        }
        members
    }

    fn resource(&self) -> String {
        format!("alarm/{}", self.name)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Alarm> {
        let doing = || format!("write the alarm `{}`", self.name);
        let dimension =
            |(name, value): &(String, String)| Dimension::builder().name(name).value(value).build();
        let some = |arns: &[String]| (!arns.is_empty()).then(|| arns.to_vec());
        aws.cloudwatch_client()
            .await?
            .put_metric_alarm()
            .alarm_name(&self.name)
            .set_alarm_description(self.description.clone())
            .actions_enabled(self.actions_enabled)
            .set_ok_actions(some(&self.ok_actions))
            .set_alarm_actions(some(&self.actions))
            .set_insufficient_data_actions(some(&self.insufficient_data_actions))
            .metric_name(&self.metric)
            .namespace(&self.namespace)
            .statistic(Statistic::from(self.statistic.as_str()))
            .set_dimensions(Some(self.dimensions.iter().map(dimension).collect()))
            .period(self.period_seconds)
            .evaluation_periods(self.evaluation_periods)
            .datapoints_to_alarm(self.datapoints_to_alarm)
            .threshold(self.threshold)
            .comparison_operator(ComparisonOperator::from(self.comparison.as_str()))
            .treat_missing_data(&self.missing_data)
            .set_unit(self.unit.as_deref().map(StandardUnit::from))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        let found = aws.alarms_named(std::slice::from_ref(&self.name)).await?;
        found.into_iter().next().ok_or_else(|| {
            CtlError::new(ErrorKind::Failed, doing())
                .cause("right after the write there is no alarm of this name")
        })
    }
}
