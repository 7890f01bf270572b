//! `{ $.level = "ERROR" && $.code >= 500 }`: patterns for events that are JSON.

use serde_json::Value;

use super::super::invalid;
use super::condition::Condition;
use crate::error::ApiError;

/// Conditions on members.
#[derive(Debug)]
pub(super) enum Members {
    All(Vec<Members>),
    Any(Vec<Members>),
    One(Selector, Test),
}

#[derive(Debug)]
pub(super) enum Test {
    Compare(Condition),
    IsNull,
    IsTrue,
    IsFalse,
    NotExists,
}

/// `$.user.tags[0]`, with `*` for any member or element.
#[derive(Debug)]
pub(super) struct Selector(Vec<String>);

impl Members {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let (members, rest) = Self::any(text)?;
        if rest.trim().is_empty() {
            Ok(members)
        } else {
            Err(invalid("Invalid filter pattern"))
        }
    }

    fn any(text: &str) -> Result<(Self, &str), ApiError> {
        let (first, mut rest) = Self::all(text)?;
        let mut list = vec![first];
        while let Some(after) = rest.trim_start().strip_prefix("||") {
            let (next, after) = Self::all(after)?;
            list.push(next);
            rest = after;
        }
        Ok((Self::Any(list), rest))
    }

    fn all(text: &str) -> Result<(Self, &str), ApiError> {
        let (first, mut rest) = Self::one(text)?;
        let mut list = vec![first];
        while let Some(after) = rest.trim_start().strip_prefix("&&") {
            let (next, after) = Self::one(after)?;
            list.push(next);
            rest = after;
        }
        Ok((Self::All(list), rest))
    }

    fn one(text: &str) -> Result<(Self, &str), ApiError> {
        let wrong = || invalid("Invalid filter pattern");
        let text = text.trim_start();
        if let Some(inside) = text.strip_prefix('(') {
            let (members, rest) = Self::any(inside)?;
            let rest = rest.trim_start().strip_prefix(')').ok_or_else(wrong)?;
            return Ok((members, rest));
        }
        let path = text.strip_prefix('$').ok_or_else(wrong)?;
        let end = path
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '!' | '<' | '>'))
            .ok_or_else(wrong)?;
        let (path, rest) = path.split_at(end);
        let selector = Selector::parse(path).ok_or_else(wrong)?;
        let rest = rest.trim_start();
        for (words, test) in [
            ("IS NULL", Test::IsNull),
            ("IS TRUE", Test::IsTrue),
            ("IS FALSE", Test::IsFalse),
            ("NOT EXISTS", Test::NotExists),
        ] {
            if let Some(rest) = rest.strip_prefix(words) {
                return Ok((Self::One(selector, test), rest));
            }
        }
        let (condition, rest) = Condition::parse(rest)?;
        Ok((Self::One(selector, Test::Compare(condition)), rest))
    }

    pub(super) fn match_text(&self, message: &str) -> bool {
        serde_json::from_str(message).is_ok_and(|event: Value| event.is_object() && self.holds(&event))
    }

    fn holds(&self, event: &Value) -> bool {
        match self {
            Self::All(list) => list.iter().all(|members| members.holds(event)),
            Self::Any(list) => list.iter().any(|members| members.holds(event)),
            Self::One(selector, test) => {
                let found = selector.of(event);
                match test {
                    Test::NotExists => found.is_empty(),
                    Test::IsNull => found.iter().any(|value| value.is_null()),
                    Test::IsTrue => found.iter().any(|value| **value == Value::Bool(true)),
                    Test::IsFalse => found.iter().any(|value| **value == Value::Bool(false)),
                    Test::Compare(condition) => found.iter().any(|value| match value {
                        Value::String(text) => condition.holds(text),
                        Value::Number(number) => condition.holds(&number.to_string()),
                        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => false,
                    }),
                }
            }
        }
    }
}

impl Selector {
    fn parse(path: &str) -> Option<Self> {
        let parts: Vec<String> = path
            .replace('[', ".")
            .replace([']', '"', '\''], "")
            .split('.')
            .skip(1)
            .map(str::to_owned)
            .collect();
        (!parts.is_empty() && parts.iter().all(|part| !part.is_empty())).then_some(Self(parts))
    }

    fn of<'a>(&self, event: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![event];
        for part in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| match (value, part.as_str()) {
                    (Value::Object(members), "*") => members.values().collect(),
                    (Value::Array(items), "*") => items.iter().collect(),
                    (Value::Object(members), name) => members.get(name).into_iter().collect(),
                    (Value::Array(items), index) => index
                        .parse::<usize>()
                        .ok()
                        .and_then(|at| items.get(at))
                        .into_iter()
                        .collect(),
                    _ => Vec::new(),
                })
                .collect();
        }
        found
    }
}
