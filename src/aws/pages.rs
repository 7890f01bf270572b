//! The one pager: every read that comes in pages goes through [`Pages`].
//!
//! An empty page is no end. An answer without its list is no answer. A token that was handed out before, or
//! more pages than any of the services has, ends in an error: otherwise a broken endpoint keeps bpctl
//! asking for ever.

use std::collections::HashSet;
use std::error::Error as StdError;

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// More than any read of bpctl can have: 100,000 advanced parameters, 50 a page (Systems Manager quotas).
const MOST: usize = 2_000;

/// The tokens of one read.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    seen: HashSet<String>,
}

impl Tokens {
    /// Takes note of a token that was handed out.
    ///
    /// # Errors
    /// When it was handed out before.
    pub(crate) fn note(&mut self, doing: &str, token: &str) -> Result<()> {
        if self.seen.insert(token.to_owned()) {
            return Ok(());
        }
        Err(CtlError::new(ErrorKind::Unexpected, doing)
            .cause("the endpoint handed out a page token for the second time: its pages have no end"))
    }

    /// # Errors
    /// When there were more than any read of a whole list can have.
    fn bounded(&self, doing: &str) -> Result<()> {
        if self.seen.len() < MOST {
            return Ok(());
        }
        Err(CtlError::new(ErrorKind::Unexpected, doing)
            .cause(format!("the endpoint handed out more than {MOST} pages")))
    }
}

/// The answer to a request that comes in pages.
pub(super) trait Page {
    type Item;
    const OPERATION: &'static str;
    /// The member that holds the list.
    const LIST: &'static str;

    fn list(self) -> Option<Vec<Self::Item>>;
    fn token(&self) -> Option<&str>;
}

macro_rules! pages {
    ($($operation:literal: $sdk:ident::$module:ident::$output:ident { $list:ident $name:literal: $item:ident, $token:ident })+) => {
        $(impl Page for $sdk::operation::$module::$output {
            type Item = $sdk::types::$item;
            const OPERATION: &'static str = $operation;
            const LIST: &'static str = $name;

            fn list(self) -> Option<Vec<Self::Item>> {
                self.$list
            }

            fn token(&self) -> Option<&str> {
                self.$token.as_deref()
            }
        })+
    };
}

pages! {
    "ListCertificates": aws_sdk_acm::list_certificates::ListCertificatesOutput
        { certificate_summary_list "CertificateSummaryList": CertificateSummary, next_token }
    "DescribeScalableTargets": aws_sdk_applicationautoscaling::describe_scalable_targets::DescribeScalableTargetsOutput
        { scalable_targets "ScalableTargets": ScalableTarget, next_token }
    "DescribeAutoScalingGroups": aws_sdk_autoscaling::describe_auto_scaling_groups::DescribeAutoScalingGroupsOutput
        { auto_scaling_groups "AutoScalingGroups": AutoScalingGroup, next_token }
    "DescribePolicies": aws_sdk_autoscaling::describe_policies::DescribePoliciesOutput
        { scaling_policies "ScalingPolicies": ScalingPolicy, next_token }
    "DescribeScalingActivities": aws_sdk_autoscaling::describe_scaling_activities::DescribeScalingActivitiesOutput
        { activities "Activities": Activity, next_token }
    "DescribeScheduledActions": aws_sdk_autoscaling::describe_scheduled_actions::DescribeScheduledActionsOutput
        { scheduled_update_group_actions "ScheduledUpdateGroupActions": ScheduledUpdateGroupAction, next_token }
    "DescribeInstances": aws_sdk_ec2::describe_instances::DescribeInstancesOutput
        { reservations "Reservations": Reservation, next_token }
    "DescribeLaunchTemplateVersions": aws_sdk_ec2::describe_launch_template_versions::DescribeLaunchTemplateVersionsOutput
        { launch_template_versions "LaunchTemplateVersions": LaunchTemplateVersion, next_token }
    "DescribeNatGateways": aws_sdk_ec2::describe_nat_gateways::DescribeNatGatewaysOutput
        { nat_gateways "NatGateways": NatGateway, next_token }
    "DescribeSpotPriceHistory": aws_sdk_ec2::describe_spot_price_history::DescribeSpotPriceHistoryOutput
        { spot_price_history "SpotPriceHistory": SpotPrice, next_token }
    "DescribeVolumes": aws_sdk_ec2::describe_volumes::DescribeVolumesOutput
        { volumes "Volumes": Volume, next_token }
    "DescribeCacheClusters": aws_sdk_elasticache::describe_cache_clusters::DescribeCacheClustersOutput
        { cache_clusters "CacheClusters": CacheCluster, marker }
    "DescribeSnapshots": aws_sdk_ec2::describe_snapshots::DescribeSnapshotsOutput
        { snapshots "Snapshots": Snapshot, next_token }
    "DescribeNetworkInterfaces": aws_sdk_ec2::describe_network_interfaces::DescribeNetworkInterfacesOutput
        { network_interfaces "NetworkInterfaces": NetworkInterface, next_token }
    "DescribeSecurityGroups": aws_sdk_ec2::describe_security_groups::DescribeSecurityGroupsOutput
        { security_groups "SecurityGroups": SecurityGroup, next_token }
    "DescribeSubnets": aws_sdk_ec2::describe_subnets::DescribeSubnetsOutput
        { subnets "Subnets": Subnet, next_token }
    "DescribeNotificationsForBudget": aws_sdk_budgets::describe_notifications_for_budget::DescribeNotificationsForBudgetOutput
        { notifications "Notifications": Notification, next_token }
    "DescribeAlarmHistory": aws_sdk_cloudwatch::describe_alarm_history::DescribeAlarmHistoryOutput
        { alarm_history_items "AlarmHistoryItems": AlarmHistoryItem, next_token }
    "ListStacks": aws_sdk_cloudformation::list_stacks::ListStacksOutput
        { stack_summaries "StackSummaries": StackSummary, next_token }
    "DescribeStacks": aws_sdk_cloudformation::describe_stacks::DescribeStacksOutput
        { stacks "Stacks": Stack, next_token }
    "DescribeChangeSet": aws_sdk_cloudformation::describe_change_set::DescribeChangeSetOutput
        { changes "Changes": Change, next_token }
    "DescribeStackEvents": aws_sdk_cloudformation::describe_stack_events::DescribeStackEventsOutput
        { stack_events "StackEvents": StackEvent, next_token }
    "DescribeStackResourceDrifts": aws_sdk_cloudformation::describe_stack_resource_drifts::DescribeStackResourceDriftsOutput
        { stack_resource_drifts "StackResourceDrifts": StackResourceDrift, next_token }
    "ListStackResources": aws_sdk_cloudformation::list_stack_resources::ListStackResourcesOutput
        { stack_resource_summaries "StackResourceSummaries": StackResourceSummary, next_token }
    "GetMetricData": aws_sdk_cloudwatch::get_metric_data::GetMetricDataOutput
        { metric_data_results "MetricDataResults": MetricDataResult, next_token }
    "DescribeLogStreams": aws_sdk_cloudwatchlogs::describe_log_streams::DescribeLogStreamsOutput
        { log_streams "logStreams": LogStream, next_token }
    "DescribeImages": aws_sdk_ecr::describe_images::DescribeImagesOutput
        { image_details "imageDetails": ImageDetail, next_token }
    "DescribeRepositories": aws_sdk_ecr::describe_repositories::DescribeRepositoriesOutput
        { repositories "repositories": Repository, next_token }
    "DescribeLogGroups": aws_sdk_cloudwatchlogs::describe_log_groups::DescribeLogGroupsOutput
        { log_groups "logGroups": LogGroup, next_token }
    "DescribeListeners": aws_sdk_elasticloadbalancingv2::describe_listeners::DescribeListenersOutput
        { listeners "Listeners": Listener, next_marker }
    "DescribeLoadBalancers": aws_sdk_elasticloadbalancingv2::describe_load_balancers::DescribeLoadBalancersOutput
        { load_balancers "LoadBalancers": LoadBalancer, next_marker }
    "DescribeTargetGroups": aws_sdk_elasticloadbalancingv2::describe_target_groups::DescribeTargetGroupsOutput
        { target_groups "TargetGroups": TargetGroup, next_marker }
    "DescribeDBInstances": aws_sdk_rds::describe_db_instances::DescribeDbInstancesOutput
        { db_instances "DBInstances": DbInstance, marker }
    "DescribeDBSnapshots": aws_sdk_rds::describe_db_snapshots::DescribeDbSnapshotsOutput
        { db_snapshots "DBSnapshots": DbSnapshot, marker }
    "DescribeDBSubnetGroups": aws_sdk_rds::describe_db_subnet_groups::DescribeDbSubnetGroupsOutput
        { db_subnet_groups "DBSubnetGroups": DbSubnetGroup, marker }
    "ListBuckets": aws_sdk_s3::list_buckets::ListBucketsOutput
        { buckets "Buckets": Bucket, continuation_token }
    "ListSecrets": aws_sdk_secretsmanager::list_secrets::ListSecretsOutput
        { secret_list "SecretList": SecretListEntry, next_token }
    "ListSecretVersionIds": aws_sdk_secretsmanager::list_secret_version_ids::ListSecretVersionIdsOutput
        { versions "Versions": SecretVersionsListEntry, next_token }
    "ListSubscriptionsByTopic": aws_sdk_sns::list_subscriptions_by_topic::ListSubscriptionsByTopicOutput
        { subscriptions "Subscriptions": Subscription, next_token }
    "ListCommandInvocations": aws_sdk_ssm::list_command_invocations::ListCommandInvocationsOutput
        { command_invocations "CommandInvocations": CommandInvocation, next_token }
    "DescribeParameters": aws_sdk_ssm::describe_parameters::DescribeParametersOutput
        { parameters "Parameters": ParameterMetadata, next_token }
    "GetParameterHistory": aws_sdk_ssm::get_parameter_history::GetParameterHistoryOutput
        { parameters "Parameters": ParameterHistory, next_token }
    "GetParametersByPath": aws_sdk_ssm::get_parameters_by_path::GetParametersByPathOutput
        { parameters "Parameters": Parameter, next_token }
}

impl Page for aws_sdk_ecs::operation::list_tasks::ListTasksOutput {
    type Item = String;
    const OPERATION: &'static str = "ListTasks";
    const LIST: &'static str = "taskArns";

    fn list(self) -> Option<Vec<String>> {
        self.task_arns
    }

    fn token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }
}

impl Page for aws_sdk_ecs::operation::list_services::ListServicesOutput {
    type Item = String;
    const OPERATION: &'static str = "ListServices";
    const LIST: &'static str = "serviceArns";

    fn list(self) -> Option<Vec<String>> {
        self.service_arns
    }

    fn token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }
}

impl Page for aws_sdk_cloudformation::operation::list_imports::ListImportsOutput {
    type Item = String;
    const OPERATION: &'static str = "ListImports";
    const LIST: &'static str = "Imports";

    fn list(self) -> Option<Vec<String>> {
        self.imports
    }

    fn token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }
}

/// A read that is under way.
pub(super) struct Pages<P, E> {
    /// Fits "failed to …".
    doing: String,
    stream: PaginationStream<Result<P, SdkError<E, HttpResponse>>>,
    tokens: Tokens,
}

impl<P, E> Pages<P, E>
where
    P: Page,
    E: StdError + ProvideErrorMetadata + 'static,
{
    pub(super) fn new(
        doing: impl Into<String>,
        stream: PaginationStream<Result<P, SdkError<E, HttpResponse>>>,
    ) -> Self {
        Self {
            doing: doing.into(),
            stream,
            tokens: Tokens::default(),
        }
    }

    /// The next page, `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<P::Item>>> {
        let Some(page) = self.stream.next().await else {
            return Ok(None);
        };
        let page = page.map_err(|error| from_sdk(&self.doing, &error))?;
        if let Some(token) = page.token().filter(|token| !token.is_empty()) {
            self.tokens.note(&self.doing, token)?;
            self.tokens.bounded(&self.doing)?;
        }
        page.list().required(P::OPERATION, P::LIST).map(Some)
    }

    /// What all pages hold together.
    pub(super) async fn all(mut self) -> Result<Vec<P::Item>> {
        let mut items = Vec::new();
        while let Some(page) = self.next().await? {
            items.extend(page);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::operation::list_tasks::{ListTasksError, ListTasksOutput};
    use aws_smithy_async::future::pagination_stream::fn_stream::FnStream;

    use super::*;

    #[test]
    fn a_token_seen_before_ends_the_read() {
        let mut tokens = Tokens::default();
        tokens.note("list the stacks", "a").unwrap();
        tokens.note("list the stacks", "b").unwrap();
        let error = tokens.note("list the stacks", "a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected);
        assert!(error.to_string().starts_with("list the stacks: "), "{error}");
        assert!(error.to_string().contains("for the second time"), "{error}");
    }

    /// The read of an endpoint that answers with these pages: tasks, and the token of the next one.
    async fn read(
        pages: &'static [(Option<&'static [&'static str]>, Option<&'static str>)],
    ) -> Result<Vec<String>> {
        let stream = FnStream::new(move |sender| {
            Box::pin(async move {
                for (tasks, token) in pages {
                    let tasks = tasks.map(|tasks| tasks.iter().map(|task| (*task).to_owned()).collect());
                    let page = ListTasksOutput::builder()
                        .set_task_arns(tasks)
                        .set_next_token(token.map(str::to_owned));
                    if sender.send(Ok(page.build())).await.is_err() {
                        return;
                    }
                }
            })
        });
        Pages::<_, ListTasksError>::new("list the tasks", PaginationStream::new(stream))
            .all()
            .await
    }

    #[tokio::test]
    async fn an_empty_page_is_no_end() {
        let tasks = read(&[
            (Some(&[]), Some("1")),
            (Some(&[]), Some("2")),
            (Some(&["a"]), None),
        ])
        .await;
        assert_eq!(tasks.unwrap(), ["a"]);
    }

    #[tokio::test]
    async fn an_answer_without_its_list_is_no_answer() {
        let error = read(&[(Some(&["a"]), Some("1")), (None, None)])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected);
        assert!(error.to_string().contains("taskArns"), "{error}");
    }

    #[tokio::test]
    async fn tokens_that_alternate_end_the_read() {
        let error = read(&[
            (Some(&["a"]), Some("1")),
            (Some(&["b"]), Some("2")),
            (Some(&["a"]), Some("1")),
        ])
        .await
        .unwrap_err();
        assert!(error.to_string().contains("for the second time"), "{error}");
    }

    #[test]
    fn pages_without_end_end() {
        let mut tokens = Tokens::default();
        for page in 1..MOST {
            tokens.note("x", &page.to_string()).unwrap();
            tokens.bounded("x").unwrap();
        }
        tokens.note("x", "another").unwrap();
        let ended = tokens.bounded("x").unwrap_err();
        assert!(ended.to_string().contains("more than 2000 pages"), "{ended}");
    }
}
