//! Step scaling: how far the metric is beyond the alarm's threshold decides the adjustment.
//!
//! Source: Amazon EC2 Auto Scaling User Guide, "Step and simple scaling policies for Amazon EC2 Auto
//! Scaling", sections "Step adjustments", "Scaling adjustment types" and "Instance warmup".

use serde::{Deserialize, Serialize};

use super::{Answer, Group, Hold};

/// How an adjustment's number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdjustmentType {
    /// Added to the current capacity.
    ChangeInCapacity,
    /// The new capacity.
    ExactCapacity,
    /// A percentage of the current capacity, added to it.
    PercentChangeInCapacity,
}

impl AdjustmentType {
    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ChangeInCapacity => "ChangeInCapacity",
            Self::ExactCapacity => "ExactCapacity",
            Self::PercentChangeInCapacity => "PercentChangeInCapacity",
        }
    }

    /// The capacity after an adjustment of `current`, before any bounds.
    ///
    /// Percentages are rounded as documented: above 1 down, between 0 and 1 to 1, between -1 and 0
    /// to -1, below -1 towards zero. `minimum_magnitude` is the least number of instances that a
    /// percentage changes.
    #[must_use]
    pub fn apply(self, current: u32, adjustment: i32, minimum_magnitude: Option<u32>) -> i64 {
        let current = i64::from(current);
        match self {
            Self::ExactCapacity => i64::from(adjustment),
            Self::ChangeInCapacity => current + i64::from(adjustment),
            Self::PercentChangeInCapacity => {
                let hundredths = current * i64::from(adjustment);
                let mut change = hundredths / 100;
                if change == 0 {
                    change = hundredths.signum();
                }
                let least = i64::from(minimum_magnitude.unwrap_or(0));
                if change.abs() < least {
                    change = least * i64::from(adjustment.signum());
                }
                current + change
            }
        }
    }
}

/// One interval of a step policy. The bounds are distances from the alarm's threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepAdjustment {
    /// `None` is negative infinity.
    pub lower: Option<f64>,
    /// `None` is positive infinity.
    pub upper: Option<f64>,
    /// What the adjustment type makes of it.
    pub adjustment: i32,
}

impl StepAdjustment {
    /// Above the threshold the lower bound is inclusive and the upper exclusive; below it the lower
    /// is exclusive and the upper inclusive.
    fn covers(&self, distance: f64, above: bool) -> bool {
        let lower = self.lower.unwrap_or(f64::NEG_INFINITY);
        let upper = self.upper.unwrap_or(f64::INFINITY);
        if above {
            (self.lower.is_none() || distance >= lower) && distance < upper
        } else {
            distance > lower && (self.upper.is_none() || distance <= upper)
        }
    }
}

/// A step scaling policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepPolicy {
    /// How the adjustments are meant.
    pub adjustment_type: AdjustmentType,
    /// The intervals, without overlap or gap.
    pub steps: Vec<StepAdjustment>,
    /// Least change of a percentage, in instances.
    pub minimum_adjustment_magnitude: Option<u32>,
}

/// The steps overlap, leave a gap or have too many open ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSteps {
    /// Two intervals share a value.
    #[error("step intervals overlap")]
    Overlap,
    /// Some value between two intervals has no step.
    #[error("step intervals leave a gap")]
    Gap,
    /// More than one interval is open towards the same side.
    #[error("at most one step may have no lower bound and one no upper bound")]
    OpenEnds,
    /// A bounded interval on one side of the threshold has no open interval beyond it.
    #[error("the outermost step must have no bound")]
    Bounded,
    /// There are no steps.
    #[error("at least one step is required")]
    Empty,
}

impl StepPolicy {
    /// Checks the rules of "Step adjustments": no overlap, no gap, one open end on each side at most,
    /// and an open end wherever a negative lower or positive upper bound exists.
    ///
    /// # Errors
    /// The first rule that the steps violate.
    pub fn validate(&self) -> Result<(), InvalidSteps> {
        let mut steps = self.steps.clone();
        if steps.is_empty() {
            return Err(InvalidSteps::Empty);
        }
        if steps.iter().filter(|s| s.lower.is_none()).count() > 1
            || steps.iter().filter(|s| s.upper.is_none()).count() > 1
        {
            return Err(InvalidSteps::OpenEnds);
        }
        let lower = |s: &StepAdjustment| s.lower.unwrap_or(f64::NEG_INFINITY);
        let upper = |s: &StepAdjustment| s.upper.unwrap_or(f64::INFINITY);
        steps.sort_by(|a, b| lower(a).total_cmp(&lower(b)));
        for pair in steps.windows(2) {
            if upper(&pair[0]) > lower(&pair[1]) {
                return Err(InvalidSteps::Overlap);
            }
            if upper(&pair[0]) < lower(&pair[1]) {
                return Err(InvalidSteps::Gap);
            }
        }
        let outermost_open = steps
            .first()
            .is_some_and(|s| s.lower.is_none_or(|bound| bound >= 0.0))
            && steps
                .last()
                .is_some_and(|s| s.upper.is_none_or(|bound| bound <= 0.0));
        if outermost_open {
            Ok(())
        } else {
            Err(InvalidSteps::Bounded)
        }
    }

    /// The capacity wanted for `group` when the alarm with `threshold` reports `value`.
    ///
    /// Above or below is decided by the value itself, as the breach is.
    #[must_use]
    pub fn answer(&self, group: &Group, value: f64, threshold: f64) -> Answer {
        let distance = value - threshold;
        let Some(step) = self
            .steps
            .iter()
            .find(|step| step.covers(distance, distance >= 0.0))
        else {
            return Answer::Hold { reason: Hold::NoStep };
        };
        let adjust = |current| {
            let wanted =
                self.adjustment_type
                    .apply(current, step.adjustment, self.minimum_adjustment_magnitude);
            group.limits.clamp(wanted)
        };
        if self.adjustment_type == AdjustmentType::ExactCapacity {
            return Answer::to(group, adjust(group.desired));
        }
        // Instances that warm up are not part of the current capacity that an increase starts from,
        // but they are already there: only the difference is added. The same holds the other way
        // round for instances that are terminating.
        if step.adjustment >= 0 {
            let wanted = adjust(group.desired.saturating_sub(group.warming));
            Answer::to(group, wanted.max(group.desired))
        } else {
            let wanted = adjust(group.desired + group.terminating);
            Answer::to(group, wanted.min(group.desired))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::group;
    use super::*;

    fn step(lower: Option<f64>, upper: Option<f64>, adjustment: i32) -> StepAdjustment {
        StepAdjustment {
            lower,
            upper,
            adjustment,
        }
    }

    /// The example policies of the user guide: threshold 50, scale out by 0, 10, 30 %, in by 0, 10, 30 %.
    fn scale_out() -> StepPolicy {
        StepPolicy {
            adjustment_type: AdjustmentType::PercentChangeInCapacity,
            steps: vec![
                step(Some(0.0), Some(10.0), 0),
                step(Some(10.0), Some(20.0), 10),
                step(Some(20.0), None, 30),
            ],
            minimum_adjustment_magnitude: None,
        }
    }

    fn scale_in() -> StepPolicy {
        StepPolicy {
            adjustment_type: AdjustmentType::PercentChangeInCapacity,
            steps: vec![
                step(Some(-10.0), Some(0.0), 0),
                step(Some(-20.0), Some(-10.0), -10),
                step(None, Some(-20.0), -30),
            ],
            minimum_adjustment_magnitude: None,
        }
    }

    fn to(capacity: u32) -> Answer {
        Answer::Capacity { capacity }
    }

    fn group_of(desired: u32) -> Group {
        let mut group = group(desired, 0);
        group.limits.max = 100;
        group
    }

    #[test]
    fn the_example_of_the_user_guide() {
        let (out, inwards) = (scale_out(), scale_in());
        assert_eq!(out.answer(&group_of(10), 59.0, 50.0), to(10));
        assert_eq!(out.answer(&group_of(10), 60.0, 50.0), to(11));
        assert_eq!(out.answer(&group_of(10), 70.0, 50.0), to(13));
        assert_eq!(inwards.answer(&group_of(10), 41.0, 50.0), to(10));
        assert_eq!(inwards.answer(&group_of(10), 40.0, 50.0), to(9));
        assert_eq!(inwards.answer(&group_of(10), 30.0, 50.0), to(7));
    }

    #[test]
    fn warming_instances_count_towards_a_further_step_and_a_repeated_one_adds_nothing() {
        let mut group = group_of(11);
        group.warming = 1;
        assert_eq!(scale_out().answer(&group, 62.0, 50.0), to(11));
        // 30 % of the ten that are warm is three, and one is on its way.
        assert_eq!(scale_out().answer(&group, 70.0, 50.0), to(13));
    }

    #[test]
    fn scale_in_waits_for_the_warm_up() {
        let mut group = group_of(11);
        group.warming = 1;
        assert_eq!(
            scale_in().answer(&group, 30.0, 50.0),
            Answer::Hold {
                reason: Hold::ScaleOutInProgress
            }
        );
    }

    #[test]
    fn terminating_instances_are_not_removed_twice() {
        let mut group = group_of(9);
        group.terminating = 1;
        assert_eq!(scale_in().answer(&group, 40.0, 50.0), to(9));
    }

    #[test]
    fn percentages_round_as_documented() {
        let percent = |current, adjustment| {
            AdjustmentType::PercentChangeInCapacity.apply(current, adjustment, None) - i64::from(current)
        };
        // 12.7 → 12, 0.67 → 1, -0.58 → -1, -6.67 → -6.
        assert_eq!(percent(127, 10), 12);
        assert_eq!(percent(67, 1), 1);
        assert_eq!(percent(58, -1), -1);
        assert_eq!(percent(667, -1), -6);
        assert_eq!(percent(0, 50), 0);
    }

    #[test]
    fn a_percentage_changes_at_least_the_minimum_magnitude() {
        // "Scaling adjustment types": 25 % of 4 is 1, with a minimum of 2 it is 2.
        assert_eq!(AdjustmentType::PercentChangeInCapacity.apply(4, 25, Some(2)), 6);
        assert_eq!(AdjustmentType::PercentChangeInCapacity.apply(4, -25, Some(2)), 2);
        assert_eq!(AdjustmentType::PercentChangeInCapacity.apply(40, 25, Some(2)), 50);
    }

    #[test]
    fn an_exact_capacity_pulls_a_larger_group_down() {
        let one = StepPolicy {
            adjustment_type: AdjustmentType::ExactCapacity,
            steps: vec![step(None, Some(0.0), 0), step(Some(0.0), None, 1)],
            minimum_adjustment_magnitude: None,
        };
        assert_eq!(one.answer(&group(0, 0), 1.0, 0.0), to(1));
        assert_eq!(one.answer(&group(2, 0), 7.0, 0.0), to(1));
        assert_eq!(one.answer(&group(0, 0), -1.0, 0.0), to(0));
        assert_eq!(
            one.answer(&group(2, 1), 7.0, 0.0),
            Answer::Hold {
                reason: Hold::ScaleOutInProgress
            }
        );
    }

    #[test]
    fn a_value_that_no_step_covers_changes_nothing() {
        assert_eq!(
            scale_out().answer(&group_of(10), 40.0, 50.0),
            Answer::Hold { reason: Hold::NoStep }
        );
    }

    #[test]
    fn steps_must_cover_a_side_without_overlap_or_gap() {
        let with = |steps: Vec<StepAdjustment>| StepPolicy { steps, ..scale_out() }.validate();
        assert_eq!(scale_out().validate(), Ok(()));
        assert_eq!(scale_in().validate(), Ok(()));
        assert_eq!(with(vec![]), Err(InvalidSteps::Empty));
        assert_eq!(
            with(vec![step(Some(0.0), Some(10.0), 1), step(Some(5.0), None, 2)]),
            Err(InvalidSteps::Overlap)
        );
        assert_eq!(
            with(vec![step(Some(0.0), Some(10.0), 1), step(Some(15.0), None, 2)]),
            Err(InvalidSteps::Gap)
        );
        assert_eq!(
            with(vec![step(Some(0.0), None, 1), step(Some(5.0), None, 2)]),
            Err(InvalidSteps::OpenEnds)
        );
        assert_eq!(
            with(vec![step(Some(0.0), Some(10.0), 1)]),
            Err(InvalidSteps::Bounded)
        );
    }
}
