//! `--watch`: what changes is shown, until the operator has seen enough.

use std::time::Duration;

use bpctl_sandbox::FleetSeed;

use crate::support::Account;

/// Runs a watch for ten minutes of the account's time, and a change in the middle of it.
async fn watched(args: &[&str], terminal: bool) -> crate::support::Run {
    let account = Account::from_options(bpctl_sandbox::Options {
        fleets: vec![FleetSeed::new("production", "gpu-default", 0, 0.0)],
        ..bpctl_sandbox::Options::default()
    });
    let mut cancel = None;
    let mut ended = None;
    let run = account.run_with(args, |process| {
        process.stdout_is_terminal = terminal;
        process.env.insert("COLUMNS".to_owned(), "200".to_owned());
        cancel = Some(process.cancel.clone());
        let cancel = process.cancel.clone();
        ended = Some(tokio::spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "the operator's time, which is paused")]
            tokio::time::sleep(Duration::from_secs(600)).await;
            cancel.cancel();
        }));
    });
    run.await
}

#[tokio::test(start_paused = true)]
async fn nothing_new_is_shown_once() {
    let run = watched(
        &["fleet", "list", "--watch", "--every", "30s", "-o", "jsonl"],
        false,
    )
    .await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    let documents: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(documents[0]["schema"], "bpctl.fleet.list/1");
    assert_eq!(documents[0]["fleets"][0]["name"], "production/gpu-default");
    for pair in documents.windows(2) {
        assert_ne!(pair[0], pair[1], "{}", run.text());
    }
    assert!(run.calls > documents.len() * 3, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_terminal_is_drawn_anew() {
    let run = watched(&["fleet", "status", "-w", "--every", "1m"], true).await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert!(
        run.stdout
            .starts_with("\u{1b}[H\u{1b}[2Jcontext sandbox, every 1m, changed at "),
        "{}",
        run.text()
    );
    assert!(run.stdout.contains("  production/gpu-default"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_pass_ends_a_watch() {
    let account = Account::with(&[bpctl_sandbox::Scenario::ExpiredCredentials]);
    let run = account.run(&["fleet", "list", "--watch"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    let run = account.run(&["fleet", "list", "--every", "5s"]).await;
    assert_eq!(run.status.code(), 2, "{}", run.text());
}
