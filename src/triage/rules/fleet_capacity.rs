//! Queue against capacity: no scale-out, no more room, no scale-in.

use jiff::Timestamp;

use super::fleet_policies;
use super::fleets::{self, COLD_START, Fleet, alarm, alarm_node};
use crate::layout::FleetAlarm;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Alarm, AlarmState, Snapshot, Topic};
use crate::triage::wording::{ago, at, minutes_since};

/// Alarm and launch take two to three minutes; after so many an empty group is a finding.
const SCALE_OUT: i64 = 8;
/// Runbook, "Alarm Tiers": Queue Deep.
const DEEP: f64 = 10.0;
/// The function acts within seconds; jobs that are still worked on may take their time.
const SCALE_IN: i64 = 10;

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    fleets::joined(snapshot)
        .iter()
        .filter_map(|fleet| {
            held(snapshot, fleet, now)
                .or_else(|| no_scale_out(snapshot, fleet, now))
                .or_else(|| at_maximum(snapshot, fleet, now))
                .or_else(|| keeps_running(snapshot, fleet, now))
        })
        .collect()
}

fn new(code: Code, fleet: &Fleet<'_>, now: Timestamp) -> Finding {
    Finding::new(code, Node::Group(fleet.id.clone()), fleet.id.to_string())
        .evidence(fleet.capacity())
        .evidence(fleet.load(now))
}

/// Jobs wait for a fleet that is not allowed to have an instance.
fn held(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> Option<Finding> {
    if fleet.group.max > 0 || fleet.queue(now).unwrap_or_default() <= 0.0 {
        return None;
    }
    Some(
        new(Code::FleetHeldAtZero, fleet, now)
            .cause("the group's maximum is 0, as after a graceful shutdown: no policy can start an instance")
            .next(commands::fleet_status(fleet.id))
            .next(commands::set_maximum(fleet.id, 10))
            .explains([
                Node::Queue(fleet.id.clone()),
                alarm_node(snapshot, FleetAlarm::QueueDeep, fleet.id),
            ]),
    )
}

/// Jobs wait, no instance is there and none is on its way.
fn no_scale_out(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> Option<Finding> {
    if !fleet.group.instances.is_empty() || !fleet.waits(now, SCALE_OUT) {
        return None;
    }
    // Those of the step policies start the first instance; a tracking policy multiplies what is there.
    let policies = fleet_policies::of(snapshot, fleet);
    let starting: Vec<&Alarm> = policies
        .iter()
        .filter(|policy| !policy.is_tracking() && policy.enabled)
        .flat_map(|policy| &policy.alarms)
        .filter_map(|name| snapshot.alarm(name))
        .collect();
    let cause = if fleet.group.desired > 0 {
        "an instance is wanted but none comes: the scaling activities say why"
    } else if snapshot.policies.is_err() || snapshot.fleet_alarms.is_err() {
        "the policies and alarms that start the first instance are not known"
    } else if starting.is_empty() {
        "no step policy with an alarm starts the first instance"
    } else if starting.iter().any(|alarm| alarm.is_on()) {
        "an alarm of a step policy is on but the policy does not act: action, policy or the group's processes are off"
    } else {
        "no alarm of a step policy is on although jobs wait: they watch other data than the backend publishes"
    };
    let mut finding = new(Code::NoScaleOut, fleet, now);
    for alarm in starting {
        finding = finding.evidence(format!(
            "alarm `{}` is {}{}",
            alarm.name,
            state(alarm.state),
            alarm
                .since
                .map(|since| format!(" since {} ({})", at(since), ago(now, since)))
                .unwrap_or_default()
        ));
    }
    Some(
        finding
            .cause(cause)
            .next(commands::activities(&snapshot.layout, fleet.id))
            .next(commands::set_capacity(fleet.id, 1))
            .explains([
                Node::Queue(fleet.id.clone()),
                alarm_node(snapshot, FleetAlarm::QueueDeep, fleet.id),
            ]),
    )
}

fn state(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Ok => "OK",
        AlarmState::Alarm => "in ALARM",
        AlarmState::InsufficientData => "without data",
    }
}

/// Every instance that is allowed works and the queue is still deep.
fn at_maximum(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> Option<Finding> {
    let group = fleet.group;
    let full = group.max > 0 && group.desired >= group.max && group.in_service() >= group.max as usize;
    let deep = fleet.queue(now).is_some_and(|queue| queue >= DEEP);
    // A full group in which no worker works is not too small.
    let idle = fleet.workers(now).is_some_and(|workers| workers <= 0.0);
    if !full || !deep || idle {
        return None;
    }
    Some(
        new(Code::FleetAtMaximum, fleet, now)
            .cause("more jobs arrive than the largest fleet can do; raising the maximum costs money for as long as the queue is deep")
            .next(commands::fleet_status(fleet.id))
            .next(commands::set_maximum(fleet.id, group.max + group.max.div_ceil(2)))
            .explains([
                Node::Queue(fleet.id.clone()),
                alarm_node(snapshot, FleetAlarm::QueueDeep, fleet.id),
            ]),
    )
}

/// `queue-empty` rang and the instances are still there.
fn keeps_running(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> Option<Finding> {
    let alarm = alarm(snapshot, FleetAlarm::QueueEmpty, fleet.id).filter(|alarm| Alarm::is_on(alarm))?;
    let long = alarm
        .since
        .is_none_or(|since| minutes_since(now, since) >= SCALE_IN);
    if fleet.group.desired == 0 || fleet.group.instances.is_empty() || !long {
        return None;
    }
    let mut finding = new(Code::FleetKeepsRunning, fleet, now);
    if let Some(since) = alarm.since {
        finding = finding.evidence(format!(
            "alarm `{}` is on since {} ({})",
            alarm.name,
            at(since),
            ago(now, since)
        ));
    }
    let cause = if fleet.group.min > 0 {
        "the group's minimum keeps the instances"
    } else {
        "the scale-to-zero function did not act: it did not hear the alarm, it failed, or the fleet was started after the alarm rang, which it does only once"
    };
    // The name of the function is generated: the topic's listener says it.
    let listeners = snapshot.topics.iter().flatten().flat_map(Topic::confirmed);
    for listener in listeners.filter(|listener| listener.protocol == "lambda") {
        if let Some((_, function)) = listener.endpoint.split_once(":function:") {
            finding = finding.next(commands::group_log(format!("/aws/lambda/{function}")));
        }
    }
    Some(
        finding
            .cause(cause)
            .next(commands::fleet_status(fleet.id))
            .next(commands::fleet_to_zero(fleet.id))
            .explains([alarm_node(snapshot, FleetAlarm::QueueEmpty, fleet.id)]),
    )
}

/// Jobs wait and no worker works, or have been waiting in numbers: what users of the fleet feel.
pub(super) fn queues(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    fleets::joined(snapshot)
        .iter()
        .filter_map(|fleet| {
            let node = Node::Queue(fleet.id.clone());
            let deep = alarm(snapshot, FleetAlarm::QueueDeep, fleet.id).filter(|alarm| Alarm::is_on(alarm));
            let unserved = fleet.waits(now, COLD_START) && fleet.unmanned(now, COLD_START);
            let (code, cause) = if unserved {
                (
                    Code::QueueUnserved,
                    "jobs have been waiting for longer than a worker takes to come, and none is active",
                )
            } else {
                deep?;
                (
                    Code::QueueDeep,
                    "more jobs arrive than the workers get done; the fleet may still be growing",
                )
            };
            Some(
                Finding::new(code, node, fleet.id.to_string())
                    .evidence(fleet.load(now))
                    .cause(cause)
                    .next(commands::fleet_status(fleet.id))
                    .explains([alarm_node(snapshot, FleetAlarm::QueueDeep, fleet.id)]),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    const FLEET: &str = "production/gpu-default";

    fn load(snapshot: &mut Snapshot, queue: f64, workers: f64) {
        let metrics = snapshot.fleet_metrics.as_mut().unwrap();
        let fleet = metrics.get_mut(&FLEET.parse().unwrap()).unwrap();
        fleet.queue = sample::series(0..60, queue);
        fleet.workers = sample::series(0..60, workers);
    }

    fn codes(snapshot: &Snapshot) -> Vec<Code> {
        rule(snapshot, sample::now())
            .into_iter()
            .chain(queues(snapshot, sample::now()))
            .map(|finding| finding.code)
            .collect()
    }

    fn empty(snapshot: &mut Snapshot) {
        sample::resize(sample::group_mut(snapshot, FLEET), 0);
    }

    #[test]
    fn jobs_without_instances() {
        let mut snapshot = sample::healthy();
        assert_eq!(codes(&snapshot), []);
        load(&mut snapshot, 4.0, 0.0);
        empty(&mut snapshot);
        assert_eq!(codes(&snapshot), [Code::NoScaleOut, Code::QueueUnserved]);
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert!(
            finding.cause.contains("is on although jobs wait"),
            "{}",
            finding.cause
        );
        let upper = snapshot.policies.as_ref().unwrap()["asg-production-gpu-default"][1].alarms[0].clone();
        sample::alarm_mut(&mut snapshot, &upper).state = AlarmState::Alarm;
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert!(finding.cause.contains("does not act"), "{}", finding.cause);
        sample::group_mut(&mut snapshot, FLEET).desired = 1;
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert!(finding.cause.contains("none comes"), "{}", finding.cause);
    }

    #[test]
    fn the_first_job_may_wait_for_its_worker() {
        let mut snapshot = sample::healthy();
        empty(&mut snapshot);
        load(&mut snapshot, 0.0, 0.0);
        let metrics = snapshot.fleet_metrics.as_mut().unwrap();
        let fleet = metrics.get_mut(&FLEET.parse().unwrap()).unwrap();
        fleet.queue = sample::series(4..60, 0.0);
        fleet.queue.0.extend(sample::series(0..4, 2.0).0);
        assert_eq!(codes(&snapshot), []);
    }

    #[test]
    fn a_closed_fleet_with_jobs() {
        let mut snapshot = sample::healthy();
        load(&mut snapshot, 1.0, 0.0);
        empty(&mut snapshot);
        sample::group_mut(&mut snapshot, FLEET).max = 0;
        assert_eq!(codes(&snapshot), [Code::FleetHeldAtZero, Code::QueueUnserved]);
        load(&mut snapshot, 0.0, 0.0);
        assert_eq!(codes(&snapshot), []);
    }

    #[test]
    fn a_full_fleet_with_a_deep_queue() {
        let mut snapshot = sample::healthy();
        load(&mut snapshot, 40.0, 10.0);
        sample::resize(sample::group_mut(&mut snapshot, FLEET), 10);
        assert_eq!(codes(&snapshot), [Code::FleetAtMaximum]);
        assert!(
            rule(&snapshot, sample::now())[0].next[1]
                .line()
                .ends_with("--max 15")
        );
        sample::alarm_mut(&mut snapshot, "production-p3-gpu-default-queue-deep").state = AlarmState::Alarm;
        assert_eq!(codes(&snapshot), [Code::FleetAtMaximum, Code::QueueDeep]);
    }

    #[test]
    fn an_idle_fleet_is_reported_when_the_function_had_its_time() {
        let mut snapshot = sample::healthy();
        load(&mut snapshot, 0.0, 2.0);
        let alarm = sample::alarm_mut(&mut snapshot, "production-gpu-default-queue-empty");
        alarm.state = AlarmState::Alarm;
        alarm.since = Some(sample::before(5));
        assert_eq!(codes(&snapshot), []);
        sample::alarm_mut(&mut snapshot, "production-gpu-default-queue-empty").since =
            Some(sample::before(20));
        assert_eq!(codes(&snapshot), [Code::FleetKeepsRunning]);
        assert_eq!(
            rule(&snapshot, sample::now())[0].next[2],
            "bpctl fleet scale-to-zero production/gpu-default"
        );
    }
}
