//! What can be said of a task before it runs: where its lines go, and what it is for.

use serde::{Deserialize, Serialize};

use crate::aws::ecs::{ContainerDefinition, Task};

/// Where the awslogs driver puts the lines of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogPlace {
    pub(crate) group: String,
    pub(crate) prefix: String,
}

impl LogPlace {
    /// `None` without the awslogs driver, and without a stream prefix: the stream's name cannot be known then.
    pub(crate) fn of(container: &ContainerDefinition) -> Option<Self> {
        let logs = container.logs.as_ref()?;
        Some(Self {
            group: logs.group.clone(),
            prefix: logs.stream_prefix.clone()?,
        })
    }

    /// `prefix-name/container-name/ecs-task-id` (ECS Developer Guide, awslogs-stream-prefix).
    pub(crate) fn stream(&self, container: &str, task: &str) -> String {
        format!("{}/{container}/{task}", self.prefix)
    }
}

/// Whether a one-off task migrates databases: bpctl started it for that, or its command says so.
pub(crate) fn is_migration(task: &Task) -> bool {
    let of_a_service = task
        .group
        .as_deref()
        .is_some_and(|group| group.starts_with("service:"));
    let ours = task
        .started_by
        .as_deref()
        .is_some_and(|by| by.starts_with("bpctl/migrate/"));
    let says = |line: &str| line.contains("pools-migrate") || line.contains("artisan migrate");
    let migrates = || task.commands.iter().any(|(_, command)| says(&command.join(" ")));
    !of_a_service && (ours || migrates())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(started_by: Option<&str>, command: &[&str]) -> Task {
        Task {
            started_by: started_by.map(str::to_owned),
            commands: vec![(
                "php-fpm".to_owned(),
                command.iter().map(|&word| word.to_owned()).collect(),
            )],
            ..Task::default()
        }
    }

    #[test]
    fn a_migration_is_known_by_its_starter_or_its_command() {
        for (started_by, command) in [
            (Some("bpctl/migrate/0af"), &[][..]),
            (None, &["php artisan tenancy:pools-migrate --tenant"]),
            (Some("github"), &["php", "artisan", "migrate", "--force"]),
            (None, &["php", "artisan", "migrate:fresh", "--force"]),
        ] {
            assert!(is_migration(&task(started_by, command)), "{command:?}");
        }
        for (started_by, command) in [
            (None, &[][..]),
            (Some("ecs-svc/123"), &[]),
            (Some("bpctl/seed/0af"), &["php artisan db:seed --force"]),
            (Some("github"), &["php artisan tinker"]),
        ] {
            assert!(!is_migration(&task(started_by, command)), "{command:?}");
        }
    }

    #[test]
    fn a_task_of_a_service_is_no_migration() {
        let mut task = task(None, &["php artisan migrate --force"]);
        task.group = Some("service:bp-backend".to_owned());
        assert!(!is_migration(&task));
        task.group = Some("family:bp-backend".to_owned());
        assert!(is_migration(&task));
    }

    #[test]
    fn streams_are_named_by_prefix_container_and_task() {
        let place = LogPlace {
            group: "/ecs/bp-backend".to_owned(),
            prefix: "php".to_owned(),
        };
        assert_eq!(place.stream("php-fpm", "0af"), "php/php-fpm/0af");
    }
}
