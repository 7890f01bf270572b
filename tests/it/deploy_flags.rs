//! `bpctl deploy`: what single flags change.

use bpctl_sandbox::{Scenario, Service};
use serde_json::{Value, json};

use crate::support::Account;

const UPDATE: &str = "Ecs:UpdateService";

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_not_there_says_where_to_look() {
    let account = Account::with(&[]);
    let run = account
        .run(&["deploy", "backend", "--task-definition", "999", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("bp-backend:999") && run.stderr.contains("bpctl rollout history backend"),
        "{}",
        run.stderr
    );
}

/// What the migration tasks of bpctl ran, oldest first.
fn migrations(account: &Account) -> Vec<Value> {
    let tasks = account.sandbox.with_world(|world| {
        let mut arns = Vec::new();
        for status in ["RUNNING", "STOPPED"] {
            let input = json!({"cluster": "bp", "family": "bp-backend", "desiredStatus": status});
            let listed = world.call(Service::Ecs, "ListTasks", &input).expect("tasks");
            arns.extend(listed["taskArns"].as_array().cloned().unwrap_or_default());
        }
        let input = json!({"cluster": "bp", "tasks": arns});
        world.call(Service::Ecs, "DescribeTasks", &input).expect("tasks")["tasks"].clone()
    });
    let ours = |task: &&Value| {
        let by = task["startedBy"].as_str();
        by.is_some_and(|by| by.starts_with("bpctl/migrate/"))
    };
    tasks
        .as_array()
        .expect("a list")
        .iter()
        .filter(ours)
        .cloned()
        .collect()
}

const RUN: &str = "Ecs:RunTask";

#[tokio::test(start_paused = true)]
async fn a_migration_before_runs_what_is_deployed_and_comes_first() {
    let account = Account::with(&[]);
    let run = account
        .run(&[
            "deploy",
            "all",
            "--tag",
            "5280bd6",
            "--migrate",
            "before",
            "--yes",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let migrate = run.changes.iter().position(|change| change == RUN);
    let deploy = run.changes.iter().position(|change| change == UPDATE);
    assert!(migrate.is_some() && migrate < deploy, "{:?}", run.changes);
    // The new revision's task, not one of what ran.
    let tasks = migrations(&account);
    assert_eq!(tasks.len(), 1);
    let definition = run.json()["services"][0]["task_definition"].clone();
    assert_eq!(tasks[0]["taskDefinitionArn"], definition);
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_fails_before_leaves_every_service_as_it_is() {
    let account = Account::with(&[Scenario::MigrationFails]);
    let run = account.run(&["deploy", "--migrate", "before", "--yes"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert_eq!(run.changes, [RUN]);
    assert!(run.stderr.contains("php-fpm exited with 3"), "{}", run.stderr);
}

#[tokio::test(start_paused = true)]
async fn a_migration_after_waits_for_the_backends_deployment() {
    let account = Account::with(&[]);
    let run = account
        .run(&["deploy", "backend", "--migrate", "after", "--yes"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [UPDATE, RUN]);
    assert!(
        run.stderr.contains("backend migration: migrated by task"),
        "{}",
        run.stderr
    );
    let failing = Account::with(&[Scenario::MigrationFails]);
    let run = failing
        .run(&["deploy", "backend", "--migrate", "after", "--yes"])
        .await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert!(run.stderr.contains("php-fpm exited with 3"), "{}", run.stderr);
    let rolled_back = Account::with(&[Scenario::BreakerRollback]);
    let run = rolled_back
        .run(&["deploy", "backend", "--migrate", "after", "--yes"])
        .await;
    assert_eq!(run.status.code(), 8, "{}", run.text());
    assert!(!run.changes.contains(&RUN.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_does_not_fit_is_refused_before_aws_is_asked() {
    let account = Account::with(&[]);
    for args in [
        &["deploy", "frontend", "--migrate", "before"][..],
        &["deploy", "backend", "--migrate", "after", "--no-wait"],
        &[
            "deploy",
            "backend",
            "--task-definition",
            "41",
            "--migrate",
            "before",
        ],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    }
}
