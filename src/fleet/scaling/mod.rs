//! Fleets as the scaling library knows them: from a file, or from what AWS says of a live one.

mod file;
mod live;
mod observe;

use fleet_scaling::config::FleetConfig;

pub(crate) use file::read_file;
pub(crate) use live::{Facts, model};
pub(crate) use observe::{facts_of, facts_of_all};

/// A fleet that can be explained, checked, simulated and tuned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    /// The fleet's name, or that of the file.
    pub(crate) name: String,
    pub(crate) config: FleetConfig,
    /// What nobody could tell and is taken for granted, in sentences.
    pub(crate) assumptions: Vec<String>,
    /// What is there and takes no part in the model, in sentences: most of it does not work in AWS either.
    pub(crate) left_out: Vec<String>,
}
