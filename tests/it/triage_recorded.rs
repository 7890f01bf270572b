//! `bpctl triage --bundle`, `--from` and `--diff`.

use std::fs;

use bpctl_sandbox::Scenario;
use serde_json::{Value, json};

use crate::support::Account;

/// Without the account that was asked: a file asks none.
fn judged(mut document: Value) -> Value {
    document.as_object_mut().expect("a document").remove("account");
    document
}

/// What is judged from a file is what was judged then, in every situation and both layouts.
#[tokio::test(start_paused = true)]
async fn a_file_is_judged_as_the_account_was() {
    for scenario in Scenario::ALL {
        for account in [Account::with(&[*scenario]), Account::staged(&[*scenario])] {
            let live = account
                .run(&[
                    "triage",
                    "--bundle",
                    "seen.json",
                    "--fail-on",
                    "never",
                    "-o",
                    "json",
                ])
                .await;
            if live.stdout.is_empty() {
                continue;
            }
            let again = account
                .run(&[
                    "triage",
                    "--from",
                    "seen.json",
                    "--fail-on",
                    "never",
                    "-o",
                    "json",
                ])
                .await;
            assert_eq!(
                (again.status.code(), again.calls),
                (0, 0),
                "{scenario}: {}",
                again.text()
            );
            let (live, again) = (live.json(), again.json());
            let of_probe = |check: &Value| check["state"] == "could-not-check";
            // A hint of a probe that failed is kept as its sentence.
            if live["checked"].as_array().expect("checks").iter().any(of_probe) {
                assert_eq!(live["summary"], again["summary"], "{scenario}");
            } else {
                assert_eq!(judged(live), judged(again), "{scenario}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_for_its_owner_and_never_written_over() {
    let account = Account::with(&[]);
    let run = account.run(&["triage", "--bundle", "seen.json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.stderr.contains("recorded in `"), "{}", run.text());
    let file = account.home().join("seen.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let before = fs::read(&file).expect("a file");
    for wrong in ["seen.json", "no/such/folder/seen.json"] {
        let run = account.run(&["triage", "--bundle", wrong]).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    }
    assert_eq!(fs::read(&file).expect("a file"), before);
}

#[tokio::test(start_paused = true)]
async fn two_files_tell_what_came_and_what_went() {
    let (healthy, ill) = (Account::with(&[]), Account::with(&[Scenario::AmiMissing]));
    let run = ill
        .run(&["triage", "--bundle", "ill.json", "--fail-on", "never"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let run = healthy.run(&["triage", "--bundle", "well.json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    fs::copy(ill.home().join("ill.json"), healthy.home().join("ill.json")).expect("a copy");
    for (files, change) in [
        (["well.json", "ill.json"], "new"),
        (["ill.json", "well.json"], "gone"),
    ] {
        let args = [
            "triage",
            "--diff",
            files[0],
            files[1],
            "--exit-code",
            "-o",
            "json",
        ];
        let run = healthy.run(&args).await;
        assert_eq!((run.status.code(), run.calls), (9, 0), "{}", run.text());
        let document = run.json();
        let turns = document["findings"].as_array().expect("findings");
        let image = turns
            .iter()
            .find(|turn| turn["code"] == "BP-FLT-005")
            .expect("the finding of the image");
        assert_eq!(image["change"], change, "{document:#}");
    }
    let same = healthy
        .run(&["triage", "--diff", "well.json", "well.json", "--exit-code"])
        .await;
    assert_eq!(same.status.code(), 0, "{}", same.text());
    assert!(
        same.stdout.contains("no finding came, went or changed"),
        "{}",
        same.text()
    );
}

/// A probe that the version of the file did not have is blind, and nothing says that all is well.
#[tokio::test(start_paused = true)]
async fn what_a_file_does_not_hold_could_not_be_checked() {
    let account = Account::with(&[]);
    let run = account.run(&["triage", "--bundle", "seen.json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let file = account.home().join("seen.json");
    let mut seen: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
    assert!(
        seen["seen"]
            .as_object_mut()
            .expect("probes")
            .remove("rds-instance")
            .is_some()
    );
    seen["seen"]["a-later-probe"] = json!({"Ok": 1});
    fs::write(&file, seen.to_string()).expect("it is written");
    let run = account
        .run(&["triage", "--from", "seen.json", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    let document = run.json();
    let check = document["checked"]
        .as_array()
        .expect("checks")
        .iter()
        .find(|check| check["probe"] == "rds-instance")
        .expect("a check")
        .clone();
    assert_eq!(check["state"], "could-not-check", "{check}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_no_recording_is_refused() {
    let account = Account::with(&[]);
    for (text, told) in [
        ("", "it is no JSON"),
        ("[]", "does not say what it is"),
        (r#"{"schema": "bpctl.triage/2"}"#, "is wanted"),
        (r#"{"schema": "bpctl.triage.recording/1"}"#, "missing field"),
        (
            r#"{"schema": "bpctl.triage.recording/1", "bpctl": "0", "at": "2026-01-01T00:00:00Z", "account": null, "region": null, "seen": {"layout": {"kind": "staged", "prefix": "bp", "stage": null}}}"#,
            "stage",
        ),
    ] {
        fs::write(account.home().join("wrong.json"), text).expect("it is written");
        let run = account.run(&["triage", "--from", "wrong.json"]).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{text}: {}", run.text());
        assert!(run.stderr.contains(told), "{text}: {}", run.text());
    }
    let missing = account.run(&["triage", "--from", "nothing.json"]).await;
    assert_eq!(
        (missing.status.code(), missing.calls),
        (2, 0),
        "{}",
        missing.text()
    );
}
