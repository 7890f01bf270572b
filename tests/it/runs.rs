//! `bpctl runs`, `lock` and `history`: what was changed, by whom, and the way on and back.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use bpctl_sandbox::{Fault, FaultRule, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run, idle_fleets, kept_by_hand};

const SET: &str = "AutoScaling:SetDesiredCapacity";

fn journals(account: &Account) -> Vec<PathBuf> {
    let folder = account.home().join(".local/state/bpctl/journal");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    paths
}

/// Takes the last lines off a journal, as a kill does.
fn cut(path: &PathBuf, lines: usize) {
    let text = fs::read_to_string(path).expect("a journal");
    let kept: Vec<&str> = text.lines().collect();
    fs::write(path, kept[..kept.len() - lines].join("\n") + "\n").expect("written");
}

async fn runs(account: &Account) -> Vec<Value> {
    let run = account.run(&["runs", "list", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    run.json()["runs"].as_array().expect("a list").clone()
}

fn desired(account: &Account, fleet: usize) -> u64 {
    let input = json!({ "AutoScalingGroupNames": [format!("asg-production-fleet-{fleet:03}")] });
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::AutoScaling, "DescribeAutoScalingGroups", &input))
        .expect("the group");
    answer["AutoScalingGroups"][0]["DesiredCapacity"]
        .as_u64()
        .expect("a number")
}

async fn scale_to_zero(account: &Account) -> Run {
    account
        .run(&["fleet", "scale-to-zero", "--all", "--yes", "-o", "json"])
        .await
}

#[tokio::test(start_paused = true)]
async fn every_run_leaves_a_journal_of_its_own_and_an_entry_for_all() {
    let account = idle_fleets(2);
    let run = account
        .run(&["fleet", "scale-to-zero", "--all", "--yes", "--reason", "night"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    // Two leases are taken and given up, one entry is written.
    assert_eq!(
        run.bookkeeping
            .iter()
            .filter(|call| **call == "S3:PutObject")
            .count(),
        3,
        "{:?}",
        run.bookkeeping
    );
    assert_eq!(
        run.bookkeeping
            .iter()
            .filter(|call| **call == "S3:DeleteObject")
            .count(),
        2
    );
    let listed = runs(&account).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (
            &listed[0]["verb"],
            &listed[0]["verdict"],
            &listed[0]["steps_done"]
        ),
        (&json!("fleet scale-to-zero"), &json!("done"), &json!(2))
    );
    let id = listed[0]["run"].as_str().expect("an id");
    let shown = account.run(&["runs", "show", id, "-o", "json"]).await.json();
    assert_eq!(shown["reason"], "night");
    assert_eq!(shown["steps"][0]["calls"][0]["operation"], "SetDesiredCapacity");
    let history = account.run(&["history", "-o", "json"]).await.json();
    let entry = &history["runs"][0];
    assert_eq!(
        (&entry["run"], &entry["verdict"]),
        (&listed[0]["run"], &json!("done"))
    );
    assert!(
        entry["target"]["principal"]
            .as_str()
            .is_some_and(|arn| arn.starts_with("arn:aws:")),
        "{entry}"
    );
    let none = account
        .run(&["history", "--verb", "migrate", "-o", "json"])
        .await
        .json();
    assert_eq!(none["runs"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_cut_off_is_resumed_and_does_only_the_rest() {
    let account = idle_fleets(3);
    let rule = FaultRule::on(Service::AutoScaling, "SetDesiredCapacity", Fault::Deny).after(1);
    account.sandbox.with_world(|world| world.inject(rule));
    let partly = scale_to_zero(&account).await;
    assert_eq!(partly.status.code(), 7, "{}", partly.text());
    account.sandbox.with_world(|world| world.clear_faults());
    // As if it had been killed in the middle of the second fleet.
    let [journal] = journals(&account).try_into().expect("one journal");
    let text = fs::read_to_string(&journal).expect("text");
    let second = text
        .lines()
        .position(|line| line.contains("\"begin\"") && line.contains("fleet-001"))
        .expect("the second step");
    cut(&journal, text.lines().count() - second - 1);
    let listed = runs(&account).await;
    assert_eq!(listed[0]["state"], "cut-off");
    let id = listed[0]["run"].as_str().expect("an id").to_owned();

    let dry = account
        .run(&["runs", "resume", &id, "--dry-run", "-o", "json"])
        .await;
    assert_eq!(dry.status.code(), 0, "{}", dry.text());
    assert_eq!(
        dry.json()["steps"].as_array().map(Vec::len),
        Some(2),
        "{}",
        dry.text()
    );
    let asked = account.run(&["runs", "resume", &id]).await;
    assert_eq!(asked.status.code(), 3, "{}", asked.text());
    let resumed = account.run(&["runs", "resume", &id, "--yes", "-o", "json"]).await;
    assert_eq!(resumed.status.code(), 0, "{}", resumed.text());
    assert_eq!(resumed.changes, [SET, SET]);
    assert!(
        resumed.stderr.contains("was interrupted after 1 of 3 fleets"),
        "{}",
        resumed.text()
    );
    assert!(runs(&account).await.iter().all(|run| run["state"] == "ended"));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_taken_back_through_a_plan_of_its_own() {
    let account = idle_fleets(2);
    let run = scale_to_zero(&account).await;
    assert_eq!(
        (run.status.code(), desired(&account, 0)),
        (0, 0),
        "{}",
        run.text()
    );
    let id = runs(&account).await[0]["run"].as_str().expect("an id").to_owned();
    let dry = account.run(&["runs", "undo", &id, "--dry-run"]).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    assert!(
        dry.stdout.contains("set the desired capacity back to 1"),
        "{}",
        dry.text()
    );
    let undone = account.run(&["runs", "undo", &id, "--yes", "-o", "json"]).await;
    assert_eq!(undone.status.code(), 0, "{}", undone.text());
    assert_eq!(undone.changes, [SET, SET]);
    assert_eq!((desired(&account, 0), desired(&account, 1)), (1, 1));
    let history = account.run(&["history", "-o", "json"]).await.json();
    let entry = &history["runs"][1];
    assert_eq!(
        (&entry["verb"], &entry["run"], &entry["verdict"], &entry["status"]),
        (
            &json!("runs undo"),
            &undone.json()["run"],
            &json!("done"),
            &json!(0)
        )
    );
    assert_eq!(entry["steps"].as_array().map(Vec::len), Some(2), "{entry}");
    let twice = account.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(
        (twice.status.code(), twice.changes.len()),
        (0, 0),
        "{}",
        twice.text()
    );
    assert!(twice.stderr.contains("Nothing to undo"), "{}", twice.text());
    // The world moves on: what another operator sets is not overwritten.
    assert_eq!(scale_to_zero(&account).await.status.code(), 0);
    let runs = runs(&account).await;
    let is_new = |run: &&Value| run["verb"] == "fleet scale-to-zero" && run["run"] != id.as_str();
    let id = runs.iter().find(is_new).expect("a second run")["run"].as_str();
    let id = id.expect("an id").to_owned();
    let groups = [0, 1].map(|number| format!("asg-production-fleet-{number:03}"));
    kept_by_hand(&account.sandbox, &groups, 2);
    let again = account.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(again.status.code(), 5, "{}", again.text());
    assert!(again.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_migration_has_no_way_back_and_says_so() {
    let account = Account::with(&[]);
    let run = account.run(&["migrate", "--yes", "--no-wait"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let id = runs(&account).await[0]["run"].as_str().expect("an id").to_owned();
    let undone = account.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(
        (undone.status.code(), undone.changes.len()),
        (2, 0),
        "{}",
        undone.text()
    );
    assert!(
        undone.stderr.contains("there is no way back"),
        "{}",
        undone.text()
    );
}

#[tokio::test(start_paused = true)]
async fn runs_that_are_unknown_or_elsewhere_are_refused() {
    let account = idle_fleets(1);
    let unknown = account
        .run(&["runs", "resume", "20260115T090000Z-0123456789ab", "--yes"])
        .await;
    assert_eq!(
        (unknown.status.code(), unknown.calls),
        (1, 0),
        "{}",
        unknown.text()
    );
    let nonsense = account.run(&["runs", "show", "../../etc/passwd"]).await;
    assert_eq!(
        (nonsense.status.code(), nonsense.calls),
        (2, 0),
        "{}",
        nonsense.text()
    );
}

#[tokio::test(start_paused = true)]
async fn only_runs_that_are_over_are_pruned() {
    let account = idle_fleets(1);
    scale_to_zero(&account).await;
    let kept = account.run(&["runs", "prune", "-o", "json"]).await;
    assert_eq!(kept.json()["removed"], json!([]), "{}", kept.text());
    let [journal] = journals(&account).try_into().expect("one journal");
    let whole = fs::read_to_string(&journal).expect("text");
    cut(&journal, 1);
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    let cut_off = account
        .run(&["runs", "prune", "--older-than", "1s", "-o", "json"])
        .await;
    assert_eq!(cut_off.json()["removed"], json!([]), "{}", cut_off.text());
    fs::write(&journal, whole).expect("written");
    let ended = account.run(&["runs", "prune", "--older-than", "1s"]).await;
    assert_eq!(ended.stdout, "removed 1 journal\n", "{}", ended.text());
    assert!(journals(&account).is_empty());
}

/// A lease as a run on another machine holds it.
fn lease_of_another_machine(account: &Account, resource: &str) -> Value {
    let now = jiff::Timestamp::from_millisecond(account.sandbox.now().0).expect("a time");
    let body = json!({
        "resource": resource, "run": "20260115T085900Z-ffffffffffff", "verb": "fleet scale-to-zero",
        "principal": "arn:aws:iam::123456789012:user/night-shift", "host": "elsewhere", "process": 4242,
        "reason": "rehearsal", "started": now, "heartbeat": now, "lasts_seconds": 120,
    });
    json!({
        "Bucket": "bp-logs-123456789012",
        "Key": format!("bpctl/leases/{}.json", resource.replace('/', "%2f")),
        "Body": base64::engine::general_purpose::STANDARD.encode(body.to_string()),
    })
}

fn put(account: &Account, object: &Value) {
    account
        .sandbox
        .with_world(|world| world.call(Service::S3, "PutObject", object))
        .unwrap_or_else(|error| panic!("PutObject: {error:?}"));
}

#[tokio::test(start_paused = true)]
async fn a_run_on_another_machine_keeps_this_one_out_until_its_lease_is_over() {
    let account = idle_fleets(1);
    put(
        &account,
        &lease_of_another_machine(&account, "asg/production/fleet-000"),
    );
    let refused = scale_to_zero(&account).await;
    assert_eq!(
        (refused.status.code(), refused.changes.len()),
        (1, 0),
        "{}",
        refused.text()
    );
    assert!(
        refused.stderr.contains("another run has the lease") && refused.stderr.contains("elsewhere"),
        "{}",
        refused.text()
    );
    let listed = account.run(&["lock", "list", "-o", "json"]).await.json();
    assert_eq!(listed["leases"][0]["reason"], "rehearsal", "{listed}");
    // It is not renewed: a run that waits takes it over.
    let waited = account
        .run(&["fleet", "scale-to-zero", "--all", "--yes", "--lock-wait", "5m"])
        .await;
    assert_eq!(waited.status.code(), 0, "{}", waited.text());
    assert!(waited.stderr.contains("took over the lease"), "{}", waited.text());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_still_renewed_is_released_by_name_only() {
    let account = idle_fleets(1);
    put(&account, &lease_of_another_machine(&account, "ecs/bp-backend"));
    let yes = account.run(&["lock", "release", "ecs/bp-backend", "--yes"]).await;
    assert_eq!(yes.status.code(), 3, "{}", yes.text());
    let named = account
        .run(&["lock", "release", "ecs/bp-backend", "--confirm", "sandbox"])
        .await;
    assert_eq!(named.status.code(), 0, "{}", named.text());
    assert!(
        named.stdout.contains("released ecs/bp-backend"),
        "{}",
        named.text()
    );
    let none = account.run(&["lock", "release", "ecs/bp-backend", "--yes"]).await;
    assert_eq!(none.status.code(), 1, "{}", none.text());
    assert!(none.stderr.contains("there is none"), "{}", none.text());
}

#[tokio::test(start_paused = true)]
async fn without_the_bucket_the_operator_is_warned_or_nothing_is_changed() {
    let account = idle_fleets(1);
    let rule = FaultRule::on(Service::S3, "PutObject", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(rule));
    let required = account
        .run_with(&["fleet", "scale-to-zero", "--all", "--yes"], |process| {
            process
                .env
                .insert("BPCTL_REQUIRE_LEASE".to_owned(), "true".to_owned());
        })
        .await;
    assert_eq!(
        (required.status.code(), required.changes.len()),
        (4, 0),
        "{}",
        required.text()
    );
    let warned = scale_to_zero(&account).await;
    assert_eq!(
        (warned.status.code(), warned.changes.len()),
        (0, 1),
        "{}",
        warned.text()
    );
    assert!(
        warned.stderr.contains("runs on other machines are not kept out"),
        "{}",
        warned.text()
    );
    assert!(
        warned.stderr.contains("missing in the shared history"),
        "{}",
        warned.text()
    );
}

/// What people and AWS wrote is kept without the secrets in it; what a resumed run sends stays as it was.
#[tokio::test(start_paused = true)]
async fn journals_and_the_shared_history_hold_no_secrets() {
    let account = idle_fleets(1);
    let reason =
        "rotated DB_PASSWORD=hunter2, see https://jo:hunter2@wiki.example.com/night and AKIAIOSFODNN7EXAMPLE";
    let run = account
        .run(&["fleet", "scale-to-zero", "--all", "--yes", "--reason", reason])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let journal = fs::read_to_string(&journals(&account)[0]).expect("a journal");
    let objects = account.sandbox.with_world(|world| {
        let input = json!({"Bucket": "bp-logs-123456789012", "Prefix": "bpctl/"});
        let listed = world
            .call(Service::S3, "ListObjectsV2", &input)
            .expect("the bucket");
        let keys: Vec<String> = listed["Contents"]
            .as_array()
            .expect("objects")
            .iter()
            .filter_map(|object| object["Key"].as_str().map(str::to_owned))
            .collect();
        keys.into_iter()
            .map(|key| {
                let input = json!({"Bucket": "bp-logs-123456789012", "Key": key});
                let object = world.call(Service::S3, "GetObject", &input).expect("an object");
                let body = object["Body"].as_str().expect("a body");
                let body = base64::engine::general_purpose::STANDARD
                    .decode(body)
                    .expect("base64");
                String::from_utf8_lossy(&body).into_owned()
            })
            .collect::<Vec<_>>()
    });
    let shown = account.run(&["history", "-o", "json"]).await.stdout;
    assert!(!objects.is_empty());
    for kept in objects.iter().chain([&journal, &shown]) {
        assert!(!kept.contains("hunter2"), "{kept}");
    }
    assert!(journal.contains("rotated DB_PASSWORD=[redacted]"), "{journal}");
    assert!(shown.contains("rotated DB_PASSWORD=[redacted]"), "{shown}");
    // The calls are those that were sent: every whole-command test compares them.
    assert_eq!(run.changes, [SET]);
}
