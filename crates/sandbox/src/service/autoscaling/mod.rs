//! EC2 Auto Scaling: groups that follow their desired capacity, and the policies that move it.

mod activity;
mod capacity_api;
mod describe;
mod group;
mod lifecycle;
mod policy;
mod refresh;
mod refresh_api;
mod stack;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use group::{Group, GroupSpec, Image, Instance, LifecycleState};
pub(crate) use lifecycle::tick;
pub(crate) use policy::{Policy, PolicyKind, invoke_policies, is_policy, policy_arn};
pub(crate) use stack::{
    Change, TemplateUse, change_group, change_policy, connect, delete_group, delete_policy, disconnect,
    make_group, put_policy,
};

use crate::error::ApiError;
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

/// Groups by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    groups: BTreeMap<String, Group>,
    /// When the next thing happens by itself in any group.
    due: SimTime,
    /// Changes whenever instances may have come, gone or changed their state.
    generation: u64,
}

operations! {
    Write CancelInstanceRefresh => refresh_api::cancel_instance_refresh,
    Read DescribeAutoScalingGroups => describe::describe_auto_scaling_groups,
    Read DescribeAutoScalingInstances => describe::describe_auto_scaling_instances,
    Read DescribeInstanceRefreshes => refresh_api::describe_instance_refreshes,
    Read DescribeLifecycleHooks => describe::describe_lifecycle_hooks,
    Read DescribePolicies => policy::describe_policies,
    Read DescribeScalingActivities => activity::describe_scaling_activities,
    Read DescribeScheduledActions => describe::describe_scheduled_actions,
    Write ResumeProcesses => capacity_api::resume_processes,
    Write RollbackInstanceRefresh => refresh_api::rollback_instance_refresh,
    Write SetDesiredCapacity => capacity_api::set_desired_capacity,
    Write SetInstanceProtection => capacity_api::set_instance_protection,
    Write StartInstanceRefresh => refresh_api::start_instance_refresh,
    Write SuspendProcesses => capacity_api::suspend_processes,
    Write TerminateInstanceInAutoScalingGroup => capacity_api::terminate_instance,
    Write UpdateAutoScalingGroup => capacity_api::update_auto_scaling_group,
}

/// The group with this name.
pub(crate) fn group<'a>(world: &'a World, name: &str) -> Option<&'a Group> {
    world.services.autoscaling.groups.get(name)
}

/// Every group of the region.
pub(crate) fn groups(world: &World) -> impl Iterator<Item = &Group> {
    world.services.autoscaling.groups.values()
}

/// The group with this name, to be changed; it is looked at again with the next tick.
pub(crate) fn group_mut<'a>(world: &'a mut World, name: &str) -> Option<&'a mut Group> {
    let state = &mut world.services.autoscaling;
    state.due = SimTime(0);
    state.groups.get_mut(name)
}

/// Creates a group with `workers` instances that have been in service since `since`.
pub(crate) fn create_group(world: &mut World, spec: GroupSpec, workers: u32, since: SimTime) {
    group::create(world, spec, workers, since);
}

/// Somebody terminates an instance past its group: the next health check finds it gone. The state that it had.
pub(crate) fn reclaim(world: &mut World, group: &str, instance: &str) -> Option<LifecycleState> {
    let now = world.now;
    let group = group_mut(world, group)?;
    let found = group.instances.iter_mut().find(|known| known.id == instance)?;
    let before = found.state;
    if before != LifecycleState::Terminating {
        found.reclaimed = Some(now);
    }
    Some(before)
}

/// A number that changes whenever instances may have come, gone or changed their state.
pub(crate) fn generation(world: &World) -> u64 {
    world.services.autoscaling.generation
}

/// Sets whether an instance is protected from scale-in, as its own worker does. Returns whether the
/// group has been waiting for that: then the instance is about to go.
pub(crate) fn protect(world: &mut World, group: &str, instance: &str, protected: bool) -> bool {
    let now = world.now;
    let state = &mut world.services.autoscaling;
    let Some(group) = state.groups.get_mut(group) else {
        return false;
    };
    if group.holds_protection {
        return false;
    }
    group.protect(instance, protected);
    let surplus = group.active().count() > group.desired as usize;
    let refreshed = group
        .active_refresh()
        .is_some_and(|refresh| refresh.waits_for(instance));
    let waits = !protected && (surplus || refreshed);
    if waits {
        if surplus {
            group.look_at(now);
        }
        if let Some(refresh) = group.refreshes.front_mut().filter(|_| refreshed) {
            refresh.next = now;
        }
        state.due = SimTime(0);
    }
    waits
}

/// The desired capacity of a group, `None` when there is no such group.
pub(crate) fn desired_capacity(world: &World, name: &str) -> Option<u32> {
    group(world, name).map(|group| group.desired)
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

fn no_group(name: &str) -> ApiError {
    validation(format!(
        "AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
    ))
}

/// The page size that a request asks for.
fn max_records(input: &Value, default: u64, most: u64) -> Result<usize, ApiError> {
    let limit = input["MaxRecords"].as_u64().unwrap_or(default);
    if limit == 0 || limit > most {
        return Err(validation(format!(
            "1 validation error detected: Value '{limit}' at 'maxRecords' failed to satisfy constraint: \
             Member must have value {} than or equal to {}",
            if limit == 0 { "greater" } else { "less" },
            if limit == 0 { 1 } else { most },
        )));
    }
    Ok(usize::try_from(limit).unwrap_or(50))
}

fn bad_token() -> ApiError {
    ApiError::client("InvalidNextToken", "The token is not valid.")
}

#[cfg(test)]
mod refresh_tests;
#[cfg(test)]
mod tests;
