//! The cheapest configuration that keeps the wait short: every combination of a grid is simulated.

mod space;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[cfg(feature = "rayon")]
use rayon::prelude::*;
use serde::Serialize;

pub use space::{Choice, Space};

use crate::config::{ConfigError, FleetConfig};
use crate::simulate::{Arrivals, Report, Scenario, SimulateError};

/// What a search is to find.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Objective {
    /// 95 % of the jobs are to wait no longer.
    pub wait_p95_seconds: f64,
    /// The largest share of the jobs that may be lost.
    pub lost_share: f64,
}

impl Objective {
    /// No lost job, and 95 % of the waits within `wait`.
    #[must_use]
    pub fn wait_p95(wait: Duration) -> Self {
        Self {
            wait_p95_seconds: wait.as_secs_f64(),
            lost_share: 0.0,
        }
    }
}

/// A combination and what it came to, in the mean of all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Candidate {
    /// The combination.
    pub choice: Choice,
    /// Dollars.
    pub cost: f64,
    /// The largest 95th percentile of the waits of any seed.
    pub wait_p95_seconds: f64,
    /// Mean wait.
    pub wait_mean_seconds: f64,
    /// Share of the jobs that were lost.
    pub lost_share: f64,
    /// Hours that instances ran.
    pub instance_hours: f64,
    /// Whether it meets the objective.
    pub feasible: bool,
}

/// What the best came to on seeds that the search has not seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct HeldOut {
    /// How many.
    pub seeds: usize,
    /// The largest 95th percentile of the waits of any of them: a further one exceeds it with a probability of
    /// one in `seeds + 1`, whatever the distribution. With combinations that were passed over on these seeds it is
    /// a little more: then this one was chosen for how it did on them too.
    pub wait_p95_bound_seconds: f64,
    /// Share of the jobs that were lost.
    pub lost_share: f64,
    /// Cheaper combinations that met the objective on the seeds of the search and not on these.
    pub passed_over: usize,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Pareto {
    /// Combinations that were simulated.
    pub evaluated: usize,
    /// The cheapest that meets the objective, on the seeds of the search and on those held out.
    pub best: Option<Candidate>,
    /// How the best did on the seeds that were held out.
    pub held_out: Option<HeldOut>,
    /// The configuration as it is.
    pub current: Candidate,
    /// Those that nothing else beats in cost and in wait, the cheapest first.
    pub frontier: Vec<Candidate>,
    /// What the figures leave out because it is not modelled, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// The search cannot begin.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The scenario makes no sense.
    #[error("{0}")]
    Scenario(#[from] SimulateError),
    /// A value of the space makes no valid configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// A dimension of the space has no value.
    #[error("`{0}` has no value to try")]
    NoValues(&'static str),
    /// More combinations than a caller waits for.
    #[error("{0} combinations, and at most {MOST_COMBINATIONS} are tried: leave values out")]
    TooMany(usize),
    /// The wait is not a time, or no seed is given.
    #[error("`{0}` is not usable")]
    Objective(&'static str),
}

/// The largest search.
const MOST_COMBINATIONS: usize = 100_000;

/// Of nineteen exchangeable runs and a twentieth, the twentieth is the largest once in twenty times: the largest
/// of nineteen is a bound that a further run keeps with 95 % confidence.
const HELD_OUT: usize = 19;

/// Simulates every combination of `space` on `arrivals` for as long as `horizon`, once with each of
/// `seeds`, on all cores (with the feature `rayon`). Every combination sees the same jobs, and the result does not depend on the
/// number of threads.
///
/// # Errors
/// Space, objective or arrivals make no sense.
pub fn tune(
    config: &FleetConfig,
    arrivals: &Arrivals,
    horizon: Duration,
    seeds: &[u64],
    objective: &Objective,
    space: &Space,
) -> Result<Pareto, TuneError> {
    tune_with_progress(config, arrivals, horizon, seeds, objective, space, &|_, _| ())
}

/// [`tune`] that calls `progress` with the combinations done and all of them whenever one is done, from
/// whatever thread simulated it.
///
/// # Errors
/// As [`tune`].
pub fn tune_with_progress(
    config: &FleetConfig,
    arrivals: &Arrivals,
    horizon: Duration,
    seeds: &[u64],
    objective: &Objective,
    space: &Space,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Pareto, TuneError> {
    if !(objective.wait_p95_seconds.is_finite() && objective.wait_p95_seconds >= 0.0) {
        return Err(TuneError::Objective("wait_p95_seconds"));
    }
    if !(0.0..=1.0).contains(&objective.lost_share) {
        return Err(TuneError::Objective("lost_share"));
    }
    if seeds.is_empty() {
        return Err(TuneError::Objective("seeds"));
    }
    let count = space.check()?;
    if count > MOST_COMBINATIONS {
        return Err(TuneError::TooMany(count));
    }
    let scenarios: Vec<Scenario> = seeds
        .iter()
        .map(|seed| Scenario::new(arrivals.clone(), *seed, horizon))
        .collect();
    let done = AtomicUsize::new(0);
    // `collect` keeps the order of the combinations, whatever thread simulates them.
    #[cfg(feature = "rayon")]
    let positions = (0..count).into_par_iter();
    #[cfg(not(feature = "rayon"))]
    let positions = 0..count;
    let mut candidates: Vec<Candidate> = positions
        .map(|position| {
            let choice = space.at(position);
            let config = FleetConfig::new(choice.apply(config.spec()))?;
            let candidate = evaluate(choice, &config, &scenarios, objective);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
            candidate
        })
        .collect::<Result<_, TuneError>>()?;
    let current = evaluate(Choice::of(config.spec()), config, &scenarios, objective)?;
    let (best, held_out) = confirm(config, &mut candidates, &scenarios, objective)?;
    Ok(Pareto {
        evaluated: count,
        best,
        held_out,
        current,
        frontier: frontier(candidates),
        unknown: config.unknown(),
    })
}

/// The cheapest candidate that also meets the objective on seeds that the search has not seen. A winner is
/// chosen for how well it did on the search's seeds, so that it tends to do worse on others; those that do not
/// meet the objective there are no longer feasible.
fn confirm(
    config: &FleetConfig,
    candidates: &mut [Candidate],
    scenarios: &[Scenario],
    objective: &Objective,
) -> Result<(Option<Candidate>, Option<HeldOut>), TuneError> {
    let seen: Vec<u64> = scenarios.iter().map(|scenario| scenario.seed).collect();
    let fresh: Vec<Scenario> = (1_000_001..)
        .filter(|seed| !seen.contains(seed))
        .take(HELD_OUT)
        .map(|seed| Scenario {
            seed,
            ..scenarios[0].clone()
        })
        .collect();
    let mut order: Vec<usize> = (0..candidates.len())
        .filter(|at| candidates[*at].feasible)
        .collect();
    order.sort_by(|a, b| by_cost(&candidates[*a], &candidates[*b]));
    for (passed_over, at) in order.into_iter().enumerate() {
        let choice = candidates[at].choice.clone();
        let config = FleetConfig::new(choice.apply(config.spec()))?;
        let judged = evaluate(choice, &config, &fresh, objective)?;
        candidates[at].feasible = judged.feasible;
        if judged.feasible {
            let held_out = HeldOut {
                seeds: HELD_OUT,
                wait_p95_bound_seconds: judged.wait_p95_seconds,
                lost_share: judged.lost_share,
                passed_over,
            };
            return Ok((Some(candidates[at].clone()), Some(held_out)));
        }
    }
    Ok((None, None))
}

fn evaluate(
    choice: Choice,
    config: &FleetConfig,
    scenarios: &[Scenario],
    objective: &Objective,
) -> Result<Candidate, TuneError> {
    #[cfg(feature = "rayon")]
    let runs = scenarios.par_iter();
    #[cfg(not(feature = "rayon"))]
    let runs = scenarios.iter();
    let reports = runs
        .map(|scenario| scenario.run(config))
        .collect::<Result<Vec<Report>, _>>()?;
    let mean = |number: fn(&Report) -> f64| reports.iter().map(number).sum::<f64>() / reports.len() as f64;
    let arrived: u64 = reports.iter().map(|report| report.jobs.arrived).sum();
    let lost: u64 = reports
        .iter()
        .map(|report| report.jobs.failed + report.jobs.rejected)
        .sum();
    // A fleet that never starts a job has no wait to measure; what still waits at the end has waited
    // at least as long as a fleet that is too slow needs for its queue.
    let stuck = reports.iter().any(|report| {
        let unserved = report.jobs.waiting + report.jobs.leased;
        unserved * 20 > report.jobs.arrived
    });
    let wait_p95_seconds = if stuck {
        scenarios[0].horizon.as_secs_f64()
    } else {
        reports.iter().map(|report| report.wait.p95).fold(0.0, f64::max)
    };
    let lost_share = lost as f64 / (arrived as f64).max(1.0);
    Ok(Candidate {
        choice,
        cost: mean(|report| report.fleet.cost),
        wait_p95_seconds,
        wait_mean_seconds: mean(|report| report.wait.mean),
        lost_share,
        instance_hours: mean(|report| report.fleet.instance_hours),
        feasible: wait_p95_seconds <= objective.wait_p95_seconds && lost_share <= objective.lost_share,
    })
}

/// By cost, then by wait; equal candidates stay in the order of the space.
fn by_cost(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    a.cost
        .total_cmp(&b.cost)
        .then(a.wait_p95_seconds.total_cmp(&b.wait_p95_seconds))
}

/// Those that are quicker than everything cheaper.
fn frontier(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(by_cost);
    let mut quickest = f64::INFINITY;
    candidates.retain(|candidate| {
        let better = candidate.wait_p95_seconds < quickest;
        quickest = quickest.min(candidate.wait_p95_seconds);
        better
    });
    candidates
}

#[cfg(test)]
mod tests;
