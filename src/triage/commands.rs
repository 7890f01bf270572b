//! The exact next commands: bpctl's own where a verb exists, the aws command line's elsewhere.
//!
//! The reader of a finding pastes them as they are. What only the operator can know is asked for in words.

use crate::error::{CommandLine, Hint};
use crate::fleet::hold::{ALARMS, LAUNCH};
use crate::layout::{App, FleetId, Layout, LayoutKind};

/// How far back the logs are read.
const SINCE: &str = "30m";

fn service(layout: &Layout, app: App) -> CommandLine {
    CommandLine::aws("ecs", "describe-services")
        .option("--cluster", layout.cluster())
        .option("--services", layout.service(app))
}

/// The newest events of a service, with its tasks, targets and deployments.
pub(crate) fn service_events(app: App) -> CommandLine {
    CommandLine::bpctl(["describe", "service", app.word()])
}

/// How far the newest deployment of a service is.
pub(crate) fn rollout(app: App) -> CommandLine {
    CommandLine::bpctl(["rollout", "status", app.word()])
}

/// The security groups of a service's tasks.
pub(crate) fn service_security_groups(layout: &Layout, app: App) -> CommandLine {
    service(layout, app).picking("services[].networkConfiguration.awsvpcConfiguration.securityGroups[]")
}

/// The last deployments of a service.
pub(crate) fn rollouts(app: App) -> CommandLine {
    CommandLine::bpctl(["rollout", "history", app.word()])
}

/// A change of a service that no verb of bpctl makes.
fn update_service(layout: &Layout, app: App) -> CommandLine {
    CommandLine::aws("ecs", "update-service")
        .option("--cluster", layout.cluster())
        .option("--service", layout.service(app))
}

/// Sets the desired count of a service.
pub(crate) fn set_desired(layout: &Layout, app: App, count: u32) -> CommandLine {
    update_service(layout, app).option("--desired-count", count.to_string())
}

/// Replaces the tasks of a service, which then read secrets and pull tags anew.
pub(crate) fn redeploy(app: App) -> CommandLine {
    CommandLine::bpctl(["deploy", app.word()])
}

/// Replaces the tasks of a service, and lets one of them run on capacity that no Spot customer takes away.
pub(crate) fn redeploy_on_demand(layout: &Layout, app: App) -> CommandLine {
    update_service(layout, app)
        .args(["--force-new-deployment"])
        .option(
            "--capacity-provider-strategy",
            "capacityProvider=FARGATE,base=1,weight=1",
        )
}

/// What ECS knows about a task.
pub(crate) fn task(task: &str) -> CommandLine {
    CommandLine::bpctl(["task", "describe", task])
}

/// A shell in a container of a task.
pub(crate) fn shell(task: &str, container: &str) -> CommandLine {
    CommandLine::bpctl(["exec", task]).option("--container", container)
}

/// Every line of one container of a task.
pub(crate) fn container_log(container: &str, task: &str) -> CommandLine {
    CommandLine::bpctl(["logs", "task", task]).option("--container", container)
}

/// The lines of one container of all tasks of a service since the last hour.
pub(crate) fn container_lines(app: App, container: &str) -> CommandLine {
    CommandLine::bpctl(["logs", app.word()])
        .option("--container", container)
        .option("--since", "1h")
}

/// The lines of a log group since the last two hours.
pub(crate) fn group_log(group: impl Into<String>) -> CommandLine {
    CommandLine::bpctl(["logs", "group"])
        .args([group])
        .option("--since", "2h")
}

/// The lines of the last half hour that match a filter pattern.
pub(crate) fn matching_lines(app: App, pattern: &str) -> CommandLine {
    CommandLine::bpctl(["logs", app.word()])
        .option("--since", SINCE)
        .option("--filter-pattern", pattern)
}

/// What the workers of a fleet log.
pub(crate) fn worker_log(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["logs", "fleet"])
        .args([fleet.to_string()])
        .option("--since", SINCE)
}

/// The images of a service, and which of them run.
pub(crate) fn images(app: App) -> CommandLine {
    CommandLine::bpctl(["image", "list", app.word()])
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
    CommandLine::bpctl(["ami", "list"])
}

/// Builds an image for a fleet, and lets the fleet's pointer name it.
pub(crate) fn build_image(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["ami", "build"])
        .option("--fleet", fleet.to_string())
        .args(["--promote"])
}

/// Which images a fleet pointed to.
pub(crate) fn image_history(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["ami", "history"]).option("--fleet", fleet.to_string())
}

/// State of a secret or parameter, and when it was written, without its value.
pub(crate) fn secret(name: &str) -> CommandLine {
    CommandLine::bpctl(["secrets", "get", name])
}

/// Gives a secret a random value.
pub(crate) fn generate_secret(name: &str) -> CommandLine {
    CommandLine::bpctl(["secrets", "set", name, "--generate"])
}

/// Versions of a secret, without any value.
pub(crate) fn secret_versions(name: &str) -> CommandLine {
    CommandLine::bpctl(["secrets", "history", name])
}

/// Puts a value into a secret. It is asked for: an argument stands in the list of processes.
pub(crate) fn put_secret(name: &str) -> CommandLine {
    CommandLine::bpctl(["secrets", "set", name])
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

/// Sets the largest capacity of a fleet.
pub(crate) fn set_maximum(fleet: &FleetId, maximum: u32) -> CommandLine {
    CommandLine::bpctl(["fleet", "scale"])
        .args([fleet.to_string()])
        .option("--max", maximum.to_string())
}

/// Sets the capacity of a fleet.
pub(crate) fn set_capacity(fleet: &FleetId, desired: u32) -> CommandLine {
    CommandLine::bpctl(["fleet", "scale"])
        .args([fleet.to_string()])
        .option("--desired", desired.to_string())
}

/// Lets a fleet do again what it was told not to.
pub(crate) fn resume(fleet: &FleetId, group: &str, processes: &[&str]) -> CommandLine {
    if processes.iter().all(|process| [ALARMS, LAUNCH].contains(process)) {
        return release(fleet).args(["--unrecorded"]);
    }
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

/// Ends the hold of a fleet.
pub(crate) fn release(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["fleet", "release"]).args([fleet.to_string()])
}

/// Gives the hold of a fleet a new time.
pub(crate) fn hold_on(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["fleet", "hold"])
        .args([fleet.to_string()])
        .option("--for", "2h")
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
    CommandLine::bpctl(["stack", "outputs", stack])
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

/// What a deployment of the stack would change.
pub(crate) fn stack_diff(stack: &str) -> CommandLine {
    CommandLine::bpctl(["stack", "diff", stack])
}

/// Puts the stack's resources back to what the code says.
pub(crate) fn stack_deploy(stack: &str) -> CommandLine {
    CommandLine::bpctl(["stack", "deploy", stack])
}

/// What a deployment of the fleet's stack would change: its templates are only made with the fleet's own values.
pub(crate) fn fleet_stack_diff(layout: &Layout, fleet: &FleetId) -> CommandLine {
    match layout.kind() {
        LayoutKind::Single => fleet_stack_deploy(layout, fleet).args(["--dry-run"]),
        LayoutKind::Staged => stack_diff(&layout.fleet_stack(fleet)),
    }
}

/// Puts the resources of the fleet's stack back to what the code says.
pub(crate) fn fleet_stack_deploy(layout: &Layout, fleet: &FleetId) -> CommandLine {
    match layout.kind() {
        LayoutKind::Single => CommandLine::bpctl(["fleet", "apply-config", &fleet.to_string()]),
        LayoutKind::Staged => stack_deploy(&layout.fleet_stack(fleet)),
    }
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

/// All events of a stack that CloudFormation still has.
pub(crate) fn stack_events(stack: &str) -> CommandLine {
    CommandLine::bpctl(["stack", "events", stack]).option("--since", "90d")
}

/// What a stack consists of.
pub(crate) fn stack_resources(stack: &str) -> CommandLine {
    CommandLine::aws("cloudformation", "describe-stack-resources")
        .option("--stack-name", stack)
        .picking("StackResources[].[ResourceType,PhysicalResourceId]")
}

/// What was changed by hand since the stack was deployed.
pub(crate) fn stack_drift(stack: &str) -> CommandLine {
    CommandLine::bpctl(["stack", "drift", stack])
}

/// The functions that take idle fleets to zero.
pub(crate) fn zero_functions() -> CommandLine {
    CommandLine::aws("lambda", "list-functions").picking(
        "Functions[?contains(FunctionName, 'scale-to-zero') || contains(FunctionName, 'ScaleToZero')].FunctionArn",
    )
}

/// Compares topics of alarms with the platform's; one without a subscriber is listed, with how to subscribe.
pub(crate) fn monitoring() -> CommandLine {
    CommandLine::bpctl(["monitoring", "check"])
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
    use crate::error::Effect;
    use crate::layout::Stage;

    #[test]
    fn commands_use_the_names_of_the_layout() {
        let single = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let staged = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
        assert_eq!(
            set_desired(&staged, App::Backend, 2).to_string(),
            "aws ecs update-service --cluster bp-staging --service bp-staging-backend --desired-count 2"
        );
        assert_eq!(
            service_security_groups(&single, App::Frontend).to_string(),
            "aws ecs describe-services --cluster bp --services bp-frontend --query \
             'services[].networkConfiguration.awsvpcConfiguration.securityGroups[]' --output text"
        );
    }

    #[test]
    fn what_bpctl_can_do_is_said_as_its_own_command() {
        assert_eq!(
            matching_lines(App::Frontend, "?ERROR ?Fatal").to_string(),
            "bpctl logs frontend --since 30m --filter-pattern '?ERROR ?Fatal'"
        );
        assert_eq!(
            container_log("php-fpm", "0a1b").to_string(),
            "bpctl logs task 0a1b --container php-fpm"
        );
        assert_eq!(redeploy(App::Backend).to_string(), "bpctl deploy backend");
    }

    #[test]
    fn no_secret_stands_in_arguments() {
        for command in [
            generate_secret("/bp/fleets/production/fleet-secret"),
            put_secret("/bp/laravel/app-key"),
        ] {
            let line = command.to_string();
            assert!(line.starts_with("bpctl secrets set /bp/"), "{line}");
            assert_eq!(command.effect(), Effect::Changes, "{line}");
        }
    }
}
