//! Plans of a bootstrap.

use super::observe::Seen;
use super::plan::plan;
use super::view::Prepared;
use crate::change::{Plan, Target};
use crate::error::CtlError;
use crate::stacks::Bootstrap;

fn wanted(version: Option<u32>) -> Bootstrap {
    Bootstrap {
        stack: "CDKToolkit".to_owned(),
        qualifier: "hnb659fds".to_owned(),
        wanted: version,
    }
}

fn seen(status: Option<&str>, version: Option<u32>, things: [bool; 2]) -> Seen {
    Seen {
        prepared: Prepared {
            status: status.map(str::to_owned),
            version,
            bucket: "assets".to_owned(),
            has_bucket: things[0],
            repository: "images".to_owned(),
            has_repository: things[1],
        },
        no_npx: None,
    }
}

fn planned(wanted: &Bootstrap, seen: &Seen, upgrade: bool) -> Plan<super::Action> {
    plan(wanted, upgrade, seen, &Target::sample()).unwrap()
}

#[test]
fn what_is_complete_and_new_enough_stays_as_it_is() {
    let complete = seen(Some("UPDATE_COMPLETE"), Some(30), [true, true]);
    for version in [None, Some(6), Some(30)] {
        assert!(planned(&wanted(version), &complete, false).steps.is_empty());
    }
    let plan = planned(&wanted(Some(31)), &complete, false);
    assert!(plan.blockers.is_empty());
    assert_eq!(
        plan.steps[0].notes[0],
        "its version is 30, and the app's stacks need 31"
    );
    // What is new enough is brought up to date on demand.
    assert_eq!(planned(&wanted(None), &complete, true).steps.len(), 1);
}

#[test]
fn an_account_without_anything_is_bootstrapped() {
    for status in [None, Some("ROLLBACK_COMPLETE"), Some("ROLLBACK_FAILED")] {
        let plan = planned(&wanted(None), &seen(status, None, [false, false]), false);
        assert!(plan.blockers.is_empty(), "{status:?}: {:?}", plan.blockers);
        assert_eq!(plan.steps.len(), 1);
    }
}

#[test]
fn what_the_cdk_could_not_mend_is_said_before() {
    for (status, version, things, words) in [
        (
            None,
            None,
            [true, false],
            "bucket assets of an earlier one is there",
        ),
        (
            None,
            None,
            [true, true],
            "repository images of an earlier one are there",
        ),
        (
            Some("UPDATE_COMPLETE"),
            Some(30),
            [false, true],
            "there is no bucket assets: a bootstrap does not make it anew",
        ),
        (
            Some("CREATE_COMPLETE"),
            None,
            [true, true],
            "there is no parameter /cdk-bootstrap/hnb659fds/version",
        ),
        (
            Some("UPDATE_IN_PROGRESS"),
            Some(30),
            [true, true],
            "somebody else works on it",
        ),
        (
            Some("UPDATE_ROLLBACK_FAILED"),
            Some(30),
            [true, true],
            "before its rollback is complete",
        ),
        (Some("DELETE_FAILED"), None, [true, true], "can only be deleted"),
    ] {
        let plan = planned(&wanted(None), &seen(status, version, things), false);
        assert_eq!(plan.blockers.len(), 1, "{status:?}");
        assert!(
            plan.blockers[0].reason.contains(words),
            "{}",
            plan.blockers[0].reason
        );
    }
}

#[test]
fn a_machine_without_npx_is_told_before_anything_is_asked() {
    let mut nothing = seen(None, None, [false, false]);
    nothing.no_npx = Some(CtlError::config("no npx"));
    assert!(plan(&wanted(None), false, &nothing, &Target::sample()).is_err());
    // Where there is nothing to do, nothing is missed.
    let mut complete = seen(Some("CREATE_COMPLETE"), Some(30), [true, true]);
    complete.no_npx = Some(CtlError::config("no npx"));
    assert!(plan(&wanted(None), false, &complete, &Target::sample()).is_ok());
}
