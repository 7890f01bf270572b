//! A fleet's four alarms, and which of their states an operator should look at. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::cloudwatch::{Alarm, AlarmState};
use crate::layout::{FleetAlarm, FleetId, Layout};

/// One alarm of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AlarmView {
    pub(crate) name: String,
    /// E.g. `queue-empty`.
    pub(crate) role: &'static str,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`; `None` when the alarm does not exist.
    pub(crate) state: Option<AlarmState>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) reason: Option<String>,
    /// Why an operator should look; `None` when this is how it should be.
    pub(crate) attention: Option<&'static str>,
}

/// The names of a fleet's alarms.
pub(crate) fn names(layout: &Layout, fleet: &FleetId) -> Vec<String> {
    FleetAlarm::ALL
        .into_iter()
        .map(|alarm| layout.fleet_alarm(alarm, fleet))
        .collect()
}

fn role(alarm: FleetAlarm) -> &'static str {
    match alarm {
        FleetAlarm::QueueHasJobs => "queue-has-jobs",
        FleetAlarm::QueueEmpty => "queue-empty",
        FleetAlarm::ErrorRate => "error-rate",
        FleetAlarm::QueueDeep => "queue-deep",
    }
}

/// The alarms of a fleet out of those that were read; `desired` is the capacity its group wants.
pub(crate) fn judge(
    layout: &Layout,
    fleet: &FleetId,
    desired: Option<u32>,
    alarms: &BTreeMap<String, Alarm>,
) -> Vec<AlarmView> {
    FleetAlarm::ALL
        .into_iter()
        .map(|kind| {
            let name = layout.fleet_alarm(kind, fleet);
            let found = alarms.get(&name);
            AlarmView {
                role: role(kind),
                state: found.map(|alarm| alarm.state),
                since: found.and_then(|alarm| alarm.since),
                reason: found.and_then(|alarm| alarm.reason.clone()),
                attention: attention(kind, found, desired),
                name,
            }
        })
        .collect()
}

fn attention(kind: FleetAlarm, alarm: Option<&Alarm>, desired: Option<u32>) -> Option<&'static str> {
    let Some(alarm) = alarm else {
        return Some("does not exist");
    };
    if !alarm.actions_enabled {
        return Some("its actions are switched off");
    }
    if alarm.state != AlarmState::Alarm {
        return None;
    }
    match kind {
        // Work waits and the fleet is (or should be) up: that is what it is for.
        FleetAlarm::QueueHasJobs if desired == Some(0) => Some("jobs wait and the fleet is at zero"),
        FleetAlarm::QueueHasJobs => None,
        // The normal state of an idle fleet.
        FleetAlarm::QueueEmpty if desired.unwrap_or(0) == 0 => None,
        FleetAlarm::QueueEmpty => Some("the fleet should have gone to zero"),
        FleetAlarm::ErrorRate => Some("many jobs fail"),
        FleetAlarm::QueueDeep => Some("the queue has been deep for half an hour"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(state: AlarmState) -> Alarm {
        Alarm {
            name: String::new(),
            state,
            reason: None,
            since: None,
            actions_enabled: true,
            actions: Vec::new(),
            namespace: None,
            metric: None,
            dimensions: Vec::new(),
            statistic: None,
            period_seconds: None,
            comparison: None,
            threshold: None,
            evaluation_periods: None,
            datapoints_to_alarm: None,
            missing_data: None,
            details: crate::aws::cloudwatch::AlarmDetails::default(),
        }
    }

    fn notable(kind: FleetAlarm, state: AlarmState, desired: u32) -> bool {
        attention(kind, Some(&alarm(state)), Some(desired)).is_some()
    }

    #[test]
    fn an_empty_queue_over_an_idle_fleet_is_how_it_should_be() {
        assert!(!notable(FleetAlarm::QueueEmpty, AlarmState::Alarm, 0));
        assert!(notable(FleetAlarm::QueueEmpty, AlarmState::Alarm, 2));
    }

    #[test]
    fn jobs_are_normal_for_a_fleet_that_runs() {
        assert!(!notable(FleetAlarm::QueueHasJobs, AlarmState::Alarm, 2));
        assert!(notable(FleetAlarm::QueueHasJobs, AlarmState::Alarm, 0));
    }

    #[test]
    fn errors_and_deep_queues_are_never_normal() {
        for kind in [FleetAlarm::ErrorRate, FleetAlarm::QueueDeep] {
            assert!(notable(kind, AlarmState::Alarm, 0) && notable(kind, AlarmState::Alarm, 2));
            assert!(!notable(kind, AlarmState::Ok, 2));
        }
    }

    #[test]
    fn an_alarm_that_is_missing_or_mute_is_notable() {
        assert_eq!(
            attention(FleetAlarm::QueueEmpty, None, Some(0)),
            Some("does not exist")
        );
        let mut mute = alarm(AlarmState::Ok);
        mute.actions_enabled = false;
        assert!(attention(FleetAlarm::QueueEmpty, Some(&mute), Some(0)).is_some());
    }
}
