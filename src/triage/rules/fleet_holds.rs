//! Fleets that an operator holds, and holds whose time is over.

use jiff::Timestamp;

use crate::fleet::hold::minute;
use crate::layout::FleetId;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Hold, Snapshot};

use super::fleets;

fn hold<'a>(snapshot: &'a Snapshot, fleet: &FleetId) -> Option<&'a Result<Hold, String>> {
    snapshot.holds.as_ref().ok()?.get(fleet)
}

/// The processes that the hold of a fleet has suspended.
pub(super) fn processes<'a>(snapshot: &'a Snapshot, fleet: &FleetId) -> &'a [String] {
    match hold(snapshot, fleet) {
        Some(Ok(hold)) => &hold.processes,
        Some(Err(_)) | None => &[],
    }
}

/// Why nobody can say whether a fleet is held.
pub(super) fn unreadable(snapshot: &Snapshot, fleet: &FleetId) -> Option<String> {
    match hold(snapshot, fleet) {
        Some(Err(why)) => Some(format!("its hold is not known: failed to {why}")),
        Some(Ok(_)) | None => None,
    }
}

/// Holds in force, and those that are overdue.
pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let held = |fleet: &fleets::Fleet<'_>| {
        let Some(Ok(hold)) = hold(snapshot, fleet.id) else {
            return None;
        };
        let suspended: Vec<&str> = hold
            .processes
            .iter()
            .filter(|name| fleet.group.is_suspended(name))
            .map(String::as_str)
            .collect();
        if suspended.is_empty() {
            return None;
        }
        let (code, cause) = if hold.is_overdue(now) {
            (
                Code::HoldOverdue,
                "AWS releases nothing by itself, and nobody has released it since its time was over",
            )
        } else {
            (
                Code::FleetHeld,
                "an operator has held it; it scales again when it is released",
            )
        };
        let node = Node::Launch(fleet.id.clone());
        let finding = Finding::new(code, node, fleet.id.to_string())
            .evidence(format!(
                "{} since {} by {}",
                hold.clause(now),
                minute(hold.since),
                hold.by
            ))
            .facts(hold.reason.iter().map(|reason| format!("reason: {reason}")))
            .evidence(format!("suspended: {}", suspended.join(", ")))
            .cause(cause)
            .next(commands::fleet_status(fleet.id))
            .next(commands::release(fleet.id));
        let finding = if hold.is_overdue(now) {
            finding.next(commands::hold_on(fleet.id))
        } else {
            finding
        };
        Some(finding.explains(fleet.downstream()))
    };
    fleets::joined(snapshot).iter().filter_map(held).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{fleet_launches, sample};
    use super::*;
    use crate::fleet::hold::{ALARMS, FORM, LAUNCH};
    use crate::triage::finding::Severity;

    const FLEET: &str = "production/gpu-default";

    fn held(until: Option<Timestamp>, suspended: &[&str]) -> Snapshot {
        let mut snapshot = sample::healthy();
        let names = suspended.iter();
        sample::group_mut(&mut snapshot, FLEET).suspended = names
            .map(|name| ((*name).to_owned(), "User suspended".to_owned()))
            .collect();
        let hold = Hold {
            form: FORM.to_owned(),
            processes: vec![ALARMS.to_owned()],
            since: sample::before(90),
            until,
            by: "arn:aws:iam::123456789012:user/operator".to_owned(),
            reason: Some("upgrade".to_owned()),
            run: "r".to_owned(),
            released: None,
            released_by: None,
        };
        snapshot.holds = Ok([(FLEET.parse().unwrap(), Ok(hold))].into());
        snapshot
    }

    #[test]
    fn a_hold_is_a_finding_and_an_overdue_one_is_worse() {
        for (until, code, severity, next) in [
            (None, Code::FleetHeld, Severity::P3, 2),
            (Some(sample::before(-30)), Code::FleetHeld, Severity::P3, 2),
            (Some(sample::before(30)), Code::HoldOverdue, Severity::P2, 3),
        ] {
            let snapshot = held(until, &[ALARMS]);
            let findings = rule(&snapshot, sample::now());
            let [finding] = findings.as_slice() else {
                panic!("{findings:?}")
            };
            assert_eq!((finding.code, finding.severity), (code, severity));
            assert_eq!(finding.next.len(), next, "{:?}", finding.next);
            assert!(finding.evidence.contains(&"reason: upgrade".to_owned()));
            // It is no suspension that nobody knows of.
            assert!(fleet_launches::suspended(&snapshot, sample::now()).is_empty());
        }
    }

    #[test]
    fn what_the_hold_has_not_suspended_is_told_beside_it() {
        let snapshot = held(None, &[ALARMS, LAUNCH]);
        assert_eq!(rule(&snapshot, sample::now()).len(), 1);
        let others = fleet_launches::suspended(&snapshot, sample::now());
        assert!(others[0].evidence[0].starts_with("`Launch`"), "{others:?}");
        assert_eq!(others[0].evidence.len(), 1);
    }

    #[test]
    fn a_hold_that_was_resumed_by_hand_holds_nothing() {
        assert!(rule(&held(None, &[]), sample::now()).is_empty());
    }

    #[test]
    fn a_record_that_cannot_be_read_is_told_with_what_is_suspended() {
        let mut snapshot = held(None, &[ALARMS]);
        let broken = Err("read the hold: not JSON".to_owned());
        snapshot.holds = Ok([(FLEET.parse().unwrap(), broken)].into());
        assert!(rule(&snapshot, sample::now()).is_empty());
        let found = fleet_launches::suspended(&snapshot, sample::now());
        assert!(found[0].evidence[1].ends_with("not JSON"), "{found:?}");
    }
}
