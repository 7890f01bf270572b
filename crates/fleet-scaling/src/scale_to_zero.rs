//! What the platform's scale-to-zero function does with an alarm message.
//!
//! Source: runbook, "Scale-to-Zero Behavior": the `queue-empty` alarm of a fleet publishes to a topic,
//! the function sets the desired capacity of that fleet's group to zero. [`react`] is that rule,
//! [`react_with`] the same with the safer options of [`ScaleToZeroSpec`].

use serde::Serialize;

use crate::alarm::AlarmState;
use crate::config::ScaleToZeroSpec;

/// The fleet that a `queue-empty` alarm speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueEmptyAlarm {
    /// `staging` or `production`.
    pub stage: String,
    /// The fleet's slug.
    pub slug: String,
}

impl QueueEmptyAlarm {
    /// Reads `^(staging|production)-(.+)-queue-empty$`; `None` for any other alarm.
    #[must_use]
    pub fn parse(alarm_name: &str) -> Option<Self> {
        let (stage, rest) = ["staging", "production"]
            .into_iter()
            .find_map(|stage| Some((stage, alarm_name.strip_prefix(stage)?.strip_prefix('-')?)))?;
        let slug = rest.strip_suffix("-queue-empty")?;
        // `.` in the function's pattern matches no line break.
        (!slug.is_empty() && !slug.contains('\n')).then(|| Self {
            stage: stage.to_owned(),
            slug: slug.to_owned(),
        })
    }

    /// The Auto Scaling group of the fleet.
    #[must_use]
    pub fn group_name(&self) -> String {
        format!("asg-{}-{}", self.stage, self.slug)
    }
}

/// What the function does with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reaction {
    /// Set the desired capacity to zero.
    SetToZero,
    /// Nothing: the message does not say `ALARM`.
    NotAlarming,
    /// Nothing: the group is at zero already, so a repeated message changes nothing.
    AlreadyZero,
}

/// The reaction to `new_state` for a group whose desired capacity is `desired`.
#[must_use]
pub fn react(new_state: AlarmState, desired: u32) -> Reaction {
    match new_state {
        AlarmState::Ok | AlarmState::InsufficientData => Reaction::NotAlarming,
        AlarmState::Alarm if desired == 0 => Reaction::AlreadyZero,
        AlarmState::Alarm => Reaction::SetToZero,
    }
}

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

/// What the function does under `options`. With no option on it is [`react`], except that it respects
/// the group's minimum as `SetDesiredCapacity` does.
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

    fn group(alarm: &str) -> Option<String> {
        QueueEmptyAlarm::parse(alarm).map(|fleet| fleet.group_name())
    }

    #[test]
    fn the_alarm_name_gives_stage_and_slug() {
        assert_eq!(
            group("production-gpu-default-queue-empty").as_deref(),
            Some("asg-production-gpu-default")
        );
        assert_eq!(
            group("staging-queue-empty-queue-empty").as_deref(),
            Some("asg-staging-queue-empty")
        );
    }

    #[test]
    fn other_alarms_are_not_meant() {
        for name in [
            "production-gpu-default-queue-has-jobs",
            "development-gpu-default-queue-empty",
            "production--queue-empty",
            "production-queue-empty",
            "x-staging-a-queue-empty",
            "staging-a-queue-empty-2",
            "",
        ] {
            assert_eq!(group(name), None, "{name}");
        }
    }

    #[test]
    fn without_options_the_rule_is_the_platforms() {
        let options = ScaleToZeroSpec::platform(15);
        for state in [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData] {
            for desired in [0, 3] {
                let facts = Facts {
                    state,
                    before: AlarmState::Ok,
                    desired,
                    min: 0,
                    queued: None,
                    busy: None,
                    missing: 15,
                };
                let same = match react(state, desired) {
                    Reaction::SetToZero => ZeroOutcome::SetToZero,
                    Reaction::NotAlarming => ZeroOutcome::NotAlarming,
                    Reaction::AlreadyZero => ZeroOutcome::AlreadyZero,
                };
                assert_eq!(react_with(&options, &facts), same);
            }
        }
    }

    #[test]
    fn one_missing_point_is_silence() {
        let options = ScaleToZeroSpec {
            never_when_silent: true,
            ..ScaleToZeroSpec::platform(15)
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

    #[test]
    fn only_an_alarm_on_a_group_with_capacity_acts() {
        assert_eq!(react(AlarmState::Alarm, 3), Reaction::SetToZero);
        assert_eq!(react(AlarmState::Alarm, 0), Reaction::AlreadyZero);
        assert_eq!(react(AlarmState::Ok, 3), Reaction::NotAlarming);
        assert_eq!(react(AlarmState::InsufficientData, 3), Reaction::NotAlarming);
    }
}
