//! `bpctl iam policy`: documents by IAM's grammar, within its limits, for the names of the layout.

use bpctl_sandbox::check_policy;
use serde_json::{Value, json};

use crate::api_cases::COMMANDS;
use crate::support::{Account, Run};

async fn policy(account: &Account, args: &[&str]) -> Run {
    let run = account.run(&[&["iam", "policy"], args].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    run
}

fn resources(document: &Value) -> Vec<String> {
    let statements = document["Statement"].as_array().expect("statements");
    let all = statements
        .iter()
        .flat_map(|statement| statement["Resource"].as_array().expect("resources"));
    all.filter_map(|resource| resource.as_str().map(str::to_owned))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_policy_is_valid_fits_its_limit_and_comes_out_the_same_again() {
    for (account, other) in [
        (Account::with(&[]), "bp-staging"),
        (Account::staged(&[]), "asg-production"),
    ] {
        for verb in COMMANDS.iter().map(|(verb, _)| *verb) {
            if matches!(verb, "whoami" | "bundle verify --deep") {
                continue;
            }
            let run = policy(&account, &["--for", verb]).await;
            check_policy(&run.stdout).unwrap_or_else(|error| panic!("{verb}: {error}\n{}", run.stdout));
            let length = run
                .stdout
                .chars()
                .filter(|letter| !letter.is_whitespace())
                .count();
            assert!(length <= 6144, "{verb}: {length}");
            // A network of the other layout may be left, too.
            let has_both = verb == "reset --everything";
            assert!(has_both || !run.stdout.contains(other), "{verb}\n{}", run.stdout);
            let again = policy(&account, &["--for", verb]).await;
            assert_eq!(run.stdout, again.stdout, "{verb}");
        }
        // Everything at once is too much for a managed policy, and for some names for a role.
        let all = account.run(&["iam", "policy", "--for", "all"]).await;
        match all.status.code() {
            0 => assert!(all.stderr.contains("not as a managed one"), "{}", all.stderr),
            _ => assert!(all.stderr.contains("may have 10240"), "{}", all.text()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_may_pass_its_roles_to_tasks_and_nothing_else() {
    let account = Account::with(&[]);
    let run = policy(&account, &["--for", "migrate"]).await;
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let pass = document["Statement"]
        .as_array()
        .expect("statements")
        .iter()
        .find(|statement| statement["Sid"] == "TaskRoles")
        .expect("iam:PassRole");
    insta::assert_snapshot!(serde_json::to_string_pretty(pass).expect("JSON"), @r#"
    {
      "Sid": "TaskRoles",
      "Effect": "Allow",
      "Action": [
        "iam:PassRole"
      ],
      "Resource": [
        "arn:aws:iam::123456789012:role/bp-compute-*"
      ],
      "Condition": {
        "StringEquals": {
          "iam:PassedToService": [
            "ecs-tasks.amazonaws.com"
          ]
        }
      }
    }
    "#);
    let all = resources(&document);
    assert!(!all.iter().any(|resource| resource.contains("rds")), "{all:?}");
    let snapshot = policy(&account, &["--for", "migrate --snapshot"]).await;
    assert!(
        snapshot.stdout.contains("rds:CreateDBSnapshot"),
        "{}",
        snapshot.stdout
    );
}

/// CloudFormation is handed the role that the CDK's bootstrap has made for it, and no other service is.
#[tokio::test(start_paused = true)]
async fn a_deployment_may_pass_the_role_of_the_bootstrap_to_cloudformation() {
    let account = Account::with(&[]);
    for verb in [
        "stack deploy",
        "stack import",
        "fleet provision",
        "fleet apply-config",
    ] {
        let run = policy(&account, &["--for", verb]).await;
        let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let statements = document["Statement"].as_array().expect("statements");
        let mut passing = statements.iter();
        let pass = passing.find(|statement| statement["Action"] == json!(["iam:PassRole"]));
        let pass = pass.unwrap_or_else(|| panic!("{verb}: {document:#}"));
        assert_eq!(
            pass["Resource"],
            json!(["arn:aws:iam::123456789012:role/cdk-hnb659fds-cfn-exec-role-123456789012-us-east-1"])
        );
        assert_eq!(
            pass["Condition"],
            json!({"StringEquals": {"iam:PassedToService": ["cloudformation.amazonaws.com"]}})
        );
    }
}

/// What a stage has of an older generation goes with it; what other layouts have only with `--all-layouts`.
#[tokio::test(start_paused = true)]
async fn a_teardown_may_delete_the_stacks_that_it_takes_along() {
    let stack = |name: &str| format!("arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/*");
    let staged = Account::staged(&[]);
    let own = policy(&staged, &["--for", "teardown"]).await.stdout;
    assert!(own.contains(&stack("bp-staging-gpu-fleet-*")), "{own}");
    assert!(
        !own.contains("bp-production") && !own.contains(&stack("bp-data")),
        "{own}"
    );
    let single = Account::with(&[]);
    let own = policy(&single, &["--for", "teardown"]).await.stdout;
    assert!(
        !own.contains("gpu-fleet-*") && !own.contains("bp-staging"),
        "{own}"
    );
    let all = policy(&single, &["--for", "teardown --all-layouts"]).await.stdout;
    for words in [
        stack("bp-data"),
        stack("bp-production-data"),
        stack("bp-staging-gpu-shared"),
        "service/bp-staging/*".to_owned(),
    ] {
        assert!(all.contains(&words), "{words}: {all}");
    }
    check_policy(&all).unwrap_or_else(|error| panic!("{error}\n{all}"));
}

#[tokio::test(start_paused = true)]
async fn the_trust_policy_is_for_one_repository_and_environment() {
    let account = Account::with(&[]);
    let args = [
        "--for",
        "migrate",
        "--trust",
        "github",
        "--repo",
        "o/r",
        "--environment",
        "staging-migrations",
    ];
    let run = policy(&account, &args).await;
    let both: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let trust = &both["trust"]["Statement"][0];
    assert_eq!(
        trust["Action"],
        serde_json::json!(["sts:AssumeRoleWithWebIdentity"])
    );
    assert_eq!(
        trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"],
        serde_json::json!(["repo:o/r:environment:staging-migrations"])
    );
    assert!(both["permissions"]["Statement"].is_array());
    let alone = policy(
        &account,
        &[&args[..], &["-o", "json", "--query", "trust"]].concat(),
    )
    .await;
    assert_eq!(alone.json(), both["trust"]);
    for args in [
        &["--for", "migrate", "--trust", "github", "--repo", "o/r"][..],
        &["--for", "migrate", "--trust", "github", "--environment", "x"],
        &[
            "--for",
            "migrate",
            "--trust",
            "github",
            "--repo",
            "o/*",
            "--environment",
            "x",
        ],
        &["--for", "migrat"],
        &["--for", "version"],
        &["--for", "migrate --fresh"],
        &["--for", "migrate", "--kms-key", "alias/x"],
        &[],
    ] {
        let run = account.run(&[&["iam", "policy"], args].concat()).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_of_aws_when_the_account_is_set() {
    let account = Account::with(&[]);
    let args = [
        "iam",
        "policy",
        "--for",
        "deploy",
        "--account-id",
        "123456789012",
        "--region",
        "eu-west-1",
    ];
    let run = account.run(&args).await;
    assert_eq!((run.status.code(), run.calls), (0, 0), "{}", run.text());
    assert!(
        run.stdout
            .contains("arn:aws:ecs:eu-west-1:123456789012:service/bp/bp-backend"),
        "{}",
        run.stdout
    );
}
