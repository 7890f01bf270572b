//! A stack as the account knows it: what it consists of, what is being done to it, and what has happened to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::change_set::ChangeSet;
use super::deployment::Run;
use super::{Resource, StackSpec, stack_mut};
use crate::time::SimTime;
use crate::world::World;

/// A stack.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) id: String,
    pub(super) spec: StackSpec,
    /// As it was deployed.
    pub(super) template: String,
    /// The values of the template's parameters, as they were given.
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) capabilities: Vec<String>,
    pub(super) status: &'static str,
    pub(super) reason: Option<String>,
    /// Deletion is refused.
    pub(super) protected: bool,
    /// A failed deployment is left as it is.
    pub(super) disable_rollback: bool,
    pub(super) deleted: Option<SimTime>,
    /// The change set that was executed last.
    pub(super) change_set: Option<String>,
    /// Newest first.
    pub(super) events: Vec<Value>,
    /// The resources whose state is not that of the stack's last deployment.
    pub(super) states: BTreeMap<String, ResourceState>,
    pub(super) change_sets: Vec<ChangeSet>,
    /// What is being done, or was begun and not finished.
    pub(super) run: Option<Run>,
    /// Resources that an update has replaced or removed and that are still to be deleted.
    pub(super) leaving: Vec<Resource>,
    /// Tokens of the operations that were asked for, with the name of the operation and its subject.
    pub(super) tokens: BTreeMap<String, String>,
}

/// What the events last said of a resource.
#[derive(Clone, Debug)]
pub(super) struct ResourceState {
    pub(super) status: &'static str,
    pub(super) reason: Option<String>,
    pub(super) at: SimTime,
}

impl Stack {
    /// A stack that was deployed before the account was first looked at.
    pub(super) fn seeded(id: String, spec: StackSpec, template: String) -> Self {
        let status = match spec.updated {
            Some(_) => "UPDATE_COMPLETE",
            None => "CREATE_COMPLETE",
        };
        let everything = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
        Self {
            capabilities: everything.map(str::to_owned).to_vec(),
            status,
            ..Self::new(id, spec, template)
        }
    }

    /// A stack that is there for its first change set to be looked at.
    pub(super) fn new(id: String, spec: StackSpec, template: String) -> Self {
        Self {
            id,
            spec,
            template,
            parameters: BTreeMap::new(),
            capabilities: Vec::new(),
            status: "REVIEW_IN_PROGRESS",
            reason: None,
            protected: false,
            disable_rollback: false,
            deleted: None,
            change_set: None,
            events: Vec::new(),
            states: BTreeMap::new(),
            change_sets: Vec::new(),
            run: None,
            leaving: Vec::new(),
            tokens: BTreeMap::new(),
        }
    }

    /// The resource with this logical id.
    pub(super) fn resource(&self, logical: &str) -> Option<&Resource> {
        self.spec
            .resources
            .iter()
            .find(|resource| resource.logical == logical)
    }

    pub(super) fn resource_mut(&mut self, logical: &str) -> Option<&mut Resource> {
        let mut resources = self.spec.resources.iter_mut();
        resources.find(|resource| resource.logical == logical)
    }

    /// Takes a resource out of the stack.
    pub(super) fn take(&mut self, logical: &str) -> Option<Resource> {
        let resources = &mut self.spec.resources;
        let at = resources
            .iter()
            .position(|resource| resource.logical == logical)?;
        Some(resources.remove(at))
    }

    /// Status, reason and time of the last event of a resource.
    pub(super) fn state(&self, logical: &str) -> ResourceState {
        self.states.get(logical).cloned().unwrap_or(ResourceState {
            // What the seed has deployed went well, in one go.
            status: match self.spec.updated {
                Some(_) => "UPDATE_COMPLETE",
                None => "CREATE_COMPLETE",
            },
            reason: None,
            at: self.spec.updated.unwrap_or(self.spec.created),
        })
    }
}

/// Something that happened to a resource of a stack, or to the stack itself.
pub(super) struct Happened<'a> {
    pub(super) logical: &'a str,
    pub(super) physical: &'a str,
    pub(super) kind: &'a str,
    pub(super) status: &'static str,
    pub(super) reason: Option<&'a str>,
    /// The properties that the resource is given.
    pub(super) properties: Option<&'a Value>,
}

/// Writes an event down, with the token of the operation that it belongs to.
pub(super) fn tell(world: &mut World, name: &str, token: Option<&str>, happened: &Happened<'_>) {
    let now = world.now;
    let id = world.ids.uuid();
    let Some(stack) = stack_mut(world, name) else {
        return;
    };
    let itself = happened.physical == stack.id;
    // The events of resources are numbered by what they say, those of the stack are not.
    let id = match itself {
        true => id,
        false => format!("{}-{}-{}", happened.logical, happened.status, now.iso8601()),
    };
    let mut event = json!({
        "StackId": stack.id,
        "EventId": id,
        "StackName": stack.spec.name,
        "LogicalResourceId": happened.logical,
        "PhysicalResourceId": happened.physical,
        "ResourceType": happened.kind,
        "Timestamp": now.epoch_seconds(),
        "ResourceStatus": happened.status,
    });
    if let Some(reason) = happened.reason {
        event["ResourceStatusReason"] = json!(reason);
    }
    if let Some(token) = token {
        event["ClientRequestToken"] = json!(token);
    }
    if let Some(properties) = happened.properties.filter(|properties| !properties.is_null()) {
        event["ResourceProperties"] = json!(properties.to_string());
    }
    stack.events.insert(0, event);
    if !itself {
        let state = ResourceState {
            status: happened.status,
            reason: happened.reason.map(str::to_owned),
            at: now,
        };
        stack.states.insert(happened.logical.to_owned(), state);
    }
}

/// Gives the stack a status, and says so in an event.
pub(super) fn set_status(
    world: &mut World,
    name: &str,
    token: Option<&str>,
    status: &'static str,
    reason: Option<&str>,
) {
    let Some(stack) = stack_mut(world, name) else {
        return;
    };
    stack.status = status;
    stack.reason = reason.map(str::to_owned);
    let id = stack.id.clone();
    let itself = Happened {
        logical: name,
        physical: &id,
        kind: "AWS::CloudFormation::Stack",
        status,
        reason,
        properties: None,
    };
    tell(world, name, token, &itself);
}
