//! What verbs have in common that look at tasks: when they are done, and what they could not see.

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::json;

use crate::support::Account;

/// Milliseconds: when the last line of a migration's task arrived, and when the task had stopped.
fn last_line_and_stop(account: &Account, document: &serde_json::Value) -> (i64, i64) {
    let input = json!({
        "logGroupName": document["log_group"], "logStreamName": document["log_stream"],
        "startFromHead": true, "limit": 10_000,
    });
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::Logs, "GetLogEvents", &input))
        .expect("the stream exists");
    let events = answer["events"].as_array().expect("events");
    let arrived = events.iter().filter_map(|event| event["ingestionTime"].as_i64());
    let stopped: jiff::Timestamp = document["stopped"]
        .as_str()
        .expect("the task has stopped")
        .parse()
        .expect("a time");
    (arrived.max().expect("lines"), stopped.as_millisecond())
}

#[tokio::test(start_paused = true)]
async fn a_migration_ends_within_five_seconds_of_its_task_and_its_last_line() {
    for scenarios in [&[][..], &[Scenario::MigrationFails]] {
        let account = Account::with(scenarios);
        let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
        let ended = account.sandbox.now().0;
        let (last_line, stopped) = last_line_and_stop(&account, &run.json());
        let complete = last_line.max(stopped);
        assert!(
            ended - complete <= 5_000,
            "{} ms after its task, {} ms after its last line\n{}",
            ended - stopped,
            ended - last_line,
            run.text()
        );
    }
}

/// Starts a task in which php-fpm runs `command`, beside bpctl.
fn started(account: &Account, command: &str) -> String {
    let input = json!({
        "cluster": "bp", "taskDefinition": "bp-backend", "launchType": "FARGATE", "startedBy": "somebody",
        "overrides": {"containerOverrides": [{"name": "php-fpm", "command": [command]}]},
        "networkConfiguration": network(account),
    });
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "RunTask", &input))
        .expect("a task");
    answer["tasks"][0]["taskArn"].as_str().expect("an ARN").to_owned()
}

/// The network of the backend's service.
fn network(account: &Account) -> serde_json::Value {
    let input = json!({"cluster": "bp", "services": ["bp-backend"]});
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "DescribeServices", &input))
        .expect("the service");
    answer["services"][0]["networkConfiguration"].clone()
}

/// A container that writes nothing, or nothing in its last minutes: its stream is there, and its driver has
/// nothing to deliver.
#[tokio::test(start_paused = true)]
async fn a_silent_container_is_not_waited_for() {
    for (command, said) in [
        ("sleep 40", 0),
        ("sleep 300", 0),
        ("echo begun; sleep 30", 1),
        ("echo begun; sleep 300", 1),
    ] {
        let account = Account::with(&[]);
        let task = started(&account, command);
        let run = account.run(&["migrate", "--attach", &task, "-o", "json"]).await;
        assert_eq!(run.status.code(), 0, "{command}: {}", run.text());
        let ended = account.sandbox.now().0;
        let stopped: jiff::Timestamp = run.json()["stopped"]
            .as_str()
            .expect("the task has stopped")
            .parse()
            .expect("a time");
        let waited = ended - stopped.as_millisecond();
        assert!(waited <= 5_000, "{command}: {waited} ms\n{}", run.text());
        assert_eq!(
            run.stderr.matches("php-fpm | begun").count(),
            said,
            "{}",
            run.text()
        );
        assert_eq!(
            run.stderr.contains("is empty to its end"),
            said == 0,
            "{command}: {}",
            run.text()
        );
    }
}

/// The stream of a short container appears after its task has stopped, with all its lines.
#[tokio::test(start_paused = true)]
async fn the_lines_of_a_late_stream_are_shown() {
    let account = Account::with(&[]);
    let task = started(&account, "echo late; exit 3");
    let run = account.run(&["migrate", "--attach", &task, "-o", "json"]).await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
    let (arrived, stopped) = last_line_and_stop(&account, &run.json());
    assert!(arrived > stopped, "{arrived} {stopped}");
    assert!(run.stderr.contains("php-fpm | late"), "{}", run.text());
    assert!(account.sandbox.now().0 - arrived <= 5_000, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_triage_could_not_look_at_is_named_and_has_a_status_of_its_own() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::SecretsManager, "ListSecrets", Fault::Deny));
    });
    for (args, status) in [
        (&["triage"][..], 7),
        (&["triage", "--fail-on", "P3"], 7),
        (&["triage", "--fail-on", "never"], 0),
    ] {
        let run = account.run(args).await;
        assert_eq!(run.status.code(), status, "{args:?}: {}", run.text());
        assert!(
            run.stdout.contains("no problem found in what could be checked:"),
            "{}",
            run.text()
        );
        assert!(
            run.stdout.trim_end().ends_with("\nnot checked: secrets"),
            "{}",
            run.text()
        );
    }
}
