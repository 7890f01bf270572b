//! `bpctl triage --bundle`, `--from` and `--diff`.

use std::collections::BTreeSet;
use std::fs;

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

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

async fn recorded(account: &Account, file: &str, more: &[&str]) {
    let args = [&["triage", "--bundle", file, "--fail-on", "never"], more].concat();
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
}

async fn compared(account: &Account, before: &str, after: &str) -> Run {
    let run = account
        .run(&["triage", "--diff", before, after, "-o", "json"])
        .await;
    assert_eq!(run.calls, 0, "{}", run.text());
    run
}

fn deny(account: &Account, calls: &[(Service, &str)]) {
    for (service, operation) in calls {
        let rule = FaultRule::on(*service, operation, Fault::Deny);
        account.sandbox.with_world(|world| world.inject(rule));
    }
}

/// The codes that have changed in this way.
fn changed(run: &Run, change: &str) -> Vec<String> {
    let document = run.json();
    let turns = document["findings"].as_array().expect("findings").iter();
    turns
        .filter(|turn| turn["change"] == change)
        .map(|turn| turn["code"].as_str().expect("a code").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_seen_again_has_not_gone() {
    let account = Account::with(&[Scenario::Alb5xx, Scenario::NoHealthyTargets]);
    recorded(&account, "before.json", &[]).await;
    deny(
        &account,
        &[
            (Service::CloudWatch, "DescribeAlarms"),
            (Service::Elb, "DescribeTargetGroups"),
            (Service::Elb, "DescribeTargetHealth"),
        ],
    );
    recorded(&account, "after.json", &[]).await;
    let run = compared(&account, "before.json", "after.json").await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert_eq!(changed(&run, "gone"), [""; 0], "{}", run.text());
    let unknown = changed(&run, "unknown");
    assert!(unknown.iter().any(|code| code == "BP-ALB-001"), "{unknown:?}");
    let document = run.json();
    let turns = document["findings"].as_array().expect("findings").iter();
    for turn in turns.filter(|turn| turn["change"] == "unknown") {
        assert_eq!(turn["why"], "could-not-check", "{turn}");
    }
    let unchecked = document["could_not_check"].as_array().expect("probes");
    assert!(unchecked.contains(&json!("platform-alarms")), "{unchecked:?}");
    let args = ["triage", "--diff", "before.json", "after.json", "--exit-code"];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert!(
        run.stdout.contains("may still be there: could not be checked: "),
        "{}",
        run.text()
    );
}

/// What a role may not see puts nothing else in doubt.
#[tokio::test(start_paused = true)]
async fn what_does_not_rest_on_what_is_not_seen_has_gone() {
    let account = Account::with(&[Scenario::AmiMissing]);
    deny(&account, &[(Service::SecretsManager, "ListSecrets")]);
    recorded(&account, "before.json", &[]).await;
    account
        .sandbox
        .with_world(|world| world.set_scenarios(BTreeSet::new()));
    recorded(&account, "after.json", &[]).await;
    let run = compared(&account, "before.json", "after.json").await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let gone = changed(&run, "gone");
    assert!(gone.iter().any(|code| code == "BP-FLT-005"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_is_of_other_fleets_has_not_gone() {
    let account = Account::with(&[Scenario::AmiMissing]);
    recorded(&account, "all.json", &[]).await;
    account
        .sandbox
        .with_world(|world| world.set_scenarios(BTreeSet::new()));
    recorded(&account, "one.json", &["--fleet", "staging/gpu-default"]).await;
    let file = account.home().join("one.json");
    let mut one: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
    assert_eq!(one["fleets"], json!(["staging/gpu-default"]));
    let run = compared(&account, "all.json", "one.json").await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert!(
        run.stderr
            .contains("of different fleets: all of them before, staging/gpu-default after"),
        "{}",
        run.text()
    );
    let document = run.json();
    let turns = document["findings"].as_array().expect("findings");
    let image = turns.iter().find(|turn| turn["code"] == "BP-FLT-005");
    let image = image.expect("the finding of the image");
    assert_eq!(
        (&image["change"], &image["why"]),
        (&json!("unknown"), &json!("other-fleets"))
    );
    // A file of a version that did not say of which fleets it is.
    one.as_object_mut().expect("a document").remove("fleets");
    fs::write(&file, one.to_string()).expect("it is written");
    let run = compared(&account, "all.json", "one.json").await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(!run.stderr.contains("different fleets"), "{}", run.text());
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
