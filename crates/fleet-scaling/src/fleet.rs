//! How the platform configures the scaling of one GPU fleet: its template, policies and alarms.
//!
//! Source: runbook, "Scale-to-Zero Behavior"; the fleet templates in use and the stacks that they make.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alarm::{AlarmRule, Comparison, MissingData};
use crate::metrics::{Published, Signal};
use crate::policy::{AdjustmentType, Limits, StepAdjustment, StepPolicy, TargetTrackingPolicy};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Answer, Group, largest};

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
