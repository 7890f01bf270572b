//! Workers: instances that never register, and jobs that fail.

use jiff::Timestamp;

use super::fleets::{self, COLD_START, Fleet, alarm, alarm_node};
use crate::layout::FleetAlarm;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Alarm, Snapshot};
use crate::triage::wording::minutes_since;

/// Instances in service without a single active worker.
pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    fleets::joined(snapshot)
        .iter()
        .filter(|fleet| {
            fleet.group.in_service() > 0
                && fleet.unmanned(now, COLD_START)
                && !is_booting(snapshot, fleet, now)
        })
        .map(|fleet| silent_workers(snapshot, fleet, now))
        .collect()
}

/// The youngest instance was launched less than a cold start ago.
fn is_booting(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> bool {
    let launches = snapshot.activities.iter().flatten().filter(|activity| {
        activity.group == fleet.group.name && activity.is_launch() && activity.status != "Failed"
    });
    let in_time = launches
        .filter(|activity| {
            activity
                .started
                .is_some_and(|started| minutes_since(now, started) < COLD_START)
        })
        .count();
    // Older instances have had their time, whatever the youngest do.
    in_time >= fleet.group.in_service()
}

fn silent_workers(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> Finding {
    let layout = &snapshot.layout;
    let secret = layout.fleet_secret_parameter(fleet.id.stage);
    Finding::new(
        Code::WorkersNotRegistering,
        Node::Workers(fleet.id.clone()),
        fleet.id.to_string(),
    )
    .evidence(fleet.capacity())
    .evidence(format!("{} for {COLD_START} min and more", fleet.load(now)))
    .cause(format!(
        "the workers' copy of `{secret}` is not the backend's, the backend is out of their reach, or the worker service does not start"
    ))
    .next(commands::worker_log(fleet.id))
    .next(commands::fleet_status(fleet.id))
    .explains([Node::Queue(fleet.id.clone())])
}

/// The error-rate alarm is on: the workers work, but jobs fail.
pub(super) fn jobs(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    fleets::joined(snapshot)
        .iter()
        .filter_map(|fleet| {
            let alarm = alarm(snapshot, FleetAlarm::ErrorRate, fleet.id).filter(|alarm| Alarm::is_on(alarm))?;
            Some(
                Finding::new(
                    Code::JobsFail,
                    Node::Workers(fleet.id.clone()),
                    fleet.id.to_string(),
                )
                .evidence(format!("error rate of 20 % and more: {}", alarm.reason.as_deref().unwrap_or_default().trim()))
                .cause("ComfyUI fails on the jobs: a missing model or custom node in the bundle, too little GPU memory, or broken input")
                .next(commands::worker_log(fleet.id))
                .next(commands::fleet_status(fleet.id))
                .explains([alarm_node(snapshot, FleetAlarm::ErrorRate, fleet.id)]),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;
    use crate::triage::snapshot::AlarmState;

    const FLEET: &str = "production/gpu-default";

    fn unmanned(minutes: i64) -> Snapshot {
        let mut snapshot = sample::healthy();
        let metrics = snapshot.fleet_metrics.as_mut().unwrap();
        let fleet = metrics.get_mut(&FLEET.parse().unwrap()).unwrap();
        let mut workers = sample::series(minutes..60, 2.0);
        workers.0.extend(sample::series(0..minutes, 0.0).0);
        fleet.workers = workers;
        snapshot
    }

    #[test]
    fn instances_need_their_cold_start() {
        assert!(rule(&sample::healthy(), sample::now()).is_empty());
        assert!(rule(&unmanned(8), sample::now()).is_empty());
        let found = rule(&unmanned(12), sample::now());
        assert_eq!(found[0].code, Code::WorkersNotRegistering);
    }

    #[test]
    fn a_fleet_that_just_started_from_zero_is_booting() {
        let mut snapshot = unmanned(40);
        sample::resize(sample::group_mut(&mut snapshot, FLEET), 1);
        snapshot.activities = Ok(vec![sample::launch(4, "Successful", "")]);
        assert!(rule(&snapshot, sample::now()).is_empty());
        // One that was there before has had its time.
        sample::resize(sample::group_mut(&mut snapshot, FLEET), 2);
        assert_eq!(rule(&snapshot, sample::now()).len(), 1);
    }

    #[test]
    fn failing_jobs_come_from_the_alarm() {
        let mut snapshot = sample::healthy();
        sample::alarm_mut(&mut snapshot, "production-p2-gpu-default-error-rate").state = AlarmState::Alarm;
        let found = jobs(&snapshot, sample::now());
        assert_eq!(found[0].code, Code::JobsFail);
        assert_eq!(
            found[0].explains,
            [Node::Alarm("production-p2-gpu-default-error-rate".to_owned())]
        );
    }
}
