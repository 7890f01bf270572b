//! DescribeEvents: what happened to the database lately.

use std::time::Duration;

use serde_json::{Value, json};

use super::arn;
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, page, present, text, texts};
use crate::time::SimTime;
use crate::world::World;

/// How far back events are told of unless the request says otherwise, and at most (API reference, DescribeEvents).
const USUALLY: Duration = Duration::from_secs(3600);
const KEPT: Duration = Duration::from_secs(14 * 86_400);

pub(super) fn describe_events(world: &World, input: &Value) -> OpResult {
    let named = |name: &str| {
        input
            .get(name)
            .and_then(Value::as_f64)
            .map(SimTime::from_epoch_seconds)
    };
    let lasting = integer(input, "Duration").and_then(|minutes| u64::try_from(minutes).ok());
    let span = lasting.map_or(USUALLY, |minutes| Duration::from_secs(60 * minutes));
    let end = named("EndTime").unwrap_or(world.now).min(world.now);
    let start = named("StartTime").unwrap_or(end - span).max(world.now - KEPT);
    let (source, kind) = (text(input, "SourceIdentifier"), text(input, "SourceType"));
    if source.is_some() && kind.is_none() {
        return Err(ApiError::client(
            "InvalidParameterCombination",
            "SourceType must be specified when SourceIdentifier is specified",
        ));
    }
    let categories = texts(input, "EventCategories");
    let mut events: Vec<(SimTime, Value)> = Vec::new();
    for snapshot in &world.services.rds.snapshots {
        let (id, instance, begun, ended) = snapshot.course();
        let steps = [
            (begun, "Backing up DB instance"),
            (ended, "Finished DB Instance backup"),
        ];
        for (at, message) in steps {
            events.push((
                at,
                event(world, instance, "db-instance", "db", message, "backup", at),
            ));
        }
        if !snapshot.is_automated() {
            let steps = [
                (begun, "Creating manual snapshot"),
                (ended, "Manual snapshot created"),
            ];
            for (at, message) in steps {
                events.push((
                    at,
                    event(world, id, "db-snapshot", "snapshot", message, "creation", at),
                ));
            }
        }
    }
    events.retain(|(at, shown)| {
        *at >= start
            && *at <= end
            && source.is_none_or(|source| shown["SourceIdentifier"] == *source)
            && kind.is_none_or(|kind| shown["SourceType"] == *kind)
            && (categories.is_empty() || categories.iter().any(|name| shown["EventCategories"][0] == *name))
    });
    events.sort_by_key(|(at, _)| *at);
    let events: Vec<Value> = events.into_iter().map(|(_, shown)| shown).collect();
    let size = integer(input, "MaxRecords").unwrap_or(100).clamp(20, 100) as usize;
    let (events, marker) = page(events, text(input, "Marker"), size, || {
        ApiError::client("InvalidParameterValue", "Invalid marker")
    })?;
    Ok(present(json!({ "Events": events, "Marker": marker })))
}

fn event(
    world: &World,
    id: &str,
    kind: &str,
    in_arn: &str,
    message: &str,
    category: &str,
    at: SimTime,
) -> Value {
    json!({
        "SourceIdentifier": id,
        "SourceType": kind,
        "SourceArn": arn(world, in_arn, id),
        "Message": message,
        "EventCategories": [category],
        "Date": at.epoch_seconds(),
    })
}
