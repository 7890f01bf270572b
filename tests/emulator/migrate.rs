//! `bpctl migrate` against tasks that somebody else schedules.

use std::time::Duration;

use aws_sdk_ecs::types::{ContainerOverride, LaunchType, TaskOverride};

use crate::engine::Program;
use crate::platform::{Layout, Platform, client};
use crate::seed::Names;

const MIGRATING: &[&str] = &[
    "Central: migrating bp",
    "  2026_11_20_000001_create_plans_table ... DONE",
    "Tenant pool: migrating tenant_pool_1",
];

fn migration(exit: i32) -> Program {
    Program::job(
        "php artisan tenancy:pools-migrate",
        Duration::from_millis(1500),
        exit,
        MIGRATING,
    )
}

/// The trap that bpctl has to avoid, sprung by hand: behind `sh -lc` only the first word is the script.
#[tokio::test]
async fn a_list_of_words_behind_a_shell_migrates_nothing_successfully() {
    let platform = Platform::with_application(Layout::Single).await;
    platform.push_php(migration(3));
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
            .await
            .expect("a task");
        let task = answer.tasks()[0].clone();
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
