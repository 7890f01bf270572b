//! How the platform configures the scaling of one GPU fleet: its template, policies and alarms, in the terms of the
//! `fleet-scaling` library, which knows nothing of them.
//!
//! Source: runbook, "Scale-to-Zero Behavior"; the fleet templates in use and the stacks that they make.

pub mod scale_to_zero;

use std::time::Duration;

use fleet_scaling::alarm::{AlarmRule, Comparison, MissingData};
use fleet_scaling::config::{
    AlarmSpec, ColdStart, FleetSpec, InstanceTypeSpec, JobsSpec, OnDemandSpec, PolicySpec, ScaleToZeroSpec,
    SpotSpec,
};
use fleet_scaling::metrics::{Published, Signal, Statistic};
use fleet_scaling::policy::{AdjustmentType, Limits, StepAdjustment, StepPolicy, TargetTrackingPolicy};

/// The metric of the jobs that are not done.
pub const QUEUE_DEPTH: &str = "QueueDepth";

/// The metric of the same per registered worker.
pub const BACKLOG: &str = "BacklogPerInstance";

/// The metric of the registered workers.
pub const WORKERS: &str = "ActiveWorkers";

/// The metric of their free slots.
pub const FREE_SLOTS: &str = "AvailableCapacity";

/// The four metrics that decide on a fleet's capacity.
#[must_use]
pub fn publishes() -> Vec<Published> {
    vec![
        Published::new(QUEUE_DEPTH, Signal::Depth),
        Published::new(BACKLOG, Signal::Backlog),
        Published::new(WORKERS, Signal::Workers),
        Published::new(FREE_SLOTS, Signal::FreeSlots),
    ]
}

/// The scaling configuration of a fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetScaling {
    /// Instance types in order of preference.
    pub instance_types: Vec<String>,
    /// The bounds of the group.
    pub limits: Limits,
    /// How long a launched instance warms up.
    pub warmup: Duration,
    /// Jobs per worker that the tracking policy aims at, those that run included.
    pub backlog_target: f64,
    /// For how many minutes no job must be left, none waiting and none running, before the fleet goes
    /// to zero.
    pub scale_to_zero_minutes: usize,
}

/// A step policy of the platform and the rule of the one alarm that invokes it, on one-minute maxima of
/// `QueueDepth`.
#[derive(Clone, Debug, PartialEq)]
pub struct StepScaling {
    /// `upper` or `lower`, as the deployment tool calls the two sides.
    pub side: &'static str,
    /// What it does.
    pub policy: StepPolicy,
    /// When.
    pub rule: AlarmRule,
}

impl FleetScaling {
    /// The fleet template with this slug, `None` for an unknown one.
    #[must_use]
    pub fn template(slug: &str) -> Option<Self> {
        let (types, max, warmup): (&[&str], u32, u64) = match slug {
            "gpu-default" => (&["g4dn.xlarge", "g5.xlarge", "g6e.2xlarge"], 10, 300),
            "gpu-p-series" => (&["p5.48xlarge"], 1, 600),
            _ => return None,
        };
        Some(Self {
            instance_types: types.iter().map(|&name| name.to_owned()).collect(),
            limits: Limits { min: 0, max },
            warmup: Duration::from_secs(warmup),
            backlog_target: 2.0,
            scale_to_zero_minutes: 15,
        })
    }

    /// From zero to one and back: one instance while there is any job, none as soon as there is none.
    ///
    /// While the queue is not empty the upper policy asks for exactly one instance, so it pulls against
    /// the tracking policy whenever that one does not fire in the same minute. The lower one takes a fleet
    /// of any size to zero one minute after its queue is empty, in one step.
    #[must_use]
    pub fn step_policies(&self) -> [StepScaling; 2] {
        let scaling = |side, comparison, threshold, step| StepScaling {
            side,
            policy: StepPolicy {
                adjustment_type: AdjustmentType::ExactCapacity,
                steps: vec![step],
                minimum_adjustment_magnitude: None,
            },
            rule: AlarmRule {
                comparison,
                threshold,
                evaluation_periods: 1,
                datapoints_to_alarm: 1,
                missing_data: MissingData::Missing,
            },
        };
        let (some, none) = (
            StepAdjustment {
                lower: Some(0.0),
                upper: None,
                adjustment: 1,
            },
            StepAdjustment {
                lower: None,
                upper: Some(0.0),
                adjustment: 0,
            },
        );
        [
            scaling("upper", Comparison::GreaterThanOrEqualToThreshold, 1.0, some),
            scaling("lower", Comparison::LessThanOrEqualToThreshold, 0.0, none),
        ]
    }

    /// The fleet that the platform makes of it: all Spot, 0→1 and to 0 by two step policies on the queue, 1→N by
    /// target tracking of the backlog, and scale to zero with missing data as breaching. Its `QueueDepth` counts the
    /// jobs that are not done, also those that run.
    ///
    /// Prices are the on-demand list prices; set `hourly_price` to the Spot prices of the day.
    #[must_use]
    pub fn spec(&self) -> FleetSpec {
        let [upper, lower] = self.step_policies().map(step);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        FleetSpec {
            min: i64::from(self.limits.min),
            max: i64::from(self.limits.max),
            warmup_seconds: self.warmup.as_secs_f64(),
            capacity_rebalance: true,
            deploy_desired: None,
            zones: vec!["a".to_owned()],
            cold_start: ColdStart::default(),
            scale_to_zero: Some(ScaleToZeroSpec::unguarded(count(self.scale_to_zero_minutes))),
            jobs: JobsSpec {
                // The "pending jobs" of the runbook's "Monitoring Workers" are, in the backend's scheduler
                // that publishes them, those that are queued and those that are leased to a worker.
                depth_counts_running: true,
                ..JobsSpec::default()
            },
            instance_types: self
                .instance_types
                .iter()
                .map(|name| InstanceTypeSpec {
                    name: name.clone(),
                    hourly_price: None,
                    speed: 1.0,
                    spot: Some(SpotSpec::default()),
                })
                .collect(),
            policies: vec![
                upper,
                PolicySpec::TargetTracking {
                    name: "backlog".to_owned(),
                    metric: BACKLOG.into(),
                    statistic: Statistic::Average,
                    target: self.backlog_target,
                    disable_scale_in: false,
                    alarms: None,
                    floor: 0,
                },
                lower,
            ],
            publishes: publishes(),
            on_demand: OnDemandSpec::default(),
            schedule: Vec::new(),
            lifecycle_hooks: Vec::new(),
            warm_pool: None,
            not_modelled: Vec::new(),
        }
    }

    /// From one to many: the backlog of each worker.
    #[must_use]
    pub fn tracking_policy(&self) -> TargetTrackingPolicy {
        TargetTrackingPolicy {
            target: self.backlog_target,
            disable_scale_in: false,
            floor: 0,
        }
    }
}

fn step(scaling: StepScaling) -> PolicySpec {
    let StepScaling { side, policy, rule } = scaling;
    PolicySpec::Step {
        name: format!("queue-{side}"),
        adjustment_type: policy.adjustment_type,
        minimum_adjustment_magnitude: policy.minimum_adjustment_magnitude,
        alarm: AlarmSpec {
            metric: QUEUE_DEPTH.into(),
            statistic: Statistic::Maximum,
            period_seconds: 60.0,
            comparison: rule.comparison,
            threshold: rule.threshold,
            evaluation_periods: i64::try_from(rule.evaluation_periods).unwrap_or(i64::MAX),
            datapoints_to_alarm: None,
            missing_data: rule.missing_data,
        },
        steps: policy.steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet_scaling::policy::{Answer, Group, largest};

    fn fleet() -> FleetScaling {
        FleetScaling::template("gpu-default").unwrap()
    }

    fn group(desired: u32) -> Group {
        Group {
            desired,
            warming: 0,
            terminating: 0,
            launching: 0,
            limits: fleet().limits,
            cooldown_began: None,
        }
    }

    #[test]
    fn templates_are_known_by_slug() {
        assert_eq!(fleet().limits.max, 10);
        assert_eq!(
            FleetScaling::template("gpu-p-series").unwrap().instance_types,
            ["p5.48xlarge"]
        );
        assert_eq!(FleetScaling::template("cpu"), None);
    }

    /// What tests and documentation of the library say of its example holds of the platform's fleets.
    #[test]
    fn the_librarys_example_is_the_default_template() {
        let example = include_str!("../../fleet-scaling/examples/two-steps.toml");
        assert_eq!(toml::from_str::<FleetSpec>(example).unwrap(), fleet().spec());
    }

    #[test]
    fn the_policies_are_valid() {
        for step in fleet().step_policies() {
            assert_eq!(step.policy.validate(), Ok(()));
        }
    }

    #[test]
    fn the_upper_policy_alone_shrinks_a_busy_group_and_together_with_tracking_it_does_not() {
        let [upper, _] = fleet().step_policies();
        let step = upper.policy.answer(&group(3), 9.0, 1.0, upper.rule.comparison);
        assert_eq!(step, Answer::Capacity { capacity: 1 });
        let tracking = fleet().tracking_policy().scale_out(&group(3), Some(3.0));
        assert_eq!(largest(&[step, tracking]), Some((1, 5)));
    }

    #[test]
    fn the_lower_policy_takes_every_fleet_to_zero_on_an_empty_queue() {
        let [_, lower] = fleet().step_policies();
        assert!(lower.rule.comparison.breaches(0.0, lower.rule.threshold));
        assert_eq!(
            lower
                .policy
                .answer(&group(7), 0.0, lower.rule.threshold, lower.rule.comparison),
            Answer::Capacity { capacity: 0 }
        );
    }
}
