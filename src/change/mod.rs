//! The engine of every change: guard → observe → plan → gate → locks → journal → steps → verify → verdict.
//!
//! A mutating verb implements [`Change`] and hands itself to [`carry_out`]; it never sends a change on its
//! own. Every change of the AWS layer is a [`Call`], and needs the [`Permit`] that only a step of an approved
//! plan gives out, for exactly the call that the plan shows.
//!
//! This module knows no AWS and no settings; [`Ground`] is what it stands on.

mod args;
mod attended;
mod call;
mod conclude;
mod cut_off;
mod digest;
mod engine;
mod gate;
mod ground;
mod held;
pub(crate) mod history;
mod host;
pub(crate) mod journal;
pub(crate) mod lease;
pub(crate) mod locks;
mod outcome;
mod permit;
mod plan;
mod plan_view;
mod print_aws;
mod run_id;
mod running;
mod spec;
mod state_files;
mod steps;
mod store;
mod target;
mod undo;

use std::time::Duration;

pub(crate) use args::{ChangeArgs, duration};
pub(crate) use attended::{Attendance, Attended, Proposed, SessionArgs, attend};
pub(crate) use call::{ApiCall, Call, DOCKER, Later, Loss, NPX, PACKER, Repeated, parameters};
pub(crate) use conclude::conclude_end;
pub(crate) use engine::carry_out;
pub(crate) use ground::{Direction, Earlier, Ground, Mode, Shared};
pub(crate) use outcome::{End, Outcome, State};
pub(crate) use permit::{Pause, Permit};
pub(crate) use plan::{Blocker, OnFailure, Plan, Step};
pub(crate) use plan_view::PlanView;
pub(crate) use print_aws::PrintedCommands;
pub(crate) use run_id::RunId;
pub(crate) use running::{StepRun, Verification};
pub(crate) use spec::{Basis, Change, Done, Readiness, Words};
pub(crate) use store::{Condition, SharedStore, Stored, Written};
pub(crate) use target::Target;
pub(crate) use undo::{UndoResult, no_way_back};
#[cfg(test)]
pub(crate) use {plan::Risk, run_id::RunNames};

/// How often steps that wait are looked at: the platform's metrics come once a minute, so looking more
/// often than every few seconds learns nothing.
const WAITING_PACE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(30));

#[cfg(test)]
mod memory;
#[cfg(test)]
mod tests;
