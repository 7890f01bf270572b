//! Reading values and versions. Every value is a [`Secret`] as soon as it has left the SDK.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::Pages;
use super::CURRENT;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};
use crate::redact::Secret;

/// BatchGetSecretValue: at most 20 secrets (Secrets Manager API Reference).
const BATCH: usize = 20;

/// ListSecretVersionIds: at most 100 results per page (Secrets Manager API Reference).
const PAGE: i32 = 100;

/// A version of a secret with its value.
#[derive(Clone, Debug)]
pub(crate) struct SecretValue {
    pub(crate) version: String,
    /// When the version was made.
    pub(crate) created: Option<Timestamp>,
    /// `None` for bytes that are no text.
    pub(crate) value: Option<Secret>,
}

/// A version of a secret without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretVersion {
    pub(crate) id: String,
    /// Sorted.
    pub(crate) stages: Vec<String>,
    pub(crate) created: Option<Timestamp>,
}

impl SecretVersion {
    /// Whether `GetSecretValue` and ECS read it unless told otherwise.
    pub(crate) fn is_current(&self) -> bool {
        self.stages.iter().any(|stage| stage == CURRENT)
    }
}

/// What [`Aws::secret_values`] found, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecretValues {
    pub(crate) found: BTreeMap<String, SecretValue>,
    /// Code and message of what could not be read.
    pub(crate) refused: BTreeMap<String, (String, String)>,
}

impl Aws {
    /// The current values of the secrets with these names, twenty per call.
    ///
    /// # Errors
    /// When nothing can be read at all; what cannot be read of single secrets is in the answer.
    pub(crate) async fn secret_values(&self, names: &[String]) -> Result<SecretValues> {
        const REQUEST: &str = "BatchGetSecretValue";
        let client = self.secretsmanager_client().await?;
        let mut values = SecretValues::default();
        for batch in names.chunks(BATCH) {
            let answer = client
                .batch_get_secret_value()
                .set_secret_id_list(Some(batch.to_vec()))
                .send()
                .await
                .map_err(|error| from_sdk("read secrets", &error))?;
            for found in answer.secret_values() {
                let name = found.name().required(REQUEST, "Name")?.to_owned();
                let value = SecretValue {
                    version: found.version_id().required(REQUEST, "VersionId")?.to_owned(),
                    created: time(found.created_date()),
                    value: found.secret_string().map(Secret::from),
                };
                values.found.insert(name, value);
            }
            for refused in answer.errors() {
                let name = refused.secret_id().required(REQUEST, "SecretId")?.to_owned();
                let code = refused.error_code().unwrap_or_default().to_owned();
                let message = refused.message().unwrap_or_default().to_owned();
                values.refused.insert(name, (code, message));
            }
        }
        Ok(values)
    }

    /// One version of a secret.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such secret or version.
    pub(crate) async fn secret_version(&self, name: &str, version: &str) -> Result<SecretValue> {
        const REQUEST: &str = "GetSecretValue";
        let answer = self
            .secretsmanager_client()
            .await?
            .get_secret_value()
            .secret_id(name)
            .version_id(version)
            .send()
            .await
            .map_err(|error| from_sdk(format!("read version {version} of `{name}`"), &error))?;
        Ok(SecretValue {
            version: answer.version_id().required(REQUEST, "VersionId")?.to_owned(),
            created: time(answer.created_date()),
            value: answer.secret_string().map(Secret::from),
        })
    }

    /// The id of the version that counts; `None` while there is none.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such secret; [`ErrorKind::Conflict`] when it is being deleted.
    pub(crate) async fn current_version(&self, name: &str) -> Result<Option<String>> {
        let answer = self
            .secretsmanager_client()
            .await?
            .describe_secret()
            .secret_id(name)
            .send()
            .await
            .map_err(|error| from_sdk(format!("describe the secret `{name}`"), &error))?;
        if answer.deleted_date().is_some() {
            return Err(CtlError::new(
                ErrorKind::Conflict,
                format!("use the secret `{name}`: it is scheduled for deletion"),
            ));
        }
        let stages = answer.version_ids_to_stages().into_iter().flatten();
        let mut current = stages.filter(|(_, stages)| stages.iter().any(|stage| stage == CURRENT));
        Ok(current.next().map(|(id, _)| id.clone()))
    }

    /// Every version of a secret that is still kept, the newest first.
    pub(crate) async fn secret_versions(&self, name: &str) -> Result<Vec<SecretVersion>> {
        const REQUEST: &str = "ListSecretVersionIds";
        let stream = self
            .secretsmanager_client()
            .await?
            .list_secret_version_ids()
            .secret_id(name)
            .include_deprecated(true)
            .max_results(PAGE)
            .into_paginator()
            .send();
        let mut versions = Vec::new();
        for version in Pages::new(format!("list the versions of `{name}`"), stream)
            .all()
            .await?
        {
            let mut stages = version.version_stages().to_vec();
            stages.sort();
            versions.push(SecretVersion {
                id: version.version_id().required(REQUEST, "VersionId")?.to_owned(),
                stages,
                created: time(version.created_date()),
            });
        }
        versions.sort_by_key(|version| std::cmp::Reverse(version.created));
        Ok(versions)
    }
}
