//! Which operations change the account. One line per operation, so that a new one has to take sides.

use crate::service::Service;

/// What an operation does to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only looks.
    Read,
    /// It changes something, or may.
    Write,
}

use Access::{Read, Write};
use Service::{
    AutoScaling, CloudFormation, CloudWatch, Ecr, Ecs, Elb, Logs, Rds, S3, SecretsManager, Sns, Ssm, Sts,
};

/// Every operation that the sandbox simulates.
pub(crate) const OPERATIONS: &[(Service, &str, Access)] = &[
    (AutoScaling, "DescribeAutoScalingGroups", Read),
    (AutoScaling, "DescribeAutoScalingInstances", Read),
    (AutoScaling, "DescribePolicies", Read),
    (AutoScaling, "DescribeScalingActivities", Read),
    (AutoScaling, "ResumeProcesses", Write),
    (AutoScaling, "SetDesiredCapacity", Write),
    (AutoScaling, "SetInstanceProtection", Write),
    (AutoScaling, "SuspendProcesses", Write),
    (AutoScaling, "UpdateAutoScalingGroup", Write),
    (CloudFormation, "DescribeStackEvents", Read),
    (CloudFormation, "DescribeStackResources", Read),
    (CloudFormation, "DescribeStacks", Read),
    (CloudFormation, "GetTemplate", Read),
    (CloudFormation, "ListExports", Read),
    (CloudFormation, "ListStacks", Read),
    (CloudWatch, "DescribeAlarmHistory", Read),
    (CloudWatch, "DescribeAlarms", Read),
    (CloudWatch, "GetMetricData", Read),
    (CloudWatch, "GetMetricStatistics", Read),
    (CloudWatch, "ListMetrics", Read),
    (CloudWatch, "PutMetricData", Write),
    (CloudWatch, "SetAlarmState", Write),
    (Ecr, "DescribeImages", Read),
    (Ecr, "DescribeRepositories", Read),
    (Ecs, "DescribeClusters", Read),
    (Ecs, "DescribeServiceDeployments", Read),
    (Ecs, "DescribeServices", Read),
    (Ecs, "DescribeTaskDefinition", Read),
    (Ecs, "DescribeTasks", Read),
    (Ecs, "ListServiceDeployments", Read),
    (Ecs, "ListServices", Read),
    (Ecs, "ListTasks", Read),
    (Ecs, "RunTask", Write),
    (Ecs, "StopTask", Write),
    (Ecs, "UpdateService", Write),
    (Elb, "DescribeLoadBalancers", Read),
    (Elb, "DescribeTargetGroups", Read),
    (Elb, "DescribeTargetHealth", Read),
    (Logs, "DescribeLogGroups", Read),
    (Logs, "DescribeLogStreams", Read),
    (Logs, "FilterLogEvents", Read),
    (Logs, "GetLogEvents", Read),
    (Rds, "CreateDBSnapshot", Write),
    (Rds, "DescribeDBInstances", Read),
    (Rds, "DescribeDBSnapshots", Read),
    (S3, "AbortMultipartUpload", Write),
    (S3, "CompleteMultipartUpload", Write),
    (S3, "CopyObject", Write),
    (S3, "CreateMultipartUpload", Write),
    (S3, "DeleteObject", Write),
    (S3, "DeleteObjectTagging", Write),
    (S3, "DeleteObjects", Write),
    (S3, "GetBucketLocation", Read),
    (S3, "GetBucketVersioning", Read),
    (S3, "GetObject", Read),
    (S3, "GetObjectTagging", Read),
    (S3, "HeadBucket", Read),
    (S3, "HeadObject", Read),
    (S3, "ListBuckets", Read),
    (S3, "ListMultipartUploads", Read),
    (S3, "ListObjectVersions", Read),
    (S3, "ListObjectsV2", Read),
    (S3, "ListParts", Read),
    (S3, "PutBucketVersioning", Write),
    (S3, "PutObject", Write),
    (S3, "PutObjectTagging", Write),
    (S3, "UploadPart", Write),
    (S3, "UploadPartCopy", Write),
    (SecretsManager, "DescribeSecret", Read),
    (SecretsManager, "GetSecretValue", Read),
    (SecretsManager, "ListSecretVersionIds", Read),
    (SecretsManager, "ListSecrets", Read),
    (SecretsManager, "PutSecretValue", Write),
    (SecretsManager, "UpdateSecretVersionStage", Write),
    (Sns, "GetTopicAttributes", Read),
    (Sns, "ListSubscriptionsByTopic", Read),
    (Sns, "ListTopics", Read),
    (Sns, "Subscribe", Write),
    (Sns, "Unsubscribe", Write),
    (Ssm, "DescribeParameters", Read),
    (Ssm, "GetParameter", Read),
    (Ssm, "GetParameterHistory", Read),
    (Ssm, "GetParameters", Read),
    (Ssm, "GetParametersByPath", Read),
    (Ssm, "LabelParameterVersion", Write),
    (Ssm, "PutParameter", Write),
    // A session is not a change of the account.
    (Sts, "AssumeRole", Read),
    (Sts, "GetCallerIdentity", Read),
];

/// What `operation` does; `None` for an operation that the sandbox does not simulate.
pub(crate) fn of(service: Service, operation: &str) -> Option<Access> {
    OPERATIONS
        .iter()
        .find(|(of, name, _)| *of == service && *name == operation)
        .map(|(_, _, access)| *access)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::shape::Api;

    #[test]
    fn the_table_and_the_api_shapes_name_the_same_operations() {
        for service in Service::ALL {
            let listed: Vec<_> = OPERATIONS
                .iter()
                .filter(|(of, _, _)| of == service)
                .map(|(_, name, _)| *name)
                .collect();
            let shaped: Vec<_> = Api::of(*service).operations.keys().map(String::as_str).collect();
            assert_eq!(listed, shaped, "{service:?}");
        }
    }
}
