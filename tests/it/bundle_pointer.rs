//! `bpctl bundle activate`, `rollback` and `history`.

use bpctl_sandbox::{Scenario, Service};
use serde_json::{Value, json};

use crate::broken_network::Break;
use crate::bundle::{EARLIER, NEXT, put};
use crate::campaigns::broken;
use crate::support::Account;

const FLEET: &str = "staging/gpu-default";
const POINTER: &str = "/bp/fleets/staging/gpu-default/active_bundle";
const PUT: &str = "Ssm:PutParameter";

fn pointer(account: &Account, name: &str) -> (String, u64) {
    let input = json!({"Name": name});
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::Ssm, "GetParameter", &input))
        .expect("a parameter");
    let parameter = &answer["Parameter"];
    (
        parameter["Value"].as_str().expect("a value").to_owned(),
        parameter["Version"].as_u64().expect("a version"),
    )
}

fn write(account: &Account, name: &str, value: &str) {
    let input = json!({"Name": name, "Value": value, "Overwrite": true});
    account
        .sandbox
        .with_world(|world| world.call(Service::Ssm, "PutParameter", &input))
        .expect("it is written");
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_activated_and_the_nodes_are_told_of() {
    let account = Account::with(&[]);
    let args = [
        "bundle", "activate", "c81d", "--fleet", FLEET, "--yes", "-o", "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [PUT]);
    assert_eq!(pointer(&account, POINTER).0, format!("bundles/{NEXT}"));
    let moved = run.json()["fleets"][0].clone();
    assert_eq!(moved["new_nodes"], "sync");
    assert_eq!(moved["sync_bytes"], 138_240);
    assert_eq!(moved["differing_bytes"], 9_216 + 4_096);
    assert_eq!(moved["moved"], true);
    // The second time there is nothing to do.
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(again.stderr.contains("Nothing to change"), "{}", again.text());
    assert_eq!(again.json()["fleets"][0]["moved"], false);
    let history = account
        .run(&["bundle", "history", "--fleet", FLEET, "-o", "json"])
        .await;
    let versions = history.json()["versions"].clone();
    assert_eq!(versions[0]["bundle_id"], NEXT);
    assert_eq!(versions[0]["active"], true);
    assert!(
        versions[0]["by"].is_string() && versions[0]["since"].is_string(),
        "{versions}"
    );
    assert_eq!(versions[2]["bundle_id"], EARLIER);
    assert_eq!(versions[3]["bundle_id"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn nodes_that_run_keep_their_bundle_and_the_next_command_is_printed() {
    let account = Account::with(&[]);
    let args = [
        "bundle",
        "activate",
        NEXT,
        "--fleet",
        "production/gpu-default",
        "--yes",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stderr.contains("2 nodes run now and keep their bundle"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("bpctl fleet refresh production/gpu-default"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn nodes_skip_what_their_image_has() {
    let account = Account::with(&[]);
    let (active, _) = pointer(&account, POINTER);
    write(&account, POINTER, "none");
    let id = active.trim_start_matches("bundles/");
    let run = account
        .run(&["bundle", "activate", id, "--fleet", FLEET, "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let moved = run.json()["fleets"][0].clone();
    assert_eq!(
        (&moved["new_nodes"], &moved["sync_bytes"]),
        (&json!("skip"), &json!(0))
    );
    assert_eq!(moved["differing_bytes"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn in_the_staged_layout_the_pointer_holds_the_id_and_nodes_fetch_the_difference() {
    let account = Account::staged(&[]);
    let args = [
        "bundle",
        "activate",
        NEXT,
        "--fleet",
        "image-to-video",
        "--yes",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        pointer(&account, "/bp/staging/assets/image-to-video/active_bundle").0,
        NEXT
    );
    assert_eq!(run.json()["fleets"][0]["sync_bytes"], 9_216 + 4_096);
    let other = format!("text-to-video/{NEXT}");
    let wrong = account
        .run(&["bundle", "activate", &other, "--fleet", "image-to-video", "--yes"])
        .await;
    assert_eq!(
        (wrong.status.code(), wrong.changes.len()),
        (2, 0),
        "{}",
        wrong.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_sends_nothing_and_says_what_nodes_will_do() {
    let account = Account::with(&[]);
    let run = account
        .run(&["bundle", "activate", NEXT, "--fleet", FLEET, "--dry-run"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    assert!(
        run.stdout.contains("they synchronise 138.2 kB while they boot"),
        "{}",
        run.text()
    );
    assert!(
        run.stdout
            .contains("13.3 kB differ from the bundle that is active now"),
        "{}",
        run.text()
    );
    let printed = account
        .run(&["bundle", "activate", NEXT, "--fleet", FLEET, "--print-aws"])
        .await;
    assert!(
        printed.stdout.contains("aws ssm put-parameter") && printed.stdout.contains("--overwrite"),
        "{}",
        printed.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_fails_is_refused_and_nothing_is_written() {
    for (scenario, told) in [
        (Scenario::BundleCorrupt, "has the digest"),
        (Scenario::BundleMissingObject, "there is no object"),
    ] {
        for account in [Account::with(&[scenario]), Account::staged(&[scenario])] {
            let fleet = if account
                .run(&["fleet", "list", "-o", "name"])
                .await
                .stdout
                .contains(FLEET)
            {
                FLEET
            } else {
                "staging/image-to-video"
            };
            let args = ["bundle", "activate", NEXT, "--fleet", fleet, "--yes"];
            let run = account.run(&args).await;
            assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
            assert!(run.stderr.contains(told), "{}", run.text());
            assert!(run.stderr.contains("bundle verify"), "{}", run.text());
            let forced = account.run(&[&args[..], &["--force"]].concat()).await;
            assert_eq!(
                (forced.status.code(), forced.changes.len()),
                (0, 1),
                "{}",
                forced.text()
            );
        }
    }
    let account = Account::with(&[]);
    put(&account, "bundles/bad/manifest.json", b"{\"bundle_id\": \"bad\"}");
    for bundle in ["bad", "nowhere"] {
        let run = account
            .run(&["bundle", "activate", bundle, "--fleet", FLEET, "--yes", "--force"])
            .await;
        assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn going_back_is_to_the_bundle_before_and_going_back_twice_stays() {
    let account = Account::with(&[]);
    let (before, _) = pointer(&account, POINTER);
    let forward = account
        .run(&["bundle", "activate", NEXT, "--fleet", FLEET, "--yes"])
        .await;
    assert_eq!(forward.status.code(), 0, "{}", forward.text());
    let args = ["bundle", "rollback", "--fleet", FLEET, "--yes"];
    let back = account.run(&args).await;
    assert_eq!(
        (back.status.code(), &back.changes[..]),
        (0, &[PUT.to_owned()][..]),
        "{}",
        back.text()
    );
    assert_eq!(pointer(&account, POINTER).0, before);
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(
        again.stderr.contains("has been moved back already"),
        "{}",
        again.text()
    );
    assert_eq!(pointer(&account, POINTER).0, before);
    let first = account
        .run(&[
            "bundle",
            "rollback",
            "--fleet",
            FLEET,
            "--to-version",
            "1",
            "--yes",
        ])
        .await;
    assert_eq!(first.status.code(), 0, "{}", first.text());
    assert_eq!(pointer(&account, POINTER).0, "none");
    let unknown = account
        .run(&[
            "bundle",
            "rollback",
            "--fleet",
            FLEET,
            "--to-version",
            "99",
            "--yes",
        ])
        .await;
    assert_eq!(
        (unknown.status.code(), unknown.changes.len()),
        (1, 0),
        "{}",
        unknown.text()
    );
}

#[tokio::test(start_paused = true)]
async fn an_activation_can_be_undone() {
    let account = Account::with(&[]);
    let before = pointer(&account, POINTER).0;
    let run = account
        .run(&[
            "bundle", "activate", NEXT, "--fleet", FLEET, "--yes", "-o", "json",
        ])
        .await;
    let id = run.json()["run"].as_str().expect("an id").to_owned();
    let undone = account.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(undone.status.code(), 0, "{}", undone.text());
    assert_eq!(pointer(&account, POINTER).0, before);
}

#[tokio::test(start_paused = true)]
async fn several_fleets_take_one_look_at_the_bundle() {
    let account = Account::with(&[]);
    let args = [
        "bundle",
        "activate",
        NEXT,
        "--fleet",
        FLEET,
        "--fleet",
        "production/gpu-default",
        "--yes",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 2), "{}", run.text());
    assert_eq!(run.json()["fleets"].as_array().map(Vec::len), Some(2));
    // Account, parameters, groups, images, manifests of three bundles, six objects described and read; for each fleet
    // two looks and a write, and one look at the end.
    assert!(run.calls <= 32, "{}", run.calls);
}

#[tokio::test(start_paused = true)]
async fn wherever_it_is_cut_off_the_same_command_brings_it_to_its_end() {
    let activate = ["bundle", "activate", NEXT, "--fleet", FLEET, "--yes"];
    let rollback = ["bundle", "rollback", "--fleet", FLEET, "--yes"];
    for (args, wanted) in [(&activate[..], NEXT), (&rollback[..], EARLIER)] {
        for what in [
            Break::KilledBefore,
            Break::KilledAfter,
            Break::KilledInFlight,
            Break::Interrupt,
        ] {
            // The bundle's objects are many reads that are one like the other.
            for at in (0..8).chain((8..).step_by(3)) {
                let account = Account::with(&[]);
                let (network, run) = broken(&account, args, at, what).await;
                if !network.was_hit() {
                    assert!(at > 8, "{at}");
                    break;
                }
                let label = format!("{what:?} at {at}: {:?}", network.hit.lock().expect("no panic"));
                if let Some(run) = run {
                    assert!([0, 130].contains(&run.status.code()), "{label}\n{}", run.text());
                }
                let again = account.run(args).await;
                assert_eq!(again.status.code(), 0, "{label}\n{}", again.text());
                assert_eq!(
                    pointer(&account, POINTER).0,
                    format!("bundles/{wanted}"),
                    "{label}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_is_asked_and_no_is_an_answer() {
    let account = Account::with(&[]);
    let run = account.run(&["bundle", "activate", NEXT, "--fleet", FLEET]).await;
    assert_eq!((run.status.code(), run.changes.len()), (3, 0), "{}", run.text());
    let wrong = account
        .run(&["bundle", "activate", "../x", "--fleet", FLEET, "--yes"])
        .await;
    assert_eq!((wrong.status.code(), wrong.calls), (2, 0), "{}", wrong.text());
    let fleetless = account.run(&["bundle", "activate", NEXT, "--yes"]).await;
    assert_eq!(
        (fleetless.status.code(), fleetless.calls),
        (2, 0),
        "{}",
        fleetless.text()
    );
}
