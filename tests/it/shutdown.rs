//! `bpctl shutdown` and `bpctl resume`.

use bpctl_sandbox::{FleetSeed, Options, Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::campaign_worlds::{World, asleep, call};
use crate::support::{Account, Run, kept_by_hand};

/// One idle production fleet that is kept at one instance by hand.
fn account() -> Account {
    let options = Options {
        fleets: vec![FleetSeed::new("production", "fleet-000", 2, 0.0)],
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    Account::prepared(options, |sandbox| {
        kept_by_hand(sandbox, &["asg-production-fleet-000".to_owned()], 1);
    })
}

#[track_caller]
fn expect(run: &Run, status: u8) {
    assert_eq!(run.status.code(), status, "{}", run.text());
}

/// Desired counts, bounds and sizes without the record.
fn counts(sandbox: &Sandbox) -> World {
    let mut world = asleep(sandbox);
    world.things.remove("record");
    world
}

fn tasks(sandbox: &Sandbox) -> usize {
    let input = json!({"cluster": "bp", "desiredStatus": "RUNNING"});
    let listed = call(sandbox, Service::Ecs, "ListTasks", &input);
    listed["taskArns"].as_array().map_or(0, Vec::len)
}

fn set_desired(sandbox: &Sandbox, service: &str, desired: u32) {
    let input = json!({"cluster": "bp", "service": service, "desiredCount": desired});
    call(sandbox, Service::Ecs, "UpdateService", &input);
}

fn part<'a>(document: &'a Value, name: &str) -> &'a Value {
    let parts = document["parts"].as_array().expect("parts");
    parts.iter().find(|part| part["name"] == name).expect("the part")
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_every_task_and_a_resume_brings_back_exactly_the_counts_of_before() {
    let account = account();
    let before = counts(&account.sandbox);
    let down = account.run(&["shutdown", "--yes", "-o", "json"]).await;
    expect(&down, 0);
    // The record first, then the fleet; the services go side by side, each behind its bounds.
    assert_eq!(
        down.changes[..2],
        ["Ssm:PutParameter", "AutoScaling:UpdateAutoScalingGroup"]
    );
    let mut services = down.changes[2..].to_vec();
    services.sort();
    assert_eq!(
        services,
        [
            "ApplicationAutoScaling:RegisterScalableTarget",
            "ApplicationAutoScaling:RegisterScalableTarget",
            "Ecs:UpdateService",
            "Ecs:UpdateService",
        ]
    );
    let document = down.json();
    assert_eq!(part(&document, "bp-backend")["desired_before"], 1);
    assert_eq!(part(&document, "bp-backend")["left"], 0);
    assert_eq!(part(&document, "production/fleet-000")["left"], 0);
    assert_eq!(document["other_tasks"], 0);
    assert_eq!(tasks(&account.sandbox), 0);
    // A backend and a frontend task, and one g4dn.xlarge at 0.526 dollars an hour.
    let saved = document["saving"]["dollars_per_day"].as_f64().expect("a number");
    let hourly = 1.5 * 0.03238 + 3.0 * 0.00356 + 0.526;
    assert!((saved - hourly * 24.0).abs() < 0.01, "{saved}");

    let again = account.run(&["shutdown", "--yes"]).await;
    expect(&again, 0);
    assert!(again.changes.is_empty(), "{:?}", again.changes);

    let up = account.run(&["resume", "--yes", "-o", "json"]).await;
    expect(&up, 0);
    assert_eq!(counts(&account.sandbox), before);
    assert_eq!(tasks(&account.sandbox), 2);
    assert!(!up.json()["resumed"].is_null());
    let history = call(
        &account.sandbox,
        Service::Ssm,
        "GetParameterHistory",
        &json!({"Name": "/bp/shutdown"}),
    );
    assert_eq!(history["Parameters"].as_array().map(Vec::len), Some(2));

    let again = account.run(&["resume", "--yes"]).await;
    expect(&again, 0);
    assert!(again.changes.is_empty(), "{:?}", again.changes);
}

#[tokio::test(start_paused = true)]
async fn what_was_never_down_has_no_record_and_saves_nothing() {
    let account = account();
    let zero = json!({
        "AutoScalingGroupName": "asg-production-fleet-000",
        "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0,
    });
    call(
        &account.sandbox,
        Service::AutoScaling,
        "UpdateAutoScalingGroup",
        &zero,
    );
    account.sandbox.advance(std::time::Duration::from_secs(600));
    let nothing = account
        .run(&["shutdown", "--scope", "gpu", "--yes", "-o", "json"])
        .await;
    expect(&nothing, 0);
    assert!(nothing.changes.is_empty(), "{:?}", nothing.changes);
    assert!(nothing.json()["record"].is_null() && nothing.json()["saving"].is_null());
    let words = account.run(&["shutdown", "--scope", "gpu", "--yes"]).await;
    assert!(
        !words.stdout.contains("record") && !words.stdout.contains("Saves"),
        "{}",
        words.text()
    );
}

#[tokio::test(start_paused = true)]
async fn the_staged_layout_sleeps_and_wakes_likewise() {
    let account = Account::staged(&[]);
    let down = account
        .run(&["shutdown", "--confirm", "sandbox", "--scope", "app"])
        .await;
    expect(&down, 0);
    let up = account.run(&["resume", "--yes", "-o", "json"]).await;
    expect(&up, 0);
    let document = up.json();
    assert_eq!(document["record"], "/bp/staging/shutdown");
    for name in ["bp-staging-backend", "bp-staging-frontend"] {
        let part = part(&document, name);
        assert_eq!(part["recorded"], part["now"], "{document:#}");
        assert_eq!(part["now"]["desired"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_scope_leaves_the_rest_alone_and_a_wider_one_adds_to_the_record() {
    let account = account();
    let before = counts(&account.sandbox);
    let gpu = account.run(&["shutdown", "--scope", "gpu", "--yes"]).await;
    expect(&gpu, 0);
    assert_eq!(
        gpu.changes,
        ["Ssm:PutParameter", "AutoScaling:UpdateAutoScalingGroup"]
    );
    assert_eq!(tasks(&account.sandbox), 2);
    expect(&account.run(&["shutdown", "--yes"]).await, 0);
    assert_eq!(tasks(&account.sandbox), 0);
    expect(&account.run(&["resume", "--yes"]).await, 0);
    assert_eq!(counts(&account.sandbox), before);
}

#[tokio::test(start_paused = true)]
async fn what_was_changed_meanwhile_is_said_and_nothing_is_written_until_that_is_decided() {
    let account = account();
    expect(&account.run(&["shutdown", "--yes"]).await, 0);
    set_desired(&account.sandbox, "bp-frontend", 3);
    let asked = account.run(&["resume", "--yes"]).await;
    expect(&asked, 5);
    assert!(asked.changes.is_empty(), "{:?}", asked.changes);
    assert!(
        asked
            .stderr
            .contains("bp-frontend has a desired count of 3, on record are 1"),
        "{}",
        asked.stderr
    );
    assert!(asked.stderr.contains("--overwrite"), "{}", asked.stderr);
    let kept = account.run(&["resume", "--keep", "--yes", "-o", "json"]).await;
    expect(&kept, 0);
    assert_eq!(part(&kept.json(), "bp-frontend")["now"]["desired"], 3);
    assert_eq!(part(&kept.json(), "bp-backend")["now"]["desired"], 1);

    expect(&account.run(&["shutdown", "--yes"]).await, 0);
    set_desired(&account.sandbox, "bp-frontend", 1);
    let set = account
        .run(&["resume", "--overwrite", "--yes", "-o", "json"])
        .await;
    expect(&set, 0);
    // What the second shutdown found, which is what the first resume has kept.
    assert_eq!(part(&set.json(), "bp-frontend")["now"]["desired"], 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_by_a_dry_run_or_without_a_record_or_consent() {
    let account = account();
    for (args, status) in [
        (&["shutdown", "--dry-run"][..], 0),
        (&["shutdown", "--print-aws"], 0),
        (&["shutdown"], 3),
        (&["shutdown", "--scope", "everything"], 2),
        (&["resume", "--yes"], 1),
        (&["resume", "--keep", "--overwrite"], 2),
    ] {
        let run = account.run(args).await;
        expect(&run, status);
        assert!(run.changes.is_empty(), "{args:?}: {:?}", run.changes);
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_of_a_fleet_need_the_name_typed_or_are_waited_for() {
    let account = Account::with_fleets(1);
    let run = account.run(&["shutdown", "--yes"]).await;
    expect(&run, 3);
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    let drained = account
        .run(&["shutdown", "--drain", "--yes", "--timeout", "2m"])
        .await;
    expect(&drained, 6);
    // The record is the only thing that was written: the fleet has jobs, and the services wait for it.
    assert_eq!(drained.changes, ["Ssm:PutParameter"]);
    expect(&account.run(&["shutdown", "--confirm", "sandbox"]).await, 0);
    assert_eq!(tasks(&account.sandbox), 0);
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_a_look_do_not_grow_with_the_number_of_fleets() {
    let mut calls = Vec::new();
    for fleets in [1, 20, 60] {
        let run = Account::with_fleets(fleets).run(&["shutdown", "--dry-run"]).await;
        expect(&run, 0);
        calls.push(run.calls);
    }
    // Four metrics a fleet, 500 a request.
    assert!(calls.iter().all(|count| *count <= 8), "{calls:?}");
}
