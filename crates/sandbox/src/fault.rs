//! Faults that lie between the caller and the account: throttling, expired credentials, denied actions,
//! broken connections. Two scenarios switch them on for every caller, rules for single calls.

use std::time::Duration;

use serde_json::Value;

use crate::error::ApiError;
use crate::options::Options;
use crate::service::{Access, Service, budgets, route53, s3};

/// The scenario `throttled` refuses every call whose number this divides.
pub(crate) const THROTTLED_EVERY: u64 = 3;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// IAM denies the action.
    Deny,
    /// The API's rate is exceeded.
    Throttle,
    /// The caller's credentials have expired.
    Expire,
    /// The service fails with HTTP 500 and does nothing.
    Fail,
    /// The connection breaks before the request arrives.
    Disconnect,
    /// The operation is carried out, but the connection breaks before the answer arrives.
    LoseAnswer,
    /// Another client's write of the same object is under way: a conditional write of S3 is refused with 409. Other
    /// calls pass.
    Conflict,
    /// The answer takes this much longer, in the time of the caller's machine.
    Delay(Duration),
}

/// Which calls a fault befalls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    service: Option<Service>,
    operation: Option<String>,
    /// Only calls that may change something.
    writes: bool,
    fault: Fault,
    spared: u32,
    times: Option<u32>,
}

impl FaultRule {
    /// Every call of every service.
    #[must_use]
    pub const fn everywhere(fault: Fault) -> Self {
        Self {
            service: None,
            operation: None,
            writes: false,
            fault,
            spared: 0,
            times: None,
        }
    }

    /// Every call of one operation.
    #[must_use]
    pub fn on(service: Service, operation: &str, fault: Fault) -> Self {
        Self {
            service: Some(service),
            operation: Some(operation.to_owned()),
            ..Self::everywhere(fault)
        }
    }

    /// Every call that may change something, of every service.
    #[must_use]
    pub fn on_writes(fault: Fault) -> Self {
        Self {
            writes: true,
            ..Self::everywhere(fault)
        }
    }

    /// The first `calls` matching calls go through.
    #[must_use]
    pub const fn after(mut self, calls: u32) -> Self {
        self.spared = calls;
        self
    }

    /// No more than `times` calls are hit.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Whether the rule hits this call; counts it.
    fn hits(&mut self, service: Service, operation: &str) -> bool {
        let concerns = self.service.is_none_or(|of| of == service)
            && self.operation.as_deref().is_none_or(|name| name == operation)
            && (!self.writes || service.access(operation) == Some(Access::Write));
        if !concerns {
            return false;
        }
        if self.spared > 0 {
            self.spared -= 1;
            return false;
        }
        match &mut self.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// The rules in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<FaultRule>);

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.0.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What befalls this call, in the order in which the rules were made.
    pub(crate) fn of(&mut self, service: Service, operation: &str) -> Vec<Fault> {
        self.0
            .iter_mut()
            .filter_map(|rule| rule.hits(service, operation).then_some(rule.fault))
            .collect()
    }
}

/// `Rate exceeded`, as nearly every service says it.
pub(crate) fn throttled(service: Service) -> ApiError {
    match service {
        Service::S3 => ApiError::client("SlowDown", "Please reduce your request rate.").with_status(503),
        Service::Ec2 => ApiError::client("RequestLimitExceeded", "Request limit exceeded.").with_status(503),
        Service::Lambda => ApiError::client("TooManyRequestsException", "Rate exceeded").with_status(429),
        _ => ApiError::client("ThrottlingException", "Rate exceeded"),
    }
}

/// What STS credentials past their expiration get. S3 has words and a status of its own for it (Amazon S3 API
/// Reference, "Error responses").
pub(crate) fn expired(service: Service) -> ApiError {
    if service == Service::S3 {
        return ApiError::client("ExpiredToken", "The provided token has expired.");
    }
    // EC2 API Reference, "Client error codes".
    if service == Service::Ec2 {
        return ApiError::client("RequestExpired", "Request has expired.");
    }
    ApiError::client(
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )
}

/// A failure on AWS's side, which the SDKs retry.
pub(crate) fn failed(service: Service) -> ApiError {
    let code = match service {
        Service::Ecs | Service::Ecr => "ServerException",
        Service::Ssm => "InternalServerError",
        Service::SecretsManager => "InternalServiceError",
        Service::CloudWatch => "InternalServiceFault",
        Service::Ec2 | Service::S3 => "InternalError",
        Service::Budgets | Service::Pricing => "InternalErrorException",
        Service::Acm => "InternalServiceException",
        Service::ApplicationAutoScaling | Service::CloudTrail => "InternalServiceException",
        Service::Lambda | Service::ServiceQuotas => "ServiceException",
        Service::AutoScaling
        | Service::CloudFormation
        | Service::ElastiCache
        | Service::Elb
        | Service::Logs
        | Service::Rds
        | Service::Route53
        | Service::Sns
        | Service::Sts => "InternalFailure",
        Service::Iam => "ServiceFailure",
    };
    ApiError::client(
        code,
        "The request processing has failed because of an unknown error, exception or failure.",
    )
    .with_status(500)
}

/// IAM's refusal of `operation` for `caller`, in its usual words.
pub(crate) fn denied(
    service: Service,
    operation: &str,
    input: &Value,
    caller: &str,
    options: &Options,
) -> ApiError {
    let action = match service {
        Service::S3 => s3::action(operation),
        Service::Budgets => budgets::action(operation),
        _ => format!("{}:{operation}", service.iam_prefix()),
    };
    refused(
        service,
        &action,
        &resource(service, input, options),
        caller,
        false,
    )
}

/// IAM's refusal of one action on one resource; `by_deny` when a statement denies it.
pub(crate) fn refused(
    service: Service,
    action: &str,
    resource: &str,
    caller: &str,
    by_deny: bool,
) -> ApiError {
    // SNS alone writes its prefix in capitals, and has its own code for what is `AccessDenied` everywhere else.
    let action = match (service, action.split_once(':')) {
        (Service::Sns, Some((_, name))) => format!("SNS:{name}"),
        _ => action.to_owned(),
    };
    // S3 alone puts the resource in quotation marks.
    let quote = if service == Service::S3 { "\"" } else { "" };
    let because = if by_deny {
        "with an explicit deny in an identity-based policy".to_owned()
    } else {
        format!("because no identity-based policy allows the {action} action")
    };
    let message = format!(
        "User: {caller} is not authorized to perform: {action} on resource: {quote}{resource}{quote} {because}"
    );
    let message = match service {
        Service::Ec2 => format!("You are not authorized to perform this operation. {message}"),
        _ => message,
    };
    let (code, status) = match service {
        Service::Ec2 => ("UnauthorizedOperation", 403),
        Service::Sns => ("AuthorizationError", 403),
        Service::S3 => ("AccessDenied", 403),
        _ => ("AccessDeniedException", 400),
    };
    ApiError::client(code, message).with_status(status)
}

/// The resource that the action is on, as far as the request names one; `*` for lists and descriptions.
fn resource(service: Service, input: &Value, options: &Options) -> String {
    let member = |name: &str| input.get(name).and_then(Value::as_str);
    let arn = |service: &str, rest: String| {
        format!(
            "arn:aws:{service}:{}:{}:{rest}",
            options.region, options.account_id
        )
    };
    let within = |service: &str, named: Option<&str>, before: &str| match named {
        None => "*".to_owned(),
        Some(name) if name.starts_with("arn:") => name.to_owned(),
        Some(name) => arn(service, format!("{before}{name}")),
    };
    match service {
        Service::Ecs => {
            let cluster = member("cluster")
                .and_then(|cluster| cluster.rsplit('/').next())
                .unwrap_or("default");
            if let Some(definition) = member("taskDefinition").filter(|_| member("service").is_none()) {
                return within("ecs", Some(definition), "task-definition/");
            }
            match (member("service"), member("task")) {
                (Some(name), _) => within("ecs", Some(name), &format!("service/{cluster}/")),
                (None, Some(task)) => within("ecs", Some(task), &format!("task/{cluster}/")),
                (None, None) => "*".to_owned(),
            }
        }
        Service::Ssm => within(
            "ssm",
            member("Name")
                .or(member("Path"))
                .map(|n| n.trim_start_matches('/')),
            "parameter/",
        ),
        Service::SecretsManager => member("SecretId").unwrap_or("*").to_owned(),
        Service::Logs => within("logs", member("logGroupName"), "log-group:"),
        Service::Ecr => within("ecr", member("repositoryName"), "repository/"),
        Service::AutoScaling => within(
            "autoscaling",
            member("AutoScalingGroupName"),
            "autoScalingGroup:*:autoScalingGroupName/",
        ),
        Service::CloudFormation => match member("StackName") {
            Some(name) if !name.starts_with("arn:") => arn("cloudformation", format!("stack/{name}/*")),
            named => named.unwrap_or("*").to_owned(),
        },
        Service::CloudWatch => within("cloudwatch", member("AlarmName"), "alarm:"),
        Service::Rds => within("rds", member("DBInstanceIdentifier"), "db:"),
        Service::Route53 => match member("HostedZoneId") {
            Some(zone) => route53::resource("ListResourceRecordSets", Some(zone)),
            None => route53::resource("GetChange", member("Id")),
        },
        Service::S3 => s3::resource(member("Bucket"), member("Key")),
        Service::Sns => within("sns", member("TopicArn"), ""),
        Service::Sts => within("iam", member("RoleArn"), ""),
        Service::Iam => match member("RoleName") {
            Some(role) => format!("arn:aws:iam::{}:role/{role}", options.account_id),
            None => member("PolicySourceArn")
                .or(member("OpenIDConnectProviderArn"))
                .unwrap_or("*")
                .to_owned(),
        },
        Service::Lambda => within("lambda", member("FunctionName"), "function:"),
        Service::ElastiCache => within("elasticache", member("CacheClusterId"), "cluster:"),
        Service::Budgets => budgets::resource(&options.account_id, member("BudgetName")),
        Service::Acm => member("CertificateArn").unwrap_or("*").to_owned(),
        Service::ApplicationAutoScaling
        | Service::CloudTrail
        | Service::Ec2
        | Service::Elb
        | Service::Pricing
        | Service::ServiceQuotas => "*".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_spares_and_then_hits_as_often_as_told() {
        let mut faults = Faults::default();
        faults.add(
            FaultRule::on(Service::Ecs, "RunTask", Fault::Throttle)
                .after(1)
                .times(2),
        );
        let hit: Vec<bool> = (0..5)
            .map(|_| !faults.of(Service::Ecs, "RunTask").is_empty())
            .collect();
        assert_eq!(hit, [false, true, true, false, false]);
        assert!(faults.of(Service::Ecs, "StopTask").is_empty());
    }

    #[test]
    fn a_rule_on_writes_counts_no_reads() {
        let mut faults = Faults::default();
        faults.add(FaultRule::on_writes(Fault::Disconnect).after(1).times(1));
        let calls = [
            (Service::S3, "PutObject"),
            (Service::Ecs, "DescribeTasks"),
            (Service::Ecs, "StopTask"),
            (Service::Ecs, "StopTask"),
        ];
        let hit = calls.map(|(service, operation)| !faults.of(service, operation).is_empty());
        assert_eq!(hit, [false, false, true, false]);
    }

    #[test]
    fn a_refusal_names_caller_action_and_resource() {
        let options = Options::default();
        let message = |service, operation, input| denied(service, operation, &input, "me", &options).message;
        assert_eq!(
            message(
                Service::Ecs,
                "UpdateService",
                json!({"cluster": "bp", "service": "bp-backend", "taskDefinition": "x"})
            ),
            "User: me is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:us-east-1:123456789012:service/bp/bp-backend because no identity-based policy allows the ecs:UpdateService action"
        );
        for (service, operation, input, resource) in [
            (
                Service::Ecs,
                "RunTask",
                json!({"taskDefinition": "bp-backend"}),
                "arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend",
            ),
            (
                Service::Ssm,
                "PutParameter",
                json!({"Name": "/bp/x"}),
                "arn:aws:ssm:us-east-1:123456789012:parameter/bp/x",
            ),
            (Service::AutoScaling, "DescribeAutoScalingGroups", json!({}), "*"),
        ] {
            let message = message(service, operation, input);
            assert!(
                message.contains(&format!("on resource: {resource} because")),
                "{message}"
            );
        }
    }
}
