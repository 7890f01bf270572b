//! The fleets' templates, judged by the scaling library.

use blueprint::{Settings, Stack};
use fleet_scaling::config::{FleetConfig, FleetSpec};
use fleet_scaling::lint::lint;
use serde_json::{Value, json};

use super::{full, of_type, plain, stack, upstream};

/// A fleet as its template describes it, in the library's terms. Its `QueueDepth` counts the jobs that run.
fn spec(stack: &Stack) -> FleetSpec {
    let group = of_type(stack, "AWS::AutoScaling::AutoScalingGroup")[0].1;
    // In the staged layout the fleets' script is in the mappings.
    let launch = stack.template.to_string();
    let alarms = of_type(stack, "AWS::CloudWatch::Alarm");
    let alarm_of = |policy: &str| {
        let action = json!([{ "Ref": policy }]);
        alarms
            .iter()
            .find(|(_, alarm)| alarm["AlarmActions"] == action)
            .map(|(_, alarm)| in_their_terms(alarm))
    };
    let policies: Vec<Value> = of_type(stack, "AWS::AutoScaling::ScalingPolicy")
        .into_iter()
        .map(|(logical, policy)| match policy["PolicyType"].as_str() {
            Some("StepScaling") => json!({
                "type": "step",
                "name": logical,
                "adjustment_type": policy["AdjustmentType"],
                "alarm": alarm_of(logical),
                "steps": policy["StepAdjustments"].as_array().unwrap().iter().map(step).collect::<Vec<_>>(),
            }),
            _ => {
                let tracking = &policy["TargetTrackingConfiguration"];
                json!({
                    "type": "target-tracking",
                    "name": logical,
                    "metric": tracking["CustomizedMetricSpecification"]["MetricName"],
                    "target": tracking["TargetValue"],
                })
            }
        })
        .collect();
    let empty = alarms
        .iter()
        .find(|(_, alarm)| {
            alarm["AlarmName"]
                .as_str()
                .is_some_and(|name| name.ends_with("-queue-empty"))
        })
        .unwrap()
        .1;
    let number = |name: &str| group[name].as_str().unwrap().parse::<i64>().unwrap();
    let document = json!({
        "min": number("MinSize"),
        "max": number("MaxSize"),
        "warmup_seconds": group["DefaultInstanceWarmup"],
        "capacity_rebalance": group["CapacityRebalance"],
        "instance_types": [{ "name": group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"][0]["InstanceType"], "spot": {} }],
        "publishes": [
            { "metric": "QueueDepth", "signal": "depth" },
            { "metric": "BacklogPerInstance", "signal": "backlog" },
            { "metric": "ActiveWorkers", "signal": "workers" },
        ],
        "jobs": { "depth_counts_running": true, "protect_busy": launch.contains("AWS_DEFAULT_REGION") },
        "scale_to_zero": { "minutes": empty["EvaluationPeriods"], "missing_data": missing(empty) },
        "policies": policies,
    });
    serde_json::from_value(document).unwrap()
}

fn in_their_terms(alarm: &Value) -> Value {
    json!({
        "metric": alarm["MetricName"],
        "statistic": alarm["Statistic"],
        "period_seconds": alarm["Period"],
        "comparison": alarm["ComparisonOperator"],
        "threshold": alarm["Threshold"],
        "evaluation_periods": alarm["EvaluationPeriods"],
        "missing_data": missing(alarm),
    })
}

fn missing(alarm: &Value) -> Value {
    alarm["TreatMissingData"].clone()
}

fn step(step: &Value) -> Value {
    let mut own = json!({ "adjustment": step["ScalingAdjustment"] });
    for (theirs, ours) in [
        ("MetricIntervalLowerBound", "lower"),
        ("MetricIntervalUpperBound", "upper"),
    ] {
        if let Some(bound) = step.get(theirs) {
            own[ours] = bound.clone();
        }
    }
    own
}

fn findings(settings: &Settings, name: &str) -> Vec<&'static str> {
    let config = FleetConfig::new(spec(&stack(settings, name))).unwrap();
    lint(&config).iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_mended_fleet_has_no_findings() {
    for name in [
        "bp-gpu-fleet-production-gpu-default",
        "bp-gpu-fleet-staging-gpu-default",
        "bp-gpu-fleet-production-upscale",
    ] {
        assert_eq!(findings(&full(), name), [] as [&str; 0], "{name}");
    }
    assert_eq!(findings(&super::staging(), "bp-staging-gpu"), [] as [&str; 0]);
}

#[test]
fn an_upstream_fleet_has_the_findings_of_the_platform() {
    let found = findings(&upstream(&plain()), "bp-gpu-fleet-production-gpu-default");
    for rule in [
        "silence-scales-to-zero",
        "exact-step-fights-tracking",
        "step-overtakes-zero",
        "scale-in-takes-busy-workers",
    ] {
        assert!(found.contains(&rule), "{rule}: {found:?}");
    }
    let staged = findings(&upstream(&super::staging()), "bp-staging-gpu");
    for rule in ["silence-scales-to-zero", "exact-step-fights-tracking"] {
        assert!(staged.contains(&rule), "{rule}: {staged:?}");
    }
    let one = findings(&upstream(&full()), "bp-gpu-fleet-production-upscale");
    assert!(one.contains(&"tracking-without-room"), "{one:?}");
}

#[test]
fn a_large_fleet_has_as_many_steps_as_a_policy_may_have() {
    for max in [1, 2, 10, 20, 21, 400] {
        let mut settings = plain();
        settings.fleet_templates[0].max_size = max;
        let stack = stack(&settings, "bp-gpu-fleet-production-gpu-default");
        let policies = of_type(&stack, "AWS::AutoScaling::ScalingPolicy");
        let steps = policies[0].1["StepAdjustments"].as_array().unwrap();
        assert!(steps.len() <= 20, "{} steps up to {max}", steps.len());
        assert_eq!(steps[0]["ScalingAdjustment"], 1);
        assert_eq!(steps[steps.len() - 1]["ScalingAdjustment"], max);
        // Each step begins where the one before it ends, and the last has no end.
        for pair in steps.windows(2) {
            assert_eq!(
                pair[0]["MetricIntervalUpperBound"],
                pair[1]["MetricIntervalLowerBound"]
            );
        }
        assert_eq!(steps[steps.len() - 1].get("MetricIntervalUpperBound"), None);
    }
}
