//! Who we are, and the account guard.

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
