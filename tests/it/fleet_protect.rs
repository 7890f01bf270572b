//! `bpctl fleet protect` and `bpctl fleet drain`.

use bpctl_sandbox::{Options, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run, kept_by_hand};

const FLEET: &str = "production/gpu-default";
const GROUP: &str = "asg-production-gpu-default";
const PROTECT: &str = "AutoScaling:SetInstanceProtection";
const TERMINATE: &str = "AutoScaling:TerminateInstanceInAutoScalingGroup";

/// `workers` instances that nothing but the operator changes, without work.
fn idle(workers: u32) -> Account {
    let options = Options {
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        fleets: vec![bpctl_sandbox::FleetSeed::new("production", "gpu-default", 2, 0.0)],
        ..Options::default()
    };
    Account::prepared(options, |sandbox| {
        kept_by_hand(sandbox, &[GROUP.to_owned()], workers);
    })
}

fn call(account: &Account, operation: &str, input: &Value) -> Value {
    let called = account
        .sandbox
        .with_world(|world| world.call(Service::AutoScaling, operation, input));
    called.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn group(account: &Account) -> Value {
    let named = json!({"AutoScalingGroupNames": [GROUP]});
    call(account, "DescribeAutoScalingGroups", &named)["AutoScalingGroups"][0].clone()
}

fn instances(account: &Account) -> Vec<(String, bool)> {
    let group = group(account);
    let instances = group["Instances"].as_array().unwrap().iter();
    instances
        .map(|one| {
            let id = one["InstanceId"].as_str().unwrap().to_owned();
            (id, one["ProtectedFromScaleIn"].as_bool().unwrap())
        })
        .collect()
}

async fn drain(account: &Account, id: &str, words: &[&str]) -> Run {
    let line = ["fleet", "drain", FLEET, "--instance", id];
    account.run(&[&line, words].concat()).await
}

#[tokio::test(start_paused = true)]
async fn instances_are_protected_and_let_go_again() {
    let account = idle(3);
    let all = ["fleet", "protect", FLEET, "--all", "--yes", "-o", "json"];
    let run = account.run(&all).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[PROTECT.to_owned()][..]),
        "{}",
        run.text()
    );
    assert!(instances(&account).iter().all(|(_, protected)| *protected));
    assert!(
        run.stderr
            .contains("workers set the protection of their own instance"),
        "{}",
        run.text()
    );
    assert_eq!(run.json()["instances"].as_array().unwrap().len(), 3);
    let again = account.run(&all).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    let (one, _) = instances(&account)[0].clone();
    let off = account
        .run(&["fleet", "protect", FLEET, "--instance", &one, "--off", "--yes"])
        .await;
    assert_eq!((off.status.code(), off.changes.len()), (0, 1), "{}", off.text());
    let open: Vec<String> = instances(&account)
        .into_iter()
        .filter(|(_, protected)| !protected)
        .map(|(id, _)| id)
        .collect();
    assert_eq!(open, [one]);
    let id = run.json()["run"].as_str().unwrap().to_owned();
    let undone = account.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(undone.status.code(), 0, "{}", undone.text());
    assert!(
        instances(&account).iter().all(|(_, protected)| !protected),
        "{}",
        undone.text()
    );
    let stranger = [
        "fleet",
        "protect",
        FLEET,
        "--instance",
        "i-0123456789abcdef0",
        "--yes",
    ];
    let run = account.run(&stranger).await;
    assert_eq!(run.changes.len(), 0, "{}", run.text());
    assert!(
        run.stderr.contains("`i-0123456789abcdef0` is none of them"),
        "{}",
        run.text()
    );
}

/// A request names fifty instances at most.
#[tokio::test(start_paused = true)]
async fn many_instances_are_protected_fifty_a_request() {
    let account = idle(1);
    let size = json!({"AutoScalingGroupName": GROUP, "MaxSize": 120, "DesiredCapacity": 120});
    call(&account, "UpdateAutoScalingGroup", &size);
    account.sandbox.advance(std::time::Duration::from_secs(300));
    let run = account.run(&["fleet", "protect", FLEET, "--all", "--yes"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [PROTECT; 3]);
    assert_eq!(
        instances(&account)
            .iter()
            .filter(|(_, protected)| *protected)
            .count(),
        120
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_without_work_leaves_and_the_fleet_is_one_smaller() {
    let account = idle(3);
    let (id, _) = instances(&account)[1].clone();
    let run = drain(&account, &id, &["--yes", "-o", "json"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[TERMINATE.to_owned()][..]),
        "{}",
        run.text()
    );
    let document = run.json();
    assert_eq!(
        (&document["state"], &document["desired"]),
        (&json!("terminated"), &json!(2)),
        "{}",
        run.text()
    );
    assert!(!instances(&account).iter().any(|(one, _)| *one == id));
    let again = drain(&account, &id, &["--yes"]).await;
    assert_eq!(again.changes.len(), 0, "{}", again.text());
    let (other, _) = instances(&account)[0].clone();
    let run = drain(&account, &other, &["--replace", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
    assert_eq!(group(&account)["DesiredCapacity"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_protected_instance_is_waited_for_and_the_minimum_is_kept() {
    let account = idle(2);
    let (id, _) = instances(&account)[0].clone();
    let protection =
        json!({"AutoScalingGroupName": GROUP, "InstanceIds": [id], "ProtectedFromScaleIn": true});
    call(&account, "SetInstanceProtection", &protection);
    let run = drain(&account, &id, &["--yes", "--timeout", "60s"]).await;
    assert_eq!(run.changes.len(), 0, "{}", run.text());
    assert!(
        run.status.code() != 0 && run.stderr.contains("protected from scale-in"),
        "{}",
        run.text()
    );
    let forced = drain(&account, &id, &["--force", "--yes"]).await;
    assert_eq!(
        (forced.status.code(), forced.changes.len()),
        (3, 0),
        "{}",
        forced.text()
    );
    assert!(forced.stderr.contains("loses the job that"), "{}", forced.text());
    let minimum = json!({"AutoScalingGroupName": GROUP, "MinSize": 2});
    call(&account, "UpdateAutoScalingGroup", &minimum);
    let run = drain(&account, &id, &["--force", "--confirm", "sandbox"]).await;
    assert_eq!(run.changes.len(), 0, "{}", run.text());
    assert!(
        run.stderr.contains("the fleet is at its minimum of 2") && run.stderr.contains("--min 1"),
        "{}",
        run.text()
    );
    let run = drain(&account, &id, &["--force", "--replace", "--confirm", "sandbox"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
}

/// What a single instance does is not known: a job of the fleet may be its.
#[tokio::test(start_paused = true)]
async fn on_a_fleet_that_works_an_instance_is_waited_for() {
    let account = Account::with(&[]);
    let (id, _) = instances(&account)[0].clone();
    let run = drain(&account, &id, &["--dry-run"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    assert!(
        run.stdout.contains("waits while it is") || run.stderr.contains("waits while it is"),
        "{}",
        run.text()
    );
}
