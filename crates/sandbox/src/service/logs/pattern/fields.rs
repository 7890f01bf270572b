//! `[ip, user, status = 5*, bytes > 100]`: patterns for events whose fields stand between blanks.

use super::super::invalid;
use super::condition::Condition;
use crate::error::ApiError;

/// The fields before and behind `...`, which stands for any number of them.
#[derive(Debug)]
pub(super) struct Fields {
    before: Vec<Field>,
    /// `None` without `...`: the number of fields counts.
    after: Option<Vec<Field>>,
}

/// The alternatives of a field, each with conditions that must all hold; none for any value.
type Field = Vec<Vec<Condition>>;

impl Fields {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut fields = Self {
            before: Vec::new(),
            after: None,
        };
        for part in text.split(',').map(str::trim) {
            if part == "..." {
                if fields.after.replace(Vec::new()).is_some() {
                    return Err(invalid("Invalid filter pattern"));
                }
                continue;
            }
            let field = field(part)?;
            fields.after.as_mut().unwrap_or(&mut fields.before).push(field);
        }
        Ok(fields)
    }

    pub(super) fn match_text(&self, message: &str) -> bool {
        let values = values(message);
        let holds = |fields: &[Field], values: &[&str]| {
            fields.iter().zip(values).all(|(field, value)| {
                field.is_empty()
                    || field
                        .iter()
                        .any(|all| all.iter().all(|condition| condition.holds(value)))
            })
        };
        match &self.after {
            None => values.len() == self.before.len() && holds(&self.before, &values),
            Some(after) => {
                values.len() >= self.before.len() + after.len()
                    && holds(&self.before, &values)
                    && holds(after, &values[values.len() - after.len()..])
            }
        }
    }
}

/// `name`, `name = 4*`, `name = 404 || name = 410`.
fn field(text: &str) -> Result<Field, ApiError> {
    let mut alternatives = Vec::new();
    for alternative in text.split("||") {
        let mut conditions = Vec::new();
        for part in alternative.split("&&") {
            let part = part.trim();
            let name = part
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(part.len());
            let rest = part[name..].trim();
            if rest.is_empty() {
                continue;
            }
            let (condition, rest) = Condition::parse(rest)?;
            if !rest.trim().is_empty() {
                return Err(invalid("Invalid filter pattern"));
            }
            conditions.push(condition);
        }
        if !conditions.is_empty() {
            alternatives.push(conditions);
        }
    }
    Ok(alternatives)
}

/// What stands between blanks; quotation marks and brackets keep blanks together.
fn values(message: &str) -> Vec<&str> {
    let mut values = Vec::new();
    let mut rest = message.trim_start();
    while let Some(first) = rest.chars().next() {
        let closed = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let kept = closed.and_then(|end| Some((1, 1 + rest[1..].find(end)?)));
        let (value, after) = match kept {
            Some((begin, end)) => (&rest[begin..end], &rest[end + 1..]),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        values.push(value);
        rest = after.trim_start();
    }
    values
}
