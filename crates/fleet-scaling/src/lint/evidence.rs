//! A configuration and its correction on the same jobs.

use std::time::Duration;

use serde::Serialize;

use crate::config::{FleetConfig, FleetSpec, ServiceTime};
use crate::simulate::{Arrivals, Report, Scenario};

/// Two simulations that differ in the fix only.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Evidence {
    /// What both went through.
    pub scenario: String,
    /// The configuration as it is.
    pub now: Outcome,
    /// With the fix.
    pub fixed: Outcome,
}

/// The numbers of a simulation that findings speak of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Outcome {
    /// 95 % of the jobs wait no longer; `None` when none has started.
    pub wait_p95_seconds: Option<f64>,
    /// The longest wait; `None` when none has started.
    pub wait_max_seconds: Option<f64>,
    /// 99 % of the jobs are done no later after they came; `None` when none is.
    pub turnaround_p99_seconds: Option<f64>,
    /// Finished jobs.
    pub done: u64,
    /// Jobs that have not finished: they wait, or are lost.
    pub unfinished: u64,
    /// Instances that were ended while they held a job.
    pub ended_busy: u64,
    /// Instance launches.
    pub launched: u64,
    /// Hours that instances ran.
    pub instance_hours: f64,
    /// Dollars.
    pub cost: f64,
    /// Share of the jobs that waited for an instance to boot.
    pub cold_start_share: Option<f64>,
    /// The most instances at one time.
    pub most_instances: u32,
}

impl Outcome {
    /// For comparisons: a fleet that starts no job lets them wait for ever.
    pub(super) fn p95(&self) -> f64 {
        self.wait_p95_seconds.unwrap_or(f64::INFINITY)
    }

    pub(super) fn longest(&self) -> f64 {
        self.wait_max_seconds.unwrap_or(f64::INFINITY)
    }

    fn of(report: &Report) -> Self {
        Self {
            wait_p95_seconds: (report.wait.count > 0).then_some(report.wait.p95),
            wait_max_seconds: (report.wait.count > 0).then_some(report.wait.max),
            turnaround_p99_seconds: (report.turnaround.count > 0).then_some(report.turnaround.p99),
            done: report.jobs.done,
            unfinished: report.jobs.arrived - report.jobs.done,
            ended_busy: report.fleet.ended_busy,
            launched: report.fleet.launched,
            instance_hours: report.fleet.instance_hours,
            cost: report.fleet.cost,
            cold_start_share: report.fleet.cold_start_share,
            most_instances: report.fleet.most_instances,
        }
    }
}

/// Simulates `config` and what `fix` makes of it. `None` when the fix is no valid configuration, or
/// the scenario none of a fleet of this size.
pub(super) fn compare(
    config: &FleetConfig,
    name: &str,
    scenario: &Scenario,
    fix: impl FnOnce(&mut FleetSpec),
) -> Option<Evidence> {
    let mut spec = config.spec().clone();
    fix(&mut spec);
    let fixed = FleetConfig::new(spec).ok()?;
    Some(Evidence {
        scenario: name.to_owned(),
        now: Outcome::of(&scenario.run(config).ok()?),
        fixed: Outcome::of(&scenario.run(&fixed).ok()?),
    })
}

/// Two days of `arrivals`.
pub(super) fn two_days(arrivals: Arrivals) -> Scenario {
    Scenario::new(arrivals, 1, Duration::from_secs(2 * 86_400))
}

/// Jobs at random that keep `workers` workers busy.
pub(super) fn load(config: &FleetConfig, workers: f64) -> Arrivals {
    let jobs = &config.spec().jobs;
    let per_worker = 3600.0 / mean_seconds(config) * jobs.concurrency as f64;
    Arrivals::Poisson {
        per_hour: workers * per_worker,
    }
}

/// How many workers a load should keep busy, so that the fleet has something to scale: about a third
/// of the maximum.
pub(super) fn some_workers(config: &FleetConfig) -> f64 {
    (f64::from(config.limits().max) / 3.0).clamp(0.3, 5.0)
}

/// The mean time of a job on the most preferred type.
pub(super) fn mean_seconds(config: &FleetConfig) -> f64 {
    config.spec().jobs.service.mean_seconds() / config.spec().instance_types[0].speed
}

/// A time that one job in a hundred takes, or longer, on the most preferred type.
pub(super) fn long_seconds(config: &FleetConfig) -> f64 {
    /// The 99th percentile of the normal distribution.
    const NORMAL_P99: f64 = 2.326;
    let long = match &config.spec().jobs.service {
        ServiceTime::Fixed { seconds } => *seconds,
        ServiceTime::Exponential { mean_seconds } => mean_seconds * 100_f64.ln(),
        ServiceTime::LogNormal {
            median_seconds,
            sigma,
        } => median_seconds * (sigma * NORMAL_P99).exp(),
        ServiceTime::Empirical { seconds } => {
            let mut sorted = seconds.clone();
            sorted.sort_by(f64::total_cmp);
            sorted[(sorted.len() * 99 / 100).min(sorted.len() - 1)]
        }
    };
    long / config.spec().instance_types[0].speed
}

/// The mean time from the request of an instance to its first job.
pub(super) fn cold_start_seconds(config: &FleetConfig) -> f64 {
    let cold = &config.spec().cold_start;
    cold.request_seconds + cold.boot_seconds + cold.register_seconds
}
