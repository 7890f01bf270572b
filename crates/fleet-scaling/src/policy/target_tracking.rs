//! Target tracking: capacity in proportion to how far a per-instance metric is from its target.
//!
//! Source: Amazon EC2 Auto Scaling User Guide, "Target tracking scaling policies for Amazon EC2 Auto
//! Scaling". The alarms that the service creates and manages are those it is seen to create: three
//! one-minute points above the target, fifteen below 90 % of it.

use serde::{Deserialize, Serialize};

use super::{Answer, Group, Hold};
use crate::alarm::{AlarmRule, Comparison, MissingData};

/// The two alarms that EC2 Auto Scaling creates for a target tracking policy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct TrackingAlarms {
    /// Scale out: 3 of 3 points above the target.
    pub high: AlarmRule,
    /// Scale in: 15 of 15 points below 90 % of the target.
    pub low: AlarmRule,
}

/// A target tracking policy on a metric that falls when capacity rises.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct TargetTrackingPolicy {
    /// The value the metric should have.
    pub target: f64,
    /// Whether it leaves scale-in to others.
    pub disable_scale_in: bool,
    /// Scale-in keeps so many instances, whatever the metric says.
    ///
    /// AWS has no such floor but the group's minimum. It is for fleets whose metric has no value
    /// without instances and whose publisher says 0 before the last job is done.
    pub floor: u32,
}

impl TargetTrackingPolicy {
    /// The alarms that belong to this policy.
    #[must_use]
    pub fn alarms(&self) -> TrackingAlarms {
        let rule = |comparison, threshold, periods| AlarmRule {
            comparison,
            threshold,
            evaluation_periods: periods,
            datapoints_to_alarm: periods,
            missing_data: MissingData::Missing,
        };
        TrackingAlarms {
            high: rule(Comparison::GreaterThanThreshold, self.target, 3),
            low: rule(Comparison::LessThanThreshold, self.target * 0.9, 15),
        }
    }

    /// The capacity wanted when the high alarm is in `ALARM` and the metric has `value`.
    ///
    /// Proportional and rounded up, at least one more than there is. Instances that warm up are not
    /// part of the metric yet, so they are subtracted before and counted after.
    #[must_use]
    pub fn scale_out(&self, group: &Group, value: Option<f64>) -> Answer {
        let Some(value) = value else {
            return Answer::Hold { reason: Hold::NoData };
        };
        let warm = group.desired.saturating_sub(group.warming).max(1);
        let wanted = proportional(warm, value, self.target).max(i64::from(warm) + 1);
        let wanted = group.limits.clamp(wanted);
        Answer::to(group, wanted.max(group.limits.clamp(i64::from(group.desired))))
    }

    /// The capacity wanted when the low alarm is in `ALARM` and the metric has `value`.
    ///
    /// Proportional and rounded up: it prioritizes availability "by scaling in more gradually". AWS does not
    /// publish the formula. A metric that really is 0 takes the group to its minimum, also when that is
    /// 0: only missing data keeps it ("Target tracking scaling policies", considerations).
    #[must_use]
    pub fn scale_in(&self, group: &Group, value: Option<f64>) -> Answer {
        if self.disable_scale_in {
            return Answer::Hold {
                reason: Hold::ScaleInDisabled,
            };
        }
        let Some(value) = value else {
            return Answer::Hold { reason: Hold::NoData };
        };
        let wanted = proportional(group.desired, value, self.target)
            .max(i64::from(self.floor))
            .min(i64::from(group.desired));
        Answer::to(group, group.limits.clamp(wanted))
    }
}

/// `current × value ÷ target`, rounded up so that availability comes first.
fn proportional(current: u32, value: f64, target: f64) -> i64 {
    if target <= 0.0 {
        return i64::from(current);
    }
    (f64::from(current) * value / target).ceil() as i64
}

#[cfg(test)]
mod tests {
    use super::super::tests::group;
    use super::*;
    use crate::alarm::AlarmState;

    const BACKLOG: TargetTrackingPolicy = TargetTrackingPolicy {
        target: 2.0,
        disable_scale_in: false,
        floor: 0,
    };

    fn to(capacity: u32) -> Answer {
        Answer::Capacity { capacity }
    }

    #[test]
    fn capacity_follows_the_metric_in_proportion() {
        assert_eq!(BACKLOG.scale_out(&group(1, 0), Some(5.0)), to(3));
        assert_eq!(BACKLOG.scale_out(&group(4, 0), Some(2.1)), to(5));
        assert_eq!(BACKLOG.scale_out(&group(4, 0), Some(50.0)), to(10));
        assert_eq!(BACKLOG.scale_in(&group(4, 0), Some(1.0)), to(2));
        assert_eq!(BACKLOG.scale_in(&group(4, 0), Some(1.7)), to(4));
    }

    #[test]
    fn warming_instances_are_not_ordered_twice() {
        // Two warm workers see a backlog of 4 each: four are wanted, and two are on their way.
        assert_eq!(BACKLOG.scale_out(&group(4, 2), Some(4.0)), to(4));
        assert_eq!(BACKLOG.scale_out(&group(4, 2), Some(6.0)), to(6));
    }

    #[test]
    fn missing_data_moves_nothing() {
        let hold = Answer::Hold { reason: Hold::NoData };
        assert_eq!(BACKLOG.scale_out(&group(3, 0), None), hold);
        assert_eq!(BACKLOG.scale_in(&group(3, 0), None), hold);
    }

    #[test]
    fn scale_in_goes_to_zero_on_a_real_zero_and_can_be_limited_or_disabled() {
        assert_eq!(BACKLOG.scale_in(&group(3, 0), Some(0.0)), to(0));
        assert_eq!(BACKLOG.scale_in(&group(3, 0), Some(0.01)), to(1));
        let mut bounded = group(3, 0);
        bounded.limits.min = 2;
        assert_eq!(BACKLOG.scale_in(&bounded, Some(0.0)), to(2));
        let floored = TargetTrackingPolicy { floor: 1, ..BACKLOG };
        assert_eq!(floored.scale_in(&group(3, 0), Some(0.0)), to(1));
        assert_eq!(BACKLOG.scale_in(&group(0, 0), Some(0.0)), to(0));
        let disabled = TargetTrackingPolicy {
            disable_scale_in: true,
            ..BACKLOG
        };
        assert_eq!(
            disabled.scale_in(&group(3, 0), Some(0.0)),
            Answer::Hold {
                reason: Hold::ScaleInDisabled
            }
        );
    }

    #[test]
    fn its_alarms_are_quick_to_scale_out_and_slow_to_scale_in() {
        let alarms = BACKLOG.alarms();
        let high = |points: &[Option<f64>]| alarms.high.evaluate(points, AlarmState::Ok).state;
        assert_eq!(high(&[Some(1.0), Some(3.0), Some(3.0)]), AlarmState::Ok);
        assert_eq!(high(&[Some(3.0), Some(3.0), Some(3.0)]), AlarmState::Alarm);
        assert_eq!(high(&[None; 5]), AlarmState::InsufficientData);
        let mut calm = vec![Some(1.7); 14];
        calm.insert(0, Some(1.9));
        assert_eq!(alarms.low.evaluate(&calm, AlarmState::Ok).state, AlarmState::Ok);
        calm.push(Some(1.7));
        assert_eq!(
            alarms.low.evaluate(&calm, AlarmState::Ok).state,
            AlarmState::Alarm
        );
    }
}
