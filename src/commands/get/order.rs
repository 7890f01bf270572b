//! `--sort-by`: rows by a member of their documents.

use std::cmp::Ordering;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::row::Row;
use crate::error::{CtlError, ErrorKind, Result};
use crate::settings::nearest;

/// By what rows are put in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// `capacity.desired` as its parts.
    path: Vec<String>,
    falling: bool,
}

impl Order {
    /// Reads the words of `--sort-by`; `{.a.b}` of kubectl is `a.b`, and a dash before it turns the order round.
    pub(super) fn read(text: &str) -> Self {
        let (falling, path) = match text.strip_prefix('-') {
            Some(path) => (true, path),
            None => (false, text),
        };
        let path = path.trim_start_matches('{').trim_end_matches('}');
        let parts = path.split('.').filter(|part| !part.is_empty());
        Self {
            path: parts
                .map(|part| part.to_lowercase().replace(['-', ' '], "_"))
                .collect(),
            falling,
        }
    }

    /// Whether rows of this kind can be put in this order.
    ///
    /// # Errors
    /// A member that their documents do not have, with the one most like it.
    pub(super) fn check<R: Row>(&self) -> Result<()> {
        let members = members::<R>();
        let known = self.path.first().map(String::as_str).unwrap_or_default();
        if known == "name" || member(&members, known).is_some() {
            return Ok(());
        }
        let error = CtlError::usage(format!(
            "sort {} by `{}`: they have no such member",
            R::KIND,
            self.path.join(".")
        ));
        Err(match nearest(known, members.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("they have {}", members.join(", "))),
        })
    }

    /// Puts rows in order; what has no value comes last in either direction.
    ///
    /// # Errors
    /// A row that is no document.
    pub(super) fn sort<R: Row>(&self, rows: &mut Vec<R>) -> Result<()> {
        let members = members::<R>();
        let first = self.path.first().map(String::as_str).unwrap_or_default();
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            let key = match member(&members, first) {
                None => Value::String(row.name()),
                Some(first) => {
                    let document = serde_json::to_value(&row).map_err(|error| {
                        CtlError::new(ErrorKind::Unexpected, "sort the rows").source(&error)
                    })?;
                    let rest = self.path.iter().skip(1);
                    rest.fold(document.get(first), |value, part| value?.get(part))
                        .cloned()
                        .unwrap_or_default()
                }
            };
            keyed.push((key, row));
        }
        keyed.sort_by(|(one, _), (other, _)| match compare(one, other) {
            (order, true) if self.falling => order.reverse(),
            (order, _) => order,
        });
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        Ok(())
    }
}

/// The order of two values, and whether both are there.
fn compare(one: &Value, other: &Value) -> (Ordering, bool) {
    match (one, other) {
        (Value::Null, Value::Null) => (Ordering::Equal, false),
        (Value::Null, _) => (Ordering::Greater, false),
        (_, Value::Null) => (Ordering::Less, false),
        (Value::Number(one), Value::Number(other)) => {
            let number = |number: &serde_json::Number| number.as_f64().unwrap_or_default();
            (number(one).total_cmp(&number(other)), true)
        }
        (Value::String(one), Value::String(other)) => (one.cmp(other), true),
        (Value::Bool(one), Value::Bool(other)) => (one.cmp(other), true),
        (Value::Array(one), Value::Array(other)) => (one.len().cmp(&other.len()), true),
        (one, other) => (one.to_string().cmp(&other.to_string()), true),
    }
}

/// The member that a word means: `age` is how long ago.
fn member<'a>(members: &'a [String], word: &str) -> Option<&'a str> {
    let is_it = |member: &&String| **member == word || (word == "age" && *member == "age_seconds");
    members.iter().find(is_it).map(String::as_str)
}

/// The members of a row's document.
fn members<R: Row>() -> Vec<String> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<R>();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flat_map(|members| members.keys().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::get::kinds::services::ServiceRow;

    fn names(order: &str, rows: &[(&str, i32, Option<&str>)]) -> Vec<String> {
        let mut rows = rows
            .iter()
            .map(|(name, desired, digest)| ServiceRow::sample(name, *desired, *digest))
            .collect();
        Order::read(order).sort(&mut rows).unwrap();
        rows.iter().map(Row::name).collect()
    }

    #[test]
    fn numbers_are_sorted_as_numbers_and_what_is_missing_comes_last() {
        let rows = [("a", 10, None), ("b", 9, Some("y")), ("c", 100, Some("x"))];
        assert_eq!(names("desired", &rows), ["b", "a", "c"]);
        assert_eq!(names("-desired", &rows), ["c", "a", "b"]);
        assert_eq!(names("deployment_state", &rows), ["c", "b", "a"]);
        assert_eq!(names("-deployment_state", &rows), ["b", "c", "a"]);
        assert_eq!(names("-name", &rows), ["c", "b", "a"]);
    }

    #[test]
    fn a_path_is_written_in_several_ways() {
        let of = |text| Order::read(text).path;
        assert_eq!(of("{.metadata.name}"), ["metadata", "name"]);
        assert_eq!(of(".desired"), ["desired"]);
        assert_eq!(of("TASK DEFINITION"), ["task_definition"]);
    }

    #[test]
    fn a_member_that_is_not_there_leads_to_the_nearest() {
        let hint = |text| {
            let error = Order::read(text).check::<ServiceRow>().unwrap_err();
            error.hints()[0].to_string()
        };
        assert!(hint("desird").contains("`desired`"));
        assert!(hint("zzz").contains("they have "));
        assert!(Order::read("age").check::<ServiceRow>().is_ok());
    }
}
