//! The tools: one for each command that only looks, and those for changes.

use std::sync::Arc;

use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::words::{self, looks_only};
use crate::error::CommandLine;

/// Commands that say something about bpctl itself to a person, run another program, serve, or need a terminal.
const LEFT_OUT: [&str; 6] = ["completion", "man", "mcp", "options", "sandbox", "top"];

/// What an assistant should ask first.
const FIRST: [&str; 2] = ["triage", "explain"];

/// A command that is a tool.
#[derive(Clone, Debug)]
pub(super) struct Read {
    /// Its words.
    pub(super) words: Vec<String>,
    /// Its arguments.
    pub(super) command: Command,
    pub(super) tool: Tool,
}

/// Every command that only looks, the most useful ones first.
pub(super) fn reads(tree: &Command) -> Vec<Read> {
    let mut found = Vec::new();
    collect(tree, &[], &mut found);
    found.sort_by_key(|read: &Read| {
        let first = FIRST
            .iter()
            .position(|word| read.words.first().is_some_and(|of| of == word));
        first.unwrap_or(FIRST.len())
    });
    found
}

fn collect(command: &Command, path: &[String], found: &mut Vec<Read>) {
    let is_left_out = |name: &str| path.is_empty() && LEFT_OUT.contains(&name);
    for sub in command.get_subcommands() {
        let name = sub.get_name();
        if name == "help" || sub.is_hide_set() || is_left_out(name) {
            continue;
        }
        let words = [path, &[name.to_owned()]].concat();
        collect(sub, &words, found);
        if !sub.is_subcommand_required_set() && looks_only(&words, &[]) {
            let tool = read_tool(sub, &words);
            found.push(Read {
                words,
                command: sub.clone(),
                tool,
            });
        }
    }
}

/// `fleet status` is `fleet_status`.
fn read_tool(command: &Command, words: &[String]) -> Tool {
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let description = format!(
        "{about}\n\nChanges nothing. Behind it: {}",
        CommandLine::bpctl(words)
    );
    let mut properties = Map::new();
    let mut required = Vec::new();
    for arg in words::of(words, command) {
        properties.insert(arg.get_id().to_string(), property(arg));
        if arg.is_required_set() {
            required.push(json!(arg.get_id().as_str()));
        }
    }
    properties.insert(
        "query".to_owned(),
        json!({"type": "string", "description": "JMESPath over the answer: only what it finds is given"}),
    );
    let schema = object(properties, required);
    Tool::new(words.join("_").replace('-', "_"), description, schema)
        .with_annotations(ToolAnnotations::new().read_only(true).open_world(true))
}

fn object(properties: Map<String, Value>, required: Vec<Value>) -> Arc<Map<String, Value>> {
    let schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    Arc::new(match schema {
        Value::Object(members) => members,
        _ => Map::new(),
    })
}

/// An argument as a JSON Schema.
fn property(arg: &Arg) -> Value {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return json!({"type": "boolean", "description": help});
    }
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    let mut one = Map::from_iter([("type".to_owned(), json!("string"))]);
    if !values.is_empty() {
        one.insert("enum".to_owned(), json!(values));
    }
    let mut property = match words::is_list(arg) {
        true => Map::from_iter([
            ("type".to_owned(), json!("array")),
            ("items".to_owned(), Value::Object(one)),
        ]),
        false => one,
    };
    let is_file = matches!(
        arg.get_value_hint(),
        ValueHint::FilePath | ValueHint::AnyPath | ValueHint::DirPath
    );
    let where_from = if is_file {
        " (a path on the machine of the server)"
    } else {
        ""
    };
    property.insert("description".to_owned(), json!(format!("{help}{where_from}")));
    Value::Object(property)
}

/// The name of the tool that shows what a command would do.
pub(super) const PLAN: &str = "plan";

/// The name of the tool that carries a plan out.
pub(super) const APPLY: &str = "apply";

/// Shows what a command would do.
pub(super) fn plan(tree: &Command) -> Tool {
    let mut verbs = Vec::new();
    changing(tree, &[], &mut verbs);
    let description = format!(
        "Shows what a command of bpctl that changes something would do, call by call, and changes nothing. The answer has \
         the plan, and a token where `apply` can carry it out. Commands: {}. Ask `bpctl_help` for the arguments of one.",
        verbs.join(", ")
    );
    let schema = object(
        Map::from_iter([(
            "command".to_owned(),
            json!({
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "The words of the command, without `bpctl` and without flags that choose the place, e.g. [\"fleet\", \"scale\", \"production/gpu-default\", \"--desired\", \"1\"]",
            }),
        )]),
        vec![json!("command")],
    );
    Tool::new(PLAN, description, schema)
        .with_annotations(ToolAnnotations::new().read_only(true).open_world(true))
}

/// Carries a plan out.
pub(super) fn apply() -> Tool {
    let schema = object(
        Map::from_iter([(
            "token".to_owned(),
            json!({"type": "string", "description": "The token that `plan` gave; it works once"}),
        )]),
        vec![json!("token")],
    );
    Tool::new(
        APPLY,
        "Carries out exactly the plan that `plan` has shown, if nothing has changed since, waits for its end and checks it. \
         Show the plan to the operator first.",
        schema,
    )
    .with_annotations(ToolAnnotations::new().read_only(false).destructive(false).open_world(true))
}

/// The name of the tool with the help of a command.
pub(super) const HELP: &str = "bpctl_help";

/// The help of a command.
pub(super) fn help() -> Tool {
    let schema = object(
        Map::from_iter([(
            "command".to_owned(),
            json!({"type": "array", "items": {"type": "string"}, "description": "The words of the command; none for all commands"}),
        )]),
        Vec::new(),
    );
    Tool::new(
        HELP,
        "The help of a command of bpctl: its arguments and examples.",
        schema,
    )
    .with_annotations(ToolAnnotations::new().read_only(true).open_world(false))
}

/// The words of every command that has a plan.
fn changing(command: &Command, path: &[String], found: &mut Vec<String>) {
    for sub in command.get_subcommands() {
        let words = [path, &[sub.get_name().to_owned()]].concat();
        changing(sub, &words, found);
        if !sub.is_hide_set() && sub.get_arguments().any(|arg| arg.get_id() == "dry_run") {
            found.push(words.join(" "));
        }
    }
}
