//! Step scaling: how far the metric is beyond the alarm's threshold decides the adjustment.
//!
//! Source: Amazon EC2 Auto Scaling User Guide, "Step and simple scaling policies for Amazon EC2 Auto
//! Scaling", sections "Step adjustments", "Scaling adjustment types" and "Instance warmup".

use serde::{Deserialize, Serialize};

use super::{Answer, Group, Hold};
use crate::alarm::Comparison;

/// How an adjustment's number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct StepAdjustment {
    /// `None` is negative infinity.
    pub lower: Option<f64>,
    /// `None` is positive infinity.
    pub upper: Option<f64>,
    /// What the adjustment type makes of it.
    pub adjustment: i32,
}

impl StepAdjustment {
    /// Whether a value at `distance` from the threshold of an alarm that compares with `comparison`
    /// lies in this interval.
    ///
    /// Auto Scaling API Reference, `StepAdjustment`: above the threshold the lower bound is inclusive and
    /// the upper exclusive; below it the lower is exclusive and the upper inclusive. The page's example
    /// for a threshold of 50, "greater than 40 and less than or equal to 50" as -10 to 0, shows that the
    /// threshold itself belongs to the side that the alarm looks at.
    #[must_use]
    pub fn covers(&self, distance: f64, comparison: Comparison) -> bool {
        let above = distance > 0.0 || (distance == 0.0 && comparison.looks_up());
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct StepPolicy {
    /// How the adjustments are meant.
    pub adjustment_type: AdjustmentType,
    /// The intervals, without overlap or gap.
    pub steps: Vec<StepAdjustment>,
    /// Least change of a percentage, in instances.
    pub minimum_adjustment_magnitude: Option<u32>,
}

/// "Amazon EC2 Auto Scaling quotas": step adjustments in one step scaling policy.
pub const MOST_STEPS: usize = 20;

/// The steps overlap, leave a gap or have too many open ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
    /// A step without any bound covers everything, so it cannot have company.
    #[error("a step without any bound must be the only one")]
    Boundless,
    /// An interval without a value in it.
    #[error("the upper bound of a step must be greater than the lower bound")]
    NoWidth,
    /// More steps than a policy may have.
    #[error("a policy may have {MOST_STEPS} steps at most, not {count}")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// No group can have so few instances.
    #[error("an exact capacity may not be negative")]
    NegativeCapacity,
}

impl StepPolicy {
    /// Checks the rules of "Step adjustments" and of the API Reference's `StepAdjustment`: no overlap, no
    /// gap, one open end on each side at most, an open end wherever a negative lower or positive upper
    /// bound exists, the upper bound greater than the lower, and both open only of a single step.
    ///
    /// # Errors
    /// The first rule that the steps violate.
    pub fn validate(&self) -> Result<(), InvalidSteps> {
        let mut steps = self.steps.clone();
        if steps.is_empty() {
            return Err(InvalidSteps::Empty);
        }
        if steps.len() > MOST_STEPS {
            return Err(InvalidSteps::TooMany { count: steps.len() });
        }
        if steps.len() > 1 && steps.iter().any(|s| s.lower.is_none() && s.upper.is_none()) {
            return Err(InvalidSteps::Boundless);
        }
        if steps
            .iter()
            .any(|s| s.lower.zip(s.upper).is_some_and(|(lower, upper)| lower >= upper))
        {
            return Err(InvalidSteps::NoWidth);
        }
        if self.adjustment_type == AdjustmentType::ExactCapacity && steps.iter().any(|s| s.adjustment < 0) {
            return Err(InvalidSteps::NegativeCapacity);
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

    /// The step for `value` when an alarm with this threshold and comparison reports it.
    #[must_use]
    pub fn step(&self, value: f64, threshold: f64, comparison: Comparison) -> Option<&StepAdjustment> {
        let distance = value - threshold;
        self.steps.iter().find(|step| step.covers(distance, comparison))
    }

    /// The capacity wanted for `group` when an alarm with this threshold and comparison reports `value`.
    #[must_use]
    pub fn answer(&self, group: &Group, value: f64, threshold: f64, comparison: Comparison) -> Answer {
        let Some(step) = self.step(value, threshold, comparison) else {
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

    const UP: Comparison = Comparison::GreaterThanOrEqualToThreshold;
    const DOWN: Comparison = Comparison::LessThanOrEqualToThreshold;

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
        assert_eq!(out.answer(&group_of(10), 59.0, 50.0, UP), to(10));
        assert_eq!(out.answer(&group_of(10), 60.0, 50.0, UP), to(11));
        assert_eq!(out.answer(&group_of(10), 70.0, 50.0, UP), to(13));
        assert_eq!(inwards.answer(&group_of(10), 41.0, 50.0, DOWN), to(10));
        assert_eq!(inwards.answer(&group_of(10), 40.0, 50.0, DOWN), to(9));
        assert_eq!(inwards.answer(&group_of(10), 30.0, 50.0, DOWN), to(7));
    }

    #[test]
    fn warming_instances_count_towards_a_further_step_and_a_repeated_one_adds_nothing() {
        let mut group = group_of(11);
        group.warming = 1;
        assert_eq!(scale_out().answer(&group, 62.0, 50.0, UP), to(11));
        // 30 % of the ten that are warm is three, and one is on its way.
        assert_eq!(scale_out().answer(&group, 70.0, 50.0, UP), to(13));
    }

    #[test]
    fn scale_in_waits_for_the_warm_up() {
        let mut group = group_of(11);
        group.warming = 1;
        assert_eq!(
            scale_in().answer(&group, 30.0, 50.0, DOWN),
            Answer::Hold {
                reason: Hold::ScaleOutInProgress
            }
        );
    }

    #[test]
    fn terminating_instances_are_not_removed_twice() {
        let mut group = group_of(9);
        group.terminating = 1;
        assert_eq!(scale_in().answer(&group, 40.0, 50.0, DOWN), to(9));
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
        assert_eq!(one.answer(&group(0, 0), 1.0, 0.0, UP), to(1));
        assert_eq!(one.answer(&group(2, 0), 7.0, 0.0, UP), to(1));
        assert_eq!(one.answer(&group(0, 0), -1.0, 0.0, UP), to(0));
        assert_eq!(
            one.answer(&group(2, 1), 7.0, 0.0, UP),
            Answer::Hold {
                reason: Hold::ScaleOutInProgress
            }
        );
    }

    #[test]
    fn a_value_that_no_step_covers_changes_nothing() {
        assert_eq!(
            scale_out().answer(&group_of(10), 40.0, 50.0, UP),
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

    /// Auto Scaling API Reference, `StepAdjustment`, whose examples have a threshold of 50: "greater than
    /// or equal to 50 and less than 60" is 0 to 10, "greater than 40 and less than or equal to 50" is -10 to 0.
    #[test]
    fn the_examples_of_the_api_reference_at_above_and_below_each_bound() {
        use Comparison::*;
        let ups = [GreaterThanOrEqualToThreshold, GreaterThanThreshold];
        let downs = [LessThanThreshold, LessThanOrEqualToThreshold];
        let covered =
            |lower, upper, value: f64, comparison| step(lower, upper, 1).covers(value - 50.0, comparison);
        for (value, inside) in [
            (49.9, false),
            (50.0, true),
            (59.9, true),
            (60.0, false),
            (60.1, false),
        ] {
            for up in ups {
                assert_eq!(
                    covered(Some(0.0), Some(10.0), value, up),
                    inside,
                    "{value} {up:?}"
                );
            }
        }
        for (value, inside) in [
            (39.9, false),
            (40.0, false),
            (40.1, true),
            (50.0, true),
            (50.1, false),
        ] {
            for down in downs {
                assert_eq!(
                    covered(Some(-10.0), Some(0.0), value, down),
                    inside,
                    "{value} {down:?}"
                );
            }
        }
        // The other side of the threshold of the same alarms, as far as a value can get there: with M of
        // N the newest point need not breach.
        for (value, inside) in [
            (39.9, false),
            (40.0, false),
            (40.1, true),
            (50.0, false),
            (50.1, false),
        ] {
            for up in ups {
                assert_eq!(
                    covered(Some(-10.0), Some(0.0), value, up),
                    inside,
                    "{value} {up:?}"
                );
            }
        }
        for (value, inside) in [
            (49.9, false),
            (50.0, false),
            (50.1, true),
            (59.9, true),
            (60.0, false),
        ] {
            for down in downs {
                assert_eq!(
                    covered(Some(0.0), Some(10.0), value, down),
                    inside,
                    "{value} {down:?}"
                );
            }
        }
        // Open ends.
        for comparison in ups.into_iter().chain(downs) {
            assert!(covered(Some(10.0), None, 60.0, comparison));
            assert!(!covered(Some(10.0), None, 59.9, comparison));
            assert!(covered(None, Some(-10.0), 40.0, comparison));
            assert!(!covered(None, Some(-10.0), 40.1, comparison));
            assert!(covered(None, None, 50.0, comparison));
        }
    }

    #[test]
    fn an_empty_queue_is_covered_by_the_step_of_an_alarm_that_looks_down() {
        let policy = |adjustment_type, adjustment| StepPolicy {
            adjustment_type,
            steps: vec![step(None, Some(0.0), adjustment)],
            minimum_adjustment_magnitude: None,
        };
        let at_zero = Comparison::LessThanOrEqualToThreshold;
        let fewer = policy(AdjustmentType::ChangeInCapacity, -1);
        let none = policy(AdjustmentType::ExactCapacity, 0);
        assert_eq!(fewer.answer(&group_of(4), 0.0, 0.0, at_zero), to(3));
        assert_eq!(none.answer(&group_of(4), 0.0, 0.0, at_zero), to(0));
        assert_eq!(
            none.answer(&group_of(4), 0.0, 0.0, Comparison::GreaterThanOrEqualToThreshold),
            Answer::Hold { reason: Hold::NoStep }
        );
    }

    /// Auto Scaling API Reference, `StepAdjustment`, and "Amazon EC2 Auto Scaling quotas".
    #[test]
    fn what_the_api_refuses_is_refused() {
        let of = |adjustment_type, steps: Vec<StepAdjustment>| {
            StepPolicy {
                adjustment_type,
                steps,
                minimum_adjustment_magnitude: None,
            }
            .validate()
        };
        let change = |steps| of(AdjustmentType::ChangeInCapacity, steps);
        assert_eq!(change(vec![step(None, None, 1)]), Ok(()));
        assert_eq!(
            change(vec![step(None, None, 1), step(Some(5.0), None, 2)]),
            Err(InvalidSteps::Boundless)
        );
        assert_eq!(
            change(vec![step(Some(0.0), Some(0.0), 1), step(Some(0.0), None, 2)]),
            Err(InvalidSteps::NoWidth)
        );
        assert_eq!(
            of(AdjustmentType::ExactCapacity, vec![step(Some(0.0), None, -1)]),
            Err(InvalidSteps::NegativeCapacity)
        );
        let ladder = |count: i32| {
            (0..count)
                .map(|at| {
                    step(
                        Some(f64::from(at)),
                        (at + 1 < count).then(|| f64::from(at + 1)),
                        at,
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(change(ladder(20)), Ok(()));
        assert_eq!(change(ladder(21)), Err(InvalidSteps::TooMany { count: 21 }));
    }
}
