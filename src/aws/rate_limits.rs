//! Client-side token buckets at the rates that AWS documents, so that bpctl slows itself down before
//! AWS has to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::operation::Operation;
use crate::clock::Clock;

/// A documented request quota: how many calls at once, and how many more per second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    name: &'static str,
    burst: f64,
    refill: f64,
}

const fn rate(name: &'static str, burst: f64, refill: f64) -> Rate {
    Rate { name, burst, refill }
}

/// The quota that a call counts against.
///
/// Sources: Amazon ECS API Reference, "Request throttling for the Amazon ECS API"; Amazon CloudWatch
/// User Guide, "CloudWatch service quotas"; Amazon CloudWatch Logs User Guide, "CloudWatch Logs
/// quotas" (the lowest regional value); AWS Systems Manager quotas (Parameter Store standard
/// throughput); Amazon EC2 Developer Guide, "Request throttling for the Amazon EC2 API" (each non-mutating action by itself); AWS Secrets Manager User Guide, "AWS Secrets Manager quotas"; AWS CloudTrail API Reference, LookupEvents (two a second); AWS Billing User Guide, "Using the AWS Price List Query API". Auto Scaling, CloudFormation and Elastic Load Balancing publish no rates.
fn quota(operation: &Operation) -> Option<Rate> {
    Some(match (operation.service.as_str(), operation.name.as_str()) {
        ("ecs", "DescribeServices" | "ListServices") => rate("ecs service read", 100.0, 20.0),
        ("ecs", "UpdateService" | "CreateService" | "DeleteService") => rate("ecs service modify", 50.0, 5.0),
        ("ecs", "DescribeServiceDeployments" | "ListServiceDeployments") => {
            rate("ecs service deployment", 50.0, 20.0)
        }
        ("ecs", "DescribeServiceRevisions") => rate("ecs service revision", 50.0, 20.0),
        ("ecs", "DescribeTasks" | "ListTasks") => rate("ecs cluster resource read", 100.0, 20.0),
        ("ecs", "RunTask" | "StopTask" | "ExecuteCommand") => {
            rate("ecs cluster resource modify", 100.0, 40.0)
        }
        ("ecs", "DescribeTaskDefinition" | "ListTaskDefinitions") => {
            rate("ecs task definition read", 50.0, 20.0)
        }
        ("ecs", "RegisterTaskDefinition" | "DeregisterTaskDefinition") => {
            rate("ecs task definition modify", 20.0, 1.0)
        }
        ("ecs", "DescribeClusters" | "ListClusters") => rate("ecs cluster read", 50.0, 20.0),
        ("cloudtrail", "LookupEvents") => rate("cloudtrail LookupEvents", 2.0, 2.0),
        ("cloudwatch", "DescribeAlarms") => rate("cloudwatch DescribeAlarms", 9.0, 9.0),
        ("cloudwatch", "DescribeAlarmHistory") => rate("cloudwatch DescribeAlarmHistory", 20.0, 20.0),
        ("cloudwatch", "GetMetricData") => rate("cloudwatch GetMetricData", 50.0, 50.0),
        ("cloudwatch", "ListMetrics") => rate("cloudwatch ListMetrics", 25.0, 25.0),
        ("ec2", "DescribeInstances") => rate("ec2 DescribeInstances", 100.0, 20.0),
        ("logs", "FilterLogEvents") => rate("logs FilterLogEvents", 5.0, 5.0),
        ("logs", "GetLogEvents") => rate("logs GetLogEvents", 10.0, 10.0),
        ("logs", "DescribeLogGroups") => rate("logs DescribeLogGroups", 10.0, 10.0),
        ("logs", "StartLiveTail") => rate("logs StartLiveTail", 5.0, 5.0),
        ("logs", "DescribeLogStreams") => rate("logs DescribeLogStreams", 25.0, 25.0),
        ("pricing", "GetProducts") => rate("pricing GetProducts", 10.0, 5.0),
        ("ssm", "GetParameter" | "GetParameters" | "PutParameter" | "GetParametersByPath") => {
            rate("ssm parameter throughput", 40.0, 40.0)
        }
        ("secretsmanager", "PutSecretValue" | "UpdateSecretVersionStage") => {
            rate("secretsmanager write", 50.0, 50.0)
        }
        _ => return None,
    })
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    updated: Timestamp,
}

/// All buckets of this process.
#[derive(Debug)]
pub(super) struct RateLimits {
    clock: Clock,
    filled: Mutex<HashMap<&'static str, Bucket>>,
}

impl RateLimits {
    pub(super) fn documented(clock: Clock) -> Self {
        Self {
            clock,
            filled: Mutex::new(HashMap::new()),
        }
    }

    /// The machine's time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes a token for a call, waiting until there is one.
    pub(super) async fn take(&self, operation: &Operation) {
        let Some(rate) = quota(operation) else { return };
        let wait = self.reserve(rate, self.clock.now());
        if !wait.is_zero() {
            tracing::debug!(bucket = rate.name, ?wait, "pacing");
            self.clock.sleep(wait).await;
        }
    }

    /// Takes a token, going into debt if there is none; the debt is the time to wait.
    fn reserve(&self, rate: Rate, now: Timestamp) -> Duration {
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = filled.entry(rate.name).or_insert(Bucket {
            tokens: rate.burst,
            updated: now,
        });
        let elapsed = now.duration_since(bucket.updated).as_secs_f64().max(0.0);
        bucket.tokens = rate.burst.min(bucket.tokens + elapsed * rate.refill) - 1.0;
        bucket.updated = now;
        if bucket.tokens >= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(-bucket.tokens / rate.refill)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_the_refill_rate_holds() {
        let limits = RateLimits::documented(Clock::starting_at(Timestamp::UNIX_EPOCH, 1.0));
        let rate = rate("x", 3.0, 2.0);
        let now = Timestamp::UNIX_EPOCH;
        assert!((0..3).all(|_| limits.reserve(rate, now).is_zero()));
        assert_eq!(limits.reserve(rate, now), Duration::from_millis(500));
        assert_eq!(limits.reserve(rate, now), Duration::from_millis(1000));
        let later = now.checked_add(Duration::from_secs(10)).unwrap();
        assert!(limits.reserve(rate, later).is_zero());
    }

    #[test]
    fn unpublished_rates_are_not_invented() {
        let operation = Operation::of("autoscaling", "SetDesiredCapacity");
        assert_eq!(quota(&operation), None);
    }
}
