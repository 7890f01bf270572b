//! `bpctl fleet refresh`, its `status` and `cancel`, and `bpctl fleet instances`.

use std::time::Duration;

use bpctl_sandbox::{Layout, Options, Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, kept_by_hand};

const FLEET: &str = "production/gpu-default";
const GROUP: &str = "asg-production-gpu-default";
const POINTER: &str = "/bp/ami/fleets/production/gpu-default";
const START: &str = "AutoScaling:StartInstanceRefresh";

fn call(sandbox: &Sandbox, service: Service, operation: &str, input: Value) -> Value {
    sandbox
        .with_world(|world| world.call(service, operation, &input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// The other image that the pointer can name.
fn other_image(sandbox: &Sandbox, pointer: &str) -> String {
    let history = call(
        sandbox,
        Service::Ssm,
        "GetParameterHistory",
        json!({"Name": pointer}),
    );
    let value = &history["Parameters"][0]["Value"];
    value.as_str().expect("an image").to_owned()
}

fn promote(sandbox: &Sandbox, pointer: &str) -> String {
    let image = other_image(sandbox, pointer);
    let input = json!({"Name": pointer, "Value": image, "Overwrite": true});
    call(sandbox, Service::Ssm, "PutParameter", input);
    image
}

/// An idle fleet of `size` instances, kept by hand, whose pointer names another image than they run.
fn promoted(size: u32) -> Account {
    let options = Options {
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    Account::prepared(options, |sandbox| {
        kept_by_hand(sandbox, &[GROUP.to_owned()], size);
        promote(sandbox, POINTER);
    })
}

/// The images that the instances of the fleet run, as EC2 says it.
fn images(sandbox: &Sandbox) -> Vec<String> {
    images_of(sandbox, GROUP)
}

fn images_of(sandbox: &Sandbox, group: &str) -> Vec<String> {
    let input = json!({"Filters": [{"Name": "tag:aws:autoscaling:groupName", "Values": [group]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]}]});
    let found = call(sandbox, Service::Ec2, "DescribeInstances", input);
    let reservations = found["Reservations"].as_array().cloned().unwrap_or_default();
    let image = |one: &Value| {
        one["Instances"][0]["ImageId"]
            .as_str()
            .expect("an image")
            .to_owned()
    };
    reservations.iter().map(image).collect()
}

#[tokio::test(start_paused = true)]
async fn every_instance_runs_the_image_of_the_pointer_in_the_end() {
    let account = promoted(2);
    let wanted = other_image(&account.sandbox, POINTER);
    assert!(images(&account.sandbox).iter().all(|image| *image != wanted));
    let dry = account.run(&["fleet", "refresh", FLEET, "--dry-run"]).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    assert!(dry.stdout.contains("2 with another image"), "{}", dry.text());
    let run = account
        .run(&["fleet", "refresh", FLEET, "--follow", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [START]);
    assert_eq!(images(&account.sandbox), [wanted.clone(), wanted.clone()]);
    let document = run.json();
    assert_eq!(
        (
            &document["status"],
            &document["percent_complete"],
            &document["image"]
        ),
        (&json!("Successful"), &json!(100), &json!(wanted))
    );
    assert!(run.stderr.contains("is taken out of service"), "{}", run.text());
    // Nothing is left to replace.
    let again = account.run(&["fleet", "refresh", FLEET, "--yes"]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(again.stderr.contains("Nothing to change"), "{}", again.text());
    let table = account
        .run(&["fleet", "instances", FLEET, "-o", "json"])
        .await
        .json();
    for row in table["instances"].as_array().expect("rows") {
        assert_eq!(
            (&row["image"], &row["differs_in"]),
            (&json!(wanted), &json!([])),
            "{row}"
        );
        assert_eq!(
            (&row["spot"], &row["reached_by_systems_manager"]),
            (&json!(true), &json!(true))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn instances_that_differ_are_told_from_those_that_do_not() {
    let account = promoted(1);
    let table = account.run(&["fleet", "instances", FLEET, "-o", "json"]).await;
    assert_eq!(
        table.json()["instances"][0]["differs_in"],
        json!(["image"]),
        "{}",
        table.text()
    );
    let wide = account.run(&["fleet", "instances", "-o", "wide"]).await;
    assert_eq!(wide.status.code(), 0, "{}", wide.text());
    for word in ["DIFFERS IN", "image", "spot", "us-east-1"] {
        assert!(wide.stdout.contains(word), "{word}: {}", wide.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_in_the_staged_layout() {
    const STAGED: &str = "asg-staging-image-to-video";
    const POINTER: &str = "/bp/ami/image-to-video";
    let account = Account::prepared(
        Options {
            layout: Layout::Staged,
            stage: "staging".to_owned(),
            scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
            ..Options::default()
        },
        |sandbox| {
            kept_by_hand(sandbox, &[STAGED.to_owned()], 1);
            promote(sandbox, POINTER);
        },
    );
    let run = account
        .run(&[
            "fleet",
            "refresh",
            "staging/image-to-video",
            "--warmup",
            "60s",
            "--yes",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [START]);
    let wanted = other_image(&account.sandbox, POINTER);
    assert_eq!(images_of(&account.sandbox, STAGED), [wanted]);
}

#[tokio::test(start_paused = true)]
async fn without_capacity_it_says_why_it_does_not_advance() {
    let account = Account::with(&[Scenario::RefreshNoCapacity]);
    let run = account
        .run(&[
            "fleet",
            "refresh",
            FLEET,
            "--yes",
            "--timeout",
            "20m",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.status.code(), 6, "{}", run.text());
    assert!(
        run.stderr.contains("launches fail:")
            && run
                .stderr
                .contains("UnfulfillableCapacity (g4dn.xlarge in us-east-1"),
        "{}",
        run.text()
    );
    let status = account.run(&["fleet", "refresh", "status", FLEET]).await;
    assert_eq!(status.status.code(), 0, "{}", status.text());
    assert!(
        status.stdout.contains("waits: launches fail:"),
        "{}",
        status.text()
    );
    let whole = account
        .run(&["fleet", "refresh", "status", FLEET, "--follow", "-o", "json"])
        .await;
    let code = whole.status.code();
    assert!([1, 6].contains(&code), "{}", whole.text());
    let cancel = account
        .run(&["fleet", "refresh", "cancel", FLEET, "--yes", "--timeout", "1m"])
        .await;
    assert!([0, 6].contains(&cancel.status.code()), "{}", cancel.text());
}

#[tokio::test(start_paused = true)]
async fn hanging_workers_are_named_and_the_refresh_fails_after_an_hour() {
    let account = Account::with(&[Scenario::RefreshStuck]);
    let run = account
        .run(&["fleet", "refresh", FLEET, "--yes", "--timeout", "2h"])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.stderr.contains("protected from scale in"), "{}", run.text());
    assert!(
        run.stderr
            .contains("waits for instances that are protected from scale-in: i-"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn protected_instances_that_are_left_alone_are_no_success() {
    let account = Account::with(&[Scenario::RefreshStuck]);
    let run = account
        .run(&[
            "fleet",
            "refresh",
            FLEET,
            "--protected-instances",
            "ignore",
            "--yes",
        ])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr.contains("0 of 2 instances run") && run.stderr.contains("(protected from scale-in)"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_refresh_is_cancelled_and_what_is_replaced_stays_replaced() {
    let account = promoted(3);
    let nothing = account.run(&["fleet", "refresh", "cancel", FLEET, "--yes"]).await;
    assert_eq!(
        (nothing.status.code(), nothing.changes.len()),
        (0, 0),
        "{}",
        nothing.text()
    );
    let started = account
        .run(&["fleet", "refresh", FLEET, "--no-wait", "--yes"])
        .await;
    assert_eq!(started.status.code(), 0, "{}", started.text());
    account.sandbox.advance(Duration::from_secs(120));
    // Somebody else's view: one is under way.
    let elsewhere = account
        .run(&["fleet", "refresh", FLEET, "--force", "--dry-run", "--exit-code"])
        .await;
    assert!(
        elsewhere.stdout.contains("under way") || elsewhere.stderr.contains("under way"),
        "{}",
        elsewhere.text()
    );
    let cancelled = account.run(&["fleet", "refresh", "cancel", FLEET, "--yes"]).await;
    assert_eq!(cancelled.status.code(), 0, "{}", cancelled.text());
    assert_eq!(cancelled.changes, ["AutoScaling:CancelInstanceRefresh"]);
    let wanted = other_image(&account.sandbox, POINTER);
    let replaced = images(&account.sandbox)
        .iter()
        .filter(|image| **image == wanted)
        .count();
    assert_eq!(replaced, 1);
    let rest = account
        .run(&["fleet", "refresh", FLEET, "--min-healthy", "0", "--yes"])
        .await;
    assert_eq!(rest.status.code(), 0, "{}", rest.text());
    assert!(images(&account.sandbox).iter().all(|image| *image == wanted));
}

#[tokio::test(start_paused = true)]
async fn what_would_end_badly_is_refused_before_anything_is_sent() {
    for (args, code, words) in [
        (&["--checkpoint", "50,20"][..], 2, "do not ascend"),
        (&["--checkpoint", "20,50"], 2, "do not ascend"),
        (&["--checkpoint-delay", "5m"], 2, "--checkpoint"),
        (&["--min-healthy", "101"], 2, "101"),
    ] {
        let account = Account::with(&[]);
        let run = account
            .run(&[&["fleet", "refresh", FLEET, "--yes"], args].concat())
            .await;
        assert_eq!(
            (run.status.code(), run.calls),
            (code, 0),
            "{args:?}\n{}",
            run.text()
        );
        assert!(run.stderr.contains(words), "{}", run.text());
    }
    let account = promoted(1);
    let skip = account
        .run(&["fleet", "refresh", FLEET, "--skip-matching", "--yes"])
        .await;
    assert_eq!(
        (skip.status.code(), skip.changes.len()),
        (2, 0),
        "{}",
        skip.text()
    );
    assert!(skip.stderr.contains("would replace nothing"), "{}", skip.text());
    let process = json!({"AutoScalingGroupName": GROUP, "ScalingProcesses": ["Launch"]});
    call(
        &account.sandbox,
        Service::AutoScaling,
        "SuspendProcesses",
        process,
    );
    let held = account.run(&["fleet", "refresh", FLEET, "--yes"]).await;
    assert_eq!(
        (held.status.code(), held.changes.len()),
        (1, 0),
        "{}",
        held.text()
    );
    assert!(
        held.stderr.contains("process Launch is suspended"),
        "{}",
        held.text()
    );
    for (scenario, words) in [
        (Scenario::AmiMissing, "there is no parameter"),
        (Scenario::AmiWrongType, "has the data type text"),
    ] {
        let account = Account::with(&[scenario]);
        let run = account
            .run(&["fleet", "refresh", FLEET, "--force", "--yes"])
            .await;
        assert!(run.changes.is_empty() && run.status.code() != 0, "{}", run.text());
        assert!(run.stderr.contains(words), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_holds_on_while_too_many_jobs_wait() {
    let account = Account::with(&[Scenario::QueueSurge]);
    promote(&account.sandbox, POINTER);
    let run = account
        .run(&[
            "fleet",
            "refresh",
            FLEET,
            "--pause-on-backlog",
            "3",
            "--yes",
            "--confirm",
            "sandbox",
            "--timeout",
            "10m",
        ])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (6, 0), "{}", run.text());
    assert!(
        run.stderr.contains("jobs in the queue, 3 at most"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn the_calls_for_a_plan_do_not_grow_with_the_instances() {
    let mut calls = Vec::new();
    for size in [1, 8] {
        let account = promoted(size);
        let run = account.run(&["fleet", "refresh", FLEET, "--dry-run"]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        calls.push(run.calls);
    }
    assert_eq!(calls[0], calls[1]);
    assert!(calls[0] <= 12, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn follow_and_no_wait_exclude_each_other() {
    let account = promoted(1);
    let run = account
        .run(&["fleet", "refresh", FLEET, "--follow", "--no-wait", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    let detached = account
        .run(&["fleet", "refresh", FLEET, "--no-wait", "--yes", "-o", "json"])
        .await;
    assert_eq!(detached.status.code(), 0, "{}", detached.text());
    assert_eq!(detached.changes, [START]);
    assert!(
        ["Pending", "InProgress"].contains(&detached.json()["status"].as_str().unwrap_or_default()),
        "{}",
        detached.text()
    );
}
