//! Scaling policies of a group: what they are, and what happens when alarms invoke them.

use std::collections::BTreeMap;

use fleet_scaling::policy::{Answer, Hold, StepPolicy, TargetTrackingPolicy, largest};
use serde_json::{Map, Value, json};

use super::{bad_token, max_records};
use crate::error::OpResult;
use crate::service::cloudwatch;
use crate::service::paging::{page, strings};
use crate::world::World;

/// A scaling policy.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) kind: PolicyKind,
    /// Name and ARN of the alarms that invoke it.
    pub(crate) alarms: Vec<(String, String)>,
}

/// What a policy does.
#[derive(Clone, Debug)]
pub(crate) enum PolicyKind {
    Step(StepPolicy),
    Tracking {
        policy: TargetTrackingPolicy,
        namespace: String,
        metric: String,
        dimensions: Vec<(String, String)>,
    },
}

/// Whether an alarm action is a scaling policy of Auto Scaling.
pub(crate) fn is_policy(arn: &str) -> bool {
    arn.starts_with("arn:aws:autoscaling:") && arn.contains(":scalingPolicy:")
}

/// A new ARN for a policy of a group.
pub(crate) fn policy_arn(world: &mut World, group: &str, policy: &str) -> String {
    format!(
        "arn:aws:autoscaling:{}:{}:scalingPolicy:{}:autoScalingGroupName/{group}:policyName/{policy}",
        world.options.region,
        world.options.account_id,
        world.ids.uuid(),
    )
}

/// Alarms invoke policies, given as policy ARN and alarm name. Of the policies of one group that are
/// invoked together the one with the largest capacity takes effect.
pub(crate) fn invoke_policies(world: &mut World, invoked: &[(String, String)]) {
    let mut by_group: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (arn, alarm) in invoked {
        if let Some(group) = group_of(arn) {
            by_group.entry(group).or_default().push((arn, alarm));
        }
    }
    let now = world.now;
    for (name, invoked) in by_group {
        let answers: Vec<Answer> = invoked
            .iter()
            .map(|(arn, alarm)| answer(world, name, arn, alarm))
            .collect();
        let Some((winner, capacity)) = largest(&answers) else {
            continue;
        };
        let Some(group) = super::group(world, name) else {
            continue;
        };
        if group.desired == capacity || group.is_suspended("AlarmNotification") {
            continue;
        }
        let (arn, alarm) = invoked[winner];
        let policy = arn.rsplit_once(":policyName/").map_or(arn, |(_, policy)| policy);
        let by = format!("a monitor alarm {alarm} in state ALARM triggered policy {policy}");
        if let Some(group) = super::group_mut(world, name) {
            group.set_desired(capacity, now, &by);
        }
    }
}

fn group_of(policy_arn: &str) -> Option<&str> {
    let (_, rest) = policy_arn.split_once(":autoScalingGroupName/")?;
    rest.split_once(":policyName/").map(|(group, _)| group)
}

fn answer(world: &World, group: &str, arn: &str, alarm: &str) -> Answer {
    let nothing = Answer::Hold { reason: Hold::NoData };
    let (Some(group), Some(alarm)) = (super::group(world, group), cloudwatch::alarm(world, alarm)) else {
        return nothing;
    };
    let Some(policy) = group.policies.iter().find(|policy| policy.arn == arn) else {
        return nothing;
    };
    let spec = alarm.spec();
    let value = cloudwatch::value_at(world, alarm.metric(), spec.statistic, spec.period, world.now);
    let group = group.for_policies(world.now);
    match &policy.kind {
        PolicyKind::Step(step) => match value {
            Some(value) => step.answer(&group, value, spec.rule.threshold, spec.rule.comparison),
            None => nothing,
        },
        PolicyKind::Tracking { policy, .. } if spec.rule.comparison.looks_up() => {
            policy.scale_out(&group, value)
        }
        PolicyKind::Tracking { policy, .. } => policy.scale_in(&group, value),
    }
}

impl Policy {
    /// The `ScalingPolicy` shape.
    pub(crate) fn shown(&self, group: &str) -> Value {
        let mut shape = Map::new();
        let mut set = |name: &str, value: Value| {
            shape.insert(name.to_owned(), value);
        };
        set("AutoScalingGroupName", json!(group));
        set("PolicyName", json!(self.name));
        set("PolicyARN", json!(self.arn));
        match &self.kind {
            PolicyKind::Step(step) => {
                set("PolicyType", json!("StepScaling"));
                set("AdjustmentType", json!(step.adjustment_type.name()));
                if let Some(least) = step.minimum_adjustment_magnitude {
                    set("MinAdjustmentMagnitude", json!(least));
                }
                set("StepAdjustments", step.steps.iter().map(shown_step).collect());
                set("MetricAggregationType", json!("Maximum"));
            }
            PolicyKind::Tracking {
                policy,
                namespace,
                metric,
                dimensions,
            } => {
                set("PolicyType", json!("TargetTrackingScaling"));
                set("StepAdjustments", json!([]));
                let dimensions: Value = dimensions
                    .iter()
                    .map(|(name, value)| json!({ "Name": name, "Value": value }))
                    .collect();
                set(
                    "TargetTrackingConfiguration",
                    json!({
                        "CustomizedMetricSpecification": {
                            "MetricName": metric,
                            "Namespace": namespace,
                            "Dimensions": dimensions,
                            "Statistic": "Average",
                        },
                        "TargetValue": policy.target,
                        "DisableScaleIn": policy.disable_scale_in,
                    }),
                );
            }
        }
        set(
            "Alarms",
            self.alarms
                .iter()
                .map(|(name, arn)| json!({ "AlarmName": name, "AlarmARN": arn }))
                .collect(),
        );
        set("Enabled", json!(true));
        Value::Object(shape)
    }
}

fn shown_step(step: &fleet_scaling::policy::StepAdjustment) -> Value {
    let mut shape = Map::new();
    if let Some(lower) = step.lower {
        shape.insert("MetricIntervalLowerBound".to_owned(), json!(lower));
    }
    if let Some(upper) = step.upper {
        shape.insert("MetricIntervalUpperBound".to_owned(), json!(upper));
    }
    shape.insert("ScalingAdjustment".to_owned(), json!(step.adjustment));
    Value::Object(shape)
}

pub(super) fn describe_policies(world: &mut World, input: &Value) -> OpResult {
    let limit = max_records(input, 50, 100)?;
    let wanted = input["AutoScalingGroupName"].as_str();
    let names = strings(input, "PolicyNames");
    let types = strings(input, "PolicyTypes");
    let mut found = Vec::new();
    for group in world.services.autoscaling.groups.values() {
        if wanted.is_some_and(|name| name != group.spec.name) {
            continue;
        }
        for policy in &group.policies {
            let kind = match policy.kind {
                PolicyKind::Step(_) => "StepScaling",
                PolicyKind::Tracking { .. } => "TargetTrackingScaling",
            };
            if (names.is_empty()
                || names.contains(&policy.name.as_str())
                || names.contains(&policy.arn.as_str()))
                && (types.is_empty() || types.contains(&kind))
            {
                let mut shown = policy.shown(&group.spec.name);
                // An alarm that is gone is related to nothing.
                if let Some(alarms) = shown["Alarms"].as_array_mut() {
                    alarms.retain(|alarm| {
                        alarm["AlarmName"]
                            .as_str()
                            .is_some_and(|name| cloudwatch::alarm(world, name).is_some())
                    });
                }
                found.push(shown);
            }
        }
    }
    let (policies, next) = page(found, input["NextToken"].as_str(), limit).map_err(|_| bad_token())?;
    let mut output = json!({ "ScalingPolicies": policies });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

impl super::Group {
    /// The scaling policies.
    pub(crate) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Points the tracking policies at the metric with these dimensions.
    pub(crate) fn watch(&mut self, watched: &[(String, String)]) {
        for policy in &mut self.policies {
            if let PolicyKind::Tracking { dimensions, .. } = &mut policy.kind {
                *dimensions = watched.to_vec();
            }
        }
    }

    /// Adds a scaling policy.
    pub(crate) fn add_policy(&mut self, policy: Policy) {
        self.policies.push(policy);
    }
}
