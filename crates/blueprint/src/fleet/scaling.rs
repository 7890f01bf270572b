//! The scaling policies of a fleet.

use serde_json::{Value, json};

use super::Parts;
use crate::alarm::Alarm;
use crate::build::{Resource, Template, reference};
use crate::settings::Layout;

/// The most steps of a step policy (Amazon EC2 Auto Scaling User Guide, "Quotas").
const MOST_STEPS: u32 = 20;

pub(super) fn add(template: &mut Template, parts: &Parts<'_>) {
    let is_upstream = parts.settings.upstream_compatible;
    let depth = parts.names().constructs().steps;
    if is_upstream && parts.settings.layout == Layout::Staged {
        backlog_steps(template, parts);
    }
    if is_upstream && parts.settings.layout == Layout::Single {
        // One minute without jobs takes a fleet of any size to zero, long before the queue-empty alarm would: the next
        // job waits for a cold start. Tracking scales in, and the alarm ends the last instance.
        let lower = Alarm {
            comparison: "LessThanOrEqualToThreshold",
            description: "Lower threshold scaling alarm".to_owned(),
            ..Alarm::at_least(parts.metric("QueueDepth", "Maximum", 60), 0.0)
        };
        let step = json!({ "MetricIntervalUpperBound": 0, "ScalingAdjustment": 0 });
        let step = (EXACT, json!([step]));
        step_policy(template, parts, [depth, "Lower"], step, lower);
    }
    let upper = Alarm {
        description: "Upper threshold scaling alarm".to_owned(),
        ..Alarm::at_least(parts.metric("QueueDepth", "Maximum", 60), 1.0)
    };
    step_policy(
        template,
        parts,
        [depth, "Upper"],
        (EXACT, upper_steps(parts)),
        upper,
    );
    let tracks = match (is_upstream, parts.settings.layout) {
        (true, Layout::Single) => true,
        // Its steps on the backlog are there instead.
        (true, Layout::Staged) => false,
        // Between nothing and one instance there is nothing to track.
        (false, _) => parts.kind.max_size > 1,
    };
    if tracks {
        tracking(template, parts);
    }
}

/// What the staged platform has in the place of tracking: one or two instances more for a backlog. It asks for them again
/// with every minute that the backlog lasts, and the step that asks for exactly one instance takes them away.
fn backlog_steps(template: &mut Template, parts: &Parts<'_>) {
    let upper = Alarm {
        description: "Upper threshold scaling alarm".to_owned(),
        ..Alarm::at_least(parts.metric("BacklogPerInstance", "Average", 60), 2.0)
    };
    let steps = json!([
        { "MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 3, "ScalingAdjustment": 1 },
        { "MetricIntervalLowerBound": 3, "ScalingAdjustment": 2 },
    ]);
    let steps = ("ChangeInCapacity", steps);
    step_policy(template, parts, ["BacklogTracking", "Upper"], steps, upper);
}

/// Steps that say how many instances there are to be.
const EXACT: &str = "ExactCapacity";

/// The platform asks for exactly one instance in every minute with a job, and so takes away what tracking has built up
/// whenever that one does not fire in the same minute. Here there is a step for every size of the fleet, which asks
/// for what tracking asks for: one instance, and one more for every `backlog_target` jobs. (Adding one instead would
/// never end, for the depth counts the jobs that run.)
fn upper_steps(parts: &Parts<'_>) -> Value {
    if parts.settings.upstream_compatible {
        return json!([{ "MetricIntervalLowerBound": 0, "ScalingAdjustment": 1 }]);
    }
    let (max, target) = (parts.kind.max_size.max(1), parts.kind.backlog_target);
    // Large fleets take several instances at a step.
    let each = (max - 1).div_ceil(MOST_STEPS - 1).max(1);
    let count = (max - 1).div_ceil(each) + 1;
    let instances = |step: u32| (1 + step * each).min(max);
    // Bounds are distances from the alarm's threshold, one job.
    let beyond = |step: u32| instances(step) * target - 1;
    (0..count)
        .map(|step| {
            let lower = if step == 0 { 0 } else { beyond(step - 1) };
            let mut adjustment = json!({ "MetricIntervalLowerBound": lower });
            if step + 1 < count {
                adjustment["MetricIntervalUpperBound"] = json!(beyond(step));
            }
            adjustment["ScalingAdjustment"] = json!(instances(step));
            adjustment
        })
        .collect()
}

/// A policy and the one alarm that invokes it. CloudFormation names both after their logical ids, which `of` is part of.
/// `steps` are what they say, and the steps.
fn step_policy(
    template: &mut Template,
    parts: &Parts<'_>,
    of: [&str; 2],
    steps: (&str, Value),
    alarm: Alarm,
) {
    let ([construct, side], (adjustment, steps)) = (of, steps);
    let group = parts.names().constructs().group;
    let logical = |what: &str| parts.logical(&[group, construct, &format!("{side}{what}")]);
    let policy = logical("Policy");
    template.add(
        &policy,
        Resource::new(
            "AWS::AutoScaling::ScalingPolicy",
            json!({
                "AutoScalingGroupName": reference(&parts.group()),
                "PolicyType": "StepScaling",
                "AdjustmentType": adjustment,
                "MetricAggregationType": alarm.metric.statistic,
                "StepAdjustments": steps,
            }),
        ),
    );
    let alarm = Alarm {
        actions: vec![reference(&policy)],
        ..alarm
    };
    template.add(&logical("Alarm"), alarm.resource());
}

/// From one instance to many by the jobs of each; Auto Scaling makes the alarms itself.
fn tracking(template: &mut Template, parts: &Parts<'_>) {
    template.add(
        &parts.logical(&[
            parts.names().constructs().group,
            "ScalingPolicyBacklogTargetTracking",
        ]),
        Resource::new(
            "AWS::AutoScaling::ScalingPolicy",
            json!({
                "AutoScalingGroupName": reference(&parts.group()),
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingConfiguration": {
                    "CustomizedMetricSpecification": {
                        "Namespace": super::NAMESPACE,
                        "MetricName": "BacklogPerInstance",
                        "Dimensions": parts.dimensions(),
                        "Statistic": "Average",
                    },
                    "DisableScaleIn": false,
                    "TargetValue": parts.kind.backlog_target,
                },
            }),
        ),
    );
}
