//! Change sets: what a deployment would do, looked at before it is done ("Update CloudFormation stacks using change
//! sets"; API Reference, CreateChangeSet, DescribeChangeSet, ExecuteChangeSet).

mod compare;
mod create;
mod imports;
mod show;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

pub(super) use self::compare::{Action, Planned, Replacement, compare};
pub(super) use self::create::create;
pub(super) use self::show::{describe, list};
use super::document::Document;
use super::{deployment, find, named as named_stack, stack_mut, validation};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, text};
use crate::time::SimTime;
use crate::world::World;

/// How long CloudFormation takes before it begins with a change set, and until it is done.
const BEGINS: Duration = Duration::from_secs(1);
const TAKES: Duration = Duration::from_secs(6);

/// Why a change set without changes has failed.
const NOTHING: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

/// A change set of a stack.
#[derive(Clone, Debug)]
pub(super) struct ChangeSet {
    pub(super) id: String,
    pub(super) name: String,
    description: Option<String>,
    created: SimTime,
    /// It creates its stack.
    pub(super) creates: bool,
    /// The physical ids of what an import takes in, by logical ids; empty for every other change set.
    pub(super) imports: BTreeMap<String, String>,
    template: String,
    /// The values of the template's parameters.
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) capabilities: Vec<String>,
    token: Option<String>,
    /// `DO_NOTHING`, `ROLLBACK` or `DELETE`.
    pub(super) on_failure: Option<String>,
    /// What it would do, or why it has failed; `None` until it is compared.
    outcome: Option<Result<Vec<Planned>, String>>,
    pub(super) execution: &'static str,
}

impl ChangeSet {
    pub(super) fn template(&self) -> &str {
        &self.template
    }

    pub(super) fn document(&self) -> Document {
        Document::parse(&self.template).unwrap_or_default()
    }

    fn status(&self, now: SimTime) -> &'static str {
        match &self.outcome {
            Some(Ok(_)) => "CREATE_COMPLETE",
            Some(Err(_)) => "FAILED",
            None if now < self.created + BEGINS => "CREATE_PENDING",
            None => "CREATE_IN_PROGRESS",
        }
    }
}

/// Change sets that are due are compared with their stacks.
pub(super) fn tick(world: &mut World) {
    let now = world.now;
    let due: Vec<(String, String)> = world
        .services
        .cloudformation
        .stacks
        .values()
        .flat_map(|stack| {
            let sets = stack.change_sets.iter();
            sets.filter(|set| set.outcome.is_none() && set.created + TAKES <= now)
                .map(|set| (stack.spec.name.clone(), set.id.clone()))
        })
        .collect();
    for (stack, id) in due {
        let Some(set) = find(world, &stack)
            .and_then(|stack| stack.change_sets.iter().find(|set| set.id == id))
            .cloned()
        else {
            continue;
        };
        let outcome = compare(world, &stack, &set).and_then(|compared| match compared.nothing {
            true => Err(NOTHING.to_owned()),
            false => Ok(compared.changes),
        });
        let sets = stack_mut(world, &stack).map(|stack| &mut stack.change_sets);
        if let Some(set) = sets.into_iter().flatten().find(|set| set.id == id) {
            set.execution = if outcome.is_ok() {
                "AVAILABLE"
            } else {
                "UNAVAILABLE"
            };
            set.outcome = Some(outcome);
        }
    }
}

/// The change set that a request names, with the name of its stack.
///
/// # Errors
/// `ChangeSetNotFound`, or a `ValidationError` for a name without its stack.
pub(super) fn named<'a>(world: &'a World, input: &Value) -> Result<(&'a str, &'a ChangeSet), ApiError> {
    let wanted = text(input, "ChangeSetName").unwrap_or_default();
    let missing = || {
        ApiError::client(
            "ChangeSetNotFound",
            format!("ChangeSet [{wanted}] does not exist"),
        )
        .with_status(404)
    };
    if wanted.starts_with("arn:") {
        let state = &world.services.cloudformation;
        let sets = state.stacks.values().chain(&state.deleted);
        return sets
            .flat_map(|stack| {
                stack
                    .change_sets
                    .iter()
                    .map(|set| (stack.spec.name.as_str(), set))
            })
            .find(|(_, set)| set.id == wanted)
            .ok_or_else(missing);
    }
    let stack = text(input, "StackName").ok_or_else(|| {
        validation("StackName must be specified if ChangeSetName is not specified as an ARN.")
    })?;
    let found = find(world, stack).ok_or_else(|| validation(format!("Stack [{stack}] does not exist")))?;
    let mut sets = found.change_sets.iter();
    let set = sets.find(|set| set.name == wanted).ok_or_else(missing)?;
    Ok((&found.spec.name, set))
}

/// `DeleteChangeSet`: one that is not there is a success; one that is being executed is refused.
pub(super) fn delete(world: &mut World, input: &Value) -> OpResult {
    let (stack, id) = match named(world, input) {
        Ok((_, set)) if set.execution == "EXECUTE_IN_PROGRESS" => {
            return Err(status_error(&set.id, "EXECUTE_IN_PROGRESS", "deleted"));
        }
        Ok((stack, set)) => (stack.to_owned(), set.id.clone()),
        Err(error) if error.code == "ChangeSetNotFound" => return Ok(json!({})),
        Err(error) => return Err(error),
    };
    if let Some(stack) = stack_mut(world, &stack) {
        stack.change_sets.retain(|set| set.id != id);
    }
    Ok(json!({}))
}

fn status_error(id: &str, status: &str, what: &str) -> ApiError {
    ApiError::client(
        "InvalidChangeSetStatus",
        format!("ChangeSet [{id}] cannot be {what} in its current status of [{status}]"),
    )
}

/// `ExecuteChangeSet`: the deployment begins, and the other change sets of the stack go: "CloudFormation deletes all
/// other change sets associated with the stack because they aren't valid for the updated stack".
pub(super) fn execute(world: &mut World, input: &Value) -> OpResult {
    let (stack, set) = named(world, input)?;
    let (stack, set) = (stack.to_owned(), set.clone());
    let token = text(input, "ClientRequestToken");
    // "so that CloudFormation knows that you're not attempting to execute a change set to update a stack with the same
    // name": the same request with the same token is carried out once.
    if let Some(token) = token
        && !deployment::remember(world, &stack, token, &format!("ExecuteChangeSet {}", set.id))?
    {
        return Ok(json!({}));
    }
    let status = set.status(world.now);
    if status != "CREATE_COMPLETE" {
        return Err(status_error(&set.id, status, "executed"));
    }
    if set.execution != "AVAILABLE" {
        return Err(status_error(&set.id, set.execution, "executed"));
    }
    let present = find(world, &stack).map_or("", |stack| stack.status);
    if !set.creates && !deployment::can_update(present) {
        return Err(status_error(&set.id, present, "executed"));
    }
    if flag(input, "DisableRollback").is_some() && set.on_failure.is_some() {
        return Err(validation(
            "DisableRollback and OnStackFailure cannot be specified at the same time.",
        ));
    }
    if let Some(stack) = stack_mut(world, &stack) {
        stack.change_sets.retain(|other| other.id == set.id);
        if let Some(set) = stack.change_sets.first_mut() {
            set.execution = "EXECUTE_IN_PROGRESS";
        }
        stack.change_set = Some(set.id.clone());
        stack.disable_rollback =
            flag(input, "DisableRollback") == Some(true) || set.on_failure.as_deref() == Some("DO_NOTHING");
    }
    deployment::begin(world, &stack, &set, token);
    Ok(json!({}))
}

/// The name of the stack that a request is about, which has to be there.
fn stack_named(world: &World, input: &Value) -> Result<String, ApiError> {
    let name = text(input, "StackName").unwrap_or_default();
    named_stack(world, name).ok_or_else(|| validation(format!("Stack [{name}] does not exist")))
}
