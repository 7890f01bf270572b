//! Alarms of CloudWatch on one metric.

use serde_json::{Value, json};

use crate::build::Resource;

/// What an alarm does in periods without data.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Missing {
    /// It counts as above the threshold.
    Breaching,
    /// It counts as below the threshold.
    NotBreaching,
    /// The alarm goes to `INSUFFICIENT_DATA`, which does nothing here.
    Insufficient,
}

/// An alarm; the fields without a default are those of `new`.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    /// CloudFormation names it after the stack where there is none.
    pub(crate) name: Option<String>,
    pub(crate) description: String,
    pub(crate) metric: Metric,
    pub(crate) comparison: &'static str,
    pub(crate) threshold: f64,
    /// Periods in a row.
    pub(crate) periods: u32,
    pub(crate) missing: Missing,
    pub(crate) actions: Vec<Value>,
}

/// A metric as an alarm looks at it.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) namespace: &'static str,
    pub(crate) name: &'static str,
    /// `[{"Name": …, "Value": …}]`
    pub(crate) dimensions: Value,
    pub(crate) statistic: &'static str,
    /// In seconds.
    pub(crate) period: u32,
}

impl Alarm {
    /// Above or at a threshold for one period.
    pub(crate) fn at_least(metric: Metric, threshold: f64) -> Self {
        Self {
            name: None,
            description: String::new(),
            metric,
            comparison: "GreaterThanOrEqualToThreshold",
            threshold,
            periods: 1,
            missing: Missing::Insufficient,
            actions: Vec::new(),
        }
    }

    pub(crate) fn resource(self) -> Resource {
        let missing = match self.missing {
            Missing::Breaching => "breaching",
            Missing::NotBreaching => "notBreaching",
            Missing::Insufficient => "missing",
        };
        let mut properties = json!({
            "AlarmDescription": self.description,
            "Namespace": self.metric.namespace,
            "MetricName": self.metric.name,
            "Dimensions": self.metric.dimensions,
            "Statistic": self.metric.statistic,
            "Period": self.metric.period,
            "ComparisonOperator": self.comparison,
            "Threshold": self.threshold,
            "EvaluationPeriods": self.periods,
            "DatapointsToAlarm": self.periods,
            "TreatMissingData": missing,
        });
        if let Some(name) = self.name {
            properties["AlarmName"] = json!(name);
        }
        if !self.actions.is_empty() {
            properties["AlarmActions"] = json!(self.actions);
        }
        Resource::new("AWS::CloudWatch::Alarm", properties)
    }
}

pub(crate) fn dimension(name: &str, value: Value) -> Value {
    json!({ "Name": name, "Value": value })
}
