//! The life of a change: plan → gate → apply → verify → journal.
//!
//! A [`Plan`] becomes an [`Approved`] plan only in [`gate`]; only an approved plan yields a
//! [`Permit`], and every function in `aws` that changes something demands one.

mod apply;
mod approve;
mod journal;
mod lock;
mod plan;

pub(crate) use apply::{Applied, StepReport, apply};
pub(crate) use approve::{Approved, Gate, GateArgs, Permit, gate};
pub(crate) use journal::{Journal, Unfinished};
pub(crate) use lock::OperationLock;
pub(crate) use plan::{ApiCall, Blocker, Plan, Risk, Step, Target};
