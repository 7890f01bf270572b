//! `bpctl fleet scale`.

use bpctl_sandbox::{Options, Scenario};
use serde_json::json;

use crate::support::{Account, kept_by_hand};

const FLEET: &str = "production/gpu-default";
const RESIZE: &str = "AutoScaling:UpdateAutoScalingGroup";

fn idle() -> Account {
    let options = Options {
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    Account::prepared(options, |sandbox| {
        kept_by_hand(sandbox, &["asg-production-gpu-default".to_owned()], 1);
    })
}

#[tokio::test(start_paused = true)]
async fn a_fleet_gets_another_size_and_can_be_taken_back() {
    let account = idle();
    let args = [
        "fleet",
        "scale",
        FLEET,
        "--desired",
        "3",
        "--max",
        "4",
        "--yes",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [RESIZE]);
    let document = run.json();
    assert_eq!(
        (&document["desired"], &document["min"], &document["max"]),
        (&json!(3), &json!(0), &json!(4))
    );
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(again.stderr.contains("Nothing to change"), "{}", again.text());
    let id = document["run"].as_str().expect("an id").to_owned();
    let undone = account.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(
        (undone.status.code(), undone.changes.len()),
        (0, 1),
        "{}",
        undone.text()
    );
    assert!(
        undone.stderr.contains("set to desired 1 (min 0, max 10)"),
        "{}",
        undone.text()
    );
}

#[tokio::test(start_paused = true)]
async fn fewer_instances_with_work_need_the_name_typed() {
    let account = Account::with(&[]);
    let run = account
        .run(&["fleet", "scale", FLEET, "--desired", "1", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (3, 0), "{}", run.text());
    assert!(
        run.stderr.contains("loses jobs of the instances that leave"),
        "{}",
        run.text()
    );
    let more = account
        .run(&["fleet", "scale", FLEET, "--desired", "3", "--dry-run"])
        .await;
    assert_eq!(
        (more.status.code(), more.changes.len()),
        (0, 0),
        "{}",
        more.text()
    );
    assert!(
        more.stdout.contains("may change the desired capacity again"),
        "{}",
        more.text()
    );
}

#[tokio::test(start_paused = true)]
async fn sizes_that_contradict_each_other_are_refused() {
    let account = idle();
    for args in [
        &["fleet", "scale", FLEET][..],
        &["fleet", "scale", FLEET, "--desired", "5", "--max", "4", "--yes"],
        &["fleet", "scale", FLEET, "--min", "3", "--desired", "2", "--yes"],
        &["fleet", "scale", FLEET, "--desired", "-1", "--yes"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?}\n{}", run.text());
    }
    // The group's own maximum is only known after a look.
    let run = account
        .run(&["fleet", "scale", FLEET, "--desired", "50", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
    assert!(run.stderr.contains("not between its bounds"), "{}", run.text());
}
