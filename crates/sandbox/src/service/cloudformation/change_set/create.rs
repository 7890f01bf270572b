//! `CreateChangeSet`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::document::{Document, check_capabilities, of_request};
use super::super::intrinsics::Scope;
use super::super::stack::{Stack, set_status};
use super::super::{StackSpec, deployment, find, stack_id, validation};
use super::{ChangeSet, imports};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, list, text, texts};
use crate::world::World;

/// Change sets that a stack may have at a time ("CloudFormation quotas").
const MOST: usize = 200;

pub(in super::super) fn create(world: &mut World, input: &Value) -> OpResult {
    let given = text(input, "StackName").unwrap_or_default().to_owned();
    let name = text(input, "ChangeSetName").unwrap_or_default().to_owned();
    check_name("changeSetName", &name)?;
    let kind = text(input, "ChangeSetType").unwrap_or("UPDATE");
    let stack = find(world, &given).filter(|stack| stack.deleted.is_none());
    // "For a new stack" and for an existing one an import is asked for alike.
    let is_new = stack.is_none_or(|stack| stack.status == "REVIEW_IN_PROGRESS");
    let creates = kind == "CREATE" || kind == "IMPORT" && is_new;
    check_stack(&given, &name, stack, creates)?;
    let before = stack.filter(|stack| stack.status != "REVIEW_IN_PROGRESS");
    let template = template(world, input, before)?;
    let document = Document::parse(&template)?;
    document.check()?;
    check_capabilities(&document, input)?;
    let imports = match kind {
        "IMPORT" => imports::of(&document, input, before)?,
        _ => BTreeMap::new(),
    };
    let none = BTreeMap::new();
    let parameters = document.values(world, input, before.map_or(&none, |stack| &stack.parameters))?;
    let resolved = document.resolved(world, &parameters);
    let stack_name = stack
        .map_or(given.as_str(), |stack| stack.spec.name.as_str())
        .to_owned();
    check_rules(world, &document, &stack_name, &resolved)?;
    // Without tags in the request "CloudFormation doesn't modify the stack's tags".
    let tags = match input.get("Tags") {
        Some(_) => list(input, "Tags")
            .iter()
            .filter_map(|tag| Some((text(tag, "Key")?.to_owned(), text(tag, "Value")?.to_owned())))
            .collect(),
        None => before.map(|stack| stack.spec.tags.clone()).unwrap_or_default(),
    };
    let region = (&world.options.region, &world.options.account_id);
    let prefix = format!(
        "arn:aws:cloudformation:{}:{}:changeSet/{name}/",
        region.0, region.1
    );
    let set = ChangeSet {
        id: String::new(),
        name,
        description: text(input, "Description").map(str::to_owned),
        created: world.now,
        creates,
        imports,
        template,
        parameters,
        tags,
        capabilities: texts(input, "Capabilities"),
        token: text(input, "ClientToken").map(str::to_owned),
        on_failure: text(input, "OnStackFailure").map(str::to_owned),
        outcome: None,
        execution: "UNAVAILABLE",
    };
    if let Some(stack) = stack
        && let Some(existing) = stack
            .change_sets
            .iter()
            .find(|existing| existing.name == set.name)
    {
        return match mismatch(existing, &set) {
            // The same request again.
            None => Ok(json!({ "Id": existing.id, "StackId": stack.id })),
            Some(attribute) => Err(ApiError::client(
                "AlreadyExistsException",
                format!(
                    "ChangeSet {} cannot be created due to a mismatch with existing attribute {attribute}",
                    set.name
                ),
            )),
        };
    }
    let set = ChangeSet {
        id: format!("{prefix}{}", world.ids.uuid()),
        ..set
    };
    Ok(add(world, &stack_name, document.description(), set))
}

/// The template of the request, or the one that the stack has.
fn template(world: &World, input: &Value, before: Option<&Stack>) -> Result<String, ApiError> {
    let previous = flag(input, "UsePreviousTemplate") == Some(true);
    match (of_request(world, input)?, previous) {
        (Some(_), true) => Err(validation(
            "You cannot specify both usePreviousTemplate and Template Body/URL.",
        )),
        (Some(template), false) => Ok(template),
        (None, true) => before
            .map(|stack| stack.template.clone())
            .ok_or_else(|| validation("UsePreviousTemplate requires a stack that has a template.")),
        (None, false) => Err(validation(
            "Either Template URL or Template Body must be specified.",
        )),
    }
}

/// The assertions of the template's rules.
fn check_rules(
    world: &World,
    document: &Document,
    stack: &str,
    values: &BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let nowhere = |logical: &str, _: Option<&str>| Err(format!("Unresolved resource {logical}"));
    let scope = Scope::new(world, document, stack, "", values, &nowhere);
    match scope.broken_rule().map_err(validation)? {
        Some(broken) => Err(validation(broken)),
        None => Ok(()),
    }
}

/// Puts the change set to its stack, which a first one makes. Answers both ids.
fn add(world: &mut World, name: &str, description: &str, set: ChangeSet) -> Value {
    if !world.services.cloudformation.stacks.contains_key(name) {
        let id = stack_id(world, name);
        let spec = StackSpec {
            name: name.to_owned(),
            description: description.to_owned(),
            created: world.now,
            ..StackSpec::default()
        };
        let stack = Stack::new(id, spec, String::new());
        world
            .services
            .cloudformation
            .stacks
            .insert(name.to_owned(), stack);
        set_status(
            world,
            name,
            set.token.as_deref(),
            "REVIEW_IN_PROGRESS",
            Some("User Initiated"),
        );
    }
    let id = set.id.clone();
    let stack = super::stack_mut(world, name);
    let stack_id = stack.map(|stack| {
        stack.change_sets.push(set);
        stack.id.clone()
    });
    json!({ "Id": id, "StackId": stack_id })
}

/// Letters, digits and hyphens, a letter first, 128 at most (API Reference, CreateChangeSet).
fn check_name(member: &str, name: &str) -> Result<(), ApiError> {
    let legal = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
        && name.len() <= 128;
    match legal {
        true => Ok(()),
        false => Err(validation(format!(
            "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        ))),
    }
}

fn check_stack(given: &str, set: &str, stack: Option<&Stack>, creates: bool) -> Result<(), ApiError> {
    match (stack, creates) {
        (None, true) => check_name("stackName", given),
        (None, false) => Err(validation(format!("Stack [{given}] does not exist"))),
        (Some(stack), true) if stack.status != "REVIEW_IN_PROGRESS" => Err(validation(format!(
            "Stack [{}] already exists and cannot be created again with the changeSet [{set}].",
            stack.spec.name
        ))),
        (Some(stack), false) if !deployment::can_update(stack.status) => Err(validation(format!(
            "Stack:{} is in {} state and can not be updated.",
            stack.id, stack.status
        ))),
        (Some(stack), _) if stack.change_sets.len() >= MOST => Err(ApiError::client(
            "LimitExceededException",
            format!("ChangeSet limit exceeded for stack {}", stack.spec.name),
        )),
        (Some(_), _) => Ok(()),
    }
}

/// The first attribute in which a request differs from the change set that has its name already. Two requests with the
/// same token and content are one ("retry CreateChangeSet requests to ensure that CloudFormation successfully received
/// them").
fn mismatch(existing: &ChangeSet, set: &ChangeSet) -> Option<&'static str> {
    if existing.token != set.token {
        Some("ClientToken")
    } else if existing.template != set.template {
        Some("Template")
    } else if existing.parameters != set.parameters {
        Some("Parameters")
    } else if existing.tags != set.tags {
        Some("Tags")
    } else if existing.capabilities != set.capabilities {
        Some("Capabilities")
    } else if existing.imports != set.imports {
        Some("ResourcesToImport")
    } else if existing.creates != set.creates {
        Some("ChangeSetType")
    } else {
        None
    }
}
