//! `bpctl smoke`.

use std::fs;
use std::process::Command;
use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, MediaTrouble, Scenario, Service};
use serde_json::Value;

use crate::broken_network::Break;
use crate::campaign_verbs::broken;
use crate::support::{Account, Run};

const ALL: &[&str] = &[
    "health",
    "routes",
    "upload-url",
    "refuse-type",
    "refuse-size",
    "refuse-expired",
    "refuse-tampered",
    "upload",
    "video",
    "job",
    "result",
];

async fn smoke(account: &Account, words: &[&str]) -> Run {
    account
        .run(&[&["smoke", "--yes", "-o", "json"], words].concat())
        .await
}

/// The state of a check.
fn state(run: &Run, check: &str) -> String {
    let document = run.json();
    let checks = document["checks"].as_array().expect("checks");
    let found = checks.iter().find(|one| one["check"] == check);
    found.map_or_else(
        || "none".to_owned(),
        |one| one["state"].as_str().expect("a state").to_owned(),
    )
}

fn detail(run: &Run, check: &str) -> String {
    let document = run.json();
    let checks = document["checks"].as_array().expect("checks");
    let found = checks
        .iter()
        .find(|one| one["check"] == check)
        .expect("the check");
    found["detail"].as_str().expect("a detail").to_owned()
}

/// Nothing is there that customers or bills would see.
fn assert_nothing_stays(account: &Account, label: &str) {
    let ((_, videos, _), keys) = account.sandbox.with_world(|world| world.media());
    assert_eq!((videos, keys.as_slice()), (0, &[] as &[String]), "{label}");
}

fn breaks(account: &Account, trouble: MediaTrouble) {
    account.sandbox.with_world(|world| world.break_media(trouble));
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_works_passes_and_nothing_stays() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        let run = smoke(&account, &[]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        for check in ALL {
            assert_eq!(state(&run, check), "ok", "{check}: {}", run.text());
        }
        let document = run.json();
        assert_eq!(
            (&document["video"], &document["effect"]),
            (&1.into(), &1.into()),
            "{document}"
        );
        assert!(
            document["left"].as_array().is_some_and(Vec::is_empty),
            "{document}"
        );
        assert_eq!(
            document["removed"].as_array().map(Vec::len),
            Some(3),
            "{document}"
        );
        assert_eq!(
            run.changes,
            ["S3:DeleteObject", "S3:DeleteObject"],
            "{}",
            run.text()
        );
        assert_nothing_stays(&account, &run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn the_table_says_it_to_people() {
    let account = Account::with(&[]);
    let run = account.run(&["smoke", "--upload-only", "--yes"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    for words in [
        "CHECK ",
        "health           ok ",
        "S3 refuses: 403 (AccessDenied: Request has expired)",
        "S3 refuses: 403 (SignatureDoesNotMatch",
        "is refused: 422 (Unsupported mime type.)",
        "is refused: 422 (File too large.)",
        "Removed: object",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.text());
    }
    let ((files, videos, jobs), keys) = account.sandbox.with_world(|world| world.media());
    assert_eq!((files, videos, jobs, keys.len()), (1, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_fleet_and_its_worker_are_named() {
    let account = Account::with(&[]);
    let run = smoke(&account, &["--fleet", "production/gpu-default"]).await;
    assert_eq!(
        (run.status.code(), state(&run, "worker").as_str()),
        (0, "ok"),
        "{}",
        run.text()
    );
    assert!(
        detail(&run, "worker").contains("production/gpu-default has taken video 1: "),
        "{}",
        run.text()
    );
    assert!(detail(&run, "worker").contains("i-"), "{}", run.text());
    // The job goes to another one.
    let run = smoke(&account, &["--fleet", "staging/gpu-default"]).await;
    assert_eq!(
        (run.status.code(), state(&run, "worker").as_str()),
        (9, "wrong"),
        "{}",
        run.text()
    );
    assert!(
        detail(&run, "worker").contains("another fleet has taken it"),
        "{}",
        run.text()
    );
    assert_nothing_stays(&account, &run.text());
}

/// Each step of the way fails once; what does not depend on it is tried all the same, and nothing stays.
#[tokio::test(start_paused = true)]
async fn each_step_that_fails_is_told() {
    use MediaTrouble::{Answers, JobFails, NoDispatch, OtherBucket};
    for (trouble, check, skipped) in [
        (Answers("POST", "videos/uploads", 500), "upload-url", "upload"),
        (OtherBucket, "upload-url", "refuse-expired"),
        (Answers("POST", "videos", 503), "video", "job"),
        (Answers("POST", "ai-jobs", 422), "job", "result"),
        (NoDispatch, "job", "result"),
        (JobFails, "result", ""),
    ] {
        let account = Account::with(&[]);
        breaks(&account, trouble.clone());
        let run = smoke(&account, &[]).await;
        let label = format!("{trouble:?}: {}", run.text());
        assert_eq!(run.status.code(), 9, "{label}");
        assert_eq!(state(&run, check), "wrong", "{label}");
        if !skipped.is_empty() {
            assert_eq!(state(&run, skipped), "skipped", "{label}");
        }
        assert!(run.stderr.contains(check), "{label}");
        assert_nothing_stays(&account, &label);
    }
}

/// An application or a bucket that takes everything fails the check, and what it took is removed.
#[tokio::test(start_paused = true)]
async fn what_must_be_refused_and_is_not_is_wrong() {
    for (trouble, wrong) in [
        (MediaTrouble::AnyType, &["refuse-type"][..]),
        (MediaTrouble::AnySize, &["refuse-size"]),
        (MediaTrouble::OpenBucket, &["refuse-expired", "refuse-tampered"]),
    ] {
        let account = Account::with(&[]);
        breaks(&account, trouble.clone());
        let run = smoke(&account, &[]).await;
        let label = format!("{trouble:?}: {}", run.text());
        assert_eq!(run.status.code(), 9, "{label}");
        for check in ALL {
            let wanted = if wrong.contains(check) { "wrong" } else { "ok" };
            assert_eq!(state(&run, check), wanted, "{check}: {label}");
        }
        assert_nothing_stays(&account, &label);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_platform_is_no_passed_test() {
    // php-fpm refuses connections, no target is there, the database is out.
    for (scenario, check) in [
        (Scenario::Backend502, "health"),
        (Scenario::NoHealthyTargets, "health"),
        (Scenario::RdsRefused, "routes"),
        (Scenario::CapacityUnavailable, "routes"),
    ] {
        let account = Account::with(&[scenario]);
        let run = smoke(&account, &[]).await;
        let label = format!("{scenario}: {}", run.text());
        assert_eq!(
            (run.status.code(), state(&run, check).as_str()),
            (9, "wrong"),
            "{label}"
        );
        assert!(run.stderr.contains("bpctl triage"), "{label}");
        assert_nothing_stays(&account, &label);
    }
}

/// No worker comes: the test says so in time, and takes the job's file away.
#[tokio::test(start_paused = true)]
async fn a_fleet_without_workers_is_found() {
    let account = Account::with(&[Scenario::AmiMissing]);
    let run = smoke(
        &account,
        &["--fleet", "production/gpu-default", "--timeout", "1s"],
    )
    .await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    assert!(
        ["wrong", "ok"].contains(&state(&run, "worker").as_str()),
        "{}",
        run.text()
    );
    assert_eq!(state(&run, "result"), "wrong", "{}", run.text());
    let document = run.json();
    let left = document["left"].as_array().expect("a list");
    assert_eq!(left.len(), 1, "{document}");
    assert!(
        left[0]["remove"]
            .as_str()
            .is_some_and(|line| line.starts_with("aws s3 rm ")),
        "{document}"
    );
    assert_nothing_stays(&account, &run.text());
    // Without its file the job fails, and writes nothing.
    account.sandbox.advance(Duration::from_secs(1200));
    assert_nothing_stays(&account, &run.text());
}

/// An answer that is lost is no refusal and no success; what the request has made is found and removed.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_unknown_and_what_it_made_is_removed() {
    for (route, check) in [
        ("videos", "video"),
        ("ai-jobs", "job"),
        ("videos/uploads", "upload-url"),
    ] {
        let account = Account::with(&[]);
        breaks(&account, MediaTrouble::LosesAnswer("POST", route));
        let run = smoke(&account, &[]).await;
        let label = format!("{route}: {}", run.text());
        assert_eq!(
            (run.status.code(), state(&run, check).as_str()),
            (7, "unknown"),
            "{label}"
        );
        assert_nothing_stays(&account, &label);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_removed_is_told_with_what_removes_it() {
    let account = Account::with(&[]);
    breaks(&account, MediaTrouble::KeepsVideos);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::S3, "DeleteObject", Fault::Deny));
    });
    let run = smoke(&account, &[]).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    let document = run.json();
    let left = document["left"].as_array().expect("a list");
    assert_eq!(left.len(), 3, "{document}");
    let lines: Vec<&str> = left.iter().filter_map(|left| left["remove"].as_str()).collect();
    assert!(
        lines.iter().any(|line| line.starts_with("curl -X DELETE -H @- ")),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("aws s3api delete-object --bucket bp-media-")),
        "{lines:?}"
    );
    assert!(run.stderr.contains("could not be removed"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn kept_things_stay_and_are_told() {
    let account = Account::with(&[]);
    let run = smoke(&account, &["--keep"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    let document = run.json();
    assert_eq!(document["left"].as_array().map(Vec::len), Some(3), "{document}");
    let ((_, videos, _), keys) = account.sandbox.with_world(|world| world.media());
    assert_eq!((videos, keys.len()), (1, 2));
    // What was kept on purpose is nobody's to remove.
    let again = smoke(&account, &[]).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    let ((_, videos, _), keys) = account.sandbox.with_world(|world| world.media());
    assert_eq!((videos, keys.len()), (1, 2), "{}", again.text());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_the_same_plan_and_sends_nothing() {
    let account = Account::with(&[]);
    let dry = account.run(&["smoke", "--dry-run", "-o", "json"]).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    assert_eq!(account.sandbox.with_world(|world| world.media()).0, (0, 0, 0));
    let plan = dry.json();
    let steps: Vec<&str> = plan["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|step| step["id"].as_str())
        .collect();
    assert_eq!(steps, ALL);
    let digest = plan["digest"].as_str().expect("a digest");
    let run = smoke(&account, &["--expect-plan", digest]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let printed = account.run(&["smoke", "--print-aws"]).await;
    assert_eq!(printed.status.code(), 2, "{}", printed.text());
}

#[tokio::test(start_paused = true)]
async fn the_token_is_nowhere() {
    const SECRET: &str = "17|Xq9tPz41mVbLcN0sJw8uYe";
    let account = Account::with(&[]);
    let wrong = account
        .run_with(&["smoke", "--yes", "-o", "json"], |process| {
            process
                .env
                .insert("BPCTL_SMOKE_TOKEN".to_owned(), SECRET.to_owned());
        })
        .await;
    assert_eq!(
        (wrong.status.code(), wrong.changes.len()),
        (4, 0),
        "{}",
        wrong.text()
    );
    assert!(
        wrong.stderr.contains("the token is not accepted"),
        "{}",
        wrong.text()
    );
    assert!(!wrong.text().contains(SECRET), "{}", wrong.text());
    let right = account
        .run_with(&["smoke", "--yes", "-o", "json"], |process| {
            process
                .env
                .insert("BPCTL_SMOKE_TOKEN".to_owned(), "sandbox".to_owned());
        })
        .await;
    assert_eq!(right.status.code(), 0, "{}", right.text());
    // Neither is the signature of an address: whoever has it may write the object.
    for text in [right.text(), journals(&account)] {
        assert!(
            !text.contains("Bearer ") && !text.contains("X-Amz-Signature"),
            "{text}"
        );
    }
}

/// Every journal of the account's machine.
fn journals(account: &Account) -> String {
    let folder = account.home().join(".local/state/bpctl/journal");
    let entries = fs::read_dir(folder).expect("journals").flatten();
    entries
        .map(|entry| fs::read_to_string(entry.path()).unwrap_or_default())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    let account = Account::with(&[]);
    fs::write(account.home().join("empty.mp4"), "").expect("a file");
    for words in [
        &["--effect", "0"][..],
        &["--effect", "one"],
        &["--file", "missing.mp4"],
        &["--file", "empty.mp4"],
        &["--file", "clip.txt"],
        &["--tenant", "https://app.example.com"],
        &["--no-wait"],
        &["--upload-only", "--fleet", "production/gpu-default"],
    ] {
        let run = account.run(&[&["smoke", "--yes"], words].concat()).await;
        assert_eq!(
            (run.status.code(), run.calls),
            (2, 0),
            "{words:?}: {}",
            run.text()
        );
    }
    let run = account
        .run_with(&["smoke", "--yes"], |process| {
            process
                .env
                .insert("BPCTL_SMOKE_TOKEN".to_owned(), "two words".to_owned());
        })
        .await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    // A sandbox has no resolver: what cannot be shown to be the platform gets no token.
    let elsewhere = smoke(&account, &["--tenant", "app.example.net"]).await;
    assert_ne!(elsewhere.status.code(), 0, "{}", elsewhere.text());
    assert!(
        elsewhere.stderr.contains("resolve app.example.net"),
        "{}",
        elsewhere.text()
    );
    assert!(elsewhere.changes.is_empty(), "{:?}", elsewhere.changes);
    let unknown = smoke(&account, &["--effect", "99"]).await;
    assert_eq!(
        (unknown.status.code(), unknown.changes.len()),
        (1, 0),
        "{}",
        unknown.text()
    );
    assert!(
        unknown.stderr.contains("no published effect 99"),
        "{}",
        unknown.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_clip_of_the_operators_own_is_uploaded() {
    let account = Account::with(&[]);
    fs::write(account.home().join("clip.MOV"), vec![7; 5000]).expect("a file");
    let run = smoke(&account, &["--file", "clip.MOV", "--effect", "2"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(detail(&run, "upload").contains("5000 bytes"), "{}", run.text());
    let document: Value = run.json();
    assert!(
        document["upload"]
            .as_str()
            .is_some_and(|key| key.ends_with(".mov")),
        "{document}"
    );
}

/// Killed at any request: the next run removes what that one has left.
#[tokio::test(start_paused = true)]
async fn what_a_killed_run_left_the_next_one_removes() {
    let known = Account::with(&[]);
    let (network, run) = broken(&known, &["smoke", "--yes"], usize::MAX, Break::KilledAfter).await;
    assert_eq!(run.expect("it ends").status.code(), 0);
    let requests = network.seen.lock().expect("no panic").clone();
    let mut left = 0;
    for at in (0..requests.len()).filter(|at| requests[*at].writes) {
        let account = Account::with(&[]);
        let (network, run) = broken(&account, &["smoke", "--yes"], at, Break::KilledAfter).await;
        // A run that looked less often was over before the last releases of its leases.
        assert_eq!(run.is_none(), network.was_hit(), "{at}");
        assert!(run.is_none() || requests[at].is_bookkeeping(), "{at}");
        let ((_, videos, _), keys) = account.sandbox.with_world(|world| world.media());
        left += videos + keys.len();
        account.clock().sleep(Duration::from_secs(400)).await;
        let again = smoke(&account, &[]).await;
        let label = format!("killed at {at} ({}): {}", requests[at].operation, again.text());
        assert_eq!(again.status.code(), 0, "{label}");
        assert_nothing_stays(&account, &label);
    }
    assert!(left > 5, "{left}");
}

/// Ctrl-C at any request: the run itself cleans up.
#[tokio::test(start_paused = true)]
async fn an_interrupted_run_cleans_up() {
    let known = Account::with(&[]);
    let (network, _) = broken(&known, &["smoke", "--yes"], usize::MAX, Break::Interrupt).await;
    let requests = network.seen.lock().expect("no panic").clone();
    for at in (0..requests.len()).step_by(3) {
        let account = Account::with(&[]);
        let (_, run) = broken(&account, &["smoke", "--yes"], at, Break::Interrupt).await;
        let run = run.expect("it ends by itself");
        let label = format!("interrupted at {at} ({}): {}", requests[at].operation, run.text());
        assert!([0, 130].contains(&run.status.code()), "{label}");
        assert_nothing_stays(&account, &label);
    }
}

/// What the program logs of its own requests holds no token.
#[test]
fn the_token_is_in_no_trace() {
    const SECRET: &str = "17|Xq9tPz41mVbLcN0sJw8uYe";
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_bpctl"))
        .args(["sandbox", "run", "--", "bpctl", "smoke", "--yes"])
        .env_clear()
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("BPCTL_LOG", "trace"),
            ("BPCTL_SMOKE_TOKEN", SECRET),
        ])
        .env("HOME", home.path())
        .current_dir(home.path())
        .output()
        .expect("bpctl starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(
        text.contains("the token is not accepted") && text.contains(" TRACE "),
        "{text}"
    );
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains(SECRET) && !stdout.contains(SECRET), "{text}");
}

/// The real program against a real listener.
#[test]
fn a_real_process_passes() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_bpctl"))
        .args([
            "sandbox", "run", "--speed", "300", "--", "bpctl", "smoke", "--yes", "-o", "json",
        ])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home.path())
        .output()
        .expect("bpctl starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}{errors}");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let checks = document["checks"].as_array().expect("checks");
    assert_eq!(checks.len(), ALL.len(), "{document}");
    assert!(checks.iter().all(|check| check["state"] == "ok"), "{document}");
    assert_eq!(document["left"], serde_json::json!([]), "{document}");
}
