//! The tasks of the cluster, and the last words of those that failed.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join_all, try_join_all};

use super::services::APPS;
use crate::aws::ecs::Container;
use crate::aws::logs::LastLines;
use crate::aws::{Aws, ecs};
use crate::error::Result;
use crate::layout::{App, Layout};
use crate::tasks::{Blame, LogPlace, blame, shown};
use crate::triage::snapshot::Task;

/// The container that a one-off command replaces (platform task definition).
const COMMANDED: &str = "php-fpm";

/// How many failed tasks' logs are read: one for each way of failing, the newest first.
const LOGS: usize = 5;

/// How many lines of each.
const LINES: i32 = 20;

/// Task definitions that are read for what they say of their containers.
const DEFINITIONS: usize = 5;

/// Tasks of the platform's services and one-off tasks; those of other services are left out.
pub(super) async fn tasks(aws: &Aws, layout: &Layout) -> Result<Vec<Task>> {
    let tasks = aws.recent_tasks(&layout.cluster()).await?;
    let mut tasks: Vec<Task> = tasks.into_iter().filter_map(|task| owned(layout, task)).collect();
    let definitions: BTreeSet<String> = tasks
        .iter()
        .filter(|task| ended_by_container(task))
        .map(|task| task.definition.clone())
        .take(DEFINITIONS)
        .collect();
    let definitions = join_all(
        definitions
            .iter()
            .map(async |arn| (arn.clone(), aws.task_definition(arn).await)),
    )
    .await;
    for (arn, definition) in definitions {
        match definition {
            Ok(definition) => {
                for task in tasks.iter_mut().filter(|task| task.definition == arn) {
                    task.essential = Some(definition.essential());
                }
            }
            // Then every container may have ended its task.
            Err(error) => tracing::warn!(%error, "which containers are essential is not known"),
        }
    }
    Ok(tasks)
}

fn owned(layout: &Layout, task: ecs::Task) -> Option<Task> {
    let service = match task
        .group
        .as_deref()
        .and_then(|group| group.strip_prefix("service:"))
    {
        Some(name) => Some(APPS.into_iter().find(|app| layout.service(*app) == name)?),
        None => None,
    };
    Some(Task {
        ecs: task,
        service,
        essential: None,
    })
}

fn ended_by_container(task: &Task) -> bool {
    task.stop_code.as_deref() == Some("EssentialContainerExited")
}

/// Last lines of failed containers, by task id.
pub(super) async fn logs(
    aws: &Aws,
    layout: &Layout,
    tasks: &[Task],
) -> Result<BTreeMap<String, Vec<String>>> {
    let reads = failed(tasks).into_iter().filter_map(|(task, container)| {
        let place = LogPlace {
            group: layout.log_group(app_of(layout, task)?),
            prefix: Layout::log_stream_prefix(&container.name).to_owned(),
        };
        Some((task, place.stream(&container.name, task.id()), place.group))
    });
    let logs = try_join_all(reads.map(async |(task, stream, group)| {
        let lines = match aws.log_tail(&group, &stream, LINES).await? {
            LastLines::Read(lines) => lines.iter().map(|line| shown(line)).collect(),
            LastLines::Absent | LastLines::NotReached => Vec::new(),
        };
        Ok((task.id().to_owned(), lines))
    }))
    .await?;
    Ok(logs.into_iter().filter(|(_, lines)| !lines.is_empty()).collect())
}

/// Task definition families carry the names of their services.
fn app_of(layout: &Layout, task: &Task) -> Option<App> {
    let family = ecs::short(&task.definition).split(':').next()?;
    APPS.into_iter().find(|app| layout.task_family(*app) == family)
}

/// The newest task of every way of failing, and the container whose log tells why.
fn failed(tasks: &[Task]) -> Vec<(&Task, &Container)> {
    let mut stopped: Vec<&Task> = tasks.iter().filter(|task| ended_by_container(task)).collect();
    stopped.sort_by_key(|task| std::cmp::Reverse(task.stopped));
    let mut seen = BTreeSet::new();
    stopped
        .into_iter()
        .filter_map(|task| Some((task, culprit(task)?)))
        .filter(|(task, container)| {
            seen.insert((
                &task.definition,
                task.command(COMMANDED),
                &container.name,
                container.exit_code,
            ))
        })
        .take(LOGS)
        .collect()
}

/// The container whose log tells why the task ended: the one that the command was for, then the one that
/// ended the task; where that is not known, the application's, if anything failed at all.
fn culprit(task: &Task) -> Option<&Container> {
    let failed = |container: &&Container| container.exit_code.is_some_and(|code| code != 0);
    let ordered = task.command(COMMANDED).and_then(|_| task.container(COMMANDED));
    let blamed = || blame(task, |name| task.is_essential(name)).map(Blame::container);
    if let Some(found) = ordered.filter(failed).or_else(|| blamed().filter(failed)) {
        return Some(found);
    }
    let any = task.containers.iter().any(|container| failed(&container));
    any.then(|| task.container(COMMANDED))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, stopped: i64, exits: &[(&str, i32)]) -> Task {
        let ecs = ecs::Task {
            arn: format!("arn:aws:ecs:us-east-1:123456789012:task/bp/{id}"),
            definition: "arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:7".to_owned(),
            stopped: jiff::Timestamp::from_second(stopped).ok(),
            stop_code: Some("EssentialContainerExited".to_owned()),
            containers: exits
                .iter()
                .map(|(name, code)| Container {
                    name: (*name).to_owned(),
                    exit_code: Some(*code),
                    ..Container::default()
                })
                .collect(),
            ..ecs::Task::default()
        };
        Task {
            ecs,
            ..Task::default()
        }
    }

    fn chosen(tasks: &[Task]) -> Vec<(&str, &str)> {
        failed(tasks)
            .into_iter()
            .map(|(task, container)| (task.id(), container.name.as_str()))
            .collect()
    }

    #[test]
    fn containers_that_were_only_stopped_along_are_not_asked() {
        let tasks = [task(
            "a",
            1,
            &[("nginx", 143), ("queue-worker", 137), ("php-fpm", 255)],
        )];
        assert_eq!(chosen(&tasks), [("a", "php-fpm")]);
    }

    #[test]
    fn out_of_memory_is_asked_of_the_application() {
        let tasks = [task("a", 1, &[("nginx", 137), ("php-fpm", 137)])];
        assert_eq!(chosen(&tasks), [("a", "php-fpm")]);
    }

    #[test]
    fn of_a_one_off_task_the_container_that_got_the_command_is_asked() {
        let mut migration = task("m", 1, &[("nginx", 1), ("php-fpm", 3)]);
        migration.ecs.commands = vec![("php-fpm".to_owned(), vec!["php artisan migrate".to_owned()])];
        assert_eq!(chosen(&[migration]), [("m", "php-fpm")]);
    }

    #[test]
    fn a_container_that_is_not_essential_is_not_asked() {
        let mut task = task("a", 1, &[("scheduler", 1), ("php-fpm", 255)]);
        task.essential = Some(vec!["nginx".to_owned(), "php-fpm".to_owned()]);
        assert_eq!(chosen(&[task]), [("a", "php-fpm")]);
    }

    #[test]
    fn each_way_of_failing_is_read_once_and_the_newest_of_it() {
        let mut migration = task("m", 5, &[("php-fpm", 255)]);
        migration.ecs.commands = vec![("php-fpm".to_owned(), vec!["php artisan migrate".to_owned()])];
        let tasks = [
            task("old", 1, &[("php-fpm", 255)]),
            task("new", 9, &[("php-fpm", 255)]),
            task("other", 3, &[("php-fpm", 1)]),
            migration,
        ];
        assert_eq!(
            chosen(&tasks),
            [("new", "php-fpm"), ("m", "php-fpm"), ("other", "php-fpm")]
        );
    }

    #[test]
    fn tasks_that_ended_as_they_should_have_nothing_to_tell() {
        let mut replaced = task("r", 1, &[("php-fpm", 143)]);
        replaced.ecs.stop_code = Some("ServiceSchedulerInitiated".to_owned());
        assert_eq!(chosen(&[task("a", 1, &[("php-fpm", 0)]), replaced]), []);
    }
}
