//! `bpctl triage --watch --notify`: a webhook is told what has changed.

use std::collections::BTreeSet;
use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service, World};
use serde_json::Value;

use crate::support::{Account, Run};

/// A watch of ten minutes over a platform that breaks after two and is mended after five.
async fn watched(account: &Account, url: &str) -> Run {
    let args = [
        "triage", "--watch", "--every", "30s", "--notify", url, "-o", "jsonl",
    ];
    let sandbox = account.sandbox.clone();
    let run = account.run_with(&args, |process| {
        let cancel = process.cancel.clone();
        tokio::spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "the operator's time, which is paused")]
            let pause = async |seconds| tokio::time::sleep(Duration::from_secs(seconds)).await;
            pause(120).await;
            sandbox.with_world(|world| world.set_scenarios([Scenario::ScaleToZeroUnsubscribed].into()));
            pause(180).await;
            sandbox.with_world(|world| world.set_scenarios(BTreeSet::new()));
            pause(300).await;
            cancel.cancel();
        });
    });
    run.await
}

fn posts(account: &Account) -> Vec<Value> {
    account.sandbox.with_world(|world| world.posts().to_vec())
}

/// The codes in a list of a post.
fn codes(post: &Value, list: &str) -> Vec<String> {
    let findings = post[list].as_array().expect("a list").iter();
    findings
        .map(|one| one["code"].as_str().expect("a code").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_webhook_hears_what_comes_and_goes_and_nothing_twice() {
    let account = Account::with(&[]);
    let run = watched(&account, "http://127.0.0.1:9/hooks/triage").await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    let posts = posts(&account);
    let told = |list: &str| {
        posts
            .iter()
            .flat_map(|post| codes(post, list))
            .collect::<Vec<_>>()
    };
    let (new, gone) = (told("new"), told("gone"));
    let topic = "BP-FLT-019".to_owned();
    assert!(
        new.iter().filter(|code| **code == topic).count() == 1,
        "{posts:#?}"
    );
    assert!(gone.contains(&topic), "{posts:#?}");
    for post in &posts {
        assert_eq!(post["schema"], "bpctl.triage.notify/1");
        assert_eq!(post["account"], "123456789012");
        let any = ["new", "gone", "changed"]
            .iter()
            .any(|list| !codes(post, list).is_empty());
        assert!(any, "{post}");
    }
}

/// What cannot be seen for a while has not gone, and does not come anew when it is seen again.
#[tokio::test(start_paused = true)]
async fn a_webhook_does_not_hear_that_what_could_not_be_checked_has_gone() {
    let account = Account::with(&[Scenario::Alb5xx]);
    let url = "http://127.0.0.1:9/hooks/triage";
    let args = [
        "triage", "--watch", "--every", "60s", "--notify", url, "-o", "jsonl",
    ];
    let sandbox = account.sandbox.clone();
    let run = account.run_with(&args, |process| {
        let cancel = process.cancel.clone();
        tokio::spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "the operator's time, which is paused")]
            let pause = async |seconds| tokio::time::sleep(Duration::from_secs(seconds)).await;
            pause(90).await;
            sandbox.with_world(|world| {
                world.inject(FaultRule::on(
                    Service::CloudWatch,
                    "DescribeAlarms",
                    Fault::Throttle,
                ));
                world.inject(FaultRule::on(
                    Service::Elb,
                    "DescribeTargetGroups",
                    Fault::Throttle,
                ));
            });
            pause(400).await;
            sandbox.with_world(World::clear_faults);
            pause(200).await;
            sandbox.with_world(|world| world.set_scenarios(BTreeSet::new()));
            pause(1500).await;
            cancel.cancel();
        });
    });
    let run = run.await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    let posts = posts(&account);
    let with = |list: &str, code: &str| -> Vec<usize> {
        let told = |post: &Value| codes(post, list).iter().any(|one| one == code);
        (0..posts.len()).filter(|index| told(&posts[*index])).collect()
    };
    let seen_again = with("gone", "BP-TRI-001");
    let (first, last) = (with("new", "BP-TRI-001"), seen_again.last().expect("an end"));
    assert!(first.first().is_some_and(|first| first < last), "{posts:#?}");
    for post in &posts[..=*last] {
        let gone = codes(post, "gone");
        assert!(gone.iter().all(|code| code == "BP-TRI-001"), "{posts:#?}");
    }
    assert_eq!(with("new", "BP-ALB-001"), [0], "{posts:#?}");
    assert_eq!(with("gone", "BP-ALB-001").len(), 1, "{posts:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_busy_is_asked_again_and_one_that_is_gone_holds_nothing_up() {
    let account = Account::with(&[]);
    let run = watched(&account, "http://127.0.0.1:9/hooks/busy").await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert!(
        !posts(&account).is_empty() && !run.stderr.contains("failed to notify"),
        "{}",
        run.text()
    );
    let account = Account::with(&[]);
    let run = watched(&account, "http://127.0.0.1:9/hooks/gone").await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert!(
        posts(&account).is_empty() && run.stdout.lines().count() > 1,
        "{}",
        run.text()
    );
    assert_eq!(
        run.stderr.matches("notify 127.0.0.1: it answers 410").count(),
        1,
        "{}",
        run.text()
    );
    assert!(!run.text().contains("/hooks/gone"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_url_that_is_none_is_refused_before_anything_is_asked() {
    let account = Account::with(&[]);
    for url in [
        "http://hooks.example.com/x",
        "https://user:secret@hooks.example.com/x",
        "hooks.example.com",
    ] {
        let run = account.run(&["triage", "--watch", "--notify", url]).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{url}\n{}", run.text());
        assert!(!run.text().contains("secret"), "{}", run.text());
    }
    let run = account
        .run(&["triage", "--notify", "https://hooks.example.com/x"])
        .await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
}
