//! What Auto Scaling and the scale-to-zero function would do now, and on what grounds.
//!
//! The order is that of AWS: alarms are evaluated, those in `ALARM` invoke their policies, the largest
//! answer is brought within the bounds and becomes the desired capacity, and the group follows as far
//! as its suspended processes and protected instances let it.

mod reason;
mod resolve;

use serde::Serialize;

pub use reason::Reason;
pub(crate) use resolve::{Reading, Situation, resolve};

use crate::Moment;
use crate::alarm::AlarmState;
use crate::config::FleetConfig;
use crate::metrics::{Metrics, Signal};
use crate::policy::{Answer, Group};
use crate::state::{FleetState, Process};
use crate::unknown;

/// What happens now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Decision {
    /// The desired capacity from now on, as far as the group is modelled.
    pub desired: u32,
    /// The least that it may be with the parts that are not modelled.
    pub least: u32,
    /// The most that it may be with them; `u32::MAX` when no largest one is known.
    pub most: u32,
    /// The instances that the group makes for: the desired capacity, unless something keeps it from
    /// following or replacements for instances at risk run next to them.
    pub instances: u32,
    /// Why, in the order in which it came about. [`Decision::explain`] makes sentences of them.
    pub reasons: Vec<Reason>,
}

impl Decision {
    /// Whether nothing that is not modelled may change the desired capacity.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.least == self.most
    }

    /// The alarms' states of this minute, which the next decision starts from.
    pub fn alarm_states(&self) -> impl Iterator<Item = AlarmState> + '_ {
        self.reasons.iter().filter_map(|reason| match reason {
            Reason::Alarm { verdict, .. } => Some(verdict.state),
            _ => None,
        })
    }
}

/// What Auto Scaling would do with the fleet `now`, and why.
///
/// Source: Amazon EC2 Auto Scaling User Guide, "Dynamic scaling for Amazon EC2 Auto Scaling";
/// Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms".
///
/// ```
/// use fleet_scaling::config::FleetConfig;
/// use fleet_scaling::metrics::Metrics;
/// use fleet_scaling::state::FleetState;
/// use fleet_scaling::{Moment, decide};
///
/// let config: FleetConfig = toml::from_str(&std::fs::read_to_string("examples/two-steps.toml")?)?;
/// let metrics = Metrics::new().with("QueueDepth", [Some(0.0), Some(7.0)]);
/// let decision = decide(&config, &FleetState::settled(0), &metrics, Moment(0));
/// assert_eq!(decision.desired, 1);
/// assert_eq!(
///     decision.explain(&config)[5],
///     "policy `queue-upper` answers QueueDepth 7 with a capacity of 1"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decide(config: &FleetConfig, state: &FleetState, metrics: &Metrics, now: Moment) -> Decision {
    let alarms = config.alarms();
    let mut reasons = Vec::with_capacity(2 * alarms.len() + config.policies().len() + 4);
    let mut readings = Vec::with_capacity(alarms.len());
    for (position, alarm) in alarms.iter().enumerate() {
        let before = state.alarm(position);
        let mut value = None;
        let points = alarm.points(metrics).inspect(|point| value = value.or(*point));
        let verdict = alarm.rule.judge(points, before);
        reasons.push(Reason::Alarm {
            alarm: position,
            before,
            verdict,
            value,
        });
        readings.push(Reading {
            state: verdict.state,
            before,
            value,
            filled: verdict.filled,
        });
    }
    let situation = Situation {
        group: Group {
            desired: state.desired,
            warming: state.warming,
            terminating: state.terminating,
            launching: state.launching,
            limits: config.limits(),
            cooldown_began: state.cooldown_began,
        },
        ignores_alarms: state.suspended.alarm_notification,
        queued: state
            .queued
            .map(|jobs| jobs as f64)
            .or_else(|| config.newest(metrics, Signal::Depth)),
        busy: state.busy.or_else(|| config.busy_workers(metrics)),
    };
    let desired = resolve(config, &situation, &readings, now, &mut |reason| {
        reasons.push(reason)
    });
    let limits = config.limits();
    let answers = reasons.iter().filter_map(|reason| match reason {
        Reason::Answered {
            answer: Answer::Capacity { capacity },
            ..
        } => Some(limits.clamp(i64::from(*capacity))),
        _ => None,
    });
    let known = unknown::Situation {
        before: state.desired,
        desired,
        answered: answers.max(),
        ignores_alarms: state.suspended.alarm_notification,
        warming: state.warming > 0,
    };
    let (least, most, undecided) = unknown::range(config, &known);
    reasons.extend(undecided.into_iter().map(|part| Reason::NotModelled { part }));
    let instances = follow(config, state, desired, &mut |reason| reasons.push(reason));
    Decision {
        desired,
        least,
        most,
        instances,
        reasons,
    }
}

/// How far the group follows its desired capacity.
///
/// Sources: "Understand how suspending processes affects other processes": without `Launch` no
/// scale-out activity starts, without `Terminate` no scale-in activity. "Use instance scale-in
/// protection": the desired capacity is decremented, but protected instances stay. "Capacity
/// Rebalancing": replacements are launched first, and the group may exceed its maximum meanwhile. By how
/// much that page does not say; "Rebalancing activities" says by 10 percent, and by one instance at least.
fn follow(config: &FleetConfig, state: &FleetState, desired: u32, tell: &mut impl FnMut(Reason)) -> u32 {
    let running = state.running;
    let mut instances = desired;
    if desired > running && state.suspended.launch {
        let process = Process::Launch;
        tell(Reason::Suspended { process });
        instances = running;
    }
    if desired < running && state.suspended.terminate {
        let process = Process::Terminate;
        tell(Reason::Suspended { process });
        instances = running;
    }
    let stay = state.protected.min(running);
    if desired < running && instances < stay {
        tell(Reason::Protected { instances: stay });
        instances = stay;
    }
    if config.spec().capacity_rebalance && state.at_risk > 0 && !state.suspended.launch {
        let most = rebalance_ceiling(config.limits().max).max(instances);
        let with_replacements = (instances + state.at_risk.min(instances)).min(most);
        if with_replacements > instances {
            tell(Reason::Rebalance {
                at_risk: state.at_risk,
                ahead: with_replacements - instances,
            });
            instances = with_replacements;
        }
    }
    instances
}

/// The most instances that run while some are replaced.
pub(crate) fn rebalance_ceiling(max: u32) -> u32 {
    max + (max / 10).max(1)
}

#[cfg(test)]
mod tests;
