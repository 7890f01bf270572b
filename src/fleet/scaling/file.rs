//! A fleet's configuration in a file: TOML as people write it, or the JSON that bpctl prints.

use std::ops::Range;
use std::path::Path;

use fleet_scaling::config::{ConfigError, FleetConfig, FleetSpec};
use fleet_templates::publishes;
use serde::Deserialize as _;
use serde_json::Value;
use toml_edit::Item;

use super::Model;
use crate::error::{CommandLine, CtlError, Result};
use crate::files::{CONFIG_LIMIT, read_text};

/// Reads the file; `shown` is its name as the operator wrote it.
///
/// # Errors
/// A usage error that names the file, the line and the field.
pub(crate) fn read_file(path: &Path, shown: &Path) -> Result<Model> {
    let name = shown.display().to_string();
    let text = read_text(path, CONFIG_LIMIT).map_err(|error| {
        CtlError::usage(format!("read the fleet configuration `{name}`"))
            .source(&error)
            .hint((
                "see the live fleets with",
                CommandLine::bpctl(["fleet", "list"]),
                "; `fleet simulate` with `--days 1 --arrivals none -o json --query config` prints the configuration of one",
            ))
    })?;
    let config = parse(&text).map_err(|problem| {
        CtlError::usage(format!("read the fleet configuration `{name}`")).cause(problem)
    })?;
    Ok(Model {
        name,
        config,
        assumptions: Vec::new(),
        left_out: Vec::new(),
    })
}

/// What is wrong is said with its line, where the format knows lines.
fn parse(text: &str) -> Result<FleetConfig, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.trim_start().starts_with('{') {
        let mut spec: FleetSpec = serde_json::from_str(text).map_err(|error| {
            let field = serde_json::from_str(text).ok().and_then(culprit);
            match field {
                Some(field) => format!("`{field}`: {error}"),
                None => error.to_string(),
            }
        })?;
        publish(&mut spec);
        return FleetConfig::new(spec).map_err(|error| error.to_string());
    }
    let mut spec: FleetSpec = toml::from_str(text).map_err(|error| {
        let message = error.message();
        // Of what is inside a policy the format knows only where the policy begins.
        if let Some(field) = toml::from_str(text).ok().and_then(culprit)
            && let Some(span) = span_at(text, &field)
        {
            return format!("line {}: `{field}`: {message}", line(text, &span));
        }
        match error.span() {
            Some(span) => format!("line {}: {message}", line(text, &span)),
            None => message.to_owned(),
        }
    })?;
    publish(&mut spec);
    FleetConfig::new(spec).map_err(|error| match span_of(text, &error) {
        Some(span) => format!("line {}: {error}", line(text, &span)),
        None => error.to_string(),
    })
}

/// A file that does not say what its fleet publishes is of a fleet of the platform.
fn publish(spec: &mut FleetSpec) {
    if spec.publishes.is_empty() {
        spec.publishes = publishes();
    }
}

fn line(text: &str, span: &Range<usize>) -> usize {
    1 + text
        .bytes()
        .take(span.start)
        .filter(|byte| *byte == b'\n')
        .count()
}

/// The path of the field within a policy or an instance type that keeps the document from being a fleet.
///
/// Whether the complaint goes away with a part of the document is tried from the top down. A part that is needed does
/// not mislead: that it is missing is complained of only after everything that is there.
fn culprit(document: Value) -> Option<String> {
    let complaint = |document: &Value| {
        FleetSpec::deserialize(document)
            .err()
            .map(|error| error.to_string())
    };
    let first = complaint(&document)?;
    // Of several fields that are missing, serde names the first: only what holds them can be told.
    let missing = first.starts_with("missing field");
    let mut path = String::new();
    let mut depth = 0;
    let mut pointer = String::new();
    'down: while let Some(part) = document.pointer(&pointer) {
        let mut steps: Vec<(String, String)> = match part {
            Value::Object(members) => {
                let step = |name: &String| (escaped(name), format!(".{name}"));
                let holds = |member: &Value| !missing || member.is_object() || member.is_array();
                let members = members.iter().filter(|(_, member)| holds(member));
                members.map(|(name, _)| step(name)).collect()
            }
            Value::Array(items) => (0..items.len())
                .map(|at| (at.to_string(), format!("[{at}]")))
                .collect(),
            _ => break,
        };
        // Without its kind nothing else of a policy is looked at.
        steps.sort_by_key(|(step, _)| matches!(step.as_str(), "type" | "distribution"));
        for (step, shown) in steps {
            let mut without = document.clone();
            match without.pointer_mut(&pointer) {
                Some(Value::Object(members)) => {
                    drop(members.shift_remove(&step.replace("~1", "/").replace("~0", "~")))
                }
                Some(Value::Array(items)) => drop(step.parse().map(|at: usize| items.remove(at))),
                _ => return None,
            }
            if complaint(&without).as_ref() != Some(&first) {
                pointer.push('/');
                pointer.push_str(&step);
                path.push_str(&shown);
                depth += 1;
                continue 'down;
            }
        }
        break;
    }
    // What is wrong at the top the format places itself.
    (depth > 1).then(|| path.trim_start_matches('.').to_owned())
}

/// A name as a step of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Where the field that an error is about stands; of a field that was left out, what it belongs to.
fn span_of(text: &str, error: &ConfigError) -> Option<Range<usize>> {
    span_at(text, &error.field)
}

fn span_at(text: &str, field: &str) -> Option<Range<usize>> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item: &Item = document.as_item();
    let mut span = None;
    // `instance_types[1].hourly_price` in steps.
    for step in field.split(['.', '[']) {
        let next = match step.strip_suffix(']') {
            Some(position) => item.get(position.parse::<usize>().ok()?),
            None => item.get(step),
        };
        let Some(next) = next else { break };
        span = next.span().or(span);
        item = next;
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: &str = "\
max = 4

[[instance_types]]
name = \"g5.xlarge\"

[[instance_types]]
name = \"g4dn.xlarge\"
hourly_price = 0.18

[[policies]]
type = \"target-tracking\"
name = \"backlog\"
metric = \"BacklogPerInstance\"
target = 2
";

    fn refused(from: &str, to: &str) -> String {
        assert!(FLEET.contains(from));
        parse(&FLEET.replace(from, to)).unwrap_err()
    }

    #[test]
    fn a_file_is_a_fleet_in_either_format() {
        let config = parse(FLEET).unwrap();
        assert_eq!(config.limits().max, 4);
        let json = serde_json::to_string_pretty(config.spec()).unwrap();
        assert_eq!(parse(&json).unwrap(), config);
        // As editors of Windows write it.
        assert_eq!(parse(&format!("\u{feff}{json}")).unwrap(), config);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(
            refused("max = 4", "max = 4\nmin = 9"),
            "line 2: `min` is 9, more than `max`, which is 4"
        );
        assert_eq!(
            refused("hourly_price = 0.18", "hourly_price = -1"),
            "line 8: `instance_types[1].hourly_price` is -1, and may not be negative"
        );
        assert!(refused("target = 2", "target = nan").starts_with("line 14: `policies[0].target` is not"));
        assert!(refused("max = 4", "max = \"four\"").starts_with("line 1: invalid type"));
        assert!(refused("max = 4", "max = 4\nmaximum = 4").starts_with("line 2: unknown field `maximum`"));
        assert!(refused("max = 4", "max = ").starts_with("line 1: "));
    }

    #[test]
    fn what_is_wrong_inside_of_a_policy_is_named_with_its_line() {
        assert!(
            refused("target = 2", "target = \"two\"")
                .starts_with("line 14: `policies[0].target`: invalid type: string \"two\"")
        );
        assert!(
            refused("target = 2", "target = 2\ntarget_value = 3")
                .starts_with("line 15: `policies[0].target_value`: unknown field `target_value`")
        );
        assert!(
            refused("target-tracking", "target").starts_with("line 11: `policies[0].type`: unknown variant")
        );
        // What is missing is placed where it belongs.
        assert!(refused("target = 2", "").contains("missing field `target`"));
        let json = "{\"max\": 1, \"policies\": [{\"type\": \"target-tracking\", \"name\": 3}]}";
        assert!(
            parse(json)
                .unwrap_err()
                .starts_with("`policies[0].name`: invalid type")
        );
        assert_eq!(parse("\n").unwrap_err(), "it is empty");
    }

    #[test]
    fn a_field_that_is_missing_is_placed_where_it_belongs() {
        // The type that has no price, not the file as a whole.
        assert_eq!(
            refused("g5.xlarge", "q9.xlarge"),
            "line 4: `instance_types[0].name` is `q9.xlarge`, whose price is not known: give its `hourly_price`"
        );
        assert!(parse("{\"max\": 1,").unwrap_err().contains("line 1 column"));
    }
}
