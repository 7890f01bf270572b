//! The simulated services: each owns its state, its operations and what it does when time passes.

pub(crate) mod autoscaling;
pub(crate) mod cloudformation;
pub(crate) mod cloudwatch;
pub(crate) mod ecr;
pub(crate) mod ecs;
pub(crate) mod elb;
pub(crate) mod logs;
pub(crate) mod member;
pub(crate) mod network;
#[cfg(test)]
pub(crate) mod operator;
mod paging;
pub(crate) mod rds;
pub(crate) mod s3;
pub(crate) mod secretsmanager;
pub(crate) mod sns;
pub(crate) mod ssm;
pub(crate) mod sts;
pub(crate) mod workload;

use serde_json::Value;

use crate::error::OpResult;
use crate::world::World;

/// An AWS service that the sandbox simulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// EC2 Auto Scaling.
    AutoScaling,
    /// CloudFormation.
    CloudFormation,
    /// CloudWatch (metrics and alarms).
    CloudWatch,
    /// Elastic Container Registry.
    Ecr,
    /// Elastic Container Service.
    Ecs,
    /// Elastic Load Balancing v2.
    Elb,
    /// CloudWatch Logs.
    Logs,
    /// Relational Database Service.
    Rds,
    /// Simple Storage Service.
    S3,
    /// Secrets Manager.
    SecretsManager,
    /// Simple Notification Service.
    Sns,
    /// Systems Manager (Parameter Store).
    Ssm,
    /// Security Token Service.
    Sts,
}

impl Service {
    /// Every service, in the order of the variants.
    pub const ALL: &[Self] = &[
        Self::AutoScaling,
        Self::CloudFormation,
        Self::CloudWatch,
        Self::Ecr,
        Self::Ecs,
        Self::Elb,
        Self::Logs,
        Self::Rds,
        Self::S3,
        Self::SecretsManager,
        Self::Sns,
        Self::Ssm,
        Self::Sts,
    ];

    /// The operations that the sandbox simulates.
    #[must_use]
    pub const fn operations(self) -> &'static [&'static str] {
        match self {
            Self::AutoScaling => autoscaling::OPERATIONS,
            Self::CloudFormation => cloudformation::OPERATIONS,
            Self::CloudWatch => cloudwatch::OPERATIONS,
            Self::Ecr => ecr::OPERATIONS,
            Self::Ecs => ecs::OPERATIONS,
            Self::Elb => elb::OPERATIONS,
            Self::Logs => logs::OPERATIONS,
            Self::Rds => rds::OPERATIONS,
            Self::S3 => s3::OPERATIONS,
            Self::SecretsManager => secretsmanager::OPERATIONS,
            Self::Sns => sns::OPERATIONS,
            Self::Ssm => ssm::OPERATIONS,
            Self::Sts => sts::OPERATIONS,
        }
    }

    /// The prefix of the service's actions in IAM policies: `ecs`, `elasticloadbalancing`.
    #[must_use]
    pub const fn iam_prefix(self) -> &'static str {
        match self {
            Self::AutoScaling => "autoscaling",
            Self::CloudFormation => "cloudformation",
            Self::CloudWatch => "cloudwatch",
            Self::Ecr => "ecr",
            Self::Ecs => "ecs",
            Self::Elb => "elasticloadbalancing",
            Self::Logs => "logs",
            Self::Rds => "rds",
            Self::S3 => "s3",
            Self::SecretsManager => "secretsmanager",
            Self::Sns => "sns",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
        }
    }
}

/// The state of every service.
#[derive(Debug, Default)]
pub(crate) struct States {
    pub(crate) autoscaling: autoscaling::State,
    pub(crate) cloudformation: cloudformation::State,
    pub(crate) cloudwatch: cloudwatch::State,
    pub(crate) ecr: ecr::State,
    pub(crate) ecs: ecs::State,
    pub(crate) elb: elb::State,
    pub(crate) logs: logs::State,
    pub(crate) rds: rds::State,
    pub(crate) s3: s3::State,
    pub(crate) secretsmanager: secretsmanager::State,
    pub(crate) sns: sns::State,
    pub(crate) ssm: ssm::State,
    pub(crate) sts: sts::State,
    pub(crate) workload: workload::State,
    pub(crate) incidents: crate::seed::Incidents,
    pub(crate) facts: crate::seed::Facts,
}

pub(crate) fn call(world: &mut World, service: Service, operation: &str, input: &Value) -> OpResult {
    match service {
        Service::AutoScaling => autoscaling::call(world, operation, input),
        Service::CloudFormation => cloudformation::call(world, operation, input),
        Service::CloudWatch => cloudwatch::call(world, operation, input),
        Service::Ecr => ecr::call(world, operation, input),
        Service::Ecs => ecs::call(world, operation, input),
        Service::Elb => elb::call(world, operation, input),
        Service::Logs => logs::call(world, operation, input),
        Service::Rds => rds::call(world, operation, input),
        Service::S3 => s3::call(world, operation, input),
        Service::SecretsManager => secretsmanager::call(world, operation, input),
        Service::Sns => sns::call(world, operation, input),
        Service::Ssm => ssm::call(world, operation, input),
        Service::Sts => sts::call(world, operation, input),
    }
}

/// One second passes. The order is that of cause and effect: containers run, jobs are worked on,
/// metrics are published, alarms look at them, capacity follows.
pub(crate) fn tick(world: &mut World) {
    crate::seed::tick(world);
    ecs::tick(world);
    elb::tick(world);
    rds::tick(world);
    workload::tick(world);
    if world.now.floor_minute() == world.now {
        elb::publish(world);
        rds::publish(world);
        network::publish(world);
        workload::publish(world);
        cloudwatch::evaluate(world);
    }
    autoscaling::tick(world);
}
