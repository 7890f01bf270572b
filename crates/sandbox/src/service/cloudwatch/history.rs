//! What happened to alarms: state changes, actions, new configurations.

use serde_json::{Value, json};

use super::max_records;
use crate::error::{ApiError, OpResult};
use crate::service::paging::page;
use crate::time::SimTime;
use crate::world::World;

pub(super) const CONFIGURATION_UPDATE: &str = "ConfigurationUpdate";
pub(super) const STATE_UPDATE: &str = "StateUpdate";
pub(super) const ACTION: &str = "Action";

/// Alarm history is kept for 30 days; the sandbox keeps the newest of it.
const MOST_ITEMS: usize = 20_000;

/// One item of the history of an alarm.
#[derive(Clone, Debug)]
pub(super) struct HistoryItem {
    pub(super) alarm: String,
    pub(super) at: SimTime,
    pub(super) kind: &'static str,
    pub(super) summary: String,
    pub(super) data: Value,
}

pub(super) fn add(world: &mut World, item: HistoryItem) {
    let history = &mut world.services.cloudwatch.history;
    history.push(item);
    if history.len() > MOST_ITEMS {
        history.drain(..MOST_ITEMS / 10);
    }
}

pub(super) fn describe_alarm_history(world: &mut World, input: &Value) -> OpResult {
    let limit = max_records(input, 100, 100)?;
    let alarm = input["AlarmName"].as_str();
    let kind = input["HistoryItemType"].as_str();
    let from = input["StartDate"].as_f64().map(SimTime::from_epoch_seconds);
    let to = input["EndDate"].as_f64().map(SimTime::from_epoch_seconds);
    let mut items: Vec<Value> = world
        .services
        .cloudwatch
        .history
        .iter()
        .filter(|item| {
            alarm.is_none_or(|name| item.alarm == name)
                && kind.is_none_or(|kind| item.kind == kind)
                && from.is_none_or(|from| item.at >= from)
                && to.is_none_or(|to| item.at <= to)
        })
        .map(|item| {
            json!({
                "AlarmName": item.alarm,
                "AlarmType": "MetricAlarm",
                "Timestamp": item.at.epoch_seconds(),
                "HistoryItemType": item.kind,
                "HistorySummary": item.summary,
                "HistoryData": item.data.to_string(),
            })
        })
        .collect();
    if input["ScanBy"].as_str() != Some("TimestampAscending") {
        items.reverse();
    }
    let (items, next) = page(items, input["NextToken"].as_str(), limit)
        .map_err(|_| ApiError::client("InvalidNextToken", "The next token specified is invalid."))?;
    let mut output = json!({ "AlarmHistoryItems": items });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}
