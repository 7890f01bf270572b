//! What may become of the jobs without any alarm or policy seeing a difference: the minutes in between need
//! no look.

use super::queue::Queue;
use crate::config::{Alarm, FleetConfig, PolicyKind};
use crate::metrics::Signal;

/// What is published and decided on of the jobs; the workers beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Jobs {
    pub(super) depth: usize,
    pub(super) free: usize,
    pub(super) in_flight: usize,
    pub(super) busy: u32,
}

impl Jobs {
    #[inline]
    pub(super) fn of(config: &FleetConfig, queue: &Queue) -> Self {
        let in_flight = queue.running() + queue.leased();
        Self {
            // A job in the hands of a worker that is gone has not returned to the queue before its lease ends, so it
            // counts with the running ones.
            depth: if config.spec().jobs.depth_counts_running {
                queue.waiting() + in_flight
            } else {
                queue.waiting()
            },
            free: queue.free(),
            in_flight,
            busy: queue.busy(),
        }
    }
}

/// From the first to the second, both included.
type Range = (usize, usize);

const ANY: Range = (0, usize::MAX);

/// What each of [`Jobs`] may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calm {
    depth: Range,
    free: Range,
    in_flight: Range,
    busy: Range,
}

impl Default for Calm {
    /// Anything.
    fn default() -> Self {
        Self {
            depth: ANY,
            free: ANY,
            in_flight: ANY,
            busy: ANY,
        }
    }
}

impl Calm {
    #[inline]
    pub(super) fn holds(&self, jobs: Jobs) -> bool {
        let within = |(least, most): Range, value: usize| least <= value && value <= most;
        within(self.depth, jobs.depth)
            && within(self.free, jobs.free)
            && within(self.in_flight, jobs.in_flight)
            && within(self.busy, jobs.busy as usize)
    }

    /// Nothing of the jobs may change.
    pub(super) fn nothing_but(&mut self, jobs: Jobs) {
        *self = Self {
            depth: (jobs.depth, jobs.depth),
            free: (jobs.free, jobs.free),
            in_flight: (jobs.in_flight, jobs.in_flight),
            busy: (jobs.busy as usize, jobs.busy as usize),
        };
    }

    /// What `signal` says may not change.
    pub(super) fn only(&mut self, signal: Signal, jobs: Jobs) {
        if let Some((range, value)) = self.of(signal, jobs) {
            *range = (value, value);
        }
    }

    /// What `signal` says stays on its side of the alarm's threshold and, when the alarm invokes `policy`, has the
    /// same answer.
    #[inline]
    pub(super) fn between(
        &mut self,
        alarm: &Alarm,
        policy: Option<&PolicyKind>,
        signal: Signal,
        jobs: Jobs,
        workers: u32,
    ) {
        // Target tracking answers in proportion.
        if let Some(PolicyKind::TargetTracking(_)) = policy {
            return self.only(signal, jobs);
        }
        let per = match signal {
            Signal::Backlog if workers > 0 => f64::from(workers),
            _ => 1.0,
        };
        let Some((range, now)) = self.of(signal, jobs) else {
            return;
        };
        let threshold = alarm.rule.threshold;
        let distance = |jobs: usize| jobs as f64 / per - threshold;
        narrow(range, now, threshold * per, 0.0, distance);
        for (lower, upper) in policy.into_iter().flat_map(PolicyKind::bounds) {
            for bound in [lower, upper].into_iter().flatten() {
                narrow(range, now, (threshold + bound) * per, bound, distance);
            }
        }
    }

    #[inline]
    fn of(&mut self, signal: Signal, jobs: Jobs) -> Option<(&mut Range, usize)> {
        match signal {
            Signal::Depth | Signal::Backlog => Some((&mut self.depth, jobs.depth)),
            Signal::FreeSlots => Some((&mut self.free, jobs.free)),
            Signal::InFlight => Some((&mut self.in_flight, jobs.in_flight)),
            // Workers come and go with instances only.
            Signal::Workers => None,
        }
    }
}

/// Leaves of `range` what is on the same side of a step's `bound` as `now`, by its `distance` from the threshold, as
/// the steps measure it; `near` is about how many jobs there are at the bound.
#[inline]
fn narrow(range: &mut Range, now: usize, near: f64, bound: f64, distance: impl Fn(usize) -> f64) {
    let of_now = distance(now);
    // The conversions of `near` saturate.
    if of_now > bound {
        let mut least = (near as usize).min(now);
        while least < now && distance(least) <= bound {
            least += 1;
        }
        range.0 = range.0.max(least);
    } else if of_now < bound {
        let mut most = (near as usize).saturating_add(1).max(now);
        while most > now && distance(most) >= bound {
            most -= 1;
        }
        range.1 = range.1.min(most);
    } else {
        *range = (now, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::{AlarmRule, Comparison, MissingData};
    use crate::config::Action;
    use crate::metrics::Statistic;
    use crate::policy::{AdjustmentType, StepAdjustment, StepPolicy};

    fn alarm(threshold: f64) -> Alarm {
        Alarm {
            name: "a".to_owned(),
            metric: "QueueDepth".into(),
            statistic: Statistic::Average,
            period: 1,
            rule: AlarmRule {
                comparison: Comparison::GreaterThanThreshold,
                threshold,
                evaluation_periods: 1,
                datapoints_to_alarm: 1,
                missing_data: MissingData::Missing,
            },
            action: Action::Invoke(0),
        }
    }

    fn jobs(depth: usize) -> Jobs {
        Jobs {
            depth,
            free: 0,
            in_flight: 0,
            busy: 0,
        }
    }

    fn depths(threshold: f64, policy: Option<&PolicyKind>, workers: u32, depth: usize) -> Range {
        let mut calm = Calm::default();
        calm.between(&alarm(threshold), policy, Signal::Backlog, jobs(depth), workers);
        calm.depth
    }

    #[test]
    fn within_the_range_the_alarm_sees_the_same_and_beyond_it_not() {
        for threshold in [0.0, 0.1, 1.0, 1.8, 2.0, 2.5] {
            for workers in 0..8 {
                for depth in 0..40 {
                    let per = f64::from(workers.max(1));
                    let side = |depth: usize| (depth as f64 / per).total_cmp(&threshold);
                    let (least, most) = depths(threshold, None, workers, depth);
                    assert!((least..=most.min(60)).all(|other| side(other) == side(depth)));
                    assert!(
                        least == 0 || side(least - 1) != side(depth),
                        "{threshold} {workers} {depth}"
                    );
                    assert!(
                        most == usize::MAX || side(most + 1) != side(depth),
                        "{threshold} {workers} {depth}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_invoked_step_policy_answers_the_same_within_the_range() {
        let step = |lower, upper, adjustment| StepAdjustment {
            lower,
            upper,
            adjustment,
        };
        let policy = PolicyKind::Step(StepPolicy {
            adjustment_type: AdjustmentType::ChangeInCapacity,
            steps: vec![step(Some(0.0), Some(5.0), 1), step(Some(5.0), None, 2)],
            minimum_adjustment_magnitude: None,
        });
        assert_eq!(depths(2.0, Some(&policy), 1, 4), (3, 6));
        assert_eq!(depths(2.0, Some(&policy), 1, 7), (7, 7));
        assert_eq!(depths(2.0, Some(&policy), 1, 9), (8, usize::MAX));
        assert_eq!(depths(2.0, None, 1, 4), (3, usize::MAX));
    }

    #[test]
    fn jobs_beyond_the_range_are_noticed() {
        let mut calm = Calm::default();
        calm.only(Signal::FreeSlots, jobs(3));
        assert!(calm.holds(jobs(30)));
        assert!(!calm.holds(Jobs { free: 1, ..jobs(3) }));
        calm.nothing_but(jobs(3));
        assert!(!calm.holds(jobs(4)));
        assert!(!calm.holds(Jobs { busy: 1, ..jobs(3) }));
    }
}
