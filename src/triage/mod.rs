//! Triage: what is wrong with the platform, why, and what to type next.
//!
//! [`probes`] read AWS into a [`snapshot`]; [`rules`] are pure functions from the snapshot to
//! [`finding`]s; [`fold`] puts the symptoms under their causes.

pub(crate) mod absence;
pub(crate) mod catalog;
pub(crate) mod commands;
pub(crate) mod difference;
pub(crate) mod explanations;
pub(crate) mod finding;
pub(crate) mod fold;
pub(crate) mod probes;
pub(crate) mod recording;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod snapshot;
pub(crate) mod wording;
