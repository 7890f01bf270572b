//! The result.

use schemars::JsonSchema;
use serde::Serialize;

use super::manifest::Manifest;
use super::{Backup, Output};
use crate::change::{Outcome, RunId, State};
use crate::output::{Render, Table, View};

/// What became of a backup.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BackupResult {
    run: RunId,
    /// Where it is.
    to: String,
    /// Whether it is a backup: its manifest was written.
    complete: bool,
    parts: Vec<PartRow>,
    /// What it holds, once it is complete.
    manifest: Option<Manifest>,
}

/// A part of the backup.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PartRow {
    part: String,
    done: bool,
    /// What was done, or why not.
    text: String,
}

impl BackupResult {
    pub(super) fn new(
        change: &Backup<'_>,
        finished: Option<&Manifest>,
        outcome: &Outcome<Backup<'_>>,
    ) -> Self {
        let parts = outcome.steps.iter().map(|step| {
            let (done, text) = match &step.state {
                State::Done { did } => (true, did.clone()),
                State::Failed(error) => (false, error.to_string()),
                State::NotReady(why) => (false, why.clone()),
                State::NotBegun | State::Undone => (false, "not begun".to_owned()),
                State::StillDone(error) | State::InDoubt(error, _) => (false, error.to_string()),
            };
            PartRow {
                part: step.id.clone(),
                done,
                text,
            }
        });
        let written = outcome.steps.iter().find_map(|step| match &step.output {
            Some(Output::Manifest(manifest)) => Some(manifest.as_ref().clone()),
            _ => None,
        });
        let manifest = written.or_else(|| finished.cloned());
        Self {
            run: outcome.run.clone(),
            to: change.request.place.shown(),
            complete: manifest.is_some(),
            parts: parts.collect(),
            manifest,
        }
    }
}

impl Render for BackupResult {
    fn human(&self, view: &View) -> String {
        let mut text = String::new();
        if !self.parts.is_empty() {
            let mut table = Table::new(&["PART", "OUTCOME", "WHAT"]);
            for part in &self.parts {
                let outcome = if part.done { "done" } else { "not done" };
                table.row([part.part.clone(), outcome.to_owned(), part.text.clone()]);
            }
            text.push_str(&table.render(view));
        }
        if self.complete {
            text.push_str(&format!("the backup in {} is complete\n", self.to));
        } else {
            text.push_str(&format!(
                "{} holds no backup yet: its manifest is missing\n",
                self.to
            ));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.parts.iter().map(|part| part.part.clone()).collect()
    }
}
