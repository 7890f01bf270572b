//! Reading the properties of a template, whose numbers and truth values may be texts.

use serde_json::Value;

use super::{Refusal, Request};
use crate::seed::names::generated;
use crate::world::World;

/// A number, also one that is written as a text.
pub(super) fn number(properties: &Value, name: &str) -> Option<f64> {
    match &properties[name] {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}

/// A whole number that is not negative.
pub(super) fn count(properties: &Value, name: &str) -> Option<u32> {
    let number = number(properties, name)?;
    (number >= 0.0 && number.fract() == 0.0 && number <= f64::from(u32::MAX)).then_some(number as u32)
}

/// A truth value.
pub(super) fn flag(properties: &Value, name: &str) -> bool {
    properties[name] == true || properties[name] == "true"
}

/// A text, which numbers may stand for.
pub(super) fn text(properties: &Value, name: &str) -> Option<String> {
    match &properties[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text that has to be there.
pub(super) fn required(properties: &Value, name: &str) -> Result<String, Refusal> {
    text(properties, name).ok_or_else(|| {
        Refusal::invalid(format!(
            "Model validation failed (#: required key [{name}] not found)"
        ))
    })
}

/// The name that the template states, or one that CloudFormation makes.
pub(super) fn name(world: &mut World, request: &Request<'_>, property: &str) -> String {
    text(request.properties, property)
        .unwrap_or_else(|| generated(&mut world.ids, request.stack, request.logical))
}

/// Name and value of a list such as `Dimensions`.
pub(super) fn pairs(list: &Value, name: &str, value: &str) -> Vec<(String, String)> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((text(one, name)?, text(one, value)?)))
        .collect()
}

/// Whether two values are the same but for numbers and truth values that are written as texts.
pub(super) fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => equal(left, right),
        (None, None) => true,
        _ => false,
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, value)| right.get(name).is_some_and(|other| equal(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::String(text), other) | (other, Value::String(text)) => match other {
            Value::String(other) => text == other,
            Value::Number(_) | Value::Bool(_) => other.to_string().as_str() == text.as_str(),
            _ => false,
        },
        _ => left == right,
    }
}
