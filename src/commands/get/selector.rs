//! `-l`: things by their tags, in kubectl's words.

use std::collections::BTreeMap;
use std::str::FromStr;

/// Tags of a thing.
pub(in crate::commands) type Tags = BTreeMap<String, String>;

/// Conditions on tags; all of them hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Selector(Vec<Condition>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Is(String, String),
    /// Also of what has no such tag, as kubectl has it.
    IsNot(String, String),
    Has(String),
    HasNot(String),
}

impl Condition {
    fn holds(&self, tags: &Tags) -> bool {
        match self {
            Self::Is(key, value) => tags.get(key) == Some(value),
            Self::IsNot(key, value) => tags.get(key) != Some(value),
            Self::Has(key) => tags.contains_key(key),
            Self::HasNot(key) => !tags.contains_key(key),
        }
    }
}

impl Selector {
    pub(in crate::commands) fn holds(&self, tags: &Tags) -> bool {
        self.0.iter().all(|condition| condition.holds(tags))
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(condition).collect::<Result<_, _>>().map(Self)
    }
}

fn condition(text: &str) -> Result<Condition, String> {
    let text = text.trim();
    let owned = |key: &str, value: &str| (key.trim().to_owned(), value.trim().to_owned());
    let (key, condition) = if let Some((key, value)) = text.split_once("!=") {
        let (key, value) = owned(key, value);
        (key.clone(), Condition::IsNot(key, value))
    } else if let Some((key, value)) = text.split_once('=') {
        let (key, value) = owned(key, value.strip_prefix('=').unwrap_or(value));
        (key.clone(), Condition::Is(key, value))
    } else if let Some(key) = text.strip_prefix('!') {
        let key = key.trim().to_owned();
        (key.clone(), Condition::HasNot(key))
    } else {
        (text.to_owned(), Condition::Has(text.to_owned()))
    };
    if key.is_empty() {
        return Err(
            "write `key=value`, `key!=value`, `key` or `!key`, several with commas between".to_owned(),
        );
    }
    Ok(condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_kubectl_reads_them() {
        let tags: Tags = [("Stage", "production"), ("Owner", "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        for (text, holds) in [
            ("Stage=production", true),
            ("Stage==production", true),
            ("Stage=staging", false),
            ("stage=production", false),
            ("Stage!=staging", true),
            ("Other!=x", true),
            ("Stage", true),
            ("Other", false),
            ("!Other", true),
            ("!Stage", false),
            ("Owner=", true),
            ("Stage=production, !Other", true),
            ("Stage=production,Other", false),
        ] {
            assert_eq!(text.parse::<Selector>().unwrap().holds(&tags), holds, "{text}");
        }
        for text in ["", "=x", "!", "a=b,,c"] {
            assert!(text.parse::<Selector>().is_err(), "{text:?}");
        }
    }
}
