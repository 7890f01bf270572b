//! The load balancer's targets: none, or unhealthy ones.

use jiff::Timestamp;

use super::alarms;
use crate::layout::App;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Snapshot, Target, TargetGroup};
use crate::triage::wording::count;

/// Targets that a finding names one by one.
const NAMED: usize = 4;

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let groups = snapshot.targets.iter().flatten();
    groups.filter_map(|group| check(snapshot, group, now)).collect()
}

fn check(snapshot: &Snapshot, group: &TargetGroup, now: Timestamp) -> Option<Finding> {
    let in_state = |wanted: &[&str]| -> Vec<&Target> {
        group
            .targets
            .iter()
            .filter(|target| wanted.contains(&target.state.as_str()))
            .collect()
    };
    let (healthy, initial) = (in_state(&["healthy"]), in_state(&["initial"]));
    let unhealthy = in_state(&["unhealthy", "unavailable"]);
    if !unhealthy.is_empty() {
        return Some(sick(snapshot, group, &unhealthy, healthy.len(), now));
    }
    // Targets that have just been registered are a state of minutes, not a finding.
    (healthy.is_empty() && initial.is_empty()).then(|| none(snapshot, group))
}

fn sick(
    snapshot: &Snapshot,
    group: &TargetGroup,
    unhealthy: &[&Target],
    healthy: usize,
    now: Timestamp,
) -> Finding {
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
    for target in unhealthy.iter().take(NAMED) {
        finding = finding.evidence(format!(
            "`{}`: {} {}",
            target.id,
            target.reason.as_deref().unwrap_or_default(),
            target.description.as_deref().unwrap_or_default()
        ));
    }
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
        .next(commands::matching_lines(
            layout,
            app,
            "?error ?ERROR ?CRITICAL",
            now,
        ))
        .explains([Node::Responses])
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
                "all {} in `{}` are draining or unused",
                count(leaving, "target"),
                short_name(&group.arn)
            )
        })
        .cause("no task of the service runs, so the load balancer has nobody to ask and answers 503")
        .next(commands::service_events(layout, app))
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
}
