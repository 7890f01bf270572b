//! Documents as text: JSON, YAML, and bare words for shells. Whatever a string holds, the text cannot move the
//! cursor or speak to GitHub's runner, and JSON and YAML still hold the same document.

use serde_json::Value;

use super::unexpected;
use crate::error::{CtlError, ErrorKind, Result};
use crate::ui::{escape_json, mark_for_yaml, mute, strip_controls, write_marks};

/// Times in documents have whole seconds: `2026-01-15T08:55:00Z`, whatever the service gave.
pub(super) fn whole_seconds(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(seconds) = without_fraction(text) {
                *text = seconds;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_seconds),
        Value::Object(members) => members.values_mut().for_each(whole_seconds),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `text` without the fraction of its seconds if it is a time as bpctl writes it, and nothing else.
fn without_fraction(text: &str) -> Option<String> {
    let (time, fraction) = text.strip_suffix('Z')?.split_once('.')?;
    let shape = "dddd-dd-ddTdd:dd:dd";
    let fits = time.len() == shape.len()
        && time.bytes().zip(shape.bytes()).all(|(byte, place)| match place {
            b'd' => byte.is_ascii_digit(),
            place => byte == place,
        });
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    (fits && digits).then(|| format!("{time}Z"))
}

pub(super) fn json(value: &Value, github: bool) -> Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(unexpected)?;
    Ok(escape_json(text + "\n", github))
}

pub(super) fn yaml(mut value: Value, github: bool) -> Result<String> {
    mark(&mut value, github);
    serde_norway::to_string(&value)
        .map(write_marks)
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write the result as YAML").source(&error))
}

/// Marks what the YAML text must hold as escapes, in names of members too: a tag of AWS may be one.
fn mark(value: &mut Value, github: bool) {
    match value {
        Value::String(text) => *text = mark_for_yaml(text, github).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| mark(item, github)),
        Value::Object(members) => {
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, mut member)| {
                    mark(&mut member, github);
                    (mark_for_yaml(&name, github).into_owned(), member)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(super) fn lines(items: &[Value], github: bool) -> Result<String> {
    let line = |item: &Value| {
        let text = serde_json::to_string(item).map_err(unexpected)?;
        Ok(escape_json(text + "\n", github))
    };
    items.iter().map(line).collect()
}

pub(super) fn plain(value: &Value, github: bool) -> Result<String> {
    match value {
        Value::String(text) => {
            let text = strip_controls(text);
            let text = if github { mute(&text) } else { text.into_owned() };
            Ok(text + "\n")
        }
        Value::Null => Ok(String::new()),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(|item| plain(item, github)).collect()
        }
        Value::Bool(_) | Value::Number(_) => Ok(format!("{value}\n")),
        Value::Array(_) | Value::Object(_) => json(value, github),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json as value;

    use super::*;

    /// Nothing that a terminal or GitHub's runner takes for a command.
    fn is_harmless(text: &str) -> bool {
        let hidden = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2066}\u{200e}\u{feff}".contains(c);
        let command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
        !text.contains(hidden) && !text.lines().any(command)
    }

    fn hostile() -> impl Strategy<Value = String> {
        let parts = prop::sample::select(vec![
            "\u{1b}[2J",
            "\u{9b}2J",
            "\u{1b}]52;c;eA==\u{7}",
            "\u{202e}",
            "\u{2066}",
            "\u{e0041}",
            "\u{1}",
            "\u{7f}",
            "\r",
            "\n",
            "\n::error::",
            "::stop-commands::x",
            "##[error]",
            "#",
            "[",
            " ",
            "a",
            "\\x01",
            "\\x0141\\x01",
            "\"",
            "'",
            ": ",
            "- ",
            "\t",
            "`",
            "\u{feff}",
            "\u{2028}",
            "2026-01-01T00:00:00.5",
            "null",
            "\u{e4}",
            "\u{1f600}",
        ]);
        prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn documents_are_harmless_and_whole(name in hostile(), text in hostile()) {
            let document = value!({"list": [{"name": text}], name: text.clone()});
            for github in [true, false] {
                let shown = json(&document, github).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Value>(&shown).unwrap(), &document);
                prop_assert!(!github || is_harmless(&shown), "{:?}", shown);
                let shown = yaml(document.clone(), github).unwrap();
                prop_assert_eq!(&serde_norway::from_str::<Value>(&shown).unwrap(), &document, "{}", shown);
                prop_assert!(!github || is_harmless(&shown), "{:?}", shown);
            }
            let shown = lines(std::slice::from_ref(&document), true).unwrap();
            prop_assert!(is_harmless(&shown) && shown.lines().count() == 1, "{:?}", shown);
            prop_assert!(is_harmless(&plain(&value!([text]), true).unwrap().replace('\t', "")));
        }
    }

    #[test]
    fn times_have_whole_seconds() {
        let mut document = value!({"at": "2026-01-15T08:55:00.123456789Z", "list": ["2026-01-15T08:55:00Z", "x.5Z", "1.2.Z"]});
        whole_seconds(&mut document);
        assert_eq!(
            document,
            value!({"at": "2026-01-15T08:55:00Z", "list": ["2026-01-15T08:55:00Z", "x.5Z", "1.2.Z"]})
        );
    }
}
