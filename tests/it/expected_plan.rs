//! `--expect-plan`: what was read is what is done, or nothing is.

use std::time::Duration;

use bpctl_sandbox::{Options, Scenario};

use crate::support::{Account, kept_by_hand};

const SCALE: [&str; 5] = ["fleet", "scale", "production/gpu-default", "--desired", "3"];

fn account() -> Account {
    let options = Options {
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    Account::prepared(options, |sandbox| {
        kept_by_hand(sandbox, &["asg-production-gpu-default".to_owned()], 1);
    })
}

async fn digest(account: &Account, words: &[&str]) -> String {
    let run = account.run(&[words, &["--dry-run", "-o", "json"]].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    run.json()["digest"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_plan_that_was_read_is_carried_out_later() {
    let account = account();
    let expected = digest(&account, &SCALE).await;
    account.sandbox.advance(Duration::from_secs(90));
    assert_eq!(
        digest(&account, &SCALE).await,
        expected,
        "it is the same plan later"
    );
    let words = [&SCALE[..], &["--expect-plan", &expected, "--yes"]].concat();
    let run = account.run(&words).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, ["AutoScaling:UpdateAutoScalingGroup"]);
}

#[tokio::test(start_paused = true)]
async fn another_plan_is_refused_and_shown() {
    let account = account();
    let expected = digest(&account, &SCALE).await;
    let other = account
        .run(&[
            "fleet",
            "scale",
            "production/gpu-default",
            "--desired",
            "2",
            "--yes",
        ])
        .await;
    assert_eq!(other.status.code(), 0, "{}", other.text());
    let words = [&SCALE[..], &["--expect-plan", &expected, "--yes"]].concat();
    let run = account.run(&words).await;
    assert_eq!((run.status.code(), run.changes.len()), (5, 0), "{}", run.text());
    assert!(run.stderr.contains("plan: "), "{}", run.text());
    // Not even `--dry-run` says that all is well.
    let dry = account.run(&[&words[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry.status.code(), 5, "{}", dry.text());
    let wrong = account
        .run(&[&SCALE[..], &["--expect-plan", "abc"]].concat())
        .await;
    assert_eq!((wrong.status.code(), wrong.calls), (2, 0), "{}", wrong.text());
}

/// A name that is made from the time of the plan does not make it another plan.
#[tokio::test(start_paused = true)]
async fn names_that_a_run_draws_are_no_part_of_its_plan() {
    let account = Account::with(&[]);
    let words = ["teardown"];
    let first = digest(&account, &words).await;
    account.sandbox.advance(Duration::from_secs(30));
    assert_eq!(digest(&account, &words).await, first);
}
