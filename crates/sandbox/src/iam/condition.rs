//! Condition operators (IAM User Guide, "IAM JSON policy elements: Condition operators"). The keys of the sandbox have
//! one value each.

use super::glob::{arn_matches, matches};

/// The operators that the sandbox evaluates, without `IfExists` and the words for sets.
const OPERATORS: &[&str] = &[
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "Null",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

/// An operator taken apart: whether every value must match, whether a missing key passes, and its name.
fn parts(operator: &str) -> (bool, bool, &str) {
    let (of_all, rest) = match operator.split_once(':') {
        Some(("ForAllValues", rest)) => (true, rest),
        Some(("ForAnyValue", rest)) => (false, rest),
        _ => (false, operator),
    };
    match rest.strip_suffix("IfExists") {
        Some(name) => (of_all, true, name),
        None => (of_all, false, rest),
    }
}

/// Whether IAM knows the operator, and the sandbox evaluates it.
pub(super) fn is_operator(operator: &str) -> bool {
    OPERATORS.contains(&parts(operator).2)
}

/// Whether a condition holds for the value that the request has for its key.
pub(super) fn holds(operator: &str, wanted: &[String], value: Option<&str>) -> bool {
    let (of_all, if_exists, name) = parts(operator);
    if name == "Null" {
        return wanted.iter().any(|wanted| (wanted == "true") == value.is_none());
    }
    let Some(value) = value else {
        // An operator that negates holds for a key that is not there, and so does one about all of no values.
        return if_exists || of_all || name.contains("Not");
    };
    let any = |is_it: &dyn Fn(&str) -> bool| wanted.iter().any(|wanted| is_it(wanted));
    match name {
        "StringEquals" => any(&|wanted| wanted == value),
        "StringNotEquals" => !any(&|wanted| wanted == value),
        "StringEqualsIgnoreCase" => any(&|wanted| wanted.eq_ignore_ascii_case(value)),
        "StringNotEqualsIgnoreCase" => !any(&|wanted| wanted.eq_ignore_ascii_case(value)),
        "StringLike" => any(&|wanted| matches(wanted, value)),
        "StringNotLike" => !any(&|wanted| matches(wanted, value)),
        "ArnEquals" | "ArnLike" => any(&|wanted| arn_matches(wanted, value)),
        "ArnNotEquals" | "ArnNotLike" => !any(&|wanted| arn_matches(wanted, value)),
        "Bool" => any(&|wanted| wanted.eq_ignore_ascii_case(value)),
        _ => match (name.strip_prefix("Numeric"), name.strip_prefix("Date")) {
            (Some(how), _) => compared(how, wanted, value, |text| text.parse::<f64>().ok()),
            (_, Some(how)) => compared(how, wanted, value, moment),
            _ => false,
        },
    }
}

/// Milliseconds of a date in ISO 8601 or in seconds since 1970.
fn moment(text: &str) -> Option<f64> {
    match text.parse::<f64>() {
        Ok(seconds) => Some(seconds * 1000.0),
        Err(_) => Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond() as f64),
    }
}

fn compared(how: &str, wanted: &[String], value: &str, read: impl Fn(&str) -> Option<f64>) -> bool {
    let Some(value) = read(value) else { return false };
    let any = |is_it: &dyn Fn(f64) -> bool| wanted.iter().filter_map(|text| read(text)).any(is_it);
    match how {
        "Equals" => any(&|wanted| value == wanted),
        "NotEquals" => !any(&|wanted| value == wanted),
        "LessThan" => any(&|wanted| value < wanted),
        "LessThanEquals" => any(&|wanted| value <= wanted),
        "GreaterThan" => any(&|wanted| value > wanted),
        "GreaterThanEquals" => any(&|wanted| value >= wanted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_compare_as_the_user_guide_says() {
        for (operator, wanted, value, expected) in [
            ("StringEquals", "a", Some("a"), true),
            ("StringEquals", "a", Some("A"), false),
            ("StringEquals", "a", None, false),
            ("StringEqualsIfExists", "a", None, true),
            ("StringEqualsIgnoreCase", "a", Some("A"), true),
            ("StringNotEquals", "a", None, true),
            ("StringNotEquals", "a", Some("a"), false),
            ("StringLike", "repo:o/r:*", Some("repo:o/r:ref"), true),
            ("StringLike", "repo:o/r:?", Some("repo:o/r:ref"), false),
            (
                "ArnEquals",
                "arn:aws:ecs:*:1:cluster/bp",
                Some("arn:aws:ecs:r:1:cluster/bp"),
                true,
            ),
            (
                "ArnNotLike",
                "arn:aws:ecs:*:1:cluster/*",
                Some("arn:aws:ecs:r:1:cluster/bp"),
                false,
            ),
            ("Bool", "true", Some("true"), true),
            ("Bool", "true", None, false),
            ("Null", "true", None, true),
            ("Null", "false", None, false),
            ("Null", "false", Some("x"), true),
            ("NumericLessThanEquals", "3", Some("3"), true),
            (
                "DateGreaterThan",
                "2026-01-01T00:00:00Z",
                Some("2026-01-15T09:00:00Z"),
                true,
            ),
            (
                "DateLessThan",
                "2026-01-01T00:00:00Z",
                Some("2026-01-15T09:00:00Z"),
                false,
            ),
            ("ForAllValues:StringEquals", "a", None, true),
            ("ForAnyValue:StringEquals", "a", Some("a"), true),
        ] {
            assert!(is_operator(operator), "{operator}");
            assert_eq!(
                holds(operator, &[wanted.to_owned()], value),
                expected,
                "{operator} {value:?}"
            );
        }
        assert!(!is_operator("StringSortOfEquals"));
    }
}
