//! The alarms that scale a fleet: whether they exist and watch what the backend publishes.

use jiff::Timestamp;

use super::fleet_policies;
use super::fleets::{self, Fleet, alarm, alarm_node};
use crate::layout::{FLEET_NAMESPACE, FleetAlarm};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Alarm, Snapshot};

pub(super) fn rule(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    if snapshot.fleet_alarms.is_err() {
        return Vec::new();
    }
    fleets::joined(snapshot)
        .iter()
        .flat_map(|fleet| {
            dimensions(snapshot, fleet)
                .into_iter()
                .chain(missing(snapshot, fleet))
        })
        .collect()
}

fn dimensions(snapshot: &Snapshot, fleet: &Fleet<'_>) -> Option<Finding> {
    let layout = &snapshot.layout;
    let wanted = published(snapshot, fleet);
    let named = FleetAlarm::ALL
        .into_iter()
        .filter_map(|kind| alarm(snapshot, kind, fleet.id));
    let invoking = fleet_policies::of(snapshot, fleet)
        .iter()
        .flat_map(|policy| &policy.alarms)
        .filter_map(|name| snapshot.alarm(name));
    let mut evidence = Vec::new();
    for alarm in named.chain(invoking) {
        if watches_elsewhere(snapshot, fleet, alarm) {
            let mut watched = alarm.dimensions.clone();
            watched.sort();
            evidence.push(format!("`{}` watches {}", alarm.name, list(&watched)));
        }
    }
    if evidence.is_empty() {
        return None;
    }
    Some(
        Finding::new(
            Code::AlarmDimensions,
            Node::FleetAlarms(fleet.id.clone()),
            fleet.id.to_string(),
        )
        .facts(evidence)
        .evidence(format!("the backend publishes {}", list(&wanted)))
        .cause("the alarms were created for another stage or slug, so they see no data: no scale-out, and scale-in at once")
        .next(commands::fleet_stack_diff(layout, fleet.id)).next(commands::fleet_stack_deploy(layout, fleet.id))
        .next(commands::fleet_status(fleet.id))
        .explains(fleet.downstream())
        .explains([Node::Policies(fleet.id.clone())])
        .explains(FleetAlarm::ALL.map(|kind| alarm_node(snapshot, kind, fleet.id))),
    )
}

/// The dimensions under which the backend publishes a fleet's metrics, in order.
fn published(snapshot: &Snapshot, fleet: &Fleet<'_>) -> Vec<(String, String)> {
    let dimensions = snapshot.layout.metric_dimensions(fleet.id);
    let mut wanted: Vec<(String, String)> = dimensions
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    wanted.sort();
    wanted
}

/// Whether an alarm looks at the fleets' metrics, but not at those of this fleet.
pub(super) fn watches_elsewhere(snapshot: &Snapshot, fleet: &Fleet<'_>, alarm: &Alarm) -> bool {
    let mut watched = alarm.dimensions.clone();
    watched.sort();
    alarm
        .namespace
        .as_deref()
        .is_none_or(|namespace| namespace == FLEET_NAMESPACE)
        && watched != published(snapshot, fleet)
}

fn list(dimensions: &[(String, String)]) -> String {
    if dimensions.is_empty() {
        return "no dimension at all".to_owned();
    }
    let pairs: Vec<String> = dimensions
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("`{}`", pairs.join(", "))
}

fn missing(snapshot: &Snapshot, fleet: &Fleet<'_>) -> Option<Finding> {
    let layout = &snapshot.layout;
    let gone: Vec<FleetAlarm> = FleetAlarm::ALL
        .into_iter()
        .filter(|kind| alarm(snapshot, *kind, fleet.id).is_none())
        .collect();
    if gone.is_empty() {
        return None;
    }
    let scales = gone.iter().any(|kind| matches!(kind, FleetAlarm::QueueEmpty));
    let finding = Finding::new(
        Code::FleetAlarmMissing,
        Node::FleetAlarms(fleet.id.clone()),
        fleet.id.to_string(),
    )
    .facts(
        gone.iter()
            .map(|kind| format!("no alarm `{}`", layout.fleet_alarm(*kind, fleet.id))),
    )
    .next(commands::fleet_stack_diff(layout, fleet.id))
    .next(commands::fleet_stack_deploy(layout, fleet.id));
    Some(if scales {
        finding
            .cause("the fleet's stack is incomplete: without `queue-empty` a fleet whose metrics fall silent keeps its instances")
            .explains([Node::Group(fleet.id.clone())])
    } else {
        finding
            .severity(Severity::P3)
            .cause("the fleet's stack or the monitoring stack is incomplete: nobody is told about its jobs")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    #[test]
    fn dimensions_are_compared_with_the_layouts_own() {
        let mut snapshot = sample::healthy();
        assert!(rule(&snapshot, sample::now()).is_empty());
        let alarm = sample::alarm_mut(&mut snapshot, "production-gpu-default-queue-has-jobs");
        // The order of dimensions means nothing.
        alarm.dimensions.reverse();
        assert!(rule(&snapshot, sample::now()).is_empty());
        let alarm = sample::alarm_mut(&mut snapshot, "production-gpu-default-queue-has-jobs");
        alarm.dimensions = vec![
            ("FleetSlug".to_owned(), "gpu-default-v2".to_owned()),
            ("Stage".to_owned(), "production".to_owned()),
        ];
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::AlarmDimensions);
        assert_eq!(
            finding.evidence[0],
            "`production-gpu-default-queue-has-jobs` watches `FleetSlug=gpu-default-v2, Stage=production`"
        );
        assert_eq!(finding.next[2], "bpctl fleet apply-config production/gpu-default");
    }

    #[test]
    fn missing_alarms_weigh_by_what_they_do() {
        for (name, expected) in [
            ("staging-gpu-default-queue-empty", Severity::P2),
            ("staging-gpu-default-queue-has-jobs", Severity::P3),
            ("staging-p3-gpu-default-queue-deep", Severity::P3),
        ] {
            let mut snapshot = sample::healthy();
            snapshot
                .fleet_alarms
                .as_mut()
                .unwrap()
                .retain(|alarm| alarm.name != name);
            let found = rule(&snapshot, sample::now());
            assert_eq!(
                (found[0].code, found[0].severity),
                (Code::FleetAlarmMissing, expected)
            );
        }
    }
}
