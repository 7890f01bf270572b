//! Secrets Manager: which secrets have a value, what the values are, and writing new ones.

mod removal;
mod values;
mod write;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use jiff::Timestamp;
use serde_json::Value;

pub(crate) use removal::DeleteSecret;
pub(crate) use values::SecretValues;
pub(super) use write::needed;
pub(crate) use write::{CreateSecret, MoveCurrent, PutSecretValue};

use super::Aws;
use super::convert::time;
use super::pages::Pages;
use crate::error::{Required as _, Result, from_sdk};

/// The version that `GetSecretValue` and ECS read unless told otherwise.
const CURRENT: &str = "AWSCURRENT";

/// ListSecrets: at most 100 results per page (Secrets Manager API Reference).
const PAGE: i32 = 100;

/// Filter: "Array Members: Maximum number of 10 items" for Values (Secrets Manager API Reference).
const NAMES: usize = 10;

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretFacts {
    pub(crate) name: String,
    /// A version carries AWSCURRENT.
    pub(crate) has_value: bool,
    pub(crate) changed: Option<Timestamp>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// BatchGetSecretValue: "Maximum number of 20 items" for SecretIdList (Secrets Manager API Reference).
const VALUES: usize = 20;

/// What a secret holds, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretState {
    Missing,
    Empty,
    /// AWS refuses to say, with its reason.
    Refused(String),
    /// A text that is no JSON object; whether it looks like one that was never filled in.
    Text {
        placeholder: bool,
    },
    /// A JSON object: its keys, and whether the value of each looks like that.
    Keys(BTreeMap<String, bool>),
}

/// Whether a value looks like one that is to be filled in yet.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || value.to_ascii_uppercase().starts_with("CHANGE_ME")
        || value.eq_ignore_ascii_case("changeme")
}

impl SecretState {
    fn of(value: &str) -> Self {
        match serde_json::from_str::<Value>(value) {
            Ok(Value::Object(members)) => Self::Keys(
                members
                    .into_iter()
                    .map(|(key, value)| {
                        let placeholder = match &value {
                            Value::String(text) => is_placeholder(text),
                            other => other.is_null(),
                        };
                        (key, placeholder)
                    })
                    .collect(),
            ),
            Ok(_) | Err(_) => Self::Text {
                placeholder: is_placeholder(value),
            },
        }
    }
}

impl Aws {
    /// What secrets hold, by the ARNs they were asked for with. The values are looked at here and go nowhere else.
    pub(crate) async fn secret_states(&self, arns: &[String]) -> Result<BTreeMap<String, SecretState>> {
        const REQUEST: &str = "BatchGetSecretValue";
        let client = self.secretsmanager_client().await?;
        let mut states: BTreeMap<String, SecretState> = BTreeMap::new();
        for batch in arns.chunks(VALUES) {
            let answer = client
                .batch_get_secret_value()
                .set_secret_id_list(Some(batch.to_vec()))
                .send()
                .await
                .map_err(|error| from_sdk("read the secrets", &error))?;
            for value in answer.secret_values.required(REQUEST, "SecretValues")? {
                let arn = value.arn().required(REQUEST, "SecretValues.ARN")?.to_owned();
                let state = value.secret_string().map_or(SecretState::Empty, SecretState::of);
                states.insert(arn, state);
            }
            for error in answer.errors.unwrap_or_default() {
                let message = error.message().unwrap_or_default();
                let state = match error.error_code() {
                    Some("ResourceNotFoundException") if message.contains("AWSCURRENT") => SecretState::Empty,
                    Some("ResourceNotFoundException") => SecretState::Missing,
                    code => SecretState::Refused(format!("{}: {message}", code.unwrap_or("no reason"))),
                };
                states.insert(error.secret_id().unwrap_or_default().to_owned(), state);
            }
        }
        Ok(states)
    }

    /// Names of the secrets that begin with `prefix`, each with the moment at which it is gone where it is scheduled for
    /// deletion.
    pub(crate) async fn secrets_under(&self, prefix: &str) -> Result<Vec<(String, Option<Timestamp>)>> {
        const REQUEST: &str = "ListSecrets";
        let filter = Filter::builder()
            .key(FilterNameStringType::Name)
            .values(prefix)
            .build();
        let stream = self
            .secretsmanager_client()
            .await?
            .list_secrets()
            .filters(filter)
            .include_planned_deletion(true)
            .max_results(PAGE)
            .into_paginator()
            .send();
        let mut secrets = Vec::new();
        for secret in Pages::new("list the secrets", stream).all().await? {
            let name = secret.name().required(REQUEST, "Name")?;
            if name.starts_with(prefix) {
                secrets.push((name.to_owned(), time(secret.deleted_date())));
            }
        }
        Ok(secrets)
    }

    /// The secrets of these names; those that do not exist or are being deleted are left out.
    pub(crate) async fn secrets_named(&self, names: &[String]) -> Result<Vec<SecretFacts>> {
        const REQUEST: &str = "ListSecrets";
        let client = self.secretsmanager_client().await?;
        let mut secrets = Vec::new();
        for batch in names.chunks(NAMES) {
            let filter = Filter::builder()
                .key(FilterNameStringType::Name)
                .set_values(Some(batch.to_vec()))
                .build();
            let stream = client
                .list_secrets()
                .filters(filter)
                .max_results(PAGE)
                .into_paginator()
                .send();
            let mut pages = Pages::new("list the secrets", stream);
            while let Some(page) = pages.next().await? {
                for secret in &page {
                    let name = secret.name().required(REQUEST, "Name")?;
                    // The filter matches the beginnings of names.
                    if !batch.iter().any(|wanted| wanted == name) {
                        continue;
                    }
                    secrets.push(SecretFacts {
                        name: name.to_owned(),
                        has_value: secret.secret_versions_to_stages().is_some_and(|versions| {
                            versions.values().flatten().any(|stage| stage == CURRENT)
                        }),
                        changed: time(secret.last_changed_date()),
                        tags: secret
                            .tags()
                            .iter()
                            .filter_map(|tag| {
                                Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
                            })
                            .collect(),
                    });
                }
            }
        }
        Ok(secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_judged_without_being_kept() {
        let filled = SecretState::of(r#"{"a": "x", "b": "CHANGE_ME_AFTER_DEPLOY", "c": null}"#);
        let keys = [("a", false), ("b", true), ("c", true)];
        assert_eq!(
            filled,
            SecretState::Keys(keys.map(|(key, is)| (key.to_owned(), is)).into())
        );
        assert_eq!(
            SecretState::of("Rq7-generated"),
            SecretState::Text { placeholder: false }
        );
        assert_eq!(SecretState::of(" "), SecretState::Text { placeholder: true });
        assert_eq!(SecretState::of("3"), SecretState::Text { placeholder: false });
    }
}
