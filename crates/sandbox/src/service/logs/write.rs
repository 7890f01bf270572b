//! CreateLogGroup, PutRetentionPolicy, CreateLogStream and PutLogEvents.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Event, Stream, create_group, invalid};
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, list, present, text};
use crate::time::SimTime;
use crate::world::World;

/// A batch: the sum of all messages and 26 bytes for each (API Reference, PutLogEvents).
const LARGEST: usize = 1_048_576;
pub(super) const OVERHEAD: usize = 26;
/// Older events, or those from before the group's retention period, are not kept.
const OLDEST: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Events that lie further in the future are not kept.
const FUTURE: Duration = Duration::from_secs(2 * 60 * 60);

pub(super) fn group(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "logGroupName").unwrap_or_default();
    if world.services.logs.groups.contains_key(name) {
        return Err(exists("group"));
    }
    // A new group keeps its events for ever.
    create_group(world, name, 0);
    Ok(json!({}))
}

/// Days that a group can keep its events for (API Reference, PutRetentionPolicy).
const DAYS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

pub(super) fn retention(world: &mut World, input: &Value) -> OpResult {
    let days = integer(input, "retentionInDays").unwrap_or_default();
    if !DAYS.contains(&days) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must \
             satisfy enum value set"
        )));
    }
    let name = text(input, "logGroupName").unwrap_or_default();
    match super::retain(world, name, days as u32) {
        true => Ok(json!({})),
        false => Err(missing("group")),
    }
}

/// A group goes with its streams and all that is in them.
pub(super) fn delete_group(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "logGroupName").unwrap_or_default();
    match world.services.logs.groups.remove(name) {
        Some(_) => Ok(json!({})),
        None => Err(missing("group")),
    }
}

pub(super) fn stream(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let group = text(input, "logGroupName").unwrap_or_default();
    let name = text(input, "logStreamName").unwrap_or_default();
    let group = world
        .services
        .logs
        .groups
        .get_mut(group)
        .ok_or_else(|| missing("group"))?;
    let stream = group.streams.entry(name.to_owned()).or_default();
    if stream.created(now).is_some() {
        return Err(exists("stream"));
    }
    stream.opened = Some(now);
    Ok(json!({}))
}

pub(super) fn events(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let batch = list(input, "logEvents");
    let events: Vec<(SimTime, &str)> = batch
        .iter()
        .map(|event| {
            let at = SimTime(integer(event, "timestamp").unwrap_or_default());
            (at, text(event, "message").unwrap_or_default())
        })
        .collect();
    let bytes: usize = events.iter().map(|(_, message)| message.len() + OVERHEAD).sum();
    if bytes > LARGEST {
        return Err(invalid(format!(
            "Upload too large: {bytes} bytes exceeds limit of {LARGEST}"
        )));
    }
    if !events.is_sorted_by_key(|(at, _)| *at) {
        return Err(invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    let state = &mut world.services.logs;
    let group = state
        .groups
        .get_mut(text(input, "logGroupName").unwrap_or_default())
        .ok_or_else(|| missing("group"))?;
    let stream = group
        .streams
        .get_mut(text(input, "logStreamName").unwrap_or_default())
        .filter(|stream| stream.created(now).is_some())
        .ok_or_else(|| missing("stream"))?;
    let days = u64::from(group.retention_days);
    let kept = Duration::from_secs(days * 24 * 60 * 60);
    let expired = events.partition_point(|(at, _)| days > 0 && now.since(*at) > kept);
    let old = events.partition_point(|(at, _)| now.since(*at) > OLDEST);
    let new = events.partition_point(|(at, _)| at.since(now) <= FUTURE);
    let first = old.max(expired).min(new);
    for (at, message) in &events[first..new] {
        state.sequence += 1;
        push(stream, state.sequence, *at, now, message);
    }
    let index = |at: usize, of: bool| if of { json!(at) } else { Value::Null };
    let rejected = old > 0 || expired > 0 || new < events.len();
    let info = json!({
        "tooOldLogEventEndIndex": index(old, old > 0),
        "expiredLogEventEndIndex": index(expired, expired > 0),
        "tooNewLogEventStartIndex": index(new, new < events.len()),
    });
    Ok(present(json!({
        "nextSequenceToken": format!("{:056}", state.sequence),
        "rejectedLogEventsInfo": if rejected { info } else { Value::Null },
    })))
}

/// Batches may be older than those before them; they arrive one after the other all the same.
fn push(stream: &mut Stream, sequence: u64, at: SimTime, now: SimTime, message: &str) {
    let arrival = stream.events.partition_point(|event| event.ingested <= now);
    let event = Event {
        sequence,
        at,
        ingested: now,
        message: message.to_owned(),
    };
    stream.events.insert(arrival, event);
}

fn exists(what: &str) -> ApiError {
    ApiError::client(
        "ResourceAlreadyExistsException",
        format!("The specified log {what} already exists"),
    )
}

fn missing(what: &str) -> ApiError {
    ApiError::client(
        "ResourceNotFoundException",
        format!("The specified log {what} does not exist."),
    )
}
