//! The operations on secrets.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CURRENT, Secret, Version, named_mut};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, integer, list, page, present, text, texts, time};
use crate::time::SimTime;
use crate::world::World;

pub(super) fn list_secrets(world: &World, input: &Value) -> OpResult {
    let mut secrets: Vec<&Secret> = world
        .services
        .secretsmanager
        .secrets
        .values()
        .filter(|secret| {
            list(input, "Filters").iter().all(|filter| {
                let values = texts(filter, "Values");
                match text(filter, "Key") {
                    Some("name") => values.iter().any(|value| secret.name.starts_with(value.as_str())),
                    Some("description") => values
                        .iter()
                        .any(|value| secret.description.contains(value.as_str())),
                    _ => true,
                }
            })
        })
        .collect();
    secrets.sort_by_key(|secret| secret.created);
    if text(input, "SortOrder") != Some("asc") {
        secrets.reverse();
    }
    let described: Vec<Value> = secrets
        .into_iter()
        .map(|secret| {
            json!({
                "ARN": secret.arn,
                "Name": secret.name,
                "Description": secret.description,
                "CreatedDate": secret.created.epoch_seconds(),
                "LastChangedDate": secret.changed.epoch_seconds(),
                "LastAccessedDate": time(secret.accessed),
                "SecretVersionsToStages": secret.stages(),
            })
        })
        .collect();
    // ListSecrets answers 100 a page at most (API reference).
    let size = integer(input, "MaxResults").unwrap_or(100).clamp(1, 100) as usize;
    let (described, next) = page(described, text(input, "NextToken"), size, || {
        ApiError::client("InvalidNextTokenException", "The NextToken value is invalid.")
    })?;
    Ok(present(json!({"SecretList": described, "NextToken": next})))
}

pub(super) fn describe(world: &mut World, input: &Value) -> OpResult {
    let secret = named_mut(world, input)?;
    Ok(present(json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "Description": secret.description,
        "CreatedDate": secret.created.epoch_seconds(),
        "LastChangedDate": secret.changed.epoch_seconds(),
        "LastAccessedDate": time(secret.accessed),
        "VersionIdsToStages": secret.stages(),
    })))
}

pub(super) fn get_value(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let secret = named_mut(world, input)?;
    let stage = text(input, "VersionStage");
    let id = text(input, "VersionId");
    let version = secret
        .versions
        .iter()
        .find(|version| match (id, stage) {
            (Some(id), None) => version.id == id,
            (Some(id), Some(stage)) => version.id == id && version.stages.contains(stage),
            (None, stage) => version.stages.contains(stage.unwrap_or(CURRENT)),
        })
        .ok_or_else(|| {
            let what = match id {
                Some(id) => format!("VersionId: {id}"),
                None => format!("staging label: {}", stage.unwrap_or(CURRENT)),
            };
            ApiError::client(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for {what}"),
            )
        })?;
    let answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "SecretString": version.value,
        "VersionStages": version.stages,
        "CreatedDate": version.created.epoch_seconds(),
    });
    // The date has day granularity.
    secret.accessed = Some(SimTime(now.0.div_euclid(86_400_000) * 86_400_000));
    Ok(answer)
}

pub(super) fn put_value(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let fresh = world.application_ids.uuid();
    let secret = named_mut(world, input)?;
    let Some(value) = text(input, "SecretString").or_else(|| text(input, "SecretBinary")) else {
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
        secret.versions.push(Version {
            id: id.clone(),
            created: now,
            stages: BTreeSet::new(),
            value: value.to_owned(),
        });
        let newest = secret.versions.len() - 1;
        for stage in &stages {
            secret.move_stage(stage, Some(newest));
        }
        secret.changed = now;
    }
    Ok(json!({"ARN": secret.arn, "Name": secret.name, "VersionId": id, "VersionStages": stages}))
}

pub(super) fn list_versions(world: &mut World, input: &Value) -> OpResult {
    let secret = named_mut(world, input)?;
    let deprecated = flag(input, "IncludeDeprecated").unwrap_or(false);
    let versions: Vec<Value> = secret
        .versions
        .iter()
        .filter(|version| deprecated || !version.stages.is_empty())
        .map(|version| {
            json!({
                "VersionId": version.id,
                "VersionStages": (!version.stages.is_empty()).then_some(&version.stages),
                "CreatedDate": version.created.epoch_seconds(),
            })
        })
        .collect();
    let size = integer(input, "MaxResults").unwrap_or(100).clamp(1, 100) as usize;
    let (arn, name) = (secret.arn.clone(), secret.name.clone());
    let (versions, next) = page(versions, text(input, "NextToken"), size, || {
        ApiError::client("InvalidNextTokenException", "The NextToken value is invalid.")
    })?;
    Ok(present(
        json!({"Versions": versions, "NextToken": next, "ARN": arn, "Name": name}),
    ))
}

pub(super) fn update_stage(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let secret = named_mut(world, input)?;
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
