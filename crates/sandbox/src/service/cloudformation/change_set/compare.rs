//! What a change set would do to its stack (API Reference, ResourceChange, ResourceChangeDetail,
//! ResourceTargetDefinition).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::document::{Document, references, substituted, target};
use super::super::intrinsics::Scope;
use super::super::stack::Stack;
use super::super::{Resource, find, kinds};
use super::ChangeSet;
use crate::world::World;

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Action {
    Add,
    Import,
    Modify,
    Remove,
}

impl Action {
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Import => "Import",
            Self::Modify => "Modify",
            Self::Remove => "Remove",
        }
    }
}

/// Whether a modified resource is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Replacement {
    True,
    False,
    /// It is known only when the change is carried out.
    Conditional,
}

impl Replacement {
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Conditional => "Conditional",
        }
    }
}

/// One reason of a modification.
#[derive(Clone, Debug)]
pub(in super::super) struct Detail {
    pub(in super::super) attribute: &'static str,
    pub(in super::super) property: Option<String>,
    pub(in super::super) recreation: &'static str,
    /// `Dynamic` when the value is known only when the change is carried out.
    pub(in super::super) evaluation: &'static str,
    pub(in super::super) source: &'static str,
    pub(in super::super) cause: Option<String>,
}

/// A change of one resource.
#[derive(Clone, Debug)]
pub(in super::super) struct Planned {
    pub(in super::super) action: Action,
    pub(in super::super) logical: String,
    pub(in super::super) physical: Option<String>,
    pub(in super::super) kind: String,
    pub(in super::super) replacement: Option<Replacement>,
    pub(in super::super) scope: Vec<&'static str>,
    pub(in super::super) details: Vec<Detail>,
    /// The properties with every function carried out.
    pub(in super::super) before: Value,
    pub(in super::super) after: Value,
    attributes: Value,
}

impl Planned {
    /// What becomes of the resource that goes, or that is replaced.
    pub(in super::super) fn policy_action(&self) -> Option<&'static str> {
        let keeps = |policy: &str| {
            let said = self.attributes[policy].as_str().unwrap_or_default();
            said.starts_with("Retain")
        };
        match (self.action, self.replacement) {
            (Action::Remove, _) => Some(if keeps("DeletionPolicy") {
                "Retain"
            } else {
                "Delete"
            }),
            (Action::Modify, Some(Replacement::True | Replacement::Conditional)) => {
                Some(if keeps("UpdateReplacePolicy") {
                    "ReplaceAndRetain"
                } else {
                    "ReplaceAndDelete"
                })
            }
            _ => None,
        }
    }
}

/// A change set beside its stack.
pub(in super::super) struct Compared {
    pub(in super::super) changes: Vec<Planned>,
    /// Neither resources nor outputs nor tags change.
    pub(in super::super) nothing: bool,
}

/// What is still to be made, or made anew, stands for itself.
fn unknown(logical: &str, attribute: Option<&str>) -> Value {
    match attribute {
        None => json!(format!("{{{{changeSet:KNOWN_AFTER_APPLY:{logical}}}}}")),
        Some(attribute) => json!(format!(
            "{{{{changeSet:KNOWN_AFTER_APPLY:{logical}.{attribute}}}}}"
        )),
    }
}

/// Attributes that an update of a resource changes, though it stays the same resource.
fn is_volatile(attribute: &str) -> bool {
    matches!(attribute, "LatestVersionNumber" | "Value")
}

/// Both sides of a comparison.
struct Sides<'a> {
    world: &'a World,
    stack: &'a Stack,
    /// The template that the stack has now; empty for one that is to be created.
    old: Document,
    new: Document,
    old_values: BTreeMap<String, String>,
    new_values: BTreeMap<String, String>,
    /// Resources that come or are made anew, and those that are modified otherwise.
    fresh: BTreeMap<String, Option<Replacement>>,
    modified: BTreeSet<String>,
}

/// Compares a change set with its stack.
///
/// # Errors
/// Why the change set fails.
pub(in super::super) fn compare(world: &World, stack: &str, set: &ChangeSet) -> Result<Compared, String> {
    let Some(stack) = find(world, stack) else {
        return Err(format!("Stack [{stack}] does not exist"));
    };
    let old = match stack.template.is_empty() {
        true => Document::default(),
        false => Document::parse(&stack.template).map_err(|error| error.message)?,
    };
    let new = set.document();
    let retyped: Vec<&str> = new
        .logicals()
        .filter(|logical| {
            stack
                .resource(logical)
                .is_some_and(|there| there.kind != new.kind(logical))
        })
        .collect();
    if !retyped.is_empty() {
        return Err(format!(
            "Update of resource type is not permitted. The new template modifies resource type of the following \
             resources: [{}]",
            retyped.join(", ")
        ));
    }
    let mut sides = Sides {
        old_values: old.resolved(world, &stack.parameters),
        new_values: new.resolved(world, &set.parameters),
        world,
        stack,
        old,
        new,
        fresh: BTreeMap::new(),
        modified: BTreeSet::new(),
    };
    let wanted = sides.wanted()?;
    // "Stack-level tags" are no part of an import.
    let retagged = set.imports.is_empty() && set.tags != stack.spec.tags;
    let mut changes: Vec<Planned> = Vec::new();
    for logical in in_order(&sides.new, &wanted) {
        let change = match stack.resource(&logical) {
            None => Some(sides.added(&logical, set.imports.get(&logical))?),
            Some(resource) => sides.modified(resource, retagged)?,
        };
        changes.extend(change);
    }
    for resource in stack
        .spec
        .resources
        .iter()
        .filter(|resource| !wanted.contains(&resource.logical))
    {
        changes.push(sides.removed(resource));
    }
    if !set.imports.is_empty() {
        let others = changes.iter().filter(|change| change.action != Action::Import);
        let others: Vec<&str> = others.map(|change| change.logical.as_str()).collect();
        if !others.is_empty() {
            return Err(format!(
                "You have modified resources [{}] in your template that are not being imported. Update, create or \
                 delete operations cannot be executed during import operations.",
                others.join(", ")
            ));
        }
    }
    // In the order of the template, what goes last.
    let order: Vec<String> = sides.new.logicals().map(str::to_owned).collect();
    changes.sort_by_key(|change| {
        order
            .iter()
            .position(|logical| *logical == change.logical)
            .unwrap_or(usize::MAX)
    });
    let outputs_same =
        sides.old.0.get("Outputs") == sides.new.0.get("Outputs") && sides.old_values == sides.new_values;
    let nothing = changes.is_empty() && outputs_same && !retagged && !set.creates;
    Ok(Compared { changes, nothing })
}

/// Resources behind those that they need.
fn in_order(document: &Document, wanted: &BTreeSet<String>) -> Vec<String> {
    let mut left: Vec<String> = document
        .logicals()
        .filter(|logical| wanted.contains(*logical))
        .map(str::to_owned)
        .collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = left
            .iter()
            .position(|logical| !document.needs(logical).iter().any(|needed| left.contains(needed)));
        // A template with a circle was refused.
        order.push(left.remove(free.unwrap_or(0)));
    }
    order
}

impl Sides<'_> {
    fn wanted(&self) -> Result<BTreeSet<String>, String> {
        let find = |logical: &str, attribute: Option<&str>| Ok(unknown(logical, attribute));
        let scope = self.scope(&self.new, &self.new_values, &find);
        let mut wanted = BTreeSet::new();
        for (logical, resource) in self.new.section("Resources") {
            if scope.is_wanted(resource)? {
                wanted.insert(logical.clone());
            }
        }
        Ok(wanted)
    }

    fn scope<'b>(
        &'b self,
        document: &'b Document,
        values: &'b BTreeMap<String, String>,
        find: &'b super::super::intrinsics::Find<'b>,
    ) -> Scope<'b> {
        let scope = Scope::new(
            self.world,
            document,
            &self.stack.spec.name,
            &self.stack.id,
            values,
            find,
        );
        scope.lenient()
    }

    /// The properties of a resource as they were deployed.
    fn before(&self, logical: &str) -> Result<Value, String> {
        let find = |logical: &str, attribute: Option<&str>| Ok(self.present(logical, attribute));
        let scope = self.scope(&self.old, &self.old_values, &find);
        let properties = self.old.resource(logical).map(|resource| &resource["Properties"]);
        Ok(scope
            .value(properties.unwrap_or(&Value::Null))?
            .unwrap_or_default())
    }

    fn present(&self, logical: &str, attribute: Option<&str>) -> Value {
        let Some(resource) = self.stack.resource(logical) else {
            return unknown(logical, attribute);
        };
        match attribute {
            None => json!(resource.physical),
            Some(attribute) => kinds::attribute(self.world, resource, attribute)
                .unwrap_or_else(|| unknown(logical, Some(attribute))),
        }
    }

    /// The same as they will be, as far as that is known.
    fn after(&self, logical: &str) -> Result<Value, String> {
        let find = |logical: &str, attribute: Option<&str>| {
            let changes = self.modified.contains(logical) && attribute.is_some_and(is_volatile);
            Ok(match self.fresh.contains_key(logical) || changes {
                true => unknown(logical, attribute),
                false => self.present(logical, attribute),
            })
        };
        let scope = self.scope(&self.new, &self.new_values, &find);
        let properties = self.new.resource(logical).map(|resource| &resource["Properties"]);
        Ok(scope
            .value(properties.unwrap_or(&Value::Null))?
            .unwrap_or_default())
    }

    /// `import`: the physical id of what is taken in.
    fn added(&mut self, logical: &str, import: Option<&String>) -> Result<Planned, String> {
        let after = self.after(logical)?;
        self.fresh.insert(logical.to_owned(), None);
        Ok(Planned {
            action: match import {
                Some(_) => Action::Import,
                None => Action::Add,
            },
            logical: logical.to_owned(),
            physical: import.cloned(),
            kind: self.new.kind(logical).to_owned(),
            replacement: None,
            scope: Vec::new(),
            details: Vec::new(),
            before: Value::Null,
            after,
            attributes: Value::Null,
        })
    }

    fn removed(&self, resource: &Resource) -> Planned {
        Planned {
            action: Action::Remove,
            logical: resource.logical.clone(),
            physical: Some(resource.physical.clone()),
            kind: resource.kind.clone(),
            replacement: None,
            scope: Vec::new(),
            details: Vec::new(),
            before: self.before(&resource.logical).unwrap_or_default(),
            after: Value::Null,
            attributes: resource.attributes.clone(),
        }
    }

    fn modified(&mut self, resource: &Resource, retagged: bool) -> Result<Option<Planned>, String> {
        let logical = resource.logical.as_str();
        let (before, after) = (self.before(logical)?, self.after(logical)?);
        let kind = kinds::find(&resource.kind);
        let mut details = Vec::new();
        for property in kinds::changed(&before, &after) {
            let recreation = kind.map_or("Never", |kind| kind.recreation(&property));
            details.extend(self.causes(logical, &property, recreation));
        }
        let replacement = replacement(&details);
        let mut scope: Vec<&'static str> = Vec::new();
        if !details.is_empty() {
            scope.push("Properties");
        }
        for attribute in [
            "DeletionPolicy",
            "UpdateReplacePolicy",
            "UpdatePolicy",
            "Metadata",
        ] {
            let said = |document: &Document| {
                document
                    .resource(logical)
                    .and_then(|one| one.get(attribute))
                    .cloned()
            };
            if said(&self.old) != said(&self.new) {
                scope.push(attribute);
                details.push(direct(attribute));
            }
        }
        if retagged && kind.is_some_and(|kind| kind.tagged) {
            scope.push("Tags");
            details.push(direct("Tags"));
        }
        if scope.is_empty() {
            return Ok(None);
        }
        match replacement {
            Replacement::False => {
                self.modified.insert(logical.to_owned());
            }
            other => {
                self.fresh.insert(logical.to_owned(), Some(other));
            }
        }
        Ok(Some(Planned {
            action: Action::Modify,
            logical: logical.to_owned(),
            physical: Some(resource.physical.clone()),
            kind: resource.kind.clone(),
            replacement: Some(replacement),
            scope,
            details,
            before,
            after,
            attributes: self.new.attributes(logical),
        }))
    }

    /// Why a property changes: its text does, a parameter that it names, or a resource.
    fn causes(&self, logical: &str, property: &str, recreation: &'static str) -> Vec<Detail> {
        let said = |document: &Document| {
            let properties = document
                .resource(logical)
                .map(|resource| &resource["Properties"][property]);
            properties.cloned().unwrap_or_default()
        };
        let (old, new) = (said(&self.old), said(&self.new));
        let detail = |evaluation, source, cause: Option<String>| Detail {
            attribute: "Properties",
            property: Some(property.to_owned()),
            recreation,
            evaluation,
            source,
            cause,
        };
        let mut details = Vec::new();
        if old != new {
            details.push(detail("Static", "DirectModification", None));
        }
        for name in references(&new) {
            if self.new.has_parameter(&name) && self.old_values.get(&name) != self.new_values.get(&name) {
                details.push(detail("Static", "ParameterReference", Some(name)));
            }
        }
        for (named, attribute) in named_resources(&new) {
            let fresh = self.fresh.contains_key(&named);
            let changed = self.modified.contains(&named) && attribute.as_deref().is_some_and(is_volatile);
            match attribute {
                None if fresh => details.push(detail("Dynamic", "ResourceReference", Some(named))),
                Some(attribute) if fresh || changed => {
                    let cause = format!("{named}.{attribute}");
                    details.push(detail("Dynamic", "ResourceAttribute", Some(cause)));
                }
                _ => {}
            }
        }
        if details.is_empty() {
            // An import, or a value that the template looks up, is another one now.
            details.push(detail("Static", "DirectModification", None));
        }
        details
    }
}

fn direct(attribute: &'static str) -> Detail {
    Detail {
        attribute,
        property: None,
        recreation: "Never",
        evaluation: "Static",
        source: "DirectModification",
        cause: None,
    }
}

/// "If any one of these details has a RequiresRecreation of Always and is evaluated statically, the resource is
/// replaced"; one that is evaluated dynamically, or needs it under conditions, makes it conditional (API Reference,
/// ResourceChange, Replacement).
fn replacement(details: &[Detail]) -> Replacement {
    let always = |detail: &&Detail| detail.recreation == "Always";
    if details
        .iter()
        .filter(always)
        .any(|detail| detail.evaluation == "Static")
    {
        return Replacement::True;
    }
    match details.iter().any(|detail| detail.recreation != "Never") {
        true => Replacement::Conditional,
        false => Replacement::False,
    }
}

/// Resources that a value refers to, with the attribute that it takes.
fn named_resources(value: &Value) -> BTreeSet<(String, Option<String>)> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<(String, Option<String>)>) {
    match value {
        Value::Object(members) => {
            for (name, argument) in members {
                match (name.as_str(), argument) {
                    ("Ref", Value::String(logical)) => {
                        found.insert((logical.clone(), None));
                    }
                    ("Fn::GetAtt", _) => {
                        found.extend(target(argument).map(|(logical, name)| (logical, Some(name))))
                    }
                    ("Fn::Sub", _) => {
                        let text = argument.as_str().or_else(|| argument.get(0)?.as_str());
                        for name in text.map(substituted).unwrap_or_default() {
                            found.insert(match name.split_once('.') {
                                Some((logical, attribute)) => {
                                    (logical.to_owned(), Some(attribute.to_owned()))
                                }
                                None => (name, None),
                            });
                        }
                    }
                    _ => {}
                }
                collect(argument, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect(item, found);
            }
        }
        _ => {}
    }
}
