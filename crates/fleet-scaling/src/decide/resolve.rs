//! From the states of the alarms to the desired capacity, without a single allocation.

use super::reason::Reason;
use crate::Moment;
use crate::alarm::AlarmState;
use crate::config::{Action, FleetConfig, PolicyKind};
use crate::policy::{Answer, Group, Hold, Limits};
use crate::scale_to_zero::{Facts, ZeroOutcome, react_with};
use crate::state::Process;

/// An evaluated alarm.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) state: AlarmState,
    /// Its state a minute ago.
    pub(crate) before: AlarmState,
    /// The newest data point among those looked at.
    pub(crate) value: Option<f64>,
    /// Points that were filled in because they were missing.
    pub(crate) filled: usize,
}

/// The group, and what else a decision rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) group: Group,
    /// `AlarmNotification` is suspended.
    pub(crate) ignores_alarms: bool,
    /// What `QueueDepth` counts, when known.
    pub(crate) queued: Option<f64>,
    /// Workers that hold a job, when known.
    pub(crate) busy: Option<u32>,
}

/// Policies see no bounds, so that what they want can be told from what they get.
const UNBOUNDED: Limits = Limits {
    min: 0,
    max: u32::MAX,
};

/// The desired capacity that follows from the alarms' `readings`, one for each of the
/// configuration's alarms.
pub(crate) fn resolve(
    config: &FleetConfig,
    situation: &Situation,
    readings: &[Reading],
    now: Moment,
    tell: &mut impl FnMut(Reason),
) -> u32 {
    let mut desired = policies(config, situation, readings, now, tell);
    for (alarm, reading) in config.alarms().iter().zip(readings) {
        if alarm.action == Action::ScaleToZero
            && reading.state == AlarmState::Alarm
            && let Some(options) = &config.spec().scale_to_zero
        {
            let outcome = react_with(
                options,
                &Facts {
                    state: reading.state,
                    before: reading.before,
                    desired,
                    min: situation.group.limits.min,
                    queued: situation.queued,
                    busy: situation.busy,
                    missing: reading.filled,
                },
            );
            tell(Reason::ScaleToZero { outcome });
            match outcome {
                ZeroOutcome::SetToZero => desired = 0,
                ZeroOutcome::Drain { to } => desired = to,
                ZeroOutcome::NotAlarming
                | ZeroOutcome::AlreadyZero
                | ZeroOutcome::NotNotified
                | ZeroOutcome::Held { .. } => {}
            }
        }
    }
    desired
}

/// What the policies make of the desired capacity.
///
/// "Multiple dynamic scaling policies": the largest capacity wins, for scale-out and scale-in alike.
fn policies(
    config: &FleetConfig,
    situation: &Situation,
    readings: &[Reading],
    now: Moment,
    tell: &mut impl FnMut(Reason),
) -> u32 {
    let group = Group {
        limits: UNBOUNDED,
        ..situation.group
    };
    // "Target tracking scaling policies", considerations: of several, any one scales out, and all of those
    // whose scale-in is not disabled must be ready before the group scales in.
    let all_agree = || {
        let mut alarms = config.alarms().iter().zip(readings);
        alarms.all(|(alarm, reading)| match alarm.action {
            Action::ScaleIn(policy) => reading.state == AlarmState::Alarm || leaves_scale_in(config, policy),
            _ => true,
        })
    };
    let mut best: Option<(usize, u32)> = None;
    let mut answers = 0;
    let mut invoked = false;
    for (position, (alarm, reading)) in config.alarms().iter().zip(readings).enumerate() {
        let Some(policy) = alarm.action.policy() else {
            continue;
        };
        if reading.state != AlarmState::Alarm {
            continue;
        }
        invoked = true;
        if situation.ignores_alarms {
            continue;
        }
        let answer = match (&config.policies()[policy].kind, alarm.action) {
            (PolicyKind::Step(step), _) => match reading.value {
                Some(value) => step.answer(&group, value, alarm.rule.threshold, alarm.rule.comparison),
                None => Answer::Hold { reason: Hold::NoData },
            },
            (PolicyKind::Simple(simple), _) => simple.answer(&group, now),
            (PolicyKind::TargetTracking(tracking), Action::ScaleIn(_)) => {
                match tracking.scale_in(&group, reading.value) {
                    Answer::Capacity { .. } if !all_agree() => Answer::Hold {
                        reason: Hold::NotAllAgree,
                    },
                    answer => answer,
                }
            }
            (PolicyKind::TargetTracking(tracking), _) => tracking.scale_out(&group, reading.value),
        };
        tell(Reason::Answered {
            policy,
            alarm: position,
            answer,
            value: reading.value,
        });
        if let Answer::Capacity { capacity } = answer {
            answers += 1;
            if best.is_none_or(|(_, so_far)| capacity > so_far) {
                best = Some((policy, capacity));
            }
        }
    }
    if invoked && situation.ignores_alarms {
        let process = Process::AlarmNotification;
        tell(Reason::Suspended { process });
    }
    let Some((policy, wanted)) = best else {
        if !invoked {
            tell(Reason::Quiet);
        }
        return situation.group.desired;
    };
    if answers > 1 {
        let capacity = wanted;
        tell(Reason::Wins { policy, capacity });
    }
    let to = situation.group.limits.clamp(i64::from(wanted));
    if to != wanted {
        tell(Reason::Clamped { wanted, to });
    }
    to
}

/// Whether the policy at this position is one that never scales in.
fn leaves_scale_in(config: &FleetConfig, policy: usize) -> bool {
    matches!(&config.policies()[policy].kind, PolicyKind::TargetTracking(tracking) if tracking.disable_scale_in)
}

impl Action {
    /// The policy that is invoked, if any.
    #[must_use]
    pub fn policy(self) -> Option<usize> {
        match self {
            Self::Invoke(policy) | Self::ScaleOut(policy) | Self::ScaleIn(policy) => Some(policy),
            Self::ScaleToZero => None,
        }
    }
}
