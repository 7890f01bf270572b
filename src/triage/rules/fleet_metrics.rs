//! Whether the backend publishes the fleets' metrics: without them nothing scales.

use jiff::Timestamp;

use super::fleets::{self, Fleet, alarm, alarm_node};
use crate::layout::{App, FleetAlarm};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Alarm, Snapshot};
use crate::triage::wording::{ago, at, count};

/// `queue-empty` has 15 one-minute points and takes missing data for an empty queue: with the minute in
/// which the value is still fresh and the evaluation, a busy fleet goes to zero about so many minutes
/// after the last value.
const ZERO_AFTER: i64 = 17;
/// Fleets that a finding names one by one.
const NAMED: usize = 5;

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let fleets = fleets::joined(snapshot);
    let silent: Vec<Fleet<'_>> = fleets
        .iter()
        .copied()
        .filter(|fleet| fleet.is_silent(now))
        .collect();
    if silent.is_empty() {
        Vec::new()
    } else if silent.len() == fleets.len() {
        vec![all_silent(snapshot, &silent, now)]
    } else {
        silent
            .iter()
            .map(|fleet| one_silent(snapshot, fleet, now))
            .collect()
    }
}

fn all_silent(snapshot: &Snapshot, fleets: &[Fleet<'_>], now: Timestamp) -> Finding {
    let busy = |fleet: &&Fleet<'_>| {
        let queued = fleet
            .metrics
            .and_then(|metrics| metrics.queue.last())
            .is_some_and(|(_, value)| value > 0.0);
        queued || !fleet.group.instances.is_empty()
    };
    let severity = if fleets.iter().any(|fleet| busy(&fleet)) {
        Severity::P1
    } else {
        Severity::P2
    };
    let last = fleets.iter().filter_map(Fleet::last_seen).max();
    let mut finding = Finding::new(
        Code::FleetMetricsSilent,
        Node::Scheduler,
        count(fleets.len(), "fleet"),
    )
    .severity(severity)
    .evidence(last.map_or_else(
        || "no QueueDepth of any fleet was published lately".to_owned(),
        |last| format!("last QueueDepth of any fleet: {} ({})", at(last), ago(now, last)),
    ));
    for fleet in fleets.iter().filter(busy).take(NAMED) {
        finding = finding.evidence(fate(snapshot, fleet, now));
    }
    for fleet in fleets {
        finding = finding
            .explains(fleet.downstream())
            .explains([Node::FleetMetrics(fleet.id.clone())])
            .explains(
                [FleetAlarm::QueueDeep, FleetAlarm::ErrorRate]
                    .map(|kind| alarm_node(snapshot, kind, fleet.id)),
            );
    }
    finding
        .cause("the backend's scheduler does not publish: its container has exited, the command fails, or its role may not call cloudwatch:PutMetricData")
        .next(commands::container_lines(App::Backend, "scheduler"))
        .next(commands::redeploy(App::Backend))
}

/// What becomes of a fleet whose metrics are silent, because missing data counts as an empty queue.
fn fate(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> String {
    let rang = alarm(snapshot, FleetAlarm::QueueEmpty, fleet.id).is_some_and(Alarm::is_on);
    let waiting = fleet
        .metrics
        .and_then(|metrics| metrics.queue.last())
        .map_or(0.0, |(_, value)| value);
    let id = fleet.id;
    if fleet.group.desired == 0 && rang {
        return format!(
            "fleet `{id}` is at zero although {waiting:.0} jobs waited when it was last measured: missing data sets off `queue-empty`"
        );
    }
    match fleet.last_seen() {
        Some(last) if fleet.group.desired > 0 => {
            let left = ZERO_AFTER - crate::triage::wording::minutes_since(now, last);
            if left > 0 {
                format!("fleet `{id}` goes to zero in about {left} min: missing data sets off `queue-empty`")
            } else {
                format!(
                    "fleet `{id}` still has {} instances although missing data sets off `queue-empty`",
                    fleet.group.instances.len()
                )
            }
        }
        _ => format!("fleet `{id}` cannot scale out: {}", fleet.capacity()),
    }
}

fn one_silent(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> Finding {
    let layout = &snapshot.layout;
    let dimensions: Vec<String> = layout
        .metric_dimensions(fleet.id)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Finding::new(
        Code::FleetNotMeasured,
        Node::FleetMetrics(fleet.id.clone()),
        fleet.id.to_string(),
    )
    .evidence(fleet.last_seen().map_or_else(
        || {
            format!(
                "no QueueDepth with {} was published lately",
                dimensions.join(", ")
            )
        },
        |last| format!("last QueueDepth: {} ({})", at(last), ago(now, last)),
    ))
    .evidence("other fleets are measured")
    .evidence(fate(snapshot, fleet, now))
    .cause("the backend does not know a fleet of this stage and slug, or it is disabled there")
    .next(commands::queue_metrics(crate::layout::FLEET_NAMESPACE))
    .next(commands::fleet_status(fleet.id))
    .explains(fleet.downstream())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;
    use crate::triage::snapshot::AlarmState;

    fn silence(snapshot: &mut Snapshot, fleet: &str, minutes: i64) {
        let fleet = fleet.parse().unwrap();
        let metrics = snapshot.fleet_metrics.as_mut().unwrap().get_mut(&fleet).unwrap();
        metrics.queue = sample::series(minutes..60, 3.0);
        metrics.workers = sample::series(minutes..60, 2.0);
    }

    #[test]
    fn everything_silent_is_the_scheduler() {
        let mut snapshot = sample::healthy();
        silence(&mut snapshot, "staging/gpu-default", 30);
        silence(&mut snapshot, "production/gpu-default", 30);
        sample::group_mut(&mut snapshot, "production/gpu-default").desired = 0;
        sample::alarm_mut(&mut snapshot, "production-gpu-default-queue-empty").state = AlarmState::Alarm;
        let found = rule(&snapshot, sample::now());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].code, found[0].severity),
            (Code::FleetMetricsSilent, Severity::P1)
        );
        let evidence = found[0].evidence.join("\n");
        assert!(evidence.contains("(30 min ago)"), "{evidence}");
        assert!(
            evidence.contains("`production/gpu-default` is at zero although 3 jobs waited"),
            "{evidence}"
        );
    }

    #[test]
    fn a_busy_fleet_is_told_how_long_it_has_left() {
        let mut snapshot = sample::healthy();
        silence(&mut snapshot, "staging/gpu-default", 9);
        silence(&mut snapshot, "production/gpu-default", 9);
        let found = rule(&snapshot, sample::now());
        let evidence = found[0].evidence.join("\n");
        assert!(evidence.contains("goes to zero in about 8 min"), "{evidence}");
    }

    #[test]
    fn one_silent_fleet_is_its_own_affair() {
        let mut snapshot = sample::healthy();
        assert!(rule(&snapshot, sample::now()).is_empty());
        silence(&mut snapshot, "production/gpu-default", 30);
        let found = rule(&snapshot, sample::now());
        assert_eq!(found[0].code, Code::FleetNotMeasured);
        assert_eq!(found[0].subject, "production/gpu-default");
    }

    #[test]
    fn a_late_value_is_no_silence() {
        let mut snapshot = sample::healthy();
        silence(&mut snapshot, "production/gpu-default", 5);
        assert!(rule(&snapshot, sample::now()).is_empty());
    }

    #[test]
    fn unread_metrics_are_not_silent_ones() {
        let mut snapshot = sample::healthy();
        snapshot.fleet_metrics = Err(sample::blind());
        assert!(rule(&snapshot, sample::now()).is_empty());
    }
}
