//! `--print-aws`: the calls of a plan as command lines of the aws tool, derived from the calls alone.
//!
//! The tool's option for a member of the API is the member's name with hyphens (botocore, `xform_name`);
//! lists of plain values are words, structures are JSON (AWS CLI User Guide, "Parameter types").

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::call::{ApiCall, Repeated};
use super::plan::Plan;
use crate::error::{CommandLine, CtlError, ErrorKind, Place, Result};
use crate::output::{Render, View};
use crate::redact::Sealed;

/// Command lines for a POSIX shell, in the order in which they are to be run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PrintedCommands {
    commands: Vec<String>,
}

impl PrintedCommands {
    /// # Errors
    /// A call that needs what an earlier one finds out.
    pub(super) fn new<A>(plan: &Plan<A>, place: &Place) -> Result<Self> {
        let calls = plan.steps.iter().flat_map(|step| &step.calls);
        let mut commands = Vec::new();
        for call in calls {
            commands.push(command(call)?);
            commands.extend(waiter(call)?);
        }
        let placed = commands.iter().map(|command| command.in_place(place));
        Ok(Self {
            commands: placed.map(|command| command.over_lines()).collect(),
        })
    }
}

fn command(call: &ApiCall) -> Result<CommandLine> {
    let programs = [super::call::DOCKER, super::call::NPX, super::call::PACKER];
    if programs.contains(&call.service.as_str()) {
        let words = call.parameters.get("arguments").and_then(Value::as_array);
        let words = words.into_iter().flatten().map(plain);
        return Ok(CommandLine::other(&call.service, words));
    }
    let mut line = CommandLine::aws(cli_service(&call.service), &hyphenated(&call.operation));
    for (name, value) in &call.parameters {
        // A second paste is meant to be a second run: the token that makes AWS recognise the first one
        // stays out.
        let is_token = call.repeated == Repeated::Recognised
            && ["clienttoken", "clientrequesttoken"].contains(&name.to_lowercase().as_str());
        if !is_token {
            let words = option(name, value)?;
            if words.iter().any(|word| word.contains(orders_a_terminal)) {
                return Err(CtlError::usage(format!(
                    "print the aws commands: `{name}` has characters in it that a terminal takes for orders"
                ))
                .hint("`--dry-run -o json` shows it"));
            }
            line = line.lines(words);
        }
    }
    Ok(line)
}

/// A control character other than the end of a line and the tab.
fn orders_a_terminal(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// The waiter that belongs to a call whose effect takes minutes and must be there before the next call.
fn waiter(call: &ApiCall) -> Result<Option<CommandLine>> {
    let (waiter, names): (&str, &[&str]) = match (call.service.as_str(), call.operation.as_str()) {
        ("rds", "CreateDBSnapshot") => ("db-snapshot-available", &["DBSnapshotIdentifier"]),
        _ => return Ok(None),
    };
    let mut line = CommandLine::aws(cli_service(&call.service), "wait").args([waiter]);
    for name in names {
        if let Some(value) = call.parameters.get(*name) {
            line = line.args(option(name, value)?);
        }
    }
    Ok(Some(line))
}

/// The tool's name of a service that has another one in IAM.
fn cli_service(service: &str) -> &str {
    match service {
        "elasticloadbalancing" => "elbv2",
        "s3" => "s3api",
        other => other,
    }
}

fn option(name: &str, value: &Value) -> Result<Vec<String>> {
    let flag = format!("--{}", hyphenated(name));
    Ok(match value {
        // A value on the command line could be read by every user of the machine.
        value if Sealed::words_of(value).is_some() => vec![flag, "file:///dev/stdin".to_owned()],
        Value::Bool(true) => vec![flag],
        Value::Bool(false) => vec![format!("--no-{}", hyphenated(name))],
        Value::String(text) => vec![flag, text.clone()],
        Value::Array(items) if items.iter().all(is_plain) => {
            let words = items.iter().map(plain);
            std::iter::once(flag).chain(words).collect()
        }
        value if holds_later(value) => {
            return Err(CtlError::new(
                ErrorKind::Usage,
                format!("print the aws commands: `{name}` is only known once the first ones have run"),
            ));
        }
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            vec![flag, value.to_string()]
        }
    })
}

/// Whether something in it is known only later.
fn holds_later(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            (members.len() == 1 && members.contains_key("$from")) || members.values().any(holds_later)
        }
        Value::Array(items) => items.iter().any(holds_later),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn is_plain(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `DBInstanceIdentifier` → `db-instance-identifier`, `taskDefinition` → `task-definition`.
fn hyphenated(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        let begins_word = c.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if begins_word {
            text.push('-');
        }
        text.extend(c.to_lowercase());
    }
    text
}

impl Render for PrintedCommands {
    fn human(&self, _view: &View) -> String {
        match self.commands.as_slice() {
            [] => "# nothing to change\n".to_owned(),
            commands => commands.join(" &&\n") + "\n",
        }
    }

    fn names(&self) -> Vec<String> {
        self.commands.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_spelled_as_the_aws_tool_spells_them() {
        for (member, option) in [
            ("cluster", "cluster"),
            ("taskDefinition", "task-definition"),
            ("AutoScalingGroupName", "auto-scaling-group-name"),
            ("DBInstanceIdentifier", "db-instance-identifier"),
            ("enableECSManagedTags", "enable-ecs-managed-tags"),
            ("CreateDBSnapshot", "create-db-snapshot"),
        ] {
            assert_eq!(hyphenated(member), option);
        }
    }

    fn printed(value: &str) -> Result<String> {
        let call = ApiCall {
            service: "ecs".to_owned(),
            operation: "ExecuteCommand".to_owned(),
            parameters: crate::change::parameters([("command", value.into())]),
            resource: "ecs/bp-backend".to_owned(),
            loses: None,
            repeated: Repeated::Twice,
            volatile: Vec::new(),
        };
        Ok(command(&call)?.over_lines())
    }

    #[test]
    fn the_lines_of_a_script_stay_lines() {
        let line = printed("for t in a; do\n\techo $t\ndone").unwrap();
        let words = shlex::split(&line.replace("\\\n", "")).unwrap();
        assert_eq!(words.last().unwrap(), "for t in a; do\n\techo $t\ndone");
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_printed() {
        let error = printed("echo \u{1b}[2J").unwrap_err();
        assert!(error.message().contains("`command`"), "{error}");
    }

    #[test]
    fn values_are_written_by_their_shape() {
        let words = |value: Value| option("xY", &value).unwrap().join(" ");
        assert_eq!(words(json!(true)), "--x-y");
        assert_eq!(words(json!(false)), "--no-x-y");
        assert_eq!(words(json!(3)), "--x-y 3");
        assert_eq!(words(json!(["a", "b"])), "--x-y a b");
        assert_eq!(words(json!({"a": ["b"]})), "--x-y {\"a\":[\"b\"]}");
        assert!(option("x", &json!({"$from": "y"})).is_err());
        assert!(option("x", &json!({"a": [{"b": {"$from": "y"}}]})).is_err());
    }
}
