//! Puts an operation's input together from path, address, headers and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::{Map, Value};

use super::{Address, Body, markup, write};
use crate::wire::json::{self, Malformed};
use crate::wire::read_scalar;
use crate::wire::route::text;
use crate::wire::shape::{Api, Kind, Location, Reference};

/// The request as the structure called `name`. Bytes are held as base64, as the JSON protocols send them.
pub(in crate::wire) fn read(
    api: &Api,
    name: &str,
    kind: Body,
    address: &Address,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, Malformed> {
    let shape = api.shape(name);
    let mut input = Map::new();
    for (member, reference) in &shape.members {
        let sent = reference.location_name.as_deref().unwrap_or(member);
        let value = match reference.location {
            None | Some(Location::StatusCode) => None,
            Some(Location::Uri) => match address.labels.get(sent) {
                Some(given) => Some(read_scalar(api.shape(&reference.shape).kind, given)?),
                None => None,
            },
            Some(Location::Querystring) => {
                let given: Vec<&str> = address
                    .query
                    .iter()
                    .filter(|(name, _)| name == sent)
                    .map(|(_, value)| value.as_str())
                    .collect();
                located(api, reference, &given)?
            }
            Some(Location::Header) => {
                let given: Vec<&str> = text(headers, sent).into_iter().collect();
                located(api, reference, &given)?
            }
            Some(Location::Headers) => prefixed(headers, sent),
        };
        if let Some(value) = value {
            input.insert(member.clone(), value);
        }
    }
    if let Some(payload) = &shape.payload {
        if let (Some(reference), false) = (shape.members.get(payload), body.is_empty()) {
            input.insert(payload.clone(), whole(api, reference, kind, body)?);
        }
    } else if !body.is_empty() && shape.members.values().any(|member| member.location.is_none()) {
        input.extend(document(api, name, kind, body)?);
    }
    Ok(Value::Object(input))
}

/// A parameter or a header: one value, or a list of them.
fn located(api: &Api, reference: &Reference, given: &[&str]) -> Result<Option<Value>, Malformed> {
    let Some(first) = given.first() else {
        return Ok(None);
    };
    let shape = api.shape(&reference.shape);
    match (shape.kind, shape.member.as_deref()) {
        (Kind::List, Some(each)) => {
            let kind = api.shape(&each.shape).kind;
            let each = given.iter().flat_map(|given| given.split(','));
            each.map(|given| read_scalar(kind, given.trim()))
                .collect::<Result<_, _>>()
                .map(Some)
        }
        // S3 pays no attention to a date that it cannot read.
        (Kind::Timestamp, _) if reference.location == Some(Location::Header) => {
            Ok(write::read_http_date(first).map(|at| at.epoch_seconds().into()))
        }
        // An empty parameter is as good as none: `prefix=`.
        (_, _) if first.is_empty() && reference.location == Some(Location::Querystring) => Ok(None),
        (kind, _) => read_scalar(kind, first).map(Some),
    }
}

/// The headers whose names begin with `prefix`, without it; `None` when there are none.
fn prefixed(headers: &HeaderMap, prefix: &str) -> Option<Value> {
    let entries = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(prefix)?;
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        Some((name.to_owned(), Value::String(value)))
    });
    let entries: Map<String, Value> = entries.collect();
    (!entries.is_empty()).then_some(Value::Object(entries))
}

/// The member that is the whole body.
fn whole(api: &Api, reference: &Reference, kind: Body, body: &[u8]) -> Result<Value, Malformed> {
    match (api.shape(&reference.shape).kind, kind) {
        (Kind::Blob, _) => Ok(Value::String(STANDARD.encode(body))),
        (Kind::String, _) => Ok(Value::String(String::from_utf8_lossy(body).into_owned())),
        (_, Body::Xml) => markup::read(api, &reference.shape, body),
        (_, Body::Json) => json::read(api, &reference.shape, body),
    }
}

/// The members of the structure called `name` that stand in the body side by side.
fn document(api: &Api, name: &str, kind: Body, body: &[u8]) -> Result<Map<String, Value>, Malformed> {
    let unread = || Malformed("Could not parse the request body".to_owned());
    let shape = api.shape(name);
    if kind == Body::Xml {
        let Value::Object(mut given) = markup::read(api, name, body)? else {
            return Err(unread());
        };
        given.retain(|member, _| shape.members[member].location.is_none());
        return Ok(given);
    }
    let Ok(Value::Object(mut given)) = serde_json::from_slice(body) else {
        return Err(unread());
    };
    let mut known = Map::new();
    for (name, reference) in shape
        .members
        .iter()
        .filter(|(_, member)| member.location.is_none())
    {
        if let Some(value) = given.remove(name).filter(|value| !value.is_null()) {
            known.insert(name.clone(), json::normalise(api, &reference.shape, value)?);
        }
    }
    Ok(known)
}
