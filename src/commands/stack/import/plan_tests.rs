//! Plans of an import.

use serde_json::{Value, json};

use super::observe::{Found, Seen};
use super::plan::plan;
use super::{Action, Asked, asked};
use crate::change::{Basis, Plan, RunNames, Target};
use crate::stacks::StackArtifact;

const GROUP: &str = "/gpu-workers/a";

fn artifact() -> StackArtifact {
    StackArtifact {
        name: "bp-data".to_owned(),
        needs: Vec::new(),
        template: json!({ "Resources": {
            "Logs": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": GROUP } },
            "Database": { "Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Retain",
                "Properties": { "DBSubnetGroupName": { "Ref": "Subnets" } } },
            "Subnets": { "Type": "AWS::RDS::DBSubnetGroup", "DeletionPolicy": "Retain" },
        } }),
        tags: vec![("Project".to_owned(), "bp".to_owned())],
        termination_protection: false,
        role: None,
        template_url: None,
        assets: None,
        has_files: false,
    }
}

fn logs() -> Found {
    Found {
        logical: "Logs".to_owned(),
        kind: "AWS::Logs::LogGroup".to_owned(),
        property: Some("LogGroupName".to_owned()),
        identifier: Some(GROUP.to_owned()),
        is_there: Some(true),
        owner: None,
        is_asked: false,
    }
}

fn database() -> Found {
    Found {
        logical: "Database".to_owned(),
        kind: "AWS::RDS::DBInstance".to_owned(),
        property: Some("DBInstanceIdentifier".to_owned()),
        identifier: Some("db".to_owned()),
        is_asked: true,
        ..logs()
    }
}

fn seen(status: Option<&str>, deployed: Value, found: Vec<Found>) -> Seen {
    Seen {
        status: status.map(str::to_owned),
        deployed,
        found,
        going_on: None,
    }
}

fn planned(words: &[&str], seen: &Seen) -> Plan<Action> {
    let words: Vec<Asked> = words.iter().map(|text| asked(text).unwrap()).collect();
    let basis = Basis {
        target: &Target::sample(),
        names: &RunNames::fixed(),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    plan(&artifact(), &words, seen, &basis)
}

#[test]
fn a_new_stack_is_made_of_what_is_there() {
    let plan = planned(&[], &seen(None, Value::Null, vec![logs()]));
    assert!(plan.blockers.is_empty(), "{:?}", plan.blockers);
    let action = &plan.steps[0].action;
    assert_eq!(action.create.imports[0].identifier, GROUP);
    assert_eq!(action.create.tags.len(), 1);
    assert!(action.delete.is_none() && action.discard_stack.is_some());
    assert!(plan.steps[0].notes[1].contains("gets DeletionPolicy Retain"));
    // What a creation that was rolled back has left goes first.
    let left = planned(&[], &seen(Some("ROLLBACK_COMPLETE"), Value::Null, vec![logs()]));
    assert!(left.blockers.is_empty() && left.steps[0].action.delete.is_some());
}

#[test]
fn a_stack_that_is_there_keeps_its_tags_and_what_it_has() {
    let deployed = json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } } });
    let plan = planned(&[], &seen(Some("UPDATE_COMPLETE"), deployed, vec![logs()]));
    let action = &plan.steps[0].action;
    assert!(action.create.tags.is_empty() && action.discard_stack.is_none());
    let template: Value = serde_json::from_str(&action.create.template).unwrap();
    assert!(template["Resources"].get("Topic").is_some());
    assert!(template["Resources"].get("Database").is_none());
}

#[test]
fn nothing_is_taken_in_that_is_absent_or_anothers() {
    let absent = Found {
        is_there: Some(false),
        ..logs()
    };
    let nothing = planned(&[], &seen(None, Value::Null, vec![absent.clone()]));
    assert!(nothing.steps.is_empty() && nothing.blockers.is_empty());
    let anothers = Found {
        owner: Some("bp-other".to_owned()),
        ..logs()
    };
    let plan = planned(&[], &seen(None, Value::Null, vec![anothers.clone()]));
    assert!(plan.steps.is_empty());
    assert!(plan.warnings[0].contains("stays with bp-other"));
    let asked = |found: Found| Found {
        is_asked: true,
        ..found
    };
    for (found, words) in [
        (asked(absent), "the account has no AWS::Logs::LogGroup"),
        (asked(anothers), "belongs to bp-other"),
        (
            asked(Found {
                identifier: None,
                is_there: None,
                ..logs()
            }),
            "does not say the LogGroupName",
        ),
        (
            asked(Found {
                property: None,
                is_there: None,
                ..logs()
            }),
            "does not know which property",
        ),
    ] {
        let plan = planned(&["Logs"], &seen(None, Value::Null, vec![found]));
        assert_eq!(plan.blockers.len(), 1, "{words}");
        assert!(
            plan.blockers[0].reason.contains(words),
            "{}",
            plan.blockers[0].reason
        );
    }
    let unknown = planned(&["Nothing"], &seen(None, Value::Null, Vec::new()));
    assert!(unknown.blockers[0].reason.contains("has no resource `Nothing`"));
}

#[test]
fn what_a_resource_refers_to_comes_with_it() {
    let alone = planned(&["Database=db"], &seen(None, Value::Null, vec![database()]));
    assert!(
        alone.blockers[0].reason.contains("refer to Subnets"),
        "{}",
        alone.blockers[0].reason
    );
    let subnets = Found {
        logical: "Subnets".to_owned(),
        kind: "AWS::RDS::DBSubnetGroup".to_owned(),
        property: Some("DBSubnetGroupName".to_owned()),
        identifier: Some("subnets".to_owned()),
        // Nothing here can look for one.
        is_there: None,
        ..database()
    };
    let both = planned(
        &["Database=db", "Subnets=subnets"],
        &seen(None, Value::Null, vec![database(), subnets]),
    );
    assert!(both.blockers.is_empty(), "{:?}", both.blockers);
    assert_eq!(both.steps[0].action.create.imports.len(), 2);
}

#[test]
fn states_that_take_no_import_are_told_with_the_way_on() {
    for (status, words, command) in [
        ("UPDATE_IN_PROGRESS", "somebody else", "--watch"),
        (
            "UPDATE_ROLLBACK_FAILED",
            "rollback is complete",
            "continue-rollback",
        ),
        ("DELETE_FAILED", "takes no import", "stack status"),
    ] {
        let plan = planned(&[], &seen(Some(status), json!({ "Resources": {} }), vec![logs()]));
        let blocker = &plan.blockers[0];
        assert!(blocker.reason.contains(words), "{}", blocker.reason);
        assert!(blocker.hint.to_string().contains(command), "{}", blocker.hint);
    }
}

#[test]
fn resources_are_named_alone_with_an_identifier_or_with_its_property_too() {
    let parts = |text: &str| {
        let one = asked(text).unwrap();
        assert_eq!(one.text(), text);
        (one.property, one.identifier)
    };
    assert_eq!(parts("Logs"), (None, None));
    assert_eq!(parts("Logs=/a"), (None, Some("/a".to_owned())));
    assert_eq!(
        parts("Table=TableName=t"),
        (Some("TableName".to_owned()), Some("t".to_owned()))
    );
    for bad in ["", "a-b", "Logs=", "Logs==x", "Logs=a=\u{1b}"] {
        assert!(asked(bad).is_err(), "{bad:?}");
    }
}
