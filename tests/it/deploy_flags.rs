//! `bpctl deploy`: what single flags change.

use crate::support::Account;

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_not_there_says_where_to_look() {
    let account = Account::with(&[]);
    let run = account
        .run(&["deploy", "backend", "--task-definition", "999", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("bp-backend:999") && run.stderr.contains("bpctl rollout history backend"),
        "{}",
        run.stderr
    );
}
