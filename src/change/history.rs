//! The shared history: one object per run beside the leases, so that every operator sees every run.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ground::{Ground, Shared};
use super::journal::Header;
use super::outcome::{State, Verdict};
use super::permit::Permit;
use super::plan::Plan;
use super::run_id::RunId;
use super::store::{Condition, SharedStore};
use super::target::Target;
use crate::error::{CtlError, ErrorKind, Result};
use crate::redact::redact_record;

/// The prefix of all entries in the store; run ids sort by time.
const PREFIX: &str = "history/";

/// One run. Plans hold no values of secrets; what people and AWS wrote is redacted when it is stored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Entry {
    pub(crate) run: RunId,
    pub(crate) verb: String,
    pub(crate) title: String,
    pub(crate) target: Target,
    pub(crate) host: String,
    /// What was typed, without the program's name.
    pub(crate) command_line: Vec<String>,
    pub(crate) reason: Option<String>,
    pub(crate) started: Timestamp,
    pub(crate) ended: Timestamp,
    pub(crate) verdict: String,
    pub(crate) status: u8,
    pub(crate) steps: Vec<EntryStep>,
}

/// One step of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EntryStep {
    pub(crate) id: String,
    pub(crate) summary: String,
    /// `done`, `failed`, …
    pub(crate) state: String,
    /// What was done, or why it was not.
    pub(crate) message: Option<String>,
}

/// How and when a run ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) verdict: Verdict,
    pub(super) status: u8,
    pub(super) started: Timestamp,
    pub(super) ended: Timestamp,
}

impl Entry {
    /// `states` names the steps of `plan`, and those that they have added.
    pub(super) fn new<'a, A>(
        header: &Header<'_>,
        plan: &Plan<A>,
        states: impl Iterator<Item = (&'a str, &'a State)>,
        ended: Ended,
    ) -> Self {
        let summary = |id: &str| {
            let step = plan.steps.iter().find(|step| step.id == id);
            step.map(|step| step.summary.clone()).unwrap_or_default()
        };
        let steps = states.map(|(id, state)| EntryStep::new(id, summary(id), state));
        Self {
            run: header.run.clone(),
            verb: header.verb.to_owned(),
            title: plan.title.clone(),
            target: header.target.clone(),
            host: super::host::name(),
            command_line: header.command_line.to_vec(),
            reason: header.reason.map(str::to_owned),
            started: ended.started,
            ended: ended.ended,
            verdict: ended.verdict.as_str().to_owned(),
            status: ended.status,
            steps: steps.collect(),
        }
    }
}

impl EntryStep {
    pub(super) fn new(id: &str, summary: String, state: &State) -> Self {
        let (state, message) = told(state);
        Self {
            id: id.to_owned(),
            summary,
            state: state.to_owned(),
            message,
        }
    }
}

/// A state as a word and, where there is more to say, a sentence.
pub(super) fn told(state: &State) -> (&'static str, Option<String>) {
    match state {
        State::NotBegun => ("not-begun", None),
        State::NotReady(why) => ("not-ready", Some(why.clone())),
        State::Done { did } => ("done", Some(did.clone())),
        State::Failed(error) => ("failed", Some(error.to_string())),
        State::Undone => ("undone", None),
        State::StillDone(error) => ("not-undone", Some(error.to_string())),
        State::InDoubt(error, _) => ("in-doubt", Some(error.to_string())),
    }
}

/// Writes the entry of a run that has ended. A failure is a warning, never a failed change.
pub(super) async fn write<G: Ground>(ground: &G, entry: &Entry) {
    let Shared {
        store: Some(store), ..
    } = ground.shared()
    else {
        return;
    };
    let key = format!("{PREFIX}{}.json", entry.run);
    let written = match serde_json::to_value(entry) {
        Ok(mut record) => {
            redact_record(&mut record);
            let body = record.to_string();
            let permit = Permit::bookkeeping("PutObject");
            let write = store.write(&key, &body, Condition::Absent, &permit);
            write.await.map(|_| ())
        }
        Err(error) => {
            Err(CtlError::new(ErrorKind::Unexpected, "write the entry of this run as JSON").source(&error))
        }
    };
    if let Err(error) = written {
        ground.ui().warn(&format!(
            "this run is missing in the shared history in {}: failed to {error}",
            store.place()
        ));
    }
}

/// The entries of runs that began at or after `since`, the oldest first.
///
/// # Errors
/// A store that cannot be read.
pub(crate) async fn read<S: SharedStore>(store: &S, since: Timestamp) -> Result<Vec<Entry>> {
    // Run ids begin with their time; the key before the first one of that second.
    let after = format!("{PREFIX}{}", since.strftime("%Y%m%dT%H%M%SZ"));
    let mut entries = Vec::new();
    for name in store.names(PREFIX, Some(&after)).await? {
        if let Some(stored) = store.read(&name).await?
            && let Ok(entry) = serde_json::from_str(&stored.body)
        {
            entries.push(entry);
        }
    }
    Ok(entries)
}
