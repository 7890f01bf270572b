//! What a sandbox is started with.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::Scenario;
use crate::time::SimTime;

/// The role of an operator, who may do everything.
pub const OPERATOR_ROLE: &str = "bp-operator";

/// A role that may look at everything but the values of secrets.
pub const VIEWER_ROLE: &str = "bp-viewer";

/// Which of the platform's two naming layouts the account holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One core system `bp-*`; stages exist for GPU fleets only.
    #[default]
    Single,
    /// The whole system once per stage: `bp-<stage>-*`.
    Staged,
}

/// A GPU fleet of the account.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetSeed {
    /// `staging` or `production`.
    pub stage: String,
    /// The fleet's slug, unique within its stage.
    pub slug: String,
    /// `gpu-default` or `gpu-p-series`: decides instance types, maximum and warm-up.
    pub template: String,
    /// Jobs that arrive per minute, on average, once the fleet runs.
    pub jobs_per_minute: f64,
    /// Workers in service at the start.
    pub workers: u32,
}

impl FleetSeed {
    /// A `gpu-default` fleet with the given load.
    #[must_use]
    pub fn new(stage: &str, slug: &str, workers: u32, jobs_per_minute: f64) -> Self {
        Self {
            stage: stage.to_owned(),
            slug: slug.to_owned(),
            template: "gpu-default".to_owned(),
            jobs_per_minute,
            workers,
        }
    }
}

/// Everything that decides how a world begins.
#[derive(Clone, Debug)]
pub struct Options {
    /// Naming layout.
    pub layout: Layout,
    /// The stage of a staged layout; a single layout has fleets of both.
    pub stage: String,
    /// Seed of every identifier and every random draw.
    pub seed: u64,
    /// The moment at which the operator arrives.
    pub start: SimTime,
    /// What is broken.
    pub scenarios: BTreeSet<Scenario>,
    /// An account in which nothing was ever deployed: roles to ask as, and nothing else.
    pub empty: bool,
    /// The account's fleets; empty means those of the platform.
    pub fleets: Vec<FleetSeed>,
    /// Twelve digits.
    pub account_id: String,
    /// The only region with anything in it.
    pub region: String,
    /// The role that callers with credentials of their own have.
    pub role: String,
    /// Roles beside those of the platform, each with its one permissions policy.
    pub roles: BTreeMap<String, String>,
    /// Dollars for a unit that differ from the price list, by usage type, e.g. `NatGateway-Hours`; `None` for a product
    /// that the list is not to have.
    pub prices: BTreeMap<String, Option<String>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            layout: Layout::Single,
            stage: "staging".to_owned(),
            seed: 1,
            // 2026-01-15T09:00:00Z, a Thursday.
            start: SimTime(1_768_467_600_000),
            scenarios: BTreeSet::new(),
            empty: false,
            fleets: Vec::new(),
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            role: OPERATOR_ROLE.to_owned(),
            roles: BTreeMap::new(),
            prices: BTreeMap::new(),
        }
    }
}

impl Options {
    /// The fleets this account has: one idle and one busy unless told otherwise.
    #[must_use]
    pub fn effective_fleets(&self) -> Vec<FleetSeed> {
        if !self.fleets.is_empty() {
            return self.fleets.clone();
        }
        match self.layout {
            Layout::Single => vec![
                FleetSeed::new("staging", "gpu-default", 0, 0.0),
                FleetSeed::new("production", "gpu-default", 2, 1.0),
            ],
            // Of one worker: the policies of this layout pull a larger fleet to and fro.
            Layout::Staged => vec![FleetSeed::new(&self.stage, "image-to-video", 1, 0.5)],
        }
    }
}
