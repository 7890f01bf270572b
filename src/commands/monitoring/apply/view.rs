//! What was written.

use schemars::JsonSchema;
use serde::Serialize;

use super::Applying;
use crate::change::{Outcome, RunId, State};
use crate::output::{Render, Table, View};

/// The result document of `monitoring apply`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ApplyResult {
    run: RunId,
    /// Alarms and log groups.
    written: Vec<Row>,
    /// How many of them still differ; null when that was not looked at.
    left: Option<usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    name: String,
    /// Whether it was written, or found right.
    done: bool,
}

impl ApplyResult {
    pub(super) fn of(outcome: &Outcome<Applying<'_>>, left: Option<usize>) -> Self {
        let written = outcome.steps.iter().map(|step| Row {
            name: step.id.clone(),
            done: matches!(step.state, State::Done { .. }),
        });
        Self {
            run: outcome.run.clone(),
            written: written.collect(),
            left,
        }
    }
}

impl Render for ApplyResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["NAME", "WRITTEN"]);
        for row in &self.written {
            table.row([row.name.clone(), if row.done { "yes" } else { "no" }.to_owned()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.written.iter().map(|row| row.name.clone()).collect()
    }
}
