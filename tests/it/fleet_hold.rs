//! `bpctl fleet hold` and `bpctl fleet release`.

use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, Options, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const FLEET: &str = "production/gpu-default";
const GROUP: &str = "asg-production-gpu-default";
const RECORD: &str = "/bp/fleets/production/gpu-default/hold";
const PUT: &str = "Ssm:PutParameter";
const SUSPEND: &str = "AutoScaling:SuspendProcesses";
const RESUME: &str = "AutoScaling:ResumeProcesses";

fn call(account: &Account, service: Service, operation: &str, input: &Value) -> Value {
    account
        .sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// Desired capacity and suspended processes of a group.
fn group(account: &Account, name: &str) -> (u64, Vec<String>) {
    let input = json!({ "AutoScalingGroupNames": [name] });
    let found = call(account, Service::AutoScaling, "DescribeAutoScalingGroups", &input);
    let group = &found["AutoScalingGroups"][0];
    let suspended = group["SuspendedProcesses"].as_array().into_iter().flatten();
    let names = suspended.filter_map(|process| process["ProcessName"].as_str().map(str::to_owned));
    (
        group["DesiredCapacity"].as_u64().expect("a number"),
        names.collect(),
    )
}

fn record(account: &Account, name: &str) -> Value {
    let found = call(
        account,
        Service::Ssm,
        "GetParameters",
        &json!({ "Names": [name] }),
    );
    let text = found["Parameters"][0]["Value"]
        .as_str()
        .expect("a record")
        .to_owned();
    serde_json::from_str(&text).expect("JSON")
}

fn suspend(account: &Account, process: &str) {
    let input = json!({"AutoScalingGroupName": GROUP, "ScalingProcesses": [process]});
    call(account, Service::AutoScaling, "SuspendProcesses", &input);
}

#[track_caller]
fn ended(run: &Run, code: u8, changes: &[&str]) {
    assert_eq!(run.status.code(), code, "{}", run.text());
    assert_eq!(run.changes, changes, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_held_fleet_stays_at_zero_although_jobs_wait() {
    let account = Account::with(&[]);
    let hold = account
        .run(&[
            "fleet",
            "hold",
            FLEET,
            "--for",
            "2h",
            "--reason",
            "database upgrade",
            "--yes",
            "-o",
            "json",
        ])
        .await;
    ended(&hold, 0, &[PUT, SUSPEND]);
    let document = hold.json();
    assert_eq!(document["suspended"], json!(["AlarmNotification"]));
    assert_eq!(document["hold"]["reason"], "database upgrade");
    let zero = account
        .run(&["fleet", "scale-to-zero", FLEET, "--force", "--confirm", "sandbox"])
        .await;
    assert_eq!(zero.status.code(), 0, "{}", zero.text());
    account.sandbox.advance(Duration::from_secs(600));
    assert_eq!(group(&account, GROUP).0, 0, "jobs wait, and no alarm lifts it");
    let release = account
        .run(&["fleet", "release", FLEET, "--yes", "-o", "json"])
        .await;
    ended(&release, 0, &[RESUME, PUT]);
    assert!(
        release.stderr.contains("may change its capacity at once"),
        "{}",
        release.text()
    );
    assert!(
        !release.json()["hold"]["released"].is_null(),
        "{}",
        release.text()
    );
    account.sandbox.advance(Duration::from_secs(300));
    let (desired, suspended) = group(&account, GROUP);
    assert!(desired > 0 && suspended.is_empty(), "{desired} {suspended:?}");
    let again = account.run(&["fleet", "release", FLEET, "--yes"]).await;
    ended(&again, 0, &[]);
}

#[tokio::test(start_paused = true)]
async fn a_second_hold_is_nothing_to_change_and_another_time_is_a_new_version() {
    let account = Account::with(&[]);
    let args = ["fleet", "hold", FLEET, "--reason", "tests", "--yes"];
    ended(&account.run(&args).await, 0, &[PUT, SUSPEND]);
    let before = record(&account, RECORD);
    let again = account.run(&args).await;
    ended(&again, 0, &[]);
    assert!(again.stderr.contains("Nothing to change"), "{}", again.text());
    account.sandbox.advance(Duration::from_secs(60));
    ended(
        &account
            .run(&["fleet", "hold", FLEET, "--for", "1h", "--yes"])
            .await,
        0,
        &[PUT],
    );
    let after = record(&account, RECORD);
    assert_eq!(
        (&after["since"], &after["reason"]),
        (&before["since"], &json!("tests"))
    );
    assert!(before["until"].is_null() && !after["until"].is_null(), "{after}");
    ended(
        &account.run(&["fleet", "hold", FLEET, "--launch", "--yes"]).await,
        0,
        &[PUT, SUSPEND],
    );
    assert_eq!(
        record(&account, RECORD)["processes"],
        json!(["AlarmNotification", "Launch"])
    );
    assert_eq!(group(&account, GROUP).1, ["AlarmNotification", "Launch"]);
}

#[tokio::test(start_paused = true)]
async fn a_release_leaves_alone_what_was_suspended_before_the_hold() {
    let account = Account::with(&[]);
    suspend(&account, "Launch");
    suspend(&account, "Terminate");
    ended(
        &account.run(&["fleet", "hold", FLEET, "--launch", "--yes"]).await,
        0,
        &[PUT, SUSPEND],
    );
    assert_eq!(
        record(&account, RECORD)["processes"],
        json!(["AlarmNotification"])
    );
    ended(
        &account.run(&["fleet", "release", FLEET, "--yes"]).await,
        0,
        &[RESUME, PUT],
    );
    assert_eq!(group(&account, GROUP).1, ["Launch", "Terminate"]);
    let refused = account.run(&["fleet", "release", FLEET, "--yes"]).await;
    ended(&refused, 1, &[]);
    assert!(
        refused
            .stderr
            .contains("Launch suspended without a hold on record")
            && refused
                .stderr
                .contains("`bpctl fleet release production/gpu-default --unrecorded`"),
        "{}",
        refused.text()
    );
    ended(
        &account
            .run(&["fleet", "release", FLEET, "--unrecorded", "--yes"])
            .await,
        0,
        &[RESUME],
    );
    assert_eq!(group(&account, GROUP).1, ["Terminate"]);
}

#[tokio::test(start_paused = true)]
async fn the_list_of_fleets_shows_holds_and_those_that_are_overdue() {
    let account = Account::with(&[]);
    let args = [
        "fleet",
        "hold",
        FLEET,
        "--for",
        "1h",
        "--reason",
        "tests",
        "--no-wait",
        "--yes",
    ];
    ended(&account.run(&args).await, 0, &[PUT, SUSPEND]);
    let list = account.run(&["fleet", "list"]).await;
    assert!(list.stdout.contains(", held until 20"), "{}", list.text());
    let status = account.run(&["fleet", "status", FLEET]).await;
    assert!(
        status.stdout.contains("  hold          held until 20") && status.stdout.contains(": tests"),
        "{}",
        status.text()
    );
    let codes = [
        "triage",
        "-o",
        "json",
        "--query",
        "findings[].[code, evidence[1]]",
    ];
    let found = account.run(&codes).await;
    assert!(
        found.stdout.contains("BP-FLT-024") && !found.stdout.contains("BP-FLT-010"),
        "{}",
        found.text()
    );
    account.clock().sleep(Duration::from_secs(3601)).await;
    let found = account.run(&codes).await;
    assert!(found.stdout.contains("BP-FLT-025"), "{}", found.text());
    let shown = account.run(&["triage"]).await;
    assert!(
        shown.stdout.contains("fleet release production/gpu-default"),
        "{}",
        shown.text()
    );
    let overdue = [
        "fleet",
        "status",
        "-o",
        "json",
        "--query",
        "fleets[?hold_overdue].name",
    ];
    let status = account.run(&overdue).await;
    assert_eq!(status.json(), json!([FLEET]), "{}", status.text());
    let list = account.run(&["fleet", "list"]).await;
    assert!(list.stdout.contains(", hold overdue since 20"), "{}", list.text());
    let list = account
        .run(&[
            "fleet",
            "list",
            "-o",
            "json",
            "--query",
            "fleets[?hold_overdue].name",
        ])
        .await;
    assert_eq!(list.json(), json!([FLEET]), "{}", list.text());
    ended(
        &account.run(&["fleet", "release", FLEET, "--yes"]).await,
        0,
        &[RESUME, PUT],
    );
    suspend(&account, "AlarmNotification");
    let list = account.run(&["fleet", "list"]).await;
    assert!(list.stdout.contains(", processes suspended"), "{}", list.text());
    let broken = json!({"Name": RECORD, "Value": "gone", "Overwrite": true});
    call(&account, Service::Ssm, "PutParameter", &broken);
    let list = account.run(&["fleet", "list"]).await;
    assert_eq!(list.status.code(), 0, "{}", list.text());
    assert!(
        list.stderr
            .contains("read the hold in `/bp/fleets/production/gpu-default/hold`"),
        "{}",
        list.text()
    );
    let release = account.run(&["fleet", "release", FLEET, "--yes"]).await;
    ended(&release, 1, &[]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_and_a_refused_request_leave_the_fleet_as_it_is() {
    let account = Account::with(&[]);
    for (args, code) in [
        (&["fleet", "hold", FLEET, "--for", "0s", "--yes"][..], 2),
        (&["fleet", "hold", FLEET, "--for", "soon", "--yes"], 2),
        (&["fleet", "hold"], 2),
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (code, 0), "{}", run.text());
    }
    let dry = account
        .run(&["fleet", "hold", FLEET, "--launch", "--dry-run"])
        .await;
    ended(&dry, 0, &[]);
    assert!(
        dry.stdout.contains("AlarmNotification, Launch suspended") && dry.stdout.contains(RECORD),
        "{}",
        dry.text()
    );
    let declined = account.run(&["fleet", "hold", FLEET]).await;
    ended(&declined, 3, &[]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::AutoScaling, "SuspendProcesses", Fault::Deny).times(1));
    });
    let denied = account.run(&["fleet", "hold", FLEET, "--yes"]).await;
    assert_eq!(denied.status.code(), 7, "{}", denied.text());
    assert!(group(&account, GROUP).1.is_empty(), "{}", denied.text());
    // The same command goes on with what is left.
    ended(
        &account.run(&["fleet", "hold", FLEET, "--yes"]).await,
        0,
        &[SUSPEND],
    );
}

#[tokio::test(start_paused = true)]
async fn the_staged_layout_keeps_its_records_with_its_bundles() {
    let account = Account::prepared(
        Options {
            layout: bpctl_sandbox::Layout::Staged,
            ..Options::default()
        },
        |_| {},
    );
    let list = account.run(&["fleet", "list", "-o", "name"]).await;
    let fleet = list.stdout.lines().next().expect("a fleet").to_owned();
    let (stage, slug) = fleet.split_once('/').expect("stage and slug");
    let held = account
        .run(&["fleet", "hold", &fleet, "--no-wait", "--yes"])
        .await;
    ended(&held, 0, &[PUT, SUSPEND]);
    let name = format!("/bp/{stage}/assets/{slug}/hold");
    assert_eq!(record(&account, &name)["processes"], json!(["AlarmNotification"]));
    ended(
        &account.run(&["fleet", "release", &fleet, "--yes"]).await,
        0,
        &[RESUME, PUT],
    );
}

#[tokio::test(start_paused = true)]
async fn calls_do_not_grow_with_fleets_that_are_not_held() {
    let account = Account::with(&[]);
    let before = account.run(&["fleet", "list"]).await.calls;
    ended(
        &account.run(&["fleet", "hold", FLEET, "--no-wait", "--yes"]).await,
        0,
        &[PUT, SUSPEND],
    );
    let after = account.run(&["fleet", "list"]).await.calls;
    assert_eq!(after, before + 1, "one batch of records");
}

const ZERO: &str = "AutoScaling:SetDesiredCapacity";

#[tokio::test(start_paused = true)]
async fn a_fleet_whose_queue_has_jobs_is_taken_to_zero_and_stays_there() {
    let account = Account::with(&[]);
    let zero = ["fleet", "scale-to-zero", FLEET, "--force", "--confirm", "sandbox"];
    let lifted = account.run(&zero).await;
    assert_eq!(lifted.status.code(), 1, "{}", lifted.text());
    assert!(
        lifted
            .stderr
            .contains("`bpctl fleet scale-to-zero production/gpu-default --hold --force`"),
        "{}",
        lifted.text()
    );
    let began = account.sandbox.now().0;
    let held = account
        .run(
            &[
                &zero[..],
                &["--hold", "--for", "2h", "--reason", "upgrade", "-o", "json"],
            ]
            .concat(),
        )
        .await;
    ended(&held, 0, &[PUT, SUSPEND, ZERO]);
    // Two periods of the alarms that would lift it.
    assert!(account.sandbox.now().0 - began >= 120_000, "{}", held.text());
    let document = held.json();
    let row = &document["fleets"][0];
    assert_eq!(
        (&row["outcome"], &row["hold"]["reason"], &document["changed"]),
        (&json!("at-zero"), &json!("upgrade"), &json!(1)),
        "{document}"
    );
    assert!(
        row["message"]
            .as_str()
            .is_some_and(|text| text.contains("; held until 20")),
        "{row}"
    );
    account.sandbox.advance(Duration::from_secs(1800));
    assert_eq!(group(&account, GROUP), (0, vec!["AlarmNotification".to_owned()]));
    let again = account.run(&[&zero[..], &["--hold"]].concat()).await;
    ended(&again, 0, &[]);
    assert!(
        again.stdout.contains("at zero already; held until 20"),
        "{}",
        again.text()
    );
    // The record is that of `fleet hold`.
    ended(
        &account.run(&["fleet", "release", FLEET, "--yes"]).await,
        0,
        &[RESUME, PUT],
    );
}

#[tokio::test(start_paused = true)]
async fn a_fleet_at_zero_is_held_with_launch_and_whoever_lifts_it_is_looked_for() {
    let account = Account::with(&[]);
    let zero = [
        "fleet",
        "scale-to-zero",
        FLEET,
        "--force",
        "--confirm",
        "sandbox",
        "--hold=launch",
    ];
    let dry = account
        .run(&[
            "fleet",
            "scale-to-zero",
            FLEET,
            "--force",
            "--hold=launch",
            "--dry-run",
        ])
        .await;
    ended(&dry, 0, &[]);
    ended(&account.run(&zero).await, 0, &[PUT, SUSPEND, ZERO]);
    assert_eq!(
        record(&account, RECORD)["processes"],
        json!(["AlarmNotification", "Launch"])
    );
    ended(
        &account.run(&["fleet", "release", FLEET, "--yes"]).await,
        0,
        &[RESUME, PUT],
    );
    for args in [
        &["fleet", "scale-to-zero", FLEET, "--for", "2h", "--yes"][..],
        &["fleet", "scale-to-zero", FLEET, "--hold", "--for", "0s", "--yes"],
        &["fleet", "scale-to-zero", FLEET, "--hold=all", "--yes"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_cannot_be_had_keeps_the_fleet_as_it_is() {
    let account = Account::with(&[]);
    let before = group(&account, GROUP);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::AutoScaling, "SuspendProcesses", Fault::Deny).times(1));
    });
    let zero = [
        "fleet",
        "scale-to-zero",
        FLEET,
        "--force",
        "--confirm",
        "sandbox",
        "--hold",
    ];
    let denied = account.run(&zero).await;
    assert_eq!(denied.status.code(), 7, "{}", denied.text());
    assert_eq!(group(&account, GROUP), before, "{}", denied.text());
    assert!(
        denied
            .stderr
            .contains("bpctl fleet scale-to-zero production/gpu-default --force --hold"),
        "{}",
        denied.text()
    );
    // The same command goes on with what is left.
    ended(&account.run(&zero).await, 0, &[SUSPEND, ZERO]);
    let broken = json!({"Name": RECORD, "Value": "gone", "Overwrite": true});
    call(&account, Service::Ssm, "PutParameter", &broken);
    let unread = account.run(&zero).await;
    ended(&unread, 1, &[]);
}
