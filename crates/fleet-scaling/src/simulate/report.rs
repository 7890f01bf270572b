//! What a simulation found.

use serde::Serialize;

use super::series::Series;
use super::sketch::Sketch;

/// The result of a simulation. The same configuration, scenario and seed give the same report, bit by bit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Report {
    /// Seed of the random numbers.
    pub seed: u64,
    /// Simulated time.
    pub horizon_seconds: f64,
    /// What became of the jobs.
    pub jobs: Jobs,
    /// From the arrival of a job to its first start.
    pub wait: Durations,
    /// From the arrival of a job to its end.
    pub turnaround: Durations,
    /// Instances and their price.
    pub fleet: Fleet,
    /// How often the desired capacity changed.
    pub scaling: Scaling,
    /// What the figures leave out because it is not modelled, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// The course over time, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
}

/// Jobs: `arrived = done + waiting + leased + running + failed + rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Jobs {
    /// All that came.
    pub arrived: u64,
    /// Finished.
    pub done: u64,
    /// In the queue at the end.
    pub waiting: u64,
    /// At the end still leased to a worker that is gone.
    pub leased: u64,
    /// On a worker at the end.
    pub running: u64,
    /// Lost: started as often as allowed without an end.
    pub failed: u64,
    /// Lost: turned away because the queue was full.
    pub rejected: u64,
    /// How often a job went back to the queue because its worker went away.
    pub requeued: u64,
}

/// A distribution of durations in seconds; percentiles are exact to one part in 128.
/// Without any measured duration the statistics are 0 here, and `null` when they are written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(into = "Written")]
pub struct Durations {
    /// How many were measured.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90 % are not longer.
    pub p90: f64,
    /// 95 % are not longer.
    pub p95: f64,
    /// 99 % are not longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Durations as they are written down.
#[derive(Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Written {
    /// How many were measured.
    count: u64,
    /// Mean.
    mean: Option<f64>,
    /// Median.
    p50: Option<f64>,
    /// 90 % are not longer.
    p90: Option<f64>,
    /// 95 % are not longer.
    p95: Option<f64>,
    /// 99 % are not longer.
    p99: Option<f64>,
    /// The longest.
    max: Option<f64>,
}

impl From<Durations> for Written {
    fn from(durations: Durations) -> Self {
        let of = |seconds: f64| (durations.count > 0).then_some(seconds);
        Self {
            count: durations.count,
            mean: of(durations.mean),
            p50: of(durations.p50),
            p90: of(durations.p90),
            p95: of(durations.p95),
            p99: of(durations.p99),
            max: of(durations.max),
        }
    }
}

impl Durations {
    pub(super) fn of(sketch: &Sketch) -> Self {
        let percentile = |share| sketch.percentile(share) / 1e3;
        Self {
            count: sketch.count(),
            mean: sketch.mean() / 1e3,
            p50: percentile(0.5),
            p90: percentile(0.9),
            p95: percentile(0.95),
            p99: percentile(0.99),
            max: sketch.largest() as f64 / 1e3,
        }
    }
}

/// Instances and their price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Fleet {
    /// Hours that instances ran, all together.
    pub instance_hours: f64,
    /// Dollars for instances, as EC2 bills them.
    pub cost: f64,
    /// Dollars for each finished job; `None` without one.
    pub cost_per_job: Option<f64>,
    /// Share of the instances' time in which they did work that led to a finished job, for a
    /// concurrency of 1.
    pub utilisation: f64,
    /// Hours of work that was lost with its worker.
    pub wasted_hours: f64,
    /// Share of the time without any instance.
    pub time_at_zero: f64,
    /// Share of the started jobs whose worker did not exist yet when they came.
    /// `None` when none was started.
    pub cold_start_share: Option<f64>,
    /// Instances launched.
    pub launched: u64,
    /// Times that no type had capacity.
    pub launch_failures: u64,
    /// Spot Instances that EC2 took back.
    pub interruptions: u64,
    /// Instances that a scale-in or a replacement ended while they held a job.
    pub ended_busy: u64,
    /// The most instances at one time.
    pub most_instances: u32,
}

/// Changes of the desired capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Scaling {
    /// Up.
    pub scale_outs: u64,
    /// Down.
    pub scale_ins: u64,
    /// Down to zero; part of the scale-ins.
    pub to_zero: u64,
    /// By a deploy.
    pub by_deploy: u64,
}
