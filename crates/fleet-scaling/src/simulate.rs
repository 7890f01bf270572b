//! A fleet over days and years: jobs as discrete events, and a control plane that steps by the minute.
//!
//! Between two events nothing about jobs and instances changes; once every alarm has seen nothing but
//! the present values, nothing about the control plane does either, and the clock jumps to the next
//! event. Memory depends on the queue and the fleet, not on the simulated time.

mod arrivals;
mod calm;
mod control;
mod engine;
mod instances;
mod pool;
mod queue;
mod random;
mod report;
mod schedule;
mod series;
mod service;
mod sketch;
mod spot;
mod window;

use std::time::Duration;

pub use arrivals::{Arrivals, ArrivalsError, Trace, TraceError};
pub use report::{Durations, Fleet, Jobs, Report, Scaling};
pub use series::Series;

use crate::config::FleetConfig;

/// What a fleet goes through.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// When jobs come.
    pub arrivals: Arrivals,
    /// Seed of the random numbers.
    pub seed: u64,
    /// How long.
    pub horizon: Duration,
    /// Instances that are there and warm at the start; the minimum without it.
    pub initial: Option<u32>,
    /// When the publisher of the metrics is silent: from the start, and for how long.
    pub silences: Vec<(Duration, Duration)>,
    /// How often the stack is deployed; matters only where the template states a desired capacity.
    pub deploy_every: Option<Duration>,
    /// Points of the series for plots; none when 0.
    pub points: usize,
}

impl Scenario {
    /// Jobs only: no silence, no deploy, no series.
    #[must_use]
    pub fn new(arrivals: Arrivals, seed: u64, horizon: Duration) -> Self {
        Self {
            arrivals,
            seed,
            horizon,
            initial: None,
            silences: Vec::new(),
            deploy_every: None,
            points: 0,
        }
    }

    /// Simulates `config` in this scenario.
    ///
    /// # Errors
    /// The scenario makes no sense.
    pub fn run(&self, config: &FleetConfig) -> Result<Report, SimulateError> {
        self.run_with_progress(config, &|_| ())
    }

    /// [`Self::run`] that tells `progress` how much time it has simulated: each time that another
    /// 200th of the horizon has passed, or several in one jump of the clock, and at the end.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_with_progress(
        &self,
        config: &FleetConfig,
        progress: &dyn Fn(Duration),
    ) -> Result<Report, SimulateError> {
        self.arrivals.validate()?;
        if self.horizon < Duration::from_secs(60) {
            return Err(SimulateError::ShortHorizon);
        }
        if self
            .deploy_every
            .is_some_and(|every| every < Duration::from_secs(60))
        {
            return Err(SimulateError::ShortDeploys);
        }
        let most = config.limits().max;
        if let Some(initial) = self.initial
            && initial > most
        {
            return Err(SimulateError::InitialAboveMaximum { initial, most });
        }
        Ok(engine::Engine::new(config, self).run(progress))
    }
}

/// The scenario makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// The arrivals are wrong.
    #[error("{0}")]
    Arrivals(#[from] ArrivalsError),
    /// The control plane would not step once.
    #[error("the horizon is shorter than a minute")]
    ShortHorizon,
    /// Deploys come at most once a minute.
    #[error("the time between deploys is shorter than a minute")]
    ShortDeploys,
    /// There cannot be so many instances.
    #[error("{initial} instances at the start are more than the maximum, {most}")]
    InitialAboveMaximum {
        /// Asked for.
        initial: u32,
        /// The group's maximum.
        most: u32,
    },
}

/// Simulates `config` under `arrivals` for as long as `horizon`; the same seed gives the same report.
///
/// # Errors
/// Arrivals or horizon make no sense.
///
/// ```
/// use std::time::Duration;
/// use fleet_scaling::config::FleetConfig;
/// use fleet_scaling::simulate::simulate;
///
/// let config: FleetConfig = toml::from_str(&std::fs::read_to_string("examples/two-steps.toml")?)?;
/// let day = Duration::from_secs(86_400);
/// let report = simulate(&config, &"poisson:20/h".parse()?, 7, day)?;
/// assert!(report.jobs.done > 400);
/// assert!(report.fleet.cost > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn simulate(
    config: &FleetConfig,
    arrivals: &Arrivals,
    seed: u64,
    horizon: Duration,
) -> Result<Report, SimulateError> {
    Scenario::new(arrivals.clone(), seed, horizon).run(config)
}

#[cfg(test)]
mod tests;
