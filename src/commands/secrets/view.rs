//! How secrets are put into words and documents.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::observe::{Observed, State};
use crate::layout::{FleetId, Store};

/// A secret in a list. It has no member for a value.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct SecretView {
    pub(super) name: String,
    /// As AWS knows it.
    pub(super) path: String,
    /// `secrets-manager` or `parameter-store`.
    pub(super) store: &'static str,
    pub(super) state: State,
    /// Why it is not set, or which tasks are stale.
    pub(super) reason: Option<String>,
    /// An id in Secrets Manager, a number in Parameter Store.
    pub(super) version: Option<String>,
    pub(super) changed: Option<Timestamp>,
    /// ARN of the principal that wrote it, or the run of bpctl that did; Secrets Manager does not say who else.
    pub(super) last_writer: Option<String>,
    pub(super) services: Vec<ServiceView>,
    /// Fleets whose workers or launches read it.
    pub(super) fleets: Vec<FleetId>,
}

/// A service that reads a secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct ServiceView {
    pub(super) service: String,
    pub(super) containers: Vec<String>,
    /// Running tasks that were created before the last change.
    pub(super) stale_tasks: Vec<String>,
}

impl SecretView {
    pub(super) fn of(observed: &Observed) -> Self {
        let (state, reason) = observed.state();
        Self {
            name: observed.entry.name.clone(),
            path: observed.entry.path.clone(),
            store: observed.entry.store.as_str(),
            state,
            reason,
            version: observed.version.clone(),
            changed: observed.changed,
            last_writer: writer(observed),
            services: observed
                .services
                .iter()
                .map(|reader| ServiceView {
                    service: reader.service.clone(),
                    containers: reader.containers.clone(),
                    stale_tasks: reader.stale.clone(),
                })
                .collect(),
            fleets: observed.fleets.clone(),
        }
    }

    /// Who reads it, in few words.
    pub(super) fn used_by(&self) -> String {
        let services = self.services.iter().map(|reader| reader.service.clone());
        let fleets = self.fleets.iter().map(ToString::to_string);
        or_dash(services.chain(fleets).collect::<Vec<_>>().join(", "))
    }
}

/// What begins the version ids that bpctl writes: the run that wrote it follows.
pub(super) const VERSION_PREFIX: &str = "bpctl-";

/// The run of bpctl that made a version of Secrets Manager, if one did.
pub(super) fn run_of_version(version: &str) -> Option<&str> {
    let run = version.strip_prefix(VERSION_PREFIX)?;
    run.parse::<crate::change::RunId>().ok().map(|_| run)
}

fn writer(observed: &Observed) -> Option<String> {
    if observed.entry.store == Store::ParameterStore {
        return observed.by.clone();
    }
    let run = run_of_version(observed.version.as_deref()?)?;
    Some(format!("bpctl run {run}"))
}

pub(super) fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// `38s`, `5m`, `3h`, `12d`; `-` when it is not known.
pub(super) fn age(changed: Option<Timestamp>, now: Timestamp) -> String {
    let Some(changed) = changed else {
        return "-".to_owned();
    };
    let age = Duration::try_from(now.duration_since(changed)).unwrap_or_default();
    match age.as_secs() {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds @ 120..=7_199 => format!("{}m", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// A version in a table: numbers whole, the run of ours, the beginning of other ids.
pub(super) fn short_version(version: Option<&str>) -> String {
    match version {
        None => "-".to_owned(),
        Some(version) => match run_of_version(version).and_then(|run| run.rsplit('-').next()) {
            Some(run) => run.to_owned(),
            None => version.chars().take(8).collect(),
        },
    }
}
