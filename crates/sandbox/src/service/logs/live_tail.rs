//! StartLiveTail: sessions that get what arrives, once a second.
//!
//! What is simulated (Amazon CloudWatch Logs API Reference, StartLiveTail; User Guide, "CloudWatch Logs quotas"): 15
//! sessions at once, 10 groups each, streams only with one group; an update each second, an empty one when nothing
//! came; at most 500 events in it, and `sampled` when there were more; the end after three hours. Not simulated: the
//! ten updates that AWS keeps for a client that reads too slowly.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::pattern::Pattern;
use super::{Event, Group, group_arn, invalid};
use crate::error::{ApiError, OpResult};
use crate::service::member::{present, text, texts};
use crate::time::SimTime;
use crate::world::World;

/// How many sessions an account may have at once.
const SESSIONS: usize = 15;
/// How many events an update holds.
const EVENTS: usize = 500;
/// How long a session lasts.
const LONGEST: Duration = Duration::from_secs(3 * 60 * 60);

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    groups: Vec<String>,
    names: Vec<String>,
    prefixes: Vec<String>,
    pattern: Pattern,
    begun: SimTime,
    /// How many events of each stream have been looked at.
    seen: BTreeMap<(String, String), usize>,
    /// The connection is lost.
    cut: bool,
}

/// What a session gets next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    Update(Value),
    /// The session is over: the name of the error, and its members.
    Over(&'static str, Value),
    /// The connection breaks.
    Cut,
}

pub(super) fn start(world: &mut World, input: &Value) -> OpResult {
    let identifiers = texts(input, "logGroupIdentifiers");
    let names = texts(input, "logStreamNames");
    let prefixes = texts(input, "logStreamNamePrefixes");
    let chosen = !names.is_empty() || !prefixes.is_empty();
    if chosen && identifiers.len() > 1 {
        return Err(invalid(
            "logStreamNames and logStreamNamePrefixes can only be specified with one log group.",
        ));
    }
    if !names.is_empty() && !prefixes.is_empty() {
        return Err(invalid(
            "Only one of logStreamNames and logStreamNamePrefixes can be specified.",
        ));
    }
    let mut groups = Vec::new();
    for identifier in &identifiers {
        // "Specify each log group by its ARN … the ARN can't end with an asterisk."
        let name = identifier
            .split_once(":log-group:")
            .map(|(_, name)| name)
            .filter(|name| !name.ends_with('*'))
            .ok_or_else(|| invalid(format!("Invalid log group identifier: {identifier}")))?;
        if !world.services.logs.groups.contains_key(name) {
            return Err(ApiError::client(
                "ResourceNotFoundException",
                "The specified log group does not exist.",
            ));
        }
        groups.push(name.to_owned());
    }
    let filter = text(input, "logEventFilterPattern");
    let pattern = Pattern::parse(filter.unwrap_or_default())?;
    let open = world
        .services
        .logs
        .sessions
        .values()
        .filter(|session| !session.cut && world.now.since(session.begun) < LONGEST);
    if open.count() >= SESSIONS {
        return Err(ApiError::client(
            "LimitExceededException",
            format!("The limit of {SESSIONS} concurrent Live Tail sessions has been reached."),
        ));
    }
    let now = world.now;
    let seen = groups
        .iter()
        .filter_map(|name| world.services.logs.groups.get_key_value(name))
        .flat_map(|(name, group)| positions(name, group, now))
        .collect();
    let id = world.gateway.ids.uuid();
    let session = Session {
        groups,
        names: names.clone(),
        prefixes: prefixes.clone(),
        pattern,
        begun: now,
        seen,
        cut: false,
    };
    world.services.logs.sessions.insert(id.clone(), session);
    let listed = |list: Vec<String>| if list.is_empty() { Value::Null } else { json!(list) };
    Ok(present(json!({"responseStream": {"sessionStart": {
        "requestId": id,
        "sessionId": id,
        "logGroupIdentifiers": identifiers,
        "logStreamNames": listed(names),
        "logStreamNamePrefixes": listed(prefixes),
        "logEventFilterPattern": filter,
    }}})))
}

fn positions<'a>(
    name: &'a str,
    group: &'a Group,
    now: SimTime,
) -> impl Iterator<Item = ((String, String), usize)> + 'a {
    group.streams.iter().map(move |(stream, events)| {
        let key = (name.to_owned(), stream.clone());
        (key, events.arrived(now).len())
    })
}

/// What the session gets now; `None` when there is no such session (any more).
pub(crate) fn next(world: &mut World, id: &str) -> Option<Next> {
    let now = world.now;
    let mut session = world.services.logs.sessions.remove(id)?;
    if session.cut {
        return Some(Next::Cut);
    }
    if now.since(session.begun) >= LONGEST {
        let message = json!({"message": "The Live Tail session has timed out."});
        return Some(Next::Over("SessionTimeoutException", message));
    }
    let mut found: Vec<(&str, &str, &Event)> = Vec::new();
    for name in &session.groups {
        let Some(group) = world.services.logs.groups.get(name) else {
            continue;
        };
        for (stream, events) in &group.streams {
            let arrived = events.arrived(now);
            let seen = session.seen.entry((name.clone(), stream.clone())).or_default();
            let new = arrived.get(*seen..).unwrap_or_default();
            *seen = arrived.len();
            let wanted = (session.names.is_empty() || session.names.contains(stream))
                && (session.prefixes.is_empty()
                    || session
                        .prefixes
                        .iter()
                        .any(|prefix| stream.starts_with(prefix.as_str())));
            if wanted {
                let matching = new.iter().filter(|event| session.pattern.matches(&event.message));
                found.extend(matching.map(|event| (name.as_str(), stream.as_str(), event)));
            }
        }
    }
    found.sort_by_key(|(_, _, event)| (event.ingested, event.sequence));
    let all = found.len();
    let sampled = all > EVENTS;
    let results: Vec<Value> = found
        .iter()
        .enumerate()
        .filter(|(at, _)| !sampled || at * EVENTS / all != (at + 1) * EVENTS / all)
        .map(|(_, (group, stream, event))| {
            json!({
                "logStreamName": stream,
                "logGroupIdentifier": group_arn(world, group),
                "message": event.message,
                "timestamp": event.at.0,
                "ingestionTime": event.ingested.0,
            })
        })
        .collect();
    world.services.logs.sessions.insert(id.to_owned(), session);
    Some(Next::Update(json!({
        "sessionMetadata": {"sampled": sampled},
        "sessionResults": results,
    })))
}

/// The client has closed the stream.
pub(crate) fn end(world: &mut World, id: &str) {
    world.services.logs.sessions.remove(id);
}

/// Every open stream loses its connection.
pub(crate) fn cut(world: &mut World) {
    for session in world.services.logs.sessions.values_mut() {
        session.cut = true;
    }
}
