//! The state of a live fleet, as a decision starts from it.

use fleet_scaling::Moment;
use fleet_scaling::alarm::AlarmState as Known;
use fleet_scaling::config::FleetConfig;
use fleet_scaling::metrics::Metrics;
use fleet_scaling::state::{FleetState, Process, Suspended};
use jiff::Timestamp;

use super::changes::warming_at;
use super::live::Facts;
use crate::aws::autoscaling::{Activity, Group, Phase};
use crate::aws::cloudwatch::AlarmState;

/// The suspended processes among those that decide on capacity, by their names in the API.
pub(crate) fn suspended_processes(group: &Group) -> Vec<&'static str> {
    [Process::Launch, Process::Terminate, Process::AlarmNotification]
        .into_iter()
        .map(Process::name)
        .filter(|process| group.is_suspended(process))
        .collect()
}

/// The same as the library takes them.
pub(crate) fn suspended(group: &Group) -> Suspended {
    let processes = suspended_processes(group);
    let is = |process: Process| processes.contains(&process.name());
    Suspended {
        launch: is(Process::Launch),
        terminate: is(Process::Terminate),
        alarm_notification: is(Process::AlarmNotification),
    }
}

/// The fleet `now`; `activities` are its newest, the newest first.
pub(crate) fn state(
    config: &FleetConfig,
    facts: &Facts,
    activities: &[Activity],
    metrics: &Metrics,
    now: Timestamp,
) -> FleetState {
    let group = &facts.group;
    let count = |phase| u32::try_from(group.count(phase)).unwrap_or(u32::MAX);
    let protected = group.staying().filter(|instance| instance.protected);
    FleetState {
        desired: group.desired,
        running: count(Phase::InService) + count(Phase::Pending),
        warming: warming_at(activities, facts.longest_warmup(config), now).min(group.desired),
        launching: count(Phase::Pending),
        terminating: count(Phase::Terminating),
        protected: u32::try_from(protected.count()).unwrap_or(u32::MAX),
        at_risk: 0,
        queued: None,
        busy: config.busy_workers(metrics),
        suspended: suspended(group),
        // "Scaling cooldowns": it begins when the last instance was launched or terminated.
        cooldown_began: activities
            .iter()
            .filter(|activity| activity.status == "Successful")
            .filter_map(|activity| activity.ended)
            .max()
            .map(|ended| Moment(ended.as_millisecond())),
        alarms: config
            .alarms()
            .iter()
            .map(
                |alarm| match facts.alarms.get(&alarm.name).map(|alarm| alarm.state) {
                    Some(AlarmState::Ok) => Known::Ok,
                    Some(AlarmState::Alarm) => Known::Alarm,
                    Some(AlarmState::InsufficientData) | None => Known::InsufficientData,
                },
            )
            .collect(),
    }
}
