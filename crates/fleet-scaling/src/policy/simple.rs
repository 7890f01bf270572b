//! Simple scaling: one adjustment, then nothing until the cooldown has passed.
//!
//! Source: Amazon EC2 Auto Scaling User Guide, "Scaling cooldowns for Amazon EC2 Auto Scaling" and "Simple
//! scaling": it waits for the scaling activity to complete and for the cooldown to end, which begins when
//! the last instance has been launched or terminated.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::step::AdjustmentType;
use super::{Answer, Group, Hold};
use crate::Moment;

/// A simple scaling policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct SimplePolicy {
    /// How the adjustment is meant.
    pub adjustment_type: AdjustmentType,
    /// The adjustment.
    pub adjustment: i32,
    /// Least change of a percentage, in instances.
    pub minimum_adjustment_magnitude: Option<u32>,
    /// How long it keeps quiet after a scaling activity.
    pub cooldown: Duration,
}

impl SimplePolicy {
    /// The capacity wanted for `group` at `now`.
    #[must_use]
    pub fn answer(&self, group: &Group, now: Moment) -> Answer {
        if group.launching > 0 {
            return Answer::Hold {
                reason: Hold::ActivityInProgress,
            };
        }
        if group
            .cooldown_began
            .is_some_and(|began| now < began.plus(self.cooldown))
        {
            return Answer::Hold {
                reason: Hold::Cooldown,
            };
        }
        let wanted =
            self.adjustment_type
                .apply(group.desired, self.adjustment, self.minimum_adjustment_magnitude);
        Answer::Capacity {
            capacity: group.limits.clamp(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::group;
    use super::*;

    #[test]
    fn a_second_adjustment_waits_for_the_cooldown() {
        let policy = SimplePolicy {
            adjustment_type: AdjustmentType::ChangeInCapacity,
            adjustment: 2,
            minimum_adjustment_magnitude: None,
            cooldown: Duration::from_secs(180),
        };
        let mut group = group(3, 0);
        assert_eq!(policy.answer(&group, Moment(0)), Answer::Capacity { capacity: 5 });
        group.launching = 1;
        assert_eq!(
            policy.answer(&group, Moment(0)),
            Answer::Hold {
                reason: Hold::ActivityInProgress
            }
        );
        group.launching = 0;
        group.cooldown_began = Some(Moment(0));
        assert_eq!(
            policy.answer(&group, Moment(179_999)),
            Answer::Hold {
                reason: Hold::Cooldown
            }
        );
        assert_eq!(
            policy.answer(&group, Moment(180_000)),
            Answer::Capacity { capacity: 5 }
        );
    }
}
