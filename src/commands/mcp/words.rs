//! From the arguments of a tool to the words of a command line.

use clap::{Arg, ArgAction, Command};
use serde_json::{Map, Value};

use crate::error::{CommandLine, Effect};

/// Options that no tool has: they go on until they are interrupted, write files, send what was found somewhere else, show
/// the value of a secret, or stand for a person's answer.
const LEFT_OUT: [&str; 11] = [
    "watch",
    "interval",
    "follow",
    "notify",
    "bundle",
    "exit_code",
    "out",
    "plot",
    "reveal",
    "yes",
    "confirm",
];

/// The arguments that the tool of a command has: none with which it would change something.
pub(super) fn of<'c>(path: &'c [String], command: &'c Command) -> impl Iterator<Item = &'c Arg> {
    command.get_arguments().filter(move |arg| {
        let is_left_out = LEFT_OUT.contains(&arg.get_id().as_str()) && !arg.is_positional();
        let is_plain = !arg.is_global_set() && !arg.is_hide_set() && is_known(arg.get_action());
        is_plain && !is_left_out && (arg.is_positional() || looks_only(path, &[flag(arg)]))
    })
}

/// Whether a command with these words behind its own changes nothing.
pub(super) fn looks_only(path: &[String], further: &[String]) -> bool {
    CommandLine::bpctl(path.iter().chain(further)).effect() == Effect::Reads
}

fn is_known(action: &ArgAction) -> bool {
    matches!(action, ArgAction::Set | ArgAction::Append | ArgAction::SetTrue)
}

/// Whether an argument takes more than one value.
pub(super) fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
        || arg.get_num_args().is_some_and(|range| range.max_values() > 1)
}

/// The words for `arguments`. An option and its value are one word, and whatever has no name stands behind `--`, so that no
/// value is ever read as an option.
///
/// # Errors
/// An argument that the tool does not have, or of another type, in words for the assistant.
pub(super) fn words(
    path: &[String],
    command: &Command,
    arguments: &Map<String, Value>,
) -> Result<Vec<String>, String> {
    let known: Vec<&Arg> = of(path, command).collect();
    for name in arguments.keys() {
        if !known.iter().any(|arg| arg.get_id() == name.as_str()) {
            return Err(format!("this tool has no argument `{name}`"));
        }
    }
    let mut options = Vec::new();
    let mut positionals: Vec<(usize, Vec<String>)> = Vec::new();
    for arg in known {
        let name = arg.get_id().as_str();
        let Some(given) = arguments.get(name).filter(|given| !given.is_null()) else {
            continue;
        };
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            let is_set = given
                .as_bool()
                .ok_or_else(|| format!("`{name}` must be true or false"))?;
            options.extend(is_set.then(|| flag(arg)));
            continue;
        }
        let values = values(name, given, is_list(arg))?;
        match arg.get_index() {
            Some(index) => positionals.push((index, values)),
            None => options.extend(values.iter().map(|value| format!("{}={value}", flag(arg)))),
        }
    }
    positionals.sort_by_key(|(index, _)| *index);
    if !positionals.is_empty() {
        options.push("--".to_owned());
        options.extend(positionals.into_iter().flat_map(|(_, values)| values));
    }
    match looks_only(path, &options) {
        true => Ok(options),
        false => Err("this tool only looks, and with these arguments it would change something".to_owned()),
    }
}

/// As the argument is typed.
fn flag(arg: &Arg) -> String {
    match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => String::new(),
    }
}

fn values(name: &str, given: &Value, is_list: bool) -> Result<Vec<String>, String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let all = match given {
        Value::Array(items) if is_list => items.iter().map(one).collect(),
        other => one(other).map(|value| vec![value]),
    };
    all.ok_or_else(|| match is_list {
        true => format!("`{name}` must be a list of texts"),
        false => format!("`{name}` must be a text"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn command() -> Command {
        let mut command = Command::new("look")
            .arg(Arg::new("deep").long("deep").action(ArgAction::SetTrue))
            .arg(Arg::new("kind").long("kind").action(ArgAction::Append))
            .arg(Arg::new("since").long("since"))
            .arg(Arg::new("watch").long("watch").action(ArgAction::SetTrue))
            .arg(Arg::new("names").num_args(0..))
            .arg(Arg::new("run").long("run").action(ArgAction::SetTrue))
            .arg(Arg::new("reveal").long("reveal").action(ArgAction::SetTrue));
        command.build();
        command
    }

    fn words_of(arguments: &Value) -> Result<Vec<String>, String> {
        words(&["whoami".to_owned()], &command(), arguments.as_object().unwrap())
    }

    #[test]
    fn no_tool_has_an_argument_with_which_it_would_change_something() {
        let (command, day1) = (command(), ["day1".to_owned()]);
        let has = |path: &[String], name: &str| of(path, &command).any(|arg| arg.get_id() == name);
        assert!(has(&["whoami".to_owned()], "run") && !has(&day1, "run"));
        assert!(has(&day1, "deep") && !has(&day1, "reveal"));
    }

    #[test]
    fn no_value_is_read_as_an_option() {
        let given = json!({"names": ["--yes", "a"], "since": "--force", "kind": ["x", "y"], "deep": true});
        assert_eq!(
            words_of(&given).unwrap(),
            [
                "--deep",
                "--kind=x",
                "--kind=y",
                "--since=--force",
                "--",
                "--yes",
                "a"
            ]
        );
        assert_eq!(words_of(&json!({"deep": false})).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_a_tool_does_not_have_is_refused() {
        assert_eq!(
            words_of(&json!({"watch": true})).unwrap_err(),
            "this tool has no argument `watch`"
        );
        assert_eq!(
            words_of(&json!({"since": ["a"]})).unwrap_err(),
            "`since` must be a text"
        );
        assert_eq!(words_of(&json!({"names": "a"})).unwrap(), ["--", "a"]);
        assert_eq!(
            words_of(&json!({"names": [{}]})).unwrap_err(),
            "`names` must be a list of texts"
        );
    }
}
