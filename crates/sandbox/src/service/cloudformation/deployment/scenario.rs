//! How deployments fail in the scenarios that are about them.

use super::{Goal, Job};
use crate::scenario::Scenario;
use crate::world::World;

/// Why a service refuses what a deployment asks of it.
pub(super) fn refuses(world: &mut World, goal: Goal, job: &Job) -> Option<String> {
    let group = job.kind == "AWS::AutoScaling::AutoScalingGroup";
    let fails = match goal {
        Goal::Create => world.has(Scenario::StackCreateFails),
        _ => world.has(Scenario::StackRollbackFailed),
    };
    (group && fails).then(|| {
        denied(
            world,
            if goal == Goal::Create {
                "CreateAutoScalingGroup"
            } else {
                "UpdateAutoScalingGroup"
            },
        )
    })
}

/// Why a service refuses to take it back.
pub(super) fn refuses_to_go_back(world: &mut World, kind: &str) -> Option<String> {
    let fails = kind == "AWS::AutoScaling::AutoScalingGroup" && world.has(Scenario::StackRollbackFailed);
    fails.then(|| denied(world, "UpdateAutoScalingGroup"))
}

fn denied(world: &mut World, action: &str) -> String {
    let account = world.options.account_id.clone();
    let [request, token] = [world.ids.uuid(), world.ids.uuid()];
    format!(
        "Resource handler returned message: \"User: arn:aws:sts::{account}:assumed-role/cdk-hnb659fds-cfn-exec-role/\
         AWSCloudFormation is not authorized to perform: autoscaling:{action} because no identity-based policy allows the \
         autoscaling:{action} action (Service: AutoScaling, Status Code: 403, Request ID: {request})\" (RequestToken: \
         {token}, HandlerErrorCode: AccessDenied)"
    )
}
