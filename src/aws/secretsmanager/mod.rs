//! Secrets Manager: which secrets have a value, what the values are, and writing new ones.

mod values;
mod write;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use jiff::Timestamp;

pub(crate) use values::SecretValues;
pub(super) use write::needed;
pub(crate) use write::{MoveCurrent, PutSecretValue};

use super::Aws;
use super::convert::time;
use super::pages::Pages;
use crate::error::{Required as _, Result};

/// The version that `GetSecretValue` and ECS read unless told otherwise.
const CURRENT: &str = "AWSCURRENT";

/// ListSecrets: at most 100 results per page (Secrets Manager API Reference).
const PAGE: i32 = 100;

/// Filter: "Array Members: Maximum number of 10 items" for Values (Secrets Manager API Reference).
const NAMES: usize = 10;

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretFacts {
    pub(crate) name: String,
    /// A version carries AWSCURRENT.
    pub(crate) has_value: bool,
    pub(crate) changed: Option<Timestamp>,
}

impl Aws {
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
                    });
                }
            }
        }
        Ok(secrets)
    }
}
