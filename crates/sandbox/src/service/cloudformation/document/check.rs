//! What CloudFormation refuses in a template before it looks at any resource.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{kinds, validation};
use super::Document;
use crate::error::ApiError;
use crate::service::member::text;

/// "Template sections".
const SECTIONS: [&str; 11] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
];

/// Resources that one template may have ("CloudFormation quotas").
const MOST_RESOURCES: usize = 500;

impl Document {
    /// # Errors
    /// A `ValidationError` in the words of CloudFormation.
    pub(in super::super) fn check(&self) -> Result<(), ApiError> {
        let Some(members) = self.0.as_object() else {
            return Err(validation("Template format error: unsupported structure."));
        };
        if let Some(transform) = members.get("Transform") {
            return Err(validation(format!(
                "No transform named {transform} found. The sandbox carries out no transforms."
            )));
        }
        let strangers: Vec<&str> = members
            .keys()
            .map(String::as_str)
            .filter(|name| !SECTIONS.contains(name))
            .collect();
        if !strangers.is_empty() {
            return Err(validation(format!(
                "Invalid template property or properties [{}]",
                strangers.join(", ")
            )));
        }
        if self.logicals().next().is_none() {
            return Err(validation(
                "Template format error: At least one Resources member must be defined.",
            ));
        }
        if self.logicals().count() > MOST_RESOURCES {
            return Err(validation(format!(
                "Template format error: Number of resources, {}, is greater than maximum allowed, {MOST_RESOURCES}",
                self.logicals().count()
            )));
        }
        self.check_types()?;
        self.check_references("Resources")?;
        self.check_references("Outputs")?;
        self.check_conditions()?;
        self.check_order()
    }

    fn check_types(&self) -> Result<(), ApiError> {
        let mut unknown: Vec<&str> = Vec::new();
        for (logical, resource) in self.section("Resources") {
            let Some(kind) = text(resource, "Type") else {
                return Err(validation(format!(
                    "Template format error: [/Resources/{logical}] Every Resources object must contain a Type member."
                )));
            };
            if !logical.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
                return Err(validation(format!(
                    "Template format error: Resource name {logical} is non alphanumeric."
                )));
            }
            if kinds::find(kind).is_none() && !unknown.contains(&kind) {
                unknown.push(kind);
            }
        }
        match unknown.is_empty() {
            true => Ok(()),
            false => Err(validation(format!(
                "Template format error: Unrecognized resource types: [{}]",
                unknown.join(", ")
            ))),
        }
    }

    fn check_references(&self, section: &str) -> Result<(), ApiError> {
        let mut unresolved = Vec::new();
        for (_, member) in self.section(section) {
            for named in mentioned(member) {
                let known = named.starts_with("AWS::")
                    || self.has_parameter(&named)
                    || self.resource(&named).is_some();
                if !known && !unresolved.contains(&named) {
                    unresolved.push(named);
                }
            }
            if let Some((logical, attribute)) = self.unknown_attribute(member) {
                return Err(validation(format!(
                    "Template error: resource {logical} does not support attribute type {attribute} in Fn::GetAtt"
                )));
            }
        }
        match unresolved.is_empty() {
            true => Ok(()),
            false => Err(validation(format!(
                "Template format error: Unresolved resource dependencies [{}] in the {section} block of the template",
                unresolved.join(", ")
            ))),
        }
    }

    fn unknown_attribute(&self, value: &Value) -> Option<(String, String)> {
        let mut found = None;
        visit(value, &mut |name, argument| {
            if name != "Fn::GetAtt" || found.is_some() {
                return;
            }
            let Some((logical, attribute)) = target(argument) else {
                return;
            };
            let kind = kinds::find(self.kind(&logical));
            if kind.is_some_and(|kind| !kind.has_attribute(&attribute)) {
                found = Some((logical, attribute));
            }
        });
        found
    }

    fn check_conditions(&self) -> Result<(), ApiError> {
        for section in ["Resources", "Outputs"] {
            for (_, member) in self.section(section) {
                let named = text(member, "Condition");
                if let Some(named) = named.filter(|named| self.0["Conditions"].get(named).is_none()) {
                    return Err(validation(format!(
                        "Template format error: Unresolved condition dependency {named} in the {section} block of the template"
                    )));
                }
            }
        }
        Ok(())
    }

    fn check_order(&self) -> Result<(), ApiError> {
        let mut left: Vec<&str> = self.logicals().collect();
        loop {
            let before = left.len();
            let free: Vec<&str> = left
                .iter()
                .copied()
                .filter(|logical| {
                    !self
                        .needs(logical)
                        .iter()
                        .any(|needed| left.contains(&needed.as_str()))
                })
                .collect();
            left.retain(|logical| !free.contains(logical));
            if left.is_empty() {
                return Ok(());
            }
            if left.len() == before {
                return Err(validation(format!(
                    "Circular dependency between resources: [{}]",
                    left.join(", ")
                )));
            }
        }
    }
}

/// Calls `seen` with name and argument of every member at every depth.
fn visit(value: &Value, seen: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                seen(name, member);
                visit(member, seen);
            }
        }
        Value::Array(items) => {
            for item in items {
                visit(item, seen);
            }
        }
        _ => {}
    }
}

/// Resource and attribute of an `Fn::GetAtt`.
pub(in super::super) fn target(argument: &Value) -> Option<(String, String)> {
    match argument {
        Value::String(path) => {
            let (logical, attribute) = path.split_once('.')?;
            Some((logical.to_owned(), attribute.to_owned()))
        }
        Value::Array(parts) => {
            let mut parts = parts.iter().filter_map(Value::as_str);
            let logical = parts.next()?.to_owned();
            let rest: Vec<&str> = parts.collect();
            Some((logical, rest.join(".")))
        }
        _ => None,
    }
}

/// The names in an `Fn::Sub` text that it does not bring itself: `${Name}` and `${Name.Attribute}`.
pub(in super::super) fn substituted(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        rest = &rest[at + 2..];
        let Some(end) = rest.find('}') else { break };
        let name = &rest[..end];
        if !name.starts_with('!') {
            names.push(name.trim().to_owned());
        }
        rest = &rest[end + 1..];
    }
    names
}

/// Every name that a value refers to: parameters, resources and pseudo parameters.
fn mentioned(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    visit(value, &mut |name, argument| match name {
        "Ref" => names.extend(argument.as_str().map(str::to_owned)),
        "Fn::GetAtt" => names.extend(target(argument).map(|(logical, _)| logical)),
        "Fn::Sub" => {
            let (text, own) = match argument {
                Value::Array(parts) => (parts.first().and_then(Value::as_str), parts.get(1)),
                other => (other.as_str(), None),
            };
            for name in text.map(substituted).unwrap_or_default() {
                if own.is_none_or(|own| own.get(&name).is_none()) {
                    let name = name.split_once('.').map_or(name.as_str(), |(logical, _)| logical);
                    names.insert(name.to_owned());
                }
            }
        }
        _ => {}
    });
    names
}

/// The same without pseudo parameters; the caller knows which of the others are resources.
pub(in super::super) fn references(value: &Value) -> BTreeSet<String> {
    let mut names = mentioned(value);
    names.retain(|name| !name.starts_with("AWS::"));
    names
}
