//! The kinds of resources that templates may have: what each needs to come into being, to change and to go (AWS
//! CloudFormation Template Reference, "AWS resource and property types reference").
//!
//! Kinds whose service keeps a state of its own are made there. EC2, Lambda and ElastiCache keep none: what they
//! answer is put together from the resources of the stacks.

mod containers;
mod databases;
mod existing;
mod fleet;
mod identity;
mod network;
mod platform;
mod read;
mod storage;
mod watch;

use serde_json::{Map, Value};

pub(super) use self::existing::{imported_by, is_there};
use super::Resource;
use crate::error::ApiError;
use crate::seed::names::generated;
use crate::world::World;

/// What a handler makes or changes a resource from.
pub(super) struct Request<'a> {
    /// The name of the stack.
    pub(super) stack: &'a str,
    pub(super) logical: &'a str,
    /// With every function carried out.
    pub(super) properties: &'a Value,
    /// What the template says beside them, such as `UpdatePolicy`.
    pub(super) attributes: &'a Value,
    /// The tags of the stack, which all of its resources get.
    pub(super) tags: &'a [(String, String)],
}

/// Why a handler did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    message: String,
    /// `AlreadyExists`, `InvalidRequest`, `NotStabilized` and so on ("Handler error codes").
    code: &'static str,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code,
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidRequest", message)
    }

    /// A name that is taken.
    fn exists(kind: &str, property: &str, name: &str) -> Self {
        let message = format!(
            "Resource of type '{kind}' with identifier '{{\"/properties/{property}\":\"{name}\"}}' already exists."
        );
        Self::new("AlreadyExists", message)
    }

    /// What a service has answered to the handler.
    fn of(world: &mut World, service: &str, error: &ApiError) -> Self {
        let code = match (error.code.as_str(), error.status) {
            (code, _) if code.contains("AlreadyExists") => "AlreadyExists",
            (code, _) if code.contains("NotFound") || code.contains("NoSuch") => "NotFound",
            (_, 403) => "AccessDenied",
            _ => "InvalidRequest",
        };
        let id = world.ids.uuid();
        let message = format!(
            "{} (Service: {service}, Status Code: {}, Request ID: {id})",
            error.message, error.status
        );
        Self::new(code, message)
    }

    /// Whether what was asked for is not there.
    fn is_not_found(&self) -> bool {
        self.code == "NotFound"
    }

    /// As the reason of an event has it.
    pub(super) fn reason(&self, world: &mut World) -> String {
        format!(
            "Resource handler returned message: \"{}\" (RequestToken: {}, HandlerErrorCode: {})",
            self.message,
            world.ids.uuid(),
            self.code
        )
    }
}

/// The physical id of what was made.
pub(super) type Made = Result<String, Refusal>;
/// Whether it is gone; `false` while it is on its way.
pub(super) type Gone = Result<bool, Refusal>;

/// A kind of resource.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Properties whose change needs a new resource ("Update requires: Replacement").
    pub(super) fixed: &'static [&'static str],
    /// Properties whose change may need a new resource ("Some interruptions", or replacement under conditions).
    pub(super) perhaps: &'static [&'static str],
    /// The property that holds a name of the template's choice.
    pub(super) named: Option<&'static str>,
    /// What `Fn::GetAtt` answers; `None` in front of everything for a kind whose attributes are its own affair.
    pub(super) attributes: &'static [&'static str],
    /// Seconds from the request to the finished resource.
    pub(super) seconds: u64,
    /// Whether it gets the tags of its stack.
    pub(super) tagged: bool,
    pub(super) create: fn(&mut World, &Request<'_>) -> Made,
    /// Physical id, properties of before, and what it is to be.
    pub(super) update: fn(&mut World, &str, &Value, &Request<'_>) -> Result<(), Refusal>,
    pub(super) delete: fn(&mut World, &Resource) -> Gone,
    /// Whether what was made or changed has come to rest ("resource stabilization").
    pub(super) settled: fn(&World, &Resource) -> Gone,
    pub(super) attribute: fn(&World, &Resource, &str) -> Option<Value>,
}

/// A kind of which nothing but the stack knows.
const PLAIN: Kind = Kind {
    name: "",
    fixed: &[],
    perhaps: &[],
    named: None,
    attributes: &[],
    seconds: 3,
    tagged: true,
    create: |world, request| Ok(generated(&mut world.ids, request.stack, request.logical)),
    update: |_, _, _, _| Ok(()),
    delete: |_, _| Ok(true),
    settled: |_, _| Ok(true),
    attribute: |_, _, _| None,
};

impl Kind {
    pub(super) fn has_attribute(&self, attribute: &str) -> bool {
        self.attributes.contains(&attribute) || self.attributes == ["*"]
    }

    /// Whether a change of this property needs a new resource: `Never`, `Conditionally` or `Always`.
    pub(super) fn recreation(&self, property: &str) -> &'static str {
        if self.fixed.contains(&property) {
            "Always"
        } else if self.perhaps.contains(&property) {
            "Conditionally"
        } else {
            "Never"
        }
    }
}

/// The kind with this name; `None` for one that CloudFormation, or the sandbox, does not know.
pub(super) fn find(name: &str) -> Option<&'static Kind> {
    // Custom resources are answered by a function of the template: here, at once.
    if name.starts_with("Custom::") {
        return Some(&platform::CUSTOM);
    }
    let tables: [&'static [Kind]; 8] = [
        fleet::KINDS,
        watch::KINDS,
        identity::KINDS,
        storage::KINDS,
        network::KINDS,
        containers::KINDS,
        databases::KINDS,
        platform::KINDS,
    ];
    tables.into_iter().flatten().find(|kind| kind.name == name)
}

/// For a type that needs a capability: the property with its name, if it can have one.
pub(super) fn identity(kind: &str) -> Option<Option<&'static str>> {
    identity::needs_capability(kind)
}

/// An attribute of a resource that is there.
pub(super) fn attribute(world: &World, resource: &Resource, name: &str) -> Option<Value> {
    let kind = find(&resource.kind)?;
    (kind.attribute)(world, resource, name)
}

/// The names of the properties that are not the same.
pub(super) fn changed(before: &Value, after: &Value) -> Vec<String> {
    let none = Map::new();
    let (before, after) = (
        before.as_object().unwrap_or(&none),
        after.as_object().unwrap_or(&none),
    );
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    names
        .filter(|name| !read::same(before.get(*name), after.get(*name)))
        .cloned()
        .collect()
}
