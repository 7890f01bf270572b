//! Plans of a rollback that is gone on with.

use super::plan::{Failed, Seen, name_in, plan};
use super::{Action, skipped};
use crate::change::{Basis, Plan, RunNames, Target};

fn failed(name: &str, kind: &str, reason: &str) -> Failed {
    Failed {
        name: name.to_owned(),
        kind: kind.to_owned(),
        reason: Some(reason.to_owned()),
    }
}

fn halted() -> Seen {
    Seen {
        status: Some("UPDATE_ROLLBACK_FAILED".to_owned()),
        failed: vec![
            failed("Service", "AWS::ECS::Service", "it is not authorized"),
            failed("Alarm", "AWS::CloudWatch::Alarm", "Resource update cancelled"),
            failed("Inner", "AWS::CloudFormation::Stack", "Embedded stack failed"),
            failed("bp-compute-Inner-1ABC.Queue", "AWS::SQS::Queue", "it is gone"),
        ],
        going_on: None,
    }
}

fn planned(skip: &[&str], seen: &Seen) -> Plan<Action> {
    let skip: Vec<String> = skip.iter().map(|name| (*name).to_owned()).collect();
    let basis = Basis {
        target: &Target::sample(),
        names: &RunNames::fixed(),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    plan("bp-compute", &skip, seen, &basis)
}

#[test]
fn a_rollback_is_continued_with_or_without_what_has_failed() {
    let all = planned(&[], &halted());
    assert!(all.blockers.is_empty() && all.warnings.is_empty());
    assert_eq!(all.steps[0].action.left, 4);
    assert_eq!(
        all.steps[0].notes[0],
        "is tried again: Service (AWS::ECS::Service): it is not authorized"
    );
    let skip = ["Service", "bp-compute-Inner-1ABC.Queue"];
    let without = planned(&skip, &halted());
    assert!(without.blockers.is_empty(), "{:?}", without.blockers);
    assert_eq!(without.steps[0].action.call.skip, skip);
    assert_eq!(without.steps[0].action.left, 2);
    assert!(without.steps[0].notes[0].starts_with("stays as it is: Service"));
    assert!(without.warnings[0].contains("before the next update"));
}

#[test]
fn only_what_the_rollback_stumbled_over_can_be_skipped() {
    for (resource, words) in [
        ("Queue", "has not failed in the rollback"),
        ("Alarm", "was cancelled because another resource failed"),
        ("Inner", "skip the resource in it"),
    ] {
        let plan = planned(&[resource], &halted());
        assert_eq!(plan.blockers.len(), 1, "{resource}");
        assert!(
            plan.blockers[0].reason.contains(words),
            "{}",
            plan.blockers[0].reason
        );
        let hint = plan.blockers[0].hint.to_string();
        assert!(
            hint.contains("Service, bp-compute-Inner-1ABC.Queue can be skipped"),
            "{hint}"
        );
    }
}

#[test]
fn a_stack_in_another_state_has_none_to_continue() {
    let of = |status: &str| Seen {
        status: Some(status.to_owned()),
        ..Seen::absent()
    };
    let done = planned(&[], &of("UPDATE_ROLLBACK_COMPLETE"));
    assert!(done.steps.is_empty() && done.blockers.is_empty());
    for (status, words) in [
        ("UPDATE_COMPLETE", "no rollback that could be continued"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "somebody else works on it"),
    ] {
        let plan = planned(&[], &of(status));
        assert!(plan.steps.is_empty());
        assert!(
            plan.blockers[0].reason.contains(words),
            "{}",
            plan.blockers[0].reason
        );
    }
    assert!(planned(&[], &Seen::absent()).absent.is_some());
    let ours = Seen {
        going_on: Some("token".to_owned()),
        ..of("UPDATE_ROLLBACK_IN_PROGRESS")
    };
    let plan = planned(&[], &ours);
    assert!(plan.blockers.is_empty() && plan.steps[0].calls.is_empty());
}

#[test]
fn names_are_those_of_the_api_reference() {
    for good in ["Service", "bp-compute-Inner-1ABC.Queue", "1a"] {
        assert!(skipped(good).is_ok(), "{good}");
    }
    for bad in ["", "a-b", "a.b.c", "-x.Queue", "Service.", ".Queue", "a b"] {
        assert!(skipped(bad).is_err(), "{bad}");
    }
    let arn = "arn:aws:cloudformation:us-east-1:123456789012:stack/bp-compute-Inner-1ABC/0af1";
    assert_eq!(name_in(arn).as_deref(), Some("bp-compute-Inner-1ABC"));
}
