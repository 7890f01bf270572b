//! `bpctl stack continue-rollback`: an update whose rollback has stopped half way.

use bpctl_sandbox::Service;
use serde_json::json;

use crate::campaign_places::{group_in_template, half_rolled_back};
use crate::support::{Account, Run};

const STACK: &str = "bp-gpu-fleet-production-gpu-default";
const CONTINUE: [&str; 3] = ["stack", "continue-rollback", "production/gpu-default"];

fn halted() -> Account {
    let account = Account::with(&[]);
    half_rolled_back(&account.sandbox);
    assert_eq!(status(&account), "UPDATE_ROLLBACK_FAILED");
    account
}

fn status(account: &Account) -> String {
    let input = json!({ "StackName": STACK });
    let shown = account
        .sandbox
        .with_world(|world| world.call(Service::CloudFormation, "DescribeStacks", &input));
    let shown = shown.expect("a stack");
    shown["Stacks"][0]["StackStatus"]
        .as_str()
        .expect("a status")
        .to_owned()
}

async fn go_on(account: &Account, further: &[&str]) -> Run {
    account.run(&[&CONTINUE[..], further].concat()).await
}

#[tokio::test(start_paused = true)]
async fn what_was_mended_goes_back_to_what_it_was() {
    let account = halted();
    let group = group_in_template(&account.sandbox);
    let plan = go_on(&account, &["--dry-run"]).await;
    assert_eq!(
        (plan.status.code(), plan.changes.len()),
        (0, 0),
        "{}",
        plan.text()
    );
    for words in [
        "continue its rollback",
        &format!("is tried again: {group} (AWS::AutoScaling::AutoScalingGroup)"),
        "is not authorized to perform: autoscaling:UpdateAutoScalingGroup",
    ] {
        assert!(plan.stdout.contains(words), "{words}: {}", plan.text());
    }
    account.sandbox.with_world(|world| world.set_scenarios([].into()));
    let run = go_on(&account, &["--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, ["CloudFormation:ContinueUpdateRollback"]);
    let document = run.json();
    assert_eq!(document["status"], "UPDATE_ROLLBACK_COMPLETE", "{document:#}");
    assert!(document["token"].is_string(), "{document:#}");
    // Its events were told as they came.
    assert!(
        run.stderr.contains(&format!("{STACK}: UPDATE_ROLLBACK_COMPLETE")),
        "{}",
        run.text()
    );
    let again = go_on(&account, &["--yes"]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_mended_is_named_and_can_be_skipped() {
    let account = halted();
    let group = group_in_template(&account.sandbox);
    let failed = go_on(&account, &["--yes"]).await;
    assert_eq!(failed.status.code(), 1, "{}", failed.text());
    for words in [
        "its rollback ended UPDATE_ROLLBACK_FAILED",
        &format!("bpctl stack continue-rollback {STACK} --skip {group}"),
    ] {
        assert!(failed.stderr.contains(words), "{words}: {}", failed.text());
    }
    assert_eq!(status(&account), "UPDATE_ROLLBACK_FAILED");
    let run = go_on(&account, &["--skip", &group, "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stderr.contains("bring both in line before the next update"),
        "{}",
        run.text()
    );
    assert_eq!(run.json()["skipped"], json!([group]));
    assert_eq!(status(&account), "UPDATE_ROLLBACK_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn what_did_not_fail_cannot_be_skipped_and_other_stacks_have_none_to_continue() {
    let account = halted();
    let other = go_on(&account, &["--skip", "Nothing", "--yes"]).await;
    assert_eq!(
        (other.status.code(), other.changes.len()),
        (1, 0),
        "{}",
        other.text()
    );
    assert!(
        other.stderr.contains("has not failed in the rollback"),
        "{}",
        other.text()
    );
    for (args, status, words) in [
        (
            ["stack", "continue-rollback", "data"],
            1,
            "no rollback that could be continued",
        ),
        (["stack", "continue-rollback", "staging/none"], 1, "is not there"),
        (["stack", "continue-rollback", "nonsense"], 2, "no such stack"),
    ] {
        let run = account.run(&[&args[..], &["--yes"]].concat()).await;
        assert_eq!(
            (run.status.code(), run.changes.len()),
            (status, 0),
            "{}",
            run.text()
        );
        assert!(run.stderr.contains(words), "{words}: {}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_meets_the_stack_is_told_of_the_verb() {
    let account = halted();
    let line = format!("bpctl stack continue-rollback {STACK}");
    let shown = account.run(&["stack", "status", "production/gpu-default"]).await;
    assert!(shown.stdout.contains(&line), "{}", shown.text());
    let triage = account.run(&["triage", "--fail-on", "never"]).await;
    assert!(triage.stdout.contains(&line), "{}", triage.text());
    crate::assemblies::lay_files(&account.sandbox, account.home());
    let deploy = account
        .run(&["stack", "deploy", STACK, "--assembly", "cdk.out", "--yes"])
        .await;
    assert_eq!(
        (deploy.status.code(), deploy.changes.len()),
        (1, 0),
        "{}",
        deploy.text()
    );
    assert!(deploy.stderr.contains(&line), "{}", deploy.text());
}
