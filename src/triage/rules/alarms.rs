//! Alarms: those that are on, those that are deaf, those that are not there.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{fleet_policies, fleets};
use crate::layout::{FleetAlarm, FleetId};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Alarm, Snapshot, Subscription, Topic};
use crate::triage::wording::{ago, at, count};

/// The full name of a platform alarm.
fn name(snapshot: &Snapshot, plain: &str) -> Option<String> {
    let names = snapshot.layout.platform_alarms();
    names.into_iter().find(|name| name.ends_with(plain))
}

/// The node of a platform alarm, for `explains`.
pub(super) fn named(snapshot: &Snapshot, plain: &str) -> Option<Node> {
    name(snapshot, plain).map(Node::Alarm)
}

/// Whether a platform alarm is on.
pub(super) fn is_on(snapshot: &Snapshot, plain: &str) -> bool {
    name(snapshot, plain)
        .and_then(|name| snapshot.alarm(&name))
        .is_some_and(Alarm::is_on)
}

/// Since when a platform alarm is on, as evidence.
pub(super) fn since(snapshot: &Snapshot, now: Timestamp, plain: &str) -> Option<String> {
    let alarm = snapshot.alarm(&name(snapshot, plain)?)?;
    let since = alarm.since.filter(|_| alarm.is_on())?;
    Some(format!(
        "alarm `{}` is on since {} ({})",
        alarm.name,
        at(since),
        ago(now, since)
    ))
}

/// Alarms that scale, and `queue-has-jobs`: being on is their work.
fn is_at_work(snapshot: &Snapshot, name: &str) -> bool {
    fleet_policies::scales(snapshot, name)
        || fleets::all(snapshot).any(|fleet| {
            [FleetAlarm::QueueEmpty, FleetAlarm::QueueHasJobs]
                .into_iter()
                .any(|alarm| snapshot.layout.fleet_alarm(alarm, fleet) == name)
        })
}

/// Every alarm that is on and should not be; `others` are the findings that may say why.
pub(super) fn on(snapshot: &Snapshot, now: Timestamp, others: &[Finding]) -> Vec<Finding> {
    let explained: HashSet<&Node> = others.iter().flat_map(|finding| &finding.explains).collect();
    snapshot
        .all_alarms()
        .filter(|alarm| alarm.is_on() && !is_at_work(snapshot, &alarm.name))
        .map(|alarm| {
            let node = Node::Alarm(alarm.name.clone());
            let known = explained.contains(&node);
            let code = if known {
                Code::AlarmOn
            } else {
                Code::AlarmUnexplained
            };
            let mut finding = Finding::new(code, node, &alarm.name).severity(severity(&alarm.name));
            if let Some(since) = alarm.since {
                finding = finding.evidence(format!("since {} ({})", at(since), ago(now, since)));
            }
            let reason = alarm.reason.as_deref().filter(|reason| !reason.is_empty());
            let reason = reason.map(|reason| reason.trim().to_owned());
            finding
                .facts(reason)
                .cause(if known {
                    "see the finding above it"
                } else {
                    "no rule found what is behind it"
                })
                .next(commands::alarm_history(&alarm.name))
        })
        .collect()
}

/// The tier that the alarm's name carries.
fn severity(name: &str) -> Severity {
    let tiers = [
        ("p1-", Severity::P1),
        ("p2-", Severity::P2),
        ("p3-", Severity::P3),
    ];
    tiers
        .into_iter()
        .find(|(tier, _)| name.starts_with(tier) || name.contains(&format!("-{tier}")))
        .map_or(Severity::P2, |(_, severity)| severity)
}

/// Alarms whose actions are switched off, or that have none. Those that invoke policies are another rule's,
/// and `queue-has-jobs` is there for people to see: it has no action.
pub(super) fn actions(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    let deaf = |alarm: &&Alarm| !alarm.actions_enabled || alarm.actions.is_empty();
    let mut findings = Vec::new();
    let platform: Vec<&Alarm> = snapshot.alarms.iter().flatten().filter(deaf).collect();
    if !platform.is_empty() {
        findings.push(
            deafness(&platform, Node::Topic, "platform alarms")
                .cause("nobody is told when these alarms go on"),
        );
    }
    let of_fleets: Vec<&Alarm> = snapshot.fleet_alarms.iter().flatten().filter(deaf).collect();
    for fleet in fleets::all(snapshot) {
        let own: Vec<&Alarm> = of_fleets
            .iter()
            .copied()
            .filter(|alarm| belongs(snapshot, fleet, &alarm.name))
            .collect();
        if own.is_empty() {
            continue;
        }
        let empty = snapshot.layout.fleet_alarm(FleetAlarm::QueueEmpty, fleet);
        let scales = own.iter().any(|own| own.name == empty);
        let mut finding = deafness(&own, Node::FleetAlarms(fleet.clone()), &fleet.to_string());
        finding = if scales {
            finding
                .severity(Severity::P2)
                .cause("`queue-empty` takes an idle fleet to zero, and one whose metrics fall silent: without its action instances keep running")
                .explains([Node::Group(fleet.clone())])
        } else {
            finding.cause("nobody is told when these alarms go on")
        };
        findings.push(finding);
    }
    findings
}

fn belongs(snapshot: &Snapshot, fleet: &FleetId, name: &str) -> bool {
    FleetAlarm::ALL
        .into_iter()
        .filter(|alarm| *alarm != FleetAlarm::QueueHasJobs)
        .any(|alarm| snapshot.layout.fleet_alarm(alarm, fleet) == name)
}

fn deafness(alarms: &[&Alarm], node: Node, subject: &str) -> Finding {
    let mut finding = Finding::new(Code::AlarmActionsDisabled, node, subject);
    for alarm in alarms.iter().take(6) {
        finding = finding.evidence(if alarm.actions.is_empty() {
            format!("`{}` has no action", alarm.name)
        } else {
            format!("actions of `{}` are disabled", alarm.name)
        });
    }
    if alarms.len() > 6 {
        finding = finding.evidence(format!("and {} more", count(alarms.len() - 6, "alarm")));
    }
    let names: Vec<&str> = alarms
        .iter()
        .filter(|alarm| !alarm.actions_enabled)
        .map(|alarm| alarm.name.as_str())
        .collect();
    finding = finding.next(commands::alarms(alarms.iter().map(|alarm| alarm.name.as_str())));
    if names.is_empty() {
        return finding;
    }
    finding.next(commands::enable_alarms(names))
}

/// Alarms of the platform that CloudWatch does not know.
pub(super) fn missing(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    let (Ok(alarms), Ok(services)) = (&snapshot.alarms, &snapshot.services) else {
        return Vec::new();
    };
    let gone: Vec<String> = snapshot
        .layout
        .platform_alarms()
        .into_iter()
        .filter(|name| alarms.iter().all(|alarm| alarm.name != *name))
        .collect();
    if gone.is_empty() || services.is_empty() {
        return Vec::new();
    }
    let mut finding = Finding::new(
        Code::AlarmMissing,
        Node::Stack(String::new()),
        snapshot.layout.dashboard(),
    )
    .facts(gone.iter().map(|name| format!("no alarm `{name}`")))
    .cause("the monitoring stack was not deployed, or alarms were deleted outside of it");
    if let Some(stack) = snapshot.layout.core_stack("monitoring") {
        finding.node = Node::Stack(stack.clone());
        finding = finding
            .next(commands::stack_diff(&stack))
            .next(commands::stack_deploy(&stack));
    }
    vec![finding]
}

/// Topics of alarms without a listener: the alarms go on and no operator is told.
pub(super) fn unheard(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    let topics = snapshot.alert_topics.iter().flatten();
    topics
        .filter(|topic| topic.confirmed().next().is_none())
        .map(|topic| silent_topic(snapshot, topic))
        .collect()
}

fn silent_topic(snapshot: &Snapshot, topic: &Topic) -> Finding {
    let arn = &topic.arn;
    let name = arn.rsplit(':').next().unwrap_or(arn);
    let speak = snapshot
        .all_alarms()
        .filter(|alarm| alarm.actions.contains(arn))
        .count();
    let pending: Vec<&Subscription> = topic.pending().collect();
    let mut finding = Finding::new(Code::AlarmUnheard, Node::AlertTopic(arn.clone()), name).evidence(match (
        topic.subscriptions.is_some(),
        pending.len(),
    ) {
        (false, _) => format!("there is no topic `{arn}`"),
        (true, 0) => format!("`{arn}` has no subscription"),
        (true, 1) => format!("the only subscription of `{arn}` was never confirmed"),
        (true, pending) => format!("none of the {pending} subscriptions of `{arn}` was ever confirmed"),
    });
    for Subscription {
        protocol, endpoint, ..
    } in pending.iter().take(6)
    {
        finding = finding.evidence(format!("waits for confirmation: {protocol} `{endpoint}`"));
    }
    finding = finding.evidence(format!("{} to it", count_speaking(speak)));
    let cause = if pending.is_empty() {
        "the platform was deployed without an address for alarms: they go on and nobody is told"
    } else {
        "SNS delivers nothing before the receiver follows the link in the message that asks for confirmation"
    };
    let advice = if pending.is_empty() {
        format!(
            "subscribe an address to `{arn}`, and confirm it by the link in the message that arrives there"
        )
    } else {
        format!(
            "confirm the subscription of `{name}` by the link in the message; a link is valid for two days, then subscribe again"
        )
    };
    finding.cause(cause).next(commands::monitoring()).next(advice)
}

fn count_speaking(alarms: usize) -> String {
    if alarms == 1 {
        "1 alarm speaks".to_owned()
    } else {
        format!("{alarms} alarms speak")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;
    use crate::triage::snapshot::AlarmState;

    fn ring(snapshot: &mut Snapshot, name: &str) {
        sample::alarm_mut(snapshot, name).state = AlarmState::Alarm;
    }

    #[test]
    fn alarms_that_scale_may_be_on() {
        let mut snapshot = sample::healthy();
        ring(&mut snapshot, "staging-gpu-default-queue-empty");
        ring(&mut snapshot, "production-gpu-default-queue-has-jobs");
        // Alarms of policies are known by the policies that name them.
        let named: Vec<String> = snapshot.policies.as_ref().unwrap()["asg-production-gpu-default"]
            .iter()
            .flat_map(|policy| policy.alarms.clone())
            .collect();
        assert_eq!(named.len(), 4);
        for name in &named {
            ring(&mut snapshot, name);
        }
        // Without the policies, by what they set off.
        snapshot.policies = Err(sample::blind());
        assert!(on(&snapshot, sample::now(), &[]).is_empty());
        snapshot.policies = sample::healthy().policies;
        assert!(on(&snapshot, sample::now(), &[]).is_empty());
    }

    #[test]
    fn an_alarm_without_a_cause_is_its_own_finding() {
        let mut snapshot = sample::healthy();
        ring(&mut snapshot, "p2-rds-cpu-warning");
        let alone = on(&snapshot, sample::now(), &[]);
        assert_eq!(
            (alone[0].code, alone[0].severity),
            (Code::AlarmUnexplained, Severity::P2)
        );
        let cause = Finding::new(Code::DatabaseCpu, Node::Database, "db")
            .explains(named(&snapshot, "p2-rds-cpu-warning"));
        assert_eq!(on(&snapshot, sample::now(), &[cause])[0].code, Code::AlarmOn);
    }

    #[test]
    fn tiers_are_read_from_names_of_both_layouts() {
        assert_eq!(severity("p1-alb-5xx-critical"), Severity::P1);
        assert_eq!(severity("staging-p1-alb-5xx-critical"), Severity::P1);
        assert_eq!(severity("production-p3-gpu-default-queue-deep"), Severity::P3);
        assert_eq!(severity("anything"), Severity::P2);
    }

    #[test]
    fn disabled_actions_of_scaling_alarms_are_worse() {
        let mut snapshot = sample::healthy();
        assert!(actions(&snapshot, sample::now()).is_empty());
        sample::alarm_mut(&mut snapshot, "p1-rds-storage-low").actions_enabled = false;
        sample::alarm_mut(&mut snapshot, "production-gpu-default-queue-empty").actions_enabled = false;
        // It sets nothing in motion anyway.
        sample::alarm_mut(&mut snapshot, "production-gpu-default-queue-has-jobs").actions_enabled = false;
        let found = actions(&snapshot, sample::now());
        assert_eq!(found[0].severity, Severity::P3);
        assert_eq!(found[1].severity, Severity::P2);
        assert_eq!(
            found[1].next,
            [
                "aws cloudwatch describe-alarms --alarm-names production-gpu-default-queue-empty --query 'MetricAlarms[].[AlarmName,StateValue,ActionsEnabled,AlarmActions[]]' --output text",
                "aws cloudwatch enable-alarm-actions --alarm-names production-gpu-default-queue-empty",
            ]
        );
    }

    #[test]
    fn missing_platform_alarms_are_named() {
        let mut snapshot = sample::healthy();
        assert!(missing(&snapshot, sample::now()).is_empty());
        snapshot
            .alarms
            .as_mut()
            .unwrap()
            .retain(|alarm| alarm.name != "p1-rds-storage-low");
        let found = missing(&snapshot, sample::now());
        assert_eq!(found[0].evidence, ["no alarm `p1-rds-storage-low`"]);
        assert_eq!(
            found[0].next,
            [
                "bpctl stack diff bp-monitoring",
                "bpctl stack deploy bp-monitoring"
            ]
        );
    }

    #[test]
    fn an_alarm_without_a_listener_is_a_finding() {
        let mut snapshot = sample::healthy();
        assert!(unheard(&snapshot, sample::now()).is_empty());
        let topic = &mut snapshot.alert_topics.as_mut().unwrap()[0];
        topic.subscriptions.as_mut().unwrap()[0].confirmed = false;
        let waiting = unheard(&snapshot, sample::now()).remove(0);
        assert_eq!(
            (waiting.code, waiting.severity),
            (Code::AlarmUnheard, Severity::P2)
        );
        assert_eq!(
            waiting.evidence[1],
            "waits for confirmation: email `ops@example.com`"
        );
        assert_eq!(waiting.evidence[2], "10 alarms speak to it");
        snapshot.alert_topics.as_mut().unwrap()[0].subscriptions = Some(Vec::new());
        let nobody = unheard(&snapshot, sample::now()).remove(0);
        assert!(
            nobody.evidence[0].ends_with("has no subscription"),
            "{:?}",
            nobody.evidence
        );
        // One that is confirmed is enough.
        let topic = &mut snapshot.alert_topics.as_mut().unwrap()[0];
        let mut unconfirmed = sample::subscription("email", "ops@example.com");
        unconfirmed.confirmed = false;
        let confirmed = sample::subscription("https", "https://example.com/");
        topic.subscriptions = Some(vec![confirmed, unconfirmed]);
        assert!(unheard(&snapshot, sample::now()).is_empty());
    }
}
