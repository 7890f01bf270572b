//! Fleets as the scaling library knows them: from a file, or from what AWS says of a live one.

mod changes;
mod demand;
mod deployed;
mod file;
mod listener;
mod live;
mod minutes;
mod observe;
mod state;

use fleet_scaling::config::FleetConfig;
use fleet_scaling::unknown::{Bounds, Direction, Part};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use changes::{Change, changes, desired_at, missing_at, settling_at};
pub(crate) use demand::{LONGEST, demand};
pub(crate) use file::read_file;
pub(crate) use live::{Facts, model};
pub(crate) use minutes::Minutes;
pub(crate) use observe::{facts_of, facts_of_all, with_templates};
pub(crate) use state::{state, suspended, suspended_processes};

/// A fleet that can be explained, checked, simulated and tuned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    /// The fleet's name, or that of the file.
    pub(crate) name: String,
    pub(crate) config: FleetConfig,
    /// What could not be read and is taken for granted, in sentences.
    pub(crate) assumptions: Vec<String>,
    /// What is there and takes no part in the model.
    pub(crate) left_out: Vec<LeftOut>,
}

/// A part of a fleet's scaling that takes no part in its model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct LeftOut {
    /// In AWS it has no effect either, e.g. because its alarm watches something else.
    pub(crate) broken: bool,
    /// A sentence.
    pub(crate) what: String,
    /// What it is where it has an effect in AWS, and in which direction.
    #[serde(skip)]
    pub(crate) part: Option<(Part, Direction)>,
    /// Between which capacities it may bring the group, where the group's bounds do not bind it.
    #[serde(skip)]
    pub(crate) bounds: Option<Bounds>,
}

impl LeftOut {
    /// What has no effect in AWS either.
    pub(crate) fn broken(what: impl Into<String>) -> Self {
        Self {
            broken: true,
            what: what.into(),
            part: None,
            bounds: None,
        }
    }

    /// What has an effect in AWS that this module does not know.
    pub(crate) fn not_modelled(part: Part, direction: Direction, what: impl Into<String>) -> Self {
        Self {
            broken: false,
            what: what.into(),
            part: Some((part, direction)),
            bounds: None,
        }
    }

    /// The same with bounds of its own.
    pub(crate) fn within(self, min: u32, max: Option<u32>) -> Self {
        Self {
            bounds: Some(Bounds { min, max }),
            ..self
        }
    }
}
