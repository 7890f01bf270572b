//! `bpctl stack import`: what is there already becomes a stack's, and nothing else changes.

use bpctl_sandbox::{Scenario, Service};
use serde_json::{Value, json};

use crate::assemblies::{
    KEPT_FLEET, KEPT_GROUP, configure_new_fleet, deployed, keep_log_group, lay_files, write,
};
use crate::support::{Account, Run};

const STACK: &str = "bp-gpu-fleet-staging-gpu-kept";

fn kept() -> Account {
    let account = Account::with(&[]);
    keep_log_group(&account.sandbox);
    lay_files(&account.sandbox, account.home());
    account
}

async fn import(account: &Account, args: &[&str]) -> Run {
    let words = [&["stack", "import", KEPT_FLEET, "--assembly", "kept.out"], args].concat();
    account.run(&words).await
}

fn stack(account: &Account, name: &str) -> Value {
    let input = json!({ "StackName": name });
    let shown = account
        .sandbox
        .with_world(|world| world.call(Service::CloudFormation, "DescribeStacks", &input));
    shown.expect("a stack")["Stacks"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn a_log_group_that_is_there_begins_a_stack_and_the_deployment_makes_the_rest() {
    let account = kept();
    let plan = import(&account, &["--dry-run"]).await;
    assert_eq!(
        (plan.status.code(), plan.changes.len()),
        (0, 0),
        "{}",
        plan.text()
    );
    for words in [
        "make it of one resource that is there",
        &format!("Logs (AWS::Logs::LogGroup): LogGroupName {KEPT_GROUP}"),
        "ChangeSetType      IMPORT",
    ] {
        assert!(plan.stdout.contains(words), "{words}: {}", plan.text());
    }
    // What belongs to other stacks stays with them.
    assert!(
        plan.text()
            .contains("Bucket stays with bp-data, which has bp-media-123456789012"),
        "{}",
        plan.text()
    );
    let run = import(&account, &["--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        run.changes,
        [
            "CloudFormation:CreateChangeSet",
            "CloudFormation:ExecuteChangeSet"
        ]
    );
    let document = run.json();
    assert_eq!(document["status"], "IMPORT_COMPLETE", "{document:#}");
    assert_eq!(
        document["imported"],
        json!([{ "resource": "Logs", "kind": "AWS::Logs::LogGroup", "identifier": KEPT_GROUP }])
    );
    // The second finds it in the stack.
    let again = import(&account, &["--resource", "Logs", "--yes"]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    let mut rest = deployed(&account.sandbox, STACK);
    rest["Resources"]["Alarms"] = json!({ "Type": "AWS::SNS::Topic" });
    rest["Outputs"] = json!({ "Group": { "Value": { "Ref": "Logs" } } });
    write(
        &account.sandbox,
        &account.home().join("rest.out"),
        &[(STACK, rest, &[])],
    );
    let deploy = account
        .run(&["stack", "deploy", STACK, "--assembly", "rest.out", "--yes"])
        .await;
    assert_eq!(deploy.status.code(), 0, "{}", deploy.text());
    assert_eq!(stack(&account, STACK)["Outputs"][0]["OutputValue"], KEPT_GROUP);
}

#[tokio::test(start_paused = true)]
async fn what_is_named_and_cannot_be_taken_in_stops_it_first() {
    let account = kept();
    for (resource, words) in [
        ("Bucket", "belongs to bp-data, and a resource has one stack"),
        ("Database", "the account has no AWS::RDS::DBInstance bp-none"),
        (
            "Logs=/gpu-workers/other",
            "the account has no AWS::Logs::LogGroup /gpu-workers/other",
        ),
        ("Nothing", "has no resource `Nothing`"),
        ("Topic=x", "does not know which property identifies"),
    ] {
        let run = import(&account, &["--resource", resource, "--yes"]).await;
        assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
        assert!(run.stderr.contains(words), "{words}: {}", run.text());
    }
    let twice = import(&account, &["--resource", "Logs", "--resource", "Logs", "--yes"]).await;
    assert_eq!(twice.status.code(), 2, "{}", twice.text());
}

/// The group has another name than the template says: CloudFormation itself refuses, and takes it back.
#[tokio::test(start_paused = true)]
async fn an_import_that_cloudformation_undoes_is_told_with_its_cause() {
    let account = kept();
    let other = json!({ "logGroupName": "/gpu-workers/other" });
    account
        .sandbox
        .with_world(|world| world.call(Service::Logs, "CreateLogGroup", &other))
        .expect("a group");
    let run = import(&account, &["--resource", "Logs=/gpu-workers/other", "--yes"]).await;
    assert_eq!(run.status.code(), 8, "{}", run.text());
    for words in ["its import failed and was rolled back", "does not match"] {
        assert!(run.stderr.contains(words), "{words}: {}", run.text());
    }
    assert_eq!(stack(&account, STACK)["StackStatus"], "IMPORT_ROLLBACK_COMPLETE");
    let again = import(&account, &["--yes"]).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
}

/// The way out that `fleet provision` names: its log group is there from a creation that was rolled back.
#[tokio::test(start_paused = true)]
async fn a_fleet_whose_log_group_is_there_is_imported_and_then_configured() {
    let account = Account::prepared(
        bpctl_sandbox::Options {
            scenarios: [Scenario::StackCreateFails].into(),
            ..bpctl_sandbox::Options::default()
        },
        configure_new_fleet,
    );
    lay_files(&account.sandbox, account.home());
    let fleet = |verb: [&'static str; 2]| {
        [
            verb[0],
            verb[1],
            "staging/gpu-new",
            "--assembly",
            "cdk.out",
            "--yes",
        ]
    };
    let failed = account.run(&fleet(["fleet", "provision"])).await;
    assert_eq!(failed.status.code(), 8, "{}", failed.text());
    account.sandbox.with_world(|world| world.set_scenarios([].into()));
    let kept = account.run(&fleet(["fleet", "provision"])).await;
    assert_eq!(
        (kept.status.code(), kept.changes.len()),
        (1, 0),
        "{}",
        kept.text()
    );
    assert!(
        kept.stderr
            .contains("bpctl stack import staging/gpu-new --assembly cdk.out"),
        "{}",
        kept.text()
    );
    let run = account.run(&fleet(["stack", "import"])).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let calls = ["DeleteStack", "CreateChangeSet", "ExecuteChangeSet"];
    assert_eq!(run.changes, calls.map(|name| format!("CloudFormation:{name}")));
    let applied = account.run(&fleet(["fleet", "apply-config"])).await;
    assert_eq!(applied.status.code(), 0, "{}", applied.text());
    let status = &stack(&account, "bp-gpu-fleet-staging-gpu-new")["StackStatus"];
    assert_eq!(status, "UPDATE_COMPLETE");
    let drift = account
        .run(&["stack", "drift", "staging/gpu-new", "-o", "json"])
        .await;
    assert_eq!(drift.status.code(), 0, "{}", drift.text());
}
