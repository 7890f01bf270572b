//! Secrets Manager: secrets, their versions and the staging labels that decide which one counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, integer, list, page, present, text, texts, time};
use crate::time::SimTime;
use crate::world::World;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Every secret by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    secrets: BTreeMap<String, Secret>,
}

#[derive(Debug)]
struct Secret {
    arn: String,
    name: String,
    description: String,
    created: SimTime,
    changed: SimTime,
    accessed: Option<SimTime>,
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    id: String,
    created: SimTime,
    stages: BTreeSet<String>,
    value: String,
}

pub(crate) const OPERATIONS: &[&str] = &[
    "ListSecrets",
    "DescribeSecret",
    "GetSecretValue",
    "PutSecretValue",
    "ListSecretVersionIds",
    "UpdateSecretVersionStage",
];

pub(crate) fn call(world: &mut World, operation: &str, input: &Value) -> OpResult {
    match operation {
        "ListSecrets" => list_secrets(world, input),
        "DescribeSecret" => describe(world, input),
        "GetSecretValue" => get_value(world, input),
        "PutSecretValue" => put_value(world, input),
        "ListSecretVersionIds" => list_versions(world, input),
        "UpdateSecretVersionStage" => update_stage(world, input),
        _ => Err(World::unknown_operation(operation)),
    }
}

/// Whether the secret of that name exists and has a current value.
pub(crate) fn has_current(world: &World, name: &str) -> bool {
    world
        .services
        .secretsmanager
        .secrets
        .get(name)
        .is_some_and(|secret| secret.staged(CURRENT).is_some())
}

/// Creates a secret; without a `value` it has no version at all. Answers the ARN.
pub(crate) fn create(
    world: &mut World,
    name: &str,
    description: &str,
    created: SimTime,
    value: Option<&str>,
) -> String {
    let arn = format!(
        "arn:aws:secretsmanager:{}:{}:secret:{name}-{}",
        world.options.region,
        world.options.account_id,
        suffix(&world.ids.hex(6))
    );
    let versions = value
        .map(|value| Version {
            id: world.ids.uuid(),
            created,
            stages: BTreeSet::from([CURRENT.to_owned()]),
            value: value.to_owned(),
        })
        .into_iter()
        .collect();
    world.services.secretsmanager.secrets.insert(
        name.to_owned(),
        Secret {
            arn: arn.clone(),
            name: name.to_owned(),
            description: description.to_owned(),
            created,
            changed: created,
            accessed: None,
            versions,
        },
    );
    arn
}

/// The six characters that end a secret's ARN; letters of both cases and digits in AWS.
fn suffix(hex: &str) -> String {
    hex.chars()
        .enumerate()
        .map(|(index, c)| if index % 2 == 0 { c.to_ascii_uppercase() } else { c })
        .collect()
}

/// Deletes a secret and creates it again without a value, as a replaced stack does: the name stays, the
/// ARN ends differently, and there is no version at all.
pub(crate) fn recreate_empty(world: &mut World, name: &str) {
    let now = world.now;
    let Some(old) = world.services.secretsmanager.secrets.remove(name) else {
        return;
    };
    create(world, name, &old.description, now, None);
}

/// Gives a secret a current value, unless it has one.
pub(crate) fn fill(world: &mut World, name: &str, value: &str) {
    if !has_current(world, name) {
        let input = json!({"SecretId": name, "SecretString": value});
        // The secret exists or it does not; either way there is nobody to tell.
        let _ = put_value(world, &input);
    }
}

/// The error message with which ECS fails to read what a container's `secrets[].valueFrom` names:
/// an ARN, optionally with `:json-key:stage:version` behind it.
pub(crate) fn unreadable(world: &World, value_from: &str) -> Option<String> {
    let parts: Vec<&str> = value_from.split(':').collect();
    let arn = parts.get(..7).map(|parts| parts.join(":"))?;
    let key = parts.get(7).copied().filter(|key| !key.is_empty());
    let secret = world
        .services
        .secretsmanager
        .secrets
        .values()
        .find(|secret| secret.arn == arn || secret.arn.starts_with(&format!("{arn}-")));
    let Some(secret) = secret else {
        return Some(format!(
            "failed to fetch secret {arn} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."
        ));
    };
    let Some(version) = secret.staged(CURRENT) else {
        return Some(format!(
            "failed to fetch secret {arn} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
        ));
    };
    let key = key?;
    let has_key = serde_json::from_str::<Value>(&version.value)
        .ok()
        .is_some_and(|value| value.get(key).is_some());
    (!has_key).then(|| format!("retrieved secret from Secrets Manager did not contain json key {key}"))
}

impl Secret {
    fn staged(&self, stage: &str) -> Option<&Version> {
        self.versions
            .iter()
            .find(|version| version.stages.contains(stage))
    }

    /// Moves `stage` to the version at `to`. Moving AWSCURRENT leaves AWSPREVIOUS behind.
    fn move_stage(&mut self, stage: &str, to: Option<usize>) {
        let from = self
            .versions
            .iter()
            .position(|version| version.stages.contains(stage));
        if from == to {
            return;
        }
        if let Some(version) = from.and_then(|index| self.versions.get_mut(index)) {
            version.stages.remove(stage);
        }
        if stage == CURRENT {
            for version in &mut self.versions {
                version.stages.remove(PREVIOUS);
            }
            if let Some(version) = from.and_then(|index| self.versions.get_mut(index)) {
                version.stages.insert(PREVIOUS.to_owned());
            }
        }
        if let Some(version) = to.and_then(|index| self.versions.get_mut(index)) {
            version.stages.insert(stage.to_owned());
        }
    }

    fn stages(&self) -> Value {
        let stages: BTreeMap<&str, &BTreeSet<String>> = self
            .versions
            .iter()
            .filter(|version| !version.stages.is_empty())
            .map(|version| (version.id.as_str(), &version.stages))
            .collect();
        if stages.is_empty() {
            Value::Null
        } else {
            json!(stages)
        }
    }
}

fn not_found() -> ApiError {
    ApiError::client(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

/// A secret by name, ARN, or ARN without its six random characters.
fn named_mut<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Secret, ApiError> {
    let id = text(input, "SecretId").unwrap_or_default();
    world
        .services
        .secretsmanager
        .secrets
        .values_mut()
        .find(|secret| {
            secret.name == id
                || secret.arn == id
                || (id.starts_with("arn:") && secret.arn.len() == id.len() + 7 && secret.arn.starts_with(id))
        })
        .ok_or_else(not_found)
}

fn list_secrets(world: &World, input: &Value) -> OpResult {
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

fn describe(world: &mut World, input: &Value) -> OpResult {
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

fn get_value(world: &mut World, input: &Value) -> OpResult {
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

fn put_value(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let fresh = world.ids.uuid();
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

fn list_versions(world: &mut World, input: &Value) -> OpResult {
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

fn update_stage(world: &mut World, input: &Value) -> OpResult {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;
    use crate::service::operator::{Operator, text as string};

    const KEY: &str = "/bp/laravel/app-key";

    fn secrets(operator: &mut Operator, operation: &str, input: Value) -> Value {
        operator.call(Service::SecretsManager, operation, &input)
    }

    #[test]
    fn putting_a_value_moves_current_and_leaves_previous() {
        let mut operator = Operator::under(&[]);
        let before = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
        secrets(
            &mut operator,
            "PutSecretValue",
            json!({"SecretId": KEY, "SecretString": "two"}),
        );
        let now = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
        assert_eq!(
            (&now["SecretString"], &now["VersionStages"]),
            (&json!("two"), &json!(["AWSCURRENT"]))
        );
        let previous = json!({"SecretId": KEY, "VersionStage": "AWSPREVIOUS"});
        let previous = secrets(&mut operator, "GetSecretValue", previous);
        assert_eq!(previous["SecretString"], before["SecretString"]);
    }

    #[test]
    fn moving_the_current_label_back_is_a_rollback() {
        let mut operator = Operator::under(&[]);
        let old = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
        let new = secrets(
            &mut operator,
            "PutSecretValue",
            json!({"SecretId": KEY, "SecretString": "two"}),
        );
        let mut input = json!({
            "SecretId": KEY, "VersionStage": "AWSCURRENT", "MoveToVersionId": old["VersionId"],
        });
        let error = operator.refused(Service::SecretsManager, "UpdateSecretVersionStage", &input);
        assert_eq!(error.code, "InvalidParameterException");
        input["RemoveFromVersionId"] = new["VersionId"].clone();
        secrets(&mut operator, "UpdateSecretVersionStage", input);
        let stages = secrets(&mut operator, "DescribeSecret", json!({"SecretId": KEY}));
        let stages = &stages["VersionIdsToStages"];
        assert_eq!(stages[string(&old["VersionId"])], json!(["AWSCURRENT"]));
        assert_eq!(stages[string(&new["VersionId"])], json!(["AWSPREVIOUS"]));
    }

    #[test]
    fn a_pending_value_changes_nothing_for_readers() {
        let mut operator = Operator::under(&[]);
        let before = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
        let pending = json!({"SecretId": KEY, "SecretString": "next", "VersionStages": ["AWSPENDING"]});
        secrets(&mut operator, "PutSecretValue", pending);
        let after = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
        assert_eq!(before["VersionId"], after["VersionId"]);
    }

    #[test]
    fn a_request_token_writes_once() {
        let mut operator = Operator::under(&[]);
        let mut input = json!({"SecretId": KEY, "SecretString": "x", "ClientRequestToken": "t-1"});
        secrets(&mut operator, "PutSecretValue", input.clone());
        secrets(&mut operator, "PutSecretValue", input.clone());
        let versions = json!({"SecretId": KEY, "IncludeDeprecated": true});
        let versions = secrets(&mut operator, "ListSecretVersionIds", versions);
        assert_eq!(versions["Versions"].as_array().map(Vec::len), Some(2));
        input["SecretString"] = json!("y");
        let error = operator.refused(Service::SecretsManager, "PutSecretValue", &input);
        assert_eq!(error.code, "ResourceExistsException");
    }

    #[test]
    fn secrets_are_found_by_name_and_arn_and_nothing_else() {
        let mut operator = Operator::under(&[]);
        let found = secrets(&mut operator, "DescribeSecret", json!({"SecretId": KEY}));
        let arn = string(&found["ARN"]);
        secrets(&mut operator, "DescribeSecret", json!({"SecretId": arn}));
        secrets(
            &mut operator,
            "DescribeSecret",
            json!({"SecretId": arn[..arn.len() - 7]}),
        );
        let error = operator.refused(
            Service::SecretsManager,
            "DescribeSecret",
            &json!({"SecretId": "/bp/no"}),
        );
        assert_eq!(error.message, "Secrets Manager can't find the specified secret.");
        let listed = secrets(&mut operator, "ListSecrets", json!({}));
        assert_eq!(listed["SecretList"].as_array().map(Vec::len), Some(5));
    }
}
