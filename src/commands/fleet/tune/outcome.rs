//! What a search found, in the words of the configuration instead of positions in a grid.

use fleet_scaling::config::FleetSpec;
use fleet_scaling::tune::{Candidate, Choice, HeldOut, Objective, Pareto, Space};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::demand::{Days, Demand};
use crate::fleet::scaling::{LeftOut, Model};

/// The result of `bpctl fleet tune`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tuning {
    pub(super) fleet: String,
    pub(super) scenario: Scenario,
    pub(super) objective: Objective,
    /// Combinations that were simulated.
    pub(super) evaluated: usize,
    pub(super) current: Tried,
    pub(super) best: Option<Tried>,
    /// How the best did on seeds that the search has not seen.
    pub(super) held_out: Option<HeldOut>,
    /// What the figures leave out because it is not modelled.
    pub(super) unknown: Vec<String>,
    /// What the best changes in the current configuration.
    pub(super) changes: Vec<Change>,
    /// The cheapest first.
    pub(super) frontier: Vec<Tried>,
    pub(super) assumptions: Vec<String>,
    pub(super) left_out: Vec<LeftOut>,
    /// As `--config` takes it.
    pub(super) config: FleetSpec,
    /// The same with the changes.
    pub(super) best_config: Option<FleetSpec>,
    #[serde(skip)]
    pub(super) space: Space,
}

/// What every combination went through.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Scenario {
    pub(super) arrivals: String,
    pub(super) days: f64,
    pub(super) seeds: Vec<u64>,
    #[serde(skip)]
    pub(super) length: Days,
}

/// A combination and what it came to. Costs are dollars for the whole scenario.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Tried {
    #[serde(flatten)]
    pub(super) settings: Settings,
    pub(super) cost: f64,
    pub(super) cost_per_day: f64,
    pub(super) wait_p95_seconds: f64,
    pub(super) wait_mean_seconds: f64,
    pub(super) lost_share: f64,
    pub(super) instance_hours: f64,
    /// Whether it meets the objective.
    pub(super) feasible: bool,
}

/// The dimensions of the search; those that the fleet does not have are none.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Settings {
    pub(super) backlog_target: Option<f64>,
    pub(super) scale_to_zero_minutes: Option<i64>,
    pub(super) max: i64,
    pub(super) warmup_seconds: f64,
    pub(super) types: Vec<String>,
}

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Change {
    pub(super) what: &'static str,
    pub(super) from: String,
    pub(super) to: String,
}

impl Scenario {
    pub(super) fn new(demand: &Demand, days: Days, seeds: Vec<u64>) -> Self {
        Self {
            arrivals: demand.text.clone(),
            days: days.number(),
            seeds,
            length: days,
        }
    }
}

impl Tuning {
    pub(super) fn new(
        model: &Model,
        scenario: Scenario,
        objective: Objective,
        space: &Space,
        found: Pareto,
    ) -> Self {
        let spec = model.config.spec();
        let days = scenario.days;
        let tried = |candidate: &Candidate| Tried::new(candidate, spec, days);
        let current = tried(&found.current);
        let best = found.best.as_ref().map(tried);
        Self {
            fleet: model.name.clone(),
            scenario,
            objective,
            evaluated: found.evaluated,
            held_out: found.held_out,
            unknown: found.unknown.clone(),
            changes: best
                .as_ref()
                .map(|best| best.settings.changes_from(&current.settings))
                .unwrap_or_default(),
            frontier: found.frontier.iter().map(tried).collect(),
            assumptions: model.assumptions.clone(),
            left_out: model.left_out.clone(),
            config: spec.clone(),
            best_config: found.best.as_ref().map(|best| best.choice.apply(spec)),
            space: space.clone(),
            current,
            best,
        }
    }
}

impl Tried {
    fn new(candidate: &Candidate, spec: &FleetSpec, days: f64) -> Self {
        Self {
            settings: Settings::new(&candidate.choice, spec),
            cost: candidate.cost,
            cost_per_day: candidate.cost / days,
            wait_p95_seconds: candidate.wait_p95_seconds,
            wait_mean_seconds: candidate.wait_mean_seconds,
            lost_share: candidate.lost_share,
            instance_hours: candidate.instance_hours,
            feasible: candidate.feasible,
        }
    }
}

impl Settings {
    fn new(choice: &Choice, spec: &FleetSpec) -> Self {
        let present = Choice::of(spec);
        let types = choice.types.iter();
        let types = types.filter_map(|position| spec.instance_types.get(*position));
        Self {
            backlog_target: present.backlog_target.and(choice.backlog_target),
            scale_to_zero_minutes: present.scale_to_zero_minutes.and(choice.scale_to_zero_minutes),
            max: choice.max,
            warmup_seconds: choice.warmup_seconds,
            types: types.map(|kind| kind.name.clone()).collect(),
        }
    }

    /// Name and text of each dimension, in the order of the table.
    pub(super) fn texts(&self) -> [(&'static str, String); 5] {
        let none = || "-".to_owned();
        [
            (
                "backlog target",
                self.backlog_target.map_or_else(none, |target| target.to_string()),
            ),
            (
                "scale to zero after",
                self.scale_to_zero_minutes
                    .map_or_else(none, |minutes| format!("{minutes}m")),
            ),
            ("maximum", self.max.to_string()),
            ("warm-up", format!("{}s", self.warmup_seconds)),
            ("instance types", self.types.join("+")),
        ]
    }

    fn changes_from(&self, current: &Self) -> Vec<Change> {
        let pairs = current.texts().into_iter().zip(self.texts());
        pairs
            .filter(|(from, to)| from != to)
            .map(|((what, from), (_, to))| Change { what, from, to })
            .collect()
    }
}
