//! What became of every fleet, and the document about it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::change::{Applied, Target, Unfinished};
use crate::layout::FleetId;
use crate::output::{Render, Table, View};

use super::super::text::counted;
use super::follow::End;
use super::plan::Candidate;

/// The end of one fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Was at zero before.
    Unchanged,
    /// At zero; what is left is terminating.
    AtZero,
    /// At zero, but some instances are not going to leave by themselves.
    Stays,
    /// Set to zero, and set to something else again by somebody or something.
    RaisedAgain,
    /// At zero, with instances that had not left by the deadline.
    StillRunning,
    /// Not touched: its jobs had not ended by the deadline.
    StillBusy,
    Failed,
    /// Not touched, because of an interrupt.
    NotBegun,
}

/// One fleet of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct FleetOutcome {
    pub(super) name: FleetId,
    pub(super) outcome: Kind,
    pub(super) desired_before: Option<u32>,
    /// As last seen.
    pub(super) desired_after: Option<u32>,
    /// Instances that keep running although nothing is wanted any more.
    pub(super) staying: Vec<String>,
    pub(super) message: String,
}

/// An earlier run that never came to its end.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Interrupted {
    started: String,
    done: usize,
    planned: usize,
    in_doubt: Vec<String>,
}

impl From<Unfinished> for Interrupted {
    fn from(unfinished: Unfinished) -> Self {
        Self {
            started: unfinished.started,
            done: unfinished.done,
            planned: unfinished.planned,
            in_doubt: unfinished.in_doubt,
        }
    }
}

impl Interrupted {
    /// For the operator.
    pub(super) fn sentence(&self) -> String {
        let doubt = match self.in_doubt.as_slice() {
            [] => String::new(),
            steps => format!("; {} was under way", steps.join(", ")),
        };
        format!(
            "an earlier run, started {}, was interrupted after {} of {}{doubt}",
            self.started,
            self.done,
            counted(self.planned as u64, "fleet")
        )
    }
}

/// The document.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) target: Target,
    pub(super) drain: bool,
    pub(super) force: bool,
    /// Fleets whose capacity this run set.
    pub(super) changed: usize,
    pub(super) interrupted_before: Option<Interrupted>,
    pub(super) fleets: Vec<FleetOutcome>,
}

impl Render for Outcome {
    fn schema(&self) -> &'static str {
        "bpctl.fleet.scale-to-zero/1"
    }

    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FLEET", "BEFORE", "NOW", "OUTCOME"]);
        let size = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        for fleet in &self.fleets {
            table.row([
                fleet.name.to_string(),
                size(fleet.desired_before),
                size(fleet.desired_after),
                fleet.message.clone(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.fleets.iter().map(|fleet| fleet.name.to_string()).collect()
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.fleets.iter().map(|fleet| json!(fleet)).collect())
    }
}

/// Joins what the steps and the look afterwards came to.
pub(super) fn fleets(
    candidates: &[Candidate],
    applied: &Applied,
    busy: &[(String, String)],
    ends: &BTreeMap<FleetId, End>,
) -> Vec<FleetOutcome> {
    candidates
        .iter()
        .map(|candidate| {
            let name = candidate.id.to_string();
            let before = candidate.seen.as_ref().map(|(group, _)| group.desired);
            let outcome = |kind, after, message: String| FleetOutcome {
                name: candidate.id.clone(),
                outcome: kind,
                desired_before: before,
                desired_after: after,
                staying: Vec::new(),
                message,
            };
            if let Some((_, error)) = applied.failed.iter().find(|(id, _)| *id == name) {
                return outcome(Kind::Failed, before, format!("failed to {error}"));
            }
            if applied.skipped.contains(&name) {
                return outcome(Kind::NotBegun, before, "not begun".to_owned());
            }
            if let Some((_, why)) = busy.iter().find(|(id, _)| *id == name) {
                return outcome(Kind::StillBusy, before, format!("not touched: {why}"));
            }
            match ends.get(&candidate.id) {
                Some(end) => ended(end, outcome),
                None if applied.done.iter().any(|done| done.id == name) => outcome(
                    Kind::StillRunning,
                    Some(0),
                    "set to 0, not followed further".to_owned(),
                ),
                None if before.is_none() => {
                    outcome(Kind::Unchanged, None, "no Auto Scaling group".to_owned())
                }
                None => outcome(Kind::Unchanged, before, "at zero already".to_owned()),
            }
        })
        .collect()
}

fn ended(end: &End, outcome: impl Fn(Kind, Option<u32>, String) -> FleetOutcome) -> FleetOutcome {
    match end {
        End::AtZero { terminating: 0 } => outcome(Kind::AtZero, Some(0), "at zero, nothing runs".to_owned()),
        End::AtZero { terminating } => {
            let message = format!(
                "at zero, {} terminating",
                counted(*terminating as u64, "instance")
            );
            outcome(Kind::AtZero, Some(0), message)
        }
        End::Stays { instances, why } => {
            let message = format!(
                "at zero, but {} stays: {why}",
                counted(instances.len() as u64, "instance")
            );
            FleetOutcome {
                staying: instances.clone(),
                ..outcome(Kind::Stays, Some(0), message)
            }
        }
        End::Raised { desired, cause } => {
            let cause = cause.as_ref().map_or_else(
                || " by a scaling policy or somebody else".to_owned(),
                |cause| format!(": {cause}"),
            );
            outcome(
                Kind::RaisedAgain,
                Some(*desired),
                format!("set to {desired} again{cause}"),
            )
        }
        End::Unfinished { left } => {
            let message = format!("at zero, {} not gone yet", counted(*left as u64, "instance"));
            outcome(Kind::StillRunning, Some(0), message)
        }
    }
}
