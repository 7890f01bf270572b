//! The operations that change a group: capacity, bounds, protection, processes.

use std::time::Duration;

use serde_json::{Value, json};

use super::group::{BY_USER, Group, LifecycleState, seconds};
use super::{lifecycle, no_group, validation};
use crate::error::{ApiError, OpResult};
use crate::service::paging::strings;
use crate::world::World;

/// The group's default cooldown.
const COOLDOWN: Duration = Duration::from_secs(300);
/// Instances that one request may protect.
const MOST_INSTANCES: usize = 50;
/// "Suspend and resume Amazon EC2 Auto Scaling processes".
const PROCESSES: [&str; 9] = [
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
];

fn named<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Group, ApiError> {
    let name = input["AutoScalingGroupName"].as_str().unwrap_or_default();
    super::group_mut(world, name).ok_or_else(|| no_group(name))
}

/// A non-negative whole number of the input.
fn number(input: &Value, member: &str) -> Option<u32> {
    input[member]
        .as_i64()
        .map(|number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

pub(super) fn set_desired_capacity(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let group = named(world, input)?;
    let desired = number(input, "DesiredCapacity").unwrap_or_default();
    let name = &group.spec.name;
    if desired > group.max {
        return Err(validation(format!(
            "New SetDesiredCapacity value {desired} is above max value {} for the AutoScalingGroup.",
            group.max
        )));
    }
    if desired < group.min {
        return Err(validation(format!(
            "New SetDesiredCapacity value {desired} is below min value {} for the AutoScalingGroup.",
            group.min
        )));
    }
    let cooling = group.last_scaling.is_some_and(|at| now < at + COOLDOWN);
    if input["HonorCooldown"].as_bool().unwrap_or(false) && cooling {
        return Err(ApiError::client(
            "ScalingActivityInProgress",
            match group.activities.front() {
                Some(activity) => format!(
                    "Scaling activity {} is in progress and blocks this action",
                    activity.id
                ),
                None => format!("AutoScalingGroup {name} is in its cooldown period"),
            },
        ));
    }
    group.set_desired(desired, now, BY_USER);
    Ok(json!({}))
}

pub(super) fn update_auto_scaling_group(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let group = named(world, input)?;
    let min = number(input, "MinSize").unwrap_or(group.min);
    let max = number(input, "MaxSize").unwrap_or(group.max);
    if max < min {
        return Err(validation(format!(
            "Max bound, {max}, must be greater than or equal to min bound, {min}"
        )));
    }
    let desired = match number(input, "DesiredCapacity") {
        Some(desired) if (min..=max).contains(&desired) => desired,
        Some(desired) => {
            return Err(validation(format!(
                "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
            )));
        }
        // New bounds move the desired capacity with them.
        None => group.desired.clamp(min, max),
    };
    group.min = min;
    group.max = max;
    if let Some(warmup) = number(input, "DefaultInstanceWarmup") {
        group.spec.warmup = Duration::from_secs(u64::from(warmup));
    }
    let by = format!(
        "a user request update of AutoScalingGroup constraints to min: {min}, max: {max}, desired: {desired}"
    );
    group.set_desired(desired, now, &by);
    Ok(json!({}))
}

pub(super) fn set_instance_protection(world: &mut World, input: &Value) -> OpResult {
    let ids = strings(input, "InstanceIds");
    if ids.len() > MOST_INSTANCES {
        return Err(validation(format!(
            "1 validation error detected: Value at 'instanceIds' failed to satisfy constraint: Member must have \
             length less than or equal to {MOST_INSTANCES}"
        )));
    }
    let group = named(world, input)?;
    let protected = input["ProtectedFromScaleIn"].as_bool().unwrap_or(false);
    if let Some(stranger) = ids
        .iter()
        .find(|id| !group.instances.iter().any(|instance| instance.id == **id))
    {
        return Err(validation(format!(
            "The instance {stranger} is not part of Auto Scaling group {}.",
            group.spec.name
        )));
    }
    for id in ids {
        group.protect(id, protected);
    }
    Ok(json!({}))
}

/// "Terminates the specified instance and optionally adjusts the desired group size" (API reference). Scale-in
/// protection does not keep an instance from it ("Use instance scale-in protection").
pub(super) fn terminate_instance(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let id = input["InstanceId"].as_str().unwrap_or_default();
    let decrement = input["ShouldDecrementDesiredCapacity"].as_bool().unwrap_or(false);
    let named = super::groups(world)
        .find(|group| group.instances.iter().any(|instance| instance.id == id))
        .map(|group| group.spec.name.clone());
    let Some(name) = named else {
        return Err(validation(format!(
            "Instance Id not found - No managed instance found for instance ID: {id}"
        )));
    };
    super::group_mut(world, &name);
    let World { ids, services, .. } = world;
    let Some(group) = services.autoscaling.groups.get_mut(&name) else {
        return Err(no_group(&name));
    };
    let at = group
        .instances
        .iter()
        .position(|instance| instance.id == id)
        .unwrap_or_default();
    if group.instances[at].state == LifecycleState::Terminating {
        // The activity that is under way already is what the second request gets.
        let running = group.instances[at].activity.clone();
        let activity = group
            .activities
            .iter()
            .find(|activity| Some(&activity.id) == running.as_ref());
        let shown = activity.map(|activity| activity.shown(&name, &group.arn));
        return Ok(json!({ "Activity": shown }));
    }
    if decrement && group.desired <= group.min {
        return Err(validation(format!(
            "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate \
             group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's \
             min size.",
            group.min
        )));
    }
    let when = seconds(now);
    let mut cause = format!("At {when} instance {id} was taken out of service in response to a user request");
    if decrement {
        let fewer = group.desired - 1;
        cause.push_str(&format!(
            ", shrinking the capacity from {} to {fewer}",
            group.desired
        ));
        group.desired = fewer;
        group.last_scaling = Some(now);
    }
    cause.push('.');
    lifecycle::terminate(group, at, cause, ids, now);
    if !decrement {
        group.look_at(now + Duration::from_secs(10));
    }
    let shown = group
        .activities
        .front()
        .map(|activity| activity.shown(&name, &group.arn));
    services.autoscaling.generation += 1;
    Ok(json!({ "Activity": shown }))
}

/// The processes that a request names; all of them when it names none.
fn processes(input: &Value) -> Result<Vec<String>, ApiError> {
    let named = strings(input, "ScalingProcesses");
    if let Some(unknown) = named.iter().find(|name| !PROCESSES.contains(name)) {
        return Err(validation(format!(
            "{unknown} is not a valid scaling process. Valid processes are: {}",
            PROCESSES.join(", ")
        )));
    }
    let names = if named.is_empty() {
        PROCESSES.to_vec()
    } else {
        named
    };
    Ok(names.into_iter().map(str::to_owned).collect())
}

pub(super) fn suspend_processes(world: &mut World, input: &Value) -> OpResult {
    let names = processes(input)?;
    let when = super::group::seconds(world.now);
    let group = named(world, input)?;
    for name in names {
        if !group.is_suspended(&name) {
            group.suspended.push((name, format!("User suspended at {when}")));
        }
    }
    Ok(json!({}))
}

pub(super) fn resume_processes(world: &mut World, input: &Value) -> OpResult {
    let names = processes(input)?;
    let now = world.now;
    let group = named(world, input)?;
    group.suspended.retain(|(name, _)| !names.contains(name));
    // What was held back while the processes were suspended is made up for.
    group.look_at(now + Duration::from_secs(5));
    Ok(json!({}))
}
