//! The load balancer's targets: none, unhealthy ones, and those that it does not use or does not check.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{alarms, services};
use crate::layout::App;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Snapshot, Target, TargetGroup};
use crate::triage::wording::count;

/// Targets that a finding names one by one.
const NAMED: usize = 4;

pub(super) fn rule(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    let groups = snapshot.targets.iter().flatten();
    let groups = groups.filter(|group| !services::is_unstarted(snapshot, group.app));
    groups.filter_map(|group| check(snapshot, group)).collect()
}

fn check(snapshot: &Snapshot, group: &TargetGroup) -> Option<Finding> {
    let in_state = |wanted: &[&str]| -> Vec<&Target> {
        group
            .targets
            .iter()
            .filter(|target| wanted.contains(&target.state.as_str()))
            .collect()
    };
    let (healthy, initial) = (in_state(&["healthy"]), in_state(&["initial"]));
    let unhealthy = in_state(&["unhealthy"]);
    if !unhealthy.is_empty() {
        return Some(sick(snapshot, group, &unhealthy, healthy.len()));
    }
    let unused = in_state(&["unused"]);
    if !unused.is_empty() {
        return Some(idle(snapshot, group, &unused, healthy.len()));
    }
    let unchecked = in_state(&["unavailable"]);
    if !unchecked.is_empty() {
        return Some(unknown(snapshot, group, &unchecked));
    }
    // Targets that have just been registered are a state of minutes, not a finding.
    (healthy.is_empty() && initial.is_empty()).then(|| none(snapshot, group))
}

fn sick(snapshot: &Snapshot, group: &TargetGroup, unhealthy: &[&Target], healthy: usize) -> Finding {
    let layout = &snapshot.layout;
    let app = group.app;
    // One unhealthy backend host is P1 (alarm `p1-backend-unhealthy-hosts`).
    let severity = if app == App::Backend || healthy == 0 {
        Severity::P1
    } else {
        Severity::P2
    };
    let mut finding = Finding::new(Code::TargetsUnhealthy, Node::Targets(app), layout.service(app))
        .severity(severity)
        .evidence(format!(
            "{} unhealthy, {healthy} healthy in `{}`",
            count(unhealthy.len(), "target"),
            short_name(&group.arn)
        ));
    finding = finding.facts(unhealthy.iter().take(NAMED).map(|target| said(target)));
    let reasons = unhealthy
        .iter()
        .filter_map(|target| target.reason.as_deref())
        .collect::<Vec<_>>();
    let cause = if reasons.contains(&"Target.ResponseCodeMismatch") {
        "the container answers its health check, but with an error"
    } else if reasons.contains(&"Target.Timeout") {
        "the container does not answer its health check in time, or its security group does not let the load balancer in"
    } else {
        "nothing listens on the target's port"
    };
    if app == App::Backend {
        finding = finding.explains(alarms::named(snapshot, "p1-backend-unhealthy-hosts"));
    }
    finding
        .cause(cause)
        .next(commands::target_health(&group.arn))
        .next(commands::matching_lines(app, "?error ?ERROR ?CRITICAL"))
        .explains([Node::Responses])
}

/// Targets that get no request although their tasks run.
fn idle(snapshot: &Snapshot, group: &TargetGroup, unused: &[&Target], healthy: usize) -> Finding {
    let layout = &snapshot.layout;
    let app = group.app;
    let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
    for target in unused {
        *zones
            .entry(target.zone.as_deref().unwrap_or("an unknown zone"))
            .or_default() += 1;
    }
    let zones: Vec<String> = zones
        .iter()
        .map(|(zone, number)| format!("{} in {zone}", count(*number, "target")))
        .collect();
    let cause = match unused.iter().find_map(|target| target.reason.as_deref()) {
        Some("Target.NotInUse") if group.targets.len() == unused.len() => {
            "no listener of a load balancer uses the target group, or the targets' zones are not enabled for it"
        }
        Some("Target.NotInUse") => {
            "the load balancer is not enabled in the zone of these targets: their tasks run and get no request"
        }
        Some("Target.InvalidState") => "the targets' instances are stopped or terminated",
        Some("Target.IpUnusable") => "the targets' address is one that a load balancer uses itself",
        _ => "the load balancer does not use the targets; its own words say why",
    };
    Finding::new(Code::TargetsUnused, Node::Targets(app), layout.service(app))
        .severity(if healthy == 0 { Severity::P1 } else { Severity::P2 })
        .evidence(format!(
            "unused in `{}`: {}; {healthy} healthy",
            short_name(&group.arn),
            zones.join(", ")
        ))
        .facts(unused.iter().take(NAMED).map(|target| said(target)))
        .cause(cause)
        .next(commands::balancer_zones())
        .next(commands::target_group(&group.arn))
        .explains((healthy == 0).then_some(Node::Responses))
}

/// Targets whose health is not checked.
fn unknown(snapshot: &Snapshot, group: &TargetGroup, unchecked: &[&Target]) -> Finding {
    let layout = &snapshot.layout;
    Finding::new(
        Code::TargetHealthUnknown,
        Node::Targets(group.app),
        layout.service(group.app),
    )
    .evidence(format!(
        "{} unavailable in `{}`",
        count(unchecked.len(), "target"),
        short_name(&group.arn)
    ))
    .facts(unchecked.iter().take(NAMED).map(|target| said(target)))
    .cause("the target group's health check is disabled, or the load balancer cannot tell: requests go to targets whether they answer or not")
    .next(commands::target_group(&group.arn))
}

/// A target with the load balancer's words.
fn said(target: &Target) -> String {
    format!(
        "`{}`: {} {}",
        target.id,
        target.reason.as_deref().unwrap_or_default(),
        target.description.as_deref().unwrap_or_default()
    )
}

fn none(snapshot: &Snapshot, group: &TargetGroup) -> Finding {
    let layout = &snapshot.layout;
    let app = group.app;
    let leaving = group.targets.len();
    Finding::new(Code::NoTargets, Node::Targets(app), layout.service(app))
        .evidence(if leaving == 0 {
            format!("no target is registered in `{}`", short_name(&group.arn))
        } else {
            format!(
                "all {} in `{}` are draining",
                count(leaving, "target"),
                short_name(&group.arn)
            )
        })
        .cause("no task of the service runs, so the load balancer has nobody to ask and answers 503")
        .next(commands::service_events(app))
        .next(commands::target_health(&group.arn))
        .explains([Node::Responses])
}

/// `targetgroup/bp-backend/73e2d6bc24d8a067` of an ARN.
fn short_name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn codes(states: &[&str]) -> Vec<(Code, Severity)> {
        let mut snapshot = sample::healthy();
        snapshot.targets.as_mut().unwrap()[0].targets =
            states.iter().map(|state| sample::target(state)).collect();
        rule(&snapshot, sample::now())
            .iter()
            .map(|finding| (finding.code, finding.severity))
            .collect()
    }

    #[test]
    fn states_of_targets() {
        assert_eq!(codes(&["healthy", "healthy"]), []);
        assert_eq!(codes(&["healthy", "draining"]), []);
        assert_eq!(codes(&["initial"]), []);
        assert_eq!(codes(&[]), [(Code::NoTargets, Severity::P1)]);
        assert_eq!(codes(&["draining"]), [(Code::NoTargets, Severity::P1)]);
        assert_eq!(
            codes(&["healthy", "unhealthy"]),
            [(Code::TargetsUnhealthy, Severity::P1)]
        );
    }

    #[test]
    fn one_sick_frontend_of_two_is_less_bad() {
        let mut snapshot = sample::healthy();
        let frontend = &mut snapshot.targets.as_mut().unwrap()[1];
        frontend.targets = vec![sample::target("healthy"), sample::target("unhealthy")];
        assert_eq!(rule(&snapshot, sample::now())[0].severity, Severity::P2);
    }

    #[test]
    fn targets_that_get_no_request_are_counted_by_zone() {
        let mut snapshot = sample::healthy();
        let unused = |zone: &str| Target {
            zone: Some(zone.to_owned()),
            reason: Some("Target.NotInUse".to_owned()),
            ..sample::target("unused")
        };
        snapshot.targets.as_mut().unwrap()[0].targets = vec![
            unused("us-east-1a"),
            sample::target("healthy"),
            unused("us-east-1c"),
            unused("us-east-1c"),
        ];
        let found = rule(&snapshot, sample::now());
        assert_eq!(
            (found[0].code, found[0].severity),
            (Code::TargetsUnused, Severity::P2)
        );
        assert_eq!(
            found[0].evidence[0],
            "unused in `targetgroup/bp-backend/73e2d6bc24d8a067`: 1 target in us-east-1a, 2 targets in us-east-1c; 1 healthy"
        );
        assert!(found[0].cause.contains("not enabled in the zone"));
        assert_eq!(found[0].explains, []);
        snapshot.targets.as_mut().unwrap()[0].targets = vec![unused("us-east-1a")];
        let found = rule(&snapshot, sample::now());
        assert_eq!(found[0].severity, Severity::P1);
        assert_eq!(found[0].explains, [Node::Responses]);
    }

    #[test]
    fn targets_that_are_not_checked_are_not_sick() {
        assert_eq!(
            codes(&["unavailable"]),
            [(Code::TargetHealthUnknown, Severity::P3)]
        );
        assert_eq!(
            codes(&["unhealthy", "unavailable"]),
            [(Code::TargetsUnhealthy, Severity::P1)]
        );
    }
}
