//! Where a session leads: a container of a running task.

use crate::service::ecs;
use crate::service::ecs::task::{ContainerStatus, Phase};
use crate::world::World;

/// A container of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The task's id.
    pub(super) task: String,
    /// The container's place in the task definition.
    pub(super) container: usize,
}

impl Place {
    /// The place that a target of StartSession names: `ecs:<cluster>_<task>_<runtime id>`.
    pub(super) fn of_target(world: &World, target: &str) -> Option<Self> {
        let (rest, runtime) = target.strip_prefix("ecs:")?.rsplit_once('_')?;
        let (cluster, task) = rest.rsplit_once('_')?;
        if cluster != world.services.ecs.cluster {
            return None;
        }
        let found = ecs::task_by_id(world, task)?;
        let container = found
            .containers
            .iter()
            .position(|container| container.runtime_id.as_deref() == Some(runtime))?;
        Some(Self {
            task: found.id.clone(),
            container,
        })
    }

    /// Whether the container runs.
    pub(super) fn lives(&self, world: &World) -> bool {
        ecs::task_by_id(world, &self.task).is_some_and(|task| {
            task.phase <= Phase::Stopping
                && task.containers[self.container].status == ContainerStatus::Running
        })
    }

    /// The container's definition.
    pub(super) fn defined<'a>(&self, world: &'a World) -> Option<&'a ecs::definition::ContainerDefinition> {
        let task = ecs::task_by_id(world, &self.task)?;
        world.services.ecs.definitions[task.definition]
            .containers
            .get(self.container)
    }

    /// The task's address.
    pub(super) fn address(&self, world: &World) -> String {
        ecs::task_by_id(world, &self.task).map_or_else(String::new, |task| task.interface.ip.clone())
    }

    /// The ports that containers of the task listen on.
    pub(super) fn ports(&self, world: &World) -> Vec<u16> {
        let Some(task) = ecs::task_by_id(world, &self.task) else {
            return Vec::new();
        };
        let definition = &world.services.ecs.definitions[task.definition];
        let mut ports: Vec<u16> = definition
            .containers
            .iter()
            .filter_map(|known| known.port)
            .collect();
        if definition.containers.iter().any(|known| known.name == "php-fpm") {
            ports.push(9000);
        }
        ports
    }
}
