//! `bpctl bundle upload` and `create`.

use std::path::PathBuf;

use bpctl_sandbox::Service;
use serde_json::{Value, json};

use crate::broken_network::Break;
use crate::bundle::{BUCKET, NEXT};
use crate::campaigns::broken;
use crate::support::Account;

const PUT: &str = "S3:PutObject";
const PART: &str = "S3:UploadPart";

/// Bytes without a pattern (xorshift64).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = (0..length.div_ceil(8)).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(length).collect()
}

fn file(account: &Account, name: &str, bytes: &[u8]) -> PathBuf {
    let path = account.home().join(name);
    std::fs::write(&path, bytes).expect("it is written");
    path
}

fn s3(account: &Account, operation: &str, mut input: Value) -> Value {
    input["Bucket"] = json!(BUCKET);
    account
        .sandbox
        .with_world(|world| world.call(Service::S3, operation, &input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn head(account: &Account, key: &str) -> Value {
    s3(
        account,
        "HeadObject",
        json!({"Key": key, "ChecksumMode": "ENABLED"}),
    )
}

#[tokio::test(start_paused = true)]
async fn a_small_file_becomes_an_asset_named_by_its_content() {
    let account = Account::with(&[]);
    file(&account, "abc.safetensors", b"abc");
    let args = [
        "bundle",
        "upload",
        "abc.safetensors",
        "--kind",
        "lora",
        "--yes",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[PUT.to_owned()][..]),
        "{}",
        run.text()
    );
    let asset = run.json()["assets"][0].clone();
    let key = "assets/lora/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!((&asset["key"], &asset["sent"]), (&json!(key), &json!(true)));
    let there = head(&account, key);
    assert_eq!(
        there["ChecksumSHA256"],
        "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    );
    assert_eq!(there["ChecksumType"], "FULL_OBJECT");
    assert_eq!(there["Metadata"]["original-filename"], "abc.safetensors");
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert_eq!(again.json()["assets"][0]["sent"], false);
}

#[tokio::test(start_paused = true)]
async fn a_large_file_goes_in_parts_whose_digests_s3_compares() {
    let account = Account::with(&[]);
    file(&account, "large.safetensors", &noise(6 * 1024 * 1024));
    let run = account
        .run(&[
            "bundle",
            "upload",
            "large.safetensors",
            "--kind",
            "checkpoint",
            "--part-size",
            "5",
            "--yes",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        run.changes.iter().filter(|change| *change == PART).count(),
        2,
        "{:?}",
        run.changes
    );
    let key = run.json()["assets"][0]["key"].as_str().expect("a key").to_owned();
    let there = head(&account, &key);
    assert_eq!(there["ContentLength"], 6 * 1024 * 1024);
    assert_eq!(there["ChecksumType"], "COMPOSITE");
    assert!(
        there["ChecksumSHA256"]
            .as_str()
            .is_some_and(|sum| sum.ends_with("-2")),
        "{there}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_was_cut_off_goes_on_where_it_was() {
    let bytes = noise(6 * 1024 * 1024);
    let args = [
        "bundle",
        "upload",
        "large.safetensors",
        "--kind",
        "checkpoint",
        "--part-size",
        "5",
        "--yes",
    ];
    // From the sixth request on the parts are sent.
    for what in [Break::KilledAfter, Break::KilledInFlight, Break::Interrupt] {
        for at in [6, 8] {
            let account = Account::with(&[]);
            file(&account, "large.safetensors", &bytes);
            let (network, run) = broken(&account, &args, at, what).await;
            let label = format!("{what:?} at {at}: {:?}", network.hit.lock().expect("no panic"));
            if let Some(run) = run {
                assert!(
                    [0, 1, 130].contains(&run.status.code()),
                    "{label}\n{}",
                    run.text()
                );
            }
            let sent = |calls: &[String]| calls.iter().filter(|call| *call == PART).count();
            let again = account.run(&args).await;
            assert_eq!(again.status.code(), 0, "{label}\n{}", again.text());
            let all = account.sandbox.with_world(|world| {
                let parts = world
                    .calls()
                    .iter()
                    .filter(|call| call.operation == "UploadPart" && call.changed());
                parts.count()
            });
            // What arrived before is not sent again; one part may have been on its way.
            assert!(all <= 2 + 2, "{label}: {all} parts");
            assert!(sent(&again.changes) <= 2, "{label}");
            let uploads = s3(&account, "ListMultipartUploads", json!({}));
            assert_eq!(
                uploads["Uploads"].as_array().map_or(0, Vec::len),
                0,
                "{label}: {uploads}"
            );
            let third = account.run(&args).await;
            assert_eq!(
                (third.status.code(), third.changes.len()),
                (0, 0),
                "{label}\n{}",
                third.text()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn parts_that_are_there_are_not_sent_again() {
    let account = Account::with(&[]);
    let bytes = noise(6 * 1024 * 1024);
    file(&account, "large.safetensors", &bytes);
    let args = [
        "bundle",
        "upload",
        "large.safetensors",
        "--kind",
        "other",
        "--part-size",
        "5",
        "--yes",
        "-o",
        "json",
    ];
    let dry = account
        .run(&[
            "bundle",
            "upload",
            "large.safetensors",
            "--kind",
            "other",
            "--part-size",
            "5",
            "--dry-run",
            "-o",
            "json",
        ])
        .await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    let key = dry.json()["steps"][0]["calls"][0]["parameters"]["Key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let begun = s3(
        &account,
        "CreateMultipartUpload",
        json!({"Key": key, "ChecksumAlgorithm": "SHA256"}),
    );
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(&bytes[..5 * 1024 * 1024]);
    s3(
        &account,
        "UploadPart",
        json!({"Key": key, "UploadId": begun["UploadId"], "PartNumber": 1, "Body": body}),
    );
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [PART, "S3:CompleteMultipartUpload"]);
    assert_eq!(run.json()["assets"][0]["key"], key);
}

#[tokio::test(start_paused = true)]
async fn an_object_with_wrong_content_is_told_and_replaced_when_asked() {
    let account = Account::with(&[]);
    file(&account, "abc.safetensors", b"abc");
    let key = "assets/vae/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    s3(&account, "PutObject", json!({"Key": key, "Body": "YWI="}));
    let args = ["bundle", "upload", "abc.safetensors", "--kind", "vae", "--yes"];
    let run = account.run(&args).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("has 2 bytes and not 3"), "{}", run.text());
    let replaced = account.run(&[&args[..], &["--replace"]].concat()).await;
    assert_eq!(replaced.status.code(), 0, "{}", replaced.text());
    assert_eq!(head(&account, key)["ContentLength"], 3);
}

#[tokio::test(start_paused = true)]
async fn files_that_cannot_become_assets_are_refused_before_any_call() {
    let account = Account::with(&[]);
    file(&account, "empty", b"");
    file(&account, "with blank", b"x");
    for name in ["empty", "with blank", "nowhere", "."] {
        let run = account
            .run(&["bundle", "upload", name, "--kind", "lora", "--yes"])
            .await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    }
    file(&account, "x", b"x");
    let kind = account
        .run(&["bundle", "upload", "x", "--kind", "hypernetwork", "--yes"])
        .await;
    assert_eq!((kind.status.code(), kind.calls), (2, 0), "{}", kind.text());
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_made_of_assets_and_verifies() {
    let account = Account::with(&[]);
    file(&account, "new_lora.safetensors", b"new");
    let upload = account
        .run(&[
            "bundle",
            "upload",
            "new_lora.safetensors",
            "--kind",
            "lora",
            "--yes",
            "-o",
            "name",
        ])
        .await;
    let asset = upload.stdout.trim().to_owned();
    let args = [
        "bundle",
        "create",
        "--name",
        "With the new one",
        "--from",
        NEXT,
        "--asset",
        &asset,
        "--without",
        "models/loras/camera_orbit.safetensors",
        "--notes",
        "tried on dev",
        "--yes",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[PUT.to_owned()][..]),
        "{}",
        run.text()
    );
    let document = run.json();
    assert_eq!(
        (&document["assets"], &document["created"]),
        (&json!(6), &json!(true))
    );
    let id = document["bundle"].as_str().expect("an id").to_owned();
    let verified = account
        .run(&["bundle", "verify", &id, "--deep", "-o", "json"])
        .await;
    assert_eq!(verified.status.code(), 0, "{}", verified.text());
    let diff = account.run(&["bundle", "diff", NEXT, &id, "-o", "name"]).await;
    assert_eq!(
        diff.stdout,
        "models/loras/camera_orbit.safetensors\nmodels/loras/new_lora.safetensors\n"
    );
    // The same command makes the same bundle.
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert_eq!(again.json()["bundle"], id.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_bundle_without_its_objects_or_with_bad_paths_is_not_made() {
    let account = Account::with(&[]);
    let missing = format!("lora/{}", "0".repeat(64));
    let lora = "lora/7be0490ecaf9c8f4ecfd59ed5649cd35f4ba4fc1993cd3a4c1d8e1f3f6d5222c";
    for (asset, status, told) in [
        (missing.clone(), 1, "there is no object"),
        (
            format!("{lora}=../../etc/passwd"),
            2,
            "leads out of the ComfyUI root",
        ),
        (
            format!("{lora}=models/vae/../x"),
            2,
            "leads out of the ComfyUI root",
        ),
        ("lora/abc".to_owned(), 2, "is no SHA-256 digest"),
        (format!("hypernetwork/{}", "0".repeat(64)), 2, "there is no kind"),
        (lora.to_owned(), 2, "without the name of its file"),
    ] {
        let run = account
            .run(&["bundle", "create", "--name", "x", "--asset", &asset, "--yes"])
            .await;
        assert_eq!(
            (run.status.code(), run.changes.len()),
            (status, 0),
            "{asset}: {}",
            run.text()
        );
        assert!(run.stderr.contains(told), "{asset}: {}", run.text());
    }
    let unknown = account
        .run(&[
            "bundle",
            "create",
            "--name",
            "x",
            "--from",
            NEXT,
            "--without",
            "models/nothing",
            "--yes",
        ])
        .await;
    assert_eq!(
        (unknown.status.code(), unknown.changes.len()),
        (2, 0),
        "{}",
        unknown.text()
    );
    let taken = account
        .run(&[
            "bundle",
            "create",
            "--name",
            "x",
            "--id",
            NEXT,
            "--asset",
            &format!("{lora}=a.safetensors"),
            "--yes",
        ])
        .await;
    assert_eq!(
        (taken.status.code(), taken.changes.len()),
        (1, 0),
        "{}",
        taken.text()
    );
    for (account, args, told) in [
        (Account::with(&[]), &["--asset", lora][..], "it has no name"),
        (
            Account::with(&[]),
            &["--name", "x", "--workflow", "image-to-video", "--asset", lora],
            "belong to no workflow",
        ),
        (
            Account::staged(&[]),
            &["--name", "x", "--workflow", "image-to-video", "--asset", lora],
            "have no name",
        ),
        (Account::staged(&[]), &["--asset", lora], "belongs to a workflow"),
    ] {
        let run = account
            .run(&[&["bundle", "create", "--yes"], args].concat())
            .await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
        assert!(run.stderr.contains(told), "{}", run.text());
    }
}

/// The bundle of the staged account that others are made of.
async fn staged_bundle(account: &Account) -> String {
    let listed = account.run(&["bundle", "list", "-o", "name"]).await;
    let mut names = listed.stdout.lines();
    names.next().expect("a bundle").to_owned()
}

fn staged(account: &Account, operation: &str, mut input: Value) -> Value {
    input["Bucket"] = json!("bp-models-123456789012-staging");
    account
        .sandbox
        .with_world(|world| world.call(Service::S3, operation, &input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

#[tokio::test(start_paused = true)]
async fn in_the_staged_layout_s3_copies_first_and_the_manifest_comes_last() {
    let account = Account::staged(&[]);
    file(&account, "new_lora.safetensors", &noise(6 * 1024 * 1024));
    let upload = account
        .run(&[
            "bundle",
            "upload",
            "new_lora.safetensors",
            "--kind",
            "lora",
            "--yes",
            "-o",
            "name",
        ])
        .await;
    let asset = upload.stdout.trim().to_owned();
    let from = staged_bundle(&account).await;
    let args = [
        "bundle",
        "create",
        "--from",
        &from,
        "--asset",
        &asset,
        "--notes",
        "tried on dev",
        "--part-size",
        "5",
        "--yes",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    let assets = document["assets"].as_u64().expect("a number");
    assert_eq!(
        run.changes.last().map(String::as_str),
        Some(PUT),
        "{:?}",
        run.changes
    );
    let sent = |name: &str| run.changes.iter().filter(|change| *change == name).count();
    assert_eq!(
        (sent("S3:CopyObject") as u64, sent("S3:UploadPartCopy"), sent(PUT)),
        (assets - 1, 2, 1),
        "{:?}",
        run.changes
    );
    let id = document["bundle"].as_str().expect("an id").to_owned();
    assert!(
        id.starts_with(from.split_once('/').expect("a workflow").0),
        "{id}"
    );
    let key = format!("bundles/{id}/models/loras/new_lora.safetensors");
    let there = staged(&account, "HeadObject", json!({"Key": key}));
    assert_eq!(there["ContentLength"], 6 * 1024 * 1024);
    let verified = account
        .run(&["bundle", "verify", &id, "--deep", "-o", "json"])
        .await;
    assert_eq!(verified.status.code(), 0, "{}", verified.text());
    let again = account.run(&args).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert_eq!(again.json()["bundle"], id.as_str());
}

/// Killed between any two requests, the same command makes the same bundle, and before its manifest there is none.
#[tokio::test(start_paused = true)]
async fn copies_that_were_cut_off_are_no_bundle_and_are_gone_on_with() {
    let breaks = [Break::KilledAfter, Break::KilledInFlight, Break::Interrupt];
    // Every request is cut in one of the three ways.
    for (offset, what) in breaks.into_iter().enumerate() {
        for at in (offset..).step_by(breaks.len()) {
            let account = Account::staged(&[]);
            file(&account, "new_lora.safetensors", &noise(6 * 1024 * 1024));
            let upload = account
                .run(&[
                    "bundle",
                    "upload",
                    "new_lora.safetensors",
                    "--kind",
                    "lora",
                    "--yes",
                    "-o",
                    "name",
                ])
                .await;
            let (from, asset) = (staged_bundle(&account).await, upload.stdout.trim());
            let args = [
                "bundle",
                "create",
                "--from",
                &from,
                "--asset",
                asset,
                "--part-size",
                "5",
                "--yes",
                "-o",
                "json",
            ];
            let before = account.run(&["bundle", "list", "-o", "name"]).await.stdout;
            let (network, _) = broken(&account, &args, at, what).await;
            if !network.was_hit() {
                assert!(at > 20, "every request of the run was cut: {at}");
                break;
            }
            let label = format!("{what:?} at {at}: {:?}", network.hit.lock().expect("no panic"));
            let run = account.run(&args).await;
            assert_eq!(run.status.code(), 0, "{label}\n{}", run.text());
            let id = run.json()["bundle"].as_str().expect("an id").to_owned();
            let verified = account.run(&["bundle", "verify", &id]).await;
            assert_eq!(verified.status.code(), 0, "{label}: {}", verified.text());
            let after = account.run(&["bundle", "list", "-o", "name"]).await.stdout;
            let news: Vec<&str> = after.lines().filter(|name| !before.contains(name)).collect();
            assert_eq!(news, [id], "{label}");
            let left = staged(&account, "ListMultipartUploads", json!({}));
            assert_eq!(
                left["Uploads"].as_array().map_or(0, Vec::len),
                0,
                "{label}: {left}"
            );
        }
    }
}
