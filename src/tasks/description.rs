//! Where the lines of a task go, which can be said before it runs.

use serde::{Deserialize, Serialize};

use crate::aws::ecs::ContainerDefinition;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_named_by_prefix_container_and_task() {
        let place = LogPlace {
            group: "/ecs/bp-backend".to_owned(),
            prefix: "php".to_owned(),
        };
        assert_eq!(place.stream("php-fpm", "0af"), "php/php-fpm/0af");
    }
}
