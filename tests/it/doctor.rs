//! `bpctl doctor`: one table, whatever is broken.

use std::fs;

use bpctl_sandbox::{Fault, FaultRule, Options, Scenario, Service, VIEWER_ROLE};
use serde_json::Value;

use crate::support::{Account, Run};

fn check<'a>(document: &'a Value, name: &str) -> &'a Value {
    let checks = document["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["check"] == name);
    found.unwrap_or_else(|| panic!("no check `{name}` in {document:#}"))
}

async fn doctor(account: &Account, args: &[&str]) -> Run {
    let run = account.run(&[&["doctor"], args].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);
    run
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_there_is_found_in_both_layouts() {
    for (account, layout) in [(Account::with(&[]), "single"), (Account::staged(&[]), "staged")] {
        let run = doctor(&account, &["-o", "json"]).await;
        let document = run.json();
        for name in [
            "credentials",
            "expiry",
            "account guard",
            "region",
            "clock",
            "endpoints",
            "layout",
        ] {
            assert_eq!(check(&document, name)["state"], "ok", "{name} in {document:#}");
        }
        let found = check(&document, "layout")["found"]
            .as_str()
            .expect("text")
            .to_owned();
        assert!(
            found.contains(layout) && found.contains("6 of 6 stacks"),
            "{found}"
        );
        assert_eq!(document["problems"], 0);
        assert!(run.calls < 20, "{} calls", run.calls);
    }
}

#[tokio::test(start_paused = true)]
async fn the_other_layout_is_recognised() {
    let account = Account::staged(&[]);
    let run = account
        .run_with(&["doctor", "-o", "json"], |process| {
            process.env.remove("BPCTL_LAYOUT");
            process.env.remove("BPCTL_STAGE");
        })
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    let layout = check(&document, "layout");
    assert_eq!(layout["state"], "problem", "{layout}");
    assert!(
        layout["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("--layout staged --stage staging")),
        "{layout}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_check_that_fails_stops_no_other() {
    let expired = doctor(&Account::with(&[Scenario::ExpiredCredentials]), &["-o", "json"]).await;
    let document = expired.json();
    assert_eq!(check(&document, "credentials")["state"], "problem");
    assert_eq!(check(&document, "layout")["state"], "unknown");
    assert_eq!(check(&document, "clock")["state"], "ok");

    let account = Account::with(&[]);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::on(Service::Rds, "DescribeDBInstances", Fault::Deny)));
    let document = doctor(&account, &["-o", "json"]).await.json();
    assert_eq!(check(&document, "endpoint rds")["state"], "warning");
    assert_eq!(check(&document, "endpoints")["found"], "7 of 8 services answer");
    assert_eq!(check(&document, "layout")["state"], "ok");

    let stacks = FaultRule::on(Service::CloudFormation, "ListStacks", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(stacks));
    let document = doctor(&account, &["-o", "json"]).await.json();
    assert_eq!(
        check(&document, "layout")["state"],
        "unknown",
        "what was not read is not there or away"
    );

    let viewer = Account::from_options(Options {
        role: VIEWER_ROLE.to_owned(),
        ..Options::default()
    });
    assert_eq!(doctor(&viewer, &["-o", "json"]).await.json()["problems"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_and_a_configuration_that_is_broken_are_problems() {
    let account = Account::with(&[]);
    let run = account
        .run_with(&["doctor", "-o", "json"], |process| {
            if let Some(transport) = &mut process.transport {
                let late = account.clock().now() + std::time::Duration::from_secs(1000);
                transport.clock = bpctl::Clock::starting_at(late, 1.0);
            }
        })
        .await;
    let document = run.json();
    let clock = check(&document, "clock");
    assert_eq!(clock["state"], "problem", "{clock}");
    assert!(
        clock["found"]
            .as_str()
            .is_some_and(|found| found.contains("ahead of AWS")),
        "{clock}"
    );

    fs::write(
        account.home().join("bpctl.toml"),
        "[contexts.sandbox]\nlayuot = \"single\"\n",
    )
    .expect("written");
    let document = doctor(&account, &["-o", "json"]).await.json();
    assert_eq!(
        check(&document, "configuration")["state"],
        "problem",
        "{document:#}"
    );
}

#[tokio::test(start_paused = true)]
async fn fix_makes_folders_and_installs_the_completion_and_nothing_is_made_without_it() {
    let account = Account::with(&[]);
    let with_shell = |args: &'static [&'static str]| {
        account.run_with(args, |process| {
            process.env.insert("SHELL".to_owned(), "/bin/bash".to_owned());
        })
    };
    let before = with_shell(&["doctor", "-o", "json"]).await.json();
    assert_eq!(check(&before, "completion")["state"], "warning");
    let script = account
        .home()
        .join(".local/share/bash-completion/completions/bpctl");
    assert!(!script.exists());
    let fixed = with_shell(&["doctor", "--fix", "-o", "json"]).await.json();
    assert_eq!(check(&fixed, "completion")["state"], "ok");
    assert_eq!(check(&fixed, "state folder")["state"], "ok");
    assert!(script.is_file() && account.home().join(".local/state/bpctl").is_dir());
}

#[tokio::test(start_paused = true)]
async fn a_newer_release_is_told_of_only_when_it_is_named() {
    let account = Account::with(&[]);
    let document = doctor(&account, &["-o", "json"]).await.json();
    let checks = document["checks"].as_array().expect("checks");
    assert!(checks.iter().all(|check| check["check"] != "release"));
    let document = doctor(&account, &["--latest", "99.0.0", "-o", "json"])
        .await
        .json();
    assert_eq!(check(&document, "release")["state"], "problem");
    let wrong = account.run(&["doctor", "--latest", "newest"]).await;
    assert_eq!(wrong.status.code(), 2);
}
