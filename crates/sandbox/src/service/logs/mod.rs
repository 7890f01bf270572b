//! CloudWatch Logs: groups, streams and events that become visible some seconds after they happened.

mod live_tail;
mod pattern;
mod read;
mod streams;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::ApiError;
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

pub(crate) use live_tail::{Next, cut as cut_sessions, end as end_session, next as next_update};

/// Every log group of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    groups: BTreeMap<String, Group>,
    /// Counts every event, so that ids are unique and ordered.
    sequence: u64,
    /// Live Tail sessions by their ids.
    sessions: BTreeMap<String, live_tail::Session>,
}

#[derive(Debug)]
struct Group {
    created: SimTime,
    retention_days: u32,
    streams: BTreeMap<String, Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    /// When a log driver has created it; the first event does as well.
    opened: Option<SimTime>,
    /// In order of arrival.
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    sequence: u64,
    /// When the program wrote the line.
    at: SimTime,
    /// When CloudWatch Logs had it: no reader sees the event before.
    ingested: SimTime,
    message: String,
}

impl Stream {
    /// When the stream came into being, if it has by `now`.
    fn created(&self, now: SimTime) -> Option<SimTime> {
        let first = self.events.first().map(|event| event.ingested);
        let created = self.opened.into_iter().chain(first).min()?;
        (created <= now).then_some(created)
    }

    /// The events that have arrived by `now`.
    fn arrived(&self, now: SimTime) -> &[Event] {
        &self.events[..self.events.partition_point(|event| event.ingested <= now)]
    }
}

operations! {
    Write CreateLogGroup => write::group,
    Write CreateLogStream => write::stream,
    Write DeleteLogGroup => write::delete_group,
    Read DescribeLogGroups => streams::describe_groups,
    Read DescribeLogStreams => streams::describe_streams,
    Read FilterLogEvents => read::filter,
    Read GetLogEvents => read::get,
    Write PutLogEvents => write::events,
    Write PutRetentionPolicy => write::retention,
    Read StartLiveTail => live_tail::start,
}

/// Creates a log group; an existing one keeps its streams.
pub(crate) fn create_group(world: &mut World, name: &str, retention_days: u32) {
    let created = world.now;
    world
        .services
        .logs
        .groups
        .entry(name.to_owned())
        .or_insert_with(|| Group {
            created,
            retention_days,
            streams: BTreeMap::new(),
        });
}

/// Whether there is a log group of this name.
pub(crate) fn has_group(world: &World, name: &str) -> bool {
    world.services.logs.groups.contains_key(name)
}

/// For how many days a group keeps its events; 0 for ever. Returns whether there is such a group.
pub(crate) fn retain(world: &mut World, name: &str, days: u32) -> bool {
    let group = world.services.logs.groups.get_mut(name);
    group.map(|group| group.retention_days = days).is_some()
}

/// Takes a group away with all of its streams.
pub(crate) fn delete_group(world: &mut World, name: &str) {
    world.services.logs.groups.remove(name);
}

/// One event at this moment, visible at once. Creates the stream; without the group nothing happens,
/// as with a log driver whose group is missing.
pub(crate) fn append(world: &mut World, group: &str, stream: &str, message: &str) {
    let now = world.now;
    ingest(world, group, stream, now, now, message);
}

/// A log driver asks for a stream, which exists from `at` on even if nothing is ever written to it. One that
/// is there stays; one that is still to come comes at the time that was said last.
pub(crate) fn open(world: &mut World, group: &str, stream: &str, at: SimTime) {
    let now = world.now;
    if let Some(group) = world.services.logs.groups.get_mut(group) {
        let stream = group.streams.entry(stream.to_owned()).or_default();
        if stream.created(now).is_none() {
            stream.opened = Some(at);
        }
    }
}

/// Whether DescribeLogStreams shows the stream by now.
pub(crate) fn is_there(world: &World, group: &str, stream: &str) -> bool {
    let group = world.services.logs.groups.get(group);
    let stream = group.and_then(|group| group.streams.get(stream));
    stream.is_some_and(|stream| stream.created(world.now).is_some())
}

/// One event written `at` that arrives at `ingested`; arrivals within a stream keep their order.
pub(crate) fn ingest(
    world: &mut World,
    group: &str,
    stream: &str,
    at: SimTime,
    ingested: SimTime,
    message: &str,
) {
    let state = &mut world.services.logs;
    let Some(group) = state.groups.get_mut(group) else {
        return;
    };
    if !group.streams.contains_key(stream) {
        group.streams.insert(stream.to_owned(), Stream::default());
    }
    let Some(stream) = group.streams.get_mut(stream) else {
        return;
    };
    state.sequence += 1;
    let last = stream.events.last();
    let event = Event {
        sequence: state.sequence,
        at: last.map_or(at, |last| last.at.max(at)),
        ingested: last.map_or(ingested, |last| last.ingested.max(ingested)),
        message: message.to_owned(),
    };
    stream.events.push(event);
}

/// Bytes that each group took in from `from` until before `to`, as they are billed; without groups that took in nothing.
pub(crate) fn taken_in(world: &World, from: SimTime, to: SimTime) -> Vec<(String, u64)> {
    let of_stream = |stream: &Stream| -> u64 {
        let first = stream.events.partition_point(|event| event.ingested < from);
        let events = stream.events[first..].iter();
        let taken = events.take_while(|event| event.ingested < to);
        taken
            .map(|event| (event.message.len() + write::OVERHEAD) as u64)
            .sum()
    };
    let groups = world.services.logs.groups.iter();
    groups
        .map(|(name, group)| (name.clone(), group.streams.values().map(of_stream).sum()))
        .filter(|(_, bytes)| *bytes > 0)
        .collect()
}

/// `arn:aws:logs:…:log-group:<name>`.
fn group_arn(world: &World, name: &str) -> String {
    format!(
        "arn:aws:logs:{}:{}:log-group:{name}",
        world.options.region, world.options.account_id
    )
}

/// The group that an input names with `logGroupName` or `logGroupIdentifier` (a name or an ARN).
fn group_named<'a>(world: &'a World, input: &Value) -> Result<(&'a str, &'a Group), ApiError> {
    let named = crate::service::member::text(input, "logGroupName")
        .or_else(|| crate::service::member::text(input, "logGroupIdentifier"))
        .ok_or_else(|| {
            ApiError::client(
                "InvalidParameterException",
                "Exactly one of logGroupName or logGroupIdentifier must be specified.",
            )
        })?;
    let name = match named.split_once(":log-group:") {
        Some((_, name)) => name.trim_end_matches(":*"),
        None => named,
    };
    world
        .services
        .logs
        .groups
        .get_key_value(name)
        .map(|(name, group)| (name.as_str(), group))
        .ok_or_else(|| {
            ApiError::client(
                "ResourceNotFoundException",
                "The specified log group does not exist.",
            )
        })
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}
