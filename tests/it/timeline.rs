//! `bpctl timeline`.

use std::time::Duration;

use bpctl_sandbox::Scenario;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::Account;

const HOURS: [&str; 5] = ["timeline", "--since", "3h", "-o", "json"];

fn events<'a>(document: &'a Value, source: &str) -> Vec<&'a Value> {
    let all = document["events"].as_array().unwrap().iter();
    all.filter(|event| event["source"] == source).collect()
}

/// Somebody writes a parameter with another tool.
fn written_by_hand(account: &Account) {
    let request = http::Request::post("/")
        .header("x-amz-target", "AmazonSSM.PutParameter")
        .header("content-type", "application/x-amz-json-1.1")
        .header("user-agent", "aws-cli/1.44.5")
        .header("host", "ssm.us-east-1.amazonaws.com")
        .body(Bytes::from(
            json!({"Name": "/bp/redis/endpoint", "Value": "elsewhere", "Type": "String", "Overwrite": true})
                .to_string(),
        ))
        .unwrap();
    let answer = account.sandbox.with_world(|world| world.handle(&request));
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn causes_and_effects_of_every_source_stand_in_one_order() {
    let account = Account::with(&[Scenario::CrashLoop]);
    let scaled = account
        .run(&[
            "fleet",
            "scale",
            "production/gpu-default",
            "--max",
            "8",
            "--reason",
            "a try",
            "--yes",
        ])
        .await;
    assert_eq!(scaled.status.code(), 0, "{}", scaled.text());
    written_by_hand(&account);
    account.sandbox.advance(Duration::from_secs(600));
    let run = account.run(&HOURS).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.changes.is_empty());
    let document = run.json();
    let all = document["events"].as_array().unwrap();
    let times: Vec<&str> = all.iter().map(|event| event["at"].as_str().unwrap()).collect();
    let seconds: Vec<String> = times.iter().map(|time| time[..19].to_owned()).collect();
    assert!(seconds.is_sorted(), "{times:?}");
    let runs = events(&document, "runs");
    assert_eq!(
        (runs.len(), &runs[0]["subject"], &runs[0]["why"]),
        (1, &json!("fleet scale"), &json!("a try"))
    );
    let stopped = events(&document, "tasks");
    assert!(
        stopped
            .iter()
            .any(|task| task["bad"] == true && task["why"].as_str().unwrap().contains("exited with"))
    );
    assert!(!events(&document, "deployments").is_empty());
    // By another tool: who and what, and not the value. What bpctl did itself is there once, as a run.
    let changes = events(&document, "changes");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(
        (&changes[0]["what"], &changes[0]["subject"]),
        (&json!("ssm:PutParameter"), &json!("/bp/redis/endpoint"))
    );
    assert!(!run.stdout.contains("elsewhere"));
    let written = events(&document, "parameters");
    assert!(
        written.iter().any(|one| one["subject"] == "/bp/redis/endpoint"),
        "{written:?}"
    );
    let markdown = account
        .run(&["timeline", "--only", "runs,changes", "-o", "markdown"])
        .await;
    assert_eq!(markdown.stdout.lines().count(), 4, "{}", markdown.stdout);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_read_is_named_and_hides_nothing() {
    use bpctl_sandbox::{Fault, FaultRule, Service};
    let account = Account::with(&[Scenario::CrashLoop]);
    let rule = FaultRule::on(Service::CloudTrail, "LookupEvents", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(rule));
    let run = account.run(&HOURS).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    let document = run.json();
    let gaps = document["gaps"].as_array().unwrap();
    assert!(
        gaps.len() == 1 && gaps[0].as_str().unwrap().starts_with("changes: "),
        "{gaps:?}"
    );
    assert!(!events(&document, "tasks").is_empty());
    let alone = account.run(&["timeline", "--only", "changes"]).await;
    assert_eq!(alone.status.code(), 4, "{}", alone.text());
    let wrong = account.run(&["timeline", "--since", "1y"]).await;
    assert_eq!((wrong.status.code(), wrong.calls), (2, 0), "{}", wrong.text());
}
