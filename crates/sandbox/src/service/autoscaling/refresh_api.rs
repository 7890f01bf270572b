//! The operations of instance refreshes.

use std::time::Duration;

use serde_json::{Value, json};

use super::group::Group;
use super::refresh::{Preferences, Protected, Refresh, Status};
use super::{bad_token, max_records, no_group, validation};
use crate::error::{ApiError, OpResult};
use crate::service::member::present;
use crate::service::paging::{page, strings};
use crate::time::SimTime;
use crate::world::World;

/// "If you do not specify this property, the default is 90 percent" (RefreshPreferences).
const MIN_HEALTHY: u32 = 90;
/// "the CheckpointDelay defaults to 3600 (1 hour)" (RefreshPreferences).
const CHECKPOINT_DELAY: u64 = 3600;

/// Members of a request that change what a refresh does and that this account does not simulate.
const ELSEWHERE: [&str; 4] = [
    "MaxHealthyPercentage",
    "AlarmSpecification",
    "BakeTime",
    "StandbyInstances",
];

fn number(input: &Value, member: &str) -> Option<u32> {
    input[member]
        .as_i64()
        .map(|number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

fn preferences(group: &Group, input: &Value) -> Result<Preferences, ApiError> {
    let wanted = &input["Preferences"];
    let simulated = |member: &&&str| !wanted[**member].is_null();
    if let Some(member) = ELSEWHERE.iter().find(simulated) {
        return Err(validation(format!("The sandbox does not simulate {member}.")));
    }
    let replaces_volumes = input["Strategy"]
        .as_str()
        .is_some_and(|strategy| strategy != "Rolling");
    if replaces_volumes || !input["DesiredConfiguration"].is_null() {
        return Err(validation(
            "The sandbox does not simulate desired configurations and other strategies than Rolling.",
        ));
    }
    if wanted["AutoRollback"].as_bool().unwrap_or(false) {
        return Err(validation(
            "AutoRollback cannot be set to true when the DesiredConfiguration property is empty",
        ));
    }
    let checkpoints: Vec<u32> = wanted["CheckpointPercentages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|percent| u32::try_from(percent.as_i64()?).ok())
        .collect();
    if !checkpoints.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(validation(
            "CheckpointPercentages must be unique and in ascending order.",
        ));
    }
    if checkpoints.is_empty() && !wanted["CheckpointDelay"].is_null() {
        return Err(validation(
            "CheckpointPercentages must be specified when CheckpointDelay is specified.",
        ));
    }
    let delay = wanted["CheckpointDelay"].as_u64().unwrap_or(CHECKPOINT_DELAY);
    Ok(Preferences {
        min_healthy: number(wanted, "MinHealthyPercentage").unwrap_or(MIN_HEALTHY),
        warmup: wanted["InstanceWarmup"]
            .as_u64()
            .map_or(group.spec.warmup, Duration::from_secs),
        checkpoints,
        checkpoint_delay: Duration::from_secs(delay),
        skip_matching: wanted["SkipMatching"].as_bool().unwrap_or(false),
        protected: match wanted["ScaleInProtectedInstances"].as_str() {
            Some("Refresh") => Protected::Refresh,
            Some("Ignore") => Protected::Ignore,
            _ => Protected::Wait,
        },
    })
}

pub(super) fn start_instance_refresh(world: &mut World, input: &Value) -> OpResult {
    let name = input["AutoScalingGroupName"].as_str().unwrap_or_default();
    let now = world.now;
    let id = world.ids.uuid();
    let group = super::group_mut(world, name).ok_or_else(|| no_group(name))?;
    if group.active_refresh().is_some() {
        return Err(ApiError::client(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
        ));
    }
    let preferences = preferences(group, input)?;
    group
        .refreshes
        .push_front(Refresh::new(id.clone(), preferences, now));
    Ok(json!({ "InstanceRefreshId": id }))
}

pub(super) fn cancel_instance_refresh(world: &mut World, input: &Value) -> OpResult {
    let name = input["AutoScalingGroupName"].as_str().unwrap_or_default();
    let now = world.now;
    let group = super::group_mut(world, name).ok_or_else(|| no_group(name))?;
    let none = || {
        ApiError::client(
            "ActiveInstanceRefreshNotFound",
            format!("No in progress or pending Instance Refresh found for Auto Scaling group {name}"),
        )
    };
    let refresh = group.refreshes.front_mut().ok_or_else(none)?;
    if refresh.status.is_over() {
        return Err(none());
    }
    refresh.status = Status::Cancelling;
    refresh.reason = None;
    refresh.next = now;
    if !input["WaitForTransitioningInstances"].as_bool().unwrap_or(true) {
        refresh.status = Status::Cancelled;
        refresh.end = Some(now);
        refresh.reason = Some(
            "Cancelled without waiting for ongoing instance launches and terminations due to user request."
                .to_owned(),
        );
    }
    Ok(json!({ "InstanceRefreshId": refresh.id }))
}

/// "A rollback is not supported" without a desired configuration and with an image that a parameter names, which is
/// how the platform's fleets are (RollbackInstanceRefresh).
pub(super) fn rollback_instance_refresh(world: &mut World, input: &Value) -> OpResult {
    let name = input["AutoScalingGroupName"].as_str().unwrap_or_default();
    let group = super::group_mut(world, name).ok_or_else(|| no_group(name))?;
    Err(match group.active_refresh() {
        None => ApiError::client(
            "ActiveInstanceRefreshNotFound",
            format!("No in progress or pending Instance Refresh found for Auto Scaling group {name}"),
        ),
        Some(_) => ApiError::client(
            "IrreversibleInstanceRefresh",
            "The instance refresh cannot be rolled back because no desired configuration was specified.",
        ),
    })
}

pub(super) fn describe_instance_refreshes(world: &mut World, input: &Value) -> OpResult {
    let limit = max_records(input, 50, 100)?;
    let ids = strings(input, "InstanceRefreshIds");
    let name = input["AutoScalingGroupName"].as_str().unwrap_or_default();
    let group = super::group(world, name).ok_or_else(|| no_group(name))?;
    let unknown = |id: &&&str| !group.refreshes.iter().any(|refresh| refresh.id == ***id);
    if let Some(id) = ids.iter().find(unknown) {
        return Err(validation(format!(
            "Instance Refresh {id} not found for Auto Scaling group {name}"
        )));
    }
    let found = group
        .refreshes
        .iter()
        .filter(|refresh| ids.is_empty() || ids.contains(&refresh.id.as_str()))
        .map(|refresh| shown(name, refresh))
        .collect();
    let (refreshes, next): (Vec<Value>, _) =
        page(found, input["NextToken"].as_str(), limit).map_err(|_| bad_token())?;
    Ok(present(
        json!({ "InstanceRefreshes": refreshes, "NextToken": next }),
    ))
}

fn shown(group: &str, refresh: &Refresh) -> Value {
    let wanted = &refresh.preferences;
    let begun = refresh.status != Status::Pending;
    json!({
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": group,
        "Status": refresh.status.name(),
        "StatusReason": refresh.reason,
        "StartTime": begun.then(|| refresh.start.epoch_seconds()),
        "EndTime": refresh.end.map(SimTime::epoch_seconds),
        "PercentageComplete": begun.then_some(refresh.complete),
        "InstancesToUpdate": begun.then_some(refresh.old.len()),
        "Strategy": "Rolling",
        "Preferences": {
            "MinHealthyPercentage": wanted.min_healthy,
            "InstanceWarmup": wanted.warmup.as_secs(),
            "CheckpointPercentages": (!wanted.checkpoints.is_empty()).then_some(&wanted.checkpoints),
            "CheckpointDelay": (!wanted.checkpoints.is_empty()).then_some(wanted.checkpoint_delay.as_secs()),
            "SkipMatching": wanted.skip_matching,
            "AutoRollback": false,
            "ScaleInProtectedInstances": match wanted.protected {
                Protected::Refresh => "Refresh",
                Protected::Ignore => "Ignore",
                Protected::Wait => "Wait",
            },
            "StandbyInstances": "Wait",
        },
    })
}
