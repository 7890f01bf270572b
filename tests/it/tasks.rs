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
