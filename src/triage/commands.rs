//! The exact next commands: bpctl's own where a verb exists, the aws command line's elsewhere.
//!
//! Whoever reads a finding pastes them as they are; what only the operator can know stands in `<…>`.

use crate::layout::{App, FleetId, Layout};

/// The newest events of a service.
pub(crate) fn service_events(layout: &Layout, app: App) -> String {
    format!(
        "aws ecs describe-services --cluster {} --services {} --query 'services[].events[:10].[createdAt,message]' --output text",
        layout.cluster(),
        layout.service(app)
    )
}

/// The deployments of a service.
pub(crate) fn service_deployments(layout: &Layout, app: App) -> String {
    format!(
        "aws ecs describe-services --cluster {} --services {} --query 'services[].deployments'",
        layout.cluster(),
        layout.service(app)
    )
}

/// The records of the last rollouts.
pub(crate) fn rollouts(layout: &Layout, app: App) -> String {
    format!(
        "aws ecs list-service-deployments --cluster {} --service {}",
        layout.cluster(),
        layout.service(app)
    )
}

/// Sets the desired count of a service.
pub(crate) fn set_desired(layout: &Layout, app: App, count: u32) -> String {
    format!(
        "aws ecs update-service --cluster {} --service {} --desired-count {count}",
        layout.cluster(),
        layout.service(app)
    )
}

/// Replaces the tasks of a service, which then read secrets and pull tags anew.
pub(crate) fn redeploy(layout: &Layout, app: App) -> String {
    format!(
        "aws ecs update-service --cluster {} --service {} --force-new-deployment",
        layout.cluster(),
        layout.service(app)
    )
}

/// Everything ECS knows about a task.
pub(crate) fn task(layout: &Layout, task: &str) -> String {
    format!(
        "aws ecs describe-tasks --cluster {} --tasks {task}",
        layout.cluster()
    )
}

/// Every line of one container of a task.
pub(crate) fn container_log(layout: &Layout, app: App, container: &str, task: &str) -> String {
    format!(
        "aws logs get-log-events --log-group-name {} --log-stream-name {}/{container}/{task} --query 'events[].message' --output text",
        layout.log_group(app),
        Layout::log_stream_prefix(container)
    )
}

/// The lines of the last half hour that match a filter pattern.
pub(crate) fn tail(layout: &Layout, app: App, pattern: &str) -> String {
    format!(
        "aws logs tail {} --since 30m --filter-pattern '{pattern}'",
        layout.log_group(app)
    )
}

/// What the workers of a fleet log.
pub(crate) fn worker_log(layout: &Layout, fleet: &FleetId) -> String {
    format!("aws logs tail {} --since 30m", layout.fleet_log_group(fleet))
}

/// The newest images of a repository.
pub(crate) fn images(repository: &str) -> String {
    format!(
        "aws ecr describe-images --repository-name {repository} --query 'sort_by(imageDetails,&imagePushedAt)[-10:].[imagePushedAt,imageTags]' --output text"
    )
}

/// Gives an existing image one more tag.
pub(crate) fn retag(repository: &str, existing: &str, wanted: &str) -> String {
    format!(
        "aws ecr put-image --repository-name {repository} --image-tag {wanted} --image-manifest \"$(aws ecr batch-get-image --repository-name {repository} --image-ids imageTag={existing} --query 'images[0].imageManifest' --output text)\""
    )
}

/// The health of every target of a group.
pub(crate) fn target_health(group: &str) -> String {
    format!("aws elbv2 describe-target-health --target-group-arn {group}")
}

/// State and load of the database instance.
pub(crate) fn database(id: &str) -> String {
    format!(
        "aws rds describe-db-instances --db-instance-identifier {id} --query 'DBInstances[].[DBInstanceStatus,DBInstanceClass,AllocatedStorage,MaxAllocatedStorage]' --output text"
    )
}

/// Which rules a security group has for incoming traffic.
pub(crate) fn security_group(id: &str) -> String {
    format!(
        "aws ec2 describe-security-groups --group-ids {id} --query 'SecurityGroups[].IpPermissions[].[FromPort,ToPort,UserIdGroupPairs[].GroupId]'"
    )
}

/// The security groups of a service's tasks.
pub(crate) fn service_security_groups(layout: &Layout, app: App) -> String {
    format!(
        "aws ecs describe-services --cluster {} --services {} --query 'services[].networkConfiguration.awsvpcConfiguration.securityGroups[]' --output text",
        layout.cluster(),
        layout.service(app)
    )
}

/// The last scaling activities of a fleet.
pub(crate) fn activities(layout: &Layout, fleet: &FleetId) -> String {
    format!(
        "aws autoscaling describe-scaling-activities --auto-scaling-group-name {} --max-items 10 --query 'Activities[].[StartTime,StatusCode,StatusMessage]' --output text",
        layout.auto_scaling_group(fleet)
    )
}

/// Capacity, queue, workers, pointers and alarms of a fleet.
pub(crate) fn fleet_status(fleet: &FleetId) -> String {
    format!("bpctl fleet status {fleet}")
}

/// Takes a fleet to zero.
pub(crate) fn fleet_to_zero(fleet: &FleetId) -> String {
    format!("bpctl fleet scale-to-zero {fleet}")
}

/// Puts the stack's resources back to what the code says; run in the infrastructure folder.
pub(crate) fn cdk_deploy(stack: &str) -> String {
    format!("npx cdk deploy {stack}")
}

/// When and why an alarm changed its state.
pub(crate) fn alarm_history(alarm: &str) -> String {
    format!(
        "aws cloudwatch describe-alarm-history --alarm-name {alarm} --history-item-type StateUpdate --max-items 5"
    )
}

/// The failed events of a stack.
pub(crate) fn stack_events(stack: &str) -> String {
    format!(
        "aws cloudformation describe-stack-events --stack-name {stack} --query \"StackEvents[?contains(ResourceStatus,'FAILED')].[Timestamp,LogicalResourceId,ResourceStatusReason]\" --output text"
    )
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
            set_desired(&staged, App::Backend, 2),
            "aws ecs update-service --cluster bp-staging --service bp-staging-backend --desired-count 2"
        );
        assert_eq!(
            container_log(&single, App::Backend, "php-fpm", "0a1b"),
            "aws logs get-log-events --log-group-name /ecs/bp-backend --log-stream-name php/php-fpm/0a1b \
             --query 'events[].message' --output text"
        );
        assert_eq!(
            tail(&staged, App::Frontend, "?ERROR"),
            "aws logs tail /ecs/bp-frontend-staging --since 30m --filter-pattern '?ERROR'"
        );
    }
}
