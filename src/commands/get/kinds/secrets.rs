//! Secrets of the platform by name: no value is read.

use futures::future::try_join;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::get::row::{Found, Row, seconds_since};
use crate::commands::get::selector::Tags;
use crate::context::Ctx;
use crate::error::Result;
use crate::kinds::Kind;
use crate::layout::{SecretEntry, SecretRole, Store};
use crate::output::age_at;

/// A secret. It has no member for a value.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct SecretRow {
    /// As an operator types it, e.g. `app-key`.
    pub(in crate::commands) name: String,
    /// As AWS knows it.
    pub(in crate::commands) path: String,
    /// `secrets-manager` or `parameter-store`.
    pub(in crate::commands) store: &'static str,
    /// A version is current; what it holds is not looked at.
    pub(in crate::commands) has_value: bool,
    pub(in crate::commands) changed: Option<Timestamp>,
    /// Since it changed.
    age_seconds: Option<i64>,
    /// Tags in Secrets Manager; Parameter Store lists parameters without theirs.
    tags: Option<Tags>,
}

impl Row for SecretRow {
    const KIND: Kind = Kind::Secret;
    const COLUMNS: &'static [&'static str] = &["NAME", "STORE", "VALUE", "AGE"];
    const WIDE: &'static [&'static str] = &["PATH"];
    const TAGGED: bool = true;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.path == name
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        vec![
            self.name.clone(),
            self.store.to_owned(),
            if self.has_value { "yes" } else { "none yet" }.to_owned(),
            age_at(now, self.changed),
            self.path.clone(),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        self.tags.as_ref()
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let layout = ctx.layout()?;
        let table: Vec<SecretEntry> = layout.secret_table(&[]).into_iter().filter(is_secret).collect();
        let of = |store| -> Vec<String> {
            let entries = table.iter().filter(|entry| entry.store == store);
            entries.map(|entry| entry.path.clone()).collect()
        };
        let (secrets, parameters) = (of(Store::SecretsManager), of(Store::ParameterStore));
        let (secrets, parameters) = try_join(
            ctx.aws.secrets_named(&secrets),
            ctx.aws.parameter_facts(&parameters),
        )
        .await?;
        let now = ctx.clock.now();
        let rows = table.iter().filter_map(|entry| {
            let (has_value, changed, tags) = match entry.store {
                Store::SecretsManager => {
                    let facts = secrets.iter().find(|facts| facts.name == entry.path)?;
                    (facts.has_value, facts.changed, Some(facts.tags.clone()))
                }
                Store::ParameterStore => {
                    let facts = parameters.iter().find(|facts| facts.name == entry.path)?;
                    (true, facts.modified, None)
                }
            };
            Some(Self {
                name: entry.name.clone(),
                path: entry.path.clone(),
                store: entry.store.as_str(),
                has_value,
                changed,
                age_seconds: seconds_since(now, changed),
                tags,
            })
        });
        Ok(rows.collect::<Vec<_>>().into())
    }
}

/// Whether an entry of the table is a secret, and no name or pointer.
pub(super) fn is_secret(entry: &SecretEntry) -> bool {
    match entry.role {
        SecretRole::AppKey
        | SecretRole::OAuth
        | SecretRole::AssetOps
        | SecretRole::Database
        | SecretRole::Redis
        | SecretRole::FleetSecret(_) => true,
        SecretRole::Image(_) | SecretRole::Bundle(_) | SecretRole::FleetConfig(_) | SecretRole::Text => false,
    }
}
