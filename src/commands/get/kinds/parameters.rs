//! Parameters of the platform that are no secrets: names that stacks write down, and the pointers of the fleets.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{try_join, try_join_all};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::secrets::is_secret;
use crate::aws::ssm::Parameter;
use crate::commands::get::row::{Found, Row, seconds_since};
use crate::commands::get::selector::Tags;
use crate::context::Ctx;
use crate::error::Result;
use crate::kinds::Kind;
use crate::layout::{FleetId, Layout, SecretEntry, Store};
use crate::output::age_at;
use crate::redact::redact;

/// Letters of a value in the usual table.
const SHOWN: usize = 26;

/// A parameter.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct ParameterRow {
    /// As an operator types it, e.g. `ami/production/gpu-default`.
    pub(in crate::commands) name: String,
    /// As AWS knows it.
    pub(in crate::commands) path: String,
    pub(in crate::commands) value: String,
    version: i64,
    /// `text` or `aws:ec2:image`.
    data_type: String,
    changed: Option<Timestamp>,
    /// Since it changed.
    age_seconds: Option<i64>,
}

impl ParameterRow {
    fn of(entry: &SecretEntry, parameter: &Parameter, now: Timestamp) -> Self {
        Self {
            name: entry.name.clone(),
            path: entry.path.clone(),
            value: redact(parameter.value.expose()).into_owned(),
            version: parameter.version,
            data_type: parameter.data_type.clone(),
            changed: parameter.modified,
            age_seconds: seconds_since(now, parameter.modified),
        }
    }
}

impl Row for ParameterRow {
    const KIND: Kind = Kind::Parameter;
    const COLUMNS: &'static [&'static str] = &["NAME", "VERSION", "AGE", "VALUE"];
    const WIDE: &'static [&'static str] = &["TYPE", "PATH", "WHOLE VALUE"];
    // GetParameters and GetParametersByPath leave tags out.
    const TAGGED: bool = false;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.path == name
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let short = match self.value.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &self.value[..end]),
            None => self.value.clone(),
        };
        vec![
            self.name.clone(),
            self.version.to_string(),
            age_at(now, self.changed),
            short,
            self.data_type.clone(),
            self.path.clone(),
            self.value.clone(),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    async fn read(ctx: &Ctx, names: &[String]) -> Result<Found<Self>> {
        let layout = ctx.layout()?;
        let named: Option<Vec<SecretEntry>> = names.iter().map(|name| entry(&layout, name)).collect();
        let (table, found) = match named.filter(|named| !named.is_empty()) {
            // Names that say themselves where they are need no list.
            Some(named) => {
                let paths: Vec<String> = named.iter().map(|entry| entry.path.clone()).collect();
                let found = ctx.aws.parameters(&paths).await?.found;
                if found.len() == named.len() {
                    (named, found)
                } else {
                    all(ctx, &layout).await?
                }
            }
            None => all(ctx, &layout).await?,
        };
        let now = ctx.clock.now();
        let rows = table
            .iter()
            .filter_map(|entry| Some(Self::of(entry, found.get(&entry.path)?, now)));
        Ok(rows.collect::<Vec<_>>().into())
    }
}

/// The entry of the table that an operator means; a pointer names its fleet itself.
fn entry(layout: &Layout, name: &str) -> Option<SecretEntry> {
    let fleet: Option<FleetId> = name.split_once('/').and_then(|(_, fleet)| fleet.parse().ok());
    let fleet = fleet.or_else(|| layout.fleet_of_parameter(name));
    let mut table = parameters(layout, fleet.as_slice()).into_iter();
    table.find(|entry| entry.name == name || entry.path == name)
}

/// The part of the table that is about parameters without secrets.
fn parameters(layout: &Layout, fleets: &[FleetId]) -> Vec<SecretEntry> {
    let mut table = layout.secret_table(fleets);
    table.retain(|entry| entry.store == Store::ParameterStore && !is_secret(entry));
    table
}

/// Every parameter: the platform's by name, those of fleets by path, which tells of the fleets too.
async fn all(ctx: &Ctx, layout: &Layout) -> Result<(Vec<SecretEntry>, BTreeMap<String, Parameter>)> {
    let own: Vec<String> = layout.parameters().into_iter().map(|(_, path)| path).collect();
    let paths: BTreeSet<_> = layout
        .fleet_stages()
        .into_iter()
        .flat_map(|stage| layout.fleet_parameter_paths(stage))
        .collect();
    let (own, under) = try_join(
        ctx.aws.parameters(&own),
        try_join_all(
            paths
                .iter()
                .map(|path| ctx.aws.parameters_under(&path.path, path.recursive)),
        ),
    )
    .await?;
    let mut found = own.found;
    let under = under.into_iter().flatten();
    found.extend(under.map(|parameter| (parameter.name.clone(), parameter)));
    let fleets: BTreeSet<FleetId> = found
        .keys()
        .filter_map(|name| layout.fleet_of_parameter(name))
        .collect();
    let fleets: Vec<FleetId> = fleets.into_iter().collect();
    Ok((parameters(layout, &fleets), found))
}
