//! One knowledge of deployments of services: how far one is, how it ended, and why its tasks failed.
//!
//! The verdict is bound to one deployment by its id and the ARN of its service deployment. Numbers of running tasks
//! never make it: they look the same after a rollback.

mod standing;
mod stopped;
mod watch;

pub(crate) use standing::{Standing, standing};
pub(crate) use stopped::{ContainerPlaces, StoppedTask};
pub(crate) use watch::{Event, Following, Watcher};

/// The digits of a deployment's id, with which its service revision's ARN ends.
pub(crate) fn number(deployment: &str) -> &str {
    deployment.rsplit('/').next().unwrap_or(deployment)
}

/// Whether a service revision is the one that a deployment brings.
pub(crate) fn brings(deployment: &str, revision: &str) -> bool {
    !number(deployment).is_empty() && crate::aws::ecs::short(revision) == number(deployment)
}
