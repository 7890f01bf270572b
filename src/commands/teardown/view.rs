//! The result: what became of each step, and what is in the account now.

use schemars::JsonSchema;
use serde::Serialize;

use super::Teardown;
use super::observe::Seen;
use crate::change::{Outcome, RunId, State};
use crate::leftovers::{ASSUMPTIONS, Kind, Leftover, Leftovers, table};
use crate::output::{Render, View};

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TeardownResult {
    run: RunId,
    steps: Vec<StepRow>,
    /// Stacks of the platform that are still there.
    stacks: Vec<String>,
    /// What else of the platform's is still there.
    kept: Vec<Leftover>,
    /// US dollars for what has a known price.
    dollars_per_month: f64,
    assumptions: Vec<String>,
}

/// What became of a step.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StepRow {
    id: String,
    done: bool,
    /// What was done, or why not.
    text: String,
    /// What stayed although its template would have let it go, and why.
    stayed: Vec<String>,
}

impl TeardownResult {
    pub(super) fn new(_seen: &Seen, outcome: &Outcome<Teardown<'_>>, after: &Leftovers) -> Self {
        let steps = outcome.steps.iter().map(|step| {
            let (done, text) = match &step.state {
                State::Done { did } => (true, did.clone()),
                State::Failed(error) => (false, error.to_string()),
                State::NotReady(why) => (false, why.clone()),
                State::NotBegun | State::Undone => (false, "not begun".to_owned()),
                State::StillDone(error) | State::InDoubt(error, _) => (false, error.to_string()),
            };
            StepRow {
                id: step.id.clone(),
                done,
                text,
                stayed: step.output.clone().unwrap_or_default(),
            }
        });
        let kept = after.ours.iter().filter(|one| one.kind != Kind::Stack);
        Self {
            run: outcome.run.clone(),
            steps: steps.collect(),
            stacks: after.of(Kind::Stack).map(|one| one.name.clone()).collect(),
            kept: kept.cloned().collect(),
            dollars_per_month: after.dollars_per_month(),
            assumptions: ASSUMPTIONS.iter().map(|text| (*text).to_owned()).collect(),
        }
    }
}

impl Render for TeardownResult {
    fn human(&self, view: &View) -> String {
        let mut text = String::new();
        for stack in &self.stacks {
            text.push_str(&format!("still there: {stack}\n"));
        }
        if self.kept.is_empty() {
            text.push_str("nothing of the platform is left in this region\n");
            return text;
        }
        text.push_str(&table("KEPT", &self.kept, self.dollars_per_month, view));
        text
    }

    fn names(&self) -> Vec<String> {
        let kept = self.kept.iter().map(|one| one.name.clone());
        self.stacks.iter().cloned().chain(kept).collect()
    }
}
