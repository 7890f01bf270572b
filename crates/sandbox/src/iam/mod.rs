//! Identity and Access Management: which questions an operation asks, and what the policies of a role answer.

mod ask;
mod condition;
mod decide;
mod document;
mod glob;
mod secrets;
mod stacks;

pub(crate) use ask::{Ask, asked};
pub(crate) use decide::{Decision, Matched, decide};
pub(crate) use document::{Document, Malformed};
pub(crate) use secrets::batch_secret;

use crate::error::ApiError;
use crate::fault;
use crate::service::{Service, iam, sts};
use crate::world::World;

/// Lets an action of the present caller pass, or refuses it as the service does.
pub(crate) fn check(world: &World, service: Service, ask: &Ask) -> Result<(), ApiError> {
    let caller = sts::identity(world, &world.services.sts.caller);
    let decision = iam::decision(world, &caller.role, ask);
    if decision == Decision::Allowed {
        return Ok(());
    }
    let resource = ask.shown.as_ref().unwrap_or(&ask.resource);
    let by_deny = decision == Decision::ExplicitDeny;
    Err(fault::refused(
        service,
        &ask.action,
        resource,
        &caller.arn,
        by_deny,
    ))
}

/// Checks that `text` is a permissions policy by IAM's grammar.
///
/// # Errors
/// What is wrong with it, in IAM's words.
pub fn check_policy(text: &str) -> Result<(), String> {
    Document::parse(text)
        .map(|_| ())
        .map_err(|error| error.to_string())
}
