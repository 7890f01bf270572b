//! How the platform configures the scaling of one GPU fleet: its template, policies and alarms.
//!
//! Source: runbook, "Scale-to-Zero Behavior" and "Alarm Tiers"; the fleet templates in use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alarm::{AlarmRule, Comparison, MissingData};
use crate::policy::{AdjustmentType, Limits, StepAdjustment, StepPolicy, TargetTrackingPolicy};

/// The scaling configuration of a fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// The alarms of a fleet on one-minute `QueueDepth` and five-minute `ErrorRate`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FleetAlarms {
    /// `…-queue-has-jobs`: invokes the step policy.
    pub queue_has_jobs: AlarmRule,
    /// `…-queue-empty`: N of N minutes, and missing data counts as empty.
    pub queue_empty: AlarmRule,
    /// `…-p2-…-error-rate`: 20 % or more in five minutes.
    pub error_rate: AlarmRule,
    /// `…-p3-…-queue-deep`: 10 or more for six five-minute periods.
    pub queue_deep: AlarmRule,
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

    /// From zero to one: an exact capacity, 0 for an empty queue and 1 for any job.
    ///
    /// While the queue is not empty this policy asks for exactly one instance, so it pulls against
    /// the tracking policy whenever that one does not fire in the same minute.
    #[must_use]
    pub fn step_policy(&self) -> StepPolicy {
        StepPolicy {
            adjustment_type: AdjustmentType::ExactCapacity,
            steps: vec![
                StepAdjustment {
                    lower: None,
                    upper: Some(0.0),
                    adjustment: 0,
                },
                StepAdjustment {
                    lower: Some(0.0),
                    upper: None,
                    adjustment: 1,
                },
            ],
            minimum_adjustment_magnitude: None,
        }
    }

    /// From one to many: the backlog of each worker.
    #[must_use]
    pub fn tracking_policy(&self) -> TargetTrackingPolicy {
        TargetTrackingPolicy {
            target: self.backlog_target,
            disable_scale_in: false,
        }
    }

    /// The rules of the fleet's own alarms.
    #[must_use]
    pub fn alarms(&self) -> FleetAlarms {
        let rule = |comparison, threshold, periods, missing_data| AlarmRule {
            comparison,
            threshold,
            evaluation_periods: periods,
            datapoints_to_alarm: periods,
            missing_data,
        };
        FleetAlarms {
            queue_has_jobs: rule(
                Comparison::GreaterThanThreshold,
                0.0,
                1,
                MissingData::NotBreaching,
            ),
            queue_empty: rule(
                Comparison::LessThanOrEqualToThreshold,
                0.0,
                self.scale_to_zero_minutes,
                MissingData::Breaching,
            ),
            error_rate: rule(
                Comparison::GreaterThanOrEqualToThreshold,
                20.0,
                1,
                MissingData::NotBreaching,
            ),
            queue_deep: rule(
                Comparison::GreaterThanOrEqualToThreshold,
                10.0,
                6,
                MissingData::NotBreaching,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::AlarmState;
    use crate::policy::{Answer, Group, largest};

    fn fleet() -> FleetScaling {
        FleetScaling::template("gpu-default").unwrap()
    }

    fn group(desired: u32) -> Group {
        Group {
            desired,
            warming: 0,
            terminating: 0,
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
        assert_eq!(fleet().step_policy().validate(), Ok(()));
    }

    #[test]
    fn the_step_policy_alone_shrinks_a_busy_group_and_together_with_tracking_it_does_not() {
        let step = fleet().step_policy().answer(&group(3), 9.0, 0.0);
        assert_eq!(step, Answer::Capacity { capacity: 1 });
        let tracking = fleet().tracking_policy().scale_out(&group(3), Some(3.0));
        assert_eq!(largest(&[step, tracking]), Some((1, 5)));
    }

    #[test]
    fn half_an_hour_of_a_deep_queue_is_a_p3() {
        let rule = fleet().alarms().queue_deep;
        assert_eq!(
            rule.evaluate(&[Some(12.0); 5], AlarmState::Ok).state,
            AlarmState::Ok
        );
        assert_eq!(
            rule.evaluate(&[Some(12.0); 6], AlarmState::Ok).state,
            AlarmState::Alarm
        );
    }
}
