//! The operations that look at secrets.

use serde_json::{Value, json};

use super::{CURRENT, Content, Secret, named_mut, purge, usable_mut};
use crate::error::{ApiError, OpResult};
use crate::iam;
use crate::service::Service;
use crate::service::member::{flag, integer, list, page, present, text, texts, time};
use crate::time::SimTime;
use crate::world::World;

pub(super) fn list_secrets(world: &mut World, input: &Value) -> OpResult {
    purge(world);
    let planned = flag(input, "IncludePlannedDeletion").unwrap_or(false);
    let mut secrets: Vec<&Secret> = world
        .services
        .secretsmanager
        .secrets
        .values()
        .filter(|secret| planned || secret.goes.is_none())
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
                "DeletedDate": time(secret.deleted),
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
        "DeletedDate": time(secret.deleted),
        "VersionIdsToStages": secret.stages(),
    })))
}

pub(super) fn get_value(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let secret = usable_mut(world, input)?;
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
    let (string, binary) = match &version.value {
        Content::Text(text) => (Some(text), None),
        Content::Binary(base64) => (None, Some(base64)),
    };
    let answer = present(json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "SecretString": string,
        "SecretBinary": binary,
        "VersionStages": version.stages,
        "CreatedDate": version.created.epoch_seconds(),
    }));
    // The date has day granularity.
    secret.accessed = Some(SimTime(now.0.div_euclid(86_400_000) * 86_400_000));
    Ok(answer)
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

/// The values of at most twenty secrets. What cannot be read of one keeps the others from nothing.
pub(super) fn get_values(world: &mut World, input: &Value) -> OpResult {
    let names = texts(input, "SecretIdList");
    let filters = list(input, "Filters");
    if names.is_empty() == filters.is_empty() {
        return Err(ApiError::client(
            "InvalidParameterException",
            "You must include either Filters or SecretIdList, but not both.",
        ));
    }
    let names = if names.is_empty() {
        let listed = list_secrets(world, &json!({"Filters": filters}))?;
        list(&listed, "SecretList")
            .iter()
            .filter_map(|secret| text(secret, "Name").map(str::to_owned))
            .collect()
    } else {
        names
    };
    let size = integer(input, "MaxResults").unwrap_or(20).clamp(1, 20) as usize;
    let (names, next) = page(names, text(input, "NextToken"), size, || {
        ApiError::client("InvalidNextTokenException", "The NextToken value is invalid.")
    })?;
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for name in names {
        // Each secret is checked on its own: "You must also have GetSecretValue permission" (API Reference,
        // BatchGetSecretValue). A refusal is an entry of `Errors`.
        let ask = iam::batch_secret(world, &name);
        if let Err(error) = iam::check(world, Service::SecretsManager, &ask) {
            errors.push(json!({"SecretId": name, "ErrorCode": error.code, "Message": error.message}));
            continue;
        }
        match get_value(world, &json!({"SecretId": name})) {
            Ok(value) => values.push(value),
            Err(error) => {
                errors.push(json!({"SecretId": name, "ErrorCode": error.code, "Message": error.message}));
            }
        }
    }
    Ok(present(
        json!({"SecretValues": values, "NextToken": next, "Errors": errors}),
    ))
}
