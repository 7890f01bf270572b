//! From the arguments of a tool to the words of a command line.

use clap::{Arg, ArgAction, Command};
use serde_json::{Map, Value};

/// Options that no tool has: they go on until they are interrupted, write files, send what was found somewhere else, or ask
/// a person.
const LEFT_OUT: [&str; 7] = [
    "watch",
    "interval",
    "follow",
    "notify",
    "bundle",
    "exit_code",
    "out",
];

/// The arguments of a command that a tool has.
pub(super) fn of(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| {
        let is_left_out = LEFT_OUT.contains(&arg.get_id().as_str()) && !arg.is_positional();
        !is_left_out && !arg.is_global_set() && !arg.is_hide_set() && is_known(arg.get_action())
    })
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
pub(super) fn words(command: &Command, arguments: &Map<String, Value>) -> Result<Vec<String>, String> {
    let known: Vec<&Arg> = of(command).collect();
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
    Ok(options)
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
            .arg(Arg::new("names").num_args(0..));
        command.build();
        command
    }

    fn words_of(arguments: &Value) -> Result<Vec<String>, String> {
        words(&command(), arguments.as_object().unwrap())
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
