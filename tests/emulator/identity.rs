//! Who we are, and the account guard.

use crate::platform::{Layout, Platform};

#[tokio::test]
async fn whoami_reads_the_account_of_the_credentials() {
    let platform = Platform::empty(Layout::Single);
    let run = platform.bpctl(&["whoami", "-o", "json"]).await;
    assert_eq!(run.status, 0, "{}", run.text());
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.whoami/2");
    assert_eq!(document["account"], platform.account.as_str());
    assert_eq!(document["region"], "us-east-1");
}

#[tokio::test]
async fn the_account_guard_lets_only_its_account_pass() {
    let platform = Platform::empty(Layout::Single);
    let right = platform
        .bpctl(&["whoami", "--account-id", &platform.account])
        .await;
    assert_eq!(right.status, 0, "{}", right.text());
    let wrong = platform.bpctl(&["whoami", "--account-id", "999988887777"]).await;
    assert_eq!(wrong.status, 4, "{}", wrong.text());
    assert_eq!(wrong.stdout, "");
    assert!(
        wrong
            .stderr
            .contains(&format!("run in account {}", platform.account)),
        "{}",
        wrong.text()
    );
}
