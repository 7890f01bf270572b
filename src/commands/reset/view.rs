//! What there is, what became of each step, and what was left alone.

use schemars::JsonSchema;
use serde::Serialize;

use super::Reset;
use crate::change::{Outcome, RunId, State};
use crate::leftovers::{ASSUMPTIONS, LeftAlone, Leftover, Leftovers, left_alone, table};
use crate::output::{Render, View};

/// The document of `--list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LeftoverList {
    /// What is the platform's, stacks included.
    leftovers: Vec<Leftover>,
    /// What is not the platform's, or not its alone.
    left_alone: Vec<LeftAlone>,
    /// US dollars for what has a known price.
    dollars_per_month: f64,
    assumptions: Vec<String>,
}

fn assumptions() -> Vec<String> {
    ASSUMPTIONS.iter().map(|text| (*text).to_owned()).collect()
}

impl LeftoverList {
    pub(super) fn new(found: &Leftovers) -> Self {
        Self {
            leftovers: found.ours.clone(),
            left_alone: found.others.clone(),
            dollars_per_month: found.dollars_per_month(),
            assumptions: assumptions(),
        }
    }
}

impl Render for LeftoverList {
    fn human(&self, view: &View) -> String {
        shown(
            "KIND",
            (&self.leftovers, &self.left_alone),
            self.dollars_per_month,
            view,
        )
    }

    fn names(&self) -> Vec<String> {
        self.leftovers.iter().map(|one| one.name.clone()).collect()
    }
}

fn shown(
    heading: &'static str,
    (ours, others): (&[Leftover], &[LeftAlone]),
    dollars: f64,
    view: &View,
) -> String {
    let mut text = match ours.is_empty() {
        true => "nothing of the platform is left in this region\n".to_owned(),
        false => table(heading, ours, dollars, view),
    };
    if !others.is_empty() {
        text.push('\n');
        text.push_str(&left_alone(others, view));
    }
    text
}

/// The document of a reset.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResetResult {
    run: RunId,
    steps: Vec<StepRow>,
    /// What of the platform is still there, by choice or because it did not go.
    left: Vec<Leftover>,
    /// What is not the platform's, or not its alone.
    left_alone: Vec<LeftAlone>,
    /// US dollars for what is left and has a known price.
    dollars_per_month: f64,
    assumptions: Vec<String>,
}

/// What became of a step.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ResetStep")]
pub(crate) struct StepRow {
    id: String,
    done: bool,
    /// What was done, or why not.
    text: String,
}

impl ResetResult {
    pub(super) fn new(outcome: &Outcome<Reset<'_>>, after: &Leftovers) -> Self {
        let steps = outcome.steps.iter().map(|step| {
            let (done, text) = match &step.state {
                State::Done { did } => (true, did.clone()),
                State::NotReady(why) => (false, why.clone()),
                State::NotBegun | State::Undone => (false, "not begun".to_owned()),
                State::Failed(error) | State::StillDone(error) | State::InDoubt(error, _) => {
                    (false, error.to_string())
                }
            };
            StepRow {
                id: step.id.clone(),
                done,
                text,
            }
        });
        Self {
            run: outcome.run.clone(),
            steps: steps.collect(),
            left: after.ours.clone(),
            left_alone: after.others.clone(),
            dollars_per_month: after.dollars_per_month(),
            assumptions: assumptions(),
        }
    }
}

impl Render for ResetResult {
    fn human(&self, view: &View) -> String {
        shown(
            "LEFT",
            (&self.left, &self.left_alone),
            self.dollars_per_month,
            view,
        )
    }

    fn names(&self) -> Vec<String> {
        self.left.iter().map(|one| one.name.clone()).collect()
    }
}
