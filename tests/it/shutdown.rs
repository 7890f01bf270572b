//! `bpctl shutdown` and `bpctl resume`.

use bpctl_sandbox::{FleetSeed, Options, Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::broken_network::{Break, Network};
use crate::campaign_verbs::{broken, over, position};
use crate::campaign_worlds::{World, array, asleep, call};
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

fn database(sandbox: &Sandbox) -> Value {
    let found = call(sandbox, Service::Rds, "DescribeDBInstances", &json!({}));
    found["DBInstances"][0].clone()
}

fn record(sandbox: &Sandbox) -> Value {
    let found = call(
        sandbox,
        Service::Ssm,
        "GetParameters",
        &json!({"Names": ["/bp/shutdown"]}),
    );
    let text = found["Parameters"][0]["Value"].as_str().expect("a record");
    serde_json::from_str(text).expect("JSON")
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

const STOP: &str = "Rds:StopDBInstance";
const START: &str = "Rds:StartDBInstance";

#[tokio::test(start_paused = true)]
async fn the_database_stops_last_and_starts_first() {
    let account = account();
    let before = counts(&account.sandbox);
    let id = database(&account.sandbox)["DBInstanceIdentifier"].clone();
    let down = account
        .run(&["shutdown", "--rds", "stop", "--yes", "-o", "json"])
        .await;
    expect(&down, 0);
    assert_eq!(down.changes.last().map(String::as_str), Some(STOP));
    assert!(
        down.stderr.contains("again by itself after seven days"),
        "{}",
        down.text()
    );
    assert_eq!(database(&account.sandbox)["DBInstanceStatus"], "stopped");
    assert_eq!(record(&account.sandbox)["database"], id);
    let document = down.json();
    assert_eq!(part(&document, id.as_str().expect("an id"))["left"], 0);
    assert!(!document["database_starts"].is_null(), "{document:#}");
    let again = account.run(&["shutdown", "--rds", "stop", "--yes"]).await;
    expect(&again, 0);
    assert!(again.changes.is_empty(), "{:?}", again.changes);

    let up = account.run(&["resume", "--yes", "-o", "json"]).await;
    expect(&up, 0);
    assert_eq!(up.changes.first().map(String::as_str), Some(START));
    let said = |text: &str| {
        up.stderr
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {}", up.stderr))
    };
    assert!(
        said("is starting") < said("bp-backend: set to 1 tasks"),
        "{}",
        up.stderr
    );
    assert_eq!(up.json()["database"]["status"], "available");
    assert_eq!(counts(&account.sandbox), before);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_aws_has_started_meanwhile_is_left_alone() {
    let account = account();
    expect(&account.run(&["shutdown", "--rds", "stop", "--yes"]).await, 0);
    let name = json!({"DBInstanceIdentifier": database(&account.sandbox)["DBInstanceIdentifier"]});
    call(&account.sandbox, Service::Rds, "StartDBInstance", &name);
    // Its hours cost: a second shutdown stops it once more, and writes no second record.
    let dry = account.run(&["shutdown", "--rds", "stop", "--dry-run"]).await;
    expect(&dry, 0);
    assert!(
        dry.stdout.contains("StopDBInstance") && !dry.stdout.contains("PutParameter"),
        "{}",
        dry.text()
    );
    let up = account.run(&["resume", "--yes"]).await;
    expect(&up, 0);
    assert!(!up.changes.contains(&START.to_owned()), "{:?}", up.changes);
    assert_eq!(database(&account.sandbox)["DBInstanceStatus"], "available");
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_needed_or_cannot_be_stopped_goes_on() {
    let account = account();
    let usage = account
        .run(&["shutdown", "--scope", "gpu", "--rds", "stop"])
        .await;
    assert_eq!((usage.status.code(), usage.calls), (2, 0), "{}", usage.text());
    // A one-off task that nobody has ended.
    let backend = call(
        &account.sandbox,
        Service::Ecs,
        "DescribeServices",
        &json!({"cluster": "bp", "services": ["bp-backend"]}),
    );
    let task = json!({
        "cluster": "bp",
        "taskDefinition": "bp-backend",
        "launchType": "FARGATE",
        "networkConfiguration": backend["services"][0]["networkConfiguration"],
        "overrides": {"containerOverrides": [{"name": "php-fpm", "command": ["sleep 86400"]}]},
    });
    call(&account.sandbox, Service::Ecs, "RunTask", &task);
    let waits = account
        .run(&["shutdown", "--rds", "stop", "--yes", "--timeout", "10m"])
        .await;
    expect(&waits, 6);
    assert!(waits.stderr.contains("1 task in the cluster"), "{}", waits.text());
    assert!(!waits.changes.contains(&STOP.to_owned()), "{:?}", waits.changes);
    assert_eq!(database(&account.sandbox)["DBInstanceStatus"], "available");

    let account = self::account();
    account.sandbox.with_world(|world| {
        world.amend(Service::Rds, "DescribeDBInstances", |answer| {
            answer["DBInstances"][0]["ReadReplicaDBInstanceIdentifiers"] = json!(["bp-copy"]);
        });
    });
    let refused = account.run(&["shutdown", "--rds", "stop", "--yes"]).await;
    expect(&refused, 1);
    assert!(refused.changes.is_empty(), "{:?}", refused.changes);
    assert!(
        refused.stderr.contains("it has read replicas (bp-copy)"),
        "{}",
        refused.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_resume_ends_when_the_application_says_that_it_is_up() {
    let account = account();
    expect(&account.run(&["shutdown", "--yes"]).await, 0);
    account.sandbox.with_world(|world| {
        world.set_scenarios([Scenario::ScaleToZeroUnsubscribed, Scenario::Backend502].into());
        // The load balancer's own checks find nothing wrong.
        world.amend(Service::Elb, "DescribeTargetHealth", |answer| {
            for target in answer["TargetHealthDescriptions"]
                .as_array_mut()
                .into_iter()
                .flatten()
            {
                target["TargetHealth"] = json!({"State": "healthy"});
            }
        });
    });
    let asked = account.run(&["resume", "--yes", "--timeout", "10m"]).await;
    expect(&asked, 6);
    assert!(asked.stderr.contains("/up answers 50"), "{}", asked.text());
    assert!(record(&account.sandbox)["resumed"].is_null());
    let unasked = account.run(&["resume", "--no-up", "--yes"]).await;
    expect(&unasked, 0);
    assert!(!record(&account.sandbox)["resumed"].is_null());
}

#[tokio::test(start_paused = true)]
async fn bounds_that_aws_does_not_tell_are_no_zero() {
    let account = account();
    let argv = ["shutdown", "--yes"];
    let network = Network::sound(account.sandbox.clone(), account.clock());
    over(&account, &["shutdown", "--dry-run"], &network)
        .await
        .expect("it is not killed");
    let seen = network.seen.lock().expect("no panic").clone();
    let at = position(&seen, "DescribeScalableTargets", 0);
    let answer = r#"{"ScalableTargets": [{"ServiceNamespace": "ecs", "ResourceId": "service/bp/bp-backend",
        "ScalableDimension": "ecs:service:DesiredCount", "MaxCapacity": 4, "RoleARN": "x", "CreationTime": 1}]}"#;
    let (network, run) = broken(&account, &argv, at, Break::Answer(200, answer)).await;
    let run = run.expect("an answer is no kill");
    assert_eq!(
        network.hit.lock().expect("no panic").as_deref(),
        Some("DescribeScalableTargets")
    );
    expect(&run, 1);
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    assert!(
        run.stderr.contains("MinCapacity of") && run.stderr.contains("bpctl takes no guess"),
        "{}",
        run.text()
    );
    assert_eq!(tasks(&account.sandbox), 2);
}

#[tokio::test(start_paused = true)]
async fn two_hundred_fleets_are_on_record_and_come_back() {
    let account = Account::with_fleets(200);
    let before = counts(&account.sandbox);
    let dry = account.run(&["shutdown", "--dry-run"]).await;
    expect(&dry, 0);
    // Three pages of groups, two requests of 500 metrics, and the account, the stack, the services and the record.
    assert!(dry.calls <= 12, "{}", dry.calls);
    let down = account
        .run(&["shutdown", "--confirm", "sandbox", "--timeout", "2h"])
        .await;
    expect(&down, 0);
    // A fleet is one write, with a look before it and one after it; the rest are looks at all of them.
    assert!(down.calls <= 4 * 200, "{}", down.calls);
    let facts = call(
        &account.sandbox,
        Service::Ssm,
        "DescribeParameters",
        &json!({"ParameterFilters": [{"Key": "Name", "Values": ["/bp/shutdown"]}]}),
    );
    let text = record(&account.sandbox);
    assert!(text.to_string().len() < 4096, "{}", text.to_string().len());
    assert_eq!(facts["Parameters"][0]["Tier"], "Standard");
    let names: usize = array(&text["fleets"])
        .iter()
        .map(|same| array(&same["of"]["production"]).len())
        .sum();
    assert_eq!(names, 200);
    let up = account.run(&["resume", "--yes", "--timeout", "2h"]).await;
    expect(&up, 0);
    assert!(up.calls <= 4 * 200, "{}", up.calls);
    let after = counts(&account.sandbox);
    let bounds = |world: &World, name: &String| {
        let sizes = world.things[name].clone();
        (sizes[0].clone(), sizes[1].clone())
    };
    // The policies go on as soon as a group has its bounds back: its desired capacity is theirs.
    for name in before.things.keys().filter(|name| name.starts_with("asg-")) {
        assert_eq!(bounds(&before, name), bounds(&after, name), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_of_more_than_four_kilobytes_becomes_an_advanced_parameter() {
    let fleets =
        (0..160).map(|n| FleetSeed::new("production", &format!("restore-old-photographs-{n:03}"), 2, 0.0));
    let options = Options {
        fleets: fleets.collect(),
        ..Options::default()
    };
    let account = Account::prepared(options, |_| {});
    expect(&account.run(&["shutdown", "--confirm", "sandbox"]).await, 0);
    let facts = call(
        &account.sandbox,
        Service::Ssm,
        "DescribeParameters",
        &json!({"ParameterFilters": [{"Key": "Name", "Values": ["/bp/shutdown"]}]}),
    );
    assert_eq!(facts["Parameters"][0]["Tier"], "Advanced");
    // Another machine reads it.
    expect(&account.beside().run(&["resume", "--yes"]).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_changed_while_the_platform_slept_is_told_under_its_scenario() {
    let asleep = || Account::with(&[Scenario::ResumeConflict]);
    let account = asleep();
    let asked = account.run(&["resume", "--yes"]).await;
    expect(&asked, 5);
    assert!(asked.changes.is_empty(), "{:?}", asked.changes);
    for told in [
        "bp-frontend has a desired count of 2, on record are 1",
        "staging/gpu-default is at desired 0 (min 0, max 2)",
        "`--overwrite`",
        "`--keep`",
    ] {
        assert!(asked.stderr.contains(told), "{told}: {}", asked.text());
    }
    let kept = account.run(&["resume", "--keep", "--yes", "-o", "json"]).await;
    expect(&kept, 0);
    assert_eq!(part(&kept.json(), "bp-frontend")["now"]["desired"], 2);
    assert_eq!(part(&kept.json(), "bp-backend")["now"]["desired"], 1);
    let account = asleep();
    let set = account
        .run(&["resume", "--overwrite", "--yes", "-o", "json"])
        .await;
    expect(&set, 0);
    let document = set.json();
    for part in array(&document["parts"]) {
        let size = |of: &Value| (of["min"].clone(), of["max"].clone());
        assert_eq!(size(&part["recorded"]), size(&part["now"]), "{part}");
    }
    // It is mended as an operator would.
    let account = asleep();
    account
        .sandbox
        .with_world(|world| world.set_scenarios([Scenario::Healthy].into()));
    account.sandbox.advance(std::time::Duration::from_secs(600));
    expect(&account.run(&["resume", "--yes"]).await, 1);
    assert_eq!(tasks(&account.sandbox), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hold_outlives_a_shutdown_and_its_end() {
    let account = Account::with(&[]);
    let fleet = "production/gpu-default";
    expect(
        &account.run(&["fleet", "hold", fleet, "--no-wait", "--yes"]).await,
        0,
    );
    expect(&account.run(&["shutdown", "--confirm", "sandbox"]).await, 0);
    expect(&account.run(&["resume", "--yes"]).await, 0);
    let held = ["fleet", "list", "-o", "json", "--query", "fleets[?hold].name"];
    assert_eq!(account.run(&held).await.json(), json!([fleet]));
}
