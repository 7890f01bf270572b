//! Settings as an operator meets them: files, contexts, explanations, mistakes.

use std::fs;

use crate::support::Account;

const FILE: &str = "current_context = \"eu\"  # home\n\n[contexts.eu]\nregion = \"eu-west-1\"\naccount_id = \"111122223333\"\n\n[contexts.prod]\nregion = \"us-east-1\"\nprotected = true\n";

fn account() -> Account {
    let account = Account::with(&[]);
    fs::write(account.home().join("bpctl.toml"), FILE).unwrap();
    account
}

async fn run(account: &Account, args: &[&str]) -> crate::support::Run {
    account
        .run_with(args, |process| {
            process.env.remove("BPCTL_CONTEXT");
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn explain_names_the_line_that_decided() {
    let account = account();
    let run = run(&account, &["config", "explain", "region", "-o", "json"]).await;
    let document = run.json();
    assert_eq!(document["value"], "eu-west-1");
    assert!(
        document["decided_by"].as_str().unwrap().ends_with("bpctl.toml:4"),
        "{}",
        run.text()
    );
    assert_eq!(run.calls, 0);
}

#[tokio::test(start_paused = true)]
async fn use_context_changes_one_line_and_keeps_the_comments() {
    let account = account();
    let switched = run(&account, &["config", "use-context", "prod"]).await;
    assert_eq!(switched.status.code(), 0, "{}", switched.text());
    let text = fs::read_to_string(account.home().join("bpctl.toml")).unwrap();
    assert_eq!(text, FILE.replace("\"eu\"  # home", "\"prod\"  # home"));
    let listed = run(&account, &["config", "get-contexts", "-o", "name"]).await;
    assert_eq!(listed.stdout, "eu\nprod\nsandbox\n");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_stops_every_command_before_any_call() {
    let account = account();
    fs::write(
        account.home().join("bpctl.toml"),
        "[contexts.eu]\nregoin = \"x\"\n",
    )
    .unwrap();
    let run = run(&account, &["whoami"]).await;
    insta::assert_snapshot!(run.text().replace(&account.home().display().to_string(), "~"), @r"
    [exit 2]
    ----- stdout
    ----- stderr
    error: failed to read `~/bpctl.toml:2`
      caused by: unknown key `regoin`
    hint: did you mean `region`?
    ");
    assert_eq!(run.calls, 0);
}

#[tokio::test(start_paused = true)]
async fn a_file_in_a_parent_folder_counts() {
    let account = account();
    let deep = account.home().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let run = account
        .run_with(
            &[
                "config",
                "view",
                "--query",
                "settings[?key=='region'].value | [0]",
            ],
            |process| {
                process.env.remove("BPCTL_CONTEXT");
                process.cwd = deep;
            },
        )
        .await;
    assert_eq!(run.stdout, "eu-west-1\n", "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_query_that_does_not_parse_is_a_usage_error() {
    let account = account();
    let run = run(&account, &["config", "view", "--query", "settings[?"]).await;
    assert_eq!(run.status.code(), 2, "{}", run.text());
    assert_eq!(run.stdout, "");
}

#[tokio::test(start_paused = true)]
async fn the_example_file_is_valid() {
    let account = account();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/bpctl.toml");
    let run = run(
        &account,
        &["config", "get-contexts", "--config-file", example, "-o", "name"],
    )
    .await;
    assert_eq!(
        run.stdout,
        "legacy-staging\nproduction\nstaging\nsandbox\n",
        "{}",
        run.text()
    );
}
