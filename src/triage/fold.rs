//! The dependency walk: symptoms go under the finding that explains them, causes come first.

use std::cmp::Reverse;

use super::finding::{Finding, Node};

/// Root causes in the order in which to deal with them, their symptoms inside.
///
/// A finding goes under the deepest other finding that explains its part of the platform. A cause is
/// at least as severe as what it causes. Roots are ordered by severity, then deepest first.
pub(crate) fn fold(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        (Reverse(a.node.depth()), a.code.id(), &a.subject).cmp(&(
            Reverse(b.node.depth()),
            b.code.id(),
            &b.subject,
        ))
    });
    let parents: Vec<Option<usize>> = findings
        .iter()
        .map(|finding| parent(&findings, &finding.node))
        .collect();
    // Deepest first: a finding that explains stands before what it explains, so going backwards every
    // finding is complete when it moves into its parent.
    let mut slots: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    for (index, parent) in parents.iter().enumerate().rev() {
        let Some(parent) = parent else { continue };
        let Some(symptom) = slots.get_mut(index).and_then(Option::take) else {
            continue;
        };
        if let Some(cause) = slots.get_mut(*parent).and_then(Option::as_mut) {
            cause.severity = cause.severity.min(symptom.severity);
            cause.symptoms.insert(0, symptom);
        }
    }
    let mut roots: Vec<Finding> = slots.into_iter().flatten().collect();
    // Stable: within a severity the order of depth stays. What could not be checked comes last.
    roots.sort_by_key(|root| (root.severity, matches!(root.node, Node::Probe(_))));
    roots
}

/// The first (deepest) finding that explains `node` and lies below it.
fn parent(findings: &[Finding], node: &Node) -> Option<usize> {
    findings
        .iter()
        .position(|cause| cause.node.depth() > node.depth() && cause.explains.contains(node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::App;
    use crate::triage::catalog::Code;
    use crate::triage::finding::Severity;

    fn alarm() -> Finding {
        Finding::new(Code::AlarmUnexplained, Node::Alarm("p1".to_owned()), "p1").severity(Severity::P1)
    }

    fn responses() -> Finding {
        Finding::new(Code::ServerErrors, Node::Responses, "alb").explains([Node::Alarm("p1".to_owned())])
    }

    fn database() -> Finding {
        Finding::new(Code::DatabaseRefuses, Node::Database, "db")
            .severity(Severity::P2)
            .explains([Node::Responses, Node::Alarm("p1".to_owned())])
    }

    #[test]
    fn a_symptom_goes_under_the_deepest_cause_whatever_the_order() {
        for order in [
            vec![alarm(), responses(), database()],
            vec![database(), responses(), alarm()],
            vec![responses(), alarm(), database()],
        ] {
            let roots = fold(order);
            assert_eq!(roots.len(), 1);
            assert_eq!(roots[0].code, Code::DatabaseRefuses);
            let codes: Vec<Code> = roots[0].symptoms.iter().map(|s| s.code).collect();
            assert_eq!(codes, [Code::ServerErrors, Code::AlarmUnexplained]);
        }
    }

    #[test]
    fn a_cause_is_as_severe_as_its_worst_symptom() {
        let roots = fold(vec![alarm(), database()]);
        assert_eq!(roots[0].severity, Severity::P1);
    }

    #[test]
    fn two_that_explain_each_other_do_not_swallow_each_other() {
        let a = Finding::new(Code::ServiceShort, Node::Service(App::Backend), "a")
            .explains([Node::Targets(App::Backend)]);
        let b = Finding::new(Code::TargetsUnhealthy, Node::Targets(App::Backend), "b")
            .explains([Node::Service(App::Backend)]);
        let roots = fold(vec![b, a]);
        assert_eq!(roots.len(), 1);
        assert_eq!(roots[0].code, Code::ServiceShort);
    }

    #[test]
    fn the_worst_comes_first_and_blind_spots_last() {
        let blind = Finding::new(
            Code::CouldNotCheck,
            Node::Probe(crate::triage::snapshot::Probe::Services),
            "x",
        )
        .severity(Severity::P2);
        let idle = Finding::new(Code::TopicUnsubscribed, Node::Topic, "t").severity(Severity::P2);
        let roots = fold(vec![blind, idle, responses()]);
        let codes: Vec<Code> = roots.iter().map(|root| root.code).collect();
        assert_eq!(
            codes,
            [Code::ServerErrors, Code::TopicUnsubscribed, Code::CouldNotCheck]
        );
    }
}
