//! The checks that turn a written-down fleet into one that can be decided on and simulated.

use std::collections::BTreeSet;

use super::error::{ConfigError, Problem};
use super::prices::on_demand;
use super::schedule::{LifecycleHookSpec, ScheduledActionSpec};
use super::spec::{
    AlarmSpec, FleetSpec, InstanceTypeSpec, JobsSpec, PolicySpec, ScaleToZeroSpec, ServiceTime, SpotSpec,
};
use super::warm_pool;
use crate::metrics::{Published, Signal};
use crate::policy::{Limits, StepPolicy};

/// Instances in one group. The quota of AWS is a matter of the account; this bounds memory.
const MOST_INSTANCES: f64 = 100_000.0;

/// A hundred years in seconds: longer than any duration here can sensibly be.
const MOST_SECONDS: f64 = 3.2e9;

/// CloudWatch API Reference, `PutMetricAlarm`, `Period`: periods times their length are seven days at most,
/// and one day at most when a period is shorter than an hour.
const WEEK: f64 = 604_800.0;
const DAY: f64 = 86_400.0;
const HOUR: f64 = 3600.0;

/// N of N one-minute points.
const MOST_MINUTES: f64 = DAY / 60.0;

type Checked<T> = Result<T, ConfigError>;

/// What the checks come to.
pub(super) struct Summary {
    pub(super) limits: Limits,
    pub(super) prices: Vec<f64>,
}

pub(super) fn check(spec: &FleetSpec) -> Checked<Summary> {
    let min = size("min", spec.min, 0.0, MOST_INSTANCES)?;
    let max = size("max", spec.max, 0.0, MOST_INSTANCES)?;
    if spec.min > spec.max {
        let (min, max) = (spec.min, spec.max);
        return Err(ConfigError::new("min", Problem::MinAboveMax { min, max }));
    }
    seconds("warmup_seconds", spec.warmup_seconds)?;
    if let Some(desired) = spec.deploy_desired {
        size("deploy_desired", desired, 0.0, f64::from(max))?;
    }
    size("on_demand.base", spec.on_demand.base, 0.0, MOST_INSTANCES)?;
    size(
        "on_demand.percent_above_base",
        spec.on_demand.percent_above_base,
        0.0,
        100.0,
    )?;
    names("zones", &spec.zones)?;
    let cold = &spec.cold_start;
    seconds("cold_start.request_seconds", cold.request_seconds)?;
    seconds("cold_start.boot_seconds", cold.boot_seconds)?;
    seconds("cold_start.register_seconds", cold.register_seconds)?;
    at_most(
        "cold_start.spread",
        not_negative("cold_start.spread", cold.spread)?,
        1.0,
    )?;
    publishes(&spec.publishes)?;
    if let Some(zero) = &spec.scale_to_zero {
        scale_to_zero(zero)?;
        if !spec.publishes.iter().any(|own| own.signal == Signal::Depth) {
            return Err(ConfigError::new("scale_to_zero", Problem::NoDepth));
        }
    }
    jobs(&spec.jobs)?;
    let type_names: Vec<String> = spec.instance_types.iter().map(|kind| kind.name.clone()).collect();
    names("instance_types", &type_names)?;
    let prices = spec
        .instance_types
        .iter()
        .enumerate()
        .map(|(at, kind)| instance_type(&format!("instance_types[{at}]"), kind, &spec.zones))
        .collect::<Checked<_>>()?;
    let policy_names: Vec<String> = spec
        .policies
        .iter()
        .map(|policy| policy.name().to_owned())
        .collect();
    if !policy_names.is_empty() {
        names("policies", &policy_names)?;
    }
    for (at, policy) in spec.policies.iter().enumerate() {
        check_policy(&format!("policies[{at}]"), policy)?;
    }
    schedule(&spec.schedule)?;
    lifecycle_hooks(&spec.lifecycle_hooks)?;
    if let Some(pool) = &spec.warm_pool {
        size("warm_pool.min", pool.min, 0.0, MOST_INSTANCES)?;
        if let Some(prepared) = pool.max_prepared {
            size("warm_pool.max_prepared", prepared, 0.0, MOST_INSTANCES)?;
        }
        if let Some(start) = pool.start_seconds {
            seconds("warm_pool.start_seconds", start)?;
        }
        warm_pool::spot(spec)?;
    }
    Ok(Summary {
        limits: Limits { min, max },
        prices,
    })
}

fn schedule(schedule: &[ScheduledActionSpec]) -> Checked<()> {
    let action_names: Vec<String> = schedule.iter().map(|action| action.name.clone()).collect();
    if !action_names.is_empty() {
        names("schedule", &action_names)?;
    }
    for (at, action) in schedule.iter().enumerate() {
        let path = format!("schedule[{at}]");
        action
            .minutes()
            .map_err(|problem| ConfigError::new(format!("{path}.recurrence"), problem))?;
        let sizes = [
            ("min", action.min),
            ("max", action.max),
            ("desired", action.desired),
        ];
        if sizes.iter().all(|(_, value)| value.is_none()) {
            return Err(ConfigError::new(path, Problem::NoSize));
        }
        for (field, value) in sizes {
            if let Some(value) = value {
                size(&format!("{path}.{field}"), value, 0.0, MOST_INSTANCES)?;
            }
        }
        if let (Some(min), Some(max)) = (action.min, action.max)
            && min > max
        {
            return Err(ConfigError::new(
                format!("{path}.min"),
                Problem::MinAboveMax { min, max },
            ));
        }
    }
    Ok(())
}

fn lifecycle_hooks(hooks: &[LifecycleHookSpec]) -> Checked<()> {
    for (at, hook) in hooks.iter().enumerate() {
        let path = format!("lifecycle_hooks[{at}].action_seconds");
        let (value, timeout) = (hook.action_seconds, hook.heartbeat_timeout_seconds);
        seconds(&path, value)?;
        positive_seconds(
            &format!("lifecycle_hooks[{at}].heartbeat_timeout_seconds"),
            timeout,
        )?;
        if value > timeout {
            return Err(ConfigError::new(
                path,
                Problem::LongerThanTimeout { value, timeout },
            ));
        }
    }
    Ok(())
}

/// A metric has one meaning.
fn publishes(publishes: &[Published]) -> Checked<()> {
    for (at, own) in publishes.iter().enumerate() {
        let field = format!("publishes[{at}].metric");
        if own.metric.name.is_empty() {
            return Err(ConfigError::new(field, Problem::Empty));
        }
        if publishes[..at].iter().any(|other| other.metric == own.metric) {
            let name = own.metric.name.clone();
            return Err(ConfigError::new(field, Problem::Repeated { name }));
        }
    }
    Ok(())
}

fn scale_to_zero(zero: &ScaleToZeroSpec) -> Checked<()> {
    size("scale_to_zero.minutes", zero.minutes, 1.0, MOST_MINUTES).map(drop)
}

fn jobs(jobs: &JobsSpec) -> Checked<()> {
    size("jobs.concurrency", jobs.concurrency, 1.0, 1000.0)?;
    size("jobs.max_attempts", jobs.max_attempts, 1.0, 255.0)?;
    size("jobs.queue_limit", jobs.queue_limit, 1.0, 1e9)?;
    seconds("jobs.lease_seconds", jobs.lease_seconds)?;
    match &jobs.service {
        ServiceTime::Fixed { seconds } => positive_seconds("jobs.service.seconds", *seconds),
        ServiceTime::Exponential { mean_seconds } => {
            positive_seconds("jobs.service.mean_seconds", *mean_seconds)
        }
        ServiceTime::LogNormal {
            median_seconds,
            sigma,
        } => {
            positive_seconds("jobs.service.median_seconds", *median_seconds)?;
            at_most(
                "jobs.service.sigma",
                not_negative("jobs.service.sigma", *sigma)?,
                5.0,
            )
        }
        ServiceTime::Empirical { seconds } => {
            if seconds.is_empty() {
                return Err(ConfigError::new("jobs.service.seconds", Problem::Empty));
            }
            seconds
                .iter()
                .enumerate()
                .try_for_each(|(at, value)| positive_seconds(&format!("jobs.service.seconds[{at}]"), *value))
        }
    }
}

/// The type's price in dollars per hour.
fn instance_type(path: &str, kind: &InstanceTypeSpec, zones: &[String]) -> Checked<f64> {
    positive(&format!("{path}.speed"), kind.speed)?;
    if let Some(spot) = &kind.spot {
        check_spot(&format!("{path}.spot"), spot, zones)?;
    }
    match kind.hourly_price {
        Some(price) => not_negative(&format!("{path}.hourly_price"), price),
        None => on_demand(&kind.name).ok_or_else(|| {
            let name = kind.name.clone();
            ConfigError::new(format!("{path}.name"), Problem::UnknownInstanceType { name })
        }),
    }
}

fn check_spot(path: &str, spot: &SpotSpec, zones: &[String]) -> Checked<()> {
    not_negative(
        &format!("{path}.interruptions_per_hour"),
        spot.interruptions_per_hour,
    )?;
    seconds(
        &format!("{path}.rebalance_lead_seconds"),
        spot.rebalance_lead_seconds,
    )?;
    for (at, shortage) in spot.shortages.iter().enumerate() {
        let path = format!("{path}.shortages[{at}]");
        positive_seconds(&format!("{path}.hours_between"), shortage.hours_between)?;
        positive_seconds(&format!("{path}.minutes"), shortage.minutes)?;
        if let Some(zone) = &shortage.zone
            && !zones.contains(zone)
        {
            let name = zone.clone();
            return Err(ConfigError::new(
                format!("{path}.zone"),
                Problem::UnknownZone { name },
            ));
        }
    }
    Ok(())
}

fn check_policy(path: &str, policy: &PolicySpec) -> Checked<()> {
    match policy {
        PolicySpec::Step {
            adjustment_type,
            minimum_adjustment_magnitude,
            alarm,
            steps,
            ..
        } => {
            check_alarm(&format!("{path}.alarm"), alarm)?;
            for (at, step) in steps.iter().enumerate() {
                for (side, bound) in [("lower", step.lower), ("upper", step.upper)] {
                    if bound.is_some_and(|bound| !bound.is_finite()) {
                        let field = format!("{path}.steps[{at}].{side}");
                        return Err(ConfigError::new(field, Problem::NotFinite));
                    }
                }
            }
            StepPolicy {
                adjustment_type: *adjustment_type,
                steps: steps.clone(),
                minimum_adjustment_magnitude: *minimum_adjustment_magnitude,
            }
            .validate()
            .map_err(|invalid| ConfigError::new(format!("{path}.steps"), invalid.into()))
        }
        PolicySpec::Simple {
            cooldown_seconds,
            alarm,
            ..
        } => {
            check_alarm(&format!("{path}.alarm"), alarm)?;
            seconds(&format!("{path}.cooldown_seconds"), *cooldown_seconds).map(drop)
        }
        PolicySpec::TargetTracking { target, alarms, .. } => {
            positive(&format!("{path}.target"), *target)?;
            if let Some(alarms) = alarms {
                for (side, alarm) in [("high", &alarms.high), ("low", &alarms.low)] {
                    if let Some(alarm) = alarm {
                        check_alarm(&format!("{path}.alarms.{side}"), alarm)?;
                    }
                }
            }
            Ok(())
        }
    }
}

fn check_alarm(path: &str, alarm: &AlarmSpec) -> Checked<()> {
    finite(&format!("{path}.threshold"), alarm.threshold)?;
    let field = format!("{path}.period_seconds");
    positive(&field, alarm.period_seconds)?;
    let value = alarm.period_seconds;
    // The high-resolution periods of `PutMetricAlarm`: evaluated every ten seconds, on points that no fleet
    // here publishes.
    if [10.0, 20.0, 30.0].contains(&value) {
        return Err(ConfigError::new(field, Problem::HighResolution { value }));
    }
    if (value / 60.0).fract() != 0.0 {
        return Err(ConfigError::new(field, Problem::NotWholeMinutes { value }));
    }
    let longest = if value < HOUR { DAY } else { WEEK };
    at_most(&field, value, WEEK)?;
    let most = (longest / value).floor();
    let periods = size(
        &format!("{path}.evaluation_periods"),
        alarm.evaluation_periods,
        1.0,
        most,
    )?;
    if let Some(datapoints) = alarm.datapoints_to_alarm {
        let field = format!("{path}.datapoints_to_alarm");
        size(&field, datapoints, 1.0, f64::from(periods))?;
    }
    Ok(())
}

fn names(field: &str, names: &[String]) -> Checked<()> {
    if names.is_empty() {
        return Err(ConfigError::new(field, Problem::Empty));
    }
    let mut seen = BTreeSet::new();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(ConfigError::new(format!("{field}[{at}]"), Problem::Empty));
        }
        if !seen.insert(name) {
            let name = name.clone();
            return Err(ConfigError::new(
                format!("{field}[{at}]"),
                Problem::Repeated { name },
            ));
        }
    }
    Ok(())
}

fn size(field: &str, value: i64, least: f64, most: f64) -> Checked<u32> {
    let number = value as f64;
    if least > 0.0 {
        positive(field, number)?;
    } else {
        not_negative(field, number)?;
    }
    at_most(field, number, most)?;
    Ok(number as u32)
}

fn finite(field: &str, value: f64) -> Checked<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(ConfigError::new(field, Problem::NotFinite))
    }
}

fn not_negative(field: &str, value: f64) -> Checked<f64> {
    if finite(field, value)? < 0.0 {
        return Err(ConfigError::new(field, Problem::Negative { value }));
    }
    Ok(value)
}

fn positive(field: &str, value: f64) -> Checked<()> {
    if finite(field, value)? <= 0.0 {
        return Err(ConfigError::new(field, Problem::NotPositive { value }));
    }
    Ok(())
}

fn at_most(field: &str, value: f64, most: f64) -> Checked<()> {
    if value > most {
        return Err(ConfigError::new(field, Problem::TooLarge { value, most }));
    }
    Ok(())
}

fn seconds(field: &str, value: f64) -> Checked<()> {
    at_most(field, not_negative(field, value)?, MOST_SECONDS)
}

fn positive_seconds(field: &str, value: f64) -> Checked<()> {
    positive(field, value)?;
    at_most(field, value, MOST_SECONDS)
}
