//! The tasks of the cluster, and the last words of those that failed.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::services::APPS;
use crate::aws::{Aws, ecs};
use crate::error::Result;
use crate::layout::{App, Layout};
use crate::redact::redact;
use crate::triage::snapshot::{Container, Task};

/// The container that a one-off command replaces (platform task definition).
const COMMANDED: &str = "php-fpm";

/// How many failed tasks' logs are read: one for each way of failing, the newest first.
const LOGS: usize = 5;

/// How many lines of each.
const LINES: i32 = 20;

/// Tasks of the platform's services and one-off tasks; those of other services are left out.
pub(super) async fn tasks(aws: &Aws, layout: &Layout) -> Result<Vec<Task>> {
    let tasks = aws.recent_tasks(&layout.cluster()).await?;
    Ok(tasks.iter().filter_map(|task| convert(layout, task)).collect())
}

fn convert(layout: &Layout, task: &ecs::Task) -> Option<Task> {
    let service = match task
        .group
        .as_deref()
        .and_then(|group| group.strip_prefix("service:"))
    {
        Some(name) => Some(APPS.into_iter().find(|app| layout.service(*app) == name)?),
        None => None,
    };
    Some(Task {
        id: task.id().to_owned(),
        definition: ecs::short(&task.definition).to_owned(),
        service,
        started_by: task.started_by.clone().unwrap_or_default(),
        last_status: task.state.clone(),
        created: task.created,
        started: task.started,
        stopped: task.stopped,
        stop_code: task.stop_code.clone(),
        stopped_reason: task.stopped_reason.clone().unwrap_or_default(),
        containers: task
            .containers
            .iter()
            .map(|container| Container {
                name: container.name.clone(),
                image: container.image.clone().unwrap_or_default(),
                exit_code: container.exit_code,
                reason: container.reason.clone().unwrap_or_default(),
            })
            .collect(),
        command: task.command(COMMANDED).map(|words| words.join(" ")),
    })
}

/// Last lines of failed containers, by task id.
pub(super) async fn logs(
    aws: &Aws,
    layout: &Layout,
    tasks: &[Task],
) -> Result<BTreeMap<String, Vec<String>>> {
    let reads = failed(tasks).into_iter().filter_map(|(task, container)| {
        let stream = format!(
            "{}/{}/{}",
            Layout::log_stream_prefix(&container.name),
            container.name,
            task.id
        );
        Some((task, layout.log_group(app_of(layout, task)?), stream))
    });
    let logs = try_join_all(reads.map(async |(task, group, stream)| {
        let lines = aws.log_tail(&group, &stream, LINES).await?.unwrap_or_default();
        let lines: Vec<String> = lines.iter().map(|line| redact(line).into_owned()).collect();
        Ok((task.id.clone(), lines))
    }))
    .await?;
    Ok(logs.into_iter().filter(|(_, lines)| !lines.is_empty()).collect())
}

/// Task definition families carry the names of their services.
fn app_of(layout: &Layout, task: &Task) -> Option<App> {
    let family = task.definition.split(':').next()?;
    APPS.into_iter().find(|app| layout.task_family(*app) == family)
}

/// The newest task of every way of failing, and the container whose log tells why.
fn failed(tasks: &[Task]) -> Vec<(&Task, &Container)> {
    let mut stopped: Vec<&Task> = tasks
        .iter()
        .filter(|task| task.stop_code.as_deref() == Some("EssentialContainerExited"))
        .collect();
    stopped.sort_by_key(|task| std::cmp::Reverse(task.stopped));
    let mut seen = BTreeSet::new();
    stopped
        .into_iter()
        .filter_map(|task| Some((task, culprit(task)?)))
        .filter(|(task, container)| {
            seen.insert((
                &task.definition,
                task.command.as_ref(),
                &container.name,
                container.exit_code,
            ))
        })
        .take(LOGS)
        .collect()
}

/// When one essential container exits, ECS stops the others: 143 or, if they do not listen, 137. So
/// another code than those two is the one to ask about.
fn culprit(task: &Task) -> Option<&Container> {
    let failed = || {
        task.containers
            .iter()
            .filter(|container| container.exit_code.is_some_and(|code| code != 0))
    };
    failed()
        .find(|container| !matches!(container.exit_code, Some(137 | 143)))
        .or_else(|| failed().find(|container| container.name == COMMANDED))
        .or_else(|| failed().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, stopped: i64, exits: &[(&str, i32)]) -> Task {
        Task {
            id: id.to_owned(),
            definition: "bp-backend:7".to_owned(),
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
            ..Task::default()
        }
    }

    fn chosen(tasks: &[Task]) -> Vec<(&str, &str)> {
        failed(tasks)
            .into_iter()
            .map(|(task, container)| (task.id.as_str(), container.name.as_str()))
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
    fn each_way_of_failing_is_read_once_and_the_newest_of_it() {
        let mut migration = task("m", 5, &[("php-fpm", 255)]);
        migration.command = Some("php artisan migrate".to_owned());
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
        replaced.stop_code = Some("ServiceSchedulerInitiated".to_owned());
        assert_eq!(chosen(&[task("a", 1, &[("php-fpm", 0)]), replaced]), []);
    }
}
