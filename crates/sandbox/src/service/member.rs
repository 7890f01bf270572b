//! Reading the members of an operation's input and writing those of its output.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::service::paging;
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

/// One page of `items` and the token of the next.
///
/// # Errors
/// `bad_token` when the token is not one of ours.
pub(crate) fn page<T>(
    items: Vec<T>,
    token: Option<&str>,
    size: usize,
    bad_token: impl FnOnce() -> ApiError,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    paging::page(items, token, size).map_err(|paging::BadToken| bad_token())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nulls_vanish_at_every_depth() {
        assert_eq!(
            present(json!({"a": null, "b": [{"c": null, "d": 1}]})),
            json!({"b": [{"d": 1}]})
        );
    }
}
