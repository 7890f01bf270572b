//! `bpctl timeline`.

use std::time::Duration;

use bpctl_sandbox::{Scenario, Service};
use bytes::Bytes;
use jiff::Timestamp;
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
    use bpctl_sandbox::{Fault, FaultRule};
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

/// Asks as anybody may.
fn ask(account: &Account, operation: &str, input: &Value) -> Value {
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, operation, input));
    answer.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// Tasks that somebody starts and stops at once.
fn stop_tasks(account: &Account, count: usize) {
    let services = json!({"cluster": "bp", "services": ["bp-backend"]});
    let services = ask(account, "DescribeServices", &services);
    let order = json!({
        "cluster": "bp", "taskDefinition": "bp-backend", "launchType": "FARGATE", "count": 10,
        "networkConfiguration": services["services"][0]["networkConfiguration"],
    });
    for _ in 0..count / 10 {
        let started = ask(account, "RunTask", &order);
        for task in started["tasks"].as_array().expect("tasks") {
            let stop = json!({"cluster": "bp", "task": task["taskArn"]});
            ask(account, "StopTask", &stop);
        }
    }
    account.sandbox.advance(Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn tasks_and_deployments_are_read_to_their_end() {
    let account = Account::with(&[]);
    stop_tasks(&account, 130);
    let run = account.run(&["timeline", "--only", "tasks", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    assert!(events(&document, "tasks").len() >= 130);
    let account = Account::with(&[]);
    let deploy = json!({"cluster": "bp", "service": "bp-backend", "forceNewDeployment": true});
    for _ in 0..130 {
        ask(&account, "UpdateService", &deploy);
    }
    account.sandbox.advance(Duration::from_secs(5));
    let run = account
        .run(&["timeline", "--only", "deployments", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    assert_eq!(document["gaps"], json!([]));
    let began = events(&document, "deployments").into_iter().filter(|event| {
        let what = event["what"].as_str().unwrap();
        event["subject"] == "bp-backend" && what.ends_with(" began")
    });
    assert_eq!(began.count(), 130);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_began_before_and_ended_after_is_there() {
    let account = Account::with(&[]);
    let deploy = json!({"cluster": "bp", "service": "bp-backend", "forceNewDeployment": true});
    ask(&account, "UpdateService", &deploy);
    account.sandbox.advance(Duration::from_secs(75));
    ask(&account, "UpdateService", &deploy);
    account.sandbox.advance(Duration::from_secs(5));
    let run = account
        .run(&["timeline", "--since", "1m", "--only", "deployments", "-o", "json"])
        .await;
    let document = run.json();
    let ends: Vec<&str> = events(&document, "deployments")
        .into_iter()
        .map(|event| event["what"].as_str().unwrap().rsplit(' ').next().unwrap())
        .collect();
    assert!(ends.contains(&"STOPPED"), "{document:#}");
}

#[tokio::test(start_paused = true)]
async fn more_tasks_than_are_read_are_a_gap() {
    let account = Account::with(&[]);
    stop_tasks(&account, 1_010);
    let run = account.run(&["timeline", "--only", "tasks", "-o", "json"]).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    let document = run.json();
    assert_eq!(events(&document, "tasks").len(), 1_000);
    let gaps = document["gaps"].as_array().unwrap();
    let gap = "tasks: ECS has more stopped tasks than the 1000 that were read: some are not here";
    assert_eq!(gaps, &[json!(gap)]);
}

/// The sources with a limit, and since when each knows.
fn limits(document: &Value) -> Vec<(&str, Option<&str>)> {
    let all = document["limits"].as_array().unwrap().iter();
    all.map(|limit| (limit["source"].as_str().unwrap(), limit["known_since"].as_str()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_for_less_is_said_and_is_no_failure() {
    let account = Account::with(&[]);
    let by_age = ["timeline", "--only", "tasks,alarms,scaling,deployments,stacks"];
    let of = async |since: &str, output: &str| {
        let run = account
            .run(&[&by_age[..], &["--since", since, "-o", output]].concat())
            .await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        run
    };
    let longest = of("90d", "json").await.json();
    assert_eq!(longest["gaps"], json!([]));
    let all = limits(&longest);
    let sources: Vec<&str> = all.iter().map(|(source, _)| *source).collect();
    assert_eq!(sources, ["tasks", "alarms", "scaling"]);
    let until: Timestamp = longest["until"].as_str().unwrap().parse().unwrap();
    let hours = all.iter().map(|(_, since)| {
        let since: Timestamp = since.unwrap().parse().unwrap();
        until.duration_since(since).as_hours()
    });
    assert_eq!(hours.collect::<Vec<i64>>(), [1, 30 * 24, 42 * 24]);
    // The default: a platform where all is well is no failure, and the reader is told.
    let usual = account.run(&["timeline", "-o", "json"]).await;
    assert_eq!(usual.status.code(), 0, "{}", usual.text());
    let usual = usual.json();
    let tasks = limits(&usual)
        .iter()
        .filter(|(source, _)| *source == "tasks")
        .count();
    assert_eq!((tasks, &usual["gaps"]), (1, &json!([])));
    let hour = of("1h", "json").await.json();
    assert_eq!(hour["limits"], json!([]));
    let text = of("2h", "table").await.stdout;
    assert!(text.contains("Limit: tasks from before "), "{text}");
    assert!(text.contains("ECS keeps stopped tasks for an hour"), "{text}");
    let markdown = of("2h", "markdown").await.stdout;
    assert!(
        markdown.contains("\nLimit of this timeline: tasks from before "),
        "{markdown}"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_parameter_only_the_newest_write_is_known() {
    let account = Account::with(&[]);
    account.sandbox.advance(Duration::from_secs(600));
    let words = ["timeline", "--since", "5m", "--only", "parameters", "-o", "json"];
    assert_eq!(account.run(&words).await.json()["limits"], json!([]));
    written_by_hand(&account);
    let run = account.run(&words).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(limits(&run.json()), [("parameters", None)]);
}
