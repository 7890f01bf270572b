//! The operations that write values and move labels.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CURRENT, Content, Secret, Version, usable_mut};
use crate::error::{ApiError, OpResult};
use crate::service::member::{present, text, texts};
use crate::time::SimTime;
use crate::world::World;

/// The value of a request; `None` when it has none.
fn content(input: &Value) -> Result<Option<Content>, ApiError> {
    match (text(input, "SecretString"), text(input, "SecretBinary")) {
        (Some(_), Some(_)) => Err(ApiError::client(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )),
        (Some(text), None) => Ok(Some(Content::Text(text.to_owned()))),
        (None, Some(base64)) => Ok(Some(Content::Binary(base64.to_owned()))),
        (None, None) => Ok(None),
    }
}

fn add_version(secret: &mut Secret, id: &str, value: Content, stages: &[String], now: SimTime) {
    secret.versions.push(Version {
        id: id.to_owned(),
        created: now,
        stages: BTreeSet::new(),
        value,
    });
    let newest = secret.versions.len() - 1;
    for stage in stages {
        secret.move_stage(stage, Some(newest));
    }
    secret.changed = now;
    secret.drop_outdated(now);
}

/// A new secret. The same token with the same value answers as the first request did; a name that is taken, also by a
/// secret that is scheduled for deletion, is refused (API Reference, CreateSecret).
pub(super) fn create(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "Name").unwrap_or_default();
    let fresh = world.application_ids.uuid();
    let id = text(input, "ClientRequestToken").map_or(fresh, str::to_owned);
    let value = content(input)?;
    match super::marked(world, name) {
        Some(true) => {
            return Err(ApiError::client(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        Some(false) => {
            let secret = super::named_mut(world, &json!({ "SecretId": name }))?;
            let first = secret.versions.iter().find(|version| version.id == id);
            if first.map(|version| &version.value) == value.as_ref() && value.is_some() {
                return Ok(json!({"ARN": secret.arn, "Name": secret.name, "VersionId": id}));
            }
            return Err(ApiError::client(
                "ResourceExistsException",
                format!("The operation failed because the secret {name} already exists."),
            ));
        }
        None => {}
    }
    let now = world.now;
    let description = text(input, "Description").unwrap_or_default();
    // One whose recovery window is over is still known by its name until somebody looks.
    world.services.secretsmanager.secrets.remove(name);
    super::create(world, name, description, now, None);
    let secret = super::named_mut(world, &json!({ "SecretId": name }))?;
    let version = value.is_some().then(|| id.clone());
    if let Some(value) = value {
        add_version(secret, &id, value, &[CURRENT.to_owned()], now);
    }
    Ok(present(
        json!({"ARN": secret.arn, "Name": secret.name, "VersionId": version}),
    ))
}

pub(super) fn put_value(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let fresh = world.application_ids.uuid();
    let secret = usable_mut(world, input)?;
    let Some(value) = content(input)? else {
        return Err(ApiError::client(
            "InvalidRequestException",
            "You must provide either SecretString or SecretBinary.",
        ));
    };
    let id = text(input, "ClientRequestToken").map_or(fresh, str::to_owned);
    let mut stages = texts(input, "VersionStages");
    if stages.is_empty() {
        stages.push(CURRENT.to_owned());
    }
    if let Some(existing) = secret.versions.iter().find(|version| version.id == id) {
        // The token makes the call idempotent; the same token with another value is refused.
        if existing.value != value {
            return Err(ApiError::client(
                "ResourceExistsException",
                format!(
                    "You can't use ClientRequestToken {id} because that value is already in use for a version of secret {}.",
                    secret.arn
                ),
            ));
        }
    } else {
        // The first version gets AWSCURRENT, whatever labels the request names.
        if secret.versions.is_empty() && !stages.iter().any(|stage| stage == CURRENT) {
            stages.push(CURRENT.to_owned());
        }
        add_version(secret, &id, value, &stages, now);
    }
    Ok(json!({"ARN": secret.arn, "Name": secret.name, "VersionId": id, "VersionStages": stages}))
}

/// Another description, another value, or both. Unlike PutSecretValue it refuses the token of a version that is
/// there, whatever its value (API Reference, UpdateSecret).
pub(super) fn update(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let fresh = world.application_ids.uuid();
    let secret = usable_mut(world, input)?;
    let value = content(input)?;
    let id = text(input, "ClientRequestToken").map_or(fresh, str::to_owned);
    if value.is_some() && secret.versions.iter().any(|version| version.id == id) {
        return Err(ApiError::client(
            "ResourceExistsException",
            format!(
                "You can't use ClientRequestToken {id} because that value is already in use for a version of secret {}.",
                secret.arn
            ),
        ));
    }
    if let Some(description) = text(input, "Description") {
        description.clone_into(&mut secret.description);
        secret.changed = now;
    }
    let version = value.is_some().then(|| id.clone());
    if let Some(value) = value {
        add_version(secret, &id, value, &[CURRENT.to_owned()], now);
    }
    Ok(crate::service::member::present(
        json!({"ARN": secret.arn, "Name": secret.name, "VersionId": version}),
    ))
}

pub(super) fn update_stage(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let secret = usable_mut(world, input)?;
    let stage = text(input, "VersionStage").unwrap_or_default();
    let index = |id: &str| {
        secret
            .versions
            .iter()
            .position(|version| version.id == id)
            .ok_or_else(|| {
                ApiError::client(
                    "ResourceNotFoundException",
                    format!("Secrets Manager can't find the specified secret version: {id}."),
                )
            })
    };
    let to = text(input, "MoveToVersionId").map(index).transpose()?;
    let from = text(input, "RemoveFromVersionId").map(index).transpose()?;
    let holder = secret
        .versions
        .iter()
        .position(|version| version.stages.contains(stage));
    if to.is_some() && holder.is_some() && holder != to && from != holder {
        return Err(ApiError::client(
            "InvalidParameterException",
            format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version {}, so you must explicitly reference that version in RemoveFromVersionId.",
                holder.map_or("", |index| secret.versions[index].id.as_str())
            ),
        ));
    }
    if to.is_none() && stage == CURRENT {
        return Err(ApiError::client(
            "InvalidParameterException",
            "You can only move staging label AWSCURRENT to a different secret version. It can\u{2019}t be completely removed.",
        ));
    }
    secret.move_stage(stage, to);
    secret.changed = now;
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}
