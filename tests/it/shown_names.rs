//! What two runs of one command line drew for themselves, compared by its place.

use std::collections::BTreeMap;

use serde_json::Value;

/// The names that two runs of one command line drew for themselves: each name of the one stands wherever its
/// counterpart stands in the other. More than two (a run's short name and its token) are none.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// Whether the two mean the same.
    pub(crate) fn alike(&mut self, one: &Value, other: &Value, drawn: bool) -> bool {
        match (one, other) {
            (Value::Object(one), Value::Object(other)) if one.contains_key("$secret") => {
                let secrets = (one.get("$secret"), other.get("$secret"));
                let (Some(one), Some(other)) = secrets else {
                    return false;
                };
                one == other || drawn && one["length"] == other["length"]
            }
            (Value::Object(one), Value::Object(other)) => {
                one.len() == other.len()
                    && one.iter().all(|(name, value)| {
                        other
                            .get(name)
                            .is_some_and(|other| self.alike(value, other, drawn))
                    })
            }
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|(one, other)| self.alike(one, other, drawn))
            }
            (Value::String(one), Value::String(other)) => one == other || self.texts(one, other),
            _ => one == other,
        }
    }

    fn texts(&mut self, one: &str, other: &str) -> bool {
        let (one, other) = (timeless(one), timeless(other));
        let words = |text: &str| {
            let ends = |c: char| !c.is_ascii_alphanumeric();
            text.split_inclusive(ends).map(str::to_owned).collect::<Vec<_>>()
        };
        let (one, other) = (words(&one), words(&other));
        one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| self.words(one, other))
    }

    fn words(&mut self, one: &str, other: &str) -> bool {
        let is_drawn = |word: &str| {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            [12, 32].contains(&bare.len()) && bare.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        if one == other {
            return true;
        }
        if !is_drawn(one) || !is_drawn(other) || one.len() != other.len() {
            return false;
        }
        let bare = |word: &str| {
            word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
                .to_owned()
        };
        let counterpart = self.0.entry(bare(one)).or_insert_with(|| bare(other));
        *counterpart == bare(other) && self.0.len() <= 2
    }
}

/// The text without the times in it, to the second: `2026-01-15T09:00:00Z` and `20260115T090000Z`.
fn timeless(text: &str) -> String {
    const FORMS: [&str; 2] = ["0000-00-00T00:00:00Z", "00000000T000000Z"];
    let fits = |form: &str, text: &str| {
        let mut pairs = form.bytes().zip(text.bytes());
        pairs.all(|(form, byte)| byte == form || form == b'0' && byte.is_ascii_digit())
    };
    let mut kept = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let time = FORMS
            .iter()
            .find(|form| rest.len() >= form.len() && fits(form, rest));
        match time {
            Some(form) => {
                kept.push_str("(time)");
                rest = &rest[form.len()..];
            }
            None => {
                kept.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    kept
}
