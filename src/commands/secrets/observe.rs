//! What there is: values, versions, dates and readers of the secrets that a command is about.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::consumers::{Reader, readers};
use crate::aws::Aws;
use crate::aws::secretsmanager::SecretValues;
use crate::aws::ssm::{ParameterFacts, Parameters};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::fleet::{Gap, known_groups};
use crate::layout::{App, FleetId, Layout, SecretEntry, SecretRole, Stage, Store};
use crate::redact::Secret;
use crate::secrets::{Condition, Shape};
use crate::settings::nearest;

/// What a store holds under a name.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Value(Secret),
    /// Bytes that are no text.
    Bytes,
    /// The secret exists and has no current version.
    NoValue,
    Missing,
    /// It cannot be looked at; with the reason.
    Unreadable(String),
}

/// A secret as it was found.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Observed {
    pub(in crate::commands) entry: SecretEntry,
    pub(super) found: Found,
    /// The version that counts: an id in Secrets Manager, a number in Parameter Store.
    pub(super) version: Option<String>,
    /// When the value, or which value counts, changed last. In Secrets Manager another description counts too.
    pub(super) changed: Option<Timestamp>,
    /// ARN of the principal that wrote it; Secrets Manager does not say.
    pub(super) by: Option<String>,
    pub(super) services: Vec<ServiceReader>,
    /// Fleets whose workers or launches read it.
    pub(super) fleets: Vec<FleetId>,
}

/// A service that reads a secret.
#[derive(Clone, Debug)]
pub(super) struct ServiceReader {
    pub(super) app: App,
    pub(super) service: String,
    pub(super) containers: Vec<String>,
    /// Ids of running tasks that were created before the value changed.
    pub(super) stale: Vec<String>,
}

/// The state of a secret, as `secrets list` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands) enum State {
    Set,
    Placeholder,
    Missing,
    Malformed,
    /// Set, and running tasks still hold an earlier value.
    StaleInTasks,
    /// It could not be looked at.
    Unknown,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Placeholder => "placeholder",
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::StaleInTasks => "stale-in-tasks",
            Self::Unknown => "unknown",
        }
    }
}

impl Observed {
    pub(super) fn shape(&self) -> Shape {
        Shape::of(&self.entry.role)
    }

    /// The value, if it can be read.
    pub(super) fn value(&self) -> Option<&Secret> {
        match &self.found {
            Found::Value(value) => Some(value),
            Found::Bytes | Found::NoValue | Found::Missing | Found::Unreadable(_) => None,
        }
    }

    /// The state, and why unless it is set.
    pub(in crate::commands) fn state(&self) -> (State, Option<String>) {
        let value = match &self.found {
            Found::Value(value) => value,
            Found::Bytes => return (State::Malformed, Some("it holds bytes and no text".to_owned())),
            Found::NoValue => return (State::Missing, Some("it has no value yet".to_owned())),
            Found::Missing => {
                return (State::Missing, Some(format!("there is no `{}`", self.entry.path)));
            }
            Found::Unreadable(why) => return (State::Unknown, Some(why.clone())),
        };
        match self.shape().examine(value.expose()) {
            Condition::Placeholder(why) => (State::Placeholder, Some(why.to_owned())),
            Condition::Malformed(why) => (State::Malformed, Some(why)),
            Condition::Set => {
                let stale: Vec<String> = self
                    .services
                    .iter()
                    .filter(|reader| !reader.stale.is_empty())
                    .map(|reader| format!("{} of {}", tasks(reader.stale.len()), reader.service))
                    .collect();
                if stale.is_empty() {
                    (State::Set, None)
                } else {
                    let why = format!("{} started before the last change", stale.join(", "));
                    (State::StaleInTasks, Some(why))
                }
            }
        }
    }
}

fn tasks(count: usize) -> String {
    if count == 1 {
        "1 task".to_owned()
    } else {
        format!("{count} tasks")
    }
}

/// The secrets and what could not be looked at beside them.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Seen {
    pub(in crate::commands) secrets: Vec<Observed>,
    pub(super) gaps: Vec<Gap>,
}

impl Seen {
    pub(super) fn of(&self, name: &str) -> Option<&Observed> {
        self.secrets.iter().find(|observed| observed.entry.name == name)
    }
}

/// The entry that an operator named: by its name, by its path, or `fleet-secret` where there is only one.
///
/// # Errors
/// A name that the table does not have, with the one most like it.
pub(super) fn named(layout: &Layout, name: &str) -> Result<SecretEntry> {
    // A pointer names its fleet itself: `ami/production/gpu-default`.
    let fleet = name.split_once('/').and_then(|(_, fleet)| fleet.parse().ok());
    let table = layout.secret_table(fleet.as_slice());
    let is_it = |entry: &&SecretEntry| entry.name == name || entry.path == name;
    if let Some(entry) = table.iter().find(is_it) {
        return Ok(entry.clone());
    }
    let alike: Vec<&SecretEntry> = table
        .iter()
        .filter(|entry| entry.name.starts_with(&format!("{name}/")))
        .collect();
    if let [one] = alike.as_slice() {
        return Ok((*one).clone());
    }
    let names: Vec<&str> = table.iter().map(|entry| entry.name.as_str()).collect();
    let error = CtlError::usage(format!("find the secret `{name}`: there is none of this name"));
    Err(match (alike.as_slice(), nearest(name, names.iter().copied())) {
        ([], Some(near)) => error.hint(format!("did you mean `{near}`?")),
        ([], None) => error.hint(format!("the names are {}", names.join(", "))),
        (several, _) => {
            let several: Vec<&str> = several.iter().map(|entry| entry.name.as_str()).collect();
            error.hint(format!("there are {}: name one of them", several.join(" and ")))
        }
    })
}

/// Everything in the table.
///
/// # Errors
/// When neither store can be read.
pub(in crate::commands) async fn observe_all(ctx: &Ctx, layout: &Layout) -> Result<Seen> {
    let mut gaps = Vec::new();
    let fleets = match known_groups(&ctx.aws, layout).await {
        Ok(known) => known.fleets.into_keys().collect(),
        Err(error) => {
            gaps.push(Gap::new("fleets", &error));
            Vec::new()
        }
    };
    let mut seen = observe(&ctx.aws, layout, layout.secret_table(&fleets), &fleets).await?;
    seen.gaps.splice(0..0, gaps);
    Ok(seen)
}

/// The secrets of `entries`.
///
/// # Errors
/// When the only store that is asked cannot be read.
pub(super) async fn observe(
    aws: &Aws,
    layout: &Layout,
    entries: Vec<SecretEntry>,
    fleets: &[FleetId],
) -> Result<Seen> {
    let paths = |store: Store| -> Vec<String> {
        let of_store = entries.iter().filter(|entry| entry.store == store);
        of_store.map(|entry| entry.path.clone()).collect()
    };
    let (secrets, parameters) = (paths(Store::SecretsManager), paths(Store::ParameterStore));
    let read_secrets = async {
        if secrets.is_empty() {
            return (Ok(Vec::new()), Ok(SecretValues::default()));
        }
        futures::join!(aws.secrets_named(&secrets), aws.secret_values(&secrets))
    };
    let read_parameters = async {
        if parameters.is_empty() {
            return (Ok(Vec::new()), Ok(Parameters::default()));
        }
        futures::join!(
            aws.parameter_facts(&parameters),
            aws.parameters_decrypted(&parameters)
        )
    };
    let ((secret_facts, values), (parameter_facts, found), readers) =
        futures::join!(read_secrets, read_parameters, readers(aws, layout));
    let mut gaps = Vec::new();
    if let (Err(error), Err(_)) | (Err(error), Ok(_)) = (&values, &found)
        && parameters.is_empty()
    {
        return Err(error.clone());
    }
    if let Err(error) = &found
        && (secrets.is_empty() || values.is_err())
    {
        return Err(error.clone());
    }
    let is_listed = secret_facts.is_ok();
    let secret_facts = kept(secret_facts, "dates of secrets", &mut gaps);
    let parameter_facts = kept(parameter_facts, "dates of parameters", &mut gaps);
    let readers = kept(readers, "services and tasks", &mut gaps);
    let changed: BTreeMap<&str, Option<Timestamp>> = secret_facts
        .iter()
        .map(|facts| (facts.name.as_str(), facts.changed))
        .collect();
    let facts: BTreeMap<&str, &ParameterFacts> = parameter_facts
        .iter()
        .map(|facts| (facts.name.as_str(), facts))
        .collect();
    let observed = entries.iter().map(|entry| {
        let mut observed = match entry.store {
            Store::SecretsManager => secret(entry, &values, &changed, is_listed),
            Store::ParameterStore => parameter(entry, &found, &facts),
        };
        observed.services = services(entry, &readers, observed.changed);
        observed.fleets = fleets_of(entry, fleets);
        observed
    });
    Ok(Seen {
        secrets: observed.collect(),
        gaps,
    })
}

fn kept<T: Default>(result: Result<T>, what: &'static str, gaps: &mut Vec<Gap>) -> T {
    result.unwrap_or_else(|error| {
        gaps.push(Gap::new(what, &error));
        T::default()
    })
}

fn empty(entry: &SecretEntry, found: Found) -> Observed {
    Observed {
        entry: entry.clone(),
        found,
        version: None,
        changed: None,
        by: None,
        services: Vec::new(),
        fleets: Vec::new(),
    }
}

fn secret(
    entry: &SecretEntry,
    values: &Result<SecretValues>,
    changed: &BTreeMap<&str, Option<Timestamp>>,
    is_listed: bool,
) -> Observed {
    let path = entry.path.as_str();
    let values = match values {
        Ok(values) => values,
        Err(error) => return empty(entry, Found::Unreadable(error.to_string())),
    };
    let known = changed.get(path);
    if let Some(value) = values.found.get(path) {
        let found = value.value.clone().map_or(Found::Bytes, Found::Value);
        return Observed {
            version: Some(value.version.clone()),
            // Without the list of secrets at least the version's own date is known.
            changed: known.copied().flatten().max(value.created),
            ..empty(entry, found)
        };
    }
    let found = match values.refused.get(path) {
        // The same code says that there is no such secret and that it has no current version.
        Some((code, _)) if code == "ResourceNotFoundException" => {
            if known.is_some() {
                Found::NoValue
            } else {
                Found::Missing
            }
        }
        // A policy that names secrets refuses one that is not there like one that may not be read; the list knows.
        Some((code, _)) if code == "AccessDeniedException" && is_listed && known.is_none() => Found::Missing,
        Some((code, message)) => Found::Unreadable(format!("{code}: {message}")),
        None => Found::Missing,
    };
    Observed {
        changed: known.copied().flatten(),
        ..empty(entry, found)
    }
}

fn parameter(
    entry: &SecretEntry,
    found: &Result<Parameters>,
    facts: &BTreeMap<&str, &ParameterFacts>,
) -> Observed {
    let found = match found {
        Ok(found) => found,
        Err(error) => return empty(entry, Found::Unreadable(error.to_string())),
    };
    let Some(parameter) = found.found.get(&entry.path) else {
        return empty(entry, Found::Missing);
    };
    Observed {
        version: Some(parameter.version.to_string()),
        changed: parameter.modified,
        by: facts.get(entry.path.as_str()).and_then(|facts| facts.by.clone()),
        ..empty(entry, Found::Value(parameter.value.clone()))
    }
}

fn services(entry: &SecretEntry, readers: &[Reader], changed: Option<Timestamp>) -> Vec<ServiceReader> {
    let reads = readers.iter().filter_map(|reader| {
        let containers = reader.containers(entry);
        (!containers.is_empty()).then(|| ServiceReader {
            app: reader.app,
            service: reader.service.clone(),
            containers,
            stale: changed.map_or_else(Vec::new, |changed| reader.stale_tasks(changed)),
        })
    });
    reads.collect()
}

/// The fleets whose instances read an entry: their own pointers, and the secret of their stage.
fn fleets_of(entry: &SecretEntry, fleets: &[FleetId]) -> Vec<FleetId> {
    let of_stage = |stage: Stage| {
        fleets
            .iter()
            .filter(|fleet| fleet.stage == stage)
            .cloned()
            .collect()
    };
    match &entry.role {
        SecretRole::FleetSecret(stage) => of_stage(*stage),
        SecretRole::Image(fleet) | SecretRole::Bundle(fleet) | SecretRole::FleetConfig(fleet) => {
            vec![fleet.clone()]
        }
        SecretRole::AppKey
        | SecretRole::OAuth
        | SecretRole::AssetOps
        | SecretRole::Database
        | SecretRole::Redis
        | SecretRole::Text => Vec::new(),
    }
}
