//! The simulated services: each owns its state, its operations and what it does when time passes.

pub(crate) mod acm;
pub(crate) mod application_autoscaling;
pub(crate) mod autoscaling;
pub(crate) mod budgets;
pub(crate) mod cloudformation;
pub(crate) mod cloudtrail;
pub(crate) mod cloudwatch;
pub(crate) mod ec2;
pub(crate) mod ecr;
pub(crate) mod ecs;
pub(crate) mod elasticache;
pub(crate) mod elb;
pub(crate) mod iam;
pub(crate) mod lambda;
pub(crate) mod logs;
pub(crate) mod member;
pub(crate) mod metered;
pub(crate) mod network;
#[cfg(test)]
pub(crate) mod operator;
mod paging;
pub(crate) mod pricing;
pub(crate) mod rds;
pub(crate) mod route53;
pub(crate) mod s3;
pub(crate) mod secretsmanager;
pub(crate) mod service_quotas;
pub(crate) mod sns;
pub(crate) mod ssm;
pub(crate) mod sts;
pub(crate) mod table;

use serde_json::Value;

pub use self::table::Access;
use self::table::{Operation, services};

use crate::application::workload;
use crate::error::OpResult;
use crate::world::World;

services! {
    /// Certificate Manager.
    Acm = "acm", acm, "acm";
    /// Application Auto Scaling.
    ApplicationAutoScaling = "application-autoscaling", application_autoscaling, "application-autoscaling";
    /// EC2 Auto Scaling.
    AutoScaling = "autoscaling", autoscaling, "autoscaling";
    /// Budgets.
    Budgets = "budgets", budgets, "budgets";
    /// CloudFormation.
    CloudFormation = "cloudformation", cloudformation, "cloudformation";
    /// CloudTrail.
    CloudTrail = "cloudtrail", cloudtrail, "cloudtrail";
    /// CloudWatch (metrics and alarms).
    CloudWatch = "cloudwatch", cloudwatch, "cloudwatch";
    /// Elastic Compute Cloud.
    Ec2 = "ec2", ec2, "ec2";
    /// Elastic Container Registry.
    Ecr = "ecr", ecr, "ecr";
    /// Elastic Container Service.
    Ecs = "ecs", ecs, "ecs";
    /// ElastiCache.
    ElastiCache = "elasticache", elasticache, "elasticache";
    /// Elastic Load Balancing v2.
    Elb = "elasticloadbalancing", elb, "elbv2";
    /// Identity and Access Management.
    Iam = "iam", iam, "iam";
    /// Lambda.
    Lambda = "lambda", lambda, "lambda";
    /// CloudWatch Logs.
    Logs = "logs", logs, "logs";
    /// Price List.
    Pricing = "pricing", pricing, "pricing";
    /// Relational Database Service.
    Rds = "rds", rds, "rds";
    /// Route 53.
    Route53 = "route53", route53, "route53";
    /// Simple Storage Service.
    S3 = "s3", s3, "s3";
    /// Secrets Manager.
    SecretsManager = "secretsmanager", secretsmanager, "secretsmanager";
    /// Service Quotas.
    ServiceQuotas = "servicequotas", service_quotas, "service-quotas";
    /// Simple Notification Service.
    Sns = "sns", sns, "sns";
    /// Systems Manager (Parameter Store).
    Ssm = "ssm", ssm, "ssm";
    /// Security Token Service.
    Sts = "sts", sts, "sts";
}

impl Service {
    /// What `operation` does to the account; `None` for an operation that the sandbox does not simulate.
    pub(crate) fn access(self, operation: &str) -> Option<Access> {
        self.find(operation).map(|found| found.access)
    }

    fn find(self, operation: &str) -> Option<&'static Operation> {
        self.operations().iter().find(|known| known.name == operation)
    }
}

/// The state of every service.
#[derive(Debug, Default)]
pub(crate) struct States {
    pub(crate) acm: acm::State,
    pub(crate) application_autoscaling: application_autoscaling::State,
    pub(crate) autoscaling: autoscaling::State,
    pub(crate) budgets: budgets::State,
    pub(crate) cloudformation: cloudformation::State,
    pub(crate) cloudwatch: cloudwatch::State,
    pub(crate) ec2: ec2::State,
    pub(crate) ecr: ecr::State,
    pub(crate) ecs: ecs::State,
    pub(crate) elb: elb::State,
    pub(crate) iam: iam::State,
    pub(crate) logs: logs::State,
    pub(crate) rds: rds::State,
    pub(crate) route53: route53::State,
    pub(crate) s3: s3::State,
    pub(crate) secretsmanager: secretsmanager::State,
    pub(crate) sessions: crate::session::State,
    pub(crate) sns: sns::State,
    pub(crate) ssm: ssm::State,
    pub(crate) sts: sts::State,
    pub(crate) asset_ops: crate::application::asset_ops::State,
    pub(crate) media: crate::application::media::State,
    pub(crate) webhooks: crate::application::webhook::State,
    pub(crate) workload: workload::State,
    pub(crate) incidents: crate::scenario::Incidents,
    pub(crate) facts: crate::seed::Facts,
}

pub(crate) fn call(world: &mut World, service: Service, operation: &str, input: &Value) -> OpResult {
    match service.find(operation) {
        Some(found) => (found.answer)(world, input),
        None => Err(World::unknown_operation(operation)),
    }
}

/// One second passes. The order is that of cause and effect: containers run, jobs are worked on,
/// metrics are published, alarms look at them, capacity follows.
pub(crate) fn tick(world: &mut World) {
    crate::scenario::tick(world);
    acm::tick(world);
    ecs::tick(world);
    elb::tick(world);
    rds::tick(world);
    workload::tick(world);
    ssm::tick(world);
    if world.now.floor_minute() == world.now {
        ecs::publish(world);
        let requests = elb::publish(world);
        rds::publish(world);
        network::publish(world);
        workload::publish(world);
        metered::publish(world, &requests);
        cloudwatch::evaluate(world);
    }
    autoscaling::tick(world);
    cloudformation::tick(world);
}
