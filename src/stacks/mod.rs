//! Stacks before they are deployed: the cloud assembly that the CDK writes, and what a template would change.

pub(crate) mod assembly;
mod built_in;
pub(crate) mod compare;
mod host;
mod in_force;
mod kinds;

pub(crate) use assembly::{Assembly, Environment, StackArtifact};
pub(crate) use built_in::is_built_in;
pub(crate) use compare::{Action, Change, Comparison, Replacement, compare};
pub(crate) use host::{covers, host_name};
pub(crate) use in_force::InForce;
