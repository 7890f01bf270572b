//! The scaling policies and the alarms of a fleet, as its stack makes them.

use fleet_scaling::alarm::{AlarmRule, Comparison, MissingData};
use fleet_scaling::policy::{AdjustmentType, StepAdjustment, StepPolicy};
use fleet_templates::FleetScaling;

use super::names::{Names, generated};
use crate::options::{FleetSeed, Layout};
use crate::service::autoscaling::{self, Policy, PolicyKind};
use crate::service::cloudwatch::{self, AlarmSpec, Statistic};
use crate::service::sns;
use crate::world::World;

/// Where the backend publishes the metrics of fleets.
pub(super) const NAMESPACE: &str = "ComfyUI/Workers";

/// A step policy and the one alarm that invokes it. CDK calls the two `UpperPolicy` and `UpperAlarm`, or
/// `LowerPolicy` and `LowerAlarm`, under the name of the metric that the group scales on.
pub(super) struct StepScaling {
    /// The construct of both, e.g. `QueueDepthStepScaleOut`.
    pub(super) construct: &'static str,
    /// `Upper` or `Lower`.
    pub(super) side: &'static str,
    metric: &'static str,
    statistic: Statistic,
    rule: AlarmRule,
    policy: StepPolicy,
}

impl StepScaling {
    /// The paths of the policy and of its alarm below the fleet.
    pub(super) fn paths(&self, names: &Names) -> [[String; 3]; 2] {
        ["Policy", "Alarm"].map(|what| {
            [
                names.group_construct().to_owned(),
                self.construct.to_owned(),
                format!("{}{what}", self.side),
            ]
        })
    }
}

/// The step policies of a layout, in the order in which the API lists them.
///
/// The single layout asks for one instance while any job is there and for none as soon as there is none. The
/// staged layout only starts the first instance, and adds one or two for a backlog.
pub(super) fn step_scaling(layout: Layout) -> Vec<StepScaling> {
    let step = |lower, upper, adjustment| StepAdjustment {
        lower,
        upper,
        adjustment,
    };
    let exact = |construct, side, comparison, threshold, step| StepScaling {
        construct,
        side,
        metric: "QueueDepth",
        statistic: Statistic::Maximum,
        rule: rule(comparison, threshold, 1, MissingData::Missing),
        policy: StepPolicy {
            adjustment_type: AdjustmentType::ExactCapacity,
            steps: vec![step],
            minimum_adjustment_magnitude: None,
        },
    };
    let at_least = Comparison::GreaterThanOrEqualToThreshold;
    let at_most = Comparison::LessThanOrEqualToThreshold;
    match layout {
        Layout::Single => vec![
            exact(
                "QueueDepthStepScaleOut",
                "Lower",
                at_most,
                0.0,
                step(None, Some(0.0), 0),
            ),
            exact(
                "QueueDepthStepScaleOut",
                "Upper",
                at_least,
                1.0,
                step(Some(0.0), None, 1),
            ),
        ],
        Layout::Staged => vec![
            StepScaling {
                construct: "BacklogTracking",
                side: "Upper",
                metric: "BacklogPerInstance",
                statistic: Statistic::Average,
                rule: rule(at_least, 2.0, 1, MissingData::Missing),
                policy: StepPolicy {
                    adjustment_type: AdjustmentType::ChangeInCapacity,
                    steps: vec![step(Some(0.0), Some(3.0), 1), step(Some(3.0), None, 2)],
                    minimum_adjustment_magnitude: None,
                },
            },
            exact("StepScale", "Upper", at_least, 1.0, step(Some(0.0), None, 1)),
        ],
    }
}

fn rule(comparison: Comparison, threshold: f64, periods: usize, missing_data: MissingData) -> AlarmRule {
    AlarmRule {
        comparison,
        threshold,
        evaluation_periods: periods,
        datapoints_to_alarm: periods,
        missing_data,
    }
}

/// Creates the policies and alarms of a fleet. `watched` is the slug in their dimensions.
pub(super) fn fleet(
    world: &mut World,
    names: &Names,
    fleet: &FleetSeed,
    scaling: &FleetScaling,
    watched: &str,
) {
    let group = names.group(fleet);
    let stack = names.holding_stack(fleet);
    let mut policies = Vec::new();
    for step in step_scaling(world.options.layout) {
        let [policy, alarm] = step.paths(names).map(|path| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            generated(&mut world.ids, &stack, &names.logical(fleet, &path))
        });
        policies.push(Policy {
            arn: autoscaling::policy_arn(world, &group, &policy),
            name: policy,
            alarms: vec![with_arn(world, alarm)],
            kind: PolicyKind::Step(step.policy),
        });
    }
    if world.options.layout == Layout::Single {
        let path = [names.group_construct(), "ScalingPolicyBacklogTargetTracking"];
        let name = generated(&mut world.ids, &stack, &names.logical(fleet, &path));
        // Auto Scaling makes the two alarms of a tracking policy itself.
        let alarms = ["High", "Low"].map(|side| {
            let id = world.ids.uuid();
            with_arn(world, format!("TargetTracking-{group}-Alarm{side}-{id}"))
        });
        policies.push(Policy {
            arn: autoscaling::policy_arn(world, &group, &name),
            name,
            kind: PolicyKind::Tracking {
                policy: scaling.tracking_policy(),
                namespace: NAMESPACE.to_owned(),
                metric: "BacklogPerInstance".to_owned(),
                dimensions: names.metric_dimensions(&fleet.stage, watched),
            },
            alarms: alarms.to_vec(),
        });
    }
    if let Some(group) = autoscaling::group_mut(world, &group) {
        for policy in policies {
            group.add_policy(policy);
        }
    }
    watch(world, names, fleet, scaling, watched);
}

/// Name and ARN of an alarm.
fn with_arn(world: &World, name: String) -> (String, String) {
    let arn = format!(
        "arn:aws:cloudwatch:{}:{}:alarm:{name}",
        world.options.region, world.options.account_id
    );
    (name, arn)
}

/// Deletes the alarm that starts the first instance of a fleet, as an operator does outside of its stack.
pub(super) fn drop_starter(world: &mut World, names: &Names, fleet: &FleetSeed) {
    let steps = step_scaling(world.options.layout);
    let starts = |step: &StepScaling| step.metric == "QueueDepth" && step.side == "Upper";
    let Some(position) = steps.iter().position(starts) else {
        return;
    };
    let group = autoscaling::group(world, &names.group(fleet));
    let alarms: Vec<String> = group
        .and_then(|group| group.policies().get(position))
        .map(|policy| policy.alarms.iter().map(|(name, _)| name.clone()).collect())
        .unwrap_or_default();
    for alarm in alarms {
        cloudwatch::delete_alarm(world, &alarm);
    }
}

/// Writes the alarms of a fleet, new or changed, for the slug that they look at.
pub(super) fn watch(
    world: &mut World,
    names: &Names,
    fleet: &FleetSeed,
    scaling: &FleetScaling,
    watched: &str,
) {
    let dimensions = names.metric_dimensions(&fleet.stage, watched);
    let group = names.group(fleet);
    let Some(policies) = autoscaling::group_mut(world, &group).map(|group| {
        group.watch(&dimensions);
        group.policies().to_vec()
    }) else {
        return;
    };
    let mut specs = own_alarms(world, names, fleet, scaling, &dimensions).to_vec();
    let mut steps = step_scaling(world.options.layout).into_iter();
    for policy in &policies {
        match &policy.kind {
            PolicyKind::Step(_) => {
                let Some(step) = steps.next() else { continue };
                for (name, _) in &policy.alarms {
                    specs.push(AlarmSpec {
                        description: Some(format!("{} threshold scaling alarm", step.side)),
                        statistic: step.statistic,
                        ..spec(name.clone(), step.metric, step.rule, &policy.arn, &dimensions)
                    });
                }
            }
            PolicyKind::Tracking { policy: tracking, .. } => {
                let pair = tracking.alarms();
                for ((name, _), rule) in policy.alarms.iter().zip([pair.high, pair.low]) {
                    specs.push(AlarmSpec {
                        statistic: Statistic::Average,
                        description: Some(format!(
                            "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.",
                            policy.arn
                        )),
                        ..spec(name.clone(), "BacklogPerInstance", rule, &policy.arn, &dimensions)
                    });
                }
            }
        }
    }
    for spec in specs {
        cloudwatch::put_alarm(world, spec);
    }
}

/// The four alarms with names of the layout's own.
fn own_alarms(
    world: &World,
    names: &Names,
    fleet: &FleetSeed,
    scaling: &FleetScaling,
    dimensions: &[(String, String)],
) -> [AlarmSpec; 4] {
    let alerts = sns::topic_arn(world, &names.core("ops-alerts"));
    let zero = sns::topic_arn(world, &names.core("scale-to-zero"));
    let (stage, slug) = (&fleet.stage, &fleet.slug);
    let at_least = Comparison::GreaterThanOrEqualToThreshold;
    let within = MissingData::NotBreaching;
    let has_jobs = rule(Comparison::GreaterThanThreshold, 0.0, 1, within);
    let empty = rule(
        Comparison::LessThanOrEqualToThreshold,
        0.0,
        scaling.scale_to_zero_minutes,
        MissingData::Breaching,
    );
    let empty_name = format!("{stage}-{slug}-queue-empty");
    let errors_name = format!("{stage}-p2-{slug}-error-rate");
    let deep_name = format!("{stage}-p3-{slug}-queue-deep");
    [
        // For people to see: it sets nothing in motion.
        AlarmSpec {
            alarm_actions: Vec::new(),
            ..spec(
                format!("{stage}-{slug}-queue-has-jobs"),
                "QueueDepth",
                has_jobs,
                &alerts,
                dimensions,
            )
        },
        spec(empty_name, "QueueDepth", empty, &zero, dimensions),
        AlarmSpec {
            statistic: Statistic::Average,
            period: 300,
            ..spec(
                errors_name,
                "ErrorRate",
                rule(at_least, 20.0, 1, within),
                &alerts,
                dimensions,
            )
        },
        AlarmSpec {
            period: 1800,
            ..spec(
                deep_name,
                "QueueDepth",
                rule(at_least, 10.0, 1, within),
                &alerts,
                dimensions,
            )
        },
    ]
}

/// An alarm on one-minute maxima with one action.
fn spec(
    name: String,
    metric: &str,
    rule: AlarmRule,
    action: &str,
    dimensions: &[(String, String)],
) -> AlarmSpec {
    AlarmSpec {
        name,
        description: None,
        namespace: NAMESPACE.to_owned(),
        metric: metric.to_owned(),
        dimensions: dimensions.to_vec(),
        statistic: Statistic::Maximum,
        period: 60,
        rule,
        alarm_actions: vec![action.to_owned()],
        ok_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
        actions_enabled: true,
        unit: None,
    }
}
