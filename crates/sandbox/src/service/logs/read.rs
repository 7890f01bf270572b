//! GetLogEvents and FilterLogEvents.

use serde_json::{Value, json};

use super::pattern::Pattern;
use super::{Event, Stream, group_named, invalid};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, integer, list, present, text, texts};
use crate::world::World;

/// Both operations answer at most 10,000 events or 1 MB of messages (API reference).
const EVENTS: i64 = 10_000;
const BYTES: usize = 1_048_576;
/// FilterLogEvents takes at most 100 stream names (API reference).
const STREAMS: usize = 100;
/// How many events FilterLogEvents looks at before it answers with what it has found and a token, which may be nothing
/// at all (API reference: "can return empty results while there are more log events available through the token").
const LOOKED_AT: usize = 25_000;

pub(super) fn get(world: &World, input: &Value) -> OpResult {
    let (_, group) = group_named(world, input)?;
    let name = text(input, "logStreamName").unwrap_or_default();
    let arrived = group
        .streams
        .get(name)
        .filter(|stream| stream.created(world.now).is_some())
        .map(|stream| stream.arrived(world.now))
        .ok_or_else(|| {
            ApiError::client(
                "ResourceNotFoundException",
                "The specified log stream does not exist.",
            )
        })?;
    let limit = limit(input)?;
    let wanted = |event: &&Event| in_time(input, event);
    let (start, end) = match text(input, "nextToken") {
        Some(token) => match parse_token(token) {
            Some((Direction::Forward, from)) => forward(arrived, from, limit, wanted),
            Some((Direction::Backward, before)) => backward(arrived, before, limit, wanted),
            None => return Err(invalid("The specified nextToken is invalid.")),
        },
        None if flag(input, "startFromHead").unwrap_or(false) => forward(arrived, 0, limit, wanted),
        None => backward(arrived, arrived.len(), limit, wanted),
    };
    let events: Vec<Value> = arrived[start..end]
        .iter()
        .filter(wanted)
        .map(|event| {
            json!({
                "timestamp": event.at.0,
                "message": event.message,
                "ingestionTime": event.ingested.0,
            })
        })
        .collect();
    Ok(json!({
        "events": events,
        "nextForwardToken": format!("f/{end:056}/s"),
        "nextBackwardToken": format!("b/{start:056}/s"),
    }))
}

#[derive(Debug, PartialEq)]
enum Direction {
    Forward,
    Backward,
}

/// `f/<position>/s` or `b/<position>/s`: where the next page starts, or the one before ends.
fn parse_token(token: &str) -> Option<(Direction, usize)> {
    let (direction, rest) = token.split_once('/')?;
    let position = rest.strip_suffix("/s")?.parse().ok()?;
    match direction {
        "f" => Some((Direction::Forward, position)),
        "b" => Some((Direction::Backward, position)),
        _ => None,
    }
}

fn forward(events: &[Event], from: usize, limit: usize, wanted: impl Fn(&&Event) -> bool) -> (usize, usize) {
    let start = from.min(events.len());
    let (mut end, mut taken, mut bytes) = (start, 0, 0);
    for event in &events[start..] {
        if wanted(&event) {
            if taken == limit || bytes + event.message.len() > BYTES {
                break;
            }
            taken += 1;
            bytes += event.message.len();
        }
        end += 1;
    }
    (start, end)
}

fn backward(
    events: &[Event],
    before: usize,
    limit: usize,
    wanted: impl Fn(&&Event) -> bool,
) -> (usize, usize) {
    let end = before.min(events.len());
    let (mut start, mut taken, mut bytes) = (end, 0, 0);
    for event in events[..end].iter().rev() {
        if wanted(&event) {
            if taken == limit || bytes + event.message.len() > BYTES {
                break;
            }
            taken += 1;
            bytes += event.message.len();
        }
        start -= 1;
    }
    (start, end)
}

fn limit(input: &Value) -> Result<usize, ApiError> {
    match integer(input, "limit").unwrap_or(EVENTS) {
        limit @ 1..=EVENTS => Ok(limit as usize),
        _ => Err(invalid(format!(
            "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value less than or equal to {EVENTS}"
        ))),
    }
}

/// `startTime` is inclusive, `endTime` exclusive for GetLogEvents; FilterLogEvents includes it, which
/// differs by one millisecond and is handled by its caller.
fn in_time(input: &Value, event: &Event) -> bool {
    integer(input, "startTime").is_none_or(|start| event.at.0 >= start)
        && integer(input, "endTime").is_none_or(|end| event.at.0 < end)
}

pub(super) fn filter(world: &World, input: &Value) -> OpResult {
    let (_, group) = group_named(world, input)?;
    let names = texts(input, "logStreamNames");
    let prefix = text(input, "logStreamNamePrefix");
    if names.len() > STREAMS {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: Member must have length less than or equal to {STREAMS}"
        )));
    }
    if !list(input, "logStreamNames").is_empty() && prefix.is_some() {
        return Err(invalid(
            "Only one of logStreamNamePrefix and logStreamNames can be specified.",
        ));
    }
    let mut streams: Vec<(&String, &Stream)> = Vec::new();
    if names.is_empty() {
        streams.extend(
            group
                .streams
                .iter()
                .filter(|(name, _)| prefix.is_none_or(|prefix| name.starts_with(prefix))),
        );
    } else {
        for name in &names {
            match group.streams.get_key_value(name) {
                Some((name, stream)) if stream.created(world.now).is_some() => {
                    streams.push((name, stream));
                }
                _ => {
                    return Err(ApiError::client(
                        "ResourceNotFoundException",
                        "The specified log stream does not exist.",
                    ));
                }
            }
        }
    }
    let pattern = Pattern::parse(text(input, "filterPattern").unwrap_or_default())?;
    let limit = limit(input)?;
    let after = match text(input, "nextToken") {
        None => None,
        Some(token) => {
            Some(parse_filter_token(token).ok_or_else(|| invalid("The specified nextToken is invalid."))?)
        }
    };
    let end = integer(input, "endTime");
    let start = integer(input, "startTime");
    let mut matching: Vec<(&str, &Event)> = streams
        .iter()
        .flat_map(|(name, stream)| {
            stream
                .arrived(world.now)
                .iter()
                .map(move |event| (name.as_str(), event))
        })
        .filter(|(_, event)| {
            start.is_none_or(|start| event.at.0 >= start)
                && end.is_none_or(|end| event.at.0 <= end)
                && after.is_none_or(|after| (event.at.0, event.sequence) > after)
        })
        .collect();
    matching.sort_by_key(|(_, event)| (event.at, event.sequence));
    let mut bytes = 0;
    let mut page: Vec<Value> = Vec::new();
    let mut next = None;
    let mut last = None;
    for (looked_at, (name, event)) in matching.into_iter().enumerate() {
        let fits = pattern.matches(&event.message);
        bytes += if fits { event.message.len() } else { 0 };
        if looked_at == LOOKED_AT || (fits && page.len() == limit) || bytes > BYTES {
            next = last;
            break;
        }
        last = Some(format!("{}:{}", event.at.0, event.sequence));
        if !fits {
            continue;
        }
        page.push(json!({
            "logStreamName": name,
            "timestamp": event.at.0,
            "message": event.message,
            "ingestionTime": event.ingested.0,
            "eventId": format!("{:056}", event.sequence),
        }));
    }
    Ok(present(json!({
        "events": page,
        "searchedLogStreams": [],
        "nextToken": next,
    })))
}

/// `<timestamp>:<sequence>` of the last event that was answered.
fn parse_filter_token(token: &str) -> Option<(i64, u64)> {
    let (at, sequence) = token.split_once(':')?;
    Some((at.parse().ok()?, sequence.parse().ok()?))
}
