//! A fleet as it is written down: plain data that a TOML or JSON file carries, not checked yet.
//!
//! Sizes are signed and durations are floating-point seconds on purpose: a negative size or a `nan` in
//! a file is then an error that names the field, and not one of the parser.

use serde::{Deserialize, Serialize};

use super::schedule::{LifecycleHookSpec, ScheduledActionSpec};
use super::warm_pool::WarmPoolSpec;
use crate::alarm::{Comparison, MissingData};
use crate::metrics::{Published, Source, Statistic};
use crate::policy::{AdjustmentType, StepAdjustment};
use crate::unknown::NotModelled;

/// A fleet: its group, its policies, its instances and its jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FleetSpec {
    /// The least capacity.
    #[serde(default)]
    pub min: i64,
    /// The largest capacity.
    pub max: i64,
    /// The group's default instance warm-up.
    #[serde(default = "default_warmup")]
    pub warmup_seconds: f64,
    /// Whether Spot Instances at risk are replaced ahead of their interruption.
    #[serde(default)]
    pub capacity_rebalance: bool,
    /// The desired capacity that every deploy of the stack writes, when its template states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_desired: Option<i64>,
    /// Availability zones.
    #[serde(default = "one_zone")]
    pub zones: Vec<String>,
    /// From the request for an instance to its first job.
    #[serde(default)]
    pub cold_start: ColdStart,
    /// When the fleet is taken to zero, if at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_to_zero: Option<ScaleToZeroSpec>,
    /// What the workers do.
    #[serde(default)]
    pub jobs: JobsSpec,
    /// The metrics that the fleet publishes once a minute, one sample each. A simulation knows no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publishes: Vec<Published>,
    /// Instance types in order of preference.
    pub instance_types: Vec<InstanceTypeSpec>,
    /// How many of the instances are On-Demand Instances, in a group of Spot Instances.
    #[serde(default, skip_serializing_if = "OnDemandSpec::is_none")]
    pub on_demand: OnDemandSpec,
    /// Scaling policies.
    #[serde(default)]
    pub policies: Vec<PolicySpec>,
    /// What sets the bounds and the desired capacity by the clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<ScheduledActionSpec>,
    /// What holds instances up when they come and go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifecycle_hooks: Vec<LifecycleHookSpec>,
    /// Instances that are prepared beside the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_pool: Option<WarmPoolSpec>,
    /// What else the group has and nothing here models.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_modelled: Vec<NotModelled>,
}

/// The phases of a launch. An instance is billed from the end of the first one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ColdStart {
    /// Until EC2 has started the instance.
    pub request_seconds: f64,
    /// Until it has booted and is `InService`.
    pub boot_seconds: f64,
    /// Until its worker has registered and takes jobs.
    pub register_seconds: f64,
    /// How much a launch varies: 0.2 stretches or shortens all phases by up to 20 %.
    pub spread: f64,
}

impl Default for ColdStart {
    /// Four minutes, with a machine image of tens of gigabytes about the middle of what such workers take.
    fn default() -> Self {
        Self {
            request_seconds: 30.0,
            boot_seconds: 150.0,
            register_seconds: 60.0,
            spread: 0.25,
        }
    }
}

/// An instance type that the group may launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InstanceTypeSpec {
    /// Such as `g5.xlarge`.
    pub name: String,
    /// Dollars per hour. Without it the on-demand list price of a known type counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hourly_price: Option<f64>,
    /// How many times faster than the type that the service times are given for.
    #[serde(default = "one")]
    pub speed: f64,
    /// How it behaves as a Spot Instance; without it the type is on-demand and never taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<SpotSpec>,
}

/// The On-Demand Instances of a group with Spot Instances.
///
/// Auto Scaling API Reference, `InstancesDistribution`: the base is filled first, and of what is above it a
/// percentage, rounded up to whole instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OnDemandSpec {
    /// The first so many instances.
    pub base: i64,
    /// Of those above the base, in percent.
    pub percent_above_base: i64,
}

impl OnDemandSpec {
    /// How many of `instances` are On-Demand Instances.
    #[must_use]
    pub fn of(&self, instances: u32) -> u32 {
        let base = u32::try_from(self.base).unwrap_or(0).min(instances);
        let percent = u64::try_from(self.percent_above_base).unwrap_or(0).min(100);
        let above = (u64::from(instances - base) * percent).div_ceil(100);
        base + u32::try_from(above).unwrap_or(0)
    }

    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How EC2 gives and takes Spot capacity of one type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SpotSpec {
    /// Mean interruptions of one instance in an hour.
    pub interruptions_per_hour: f64,
    /// How long before the two-minute notice the rebalance recommendation arrives.
    pub rebalance_lead_seconds: f64,
    /// Whether there is no capacity to launch from at all.
    pub unavailable: bool,
    /// When there is no capacity to launch from for a while.
    pub shortages: Vec<ShortageSpec>,
}

/// Capacity that comes and goes, both for exponentially distributed times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ShortageSpec {
    /// The zone that it concerns; every zone (each on its own) without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Mean time from the end of one shortage to the start of the next.
    pub hours_between: f64,
    /// Mean length of a shortage.
    pub minutes: f64,
}

/// What the workers do and what becomes of a job whose worker goes away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct JobsSpec {
    /// Jobs that one worker runs at the same time.
    pub concurrency: i64,
    /// How long after its worker has gone a job returns to the queue. Workers renew their leases.
    pub lease_seconds: f64,
    /// Whether a worker hands its jobs back when it hears the two-minute notice.
    pub release_on_notice: bool,
    /// Whether a worker asks for scale-in protection while it holds a job.
    pub protect_busy: bool,
    /// How often a job is started before it has failed for good.
    pub max_attempts: i64,
    /// Jobs that may wait; more are turned away. It bounds the memory of a simulation.
    pub queue_limit: i64,
    /// What the published depth of the queue counts, and the backlog with it. Without it the jobs that wait, as `ApproximateNumberOfMessagesVisible` of Amazon SQS does; with it every job that is
    /// not done: those that run, and those whose worker is gone until their lease ends, count too.
    pub depth_counts_running: bool,
    /// Whether the published backlog per worker is the depth itself while there is no worker. Without it there is no
    /// data then.
    pub backlog_without_workers: bool,
    /// How long a job takes.
    pub service: ServiceTime,
}

impl Default for JobsSpec {
    fn default() -> Self {
        Self {
            concurrency: 1,
            lease_seconds: 900.0,
            release_on_notice: true,
            protect_busy: false,
            max_attempts: 3,
            queue_limit: 1_000_000,
            depth_counts_running: false,
            backlog_without_workers: true,
            service: ServiceTime::Exponential { mean_seconds: 60.0 },
        }
    }
}

/// How long a job takes on a type of speed 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "distribution", rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum ServiceTime {
    /// Always the same.
    Fixed {
        /// The time.
        seconds: f64,
    },
    /// Memoryless.
    Exponential {
        /// The mean.
        mean_seconds: f64,
    },
    /// Most are short, a few are long.
    LogNormal {
        /// The median.
        median_seconds: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// One of the measured times, each as likely as the others.
    Empirical {
        /// The measured times.
        seconds: Vec<f64>,
    },
}

impl ServiceTime {
    /// The mean, in seconds, on a type of speed 1. An empty list of measured times has none: NaN.
    #[must_use]
    pub fn mean_seconds(&self) -> f64 {
        match self {
            Self::Fixed { seconds } => *seconds,
            Self::Exponential { mean_seconds } => *mean_seconds,
            Self::LogNormal {
                median_seconds,
                sigma,
            } => median_seconds * (sigma * sigma / 2.0).exp(),
            Self::Empirical { seconds } => seconds.iter().sum::<f64>() / seconds.len() as f64,
        }
    }
}

/// When the fleet is taken to zero: the queue was empty for so long. The options make that
/// rule safer; none of them is on by default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ScaleToZeroSpec {
    /// N of N one-minute points of the queue's depth at or below 0.
    pub minutes: i64,
    /// What a silent metric means. The default `breaching` takes a busy fleet to zero when the publisher of
    /// the metric falls silent.
    #[serde(default = "breaching")]
    pub missing_data: MissingData,
    /// Not while the queue holds a job of those that its depth counts, whatever the alarm says.
    #[serde(default)]
    pub never_with_queued_jobs: bool,
    /// Not while a worker holds a job.
    #[serde(default)]
    pub never_with_active_workers: bool,
    /// Not unless every point that the alarm needs is a real one.
    #[serde(default)]
    pub never_when_silent: bool,
    /// Only the idle workers at first, the others when they have finished.
    #[serde(default)]
    pub drain_first: bool,
    /// Whether the function looks again every minute while the alarm stays in `ALARM`. CloudWatch
    /// notifies once, so what an option has held back is never tried again without it.
    #[serde(default)]
    pub recheck: bool,
}

impl ScaleToZeroSpec {
    /// The bare rule: missing data is breaching and nothing is checked.
    #[must_use]
    pub fn unguarded(minutes: i64) -> Self {
        Self {
            minutes,
            missing_data: MissingData::Breaching,
            never_with_queued_jobs: false,
            never_with_active_workers: false,
            never_when_silent: false,
            drain_first: false,
            recheck: false,
        }
    }

    /// Every safe option, and a second look every minute.
    #[must_use]
    pub fn safe(minutes: i64) -> Self {
        Self {
            minutes,
            missing_data: MissingData::Missing,
            never_with_queued_jobs: true,
            never_with_active_workers: false,
            never_when_silent: true,
            drain_first: true,
            recheck: true,
        }
    }
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AlarmSpec {
    /// What it watches: a metric, or an expression over metrics.
    pub metric: Source,
    /// How the minutes of a period become one point.
    #[serde(default)]
    pub statistic: Statistic,
    /// The period, in whole minutes.
    #[serde(default = "a_minute")]
    pub period_seconds: f64,
    /// How a point is compared.
    pub comparison: Comparison,
    /// What it is compared with.
    pub threshold: f64,
    /// N.
    #[serde(default = "once")]
    pub evaluation_periods: i64,
    /// M; N without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<i64>,
    /// What stands in for missing points.
    #[serde(default)]
    pub missing_data: MissingData,
}

impl AlarmSpec {
    /// One minute's average beyond `threshold`.
    #[must_use]
    pub fn on(metric: impl Into<Source>, comparison: Comparison, threshold: f64) -> Self {
        Self {
            metric: metric.into(),
            statistic: Statistic::default(),
            period_seconds: a_minute(),
            comparison,
            threshold,
            evaluation_periods: once(),
            datapoints_to_alarm: None,
            missing_data: MissingData::default(),
        }
    }
}

/// A scaling policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "a fleet has a handful of policies, and a box would show in the public type"
)]
pub enum PolicySpec {
    /// Step scaling.
    Step {
        /// Its name.
        name: String,
        /// How the adjustments are meant.
        adjustment_type: AdjustmentType,
        /// Least change of a percentage, in instances.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum_adjustment_magnitude: Option<u32>,
        /// The alarm that invokes it.
        alarm: AlarmSpec,
        /// The intervals.
        steps: Vec<StepAdjustment>,
    },
    /// Simple scaling.
    Simple {
        /// Its name.
        name: String,
        /// How the adjustment is meant.
        adjustment_type: AdjustmentType,
        /// The adjustment.
        adjustment: i32,
        /// Least change of a percentage, in instances.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum_adjustment_magnitude: Option<u32>,
        /// How long it keeps quiet after a scaling activity.
        #[serde(default = "default_warmup")]
        cooldown_seconds: f64,
        /// The alarm that invokes it.
        alarm: AlarmSpec,
    },
    /// Target tracking; its two alarms follow from the target.
    TargetTracking {
        /// Its name.
        name: String,
        /// What it tracks: a metric that falls when capacity rises.
        metric: Source,
        /// How the minutes of a period become one point.
        #[serde(default)]
        statistic: Statistic,
        /// The value that the metric should have.
        target: f64,
        /// Whether it leaves scale-in to others.
        #[serde(default)]
        disable_scale_in: bool,
        /// Its two alarms as they are, instead of those that the service is seen to create.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alarms: Option<TrackingAlarmsSpec>,
        /// Scale-in keeps so many instances even on a metric of 0. AWS has no such rule: see
        /// [`TargetTrackingPolicy::floor`](crate::policy::TargetTrackingPolicy::floor).
        #[serde(default, skip_serializing_if = "is_zero")]
        floor: u32,
    },
}

/// The alarms of a tracking policy as they are. A side without an alarm gives no answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TrackingAlarmsSpec {
    /// Invokes it to scale out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<AlarmSpec>,
    /// Invokes it to scale in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<AlarmSpec>,
}

impl PolicySpec {
    /// The policy's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Step { name, .. } | Self::Simple { name, .. } | Self::TargetTracking { name, .. } => name,
        }
    }
}

fn default_warmup() -> f64 {
    300.0
}

pub(super) fn one_zone() -> Vec<String> {
    vec!["a".to_owned()]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(floor: &u32) -> bool {
    *floor == 0
}

fn one() -> f64 {
    1.0
}

fn once() -> i64 {
    1
}

fn a_minute() -> f64 {
    60.0
}

fn breaching() -> MissingData {
    MissingData::Breaching
}
