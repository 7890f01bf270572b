//! What could not be checked: a blind spot is a finding, never silence.

use jiff::Timestamp;

use crate::error::{CommandLine, ErrorKind};
use crate::triage::catalog::Code;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Blind, Probe, Snapshot};

pub(super) fn rule(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    Probe::ALL
        .iter()
        .filter_map(|&probe| Some((probe, snapshot.blind(probe)?)))
        .map(|(probe, blind)| finding(snapshot, probe, blind))
        .collect()
}

fn finding(snapshot: &Snapshot, probe: Probe, blind: &Blind) -> Finding {
    let dependents = Probe::ALL
        .iter()
        .filter(|&&other| {
            snapshot
                .blind(other)
                .is_some_and(|blind| blind.needs == Some(probe))
        })
        .map(|&other| Node::Probe(other));
    let mut finding = Finding::new(Code::CouldNotCheck, Node::Probe(probe), probe.name())
        .severity(probe.blind_severity())
        .evidence(blind.reason.trim())
        .cause(cause(blind))
        .explains(dependents);
    for hint in &blind.hints {
        finding = finding.next(hint);
    }
    if blind.hints.is_empty() {
        finding = finding.next(CommandLine::bpctl(["triage"]));
    }
    finding
}

fn cause(blind: &Blind) -> String {
    if let Some(needed) = blind.needs {
        return format!("it needs what `{}` could not see", needed.name());
    }
    match blind.kind {
        ErrorKind::AccessDenied => "the principal may not call this API",
        ErrorKind::Credentials => "the credentials are missing or have expired",
        ErrorKind::Throttled => "AWS throttled the calls and retries did not help; others use the same quota",
        ErrorKind::TimedOut | ErrorKind::Unreachable => "no answer in time",
        ErrorKind::NotFound => "the thing to look at does not exist",
        _ => "the call failed",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::fold::fold;
    use crate::triage::rules::sample;

    #[test]
    fn a_probe_without_its_question_goes_under_the_one_it_needs() {
        let mut snapshot = sample::healthy();
        snapshot.groups = Err(sample::blind());
        let needs = || Blind {
            needs: Some(Probe::Groups),
            ..sample::blind()
        };
        snapshot.amis = Err(needs());
        snapshot.fleet_alarms = Err(needs());
        let roots = fold(rule(&snapshot, sample::now()));
        assert_eq!(roots.len(), 1);
        assert_eq!(roots[0].subject, "fleet-groups");
        assert_eq!(roots[0].symptoms.len(), 2);
        assert_eq!(
            roots[0].symptoms[0].cause,
            "it needs what `fleet-groups` could not see"
        );
    }

    #[test]
    fn every_probe_is_reported_when_it_is_blind() {
        let mut snapshot = sample::healthy();
        snapshot.topics = Err(sample::blind());
        snapshot.services = Err(sample::blind());
        let subjects: Vec<String> = rule(&snapshot, sample::now())
            .into_iter()
            .map(|finding| finding.subject)
            .collect();
        assert_eq!(subjects, ["ecs-services", "scale-to-zero-topic"]);
    }
}
