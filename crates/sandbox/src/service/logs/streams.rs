//! DescribeLogGroups and DescribeLogStreams.

use serde_json::{Value, json};

use super::{Stream, group_arn, group_named, invalid};
use crate::error::OpResult;
use crate::service::member::{flag, integer, page, present, text};
use crate::time::SimTime;
use crate::world::World;

/// DescribeLogGroups and DescribeLogStreams list 50 a page (API reference).
const PAGE: i64 = 50;

pub(super) fn describe_groups(world: &World, input: &Value) -> OpResult {
    let prefix = text(input, "logGroupNamePrefix").unwrap_or_default();
    let pattern = text(input, "logGroupNamePattern")
        .unwrap_or_default()
        .to_lowercase();
    let groups: Vec<Value> = world
        .services
        .logs
        .groups
        .iter()
        .filter(|(name, _)| name.starts_with(prefix) && name.to_lowercase().contains(&pattern))
        .map(|(name, group)| {
            let bytes: usize = group
                .streams
                .values()
                .flat_map(|stream| stream.arrived(world.now))
                .map(|event| event.message.len() + 26)
                .sum();
            json!({
                "logGroupName": name,
                "creationTime": group.created.0,
                "retentionInDays": (group.retention_days > 0).then_some(group.retention_days),
                "metricFilterCount": 0,
                "arn": format!("{}:*", group_arn(world, name)),
                "logGroupArn": group_arn(world, name),
                "storedBytes": bytes,
                "logGroupClass": "STANDARD",
            })
        })
        .collect();
    let size = integer(input, "limit").unwrap_or(PAGE).clamp(1, PAGE) as usize;
    let (groups, next) = page(groups, text(input, "nextToken"), size, || {
        invalid("The specified nextToken is invalid.")
    })?;
    Ok(present(json!({"logGroups": groups, "nextToken": next})))
}

pub(super) fn describe_streams(world: &World, input: &Value) -> OpResult {
    let (group_name, group) = group_named(world, input)?;
    let prefix = text(input, "logStreamNamePrefix");
    let by_time = text(input, "orderBy") == Some("LastEventTime");
    if by_time && prefix.is_some() {
        return Err(invalid(
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ));
    }
    let mut found: Vec<(&String, &Stream, SimTime)> = group
        .streams
        .iter()
        .filter(|(name, _)| prefix.is_none_or(|prefix| name.starts_with(prefix)))
        .filter_map(|(name, stream)| {
            let created = stream.created(world.now)?;
            let last = stream.arrived(world.now).last();
            Some((name, stream, last.map_or(created, |last| last.at)))
        })
        .collect();
    if by_time {
        found.sort_by_key(|(_, _, last)| *last);
    }
    if flag(input, "descending").unwrap_or(false) {
        found.reverse();
    }
    let arn = group_arn(world, group_name);
    let streams: Vec<Value> = found
        .into_iter()
        .map(|(name, stream, _)| described(&arn, name, stream, world.now))
        .collect();
    let size = integer(input, "limit").unwrap_or(PAGE).clamp(1, PAGE) as usize;
    let (streams, next) = page(streams, text(input, "nextToken"), size, || {
        invalid("The specified nextToken is invalid.")
    })?;
    Ok(present(json!({"logStreams": streams, "nextToken": next})))
}

fn described(group_arn: &str, name: &str, stream: &Stream, now: SimTime) -> Value {
    let arrived = stream.arrived(now);
    let first = arrived.first();
    let last = arrived.last();
    json!({
        "logStreamName": name,
        "creationTime": stream.created(now).map(|created| created.0),
        "firstEventTimestamp": first.map(|event| event.at.0),
        "lastEventTimestamp": last.map(|event| event.at.0),
        "lastIngestionTime": last.map(|event| event.ingested.0),
        "uploadSequenceToken": last.map(|event| format!("{:056}", event.sequence)),
        "arn": format!("{group_arn}:log-stream:{name}"),
        "storedBytes": 0,
    })
}
