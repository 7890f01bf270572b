//! Scaling policies: whether each has an alarm that can invoke it.
//!
//! The alarms are those that the policies name. Their names are generated, by CloudFormation for step
//! policies and by Auto Scaling for tracking policies: no layout knows them.

use jiff::Timestamp;

use super::fleets::{self, Fleet};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Alarm, AlarmState, Policy, Snapshot};
use crate::triage::wording::{ago, at, minutes_since};

/// An alarm that was made or changed lately has no data yet; later that is a finding.
const SETTLED: i64 = 15;

/// What keeps a policy from being invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The policy itself is switched off.
    Disabled,
    /// It names no alarm.
    NoAlarm,
    /// CloudWatch does not know the alarm that it names.
    Deleted,
    /// The alarm's actions are switched off.
    Mute,
    /// The alarm has other actions, or none.
    Elsewhere,
    /// The alarm sees no data although the fleet is measured.
    Silent,
}

/// The policies of a fleet's group.
pub(super) fn of<'a>(snapshot: &'a Snapshot, fleet: &Fleet<'_>) -> &'a [Policy] {
    snapshot
        .policies
        .as_ref()
        .ok()
        .and_then(|policies| policies.get(&fleet.group.name))
        .map_or(&[], Vec::as_slice)
}

/// Whether an alarm is there to scale: a policy names it, or it invokes one.
pub(super) fn scales(snapshot: &Snapshot, name: &str) -> bool {
    let named = snapshot
        .policies
        .iter()
        .flat_map(|groups| groups.values().flatten())
        .any(|policy| policy.alarms.iter().any(|alarm| alarm == name));
    named
        || snapshot.alarm(name).is_some_and(|alarm| {
            alarm
                .actions
                .iter()
                .any(|action| action.contains(":scalingPolicy:"))
        })
}

/// Policies that nothing invokes.
pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    if snapshot.policies.is_err() || snapshot.fleet_alarms.is_err() {
        return Vec::new();
    }
    fleets::joined(snapshot)
        .iter()
        .filter_map(|fleet| check(snapshot, fleet, now))
        .collect()
}

fn check(snapshot: &Snapshot, fleet: &Fleet<'_>, now: Timestamp) -> Option<Finding> {
    let policies = of(snapshot, fleet);
    let mut faults: Vec<(Fault, String, String)> = Vec::new();
    for policy in policies {
        let name = &policy.name;
        if !policy.enabled {
            faults.push((
                Fault::Disabled,
                format!("policy `{name}` is disabled"),
                String::new(),
            ));
            continue;
        }
        if policy.alarms.is_empty() {
            faults.push((
                Fault::NoAlarm,
                format!("policy `{name}` has no alarm"),
                String::new(),
            ));
        }
        for alarm in &policy.alarms {
            if let Some((fault, fact)) = fault_of(snapshot, fleet, policy, alarm, now) {
                faults.push((fault, fact, alarm.clone()));
            }
        }
    }
    if policies.is_empty() {
        let fact = format!("group `{}` has no scaling policy", fleet.group.name);
        faults.push((Fault::NoAlarm, fact, String::new()));
    }
    let worst = faults.first()?.0;
    let mute: Vec<&str> = faults
        .iter()
        .filter(|(fault, ..)| *fault == Fault::Mute)
        .map(|(.., alarm)| alarm.as_str())
        .collect();
    let stack = snapshot.layout.fleet_stack(fleet.id);
    let mut finding = Finding::new(
        Code::PolicyWithoutAlarm,
        Node::Policies(fleet.id.clone()),
        fleet.id.to_string(),
    )
    .facts(faults.iter().map(|(_, fact, _)| fact.clone()))
    .cause(cause(worst))
    .next(commands::policies(&fleet.group.name))
    .explains(fleet.downstream());
    if !mute.is_empty() {
        finding = finding
            .next(commands::alarms(mute.iter().copied()))
            .next(commands::enable_alarms(mute.iter().copied()));
    }
    if faults.iter().any(|(fault, ..)| *fault != Fault::Mute) {
        finding = finding
            .next(commands::stack_drift(&stack))
            .next(commands::fleet_stack_diff(&snapshot.layout, fleet.id))
            .next(commands::fleet_stack_deploy(&snapshot.layout, fleet.id));
    }
    Some(finding.next(commands::fleet_status(fleet.id)))
}

fn cause(fault: Fault) -> &'static str {
    match fault {
        Fault::Disabled => "a disabled policy answers no alarm",
        Fault::NoAlarm => {
            "nothing invokes the policy: the stack is incomplete, or the alarm was removed outside of it"
        }
        Fault::Deleted => {
            "the alarm that invokes the policy was deleted outside of the stack: the policy never acts"
        }
        Fault::Mute => "an alarm whose actions are disabled changes its state and invokes nothing",
        Fault::Elsewhere => {
            "the alarm was changed outside of the stack: it no longer invokes the policy that names it"
        }
        Fault::Silent => "the alarm watches data that nobody publishes: it never goes on",
    }
}

fn fault_of(
    snapshot: &Snapshot,
    fleet: &Fleet<'_>,
    policy: &Policy,
    name: &str,
    now: Timestamp,
) -> Option<(Fault, String)> {
    let told = format!("alarm `{name}` of policy `{}`", policy.name);
    let Some(alarm) = snapshot.alarm(name) else {
        return Some((Fault::Deleted, format!("{told} does not exist")));
    };
    if !alarm.actions_enabled {
        return Some((Fault::Mute, format!("{told}: its actions are disabled")));
    }
    if !alarm.actions.iter().any(|action| policy.is_invoked_by(action)) {
        return Some((
            Fault::Elsewhere,
            format!("{told} does not have the policy among its actions"),
        ));
    }
    silence(snapshot, fleet, alarm, now)
        .map(|since| (Fault::Silent, format!("{told} has had no data {since}")))
}

/// Since when an alarm on the fleet's own metrics is without data although the fleet is measured.
///
/// Alarms on other dimensions than the fleet's are another rule's.
fn silence(snapshot: &Snapshot, fleet: &Fleet<'_>, alarm: &Alarm, now: Timestamp) -> Option<String> {
    let measured = fleet.metrics.is_some() && !fleet.is_silent(now);
    if alarm.state != AlarmState::InsufficientData
        || !measured
        || super::fleet_alarms::watches_elsewhere(snapshot, fleet, alarm)
    {
        return None;
    }
    match alarm.since {
        Some(since) if minutes_since(now, since) < SETTLED => None,
        Some(since) => Some(format!("since {} ({})", at(since), ago(now, since))),
        None => Some("lately".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::finding::Severity;
    use crate::triage::rules::sample;

    const FLEET: &str = "production/gpu-default";

    /// The upper step policy of the production fleet, and the name of its alarm.
    fn upper(snapshot: &mut Snapshot) -> (&mut Policy, String) {
        let policies = snapshot.policies.as_mut().unwrap();
        let policy = &mut policies.get_mut("asg-production-gpu-default").unwrap()[1];
        let alarm = policy.alarms[0].clone();
        (policy, alarm)
    }

    fn found(snapshot: &Snapshot) -> Vec<Finding> {
        rule(snapshot, sample::now())
    }

    #[test]
    fn a_policy_without_its_alarm_is_a_finding_whatever_the_alarm_is_called() {
        assert!(found(&sample::healthy()).is_empty());
        let mut snapshot = sample::healthy();
        let (_, alarm) = upper(&mut snapshot);
        snapshot
            .fleet_alarms
            .as_mut()
            .unwrap()
            .retain(|known| known.name != alarm);
        let findings = found(&snapshot);
        assert_eq!(
            (findings[0].code, findings[0].severity),
            (Code::PolicyWithoutAlarm, Severity::P2)
        );
        assert!(
            findings[0].evidence[0].ends_with("does not exist"),
            "{:?}",
            findings[0].evidence
        );
        assert!(findings[0].cause.contains("deleted"));
        assert!(
            findings[0]
                .explains
                .contains(&Node::Queue(FLEET.parse().unwrap()))
        );

        let mut snapshot = sample::healthy();
        upper(&mut snapshot).0.alarms.clear();
        assert!(found(&snapshot)[0].evidence[0].ends_with("has no alarm"));
        let mut snapshot = sample::healthy();
        upper(&mut snapshot).0.enabled = false;
        assert!(found(&snapshot)[0].evidence[0].ends_with("is disabled"));
        snapshot.policies.as_mut().unwrap().clear();
        assert_eq!(found(&snapshot).len(), 2);
        assert!(found(&snapshot)[0].evidence[0].ends_with("has no scaling policy"));
    }

    #[test]
    fn disabled_actions_come_with_the_command_that_enables_them() {
        let mut snapshot = sample::healthy();
        let (_, alarm) = upper(&mut snapshot);
        sample::alarm_mut(&mut snapshot, &alarm).actions_enabled = false;
        let finding = found(&snapshot).remove(0);
        let lines: Vec<String> = finding.next.iter().map(|step| step.line().to_string()).collect();
        assert!(
            lines.contains(&format!(
                "aws cloudwatch enable-alarm-actions --alarm-names {alarm}"
            )),
            "{lines:?}"
        );
        assert!(
            lines.iter().all(|line| !line.contains("apply-config")),
            "{lines:?}"
        );
    }

    #[test]
    fn an_alarm_that_invokes_something_else_or_sees_nothing() {
        let mut snapshot = sample::healthy();
        let (_, alarm) = upper(&mut snapshot);
        let actions = std::mem::take(&mut sample::alarm_mut(&mut snapshot, &alarm).actions);
        assert!(found(&snapshot)[0].cause.contains("no longer invokes"));

        let silent = sample::alarm_mut(&mut snapshot, &alarm);
        silent.actions = actions;
        silent.state = AlarmState::InsufficientData;
        assert!(found(&snapshot)[0].evidence[0].contains("has had no data since"));
        sample::alarm_mut(&mut snapshot, &alarm).since = Some(sample::before(3));
        assert!(found(&snapshot).is_empty());
    }

    #[test]
    fn without_metrics_every_alarm_is_without_data() {
        let mut snapshot = sample::healthy();
        let (_, alarm) = upper(&mut snapshot);
        sample::alarm_mut(&mut snapshot, &alarm).state = AlarmState::InsufficientData;
        snapshot.fleet_metrics.as_mut().unwrap().clear();
        assert!(found(&snapshot).is_empty());
    }

    #[test]
    fn unread_policies_are_not_missing_ones() {
        let mut snapshot = sample::healthy();
        snapshot.policies = Err(sample::blind());
        assert!(found(&snapshot).is_empty());
    }
}
