//! What a scale-to-zero function does with an alarm message: an alarm on an empty queue publishes to a topic, and
//! the function sets the desired capacity of the group to zero, under the options of [`ScaleToZeroSpec`].

use serde::Serialize;

use crate::alarm::AlarmState;
use crate::config::ScaleToZeroSpec;

/// What the function knows when it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// The alarm's state.
    pub state: AlarmState,
    /// Its state a minute ago; of a notification, the old state that it names.
    pub before: AlarmState,
    /// The group's desired capacity.
    pub desired: u32,
    /// The group's minimum.
    pub min: u32,
    /// What `QueueDepth` counts, jobs that wait or jobs that are not done, when known.
    pub queued: Option<f64>,
    /// Workers that hold a job, when known.
    pub busy: Option<u32>,
    /// How many of the points that the alarm needs are missing.
    pub missing: usize,
}

/// What the function does under [`ScaleToZeroSpec`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "outcome")]
#[non_exhaustive]
pub enum ZeroOutcome {
    /// Nothing: the alarm is not in `ALARM`.
    NotAlarming,
    /// Sets the desired capacity to zero.
    SetToZero,
    /// Lowers the desired capacity to the workers that still hold a job.
    Drain {
        /// How many.
        to: u32,
    },
    /// Nothing: it is zero already.
    AlreadyZero,
    /// Nothing: the alarm notified it when it went to `ALARM`, and does so once only.
    NotNotified,
    /// Nothing: a safe option, or the group itself, forbids it.
    Held {
        /// What.
        guard: Guard,
    },
}

/// What keeps the fleet from zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "guard")]
#[non_exhaustive]
pub enum Guard {
    /// The queue is not empty: jobs wait, or are not done.
    QueuedJobs {
        /// How many.
        jobs: f64,
    },
    /// It is not known whether the queue is empty.
    QueueUnknown,
    /// Workers hold jobs.
    ActiveWorkers {
        /// How many.
        workers: u32,
    },
    /// It is not known whether workers hold jobs.
    WorkersUnknown,
    /// Points of the metric are missing.
    Silent {
        /// How many of those that the alarm needs.
        missing: usize,
    },
    /// `SetDesiredCapacity` refuses less than the minimum.
    BelowMinimum {
        /// The minimum.
        min: u32,
    },
}

/// What the function does under `options`. With no option on it sets every group above zero to zero on
/// `ALARM`, and respects the group's minimum as `SetDesiredCapacity` does.
///
/// Source: CloudWatch User Guide, "Alarm actions": an alarm acts when it changes its state and not
/// again while it keeps it; only Auto Scaling actions are repeated every minute.
#[must_use]
pub fn react_with(options: &ScaleToZeroSpec, facts: &Facts) -> ZeroOutcome {
    let Facts { min, desired, .. } = *facts;
    let held = |guard| ZeroOutcome::Held { guard };
    if facts.state != AlarmState::Alarm {
        return ZeroOutcome::NotAlarming;
    }
    if facts.before == AlarmState::Alarm && !options.recheck {
        return ZeroOutcome::NotNotified;
    }
    if desired == 0 {
        return ZeroOutcome::AlreadyZero;
    }
    if options.never_when_silent && facts.missing > 0 {
        return held(Guard::Silent {
            missing: facts.missing,
        });
    }
    if options.never_with_queued_jobs {
        match facts.queued {
            Some(jobs) if jobs > 0.0 => return held(Guard::QueuedJobs { jobs }),
            Some(_) => {}
            None => return held(Guard::QueueUnknown),
        }
    }
    let mut to = 0;
    if options.never_with_active_workers || options.drain_first {
        match facts.busy {
            Some(workers) if workers > 0 && options.never_with_active_workers => {
                return held(Guard::ActiveWorkers { workers });
            }
            Some(workers) => to = workers,
            None => return held(Guard::WorkersUnknown),
        }
    }
    if to >= desired {
        return held(Guard::ActiveWorkers { workers: to });
    }
    if to < min {
        return held(Guard::BelowMinimum { min });
    }
    if to > 0 {
        ZeroOutcome::Drain { to }
    } else {
        ZeroOutcome::SetToZero
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_options_every_group_goes_to_zero_on_alarm() {
        let options = ScaleToZeroSpec::unguarded(15);
        for (state, desired, expected) in [
            (AlarmState::Ok, 3, ZeroOutcome::NotAlarming),
            (AlarmState::InsufficientData, 3, ZeroOutcome::NotAlarming),
            (AlarmState::Alarm, 3, ZeroOutcome::SetToZero),
            (AlarmState::Alarm, 0, ZeroOutcome::AlreadyZero),
        ] {
            let facts = Facts {
                state,
                before: AlarmState::Ok,
                desired,
                min: 0,
                queued: None,
                busy: None,
                missing: 15,
            };
            assert_eq!(react_with(&options, &facts), expected);
        }
    }

    #[test]
    fn one_missing_point_is_silence() {
        let options = ScaleToZeroSpec {
            never_when_silent: true,
            ..ScaleToZeroSpec::unguarded(15)
        };
        let with_missing = |missing| {
            let facts = Facts {
                state: AlarmState::Alarm,
                before: AlarmState::Ok,
                desired: 2,
                min: 0,
                queued: None,
                busy: None,
                missing,
            };
            react_with(&options, &facts)
        };
        assert_eq!(with_missing(0), ZeroOutcome::SetToZero);
        let guard = Guard::Silent { missing: 1 };
        assert_eq!(with_missing(1), ZeroOutcome::Held { guard });
    }
}
