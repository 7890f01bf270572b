//! Templates: how they are read, what is wrong with them, and what they need (AWS CloudFormation User Guide, "Template
//! sections").

mod check;
mod parameters;
mod source;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{kinds, validation};
use crate::error::{ApiError, OpResult};
use crate::service::member::{list, present, text};
use crate::world::World;

pub(super) use self::check::{references, substituted, target};
pub(super) use self::source::of_request;

/// A template, whatever it was written in.
#[derive(Clone, Debug, Default)]
pub(super) struct Document(pub(super) Value);

impl Document {
    /// Reads a template.
    ///
    /// # Errors
    /// A `ValidationError` for what is neither JSON nor YAML.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map(Self).map_err(|error| {
                validation(format!(
                    "Template format error: JSON not well-formed. (line {}, column {})",
                    error.line(),
                    error.column()
                ))
            });
        }
        source::yaml(text).map(Self)
    }

    /// The members of a section.
    pub(super) fn section<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.0.get(name).and_then(Value::as_object).into_iter().flatten()
    }

    /// What the template says of a resource.
    pub(super) fn resource(&self, logical: &str) -> Option<&Value> {
        self.0.get("Resources")?.get(logical)
    }

    /// The type of a resource.
    pub(super) fn kind(&self, logical: &str) -> &str {
        self.resource(logical)
            .and_then(|resource| text(resource, "Type"))
            .unwrap_or_default()
    }

    /// The logical ids of the resources, in the order of the template.
    pub(super) fn logicals(&self) -> impl Iterator<Item = &str> {
        self.section("Resources").map(|(logical, _)| logical.as_str())
    }

    /// What the template says beside type and properties of a resource, such as `UpdatePolicy`.
    pub(super) fn attributes(&self, logical: &str) -> Value {
        let resource = self.resource(logical).and_then(Value::as_object);
        let kept: serde_json::Map<String, Value> = resource
            .into_iter()
            .flatten()
            .filter(|(name, _)| {
                ["DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy"].contains(&name.as_str())
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        match kept.is_empty() {
            true => Value::Null,
            false => Value::Object(kept),
        }
    }

    pub(super) fn description(&self) -> &str {
        text(&self.0, "Description").unwrap_or_default()
    }

    /// The resources that one waits for: those that it refers to, and those of its `DependsOn`.
    pub(super) fn needs(&self, logical: &str) -> BTreeSet<String> {
        let Some(resource) = self.resource(logical) else {
            return BTreeSet::new();
        };
        let mut needs = references(&resource["Properties"]);
        match &resource["DependsOn"] {
            Value::String(one) => {
                needs.insert(one.clone());
            }
            other => needs.extend(
                other
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|one| Some(one.as_str()?.to_owned())),
            ),
        }
        needs.retain(|needed| needed != logical && self.resource(needed).is_some());
        needs
    }

    /// The types that need a capability, and the strongest one that they need: names make it `CAPABILITY_NAMED_IAM`
    /// (API Reference, CreateChangeSet, Capabilities).
    pub(super) fn capability(&self) -> Option<(&'static str, Vec<String>)> {
        let mut types = Vec::new();
        let mut capability = "CAPABILITY_IAM";
        for (_, resource) in self.section("Resources") {
            let kind = text(resource, "Type").unwrap_or_default();
            let Some(name) = kinds::identity(kind) else {
                continue;
            };
            if !types.iter().any(|known| known == kind) {
                types.push(kind.to_owned());
            }
            if name.is_some_and(|name| resource["Properties"].get(name).is_some()) {
                capability = "CAPABILITY_NAMED_IAM";
            }
        }
        (!types.is_empty()).then_some((capability, types))
    }
}

/// `ValidateTemplate`: the syntax alone, with what somebody who deploys it has to give.
pub(super) fn validate(world: &mut World, input: &Value) -> OpResult {
    let template = of_request(world, input)?
        .ok_or_else(|| validation("Either Template URL or Template Body must be specified."))?;
    let document = Document::parse(&template)?;
    document.check()?;
    let parameters: Vec<Value> = document
        .section("Parameters")
        .map(|(key, parameter)| {
            json!({
                "ParameterKey": key,
                "DefaultValue": parameters::plain(&parameter["Default"]),
                "NoEcho": document.hides(key),
                "Description": text(parameter, "Description"),
            })
        })
        .collect();
    let capability = document.capability();
    let reason = capability.as_ref().map(|(_, types)| {
        format!(
            "The following resource(s) require capabilities: [{}]",
            types.join(", ")
        )
    });
    Ok(present(json!({
        "Parameters": parameters,
        "Description": Some(document.description()).filter(|description| !description.is_empty()),
        "Capabilities": capability.map(|(name, _)| [name]),
        "CapabilitiesReason": reason,
        "DeclaredTransforms": [],
    })))
}

/// Whether a request acknowledges what a template needs.
///
/// # Errors
/// `InsufficientCapabilitiesException`.
pub(super) fn check_capabilities(document: &Document, input: &Value) -> Result<(), ApiError> {
    let given = list(input, "Capabilities");
    let Some((needed, _)) = document.capability() else {
        return Ok(());
    };
    // "If you have IAM resources with custom names, you must specify CAPABILITY_NAMED_IAM"; without, either will do.
    let enough = given
        .iter()
        .any(|given| given == needed || given == "CAPABILITY_NAMED_IAM");
    match enough {
        true => Ok(()),
        false => Err(ApiError::client(
            "InsufficientCapabilitiesException",
            format!("Requires capabilities : [{needed}]"),
        )),
    }
}
