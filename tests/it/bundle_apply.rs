//! `bpctl bundle apply`.

use bpctl_sandbox::{Scenario, Service};
use serde_json::{Value, json};

use crate::broken_network::Break;
use crate::bundle::NEXT;
use crate::campaigns::broken;
use crate::support::{Account, Run};

const FLEET: &str = "production/gpu-default";
const SEND: &str = "Ssm:SendCommand";
const KEEP: &str = "S3:PutObject";

fn ask(account: &Account, service: Service, operation: &str, input: &Value) -> Value {
    account
        .sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// A node that runs.
fn node(account: &Account) -> String {
    let groups = ask(
        account,
        Service::AutoScaling,
        "DescribeAutoScalingGroups",
        &json!({}),
    );
    let groups = groups["AutoScalingGroups"].as_array().expect("a list").clone();
    let instances = groups
        .iter()
        .flat_map(|group| group["Instances"].as_array().expect("a list").clone());
    let running = instances.filter(|instance| instance["LifecycleState"] == "InService");
    let ids: Vec<String> = running
        .map(|instance| instance["InstanceId"].as_str().expect("an id").to_owned())
        .collect();
    ids.into_iter().next().expect("an instance runs")
}

async fn apply(account: &Account, node: &str, more: &[&str]) -> Run {
    let args = [
        "bundle",
        "apply",
        NEXT,
        "--instance",
        node,
        "--fleet",
        FLEET,
        "--yes",
    ];
    account.run(&[&args[..], more].concat()).await
}

fn command_id(run: &Run) -> String {
    run.json()["command"].as_str().expect("an id").to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_applied_and_its_output_shown_and_kept() {
    let account = Account::with(&[]);
    let node = node(&account);
    let run = apply(&account, &node, &["-o", "json"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[SEND.to_owned(), KEEP.to_owned()][..]),
        "{}",
        run.text()
    );
    let result = run.json();
    assert_eq!(
        (&result["succeeded"], &result["exit_code"]),
        (&json!(true), &json!(0))
    );
    assert!(
        run.stderr.contains("[6/6] custom_nodes/ComfyUI-VideoHelperSuite"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("restarted comfyui-worker.service"),
        "{}",
        run.text()
    );
    let key = result["log_key"].as_str().expect("a key");
    assert!(
        key.starts_with(&format!("asset-sync/gpu-default/{NEXT}/")),
        "{key}"
    );
    let kept = ask(
        &account,
        Service::S3,
        "GetObject",
        &json!({"Bucket": "bp-logs-123456789012", "Key": key}),
    );
    assert!(
        kept["ContentLength"].as_u64().is_some_and(|length| length > 200),
        "{kept}"
    );
}

#[tokio::test(start_paused = true)]
async fn lines_come_while_the_script_runs() {
    let account = Account::with(&[]);
    let node = node(&account);
    let run = apply(&account, &node, &["--timeout", "60s", "-o", "json"]).await;
    assert_eq!(run.status.code(), 6, "{}", run.text());
    assert!(
        run.stderr.contains("[1/6] ") && !run.stderr.contains("[6/6] "),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("bundle apply --attach "), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_script_that_fails_fails_the_command_and_is_kept_too() {
    let account = Account::with(&[Scenario::ApplyFails]);
    let node = node(&account);
    let run = apply(&account, &node, &[]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (1, &[SEND.to_owned(), KEEP.to_owned()][..]),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("the script ended with 1"), "{}", run.text());
    assert!(run.stderr.contains("No space left on device"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_was_detached_is_watched_again_and_gone_on_with() {
    let account = Account::with(&[]);
    let node = node(&account);
    let detached = apply(&account, &node, &["--detach", "-o", "json"]).await;
    assert_eq!(
        (detached.status.code(), &detached.changes[..]),
        (0, &[SEND.to_owned()][..]),
        "{}",
        detached.text()
    );
    let command = command_id(&detached);
    account.sandbox.advance(std::time::Duration::from_secs(5));
    // The same command again does not send a second script.
    let again = apply(&account, &node, &["-o", "json"]).await;
    assert_eq!(
        (again.status.code(), &again.changes[..]),
        (0, &[KEEP.to_owned()][..]),
        "{}",
        again.text()
    );
    assert_eq!(command_id(&again), command);
    let watched = account
        .run(&[
            "bundle",
            "apply",
            "--attach",
            &command,
            "--instance",
            &node,
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (watched.status.code(), watched.changes.len()),
        (0, 0),
        "{}",
        watched.text()
    );
    assert!(watched.stderr.contains("[6/6] "), "{}", watched.text());
    let unknown = "11111111-2222-3333-4444-555555555555";
    let none = account
        .run(&["bundle", "apply", "--attach", unknown, "--instance", &node])
        .await;
    assert_eq!(
        (none.status.code(), none.changes.len()),
        (1, 0),
        "{}",
        none.text()
    );
}

#[tokio::test(start_paused = true)]
async fn another_script_under_way_is_not_disturbed() {
    let account = Account::with(&[]);
    let node = node(&account);
    let first = apply(&account, &node, &["--detach"]).await;
    assert_eq!(first.status.code(), 0, "{}", first.text());
    account.sandbox.advance(std::time::Duration::from_secs(5));
    let other = account
        .run(&[
            "bundle",
            "apply",
            "2f6c",
            "--instance",
            &node,
            "--fleet",
            FLEET,
            "--yes",
        ])
        .await;
    assert_eq!(
        (other.status.code(), other.changes.len()),
        (1, 0),
        "{}",
        other.text()
    );
    assert!(other.stderr.contains("is under way on"), "{}", other.text());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_applied_is_refused_and_nothing_is_sent() {
    let account = Account::with(&[]);
    let unknown = apply(&account, "i-0123456789abcdef0", &[]).await;
    assert_eq!(
        (unknown.status.code(), unknown.changes.len()),
        (1, 0),
        "{}",
        unknown.text()
    );
    assert!(
        unknown.stderr.contains("Systems Manager does not know"),
        "{}",
        unknown.text()
    );
    let wrong = apply(&account, "i-1; reboot", &[]).await;
    assert_eq!((wrong.status.code(), wrong.calls), (2, 0), "{}", wrong.text());
    let dry = apply(&account, &node(&account), &["--dry-run"]).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    let account = Account::with(&[Scenario::BundleMissingObject]);
    let corrupt = apply(&account, &node(&account), &[]).await;
    assert_eq!(
        (corrupt.status.code(), corrupt.changes.len()),
        (1, 0),
        "{}",
        corrupt.text()
    );
}

/// Every text that a run leaves behind on this machine.
fn left_behind(account: &Account) -> String {
    let mut text = String::new();
    let mut folders = vec![account.home().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if let Ok(content) = std::fs::read_to_string(entry.path()) {
                text.push_str(&content);
            }
        }
    }
    text
}

#[tokio::test(start_paused = true)]
async fn the_backend_is_told_and_the_secret_is_never_shown() {
    let account = Account::with(&[]);
    let node = node(&account);
    let value = ask(
        &account,
        Service::SecretsManager,
        "GetSecretValue",
        &json!({"SecretId": "/bp/asset-ops/secret"}),
    );
    let secret = value["SecretString"].as_str().expect("a secret").to_owned();
    let with = async |secret: &str, url: &str| {
        let args = [
            "bundle",
            "apply",
            NEXT,
            "--instance",
            &node,
            "--fleet",
            FLEET,
            "--notes",
            "tried",
            "--yes",
            "--verbose",
        ];
        let set = [
            ("ASSET_OPS_API_URL", url.to_owned()),
            ("ASSET_OPS_SECRET", secret.to_owned()),
        ];
        account
            .run_with(&args, |process| {
                for (name, value) in set {
                    if !value.is_empty() {
                        process.env.insert(name.to_owned(), value);
                    }
                }
            })
            .await
    };
    let run = with(&secret, "http://127.0.0.1:1/api/").await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let entries = account.sandbox.with_world(|world| world.audit_entries().to_vec());
    assert_eq!(entries.len(), 1, "{}", run.text());
    assert_eq!(entries[0]["event"], "dev_bundle_applied");
    assert_eq!(
        (&entries[0]["bundle_id"], &entries[0]["notes"]),
        (&json!(NEXT), &json!("tried"))
    );
    assert_eq!(
        entries[0]["metadata"],
        json!({"fleet_slug": "gpu-default", "instance_id": node, "bundle_prefix": format!("bundles/{NEXT}")})
    );
    for text in [run.text(), left_behind(&account)] {
        assert!(!text.contains(&secret));
    }
    // The bundle is applied all the same when the backend refuses the entry.
    let refused = with("another", "http://127.0.0.1:1/api").await;
    assert_eq!(refused.status.code(), 0, "{}", refused.text());
    assert!(
        refused.stderr.contains("does not accept ASSET_OPS_SECRET"),
        "{}",
        refused.text()
    );
    // No other address is dialled from the sandbox.
    let elsewhere = with(&secret, "https://app.example.com/api").await;
    assert!(elsewhere.stderr.contains("audit log"), "{}", elsewhere.text());
    assert_eq!(account.sandbox.with_world(|world| world.audit_entries().len()), 1);
    let half = with("", "http://127.0.0.1:1/api").await;
    assert_eq!(
        (half.status.code(), half.changes.len()),
        (2, 0),
        "{}",
        half.text()
    );
}

#[tokio::test(start_paused = true)]
async fn wherever_it_is_cut_off_no_script_runs_beside_another() {
    for what in [
        Break::KilledBefore,
        Break::KilledAfter,
        Break::KilledInFlight,
        Break::Interrupt,
    ] {
        for at in [4, 14, 22, 23, 24, 25, 26, 28, 30] {
            let account = Account::with(&[]);
            let node = node(&account);
            let args = [
                "bundle",
                "apply",
                NEXT,
                "--instance",
                &node,
                "--fleet",
                FLEET,
                "--yes",
            ];
            let (network, run) = broken(&account, &args, at, what).await;
            let label = format!("{what:?} at {at}: {:?}", network.hit.lock().expect("no panic"));
            if let Some(run) = run {
                assert!([0, 130].contains(&run.status.code()), "{label}\n{}", run.text());
            }
            let again = account.run(&args).await;
            assert_eq!(again.status.code(), 0, "{label}\n{}", again.text());
            let listed = ask(
                &account,
                Service::Ssm,
                "ListCommandInvocations",
                &json!({"InstanceId": node}),
            );
            let mut begun: Vec<f64> = listed["CommandInvocations"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(|invocation| invocation["RequestedDateTime"].as_f64())
                .collect();
            begun.sort_by(f64::total_cmp);
            // One takes a little over two minutes.
            assert!(
                begun.windows(2).all(|pair| pair[1] - pair[0] > 120.0),
                "{label}: {begun:?}"
            );
        }
    }
}
