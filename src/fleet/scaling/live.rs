//! What AWS says of a live fleet's scaling, in the terms of the scaling library.
//!
//! What the library does not model is left out and said so; what AWS does not know (prices, how long
//! jobs take, how long an instance needs until its first job) is assumed and said so.

use std::collections::BTreeMap;

use fleet_scaling::alarm::{Comparison, MissingData};
use fleet_scaling::config::{
    AlarmSpec, ColdStart, FleetConfig, FleetSpec, InstanceTypeSpec, JobsSpec, PolicySpec, ScaleToZeroSpec,
    ServiceTime, SpotSpec, on_demand,
};
use fleet_scaling::metrics::{Metric, Statistic};
use fleet_scaling::policy::{AdjustmentType, StepAdjustment};
use serde::de::DeserializeOwned;

use super::deployed::Deployed;
use super::listener::Listener;
use super::state::suspended_processes;
use super::{LeftOut, Model};
use crate::aws::autoscaling::{Group, Policy, PolicyKind, TrackedMetric};
use crate::aws::cloudwatch::Alarm;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{FLEET_NAMESPACE, FleetAlarm, FleetId, Layout};

/// Seconds. "If no value is specified, the default is 300" (Auto Scaling API Reference, DefaultCooldown).
const DEFAULT_COOLDOWN: i32 = 300;

/// What AWS says of one fleet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) group: Group,
    pub(crate) policies: Vec<Policy>,
    /// The alarms of the policies and of scale to zero, by name.
    pub(crate) alarms: BTreeMap<String, Alarm>,
    /// `JobProcessingP50` of the last day, in seconds.
    pub(crate) median_job_seconds: Option<f64>,
    pub(crate) deployed: Deployed,
    pub(crate) zero_listener: Listener,
}

/// The names of all alarms that decide on a fleet's capacity.
pub(super) fn alarm_names(layout: &Layout, fleet: &FleetId, policies: &[Policy]) -> Vec<String> {
    policies
        .iter()
        .flat_map(|policy| policy.alarms.iter().cloned())
        .chain([layout.fleet_alarm(FleetAlarm::QueueEmpty, fleet)])
        .collect()
}

/// The fleet as a model.
///
/// # Errors
/// The facts make no valid configuration, e.g. a group without instance types.
pub(crate) fn model(layout: &Layout, fleet: &FleetId, facts: &Facts) -> Result<Model> {
    let mut reader = Reader {
        facts,
        dimensions: layout
            .metric_dimensions(fleet)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        alarm_names: Vec::new(),
        assumptions: Vec::new(),
        left_out: Vec::new(),
    };
    let policies = facts
        .policies
        .iter()
        .flat_map(|policy| reader.policy(policy))
        .collect();
    let scale_to_zero = reader.scale_to_zero(&layout.fleet_alarm(FleetAlarm::QueueEmpty, fleet));
    let spec = reader.spec(policies, scale_to_zero);
    let mut config = FleetConfig::new(spec).map_err(|error| {
        CtlError::new(
            ErrorKind::Unexpected,
            format!("make sense of the scaling of fleet `{fleet}`"),
        )
        .source(&error)
    })?;
    for (position, name) in reader.alarm_names.into_iter().enumerate() {
        config.name_alarm(position, name);
    }
    Ok(Model {
        name: fleet.to_string(),
        config,
        assumptions: reader.assumptions,
        left_out: reader.left_out,
    })
}

struct Reader<'a> {
    facts: &'a Facts,
    dimensions: Vec<(String, String)>,
    /// In the order in which the library derives its alarms.
    alarm_names: Vec<String>,
    assumptions: Vec<String>,
    left_out: Vec<LeftOut>,
}

impl Reader<'_> {
    fn spec(&mut self, policies: Vec<PolicySpec>, scale_to_zero: Option<ScaleToZeroSpec>) -> FleetSpec {
        let group = &self.facts.group;
        let types = self.instance_types();
        self.assume_prices(&types);
        let instance_types = types.iter().map(|name| self.instance_type(name)).collect();
        // "The default is to use the value from the default cooldown period for the Auto Scaling group"
        // (API Reference, PutScalingPolicy, EstimatedInstanceWarmup).
        let cooldown = f64::from(group.default_cooldown_seconds.unwrap_or(DEFAULT_COOLDOWN));
        let warmup_seconds = group.default_warmup_seconds.map_or(cooldown, f64::from);
        let cold_start = ColdStart::default();
        self.assumptions.push(format!(
            "an instance takes its first job about {:.0} minutes after it was asked for",
            (cold_start.request_seconds + cold_start.boot_seconds + cold_start.register_seconds) / 60.0
        ));
        let service = match self.facts.median_job_seconds {
            Some(median) => {
                self.assumptions.push(format!(
                    "jobs take exponentially distributed times with the median of the last day, {median:.0} s"
                ));
                ServiceTime::Exponential {
                    mean_seconds: median / std::f64::consts::LN_2,
                }
            }
            None => {
                self.assumptions.push(
                    "JobProcessingP50 tells of no job in the last day: jobs are taken to last a minute in the mean"
                        .to_owned(),
                );
                JobsSpec::default().service
            }
        };
        let protected = group.instances.iter().filter(|instance| instance.protected);
        let protected = protected.count();
        if protected > 0 {
            self.assumptions.push(format!(
                "workers protect themselves from scale-in while they hold a job: {protected} do now"
            ));
        }
        if protected == 0 {
            self.assumptions.push(
                "no instance is protected from scale-in now: workers are taken not to protect themselves while they \
                 hold a job"
                    .to_owned(),
            );
        }
        let suspended = suspended_processes(group);
        if !suspended.is_empty() {
            self.assumptions.push(format!(
                "no process of the group is suspended ({} now)",
                suspended.join(", ")
            ));
        }
        self.assumptions
            .push("no scheduled action changes the group: they are not read".to_owned());
        let deploy_desired = match &self.facts.deployed {
            Deployed::NotRead => None,
            // A maximum that was lowered since: the deploy would bring its own maximum along.
            Deployed::States(desired) => desired.filter(|desired| *desired <= i64::from(group.max)),
            Deployed::Unknown(why) => {
                self.assumptions.push(format!(
                    "a deploy of the stack leaves the desired capacity alone (its template: {why})"
                ));
                None
            }
        };
        FleetSpec {
            min: i64::from(group.min),
            max: i64::from(group.max),
            warmup_seconds,
            capacity_rebalance: group.capacity_rebalance,
            deploy_desired,
            zones: if group.zones.is_empty() {
                vec!["a".to_owned()]
            } else {
                group.zones.clone()
            },
            cold_start,
            scale_to_zero,
            jobs: JobsSpec {
                service,
                // As the platform's publisher counts: `QueueDepth` is queued and leased jobs.
                depth_counts_running: true,
                protect_busy: protected > 0,
                ..JobsSpec::default()
            },
            instance_types,
            policies,
        }
    }

    fn instance_type(&self, name: &str) -> InstanceTypeSpec {
        InstanceTypeSpec {
            name: name.to_owned(),
            // A type without a known price is free, and said to be.
            hourly_price: on_demand(name).is_none().then_some(0.0),
            speed: 1.0,
            // Nobody publishes how often a pool is interrupted: never.
            spot: self.facts.group.spot.then(SpotSpec::default),
        }
    }

    /// Those of the mixed instances policy. Without one the launch template names the type: then those
    /// that run say which.
    fn instance_types(&mut self) -> Vec<String> {
        let group = &self.facts.group;
        if !group.instance_types.is_empty() {
            return group.instance_types.clone();
        }
        let mut running: Vec<String> = group
            .instances
            .iter()
            .filter_map(|instance| instance.instance_type.clone())
            .collect();
        running.sort();
        running.dedup();
        if running.is_empty() {
            running.push("unknown".to_owned());
            self.assumptions.push(
                "the instance type is in the launch template, and no instance runs that would tell it"
                    .to_owned(),
            );
        }
        running
    }

    fn assume_prices(&mut self, types: &[String]) {
        let known: Vec<String> = types
            .iter()
            .filter_map(|name| Some(format!("{name} {}", on_demand(name)?)))
            .collect();
        if !known.is_empty() {
            self.assumptions.push(format!(
                "an hour costs the On-Demand list price in dollars ({}); Spot is cheaper",
                known.join(", ")
            ));
        }
        for name in types.iter().filter(|name| on_demand(name).is_none()) {
            self.assumptions.push(format!(
                "the price of {name} is not known: its hours count as free"
            ));
        }
    }

    fn leave_out(&mut self, broken: bool, what: String) {
        self.left_out.push(LeftOut { broken, what });
    }

    /// A policy for each of its alarms that can be understood.
    fn policy(&mut self, policy: &Policy) -> Vec<PolicySpec> {
        let name = &policy.name;
        if !policy.enabled {
            self.leave_out(true, format!("policy `{name}` is disabled"));
            return Vec::new();
        }
        if let PolicyKind::TargetTracking {
            target,
            disable_scale_in,
            metric,
        } = &policy.kind
        {
            return self
                .tracking(policy, *target, *disable_scale_in, metric.as_ref())
                .into_iter()
                .collect();
        }
        if policy.alarms.is_empty() {
            self.leave_out(true, format!("policy `{name}` has no alarm: nothing invokes it"));
        }
        let several = policy.alarms.len() > 1;
        policy
            .alarms
            .iter()
            .filter_map(|alarm_name| {
                let alarm = self.alarm(name, alarm_name)?;
                let shown = if several {
                    format!("{name} by {alarm_name}")
                } else {
                    name.clone()
                };
                let spec = self.adjusting(policy, shown, alarm)?;
                self.alarm_names.push(alarm_name.clone());
                Some(spec)
            })
            .collect()
    }

    fn adjusting(&mut self, policy: &Policy, name: String, alarm: AlarmSpec) -> Option<PolicySpec> {
        let magnitude = |value: &Option<i32>| value.and_then(|value| u32::try_from(value).ok());
        let understood = match &policy.kind {
            PolicyKind::Step {
                adjustment_type,
                minimum_adjustment_magnitude,
                steps,
            } => named::<AdjustmentType>(adjustment_type).map(|adjustment_type| PolicySpec::Step {
                name,
                adjustment_type,
                minimum_adjustment_magnitude: magnitude(minimum_adjustment_magnitude),
                alarm,
                steps: steps
                    .iter()
                    .map(|step| StepAdjustment {
                        lower: step.lower,
                        upper: step.upper,
                        adjustment: step.adjustment,
                    })
                    .collect(),
            }),
            PolicyKind::Simple {
                adjustment_type,
                adjustment,
                minimum_adjustment_magnitude,
                cooldown,
            } => {
                let cooldown = cooldown
                    .or(self.facts.group.default_cooldown_seconds)
                    .unwrap_or(DEFAULT_COOLDOWN);
                named::<AdjustmentType>(adjustment_type).map(|adjustment_type| PolicySpec::Simple {
                    name,
                    adjustment_type,
                    adjustment: *adjustment,
                    minimum_adjustment_magnitude: magnitude(minimum_adjustment_magnitude),
                    cooldown_seconds: f64::from(cooldown),
                    alarm,
                })
            }
            PolicyKind::TargetTracking { .. } | PolicyKind::Other(_) => None,
        };
        if understood.is_none() {
            self.leave_out(
                false,
                format!(
                    "policy `{}` is of a kind that is not modelled ({})",
                    policy.name,
                    kind_name(&policy.kind)
                ),
            );
        }
        understood
    }

    fn tracking(
        &mut self,
        policy: &Policy,
        target: f64,
        disable_scale_in: bool,
        metric: Option<&TrackedMetric>,
    ) -> Option<PolicySpec> {
        let name = &policy.name;
        let Some(tracked) = metric else {
            self.leave_out(
                false,
                format!("policy `{name}` tracks a predefined metric or metric math, which is not modelled"),
            );
            return None;
        };
        let metric = self.metric(&tracked.namespace, &tracked.name, &tracked.dimensions);
        let metric = match metric {
            Ok(metric) => metric,
            Err(why) => {
                self.leave_out(why.broken, format!("policy `{name}` tracks {}", why.what));
                return None;
            }
        };
        let statistic = tracked.statistic.as_deref().unwrap_or("Average");
        let Some(statistic) = named::<Statistic>(statistic) else {
            self.leave_out(
                false,
                format!("policy `{name}` tracks the statistic {statistic}, which is not modelled"),
            );
            return None;
        };
        // Auto Scaling makes two alarms for the policy; only their names and states are of interest.
        let find = |high: bool| {
            policy
                .alarms
                .iter()
                .filter_map(|name| self.facts.alarms.get(name))
                .find(|alarm| {
                    let comparison = alarm.comparison.as_deref().and_then(named::<Comparison>);
                    comparison.is_some_and(|comparison| goes_up(comparison) == high)
                })
        };
        let (high, low) = (find(true), find(false));
        for (alarm, side) in [(high, "high"), (low, "low")] {
            if alarm.is_none() && !(side == "low" && disable_scale_in) {
                self.leave_out(
                    true,
                    format!("the {side} alarm of policy `{name}` does not exist: AWS cannot invoke it"),
                );
            }
        }
        let alarm_name = |alarm: Option<&Alarm>, side: &str| {
            alarm.map_or_else(|| format!("{side} alarm of {name}"), |alarm| alarm.name.clone())
        };
        let names = [alarm_name(high, "high"), alarm_name(low, "low")];
        self.alarm_names.extend(names);
        Some(PolicySpec::TargetTracking {
            name: name.clone(),
            metric,
            statistic,
            target,
            disable_scale_in,
            floor: 0,
        })
    }

    /// The alarm of a step or simple scaling policy.
    fn alarm(&mut self, policy: &str, name: &str) -> Option<AlarmSpec> {
        let Some(alarm) = self.facts.alarms.get(name) else {
            self.leave_out(
                true,
                format!("policy `{policy}`: its alarm `{name}` does not exist, so nothing invokes it"),
            );
            return None;
        };
        match self.alarm_spec(alarm) {
            Ok(spec) => Some(spec),
            Err(why) => {
                self.leave_out(
                    why.broken,
                    format!("policy `{policy}`: its alarm `{name}` {}", why.what),
                );
                None
            }
        }
    }

    /// The error completes "the alarm …".
    fn alarm_spec(&self, alarm: &Alarm) -> Result<AlarmSpec, LeftOut> {
        if !alarm.actions_enabled {
            return Err(broken("has its actions switched off"));
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let metric = self
            .metric(&text(&alarm.namespace), &text(&alarm.metric), &alarm.dimensions)
            .map_err(|why| LeftOut {
                what: format!("watches {}", why.what),
                ..why
            })?;
        let unknown = |what: &str, value: &str| {
            not_modelled(format!("has the {what} `{value}`, which is not modelled"))
        };
        let statistic = text(&alarm.statistic);
        let comparison = text(&alarm.comparison);
        let period = alarm.period_seconds.unwrap_or(60);
        if period % 60 != 0 {
            return Err(unknown("period", &format!("{period} s")));
        }
        Ok(AlarmSpec {
            metric,
            statistic: named(&statistic).ok_or_else(|| unknown("statistic", &statistic))?,
            period_seconds: f64::from(period),
            comparison: named(&comparison).ok_or_else(|| unknown("comparison", &comparison))?,
            threshold: alarm
                .threshold
                .ok_or_else(|| not_modelled("has no fixed threshold"))?,
            evaluation_periods: i64::from(alarm.evaluation_periods.unwrap_or(1)),
            datapoints_to_alarm: alarm.datapoints_to_alarm.map(i64::from),
            missing_data: missing_data(alarm),
        })
    }

    /// The error completes "watches …" or "tracks …".
    fn metric(
        &self,
        namespace: &str,
        name: &str,
        dimensions: &[(String, String)],
    ) -> Result<Metric, LeftOut> {
        let known = named::<Metric>(name).filter(|_| namespace == FLEET_NAMESPACE);
        let Some(metric) = known else {
            return Err(not_modelled(format!("{namespace} {name}, which is not modelled")));
        };
        let mut watched = dimensions.to_vec();
        let mut own = self.dimensions.clone();
        watched.sort();
        own.sort();
        if watched != own {
            let shown: Vec<String> = dimensions
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            return Err(broken(format!(
                "{name} of {}, which is not this fleet",
                shown.join(",")
            )));
        }
        Ok(metric)
    }
}

fn broken(what: impl Into<String>) -> LeftOut {
    LeftOut {
        broken: true,
        what: what.into(),
    }
}

fn not_modelled(what: impl Into<String>) -> LeftOut {
    LeftOut {
        broken: false,
        what: what.into(),
    }
}

fn missing_data(alarm: &Alarm) -> MissingData {
    alarm.missing_data.as_deref().and_then(named).unwrap_or_default()
}

fn goes_up(comparison: Comparison) -> bool {
    match comparison {
        Comparison::GreaterThanOrEqualToThreshold | Comparison::GreaterThanThreshold => true,
        Comparison::LessThanThreshold | Comparison::LessThanOrEqualToThreshold => false,
    }
}

fn kind_name(kind: &PolicyKind) -> &str {
    match kind {
        PolicyKind::Step { adjustment_type, .. } | PolicyKind::Simple { adjustment_type, .. } => {
            adjustment_type
        }
        PolicyKind::TargetTracking { .. } => "TargetTrackingScaling",
        PolicyKind::Other(name) => name,
    }
}

/// A value of the library by its name in the API.
fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

mod zero;

#[cfg(test)]
mod tests;
