//! Who we are, and the account guard.

use bpctl_sandbox::Scenario;

use crate::support::Account;

#[tokio::test(start_paused = true)]
async fn whoami_says_where_everything_came_from() {
    let account = Account::with(&[]);
    let run = account.run(&["whoami", "-o", "json"]).await;
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.whoami/1");
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["context"], "sandbox");
    assert_eq!(run.calls, 1, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn the_account_guard_stops_everything_with_status_4() {
    let account = Account::with(&[]);
    let run = account.run(&["whoami", "--account-id", "999988887777"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(
        run.stderr.contains("the context demands 999988887777"),
        "{}",
        run.text()
    );
    assert_eq!(run.stdout, "");
}

/// The report counts what went over the wire, retries included: the account's own log says the same.
#[tokio::test(start_paused = true)]
async fn api_stats_count_what_the_account_saw() {
    let account = Account::with(&[Scenario::Throttled]);
    let run = account.run(&["triage", "--api-stats", "-q"]).await;
    let total = run
        .stderr
        .lines()
        .find(|line| line.starts_with("api: total"))
        .unwrap_or_default();
    let numbers: Vec<usize> = total
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    assert_eq!(numbers, [run.calls, run.calls / 3], "{}", run.text());
}

/// Which verb it is makes no difference: the guard sits in front of the clients.
#[tokio::test(start_paused = true)]
async fn the_wrong_account_sees_no_call_but_the_guards() {
    let account = Account::with(&[]);
    let verbs: [&[&str]; 5] = [
        &["triage"],
        &["fleet", "list"],
        &["fleet", "status"],
        &["migrate", "--dry-run"],
        &["fleet", "scale-to-zero", "--all", "--dry-run"],
    ];
    for verb in verbs {
        let run = account
            .run(&[verb, &["--account-id", "999988887777"]].concat())
            .await;
        assert_eq!((run.status.code(), run.calls), (4, 1), "{}", run.text());
        assert!(
            run.stderr.contains("the context demands 999988887777"),
            "{}",
            run.text()
        );
    }
}
