//! `DescribeAlarms`, `DeleteAlarms` and `SetAlarmState`.

use fleet_scaling::alarm::AlarmState;
use serde_json::{Value, json};

use super::{actions, max_records, validation};
use crate::error::{ApiError, OpResult};
use crate::service::autoscaling;
use crate::service::paging::{page, strings};
use crate::world::World;

/// Names that one request may ask for.
const MOST_NAMES: usize = 100;

pub(super) fn describe_alarms(world: &mut World, input: &Value) -> OpResult {
    let limit = max_records(input, 50, 100)?;
    let names = strings(input, "AlarmNames");
    let prefix = input["AlarmNamePrefix"].as_str();
    if names.len() > MOST_NAMES {
        return Err(validation(format!(
            "1 validation error detected: Value '[{}]' at 'alarmNames' failed to satisfy constraint: Member must \
             have length less than or equal to {MOST_NAMES}",
            names.join(", ")
        )));
    }
    if prefix.is_some() && !names.is_empty() {
        return Err(validation(
            "AlarmNamePrefix and AlarmNames cannot be specified at the same time",
        ));
    }
    let types = strings(input, "AlarmTypes");
    let state = input["StateValue"].as_str();
    let action = input["ActionPrefix"].as_str();
    let found: Vec<Value> = if types.is_empty() || types.contains(&"MetricAlarm") {
        world
            .services
            .cloudwatch
            .alarms
            .values()
            .filter(|alarm| {
                let spec = &alarm.spec;
                (names.is_empty() || names.contains(&spec.name.as_str()))
                    && prefix.is_none_or(|prefix| spec.name.starts_with(prefix))
                    && state.is_none_or(|state| alarm.state.name() == state)
                    && action.is_none_or(|prefix| {
                        spec.alarm_actions
                            .iter()
                            .chain(&spec.ok_actions)
                            .any(|arn| arn.starts_with(prefix))
                    })
            })
            .map(super::Alarm::shown)
            .collect()
    } else {
        Vec::new()
    };
    let (alarms, next) = page(found, input["NextToken"].as_str(), limit)
        .map_err(|_| ApiError::client("InvalidNextToken", "The next token specified is invalid."))?;
    let mut output = json!({ "CompositeAlarms": [], "MetricAlarms": alarms });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

/// Deletes all of the alarms, or none: "If this operation results in an error, no alarms are deleted" (API Reference,
/// DeleteAlarms). Names without an alarm are no error.
pub(super) fn delete_alarms(world: &mut World, input: &Value) -> OpResult {
    for name in strings(input, "AlarmNames")
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>()
    {
        autoscaling::disconnect(world, &name);
        super::delete_alarm(world, &name);
    }
    Ok(json!({}))
}

/// Sets a state that lasts until the next evaluation; its actions are carried out.
pub(super) fn set_alarm_state(world: &mut World, input: &Value) -> OpResult {
    let name = input["AlarmName"].as_str().unwrap_or_default();
    let wanted: AlarmState = input["StateValue"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .map_err(|_| {
            validation(format!(
                "1 validation error detected: Value '{}' at 'stateValue' failed to satisfy constraint: Member must \
                 satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
                input["StateValue"].as_str().unwrap_or_default()
            ))
        })?;
    let now = world.now;
    let Some(alarm) = world.services.cloudwatch.alarms.get_mut(name) else {
        return Err(ApiError::client("ResourceNotFound", "").with_status(404));
    };
    let before = alarm.state;
    alarm.state = wanted;
    alarm.reason = input["StateReason"].as_str().unwrap_or_default().to_owned();
    alarm.reason_data = input["StateReasonData"].as_str().map(str::to_owned);
    alarm.updated = now;
    if before == wanted {
        return Ok(json!({}));
    }
    alarm.transitioned = now;
    let policies: Vec<_> = match wanted {
        AlarmState::Alarm if alarm.spec.actions_enabled => &alarm.spec.alarm_actions[..],
        _ => &[],
    }
    .iter()
    .filter(|action| autoscaling::is_policy(action))
    .map(|action| (action.clone(), name.to_owned()))
    .collect();
    actions::announce(world, name, before);
    if !policies.is_empty() {
        autoscaling::invoke_policies(world, &policies);
    }
    Ok(json!({}))
}
