//! Instances that cannot be launched, and processes that are suspended.

use jiff::Timestamp;

use super::fleet_holds;
use super::fleets::{self, Fleet};
use super::launch_words;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Activity, Snapshot};
use crate::triage::wording::{ago, at_or_unknown, count, minutes_since};

/// A failure counts for so many minutes after the last attempt.
const MINUTES: i64 = 30;
/// Failed launches that no successful one followed.
pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    fleets::joined(snapshot)
        .iter()
        .filter_map(|fleet| failing(snapshot, fleet, now))
        .collect()
}

fn failing(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> Option<Finding> {
    let mut launches: Vec<&Activity> = snapshot
        .activities
        .iter()
        .flatten()
        .filter(|activity| activity.group == fleet.group.name && activity.is_launch())
        .collect();
    launches.sort_by_key(|activity| std::cmp::Reverse(activity.started));
    let failed: Vec<&Activity> = launches
        .into_iter()
        .take_while(|activity| activity.status == "Failed")
        .collect();
    let newest = *failed.first()?;
    let age = newest.started.map_or(0, |start| minutes_since(now, start));
    // The group stopped trying: its desired capacity is 0.
    let instances = fleet.group.instances.len();
    let wanted =
        fleet.group.desired as usize > instances || fleet.queue(now).is_some_and(|queue| queue > 0.0);
    if age > MINUTES && !wanted {
        return None;
    }
    let message = newest.message.as_deref().unwrap_or_default();
    let (code, cause) = launch_words::judge(message);
    let mut finding = Finding::new(code, Node::Launch(fleet.id.clone()), fleet.id.to_string())
        .evidence(format!(
            "{} to launch in a row, the last {}{}: {}",
            count(failed.len(), "failure"),
            at_or_unknown(newest.started),
            newest
                .started
                .map(|start| format!(" ({})", ago(now, start)))
                .unwrap_or_default(),
            message.trim()
        ))
        .evidence(format!("activity `{}`", newest.id))
        .evidence(fleet.capacity())
        .cause(cause)
        .next(commands::activities(&snapshot.layout, fleet.id));
    if fleet.metrics.is_some() {
        finding = finding.evidence(fleet.load(now));
    }
    if code == Code::LaunchQuota {
        finding = finding.next(commands::spot_quotas());
    }
    Some(
        finding
            .next(commands::fleet_status(fleet.id))
            .explains(fleet.downstream()),
    )
}

/// Suspended processes: what the group will not do by itself.
pub(super) fn suspended(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    const NEEDED: [&str; 5] = [
        "Launch",
        "Terminate",
        "AlarmNotification",
        "HealthCheck",
        "ReplaceUnhealthy",
    ];
    fleets::joined(snapshot)
        .iter()
        .filter_map(|fleet| {
            let group = &fleet.group.name;
            let held = fleet_holds::processes(snapshot, fleet.id);
            let suspended = fleet.group.suspended.iter();
            let unheld: Vec<_> = suspended.filter(|(name, _)| !held.contains(name)).collect();
            if unheld.is_empty() {
                return None;
            }
            let names: Vec<&str> = unheld.iter().map(|(name, _)| name.as_str()).collect();
            let severity = if names.iter().any(|name| NEEDED.contains(name)) {
                Severity::P2
            } else {
                Severity::P3
            };
            let finding = Finding::new(
                Code::ProcessesSuspended,
                Node::Launch(fleet.id.clone()),
                fleet.id.to_string(),
            )
            .severity(severity)
            .facts(
                unheld
                    .iter()
                    .map(|(name, reason)| format!("`{name}` of `{group}`: {reason}")),
            )
            .facts(fleet_holds::unreadable(snapshot, fleet.id))
            .cause("somebody suspended them, or AWS did after a day of failed launches; they stay so until they are resumed")
            .next(commands::group(group))
            .next(commands::resume(fleet.id, group, &names))
            .explains(fleet.downstream());
            Some(finding)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn codes(activities: Vec<Activity>) -> Vec<Code> {
        let mut snapshot = sample::healthy();
        snapshot.activities = Ok(activities);
        rule(&snapshot, sample::now())
            .iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn messages_have_their_codes() {
        for (message, expected) in [
            (
                "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity",
                Code::SpotCapacity,
            ),
            (
                "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded",
                Code::LaunchQuota,
            ),
            (
                "You must use a valid fully-formed launch template. The Systems Manager parameter could not be found.",
                Code::LaunchFailed,
            ),
        ] {
            assert_eq!(codes(vec![sample::launch(3, "Failed", message)]), [expected]);
        }
    }

    #[test]
    fn a_launch_that_worked_ends_the_row() {
        let failed = |minutes| sample::launch(minutes, "Failed", "UnfulfillableCapacity");
        assert_eq!(codes(vec![failed(9), sample::launch(3, "Successful", "")]), []);
        assert_eq!(
            codes(vec![sample::launch(9, "Successful", ""), failed(3)]),
            [Code::SpotCapacity]
        );
    }

    #[test]
    fn other_activities_and_other_groups_do_not_matter() {
        let mut other = sample::launch(3, "Failed", "x");
        other.group = "asg-production-other".to_owned();
        let mut protected = sample::launch(3, "Cancelled", "x");
        protected.description = "Could not scale to desired capacity".to_owned();
        assert_eq!(codes(vec![other, protected]), []);
    }

    #[test]
    fn suspended_processes_come_with_their_reason() {
        let mut snapshot = sample::healthy();
        assert!(suspended(&snapshot, sample::now()).is_empty());
        sample::group_mut(&mut snapshot, "production/gpu-default").suspended = vec![(
            "Launch".to_owned(),
            "User suspended at 2026-01-15T08:00:00Z".to_owned(),
        )];
        let finding = suspended(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.severity, Severity::P2);
        assert!(
            finding.next[1]
                .line()
                .ends_with("fleet release production/gpu-default --unrecorded")
        );
        sample::group_mut(&mut snapshot, "production/gpu-default")
            .suspended
            .push(("Terminate".to_owned(), String::new()));
        let finding = suspended(&snapshot, sample::now()).remove(0);
        assert!(
            finding.next[1]
                .line()
                .ends_with("--scaling-processes Launch Terminate")
        );
    }
}
