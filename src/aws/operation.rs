//! Which service and operation a request is for, as the SDK names them, and which operations only read.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::application::{DOWNLOAD, READ};
use crate::change::{Pause, Permit};

/// Carries the operation from the SDK to the HTTP layer, which takes it off before anything is sent.
const OPERATION: &str = "x-bpctl-operation";
/// Carries the operation that a permit names, likewise.
const PERMIT: &str = "x-bpctl-permit";

/// The platform itself, asked whether it answers.
pub(super) const APPLICATION: &str = "application";
pub(super) const HEALTH: &str = "Health";
/// A webhook of the operator, told of what was found: it changes nothing in AWS.
pub(super) const NOTIFY: &str = "Notify";

/// The operations that change nothing, by IAM prefix. An operation that is not listed here is only
/// sent with a permit.
const READS: &[(&str, &[&str])] = &[
    // No service of AWS: see `health.rs`, `webhook.rs` and `application.rs`.
    (APPLICATION, &[HEALTH, NOTIFY, READ, DOWNLOAD]),
    ("acm", &["DescribeCertificate", "ListCertificates"]),
    ("application-autoscaling", &["DescribeScalableTargets"]),
    (
        "autoscaling",
        &[
            "DescribeAutoScalingGroups",
            "DescribeInstanceRefreshes",
            "DescribeLifecycleHooks",
            "DescribePolicies",
            "DescribeScalingActivities",
            "DescribeScheduledActions",
        ],
    ),
    ("budgets", &["DescribeBudget", "DescribeNotificationsForBudget"]),
    (
        "cloudformation",
        &[
            "DescribeChangeSet",
            "DescribeStackDriftDetectionStatus",
            "DescribeStackEvents",
            "DescribeStackResourceDrifts",
            "DescribeStackResources",
            "DescribeStacks",
            // Compares a stack with its template and changes neither.
            "DetectStackDrift",
            "GetTemplate",
            "ListImports",
            "ListStackResources",
            "ListStacks",
        ],
    ),
    ("cloudtrail", &["LookupEvents"]),
    (
        "cloudwatch",
        &[
            "DescribeAlarmHistory",
            "DescribeAlarms",
            "GetDashboard",
            "GetMetricData",
        ],
    ),
    (
        "ec2",
        &[
            "DescribeAddresses",
            "DescribeImages",
            "DescribeInstanceTypes",
            "DescribeInstances",
            "DescribeLaunchTemplateVersions",
            "DescribeNatGateways",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeSnapshots",
            "DescribeSpotPriceHistory",
            "DescribeSubnets",
            "DescribeVolumes",
        ],
    ),
    (
        "ecr",
        &[
            "BatchGetImage",
            "DescribeImageScanFindings",
            "DescribeImages",
            "DescribeRepositories",
            "GetAuthorizationToken",
            "GetDownloadUrlForLayer",
        ],
    ),
    (
        "ecs",
        &[
            "DescribeServiceDeployments",
            "DescribeServiceRevisions",
            "DescribeServices",
            "DescribeTaskDefinition",
            "DescribeTasks",
            "ListServiceDeployments",
            "ListServices",
            "ListTasks",
        ],
    ),
    ("elasticache", &["DescribeCacheClusters"]),
    (
        "elasticloadbalancing",
        &[
            "DescribeListeners",
            "DescribeLoadBalancers",
            "DescribeTargetGroups",
            "DescribeTargetHealth",
        ],
    ),
    (
        "iam",
        &[
            "GetOpenIDConnectProvider",
            "GetRole",
            "ListRoles",
            "SimulatePrincipalPolicy",
        ],
    ),
    (
        "logs",
        &[
            "DescribeLogGroups",
            "DescribeLogStreams",
            "FilterLogEvents",
            "GetLogEvents",
            "StartLiveTail",
        ],
    ),
    ("pricing", &["GetProducts"]),
    (
        "rds",
        &[
            "DescribeDBInstances",
            "DescribeDBSnapshots",
            "DescribeDBSubnetGroups",
        ],
    ),
    ("route53", &["ListHostedZonesByName", "ListResourceRecordSets"]),
    (
        "s3",
        &[
            "GetObject",
            "GetObjectTagging",
            "HeadBucket",
            "HeadObject",
            "ListBuckets",
            "ListMultipartUploads",
            "ListObjectVersions",
            "ListObjectsV2",
            "ListParts",
        ],
    ),
    (
        "secretsmanager",
        &[
            "BatchGetSecretValue",
            "DescribeSecret",
            "GetSecretValue",
            "ListSecretVersionIds",
            "ListSecrets",
        ],
    ),
    ("sns", &["ListSubscriptionsByTopic"]),
    (
        "ssm",
        &[
            "DescribeInstanceInformation",
            "DescribeParameters",
            "GetCommandInvocation",
            "ListCommandInvocations",
            "GetParameterHistory",
            "GetParameters",
            "GetParametersByPath",
        ],
    ),
    ("sts", &["GetCallerIdentity"]),
];

/// What `aws-config` itself sends to get credentials; those requests carry no operation of ours.
const SIGN_IN: &[&str] = &[
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "GetSessionToken",
];

/// Service and operation of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// The IAM prefix, e.g. `elasticloadbalancing`.
    pub(super) service: String,
    /// As in the API reference, e.g. `RunTask`.
    pub(super) name: String,
    /// Whether a permit for exactly this operation came along.
    permitted: bool,
    /// Whether one of our clients sent it; everything else comes from `aws-config`.
    ours: bool,
}

impl Operation {
    /// Takes the operation and its permit off a request.
    pub(super) fn take(request: &mut HttpRequest) -> Self {
        let headers = request.headers_mut();
        let operation = headers.remove(OPERATION);
        let permit = headers.remove(PERMIT);
        match operation.as_deref().and_then(|label| label.split_once(':')) {
            Some((service, name)) => Self {
                service: service.to_owned(),
                name: name.to_owned(),
                permitted: permit.is_some() && permit == operation,
                ours: true,
            },
            None => Self {
                service: "credentials".to_owned(),
                name: sign_in_action(request).unwrap_or_else(|| "SignIn".to_owned()),
                permitted: false,
                ours: false,
            },
        }
    }

    pub(super) fn is_health_check(&self) -> bool {
        self.service == APPLICATION && self.name == HEALTH
    }

    pub(super) fn label(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }

    /// Whether the request may be sent: it reads, a permit names it, or it gets credentials.
    pub(super) fn may_be_sent(&self) -> bool {
        if !self.ours {
            return self.name == "SignIn" || SIGN_IN.contains(&self.name.as_str());
        }
        self.permitted || is_read(&self.service, &self.name)
    }

    #[cfg(test)]
    pub(super) fn of(service: &str, name: &str) -> Self {
        Self {
            service: service.to_owned(),
            name: name.to_owned(),
            permitted: false,
            ours: true,
        }
    }
}

/// Whether an operation is known to change nothing.
pub(crate) fn is_read(service: &str, operation: &str) -> bool {
    READS
        .iter()
        .any(|(prefix, operations)| *prefix == service && operations.contains(&operation))
}

/// The action of a request that names one: an RPC to STS, or another service that has no business here.
fn sign_in_action(request: &HttpRequest) -> Option<String> {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().map(str::to_owned);
    }
    let body = std::str::from_utf8(request.body().bytes()?).ok()?;
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="))?;
    Some(action.to_owned())
}

/// Tells the HTTP layer which operation a request is for. One per client.
#[derive(Debug)]
pub(super) struct NameOperation {
    /// The IAM prefix of the client's service.
    pub(super) service: &'static str,
}

#[dyn_dispatch_hint]
impl Intercept for NameOperation {
    fn name(&self) -> &'static str {
        "NameOperation"
    }

    // After signing: the header is for the HTTP layer only and never leaves this process.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = config
            .load::<Metadata>()
            .ok_or("the SDK does not say which operation this is")?;
        let label = format!("{}:{}", self.service, metadata.name());
        context.request_mut().headers_mut().insert(OPERATION, label);
        Ok(())
    }
}

/// Marks a request that no client of the SDK makes as what a permit names.
pub(super) fn permitted(request: &mut HttpRequest, permit: &Permit) {
    let label = format!("{}:{}", permit.service(), permit.operation());
    request.headers_mut().insert(OPERATION, label.clone());
    request.headers_mut().insert(PERMIT, label);
}

/// Marks a request that no client of the SDK makes as one of the reads.
pub(super) fn read_of(request: &mut HttpRequest, service: &str, operation: &str) {
    let label = format!("{service}:{operation}");
    request.headers_mut().insert(OPERATION, label);
}

/// Shows a permit to the HTTP layer, for one request and its retries.
#[derive(Debug)]
pub(super) struct ShowPermit {
    label: String,
    pause: Pause,
}

impl ShowPermit {
    pub(super) fn new(permit: &Permit) -> Self {
        Self {
            label: format!("{}:{}", permit.service(), permit.operation()),
            pause: permit.pause().clone(),
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for ShowPermit {
    fn name(&self) -> &'static str {
        "ShowPermit"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Each attempt asks anew: a lease may have been lost since the first one.
        if self.pause.is_set() {
            return Err("the run cannot rely on its leases any more: not sent".into());
        }
        context
            .request_mut()
            .headers_mut()
            .insert(PERMIT, self.label.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn request(headers: &[(&'static str, &str)], body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        for (name, value) in headers {
            request.headers_mut().insert(*name, (*value).to_owned());
        }
        request
    }

    #[test]
    fn reads_are_sent_and_writes_need_a_permit_of_their_own() {
        let allowed = |headers: &[(&'static str, &str)]| {
            let mut request = request(headers, "");
            let operation = Operation::take(&mut request);
            assert!(request.headers().get(OPERATION).is_none() && request.headers().get(PERMIT).is_none());
            operation.may_be_sent()
        };
        assert!(allowed(&[(OPERATION, "ecs:DescribeTasks")]));
        assert!(!allowed(&[(OPERATION, "ecs:RunTask")]));
        assert!(allowed(&[(OPERATION, "ecs:RunTask"), (PERMIT, "ecs:RunTask")]));
        assert!(!allowed(&[(OPERATION, "ecs:RunTask"), (PERMIT, "ecs:StopTask")]));
        // The operation of one service says nothing about the same name in another.
        assert!(!allowed(&[(OPERATION, "s3:DescribeTasks")]));
    }

    #[test]
    fn requests_for_credentials_are_sent_and_nothing_else_without_an_operation() {
        let mut instance_metadata = request(&[], "");
        assert!(Operation::take(&mut instance_metadata).may_be_sent());
        let mut role = request(&[], "Action=AssumeRole&Version=2011-06-15");
        let operation = Operation::take(&mut role);
        assert!(operation.may_be_sent());
        assert_eq!(operation.label(), "credentials:AssumeRole");
        let mut stray = request(&[], "Action=DeleteStack&Version=2010-05-15");
        assert!(!Operation::take(&mut stray).may_be_sent());
        let mut stray = request(
            &[("x-amz-target", "AmazonEC2ContainerServiceV20141113.RunTask")],
            "{}",
        );
        assert!(!Operation::take(&mut stray).may_be_sent());
    }
}
