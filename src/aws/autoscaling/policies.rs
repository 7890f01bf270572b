//! DescribePolicies.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{
    PredictiveScalingConfiguration, PredictiveScalingMaxCapacityBreachBehavior, PredictiveScalingMode,
    ScalingPolicy, TargetTrackingConfiguration,
};

use super::super::Aws;
use super::super::pages::Pages;
use crate::error::{Required as _, Result};

/// "The default value is 50 and the maximum value is 100" (Auto Scaling API Reference, DescribePolicies).
const PAGE: i32 = 100;

const REQUEST: &str = "DescribePolicies";

/// A scaling policy of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) group: String,
    pub(crate) name: String,
    /// What alarms name as their action.
    pub(crate) arn: String,
    pub(crate) enabled: bool,
    /// Names of the alarms that invoke it.
    pub(crate) alarms: Vec<String>,
    /// Seconds of a warm-up of its own, instead of the group's.
    pub(crate) warmup_seconds: Option<i32>,
    pub(crate) kind: PolicyKind,
}

/// What a policy does. Adjustment types are named as in the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum PolicyKind {
    Step {
        adjustment_type: String,
        minimum_adjustment_magnitude: Option<i32>,
        steps: Vec<Step>,
    },
    Simple {
        adjustment_type: String,
        adjustment: i32,
        minimum_adjustment_magnitude: Option<i32>,
        /// Seconds; the group's default cooldown without it.
        cooldown: Option<i32>,
    },
    TargetTracking {
        target: f64,
        disable_scale_in: bool,
        metric: Tracked,
    },
    Predictive {
        /// Whether it acts on its forecast.
        scales: bool,
        /// Whether it may raise the group's maximum.
        raises_maximum: bool,
    },
    /// One that this version does not know.
    Other(String),
}

/// One interval of a step policy; the bounds are distances from the alarm's threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) lower: Option<f64>,
    pub(crate) upper: Option<f64>,
    pub(crate) adjustment: i32,
}

/// What a target tracking policy tracks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Tracked {
    Metric(TrackedMetric),
    /// E.g. `ASGAverageCPUUtilization`.
    Predefined(String),
    /// Metric math.
    Math,
}

/// The metric of a target tracking policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrackedMetric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) statistic: Option<String>,
    pub(crate) unit: Option<String>,
    /// Seconds; 60 without it.
    pub(crate) period_seconds: Option<i32>,
}

impl Policy {
    /// Whether Auto Scaling keeps the alarms itself.
    pub(crate) fn is_tracking(&self) -> bool {
        matches!(self.kind, PolicyKind::TargetTracking { .. })
    }

    /// Whether an action of an alarm invokes this policy.
    pub(crate) fn is_invoked_by(&self, action: &str) -> bool {
        action.ends_with(&format!(
            ":autoScalingGroupName/{}:policyName/{}",
            self.group, self.name
        ))
    }
}

impl Aws {
    /// The scaling policies by group: those of one group, or of every group of the region.
    pub(crate) async fn policies(&self, group: Option<&str>) -> Result<BTreeMap<String, Vec<Policy>>> {
        let stream = self
            .autoscaling_client()
            .await?
            .describe_policies()
            .set_auto_scaling_group_name(group.map(str::to_owned))
            .max_records(PAGE)
            .into_paginator()
            .send();
        let mut policies: BTreeMap<String, Vec<Policy>> = BTreeMap::new();
        for policy in Pages::new("read the scaling policies", stream).all().await? {
            let policy = convert(&policy)?;
            policies.entry(policy.group.clone()).or_default().push(policy);
        }
        Ok(policies)
    }
}

fn convert(policy: &ScalingPolicy) -> Result<Policy> {
    let kind = match policy.policy_type().required(REQUEST, "PolicyType")? {
        "StepScaling" => PolicyKind::Step {
            adjustment_type: policy
                .adjustment_type()
                .required(REQUEST, "AdjustmentType")?
                .to_owned(),
            minimum_adjustment_magnitude: policy.min_adjustment_magnitude(),
            steps: policy
                .step_adjustments()
                .iter()
                .map(|step| {
                    Ok(Step {
                        lower: step.metric_interval_lower_bound(),
                        upper: step.metric_interval_upper_bound(),
                        adjustment: step.scaling_adjustment().required(REQUEST, "ScalingAdjustment")?,
                    })
                })
                .collect::<Result<_>>()?,
        },
        "SimpleScaling" => PolicyKind::Simple {
            adjustment_type: policy
                .adjustment_type()
                .required(REQUEST, "AdjustmentType")?
                .to_owned(),
            adjustment: policy
                .scaling_adjustment()
                .required(REQUEST, "ScalingAdjustment")?,
            minimum_adjustment_magnitude: policy.min_adjustment_magnitude(),
            cooldown: policy.cooldown(),
        },
        "TargetTrackingScaling" => tracking(
            policy
                .target_tracking_configuration()
                .required(REQUEST, "TargetTrackingConfiguration")?,
        )?,
        "PredictiveScaling" => predictive(
            policy
                .predictive_scaling_configuration()
                .required(REQUEST, "PredictiveScalingConfiguration")?,
        ),
        other => PolicyKind::Other(other.to_owned()),
    };
    Ok(Policy {
        group: policy
            .auto_scaling_group_name()
            .required(REQUEST, "AutoScalingGroupName")?
            .to_owned(),
        name: policy.policy_name().required(REQUEST, "PolicyName")?.to_owned(),
        arn: policy.policy_arn().unwrap_or_default().to_owned(),
        warmup_seconds: policy.estimated_instance_warmup(),
        // "The default is enabled" (API Reference, PutScalingPolicy).
        enabled: policy.enabled().unwrap_or(true),
        alarms: policy
            .alarms()
            .iter()
            .filter_map(|alarm| alarm.alarm_name().map(str::to_owned))
            .collect(),
        kind,
    })
}

/// "Defaults to ForecastOnly if not specified" and "Defaults to HonorMaxCapacity if not specified" (API Reference,
/// PredictiveScalingConfiguration).
fn predictive(configuration: &PredictiveScalingConfiguration) -> PolicyKind {
    let mode = configuration.mode().map(PredictiveScalingMode::as_str);
    let breach = configuration
        .max_capacity_breach_behavior()
        .map(PredictiveScalingMaxCapacityBreachBehavior::as_str);
    PolicyKind::Predictive {
        // A mode of later versions may scale too.
        scales: mode.is_some_and(|mode| mode != "ForecastOnly"),
        raises_maximum: breach.is_some_and(|breach| breach != "HonorMaxCapacity"),
    }
}

fn tracking(configuration: &TargetTrackingConfiguration) -> Result<PolicyKind> {
    let customized = configuration
        .customized_metric_specification()
        .filter(|metric| metric.metrics().is_empty())
        .and_then(|metric| {
            Some(TrackedMetric {
                namespace: metric.namespace()?.to_owned(),
                name: metric.metric_name()?.to_owned(),
                dimensions: metric
                    .dimensions()
                    .iter()
                    .filter_map(|dimension| {
                        Some((dimension.name()?.to_owned(), dimension.value()?.to_owned()))
                    })
                    .collect(),
                statistic: metric.statistic().map(|statistic| statistic.as_str().to_owned()),
                unit: metric.unit().map(str::to_owned),
                period_seconds: metric.period(),
            })
        });
    let predefined = configuration
        .predefined_metric_specification()
        .and_then(|metric| metric.predefined_metric_type());
    let metric = match (customized, predefined) {
        (Some(metric), _) => Tracked::Metric(metric),
        (None, Some(predefined)) => Tracked::Predefined(predefined.as_str().to_owned()),
        (None, None) => Tracked::Math,
    };
    Ok(PolicyKind::TargetTracking {
        target: configuration.target_value().required(REQUEST, "TargetValue")?,
        disable_scale_in: configuration.disable_scale_in().unwrap_or(false),
        metric,
    })
}
