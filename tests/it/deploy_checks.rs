//! `bpctl deploy`: what is looked at before anything is changed.

use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

/// Nothing was changed, and the command ended as a refusal that says this.
fn refused(run: &Run, words: &[&str]) {
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    for word in words {
        assert!(run.stderr.contains(word), "{word}: {}", run.text());
    }
}

/// Registers a revision of the backend that differs from the one that runs; its number.
fn revision(account: &Account, change: impl FnOnce(&mut Value)) -> String {
    account.sandbox.with_world(|world| {
        let input = json!({"taskDefinition": "bp-backend"});
        let described = world.call(Service::Ecs, "DescribeTaskDefinition", &input);
        let mut definition = described.expect("a definition")["taskDefinition"].clone();
        // What only the answer has (API reference, RegisterTaskDefinition).
        let members = definition.as_object_mut().expect("an object");
        for member in [
            "taskDefinitionArn",
            "revision",
            "status",
            "requiresAttributes",
            "compatibilities",
            "registeredAt",
            "registeredBy",
        ] {
            members.remove(member);
        }
        change(&mut definition);
        let registered = world.call(Service::Ecs, "RegisterTaskDefinition", &definition);
        registered.expect("a revision")["taskDefinition"]["revision"].to_string()
    })
}

#[tokio::test(start_paused = true)]
async fn a_revision_without_execution_role_is_refused() {
    let account = Account::with(&[]);
    let number = revision(&account, |definition| {
        definition
            .as_object_mut()
            .expect("an object")
            .remove("executionRoleArn");
    });
    let run = account
        .run(&["deploy", "backend", "--task-definition", &number, "--yes"])
        .await;
    let what = format!("bp-backend:{number} has no execution role");
    refused(&run, &[&what, "hint: deploy the stack of the service"]);
}

#[tokio::test(start_paused = true)]
async fn a_revision_whose_log_group_is_missing_is_refused() {
    let account = Account::with(&[]);
    let number = revision(&account, |definition| {
        let options = &mut definition["containerDefinitions"][0]["logConfiguration"]["options"];
        options["awslogs-group"] = "/ecs/none-such".into();
    });
    let run = account
        .run(&["deploy", "backend", "--task-definition", &number, "--yes"])
        .await;
    refused(
        &run,
        &[
            "log group /ecs/none-such does not exist: no task would start",
            "create-log-group --log-group-name /ecs/none-such",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_placeholder_is_refused_with_the_container_that_gets_it() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        let input = json!({"SecretId": "/bp/laravel/app-key", "SecretString": "CHANGE_ME"});
        world
            .call(Service::SecretsManager, "PutSecretValue", &input)
            .expect("a placeholder");
    });
    let run = account.run(&["deploy", "backend", "--yes"]).await;
    refused(
        &run,
        &[
            "/bp/laravel/app-key, which php-fpm gets as APP_KEY, still holds its placeholder",
            "bpctl secrets list",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn what_could_not_start_is_refused_before_anything_is_changed() {
    for (scenario, words) in [
        (
            Scenario::EcrTagMissing,
            "image bp-backend:nginx-latest is not in the registry",
        ),
        (
            Scenario::WrongArchitecture,
            "is for linux/amd64, and the tasks are linux/arm64",
        ),
        (
            Scenario::SecretMissing,
            "/bp/laravel/app-key, which php-fpm gets as APP_KEY, has no value",
        ),
        (
            Scenario::OauthNoJson,
            "holds no JSON, and one of its keys is wanted",
        ),
    ] {
        let account = Account::with(&[scenario]);
        let run = account.run(&["deploy", "backend", "--yes"]).await;
        assert_eq!(
            (run.status.code(), run.changes.len()),
            (1, 0),
            "{scenario}\n{}",
            run.text()
        );
        assert!(run.stderr.contains(words), "{scenario}\n{}", run.text());
    }
    let account = Account::with(&[]);
    let run = account
        .run(&["deploy", "backend", "--tag", "none", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    let run = account
        .run(&["deploy", "all", "--image", "worker=x", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
    let run = account
        .run(&["deploy", "backend", "--task-definition", "7", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
}

/// Pushes the newest PHP image for a processor, as an index or alone.
fn newest_php(account: &Account, arm64: bool, index: bool) {
    account.sandbox.with_world(|world| {
        let tags = ["php-abc1234", "php-latest"];
        world
            .push_image("bp-backend", &tags, arm64, Duration::ZERO)
            .expect("a repository");
        if !index {
            world.push_without_provenance("bp-backend", "php-latest");
        }
    });
}

#[tokio::test(start_paused = true)]
async fn an_image_with_and_without_an_index_is_judged_by_what_it_is_for() {
    for index in [true, false] {
        let account = Account::with(&[]);
        newest_php(&account, false, index);
        let run = account.run(&["deploy", "backend", "--yes"]).await;
        refused(
            &run,
            &["image bp-backend:php-latest is for linux/amd64, and the tasks are linux/arm64"],
        );
        let list = account
            .run(&["image", "list", "backend", "-o", "json"])
            .await
            .json();
        assert_eq!(list["images"][0]["platforms"], json!(["linux/amd64"]), "{list:#}");

        newest_php(&account, true, index);
        let run = account.run(&["deploy", "backend", "--yes"]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert!(!run.stderr.contains("could not check"), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_whose_configuration_cannot_be_read_is_not_called_right() {
    let account = Account::with(&[]);
    newest_php(&account, false, false);
    let deny = FaultRule::on(Service::Ecr, "GetDownloadUrlForLayer", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(deny));
    let run = account.run(&["deploy", "backend", "--dry-run"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("could not check what image bp-backend:php-latest is for")
            && words.contains("it must be linux/arm64"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn rules_of_the_service_that_make_no_sense_are_told() {
    let account = Account::with(&[]);
    let configure = |rules: Value| {
        account.sandbox.with_world(|world| {
            let input = json!({"cluster": "bp", "service": "bp-backend", "deploymentConfiguration": rules});
            world
                .call(Service::Ecs, "UpdateService", &input)
                .expect("it is configured");
        });
    };
    configure(json!({"minimumHealthyPercent": 100, "maximumPercent": 100}));
    let run = account.run(&["deploy", "backend", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("no new task can start"), "{}", run.text());
    configure(json!({
        "minimumHealthyPercent": 0, "maximumPercent": 200,
        "deploymentCircuitBreaker": {"enable": false, "rollback": false},
    }));
    let run = account.run(&["deploy", "backend", "--dry-run"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    for words in [
        "the circuit breaker is off",
        "may be down while tasks are replaced",
    ] {
        assert!(run.stdout.contains(words), "{words}\n{}", run.text());
    }
}
