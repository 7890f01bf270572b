//! The exact next commands: bpctl's own where a verb exists, the aws command line's elsewhere.
//!
//! The reader of a finding pastes them as they are. What only the operator can know is asked for in words.

use jiff::Timestamp;

use crate::error::{CommandLine, Effect, Hint};
use crate::layout::{App, FleetId, Layout};

/// How far back the logs are read.
const SINCE: i64 = 30;

fn service(layout: &Layout, app: App) -> CommandLine {
    CommandLine::aws("ecs", "describe-services")
        .option("--cluster", layout.cluster())
        .option("--services", layout.service(app))
}

/// The newest events of a service.
pub(crate) fn service_events(layout: &Layout, app: App) -> CommandLine {
    service(layout, app).picking("services[].events[:10].[createdAt,message]")
}

/// The deployments of a service.
pub(crate) fn service_deployments(layout: &Layout, app: App) -> CommandLine {
    service(layout, app).option("--query", "services[].deployments")
}

/// The security groups of a service's tasks.
pub(crate) fn service_security_groups(layout: &Layout, app: App) -> CommandLine {
    service(layout, app).picking("services[].networkConfiguration.awsvpcConfiguration.securityGroups[]")
}

/// The records of the last rollouts.
pub(crate) fn rollouts(layout: &Layout, app: App) -> CommandLine {
    CommandLine::aws("ecs", "list-service-deployments")
        .option("--cluster", layout.cluster())
        .option("--service", layout.service(app))
}

/// A change of a service.
pub(crate) fn update_service(layout: &Layout, app: App) -> CommandLine {
    CommandLine::aws("ecs", "update-service")
        .option("--cluster", layout.cluster())
        .option("--service", layout.service(app))
}

/// Sets the desired count of a service.
pub(crate) fn set_desired(layout: &Layout, app: App, count: u32) -> CommandLine {
    update_service(layout, app).option("--desired-count", count.to_string())
}

/// Replaces the tasks of a service, which then read secrets and pull tags anew.
pub(crate) fn redeploy(layout: &Layout, app: App) -> CommandLine {
    update_service(layout, app).args(["--force-new-deployment"])
}

/// Everything ECS knows about a task.
pub(crate) fn task(layout: &Layout, task: &str) -> CommandLine {
    CommandLine::aws("ecs", "describe-tasks")
        .option("--cluster", layout.cluster())
        .option("--tasks", task)
}

/// A shell in a container of a task.
pub(crate) fn shell(layout: &Layout, task: &str, container: &str) -> CommandLine {
    CommandLine::aws("ecs", "execute-command")
        .option("--cluster", layout.cluster())
        .option("--task", task)
        .option("--container", container)
        .args(["--interactive"])
        .option("--command", "/bin/bash")
}

/// Every line of one container of a task.
pub(crate) fn container_log(layout: &Layout, app: App, container: &str, task: &str) -> CommandLine {
    let prefix = Layout::log_stream_prefix(container);
    CommandLine::aws("logs", "get-log-events")
        .option("--log-group-name", layout.log_group(app))
        .option("--log-stream-name", format!("{prefix}/{container}/{task}"))
        .args(["--start-from-head"])
        .picking("events[].[message]")
}

/// The last hundred lines of a log group since some minutes. `aws logs tail` would be shorter, but
/// version 1 of the tool does not have it.
pub(crate) fn recent_lines(group: impl Into<String>, minutes: i64, now: Timestamp) -> CommandLine {
    let since = now.as_millisecond() - minutes * 60_000;
    CommandLine::aws("logs", "filter-log-events")
        .option("--log-group-name", group)
        .option("--start-time", since.to_string())
        .picking("events[-100:].[message]")
}

/// The lines of the last half hour that match a filter pattern.
pub(crate) fn matching_lines(layout: &Layout, app: App, pattern: &str, now: Timestamp) -> CommandLine {
    recent_lines(layout.log_group(app), SINCE, now).option("--filter-pattern", pattern)
}

/// What the workers of a fleet log.
pub(crate) fn worker_log(layout: &Layout, fleet: &FleetId, now: Timestamp) -> CommandLine {
    recent_lines(layout.fleet_log_group(fleet), SINCE, now)
}

/// The newest images of a repository.
pub(crate) fn images(repository: &str) -> CommandLine {
    CommandLine::aws("ecr", "describe-images")
        .option("--repository-name", repository)
        .option("--filter", "tagStatus=TAGGED")
        .picking("sort_by(imageDetails,&imagePushedAt)[-10:].[imagePushedAt,imageTags]")
}

/// Gives an existing image one more tag (Amazon ECR User Guide, "Retagging an image").
pub(crate) fn retag(repository: &str, existing: &str, wanted: &str) -> CommandLine {
    let manifest = CommandLine::aws("ecr", "batch-get-image")
        .option("--repository-name", repository)
        .option("--image-ids", format!("imageTag={existing}"))
        .picking("images[0].imageManifest");
    CommandLine::aws("ecr", "put-image")
        .option("--repository-name", repository)
        .option("--image-tag", wanted)
        .option_from("--image-manifest", manifest)
}

/// The health of every target of a group.
pub(crate) fn target_health(group: &str) -> CommandLine {
    CommandLine::aws("elbv2", "describe-target-health").option("--target-group-arn", group)
}

/// State and load of the database instance.
pub(crate) fn database(id: &str) -> CommandLine {
    CommandLine::aws("rds", "describe-db-instances")
        .option("--db-instance-identifier", id)
        .picking("DBInstances[].[DBInstanceStatus,DBInstanceClass,AllocatedStorage,MaxAllocatedStorage]")
}

/// What happened to the database instance in the last two hours.
pub(crate) fn database_events(id: &str) -> CommandLine {
    CommandLine::aws("rds", "describe-events")
        .option("--source-type", "db-instance")
        .option("--source-identifier", id)
        .option("--duration", "120")
}

/// What the database instance can be restored from.
pub(crate) fn database_backups(id: &str) -> CommandLine {
    CommandLine::aws("rds", "describe-db-snapshots")
        .option("--db-instance-identifier", id)
        .picking(
            "sort_by(DBSnapshots,&SnapshotCreateTime)[-5:].[DBSnapshotIdentifier,Status,SnapshotCreateTime]",
        )
}

/// Waits until the database instance serves.
pub(crate) fn database_available(id: &str) -> CommandLine {
    CommandLine::aws("rds", "wait")
        .args(["db-instance-available"])
        .option("--db-instance-identifier", id)
}

/// The nodes of Redis.
pub(crate) fn redis() -> CommandLine {
    CommandLine::aws("elasticache", "describe-replication-groups")
        .picking("ReplicationGroups[].[ReplicationGroupId,Status,CacheNodeType]")
}

/// The NAT gateways and their public addresses.
pub(crate) fn nat_gateways() -> CommandLine {
    CommandLine::aws("ec2", "describe-nat-gateways")
        .option("--filter", "Name=state,Values=available")
        .picking("NatGateways[].[NatGatewayId,NatGatewayAddresses[].PublicIp]")
}

/// Which rules a security group has for incoming traffic.
pub(crate) fn security_group(id: &str) -> CommandLine {
    CommandLine::aws("ec2", "describe-security-groups")
        .option("--group-ids", id)
        .option(
            "--query",
            "SecurityGroups[].IpPermissions[].[FromPort,ToPort,UserIdGroupPairs[].GroupId]",
        )
}

/// The images that Packer built.
pub(crate) fn packer_images() -> CommandLine {
    CommandLine::aws("ec2", "describe-images")
        .option("--owners", "self")
        .option("--filters", "Name=tag:ManagedBy,Values=packer")
        .picking("sort_by(Images,&CreationDate)[-5:].[ImageId,Name,CreationDate]")
}

/// The last values of a parameter. Not for secrets.
pub(crate) fn parameter_history(name: &str) -> CommandLine {
    CommandLine::aws("ssm", "get-parameter-history")
        .option("--name", name)
        .picking("Parameters[-5:].[Version,Value,DataType,LastModifiedDate]")
}

/// When a parameter was written, without its value.
pub(crate) fn parameter_dates(name: &str) -> CommandLine {
    CommandLine::aws("ssm", "describe-parameters")
        .option("--parameter-filters", format!("Key=Name,Values={name}"))
        .picking("Parameters[].[Name,Version,LastModifiedDate]")
}

/// Writes a random value into a parameter; the value passes through a pipe, never through arguments.
pub(crate) fn put_random_parameter(name: &str) -> CommandLine {
    CommandLine::aws("ssm", "put-parameter")
        .option("--name", name)
        .option("--value", "file:///dev/stdin")
        .option("--type", "String")
        .args(["--overwrite"])
        .fed_by(CommandLine::other("openssl", ["rand", "-hex", "32"]))
        .fed_by(CommandLine::other("tr", ["-d", "\\n"]))
}

/// Versions of a secret and their labels, without any value.
pub(crate) fn secret_versions(name: &str) -> CommandLine {
    CommandLine::aws("secretsmanager", "list-secret-version-ids")
        .option("--secret-id", name)
        .args(["--include-deprecated"])
}

/// Puts a value into a secret; it is read from stdin, so that it stands in no list of processes.
pub(crate) fn put_secret(name: &str) -> CommandLine {
    CommandLine::aws("secretsmanager", "put-secret-value")
        .option("--secret-id", name)
        .option("--secret-string", "file:///dev/stdin")
}

/// The last scaling activities of a fleet.
pub(crate) fn activities(layout: &Layout, fleet: &FleetId) -> CommandLine {
    CommandLine::aws("autoscaling", "describe-scaling-activities")
        .option("--auto-scaling-group-name", layout.auto_scaling_group(fleet))
        .option("--max-items", "10")
        .picking("Activities[].[StartTime,StatusCode,StatusMessage]")
}

/// The account's quotas for Spot instances.
pub(crate) fn spot_quotas() -> CommandLine {
    CommandLine::aws("service-quotas", "list-service-quotas")
        .option("--service-code", "ec2")
        .picking("Quotas[?contains(QuotaName, 'Spot')].[QuotaName,Value]")
}

/// Capacity and processes of a group.
pub(crate) fn group(name: &str) -> CommandLine {
    CommandLine::aws("autoscaling", "describe-auto-scaling-groups")
        .option("--auto-scaling-group-names", name)
        .picking("AutoScalingGroups[].[MinSize,DesiredCapacity,MaxSize,SuspendedProcesses[].ProcessName]")
}

/// The scaling policies of a group and the alarms that invoke them.
pub(crate) fn policies(group: &str) -> CommandLine {
    CommandLine::aws("autoscaling", "describe-policies")
        .option("--auto-scaling-group-name", group)
        .picking("ScalingPolicies[].[PolicyName,PolicyType,Enabled,Alarms[].AlarmName]")
}

/// Sets the largest capacity of a group.
pub(crate) fn set_maximum(group: &str, maximum: u32) -> CommandLine {
    CommandLine::aws("autoscaling", "update-auto-scaling-group")
        .option("--auto-scaling-group-name", group)
        .option("--max-size", maximum.to_string())
}

/// Sets the capacity of a group.
pub(crate) fn set_capacity(group: &str, desired: u32) -> CommandLine {
    CommandLine::aws("autoscaling", "set-desired-capacity")
        .option("--auto-scaling-group-name", group)
        .option("--desired-capacity", desired.to_string())
}

/// Lets a group do again what it was told not to.
pub(crate) fn resume(group: &str, processes: &[&str]) -> CommandLine {
    CommandLine::aws("autoscaling", "resume-processes")
        .option("--auto-scaling-group-name", group)
        .args(["--scaling-processes"])
        .args(processes.iter().copied())
}

/// Dimensions under which the fleets' queue depth is published.
pub(crate) fn queue_metrics(namespace: &str) -> CommandLine {
    CommandLine::aws("cloudwatch", "list-metrics")
        .option("--namespace", namespace)
        .option("--metric-name", "QueueDepth")
        .picking("Metrics[].Dimensions[].[Name,Value]")
}

/// Capacity, queue, workers, pointers and alarms of a fleet.
pub(crate) fn fleet_status(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["fleet", "status"]).args([fleet.to_string()])
}

/// Takes a fleet to zero.
pub(crate) fn fleet_to_zero(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["fleet", "scale-to-zero"]).args([fleet.to_string()])
}

/// The fleets with their instances.
pub(crate) fn fleets() -> CommandLine {
    CommandLine::bpctl(["fleet", "list"])
}

/// What the instances of a fleet are started with, as it was deployed last.
pub(crate) fn user_data(layout: &Layout, fleet: &FleetId) -> CommandLine {
    CommandLine::aws("ec2", "describe-launch-template-versions")
        .option("--launch-template-name", layout.launch_template(fleet))
        .option("--versions", "$Latest")
        .picking("LaunchTemplateVersions[].LaunchTemplateData.UserData")
}

/// The outputs of a stack.
pub(crate) fn stack_outputs(stack: &str) -> CommandLine {
    CommandLine::aws("cloudformation", "describe-stacks")
        .option("--stack-name", stack)
        .picking("Stacks[].Outputs[].[OutputKey,OutputValue]")
}

/// The zones of the load balancers.
pub(crate) fn balancer_zones() -> CommandLine {
    CommandLine::aws("elbv2", "describe-load-balancers")
        .picking("LoadBalancers[].[LoadBalancerName,AvailabilityZones[].[ZoneName,SubnetId]]")
}

/// How a target group checks its targets, and which load balancers use it.
pub(crate) fn target_group(arn: &str) -> CommandLine {
    CommandLine::aws("elbv2", "describe-target-groups")
        .option("--target-group-arns", arn)
        .picking("TargetGroups[].[TargetGroupName,HealthCheckEnabled,HealthCheckPath,LoadBalancerArns[]]")
}

/// The Redis clusters and what they run on.
pub(crate) fn redis_clusters() -> CommandLine {
    CommandLine::aws("elasticache", "describe-cache-clusters")
        .picking("CacheClusters[].[CacheClusterId,CacheClusterStatus,CacheNodeType,NumCacheNodes]")
}

/// What a deployment of the stack would change; run in the infrastructure folder.
pub(crate) fn cdk_diff(stack: &str) -> CommandLine {
    CommandLine::other("npx", ["cdk", "diff", stack]).with_effect(Effect::Reads)
}

/// Puts the stack's resources back to what the code says; run in the infrastructure folder.
pub(crate) fn cdk_deploy(stack: &str) -> CommandLine {
    CommandLine::other("npx", ["cdk", "deploy", stack])
}

/// State and actions of alarms.
pub(crate) fn alarms<'a>(names: impl IntoIterator<Item = &'a str>) -> CommandLine {
    CommandLine::aws("cloudwatch", "describe-alarms")
        .args(["--alarm-names"])
        .args(names)
        .picking("MetricAlarms[].[AlarmName,StateValue,ActionsEnabled,AlarmActions[]]")
}

/// Lets alarms act again.
pub(crate) fn enable_alarms<'a>(names: impl IntoIterator<Item = &'a str>) -> CommandLine {
    CommandLine::aws("cloudwatch", "enable-alarm-actions")
        .args(["--alarm-names"])
        .args(names)
}

/// When and why an alarm changed its state.
pub(crate) fn alarm_history(alarm: &str) -> CommandLine {
    CommandLine::aws("cloudwatch", "describe-alarm-history")
        .option("--alarm-name", alarm)
        .option("--history-item-type", "StateUpdate")
        .option("--max-items", "5")
}

/// The failed events of a stack.
pub(crate) fn stack_events(stack: &str) -> CommandLine {
    CommandLine::aws("cloudformation", "describe-stack-events")
        .option("--stack-name", stack)
        .picking(
            "StackEvents[?contains(ResourceStatus,'FAILED')].[Timestamp,LogicalResourceId,ResourceStatusReason]",
        )
}

/// What a stack consists of.
pub(crate) fn stack_resources(stack: &str) -> CommandLine {
    CommandLine::aws("cloudformation", "describe-stack-resources")
        .option("--stack-name", stack)
        .picking("StackResources[].[ResourceType,PhysicalResourceId]")
}

/// Starts a comparison of the stack with its template.
pub(crate) fn stack_drift(stack: &str) -> CommandLine {
    CommandLine::aws("cloudformation", "detect-stack-drift").option("--stack-name", stack)
}

/// The functions that take idle fleets to zero.
pub(crate) fn zero_functions() -> CommandLine {
    CommandLine::aws("lambda", "list-functions").picking(
        "Functions[?contains(FunctionName, 'scale-to-zero') || contains(FunctionName, 'ScaleToZero')].FunctionArn",
    )
}

/// Who listens to a topic.
pub(crate) fn subscriptions(topic: &str) -> CommandLine {
    CommandLine::aws("sns", "list-subscriptions-by-topic")
        .option("--topic-arn", topic)
        .picking("Subscriptions[].[Protocol,Endpoint]")
}

/// Waits until a stack has come to the end that the waiter is called by.
pub(crate) fn wait_for_stack(waiter: &str, stack: &str) -> CommandLine {
    CommandLine::aws("cloudformation", "wait")
        .args([waiter])
        .option("--stack-name", stack)
}

/// Secrets that were deleted and can still be brought back.
pub(crate) fn secrets_planned_for_deletion() -> CommandLine {
    CommandLine::aws("secretsmanager", "list-secrets")
        .args(["--include-planned-deletion"])
        .picking("SecretList[?DeletedDate].[Name,DeletedDate]")
}

/// An operation of CloudFormation on a stack.
pub(crate) fn stack_operation(operation: &str, stack: &str) -> CommandLine {
    CommandLine::aws("cloudformation", operation).option("--stack-name", stack)
}

/// Half as much storage again; RDS wants at least 10 % more ("Increasing DB instance storage capacity").
pub(crate) fn grow_database(id: &str, allocated: Option<i32>) -> Hint {
    let Some(allocated) = allocated else {
        return Hint::new("give the instance half as much storage again as it has");
    };
    let wanted = allocated + (allocated / 2).max(5);
    CommandLine::aws("rds", "modify-db-instance")
        .option("--db-instance-identifier", id)
        .option("--allocated-storage", wanted.to_string())
        .args(["--apply-immediately"])
        .into()
}

/// Starts the database instance.
pub(crate) fn start_database(id: &str) -> CommandLine {
    CommandLine::aws("rds", "start-db-instance").option("--db-instance-identifier", id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{LayoutKind, Stage};

    #[test]
    fn commands_use_the_names_of_the_layout() {
        let single = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let staged = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
        assert_eq!(
            set_desired(&staged, App::Backend, 2).to_string(),
            "aws ecs update-service --cluster bp-staging --service bp-staging-backend --desired-count 2"
        );
        assert_eq!(
            container_log(&single, App::Backend, "php-fpm", "0a1b").to_string(),
            "aws logs get-log-events --log-group-name /ecs/bp-backend --log-stream-name php/php-fpm/0a1b \
             --start-from-head --query 'events[].[message]' --output text"
        );
        let now = "2026-01-15T09:30:00Z".parse().unwrap();
        assert_eq!(
            matching_lines(&staged, App::Frontend, "?ERROR", now).to_string(),
            "aws logs filter-log-events --log-group-name /ecs/bp-frontend-staging --start-time 1768467600000 \
             --query 'events[-100:].[message]' --output text --filter-pattern '?ERROR'"
        );
    }

    #[test]
    fn no_secret_stands_in_arguments() {
        let line = put_random_parameter("/bp/production/gpu/fleet-secret").to_string();
        assert_eq!(
            line,
            "openssl rand -hex 32 | tr -d '\\n' | aws ssm put-parameter --name /bp/production/gpu/fleet-secret --value file:///dev/stdin --type String --overwrite"
        );
        assert!(
            put_secret("/bp/laravel/app-key")
                .to_string()
                .ends_with(" --secret-string file:///dev/stdin")
        );
    }
}
