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

/// The choice is this user's: the file that the team shares stays as it is.
#[tokio::test(start_paused = true)]
async fn a_context_is_chosen_for_one_user_and_the_file_stays() {
    let account = account();
    let switched = run(&account, &["config", "use-context", "prod"]).await;
    assert_eq!(switched.status.code(), 0, "{}", switched.text());
    let text = fs::read_to_string(account.home().join("bpctl.toml")).unwrap();
    assert_eq!(text, FILE);
    let current = run(&account, &["config", "current-context"]).await;
    assert_eq!(current.stdout, "prod\n", "{}", current.text());
    let listed = run(&account, &["config", "get-contexts", "-o", "json"])
        .await
        .json();
    let marked: Vec<&str> = listed["contexts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|context| context["current"] == true)
        .map(|context| context["name"].as_str().unwrap())
        .collect();
    assert_eq!(marked, ["prod"]);
    run(&account, &["config", "use-context", "--forget"]).await;
    let current = run(&account, &["config", "current-context"]).await;
    assert_eq!(current.stdout, "eu\n", "{}", current.text());
    // A choice that is gone from the file is no reason to go on with another one.
    run(&account, &["config", "use-context", "prod"]).await;
    let without = FILE.replace("contexts.prod", "contexts.production");
    fs::write(account.home().join("bpctl.toml"), without).unwrap();
    let lost = run(&account, &["whoami"]).await;
    assert_eq!((lost.status.code(), lost.calls), (2, 0), "{}", lost.text());
    assert!(
        lost.stderr.contains("did you mean `production`?"),
        "{}",
        lost.text()
    );
}

#[tokio::test(start_paused = true)]
async fn the_sandbox_can_be_chosen_without_a_file() {
    let account = Account::with(&[]);
    let switched = run(&account, &["config", "use-context", "sandbox"]).await;
    assert_eq!(switched.status.code(), 0, "{}", switched.text());
    let whoami = run(&account, &["whoami", "--query", "context", "-o", "json"]).await;
    assert!(whoami.stdout.contains("sandbox"), "{}", whoami.text());
    let unknown = run(&account, &["config", "use-context", "prod"]).await;
    assert_eq!(unknown.status.code(), 2, "{}", unknown.text());
}

#[tokio::test(start_paused = true)]
async fn a_file_is_made_changed_and_extended_from_the_command_line() {
    let account = Account::with(&[]);
    let file = account.home().join("bpctl.toml");
    let init = [
        "config",
        "init",
        "staging",
        "--region",
        "us-east-1",
        "--account-id",
        "111122223333",
        "--protected",
    ];
    assert_eq!(run(&account, &init).await.status.code(), 0);
    let view = run(&account, &["config", "view", "-o", "json"]).await.json();
    let value = |key: &str| {
        let settings = view["settings"].as_array().unwrap();
        settings.iter().find(|setting| setting["key"] == key).unwrap()["value"].clone()
    };
    assert_eq!(value("context"), "staging");
    assert_eq!(value("account_id"), "111122223333");
    assert_eq!(value("protected"), true);
    assert_eq!(value("allow_plain_http"), false);
    assert_eq!(value("role_arn"), serde_json::Value::Null);
    let again = run(&account, &init).await;
    assert_eq!(again.status.code(), 2, "{}", again.text());
    assert_eq!(
        run(&account, &["config", "init", "prod", "--region", "eu-west-1"])
            .await
            .status
            .code(),
        0
    );
    let set = ["--context", "prod", "config", "set", "region", "eu-north-1"];
    assert_eq!(run(&account, &set).await.status.code(), 0);
    assert_eq!(
        run(&account, &["config", "unset", "protected"])
            .await
            .status
            .code(),
        0
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("[contexts.prod]\nregion = \"eu-north-1\"\n"),
        "{text}"
    );
    assert!(!text.contains("\nprotected"), "{text}");
    let wrong = run(&account, &["config", "set", "region", "us-eest-1"]).await;
    assert_eq!(wrong.status.code(), 2, "{}", wrong.text());
    assert!(
        wrong.stderr.contains("did you mean `us-east-1`?"),
        "{}",
        wrong.text()
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test(start_paused = true)]
async fn a_number_without_quotes_is_told_how_to_write_it() {
    let account = account();
    for (written, meant) in [("123456789012", "123456789012"), ("012345678901", "012345678901")] {
        let text = format!("[contexts.eu]\naccount_id = {written}\n");
        fs::write(account.home().join("bpctl.toml"), text).unwrap();
        let run = run(&account, &["whoami"]).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
        let expected = format!("`account_id` needs quotes: write `account_id = \"{meant}\"`");
        assert!(run.stderr.contains(&expected), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_in_an_endpoint_is_repeated_nowhere() {
    let account = account();
    let url = "http://jo:hunter2@127.0.0.1:1";
    for args in [
        vec!["whoami", "--endpoint-url", url],
        vec!["config", "view", "--endpoint-url", url],
        vec!["config", "explain", "endpoint-url"],
        vec!["config", "view", "-o", "json"],
        vec!["migrate", "--endpoint-url", url, "--context", "nope"],
    ] {
        let run = account
            .run_with(&args, |process| {
                process.env.remove("BPCTL_CONTEXT");
                process
                    .env
                    .insert("AWS_ENDPOINT_URL_ECS".to_owned(), url.to_owned());
                process.env.insert("AWS_ENDPOINT_URL".to_owned(), url.to_owned());
            })
            .await;
        assert!(!run.text().contains("hunter2"), "{args:?} {}", run.text());
        assert_eq!(run.calls, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_version_is_a_document_too() {
    let account = Account::with(&[]);
    let run = account.run(&["version", "-o", "json"]).await;
    assert_eq!(run.json()["version"], env!("CARGO_PKG_VERSION"), "{}", run.text());
    assert_eq!(run.json()["schema"], "bpctl.version/1");
}

/// Nothing is changed where no context is chosen, and the rules of a protected account go with the account.
#[tokio::test(start_paused = true)]
async fn changes_need_a_chosen_context_and_keep_the_accounts_rules() {
    let account = Account::with(&[]);
    // The simulated account, under a name that is not chosen below.
    let file = "[contexts.prod]\naccount_id = \"123456789012\"\nprotected = true\n[contexts.dev]\nregion = \"us-east-1\"\n";
    fs::write(account.home().join("bpctl.toml"), file).unwrap();
    // Also where a bare slug, the present deployment or a reader of a secret would be looked up first.
    for command in [
        &["migrate", "--tenant", "--yes"][..],
        &["fleet", "scale", "gpu-default", "--desired", "1", "--yes"],
        &["rollout", "undo", "backend", "--dry-run"],
        &["secrets", "rotate", "fleet-secret/staging", "--print-aws"],
    ] {
        let unchosen = run(&account, command).await;
        assert_eq!(
            (unchosen.status.code(), unchosen.calls),
            (2, 0),
            "{}",
            unchosen.text()
        );
        assert!(unchosen.stderr.contains("`dev`, `prod`"), "{}", unchosen.text());
    }
    let in_dev = |variables: &'static [(&'static str, &'static str)]| {
        account.run_with(
            &["--context", "dev", "migrate", "--tenant", "--yes"],
            move |process| {
                process.env.remove("BPCTL_CONTEXT");
                for (name, value) in variables {
                    process.env.insert((*name).to_owned(), (*value).to_owned());
                }
            },
        )
    };
    let protected = in_dev(&[]).await;
    assert_eq!(protected.status.code(), 3, "{}", protected.text());
    assert!(
        protected.stderr.contains("protected context `prod`"),
        "{}",
        protected.text()
    );
    for variables in [&[("BPCTL_ACCOUNT_ID", "")] as &[_], &[("CI", "true")]] {
        let unguarded = in_dev(variables).await;
        assert_eq!(unguarded.status.code(), 2, "{}", unguarded.text());
        assert!(
            unguarded.stderr.contains("--no-account-guard"),
            "{}",
            unguarded.text()
        );
    }
    assert!(protected.changes.is_empty());
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
