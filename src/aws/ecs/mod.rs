//! Operations on ecs: services, task definitions, and tasks from their start to their end.

pub(crate) mod definitions;
pub(crate) mod deploy;
mod exec;
pub(crate) mod health;
pub(crate) mod registered;
pub(crate) mod removal;
pub(crate) mod rollouts;
pub(crate) mod run;
pub(crate) mod scale;
mod services;
mod sizes;
pub(crate) mod tasks;

#[cfg(test)]
pub(crate) use definitions::AwsLogs;
pub(crate) use definitions::{ContainerDefinition, TaskDefinition};
pub(crate) use deploy::{StopServiceDeployment, UpdateService};
pub(crate) use exec::ExecuteCommand;
pub(crate) use health::ServiceDeployment;
pub(crate) use registered::{RegisterTaskDefinition, Registered};
pub(crate) use rollouts::{RolloutRecord, ServiceRevision};
pub(crate) use run::{Network, RunTask, StopTask};
pub(crate) use scale::ScaleService;
pub(crate) use services::{Deployment, Event, Service};
pub(crate) use sizes::BilledTask;
#[cfg(test)]
pub(crate) use tasks::Agent;
pub(crate) use tasks::{Container, Task};

/// The last part of an ARN or path: `bp-backend:42` of a task definition, the id of a task.
pub(crate) fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn the_short_name_is_what_follows_the_last_slash() {
        assert_eq!(
            short("arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:42"),
            "bp-backend:42"
        );
        assert_eq!(short("arn:aws:ecs:us-east-1:123456789012:task/bp/0af"), "0af");
        assert_eq!(short("0af"), "0af");
    }
}
