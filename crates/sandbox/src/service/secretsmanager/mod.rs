//! Secrets Manager: secrets, their versions and the staging labels that decide which one counts.

mod deletion;
mod operations;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::service::member::text;
use crate::service::table::operations;
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
    /// When it goes for good; `None` unless it is scheduled for deletion.
    goes: Option<SimTime>,
    /// When it was scheduled for deletion.
    deleted: Option<SimTime>,
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    id: String,
    created: SimTime,
    stages: BTreeSet<String>,
    value: Content,
}

/// What a version holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Text(String),
    /// Base64, as it travels.
    Binary(String),
}

impl Content {
    /// The text, if it is one.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }
}

/// Secrets Manager keeps this many versions of a secret, and those of the last day beyond that
/// (API Reference, PutSecretValue).
const KEPT_VERSIONS: usize = 100;
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

operations! {
    Read BatchGetSecretValue => operations::get_values,
    Write CreateSecret => write::create,
    Write DeleteSecret => deletion::delete,
    Read DescribeSecret => operations::describe,
    Read GetSecretValue => operations::get_value,
    Read ListSecretVersionIds => operations::list_versions,
    Read ListSecrets => operations::list_secrets,
    Write PutSecretValue => write::put_value,
    Write RestoreSecret => deletion::restore,
    Write UpdateSecret => write::update,
    Write UpdateSecretVersionStage => write::update_stage,
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

/// The full ARN of a secret that is named in any of the ways that the API takes.
pub(crate) fn arn_of(world: &World, named: &str) -> Option<String> {
    let secrets = &world.services.secretsmanager.secrets;
    let found = secrets.values().find(|secret| secret.is_named(named))?;
    Some(found.arn.clone())
}

/// Whether a name is taken; `Some(true)` by a secret that is scheduled for deletion.
pub(crate) fn marked(world: &World, name: &str) -> Option<bool> {
    let secret = world.services.secretsmanager.secrets.get(name)?;
    secret
        .goes
        .is_none_or(|goes| goes > world.now)
        .then_some(secret.goes.is_some())
}

/// The text of a secret's current version.
pub(crate) fn current_text(world: &World, name: &str) -> Option<String> {
    let secret = world.services.secretsmanager.secrets.get(name)?;
    secret.staged(CURRENT)?.value.text().map(str::to_owned)
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
        suffix(&world.application_ids.hex(6))
    );
    let versions = value
        .map(|value| Version {
            id: world.application_ids.uuid(),
            created,
            stages: BTreeSet::from([CURRENT.to_owned()]),
            value: Content::Text(value.to_owned()),
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
            goes: None,
            deleted: None,
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
        // The secret exists or it does not; either way no caller waits for it.
        let _ = write::put_value(world, &input);
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
    if secret.goes.is_some() {
        return Some(format!(
            "failed to fetch secret {arn} from secrets manager: InvalidRequestException: {MARKED}"
        ));
    }
    let Some(version) = secret.staged(CURRENT) else {
        return Some(format!(
            "failed to fetch secret {arn} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
        ));
    };
    let key = key?;
    let text = version.value.text().unwrap_or_default();
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        // What the agent's JSON decoder says of a text.
        let first = text.chars().next().unwrap_or(' ');
        return Some(format!(
            "invalid character '{first}' looking for beginning of value"
        ));
    };
    value
        .get(key)
        .is_none()
        .then(|| format!("retrieved secret from Secrets Manager did not contain json key {key}"))
}

impl Secret {
    fn is_named(&self, id: &str) -> bool {
        self.name == id
            || self.arn == id
            || (id.starts_with("arn:") && self.arn.len() == id.len() + 7 && self.arn.starts_with(id))
    }

    /// Versions without a label go, the oldest first, once there are too many and they are a day old.
    fn drop_outdated(&mut self, now: SimTime) {
        while self.versions.len() > KEPT_VERSIONS {
            let outdated = |version: &Version| version.stages.is_empty() && version.created + KEPT_FOR <= now;
            let Some(at) = self.versions.iter().position(outdated) else {
                break;
            };
            self.versions.remove(at);
        }
    }

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

/// What AWS says of a secret that is scheduled for deletion.
const MARKED: &str = "You can't perform this operation on the secret because it was marked for deletion.";

fn not_found() -> ApiError {
    ApiError::client(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

/// Secrets whose recovery window is over are gone.
fn purge(world: &mut World) {
    let now = world.now;
    let secrets = &mut world.services.secretsmanager.secrets;
    secrets.retain(|_, secret| secret.goes.is_none_or(|goes| goes > now));
}

/// A secret by name, ARN, or ARN without its six random characters, also one that is scheduled for deletion.
fn named_mut<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Secret, ApiError> {
    purge(world);
    let id = text(input, "SecretId").unwrap_or_default();
    world
        .services
        .secretsmanager
        .secrets
        .values_mut()
        .find(|secret| secret.is_named(id))
        .ok_or_else(not_found)
}

/// The same for operations that a secret scheduled for deletion refuses: all but DescribeSecret,
/// ListSecretVersionIds, ListSecrets, DeleteSecret and RestoreSecret (the errors that the API Reference lists).
fn usable_mut<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Secret, ApiError> {
    let secret = named_mut(world, input)?;
    if secret.goes.is_some() {
        return Err(ApiError::client("InvalidRequestException", MARKED));
    }
    Ok(secret)
}
