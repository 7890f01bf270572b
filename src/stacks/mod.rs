//! Stacks before they are deployed: the cloud assembly that the CDK writes, and what a template would change.

mod asleep;
pub(crate) mod assembly;
mod bootstrap;
mod built_in;
pub(crate) mod compare;
mod estimate;
mod host;
mod import;
mod in_force;
mod kinds;

pub(crate) use asleep::{is_asleep, put_to_sleep, service_named};
pub(crate) use assembly::{Assembly, Environment, StackArtifact};
pub(crate) use bootstrap::{Bootstrap, QUALIFIER, TOOLKIT};
pub(crate) use built_in::{Blueprint, is_built_in};
pub(crate) use compare::{Action, Change, Comparison, Replacement, compare};
pub(crate) use estimate::Estimate;
pub(crate) use host::{covers, host_name};
pub(crate) use import::{fixed, identified_by, import_template};
pub(crate) use in_force::InForce;
