//! Exports: values that a stack offers to others, and who takes them (`ListExports`, `ListImports`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::document::Document;
use super::intrinsics::Scope;
use super::stack::Stack;
use super::{paged, validation};
use crate::error::OpResult;
use crate::service::member::text;
use crate::world::World;

pub(super) fn list(world: &mut World, input: &Value) -> OpResult {
    let mut exports = BTreeMap::new();
    for stack in world.services.cloudformation.stacks.values() {
        for output in &stack.spec.outputs {
            if let Some(name) = &output.export {
                exports.insert(
                    name.clone(),
                    json!({ "ExportingStackId": stack.id, "Name": name, "Value": output.value }),
                );
            }
        }
    }
    paged("Exports", exports.into_values().collect(), input)
}

/// The value that a stack exports under a name.
pub(super) fn value<'a>(world: &'a World, name: &str) -> Option<&'a str> {
    owner(world, name).map(|(_, value)| value)
}

/// The stack that exports a name, and the value.
pub(super) fn owner<'a>(world: &'a World, name: &str) -> Option<(&'a Stack, &'a str)> {
    let stacks = world.services.cloudformation.stacks.values();
    stacks
        .flat_map(|stack| stack.spec.outputs.iter().map(move |output| (stack, output)))
        .find(|(_, output)| output.export.as_deref() == Some(name))
        .map(|(stack, output)| (stack, output.value.as_str()))
}

/// The names of the stacks that import a name.
pub(super) fn importers(world: &World, name: &str) -> Vec<String> {
    let stacks = world.services.cloudformation.stacks.values();
    stacks
        .filter(|stack| stack.status != "REVIEW_IN_PROGRESS" && imported(world, stack).contains(name))
        .map(|stack| stack.spec.name.clone())
        .collect()
}

/// What the template of a stack imports. The name may itself be put together, of parameters for example.
fn imported(world: &World, stack: &Stack) -> BTreeSet<String> {
    let Ok(document) = Document::parse(&stack.template) else {
        return BTreeSet::new();
    };
    let values = document.resolved(world, &stack.parameters);
    let none = |_: &str, _: Option<&str>| Err(String::new());
    let scope = Scope::new(world, &document, &stack.spec.name, &stack.id, &values, &none);
    let mut names = BTreeSet::new();
    for part in ["Resources", "Outputs", "Conditions"] {
        collect(&document.0[part], &scope, &mut names);
    }
    names
}

pub(super) fn collect(value: &Value, scope: &Scope<'_>, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "Fn::ImportValue"
                    && let Ok(Some(Value::String(import))) = scope.value(member)
                {
                    names.insert(import);
                }
                collect(member, scope, names);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect(item, scope, names);
            }
        }
        _ => {}
    }
}

/// Names as a sentence lists them: `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

pub(super) fn imports(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "ExportName").unwrap_or_default();
    let stacks = importers(world, name);
    if stacks.is_empty() {
        return Err(validation(format!(
            "Export '{name}' is not imported by any stack."
        )));
    }
    paged("Imports", stacks.into_iter().map(Value::from).collect(), input)
}
