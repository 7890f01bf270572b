//! `bpctl stack`: the stacks of the platform, their events, outputs and drift, and deletions that do not go as planned.

use std::time::Duration;

use bpctl::Clock;
use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::Account;

fn texts(document: &Value, list: &str, member: &str) -> Vec<String> {
    let rows = document[list].as_array().expect("a list");
    rows.iter()
        .map(|row| row[member].as_str().unwrap_or("-").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_list_is_in_the_order_of_deployment_in_both_layouts() {
    let single = Account::with(&[]);
    let run = single.run(&["stack", "list", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        texts(&run.json(), "stacks", "name"),
        [
            "bp-cicd",
            "bp-network",
            "bp-data",
            "bp-compute",
            "bp-monitoring",
            "bp-gpu-shared",
            "bp-gpu-fleet-production-gpu-default",
            "bp-gpu-fleet-staging-gpu-default",
        ]
    );
    // Whose account it is, the stacks, and three kinds of changes in CloudTrail.
    assert_eq!(run.calls, 5);
    let run = Account::staged(&[]).run(&["stack", "list", "-o", "name"]).await;
    let names: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(names.len(), 6, "{}", run.stdout);
    assert_eq!((names[0], names[4]), ("bp-staging-cicd", "bp-staging-gpu"));
}

#[tokio::test(start_paused = true)]
async fn who_changed_the_stacks_is_unknown_without_cloudtrail() {
    let account = Account::with(&[]);
    let refused = FaultRule::on(Service::CloudTrail, "LookupEvents", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(refused));
    for verb in ["list", "status"] {
        let run = account.run(&["stack", verb]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert!(
            run.stderr.contains("who changed the stacks last is not known")
                && run.stdout.contains("bp-monitoring"),
            "{}",
            run.text()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn core_stacks_that_are_not_there_are_absent() {
    let account = Account::with(&[]);
    let elsewhere = |process: &mut bpctl::Process| {
        process.env.insert("BPCTL_PREFIX".to_owned(), "qq".to_owned());
    };
    let run = account.run_with(&["stack", "list"], elsewhere).await;
    assert_eq!(run.stdout.matches("absent").count(), 6, "{}", run.text());
    let names = account
        .run_with(&["stack", "list", "-o", "name"], elsewhere)
        .await;
    assert_eq!(names.stdout, "");
}

#[tokio::test(start_paused = true)]
async fn one_stack_is_asked_for_by_its_part_its_name_or_its_fleet() {
    let account = Account::with(&[]);
    for (given, name) in [
        ("compute", "bp-compute"),
        ("bp-compute", "bp-compute"),
        ("production/gpu-default", "bp-gpu-fleet-production-gpu-default"),
    ] {
        let run = account.run(&["stack", "status", given, "-o", "json"]).await;
        assert_eq!(texts(&run.json(), "stacks", "name"), [name], "{}", run.text());
    }
    let unknown = account.run(&["stack", "status", "compite"]).await;
    assert_eq!(unknown.status.code(), 2);
    assert_eq!(unknown.calls, 0, "refused before any call");
    assert!(unknown.stderr.contains("`compute`"), "{}", unknown.stderr);
    let missing = account.run(&["stack", "status", "staging/none-such"]).await;
    assert_eq!(missing.status.code(), 1, "{}", missing.text());
    assert!(missing.stderr.contains("bpctl stack list"), "{}", missing.stderr);
}

#[tokio::test(start_paused = true)]
async fn the_status_counts_resources_and_says_when_the_operation_began() {
    let account = Account::with(&[]);
    let run = account.run(&["stack", "status", "compute", "-o", "json"]).await;
    let document = run.json();
    let stack = &document["stacks"][0];
    assert_eq!(stack["status"], "UPDATE_COMPLETE");
    assert_eq!(stack["resources"], json!({"UPDATE_COMPLETE": 6}));
    assert_eq!(stack["operation_began"], stack["updated"]);
    assert_eq!((&stack["failures"], &stack["next"]), (&json!([]), &json!([])));
}

#[tokio::test(start_paused = true)]
async fn events_of_several_stacks_are_merged_by_time() {
    let account = Account::with(&[]);
    let run = account
        .run(&[
            "stack", "events", "network", "compute", "--since", "90d", "-o", "json",
        ])
        .await;
    let document = run.json();
    let times = texts(&document, "events", "at");
    assert!(times.is_sorted(), "{times:?}");
    let stacks = texts(&document, "events", "stack");
    for stack in ["bp-network", "bp-compute"] {
        assert!(stacks.iter().any(|seen| seen == stack), "{stacks:?}");
    }
    // Nothing happened within the day.
    let recent = account.run(&["stack", "events", "network", "-o", "name"]).await;
    assert_eq!((recent.status.code(), recent.stdout.as_str()), (0, ""));
    assert!(recent.stderr.contains("Nothing happened"), "{}", recent.stderr);
    let failed = account
        .run(&["stack", "events", "--failed", "--since", "90d", "-o", "json"])
        .await;
    assert_eq!(failed.json()["events"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn outputs_tell_the_names_under_which_they_are_imported() {
    let account = Account::with(&[]);
    let run = account
        .run(&["stack", "outputs", "gpu-shared", "-o", "json"])
        .await;
    let exports = texts(&run.json(), "outputs", "export");
    assert!(
        exports.iter().any(|name| name == "bp-scale-to-zero-topic-arn"),
        "{exports:?}"
    );
    // Two outputs of one value: only one of them is exported.
    let run = account.run(&["stack", "outputs", "compute", "-o", "json"]).await;
    let document = run.json();
    let outputs = document["outputs"].as_array().expect("a list");
    let plain = outputs.iter().find(|output| output["key"] == "AlbDns");
    assert!(plain.expect("an output")["export"].is_null(), "{document}");
}

#[tokio::test(start_paused = true)]
async fn drift_is_looked_for_anew_and_changes_nothing() {
    let account = Account::with(&[Scenario::RdsRefused]);
    let run = account
        .run(&["stack", "drift", "--exit-code", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    let document = run.json();
    let stacks = document["stacks"].as_array().expect("a list");
    let drifted: Vec<&Value> = stacks
        .iter()
        .filter(|stack| stack["drift"] == "DRIFTED")
        .collect();
    assert_eq!(drifted.len(), 1, "{document}");
    assert_eq!(drifted[0]["name"], "bp-network");
    assert_eq!(drifted[0]["resources"][0]["differences"][0]["kind"], "REMOVE");
    // Without the flag drift is no failure.
    let run = account.run(&["stack", "drift", "network"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.stdout.contains("bp-network  DRIFTED"), "{}", run.stdout);
}

#[tokio::test(start_paused = true)]
async fn drift_shows_each_property_as_it_should_be_and_is() {
    let account = Account::with(&[Scenario::Drifted]);
    let run = account.run(&["stack", "drift", "-o", "json"]).await;
    let document = run.json();
    let stacks = document["stacks"].as_array().expect("a list").iter();
    let found: Vec<(String, String, String)> = stacks
        .flat_map(|stack| stack["resources"].as_array().cloned().unwrap_or_default())
        .flat_map(|resource| resource["differences"].as_array().cloned().unwrap_or_default())
        .map(|difference| {
            let text = |name: &str| difference[name].as_str().expect("a text").to_owned();
            (text("path"), text("kind"), text("actual"))
        })
        .collect();
    assert_eq!(found.len(), 2, "{document:#}");
    assert!(
        found
            .iter()
            .any(|(path, kind, _)| path == "/SecurityGroupIngress/2" && kind == "ADD"),
        "{found:?}"
    );
    assert!(
        found.contains(&("/Threshold".to_owned(), "NOT_EQUAL".to_owned(), "90.0".to_owned())),
        "{found:?}"
    );
    let shown = account.run(&["stack", "drift", "monitoring"]).await;
    assert!(shown.stdout.contains("/Threshold"), "{}", shown.stdout);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_looked_at_is_told_and_never_in_sync() {
    let account = Account::with(&[]);
    let inject = |fault| {
        let rule = FaultRule::on(
            Service::CloudFormation,
            "DescribeStackDriftDetectionStatus",
            fault,
        );
        account.sandbox.with_world(|world| world.inject(rule));
    };
    inject(Fault::Fail);
    let run = account
        .run(&["stack", "drift", "network", "data", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    for stack in run.json()["stacks"].as_array().expect("a list") {
        assert!(stack["drift"].is_null() && stack["reason"].is_string(), "{stack}");
    }
    // What is denied is denied for all of them.
    let account = Account::with(&[]);
    let denied = FaultRule::on(Service::CloudFormation, "DetectStackDrift", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(denied));
    let run = account.run(&["stack", "drift"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(
        run.stderr.contains("cloudformation:DetectStackDrift"),
        "{}",
        run.stderr
    );
}

fn cloudformation(account: &Account, operation: &str, input: &Value) -> Value {
    account.sandbox.with_world(|world| {
        world
            .call(Service::CloudFormation, operation, input)
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    })
}

/// Between the plan and the request a stack begins to import: CloudFormation takes the request, leaves the stack in the
/// state that it has, and says so in an event.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_cloudformation_cancels_has_failed() {
    let account = Account::with(&[]);
    let fleets = ["production/gpu-default", "staging/gpu-default"];
    let words = ["stack", "delete", fleets[0], fleets[1], "--confirm", "sandbox"];
    let run = account.run(&words).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let template = json!({
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Shared": {"Value": {"Fn::ImportValue": "bp-scale-to-zero-topic-arn"}}},
    });
    let set = json!({
        "StackName": "elsewhere", "ChangeSetName": "first", "ChangeSetType": "CREATE",
        "TemplateBody": template.to_string(),
    });
    cloudformation(&account, "CreateChangeSet", &set);
    let protect = json!({"StackName": "bp-gpu-shared", "EnableTerminationProtection": true});
    cloudformation(&account, "UpdateTerminationProtection", &protect);
    account.sandbox.advance(Duration::from_secs(60));
    // While the answer to the request before the deletion is on its way.
    let slow = Fault::Delay(Duration::from_secs(10));
    let slow = FaultRule::on(Service::CloudFormation, "UpdateTerminationProtection", slow);
    account.sandbox.with_world(|world| world.inject(slow));
    let clock = account.clock();
    let meanwhile = async {
        for _ in 0..600 {
            clock.sleep(Duration::from_secs(1)).await;
            let unprotected = account.sandbox.with_world(|world| {
                let mut calls = world.calls().iter();
                calls.any(|call| call.operation == "UpdateTerminationProtection")
            });
            if unprotected {
                let execute = json!({"StackName": "elsewhere", "ChangeSetName": "first"});
                cloudformation(&account, "ExecuteChangeSet", &execute);
                return;
            }
        }
        panic!("the protection is not taken off");
    };
    let words = [
        "stack",
        "delete",
        "gpu-shared",
        "--unprotect",
        "--confirm",
        "sandbox",
    ];
    let (run, ()) = tokio::join!(account.run(&words), meanwhile);
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert_eq!(
        run.changes,
        [
            "CloudFormation:UpdateTerminationProtection",
            "CloudFormation:DeleteStack"
        ]
    );
    for words in ["Delete canceled", "as it is in use by elsewhere"] {
        assert!(run.stderr.contains(words), "{words}: {}", run.text());
    }
    let there = cloudformation(&account, "DescribeStacks", &json!({"StackName": "bp-gpu-shared"}));
    assert_ne!(there["Stacks"][0]["StackStatus"], "DELETE_COMPLETE", "{there}");
}

/// The hint of a deletion that was not waited for repeats what is to stay.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_leaves_resources_is_gone_on_with() {
    let account = Account::with(&[Scenario::BucketNotEmpty]);
    let delete = ["stack", "delete", "data", "--confirm", "sandbox", "-o", "json"];
    let failed = account.run(&delete).await;
    assert_eq!(failed.status.code(), 1, "{}", failed.text());
    let failures = texts(&failed.json()["stacks"][0], "failures", "resource");
    let retain = failures.iter().flat_map(|resource| ["--retain", resource]);
    let retain: Vec<&str> = delete.into_iter().chain(retain).collect();
    let cut = account.run(&[&retain[..], &["--timeout", "1s"]].concat()).await;
    assert_eq!(cut.status.code(), 6, "{}", cut.text());
    assert_eq!(cut.changes, ["CloudFormation:DeleteStack"], "{}", cut.text());
    assert!(
        cut.stderr.contains("`bpctl stack delete bp-data --retain "),
        "{}",
        cut.text()
    );
    let run = account.run(&retain).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    assert_eq!(texts(&run.json(), "stacks", "status"), ["DELETE_COMPLETE"]);
}

/// AWS takes requests of a machine whose clock is some minutes off; the events are dated by AWS' own.
#[tokio::test(start_paused = true)]
async fn an_operation_is_seen_to_its_end_by_a_machine_whose_clock_is_fast() {
    let account = Account::with(&[]);
    let start = account.clock().now();
    let words = [
        "stack",
        "delete",
        "staging/gpu-default",
        "--confirm",
        "sandbox",
        "-o",
        "json",
    ];
    let run = account
        .run_with(&words, |process| {
            let transport = process.transport.as_mut().expect("the simulated account");
            let fast = transport.clock.now().checked_add(Duration::from_secs(240));
            transport.clock = Clock::starting_at(fast.expect("a time"), 1.0);
        })
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let stack = &run.json()["stacks"][0];
    assert_eq!(stack["status"], "DELETE_COMPLETE", "{stack}");
    let began: Timestamp = stack["began"].as_str().expect("a time").parse().expect("a time");
    assert!(began.duration_since(start).as_secs() < 60, "{start}: {stack}");
}
