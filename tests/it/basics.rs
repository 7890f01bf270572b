//! Who we are, and the account guard.

use bpctl_sandbox::Scenario;

use crate::support::Account;

#[tokio::test(start_paused = true)]
async fn whoami_says_where_everything_came_from() {
    let account = Account::with(&[]);
    let run = account.run(&["whoami", "-o", "json"]).await;
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.whoami/2");
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

#[tokio::test(start_paused = true)]
async fn errors_are_documents_under_json() {
    let account = Account::with(&[Scenario::ExpiredCredentials]);
    let run = account
        .run(&["--profile", "ops team", "fleet", "list", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    let error: serde_json::Value =
        serde_json::from_str(run.stderr.lines().last().expect("a line")).expect("a document");
    assert_eq!(error["schema"], "bpctl.error/1");
    assert_eq!(error["code"], "credentials");
    assert_eq!(error["exit_status"], 4);
    assert_eq!(error["aws"]["code"], "ExpiredToken");
    assert_eq!(
        error["hints"][0]["command"],
        serde_json::json!(["aws", "sso", "login", "--profile", "ops team"])
    );
    assert!(
        error["hints"][0]["text"]
            .as_str()
            .is_some_and(|text| text.contains("`aws sso login --profile 'ops team'`")),
        "{error}"
    );
    assert_eq!(run.stdout, "");
}

#[tokio::test(start_paused = true)]
async fn a_command_line_that_makes_no_sense_is_a_document_too() {
    let account = Account::with(&[]);
    for args in [
        &["fleet", "lits", "-o", "json"][..],
        &["fleet", "lits", "-ojson"],
        &["--output=json", "fleet", "lits"],
    ] {
        let run = account.run(args).await;
        assert_eq!(run.status.code(), 2, "{}", run.text());
        let error: serde_json::Value = serde_json::from_str(&run.stderr).expect("a document");
        assert_eq!(error["code"], "usage");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| text.contains("'lits'")),
            "{error}"
        );
        assert!(
            error["hints"][0]["text"]
                .as_str()
                .is_some_and(|text| text.contains("list")),
            "{error}"
        );
    }
    let run = account.run(&["fleet", "lits"]).await;
    assert!(run.stderr.starts_with("error: "), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_hint_does_not_repeat_the_flag_that_was_wrong() {
    let account = Account::with(&[]);
    let file = account.home().join("bpctl.toml");
    std::fs::write(&file, "[contexts.prod]\nregion = \"us-east-1\"\n").expect("a file");
    let file = file.display().to_string();
    let run = account
        .run(&[
            "--config-file",
            &file,
            "--context",
            "prdo",
            "--region",
            "us-east-1",
            "fleet",
            "list",
        ])
        .await;
    assert_eq!(run.status.code(), 2, "{}", run.text());
    assert!(
        run.stderr.contains(&format!(
            "`bpctl --config-file {file} --region us-east-1 config get-contexts` lists them all"
        )),
        "{}",
        run.text()
    );
    let run = account.run(&["--stage", "stagin", "fleet", "list"]).await;
    assert!(
        run.stderr.contains("with `bpctl config explain stage`"),
        "{}",
        run.text()
    );
}

/// A document that is kept or sent on says where its facts come from; without a guard that costs a call.
#[tokio::test(start_paused = true)]
async fn every_document_about_aws_says_of_which_account_it_is() {
    let account = Account::with(&[]);
    let verbs: [&[&str]; 5] = [
        &["triage", "--fail-on", "never"],
        &["fleet", "list"],
        &["fleet", "status"],
        &["fleet", "explain", "production/gpu-default"],
        &["migrate", "--dry-run"],
    ];
    for verb in verbs {
        let run = account.run(&[verb, &["-o", "json"]].concat()).await;
        let document = run.json();
        let members: Vec<&String> = document.as_object().unwrap().keys().take(4).collect();
        assert_eq!(members, ["schema", "context", "account", "region"], "{verb:?}");
        assert_eq!(
            [&document["context"], &document["account"], &document["region"]],
            ["sandbox", "123456789012", "us-east-1"],
            "{verb:?}"
        );
    }
    let config = account.run(&["config", "names", "-o", "json"]).await.json();
    assert_eq!(config["context"], "sandbox");
    assert!(config["account"].is_null(), "no account was asked: {config}");
    let version = account.run(&["version", "-o", "json"]).await.json();
    assert!(
        version["context"].is_null(),
        "it does not depend on a context: {version}"
    );
}

/// A line of `jsonl` may be all that a program gets to see.
#[tokio::test(start_paused = true)]
async fn every_line_of_jsonl_says_what_it_is_and_where_it_comes_from() {
    let account = Account::with(&[]);
    for (verb, schema) in [
        (&["fleet", "list"][..], "bpctl.fleet.list.item/1"),
        (&["config", "names"], "bpctl.config.names.item/1"),
        (&["whoami"], "bpctl.whoami/2"),
    ] {
        let run = account.run(&[verb, &["-o", "jsonl"]].concat()).await;
        assert!(!run.stdout.is_empty(), "{}", run.text());
        for line in run.stdout.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let members: Vec<&String> = line.as_object().unwrap().keys().take(4).collect();
            assert_eq!(members, ["schema", "context", "account", "region"]);
            assert_eq!(
                (&line["schema"], &line["context"]),
                (&schema.into(), &"sandbox".into())
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn verbs_of_other_tools_are_answered_with_ours() {
    let account = Account::with(&[]);
    for (args, ours) in [
        (&["tail", "-f"][..], "`bpctl logs`"),
        (&["stacks"], "`bpctl stack status`"),
        (&["ssh"], "`bpctl exec --help`"),
        (&["proxy"], "`bpctl port-forward --help`"),
        (&["login"], "`bpctl whoami`"),
        (&["env:pull", "production"], "`bpctl config view`"),
        (&["scale", "--replicas=2"], "`bpctl fleet scale --help`"),
        (&["delete", "pod", "x"], "`bpctl fleet scale-to-zero --help`"),
        (&["jobs", "list"], "`bpctl runs list`"),
        (&["rollback", "backend"], "`bpctl rollout undo --help`"),
        (&["s3", "ls"], "`bpctl config names`"),
        (&["config", "current"], "`bpctl config current-context`"),
        (&["fleet", "describe", "x"], "`bpctl fleet status`"),
        (
            &["--stage", "fleet", "stop"],
            "`bpctl fleet scale-to-zero --help`",
        ),
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
        assert!(run.stderr.contains(ours), "{}", run.text());
    }
    let document = account.run(&["-o", "json", "login"]).await;
    let error: serde_json::Value = serde_json::from_str(&document.stderr).expect("a document");
    assert_eq!(
        error["hints"][0]["command"],
        serde_json::json!(["bpctl", "whoami"])
    );
}

#[tokio::test(start_paused = true)]
async fn exit_codes_are_a_document_too() {
    let account = Account::with(&[]);
    let document = account.run(&["exit-codes", "-o", "json"]).await.json();
    assert_eq!(document["schema"], "bpctl.exit-codes/1");
    assert_eq!(document["exit_codes"][4]["code"], 4);
    let names = account.run(&["exit-codes", "-o", "name"]).await;
    assert!(names.stdout.starts_with("0\n1\n2\n"), "{}", names.text());
}

#[tokio::test(start_paused = true)]
async fn man_prints_the_page_of_a_verb() {
    let account = Account::with(&[]);
    let page = account.run(&["man", "fleet", "scale-to-zero"]).await;
    assert!(
        page.stdout.contains(".TH BPCTL-FLEET-SCALE-TO-ZERO 1"),
        "{}",
        page.text()
    );
    let unknown = account.run(&["man", "fleet", "sttus"]).await;
    assert_eq!(unknown.status.code(), 2);
    assert!(
        unknown.stderr.contains("`bpctl man fleet status`"),
        "{}",
        unknown.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_finding_is_explained() {
    let account = Account::with(&[]);
    let run = account.run(&["explain", "bp-ecs-003"]).await;
    assert_eq!((run.status.code(), run.calls), (0, 0), "{}", run.text());
    assert!(
        run.stdout
            .starts_with("BP-ECS-003 (P2): service runs too few tasks\n  means    "),
        "{}",
        run.text()
    );
    let page = account.run(&["explain", "BP-ECS-003", "-o", "json"]).await.json();
    assert_eq!(page["findings"][0]["code"], "BP-ECS-003");
    let all = account.run(&["explain", "-o", "name"]).await;
    assert!(all.stdout.lines().count() > 50, "{}", all.text());
    let unknown = account.run(&["explain", "BP-ECS-999"]).await;
    assert_eq!(unknown.status.code(), 2, "{}", unknown.text());
}
