//! `bpctl bundle list`, `show`, `verify` and `diff`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bpctl_sandbox::{FleetSeed, Options, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

pub(crate) const EARLIER: &str = "2f6c1f0e-41d5-4c1b-a7a3-5a0f6f3f9d11";
pub(crate) const NEXT: &str = "c81d4e2e-bcf2-4f6a-a1e2-0d9a7c3b5e20";
pub(crate) const BUCKET: &str = "bp-models-123456789012";

/// Puts an object into the models bucket.
pub(crate) fn put(account: &Account, key: &str, body: &[u8]) {
    let input = json!({"Bucket": BUCKET, "Key": key, "Body": STANDARD.encode(body)});
    account
        .sandbox
        .with_world(|world| world.call(Service::S3, "PutObject", &input))
        .expect("it is put");
}

fn manifest(id: &str, assets: &[Value]) -> Value {
    json!({"manifest_version": 1, "bundle_id": id, "name": "x", "created_at": "2026-01-01T00:00:00Z", "notes": null, "assets": assets})
}

fn assert_status(run: &Run, status: u8) {
    assert_eq!(run.status.code(), status, "{}", run.text());
    assert!(run.changes.is_empty(), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn bundles_are_listed_with_the_fleets_that_have_them_active() {
    let account = Account::with(&[]);
    let run = account.run(&["bundle", "list", "-o", "json"]).await;
    assert_status(&run, 0);
    let document = run.json();
    let bundles = document["bundles"].as_array().expect("a list");
    assert_eq!(bundles.len(), 4);
    assert_eq!(bundles[0]["bundle"], NEXT);
    assert_eq!(bundles[0]["active_on"], json!([]));
    assert_eq!(bundles[3]["bundle_id"], EARLIER);
    let active: Vec<&str> = bundles
        .iter()
        .flat_map(|bundle| bundle["active_on"].as_array().expect("a list"))
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(active.len(), 2);
    assert!(active.contains(&"staging/gpu-default") && active.contains(&"production/gpu-default"));
    let few = account.run(&["bundle", "list", "--limit", "1"]).await;
    assert!(
        few.stderr.contains("3 older bundles are not shown"),
        "{}",
        few.text()
    );
}

#[tokio::test(start_paused = true)]
async fn in_the_staged_layout_a_bundle_belongs_to_a_workflow() {
    let account = Account::staged(&[]);
    let run = account.run(&["bundle", "list", "-o", "name"]).await;
    assert_status(&run, 0);
    assert!(
        run.stdout.contains(&format!("image-to-video/{NEXT}\n")),
        "{}",
        run.text()
    );
    for name in [NEXT, "c81d", &format!("image-to-video/{NEXT}")] {
        let verified = account
            .run(&["bundle", "verify", name, "--deep", "-o", "json"])
            .await;
        assert_status(&verified, 0);
        assert_eq!(verified.json()["digests_known"], 6);
    }
    let elsewhere = account
        .run(&["bundle", "show", &format!("text-to-video/{NEXT}")])
        .await;
    assert_status(&elsewhere, 1);
    let shown = account.run(&["bundle", "show", "c81d", "-o", "json"]).await;
    assert_eq!(shown.json()["workflow"], "image-to-video");
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_shown_with_sizes_and_by_the_beginning_of_its_id() {
    let account = Account::with(&[]);
    let run = account.run(&["bundle", "show", "c81d", "-o", "json"]).await;
    assert_status(&run, 0);
    let document = run.json();
    assert_eq!(
        (
            &document["bundle_id"],
            &document["missing"],
            &document["size_bytes"]
        ),
        (&json!(NEXT), &json!(0), &json!(138_240))
    );
    let ambiguous = account.run(&["bundle", "show", "x1"]).await;
    assert_status(&ambiguous, 1);
    assert!(
        ambiguous.stderr.contains("`bpctl bundle list`"),
        "{}",
        ambiguous.text()
    );
    put(&account, "bundles/c81d-other/manifest.json", b"{}");
    let ambiguous = account.run(&["bundle", "show", "c81d"]).await;
    assert_status(&ambiguous, 2);
    assert!(
        ambiguous.stderr.contains("are meant by it"),
        "{}",
        ambiguous.text()
    );
    for wrong in ["..", "a/b/c", "$(id)"] {
        let refused = account.run(&["bundle", "show", wrong]).await;
        assert_eq!(
            (refused.status.code(), refused.calls),
            (2, 0),
            "{}",
            refused.text()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_told_by_path_and_size() {
    let account = Account::with(&[]);
    let args = ["bundle", "diff", EARLIER, NEXT, "--exit-code", "-o", "json"];
    let run = account.run(&args).await;
    assert_status(&run, 9);
    let document = run.json();
    assert_eq!(document["bytes"], 2_048 + 4_096 + 9_216);
    let changes: Vec<&str> = document["differences"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["change"].as_str())
        .collect();
    assert_eq!(changes, ["added", "added", "removed", "added"]);
    let same = account.run(&["bundle", "diff", NEXT, NEXT, "--exit-code"]).await;
    assert_status(&same, 0);
    assert!(same.stderr.contains("have the same assets"), "{}", same.text());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_byte_is_found_by_its_digest_alone() {
    let account = Account::with(&[Scenario::BundleCorrupt]);
    let listed = account.run(&["bundle", "verify", NEXT]).await;
    assert_status(&listed, 0);
    assert!(
        listed.stderr.contains("S3 knows no digest of 6 objects"),
        "{}",
        listed.text()
    );
    let deep = account
        .run(&["bundle", "verify", NEXT, "--deep", "-o", "json"])
        .await;
    assert_status(&deep, 1);
    let problems = deep.json()["problems"].clone();
    assert_eq!(problems.as_array().map(Vec::len), Some(1), "{}", deep.text());
    assert_eq!(problems[0]["code"], "object-content");
    assert_eq!(problems[0]["about"], "models/vae/wan_2.1_vae.safetensors");
}

#[tokio::test(start_paused = true)]
async fn a_missing_object_is_found_without_reading_any() {
    for account in [
        Account::with(&[Scenario::BundleMissingObject]),
        Account::staged(&[Scenario::BundleMissingObject]),
    ] {
        let run = account.run(&["bundle", "verify", NEXT]).await;
        assert_status(&run, 1);
        assert!(run.stdout.contains("object-missing"), "{}", run.text());
        assert!(
            run.stderr
                .contains("umt5_xxl_fp8.safetensors: there is no object"),
            "{}",
            run.text()
        );
        let shown = account.run(&["bundle", "show", NEXT]).await;
        assert_status(&shown, 0);
        assert!(shown.stderr.contains("1 object is not there"), "{}", shown.text());
    }
}

#[tokio::test(start_paused = true)]
async fn hostile_manifests_give_one_clear_error_each() {
    let account = Account::with(&[]);
    let digest = "0".repeat(64);
    let asset = |target: &str| {
        json!({
            "asset_id": "a", "kind": "lora", "sha256": digest, "asset_s3_key": format!("assets/lora/{digest}"),
            "original_filename": "x", "target_path": target, "action": "copy",
        })
    };
    let sound = manifest("bad", &[asset("models/loras/x")]).to_string();
    let many: Vec<Value> = (0..20_000).map(|n| asset(&format!("models/loras/{n}"))).collect();
    let mut not_utf8 = sound.clone().into_bytes();
    not_utf8[30] = 0xff;
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            manifest("bad", &[asset("../../etc/cron.d/x")]).to_string().into(),
            "leads out of the ComfyUI root",
        ),
        (
            manifest("bad", &[asset("/etc/passwd")]).to_string().into(),
            "the target path is absolute",
        ),
        (
            manifest("other", &[asset("models/loras/x")]).to_string().into(),
            "it is the manifest of bundle `other`",
        ),
        (
            sound.replacen("\"kind\"", "\"kind\":\"vae\",\"kind\"", 1).into(),
            "duplicate field `kind`",
        ),
        (
            sound.replacen("\"lora\"", "[]", 1).into(),
            "invalid type: sequence",
        ),
        (
            sound
                .replacen("\"kind\"", "\"size_bytes\":1e999,\"kind\"", 1)
                .into(),
            "number out of range",
        ),
        (not_utf8, "byte 31 is not UTF-8"),
        (
            manifest("bad", &many).to_string().into(),
            "it has 20000 assets, and a bundle has 10000 at most",
        ),
        (Vec::new(), "EOF while parsing"),
    ];
    for (body, told) in cases {
        put(&account, "bundles/bad/manifest.json", &body);
        let run = account.run(&["bundle", "verify", "bad"]).await;
        assert_status(&run, 1);
        assert!(run.stderr.contains(told), "expected {told}: {}", run.text());
        assert_eq!(run.stderr.matches("error:").count(), 1, "{}", run.text());
    }
    // A list goes on past one that cannot be read.
    put(&account, "bundles/bad/manifest.json", b"{");
    let list = account.run(&["bundle", "list", "-o", "json"]).await;
    assert_status(&list, 0);
    let bad = list.json()["bundles"][0].clone();
    assert_eq!(bad["bundle_id"], "bad");
    assert!(
        bad["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("EOF")),
        "{bad}"
    );
}

#[tokio::test(start_paused = true)]
async fn text_of_a_manifest_is_only_text() {
    let account = Account::with(&[]);
    let hostile = "\u{1b}[2J\u{202e}x\n::error::forged";
    let asset = json!({
        "asset_id": hostile, "kind": hostile, "sha256": hostile, "asset_s3_key": hostile,
        "original_filename": hostile, "target_path": hostile, "action": hostile,
    });
    let mut bad = manifest("bad", &[asset]);
    bad["name"] = json!(hostile);
    bad["notes"] = json!(hostile);
    bad["created_at"] = json!(hostile);
    put(&account, "bundles/bad/manifest.json", bad.to_string().as_bytes());
    for command in [
        &["bundle", "list", "-o", "wide"][..],
        &["bundle", "show", "bad", "-o", "wide"],
        &["bundle", "show", "bad", "-o", "name"],
        &["bundle", "verify", "bad"],
        &["bundle", "diff", "bad", NEXT],
    ] {
        let run = account.run(command).await;
        let text = run.text();
        assert!(text.contains("forged"), "{text}");
        assert!(
            !text.contains(['\u{1b}', '\u{202e}']) && !text.contains("\n::error"),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_looked_at_is_not_sound() {
    let account = Account::with(&[Scenario::ExpiredCredentials]);
    let run = account.run(&["bundle", "verify", NEXT]).await;
    assert_status(&run, 4);
    assert!(run.stdout.is_empty(), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn the_number_of_calls_is_bounded() {
    for (fleets, most) in [(1, 12), (2, 13), (20, 20), (200, 120)] {
        let fleets = (0..fleets)
            .map(|n| FleetSeed::new("production", &format!("fleet-{n:03}"), 0, 0.0))
            .collect();
        let account = Account::from_options(Options {
            fleets,
            ..Options::default()
        });
        let count = account.run(&["bundle", "list"]).await;
        assert_eq!(count.status.code(), 0, "{}", count.text());
        assert!(count.calls <= most, "{} calls", count.calls);
        // One for the account, one for the manifest, one for each object.
        let verify = account.run(&["bundle", "verify", NEXT]).await;
        assert!(verify.calls <= 8, "{} calls", verify.calls);
    }
}
