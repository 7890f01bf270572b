//! One read in several contexts: `--context a,b` and `--all-contexts`.

use std::fs;

use crate::support::{Account, Run};

/// Two contexts of the simulated account, and one that guards another account.
const FILE: &str = "[contexts.eu]\nregion = \"us-east-1\"\n\n[contexts.other]\nregion = \"us-east-1\"\naccount_id = \"999999999999\"\n\n[contexts.us]\nregion = \"us-east-1\"\n";

fn account() -> Account {
    let account = Account::with(&[]);
    fs::write(account.home().join("bpctl.toml"), FILE).unwrap();
    account
}

async fn run(account: &Account, args: &[&str]) -> Run {
    account
        .run_with(args, |process| {
            process.env.remove("BPCTL_CONTEXT");
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn what_fails_in_one_context_hides_nothing_of_the_others() {
    let account = account();
    let run = run(&account, &["fleet", "list", "--all-contexts", "-o", "json"]).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.contexts/1");
    let of = |name: &str| {
        let all = document["contexts"].as_array().unwrap();
        all.iter().find(|one| one["context"] == name).unwrap().clone()
    };
    for name in ["eu", "us"] {
        let one = of(name);
        assert_eq!(one["exit_status"], 0);
        assert_eq!(one["document"]["context"], name);
        assert!(!one["document"]["fleets"].as_array().unwrap().is_empty());
        assert!(one["error"].is_null(), "{one}");
    }
    let other = of("other");
    assert_eq!(other["exit_status"], 4);
    assert!(other["document"].is_null());
    assert_eq!(other["error"]["schema"], "bpctl.error/1", "{other}");
    assert!(run.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn people_see_a_heading_over_each_context_and_programs_a_line_for_each_item() {
    let account = account();
    let table = run(&account, &["fleet", "list", "--context", "us,eu"]).await;
    assert_eq!(table.status.code(), 0, "{}", table.text());
    let headings: Vec<&str> = table
        .stdout
        .lines()
        .filter(|line| line.starts_with("== "))
        .collect();
    assert_eq!(headings, ["== us", "== eu"]);
    assert!(
        table.stderr.contains("asking 2 contexts: us, eu"),
        "{}",
        table.stderr
    );
    let names = run(&account, &["fleet", "list", "--context", "us,eu", "-o", "name"]).await;
    assert!(
        names.stdout.lines().next().unwrap().starts_with("us/"),
        "{}",
        names.stdout
    );
    let lines = run(&account, &["fleet", "list", "--context", "us,eu", "-o", "jsonl"]).await;
    let of: Vec<String> = lines
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["context"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        of.contains(&"us".to_owned()) && of.contains(&"eu".to_owned()),
        "{of:?}"
    );
    let queried = run(
        &account,
        &["whoami", "--context", "us,eu", "--query", "context", "-o", "json"],
    )
    .await
    .json();
    assert_eq!(queried["contexts"][1]["document"], "eu", "{queried}");
}

#[tokio::test(start_paused = true)]
async fn messages_say_which_context_they_are_about() {
    let account = account();
    let run = run(&account, &["fleet", "list", "--context", "other,eu"]).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert!(
        run.stderr.lines().any(|line| line.starts_with("[other] error: ")),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("== other (exit status 4)"), "{}", run.stdout);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_made_in_one_context_at_a_time() {
    let account = account();
    let refused: [&[&str]; 9] = [
        &[
            "fleet",
            "scale",
            "production/gpu-default",
            "--desired",
            "1",
            "--yes",
            "--all-contexts",
        ],
        &["exec", "--all-contexts"],
        &["day1", "--run", "--all-contexts"],
        &["logs", "backend", "--follow", "--context", "eu,us"],
        &["version", "--context", "eu,us"],
        &["whoami", "--context", "eu,"],
        &["whoami", "--context", "eu,eu"],
        &["whoami", "--context", "eu,uz"],
        &["whoami", "--context", "eu", "--all-contexts"],
    ];
    for args in refused {
        let run = run(&account, args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?}: {}", run.text());
        assert!(run.stdout.is_empty(), "{}", run.text());
    }
    let without = Account::with(&[]);
    let run = run_in(&without, &["whoami", "--all-contexts"]).await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
}

async fn run_in(account: &Account, args: &[&str]) -> Run {
    run(account, args).await
}
