//! Scaling policies: each turns a metric value into a capacity, and the largest capacity wins.
//!
//! Source: Amazon EC2 Auto Scaling User Guide, "Dynamic scaling for Amazon EC2 Auto Scaling",
//! section "Multiple dynamic scaling policies": "chooses the policy that provides the largest
//! capacity for both scale out and scale in". The same section warns of step policies next to target
//! tracking: a scale-in by the former is not blocked, and the latter then scales out again.

mod simple;
mod step;
mod target_tracking;

use serde::{Deserialize, Serialize};

pub use simple::SimplePolicy;
pub use step::{AdjustmentType, InvalidSteps, MOST_STEPS, StepAdjustment, StepPolicy};
pub use target_tracking::{TargetTrackingPolicy, TrackingAlarms};

use crate::Moment;

/// The bounds of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Limits {
    /// Never fewer instances than these by scaling.
    pub min: u32,
    /// Never more instances than these by scaling.
    pub max: u32,
}

impl Limits {
    /// `capacity` brought within the bounds.
    #[must_use]
    pub fn clamp(self, capacity: i64) -> u32 {
        let within = capacity.clamp(i64::from(self.min), i64::from(self.max.max(self.min)));
        u32::try_from(within).unwrap_or(self.max)
    }
}

/// What a policy knows of the group it scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Group {
    /// The desired capacity.
    pub desired: u32,
    /// Instances that were launched and have not finished their warm-up yet.
    pub warming: u32,
    /// Instances that are on their way out.
    pub terminating: u32,
    /// The bounds.
    pub limits: Limits,
    /// Instances whose launch has not ended yet: the scaling activity is in progress.
    pub launching: u32,
    /// When the last scaling activity ended: its last instance was launched or terminated.
    pub cooldown_began: Option<Moment>,
}

/// What one policy answers when its alarm invokes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "answer")]
#[non_exhaustive]
pub enum Answer {
    /// The capacity it wants, within the group's bounds; it may be the one the group already has.
    Capacity {
        /// Instances.
        capacity: u32,
    },
    /// It wants nothing at all now.
    Hold {
        /// Why.
        reason: Hold,
    },
}

/// Why a policy that was invoked does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hold {
    /// A scale-in cannot start while launched instances still warm up.
    ScaleOutInProgress,
    /// A simple scaling policy waits for the scaling activity that is in progress.
    ActivityInProgress,
    /// The cooldown of a simple scaling policy has not passed.
    Cooldown,
    /// The metric has no value: target tracking takes no action on missing data.
    NoData,
    /// No step of the policy covers the value.
    NoStep,
    /// Scale-in is disabled for this policy.
    ScaleInDisabled,
    /// Another target tracking policy is not ready to scale in.
    NotAllAgree,
}

impl Answer {
    /// A scale-out or scale-in from `group` to `wanted`, subject to the warm-up rule.
    ///
    /// "Set the default instance warmup": instances that warm up count as part of the group when
    /// scaling out, so a repeated breach of the same step adds nothing, and a scale-in does not
    /// start before they have finished.
    fn to(group: &Group, wanted: u32) -> Self {
        if wanted < group.desired && group.warming > 0 {
            return Self::Hold {
                reason: Hold::ScaleOutInProgress,
            };
        }
        Self::Capacity { capacity: wanted }
    }
}

/// The answer that takes effect when several policies are invoked at the same time: the one with the
/// largest capacity, by its position. `None` when every policy holds.
#[must_use]
pub fn largest(answers: &[Answer]) -> Option<(usize, u32)> {
    let mut best: Option<(usize, u32)> = None;
    for (position, answer) in answers.iter().enumerate() {
        if let Answer::Capacity { capacity } = *answer
            && best.is_none_or(|(_, so_far)| capacity > so_far)
        {
            best = Some((position, capacity));
        }
    }
    best
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn group(desired: u32, warming: u32) -> Group {
        Group {
            desired,
            warming,
            terminating: 0,
            launching: 0,
            limits: Limits { min: 0, max: 10 },
            cooldown_began: None,
        }
    }

    #[test]
    fn the_largest_capacity_wins_also_when_it_changes_nothing() {
        let answers = [
            Answer::Capacity { capacity: 1 },
            Answer::Hold { reason: Hold::NoData },
            Answer::Capacity { capacity: 3 },
            Answer::Capacity { capacity: 3 },
        ];
        assert_eq!(largest(&answers), Some((2, 3)));
        assert_eq!(largest(&answers[1..2]), None);
    }

    #[test]
    fn bounds_hold_in_both_directions() {
        let limits = Limits { min: 2, max: 5 };
        assert_eq!([-3, 2, 4, 9].map(|wanted| limits.clamp(wanted)), [2, 2, 4, 5]);
    }
}
