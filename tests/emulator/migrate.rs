//! `bpctl migrate` against tasks that another implementation schedules.

use std::time::Duration;

use aws_sdk_ecs::types::{ContainerOverride, LaunchType, TaskOverride};

use crate::engine::Program;
use crate::platform::{Layout, Platform, Run, client};
use crate::seed::{self, DATABASE, Names, SECURITY_GROUP, SUBNETS};

const LINES: &[&str] = &[
    "Central: migrating bp",
    "  2026_11_20_000001_create_plans_table ... DONE",
    "Tenant pool: migrating tenant_pool_1",
];

/// What `php artisan tenancy:pools-migrate` does.
fn migration(seconds: u64, exit: i32) -> Program {
    Program::job(
        "php artisan tenancy:pools-migrate",
        Duration::from_secs(seconds),
        exit,
        LINES,
    )
}

async fn platform(layout: Layout, migration: Program) -> Platform {
    let platform = Platform::with_application(layout).await;
    platform.push_php(migration);
    platform
}

/// The command of `php-fpm` in the only one-off task, as the container engine got it.
async fn received(platform: &Platform) -> Vec<String> {
    let tasks = platform.one_off_tasks().await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    let containers = platform.containers_of(&tasks[0]);
    let php = containers
        .iter()
        .find(|container| container.name.ends_with("-php-fpm"));
    php.expect("a php-fpm container").command.clone()
}

fn assert_lines(run: &Run) {
    for line in LINES {
        assert!(run.stderr.contains(line), "{line}: {}", run.text());
    }
}

/// The trap that bpctl has to avoid, sprung by hand: behind `sh -lc` only the first word is the script, so that
/// nothing is migrated, and successfully.
#[tokio::test]
async fn a_list_of_words_behind_a_shell_migrates_nothing() {
    let platform = platform(Layout::Single, migration(1, 3)).await;
    let names = Names::of(&platform);
    let words = ["php", "artisan", "tenancy:pools-migrate"].map(str::to_owned);
    let overriding = ContainerOverride::builder()
        .name("php-fpm")
        .set_command(Some(words.into()));
    let ecs = client!(aws_sdk_ecs, &platform);
    let started = ecs
        .run_task()
        .cluster(names.cluster)
        .task_definition(names.backend)
        .launch_type(LaunchType::Fargate)
        .overrides(
            TaskOverride::builder()
                .container_overrides(overriding.build())
                .build(),
        )
        .send()
        .await
        .expect("a task");
    let arn = started.tasks()[0].task_arn().expect("an ARN").to_owned();
    let task = loop {
        let answer = ecs
            .describe_tasks()
            .cluster(names.cluster)
            .tasks(&arn)
            .send()
            .await;
        let task = answer.expect("a task").tasks()[0].clone();
        if task.last_status() == Some("STOPPED") {
            break task;
        }
    };
    let php = task
        .containers()
        .iter()
        .find(|container| container.name() == Some("php-fpm"));
    assert_eq!(
        php.and_then(|container| container.exit_code()),
        Some(0),
        "{task:?}"
    );
}

#[tokio::test]
async fn behind_a_shell_the_command_is_one_string() {
    let platform = platform(Layout::Single, migration(2, 0)).await;
    let run = platform.bpctl(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status, 0, "{}", run.text());
    assert_lines(&run);
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.migrate/1");
    assert_eq!(document["verdict"], "succeeded");
    assert_eq!(received(&platform).await, ["php artisan tenancy:pools-migrate"]);
}

#[tokio::test]
async fn without_a_shell_the_command_is_a_list_of_words() {
    let platform = platform(Layout::Staged, migration(2, 0)).await;
    let run = platform
        .bpctl(&["migrate", "--tenant", "--pools", "tenant_pool_1", "--yes"])
        .await;
    assert_eq!(run.status, 0, "{}", run.text());
    assert_lines(&run);
    assert_eq!(
        received(&platform).await,
        [
            "php",
            "artisan",
            "tenancy:pools-migrate",
            "--force",
            "--tenant",
            "--pools=tenant_pool_1"
        ]
    );
}

/// ministack gives the containers that were still running php-fpm's exit code too; AWS says 143 or 137 for them.
#[tokio::test]
async fn the_exit_code_of_php_fpm_is_passed_through() {
    let platform = platform(Layout::Single, migration(2, 3)).await;
    let run = platform.bpctl(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status, 3, "{}", run.text());
    assert_lines(&run);
    let document = run.json();
    assert_eq!(
        (&document["verdict"], &document["exit_code"]),
        (&"failed".into(), &3.into())
    );
}

#[tokio::test]
async fn the_task_runs_in_the_network_of_the_service() {
    let platform = platform(Layout::Single, migration(1, 0)).await;
    let run = platform.bpctl(&["migrate", "--dry-run", "-o", "json"]).await;
    assert_eq!(run.status, 0, "{}", run.text());
    for id in SUBNETS.into_iter().chain([SECURITY_GROUP]) {
        assert!(run.stdout.contains(id), "{id}: {}", run.text());
    }
    assert_eq!(
        platform.one_off_tasks().await,
        Vec::<String>::new(),
        "a dry run starts nothing"
    );
}

#[tokio::test]
async fn an_image_that_is_not_there_is_explained() {
    let platform = platform(Layout::Single, migration(1, 0)).await;
    seed::register(&platform, &[], "php-0badc0d").await;
    seed::deploy_newest(&platform).await;
    let run = platform.bpctl(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status, 1, "{}", run.text());
    assert_eq!(run.json()["verdict"], "never-started");
    // In AWS the reason begins with `CannotPullContainerError`; ministack says so only for a service's tasks and
    // `ResourceInitializationError` for this one. What is certain is the registry's own sentence.
    assert!(
        run.stderr.contains("php-0badc0d not found: manifest unknown"),
        "{}",
        run.text()
    );
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_explained() {
    let platform = platform(Layout::Single, migration(1, 0)).await;
    let arn = format!(
        "arn:aws:secretsmanager:us-east-1:{}:secret:/bp/laravel/gone-AbCdEf",
        platform.account
    );
    seed::register(&platform, &[("APP_KEY".to_owned(), arn.clone())], "php-latest").await;
    seed::deploy_newest(&platform).await;
    let run = platform.bpctl(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status, 1, "{}", run.text());
    assert_eq!(run.json()["verdict"], "never-started");
    assert!(run.stderr.contains(&arn), "{}", run.text());
}

#[tokio::test]
async fn a_second_migration_is_refused_and_the_first_can_be_followed() {
    let platform = platform(Layout::Single, migration(12, 3)).await;
    let first = platform
        .bpctl(&["migrate", "--detach", "--yes", "-o", "json"])
        .await;
    assert_eq!(first.status, 0, "{}", first.text());
    let arn = first.json()["task_arn"].as_str().expect("an ARN").to_owned();
    let second = platform.bpctl(&["migrate", "--yes"]).await;
    assert_ne!(second.status, 0, "{}", second.text());
    assert!(
        second.stderr.contains("a migration is under way already"),
        "{}",
        second.text()
    );
    assert_eq!(platform.one_off_tasks().await, std::slice::from_ref(&arn));
    let attached = platform.bpctl(&["migrate", "--attach", &arn]).await;
    assert_eq!(attached.status, 3, "{}", attached.text());
    assert_lines(&attached);
}

#[tokio::test]
async fn a_snapshot_is_taken_first() {
    let platform = platform(Layout::Single, migration(1, 0)).await;
    let run = platform
        .bpctl(&["migrate", "--snapshot", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status, 0, "{}", run.text());
    let snapshots = client!(aws_sdk_rds, &platform)
        .describe_db_snapshots()
        .db_instance_identifier(DATABASE)
        .send()
        .await
        .expect("snapshots");
    let ids: Vec<_> = snapshots
        .db_snapshots()
        .iter()
        .map(|snapshot| snapshot.db_snapshot_identifier())
        .collect();
    assert_eq!(ids, [run.json()["snapshot"].as_str()], "{}", run.text());
}

/// The log driver delivers lines one by one while bpctl pages through the stream.
#[tokio::test]
async fn every_line_is_shown_once_and_in_order() {
    let lines: Vec<String> = (1..=250).map(|number| format!("line {number:03}")).collect();
    let words: Vec<&str> = lines.iter().map(String::as_str).collect();
    let program = Program::job(
        "php artisan tenancy:pools-migrate",
        Duration::from_secs(7),
        0,
        &words,
    );
    let platform = platform(Layout::Single, program).await;
    let run = platform.bpctl(&["migrate", "--yes"]).await;
    assert_eq!(run.status, 0, "{}", run.text());
    let shown: Vec<&str> = run
        .stderr
        .lines()
        .filter_map(|line| line.find("line ").map(|start| &line[start..]))
        .collect();
    assert_eq!(shown, words, "{}", run.text());
}

#[tokio::test]
async fn where_nothing_is_deployed_nothing_is_started() {
    let platform = Platform::empty(Layout::Single);
    let run = platform.bpctl(&["migrate", "--yes"]).await;
    assert_eq!(run.status, 1, "{}", run.text());
    assert!(run.stderr.contains("bpctl whoami"), "{}", run.text());
    // ministack would have made the cluster for a RunTask.
    let clusters = client!(aws_sdk_ecs, &platform)
        .list_clusters()
        .send()
        .await
        .expect("clusters");
    assert!(clusters.cluster_arns().is_empty(), "{clusters:?}");
}
