//! What ECS reports to CloudWatch once a minute of every service that has running tasks (ECS Developer Guide,
//! "Amazon ECS service utilization metrics").

use std::time::Duration;

use super::life;
use crate::scenario::{Scenario, in_force};
use crate::service::cloudwatch;
use crate::world::World;

/// How long php-fpm takes to use up what its task has, when it leaks.
pub(super) const LEAKS_FOR: Duration = Duration::from_secs(240);

/// One value for each running task: the statistics of a metric are over them.
pub(crate) fn publish(world: &mut World) {
    let leaks = in_force(world, Scenario::MemoryExhausted);
    let cluster = world.services.ecs.cluster.clone();
    let tasks: Vec<(String, f64)> = world
        .services
        .ecs
        .tasks
        .iter()
        .filter(|task| task.is_running())
        .filter_map(|task| {
            let (service, _) = task.service.as_ref()?;
            let has_php = life::position(world, task, "php-fpm").is_some();
            let age = world.now.since(task.started?).as_secs_f64();
            let share = if leaks && has_php {
                (age / LEAKS_FOR.as_secs_f64()).min(1.0)
            } else {
                0.0
            };
            // At the last whole minute before the kill there is nearly nothing left.
            let used = 34.0 + 87.0 * share;
            Some((service.clone(), used.min(99.4)))
        })
        .collect();
    for (service, memory) in tasks {
        let dimensions = [
            ("ClusterName", cluster.as_str()),
            ("ServiceName", service.as_str()),
        ];
        cloudwatch::put(world, "AWS/ECS", "MemoryUtilization", &dimensions, memory);
    }
}
