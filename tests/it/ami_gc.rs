//! `bpctl ami gc`: machine images that nothing needs go, with their snapshots, and nothing else.

use bpctl_sandbox::{Scenario, Service};
use serde_json::{Value, json};

use crate::broken_network::Break;
use crate::campaign_verbs::{broken, position, requests_of};
use crate::support::Account;

const DEREGISTER: &str = "Ec2:DeregisterImage";
const DELETE: &str = "Ec2:DeleteSnapshot";
const GC: [&str; 6] = ["ami", "gc", "--keep", "1", "--older-than", "1d"];

fn call(account: &Account, service: Service, operation: &str, input: &Value) -> Value {
    account
        .sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// The ids that an operation lists.
fn ids(account: &Account, operation: &str, list: &str, id: &str) -> Vec<String> {
    let input = match operation {
        "DescribeImages" => json!({"Owners": ["self"]}),
        _ => json!({}),
    };
    let answer = call(account, Service::Ec2, operation, &input);
    let all = answer[list].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<String> = all
        .iter()
        .map(|one| one[id].as_str().expect("an id").to_owned())
        .collect();
    ids.sort();
    ids
}

fn images(account: &Account) -> Vec<String> {
    ids(account, "DescribeImages", "Images", "ImageId")
}

fn snapshots(account: &Account) -> Vec<String> {
    ids(account, "DescribeSnapshots", "Snapshots", "SnapshotId")
}

/// The images that the versions of a pointer name, the oldest first.
fn versions(account: &Account, stage: &str) -> Vec<String> {
    let input = json!({"Name": format!("/bp/ami/fleets/{stage}/gpu-default")});
    let history = call(account, Service::Ssm, "GetParameterHistory", &input);
    let versions = history["Parameters"].as_array().cloned().unwrap_or_default();
    versions
        .iter()
        .map(|version| version["Value"].as_str().expect("an image").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn images_that_only_old_versions_of_pointers_name_go_with_their_snapshots() {
    let account = Account::with(&[]);
    let before = images(&account);
    let mut gone =
        [versions(&account, "staging"), versions(&account, "production")].map(|all| all[0].clone());
    gone.sort();
    let dry = account.run(&[&GC[..], &["--dry-run"]].concat()).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    assert!(
        dry.stdout
            .contains("2 images that nothing needs and 2 snapshots, at most 200 GiB"),
        "{}",
        dry.text()
    );
    let asked = account.run(&[&GC[..], &["--yes"]].concat()).await;
    assert_eq!(
        (asked.status.code(), asked.changes.len()),
        (3, 0),
        "{}",
        asked.text()
    );
    let run = account
        .run(&[&GC[..], &["--confirm", "sandbox", "-o", "json"]].concat())
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [DEREGISTER, DELETE, DEREGISTER, DELETE]);
    assert_eq!(run.json()["freed_gib"], 200);
    let after = images(&account);
    assert!(
        gone.iter()
            .all(|image| before.contains(image) && !after.contains(image))
    );
    assert_eq!(
        (after.len(), snapshots(&account).len()),
        (before.len() - 2, before.len() - 2)
    );
    // What was deleted is not deleted again, and the other version of each pointer stays.
    let again = account.run(&[&GC[..], &["--confirm", "sandbox"]].concat()).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
}

#[tokio::test(start_paused = true)]
async fn the_way_back_stays_and_so_does_what_is_young() {
    let account = Account::with(&[]);
    for args in [
        &["ami", "gc", "--confirm", "sandbox"][..],
        &[
            "ami",
            "gc",
            "--keep",
            "2",
            "--older-than",
            "1d",
            "--confirm",
            "sandbox",
        ],
        &[
            "ami",
            "gc",
            "--keep",
            "1",
            "--older-than",
            "90d",
            "--confirm",
            "sandbox",
        ],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
        assert!(run.stderr.contains("Nothing to change"), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_instances_run_from_stays_although_no_pointer_names_it() {
    let account = Account::with(&[]);
    // Instances of production keep their image when the pointer moves.
    let [used, other] = [
        versions(&account, "production").pop().expect("a version"),
        versions(&account, "staging").pop().expect("a version"),
    ];
    let promoted = account
        .run(&[
            "ami",
            "promote",
            &other,
            "--fleet",
            "production/gpu-default",
            "--yes",
        ])
        .await;
    assert_eq!(promoted.status.code(), 0, "{}", promoted.text());
    let run = account.run(&[&GC[..], &["--confirm", "sandbox"]].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [DEREGISTER, DELETE, DEREGISTER, DELETE]);
    assert!(images(&account).contains(&used));
}

#[tokio::test(start_paused = true)]
async fn an_image_of_another_account_is_never_touched() {
    let account = Account::with(&[Scenario::AmiForeign]);
    let foreign = versions(&account, "staging").pop().expect("a version");
    let back = account
        .run(&[
            "ami",
            "rollback",
            "--fleet",
            "staging/gpu-default",
            "--no-refresh",
            "--yes",
        ])
        .await;
    assert_eq!(back.status.code(), 0, "{}", back.text());
    let run = account
        .run(&[
            "ami",
            "gc",
            "--keep",
            "1",
            "--older-than",
            "0s",
            "--confirm",
            "sandbox",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let shown = call(
        &account,
        Service::Ec2,
        "DescribeImages",
        &json!({"ImageIds": [foreign]}),
    );
    assert_eq!(shown["Images"][0]["ImageId"], foreign);
}

#[tokio::test(start_paused = true)]
async fn killed_between_image_and_snapshot_the_snapshot_goes_with_the_next_run() {
    let args = [&GC[..], &["--confirm", "sandbox"]].concat();
    let at = position(&requests_of(&args).await, "DeleteSnapshot", 0);
    let account = Account::with(&[]);
    let (network, ran) = broken(&account, &args, at, Break::KilledBefore).await;
    assert!(ran.is_none() && network.was_hit());
    assert_eq!(snapshots(&account).len(), images(&account).len() + 1);
    let again = account.run(&args).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    assert_eq!(snapshots(&account).len(), images(&account).len());
    let left = account.run(&["runs", "list", "-o", "json"]).await;
    assert!(!left.stdout.contains("in-doubt"), "{}", left.text());
}
