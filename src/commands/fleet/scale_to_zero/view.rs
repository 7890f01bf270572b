//! What became of every fleet, and the document about it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::change::journal::Record;
use crate::change::{RunId, State, Target};
use crate::layout::FleetId;
use crate::output::{Render, Table, View};

use super::super::text::counted;
use super::ScaleToZero;
use super::observe::Candidate;
use super::plan::ids;
use super::verify::{Ending, raised};
use crate::fleet::FleetEnd;
use crate::fleet::hold::Hold;

/// The end of one fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Was at zero before.
    Unchanged,
    /// At zero; what is left is terminating.
    AtZero,
    /// At zero, but some instances are not going to leave by themselves.
    Stays,
    /// Set to zero, and set to something else again since.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct FleetOutcome {
    pub(super) name: FleetId,
    pub(super) outcome: Kind,
    pub(super) desired_before: Option<u32>,
    /// As last seen.
    pub(super) desired_after: Option<u32>,
    /// Instances that keep running although nothing is wanted any more.
    pub(super) staying: Vec<String>,
    /// The hold in force with `--hold`; null without it, and where it is not in force.
    pub(super) hold: Option<Hold>,
    pub(super) message: String,
}

/// An earlier run that was cut off.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Interrupted {
    #[schemars(with = "jiff::Timestamp")]
    started: String,
    done: usize,
    planned: usize,
    in_doubt: Vec<String>,
}

impl From<&Record> for Interrupted {
    fn from(record: &Record) -> Self {
        Self {
            started: record.started.clone(),
            done: record.done(),
            planned: record.steps.len(),
            in_doubt: record.in_doubt().map(|step| step.id.clone()).collect(),
        }
    }
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ScaleToZeroResult {
    run: RunId,
    target: Target,
    drain: bool,
    force: bool,
    /// Fleets whose capacity this run set.
    changed: usize,
    interrupted_before: Option<Interrupted>,
    fleets: Vec<FleetOutcome>,
}

impl ScaleToZeroResult {
    pub(super) fn new(
        change: &ScaleToZero<'_>,
        candidates: &[Candidate],
        outcome: &super::Outcome<ScaleToZero<'_>>,
    ) -> Self {
        let request = change.request;
        let is_done = |candidate: &Candidate| {
            let step = outcome.step(&candidate.id.to_string());
            step.is_some_and(|step| matches!(step.state, State::Done { .. }))
        };
        Self {
            run: outcome.run.clone(),
            target: outcome.target.clone(),
            drain: request.drain,
            force: request.force,
            changed: candidates.iter().filter(|one| is_done(one)).count(),
            interrupted_before: outcome.cut_off.first().map(Interrupted::from),
            fleets: candidates
                .iter()
                .map(|candidate| held(fleet(candidate, outcome), change.ctx.clock.now()))
                .collect(),
        }
    }
}

impl Render for ScaleToZeroResult {
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
}

/// With the hold in its message.
fn held(mut fleet: FleetOutcome, now: Timestamp) -> FleetOutcome {
    if let Some(hold) = &fleet.hold {
        fleet.message = format!("{}; {}", fleet.message, hold.clause(now));
    }
    fleet
}

/// What became of one fleet: its steps, and the look afterwards.
fn fleet(candidate: &Candidate, outcome: &super::Outcome<ScaleToZero<'_>>) -> FleetOutcome {
    let name = candidate.id.to_string();
    let before = candidate.seen.as_ref().map(|(group, _)| group.desired);
    let end_of = |kind, after, message: String| FleetOutcome {
        name: candidate.id.clone(),
        outcome: kind,
        desired_before: before,
        desired_after: after,
        staying: Vec::new(),
        hold: None,
        message,
    };
    // The hold goes first: what became of the fleet is what became of the first step that is not done.
    for step in ids(&candidate.id).iter().filter_map(|id| outcome.step(id)) {
        match &step.state {
            State::Failed(error) => return end_of(Kind::Failed, before, format!("failed to {error}")),
            State::NotBegun | State::Undone => {
                return end_of(Kind::NotBegun, before, "not begun".to_owned());
            }
            State::NotReady(why) => return end_of(Kind::StillBusy, before, format!("not touched: {why}")),
            State::Done { .. } | State::StillDone(_) | State::InDoubt(..) => {}
        }
    }
    match outcome.endings.get(&name) {
        Some(Ending { end, hold }) => {
            let (kind, desired, message) = ended(end);
            let staying = match end {
                FleetEnd::Stays { instances, .. } => instances.clone(),
                _ => Vec::new(),
            };
            FleetOutcome {
                staying,
                hold: hold.clone(),
                ..end_of(kind, Some(desired), message)
            }
        }
        None if before.is_none() => end_of(Kind::Unchanged, None, "no Auto Scaling group".to_owned()),
        None => FleetOutcome {
            hold: candidate.last.clone().filter(|hold| !hold.is_released()),
            ..end_of(Kind::Unchanged, before, "at zero already".to_owned())
        },
    }
}

/// What the look afterwards has shown, the desired capacity at the end, and that in words.
fn ended(end: &FleetEnd) -> (Kind, u32, String) {
    let some = |count: usize| counted(count as u64, "instance");
    match end {
        FleetEnd::AtZero { terminating: 0 } => (Kind::AtZero, 0, "at zero, nothing runs".to_owned()),
        FleetEnd::AtZero { terminating } => (
            Kind::AtZero,
            0,
            format!("at zero, {} terminating", some(*terminating)),
        ),
        FleetEnd::Stays { instances, why } => {
            let message = format!("at zero, but {} stays: {why}", some(instances.len()));
            (Kind::Stays, 0, message)
        }
        FleetEnd::Raised { desired, cause } => {
            (Kind::RaisedAgain, *desired, raised(*desired, cause.as_deref()))
        }
        FleetEnd::NotFollowed => (Kind::StillRunning, 0, "set to 0, not followed further".to_owned()),
        FleetEnd::Unfinished { left } => (
            Kind::StillRunning,
            0,
            format!("at zero, {} not gone yet", some(*left)),
        ),
    }
}
