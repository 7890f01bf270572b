//! Reading the members of an operation's input and writing those of its output.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::time::SimTime;

/// A string member.
pub(crate) fn text<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str)
}

/// A list of strings; empty when the member is absent.
pub(crate) fn texts(input: &Value, name: &str) -> Vec<String> {
    list(input, name)
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// A list member; empty when absent.
pub(crate) fn list<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    input
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// An integer member.
pub(crate) fn integer(input: &Value, name: &str) -> Option<i64> {
    input.get(name).and_then(Value::as_i64)
}

/// A boolean member.
pub(crate) fn flag(input: &Value, name: &str) -> Option<bool> {
    input.get(name).and_then(Value::as_bool)
}

/// A point in time as the output carries it: epoch seconds.
pub(crate) fn time(at: Option<SimTime>) -> Value {
    at.map_or(Value::Null, |at| Value::from(at.epoch_seconds()))
}

/// Leaves out what is null, at every depth: AWS never answers `null`.
pub(crate) fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, present(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(present).collect()),
        other => other,
    }
}

/// One page of `items` and the token of the next, where the token is the position it starts at.
///
/// # Errors
/// `bad_token` when the token is not one of ours.
pub(crate) fn page<T>(
    items: Vec<T>,
    token: Option<&str>,
    size: usize,
    bad_token: impl FnOnce() -> ApiError,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let start = match token {
        None => 0,
        Some(token) => match position(token) {
            Some(position) if position <= items.len() => position,
            _ => return Err(bad_token()),
        },
    };
    let end = items.len().min(start + size.max(1));
    let next = (end < items.len()).then(|| STANDARD.encode(format!("position:{end}")));
    Ok((items.into_iter().skip(start).take(end - start).collect(), next))
}

fn position(token: &str) -> Option<usize> {
    let bytes = STANDARD.decode(token).ok()?;
    String::from_utf8(bytes)
        .ok()?
        .strip_prefix("position:")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        let mut token = None;
        let mut seen = Vec::new();
        loop {
            let (items, next) = page((0..25).collect(), token.as_deref(), 10, || {
                ApiError::client("Bad", "token")
            })
            .unwrap();
            seen.extend(items);
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..25).collect::<Vec<_>>());
    }

    #[test]
    fn a_foreign_token_is_refused() {
        let answer = page(vec![1], Some("abc"), 10, || ApiError::client("Bad", "token"));
        assert_eq!(answer.unwrap_err().code, "Bad");
    }

    #[test]
    fn nulls_vanish_at_every_depth() {
        assert_eq!(
            present(json!({"a": null, "b": [{"c": null, "d": 1}]})),
            json!({"b": [{"d": 1}]})
        );
    }
}
