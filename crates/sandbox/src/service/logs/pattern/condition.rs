//! What a structured pattern says of one value: an operator and what it is compared with.

use super::super::invalid;
use super::regex::Regex;
use crate::error::ApiError;

/// An operator with its right side.
#[derive(Debug)]
pub(super) struct Condition {
    operator: Operator,
    than: Than,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug)]
enum Than {
    Number(f64),
    /// Text whose `*` stand for anything.
    Text(String),
    Regex(Regex),
}

impl Condition {
    /// Reads `= 5`, `!= "a*"`, `= %…%` at the start of `text`; gives back what follows.
    pub(super) fn parse(text: &str) -> Result<(Self, &str), ApiError> {
        let wrong = || invalid("Invalid filter pattern");
        let text = text.trim_start();
        let (operator, rest) = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ]
        .into_iter()
        .find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?)))
        .ok_or_else(wrong)?;
        let (than, rest) = Than::parse(rest.trim_start())?;
        let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if ordered && !matches!(than, Than::Number(_)) {
            return Err(wrong());
        }
        Ok((Self { operator, than }, rest))
    }

    /// Whether a value satisfies it.
    pub(super) fn holds(&self, text: &str) -> bool {
        let number = || text.parse::<f64>().ok();
        match (self.operator, &self.than) {
            (Operator::Equal, than) => than.is(text),
            (Operator::NotEqual, than) => !than.is(text),
            (operator, Than::Number(than)) => number().is_some_and(|number| match operator {
                Operator::Less => number < *than,
                Operator::LessOrEqual => number <= *than,
                Operator::Greater => number > *than,
                Operator::GreaterOrEqual => number >= *than,
                Operator::Equal | Operator::NotEqual => false,
            }),
            _ => false,
        }
    }
}

impl Than {
    fn parse(text: &str) -> Result<(Self, &str), ApiError> {
        let wrong = || invalid("Invalid filter pattern");
        if let Some(quoted) = text.strip_prefix('"') {
            let end = quoted.find('"').ok_or_else(wrong)?;
            return Ok((Self::Text(quoted[..end].to_owned()), &quoted[end + 1..]));
        }
        if let Some(regex) = text.strip_prefix('%') {
            let end = regex.find('%').ok_or_else(wrong)?;
            return Ok((Self::Regex(Regex::parse(&regex[..end])?), &regex[end + 1..]));
        }
        let end = text
            .find(|c: char| c.is_whitespace() || matches!(c, ')' | '&' | '|' | ','))
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        if word.is_empty() {
            return Err(wrong());
        }
        Ok(match word.parse::<f64>() {
            Ok(number) => (Self::Number(number), rest),
            Err(_) => (Self::Text(word.to_owned()), rest),
        })
    }

    fn is(&self, text: &str) -> bool {
        match self {
            Self::Number(number) => text.parse::<f64>().is_ok_and(|text| text == *number),
            Self::Text(pattern) => like(pattern, text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// `*` stands for anything.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && like(after, &rest[at..]))
        }),
    }
}
