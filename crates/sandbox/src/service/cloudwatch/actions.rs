//! The evaluation of every alarm once a minute, and what its actions set in motion.

use fleet_scaling::alarm::AlarmState;
use serde_json::json;

use super::alarm::Alarm;
use super::history::{self, HistoryItem};
use super::metric::Metric;
use super::reason::{self, Point};
use crate::service::{autoscaling, sns};
use crate::time::SimTime;
use crate::world::World;

/// A state that an evaluation came to, and why.
struct Verdict {
    state: AlarmState,
    reason: String,
    reason_data: String,
}

/// What the actions of an alarm are told.
#[derive(Clone, Debug)]
pub(crate) struct AlarmMessage {
    pub(crate) alarm: String,
    pub(crate) state: AlarmState,
    pub(crate) reason: String,
}

/// Evaluates every alarm and carries out the actions of those that changed. Scaling policies are
/// invoked again every minute for as long as their alarm stays in `ALARM` (user guide, "Alarm
/// actions"); all policies invoked in the same minute are decided on together.
pub(crate) fn evaluate(world: &mut World) {
    let now = world.now;
    let state = &mut world.services.cloudwatch;
    let mut changed = Vec::new();
    let mut invoked = Vec::new();
    for alarm in state.alarms.values_mut() {
        let verdict = judge(alarm, &state.metrics, now);
        if let Some(verdict) = verdict {
            let before = alarm.state;
            enter(alarm, verdict, now);
            changed.push((alarm.spec.name.clone(), before));
        }
        if alarm.state == AlarmState::Alarm && alarm.spec.actions_enabled {
            for action in &alarm.spec.alarm_actions {
                if autoscaling::is_policy(action) {
                    invoked.push((action.clone(), alarm.spec.name.clone()));
                }
            }
        }
    }
    for (name, before) in changed {
        announce(world, &name, before);
    }
    if !invoked.is_empty() {
        autoscaling::invoke_policies(world, &invoked);
    }
}

/// The states that the metrics imply, as if the alarms had been there before the first request.
pub(super) fn settle(world: &mut World) {
    let now = world.now;
    let state = &mut world.services.cloudwatch;
    for alarm in state.alarms.values_mut() {
        if let Some(verdict) = judge(alarm, &state.metrics, now) {
            enter(alarm, verdict, now);
        }
    }
    // What the seed did to get here is no history of the platform.
    state.history.clear();
}

/// The verdict over an alarm when it differs from the state it has.
fn judge(alarm: &Alarm, metrics: &[Metric], now: SimTime) -> Option<Verdict> {
    let spec = &alarm.spec;
    let range = spec.rule.evaluation_range();
    let period = spec.period * 1000;
    // Windows slide by a minute: the newest one ends with the minute that has just been published.
    let end = SimTime(now.floor_minute().0 + 60_000);
    let values = metrics[alarm.metric.0].series(spec.statistic, period, range, end);
    let evaluation = spec.rule.evaluate(&values, alarm.state);
    if evaluation.state == alarm.state {
        return None;
    }
    let points: Vec<Point> = evaluation
        .used
        .iter()
        .filter_map(|&at| {
            let back = (range - at) as i64;
            Some((SimTime(end.0 - back * period), values[at]?))
        })
        .collect();
    Some(Verdict {
        state: evaluation.state,
        reason: reason::sentence(spec, &evaluation, &points),
        reason_data: reason::data(spec, &points, now),
    })
}

fn enter(alarm: &mut Alarm, verdict: Verdict, now: SimTime) {
    alarm.state = verdict.state;
    alarm.reason = verdict.reason;
    alarm.reason_data = Some(verdict.reason_data);
    alarm.updated = now;
    alarm.transitioned = now;
}

/// Writes down the transition of an alarm and carries out its actions.
pub(super) fn announce(world: &mut World, name: &str, before: AlarmState) {
    let Some(alarm) = world.services.cloudwatch.alarms.get(name).cloned() else {
        return;
    };
    let now = world.now;
    history::add(
        world,
        HistoryItem {
            alarm: name.to_owned(),
            at: now,
            kind: history::STATE_UPDATE,
            summary: format!("Alarm updated from {before} to {}", alarm.state),
            data: json!({
                "version": "1.0",
                "oldState": { "stateValue": before.name() },
                "newState": {
                    "stateValue": alarm.state.name(),
                    "stateReason": alarm.reason,
                    "stateReasonData": alarm
                        .reason_data
                        .as_deref()
                        .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok()),
                },
            }),
        },
    );
    if !alarm.spec.actions_enabled {
        return;
    }
    let actions = match alarm.state {
        AlarmState::Alarm => &alarm.spec.alarm_actions,
        AlarmState::Ok => &alarm.spec.ok_actions,
        _ => &alarm.spec.insufficient_data_actions,
    };
    for action in actions {
        history::add(
            world,
            HistoryItem {
                alarm: name.to_owned(),
                at: now,
                kind: history::ACTION,
                summary: format!("Successfully executed action {action}"),
                data: json!({
                    "actionState": "Succeeded",
                    "stateUpdateTimestamp": now.0,
                    "notificationResource": action,
                }),
            },
        );
        if !autoscaling::is_policy(action) {
            let message = AlarmMessage {
                alarm: name.to_owned(),
                state: alarm.state,
                reason: alarm.reason.clone(),
            };
            sns::publish(world, action, &message);
        }
    }
}
