//! What AWS says of a live fleet's scaling, in the terms of the scaling library.
//!
//! What the library does not model is left out and said so; what AWS does not know (prices, how long
//! jobs take, how long an instance needs until its first job) is assumed and said so.

use std::collections::BTreeMap;
use std::time::Duration;

use fleet_scaling::config::{
    ColdStart, FleetConfig, FleetSpec, InstanceTypeSpec, JobsSpec, OnDemandSpec, PolicySpec, PoolState,
    ScaleToZeroSpec, ScheduledActionSpec, ServiceTime, SpotSpec, WarmPoolSpec, on_demand,
};
use fleet_scaling::unknown::{Direction, NotModelled, Part};
use fleet_templates::publishes;
use serde::de::DeserializeOwned;

use super::deployed::Deployed;
use super::listener::Listener;
use super::state::suspended_processes;
use super::{LeftOut, Model};
use crate::aws::autoscaling::{Group, LifecycleHook, Policy, ScheduledAction, WarmPool};
use crate::aws::cloudwatch::Alarm;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{FleetAlarm, FleetId, Layout};

/// Seconds. "If no value is specified, the default is 300" (Auto Scaling API Reference, DefaultCooldown).
const DEFAULT_COOLDOWN: i32 = 300;

/// How the assumption begins that instances cost what the price list says.
const AT_LIST_PRICE: &str = "an hour costs the On-Demand list price";

/// What AWS says of one fleet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) group: Group,
    pub(crate) policies: Vec<Policy>,
    pub(crate) schedule: Vec<ScheduledAction>,
    pub(crate) hooks: Vec<LifecycleHook>,
    /// The alarms of the policies and of scale to zero, by name.
    pub(crate) alarms: BTreeMap<String, Alarm>,
    /// `JobProcessingP50` of the last day, in seconds.
    pub(crate) median_job_seconds: Option<f64>,
    pub(crate) deployed: Deployed,
    pub(crate) zero_listener: Listener,
}

impl Facts {
    /// How long an instance may count as warming up: the group's warm-up, or the longest one that a policy has of its own.
    pub(crate) fn longest_warmup(&self, config: &FleetConfig) -> Duration {
        let own = self.policies.iter().filter(|policy| policy.enabled);
        let own = own.filter_map(|policy| u64::try_from(policy.warmup_seconds?).ok());
        own.map(Duration::from_secs).fold(config.warmup(), Duration::max)
    }
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
        schedule: Vec::new(),
    };
    reader.features();
    reader.schedule();
    reader.hooks();
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
    schedule: Vec<ScheduledActionSpec>,
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
        self.assumptions.push(if protected > 0 {
            format!("workers protect themselves from scale-in while they hold a job: {protected} are protected now")
        } else {
            "no instance is protected from scale-in now: workers are taken not to protect themselves while they \
             hold a job"
                .to_owned()
        });
        self.assume_quiet();
        let deploy_desired = self.deploy_desired();
        let warm_pool = self.warm_pool();
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
            publishes: publishes(),
            policies,
            on_demand: if group.spot {
                OnDemandSpec {
                    base: i64::from(group.features.on_demand_base),
                    percent_above_base: i64::from(group.features.on_demand_percent),
                }
            } else {
                OnDemandSpec::default()
            },
            schedule: std::mem::take(&mut self.schedule),
            lifecycle_hooks: Vec::new(),
            warm_pool,
            not_modelled: self
                .left_out
                .iter()
                .filter_map(|left_out| {
                    let (part, direction) = left_out.part?;
                    Some(NotModelled {
                        part,
                        what: left_out.what.clone(),
                        direction,
                        bounds: left_out.bounds,
                    })
                })
                .collect(),
        }
    }

    /// That nothing else happens to the group.
    fn assume_quiet(&mut self) {
        let group = &self.facts.group;
        let suspended = suspended_processes(group);
        if !suspended.is_empty() {
            self.assumptions.push(format!(
                "no process of the group is suspended ({} now)",
                suspended.join(", ")
            ));
        }
        if group.spot {
            self.assumptions
                .push("Spot Instances are never interrupted: nobody publishes how often they are".to_owned());
        }
    }

    /// The desired capacity that a deploy of the stack writes.
    fn deploy_desired(&mut self) -> Option<i64> {
        let group = &self.facts.group;
        match &self.facts.deployed {
            Deployed::NotRead => None,
            // A maximum that was lowered since: the deploy would bring its own maximum along.
            Deployed::States(desired) => desired.filter(|desired| *desired <= i64::from(group.max)),
            Deployed::Unknown(why) => {
                self.assumptions.push(format!(
                    "a deploy of the stack leaves the desired capacity alone (its template: {why})"
                ));
                None
            }
        }
    }

    /// What the group has that is not modelled.
    fn features(&mut self) {
        let group = &self.facts.group;
        let features = group.features.clone();
        let parts = [
            (
                features
                    .warm_pool
                    .as_ref()
                    .is_some_and(|pool| !is_modelled(group, pool)),
                Part::WarmPool,
                if group.spot {
                    "the group has a warm pool beside Spot Instances".to_owned()
                } else {
                    "the group has a warm pool that is being deleted".to_owned()
                },
            ),
            (
                features.weights,
                Part::Weights,
                "the instance types of the group have weights".to_owned(),
            ),
        ];
        for (there, part, what) in parts {
            if there {
                self.leave_out(LeftOut::not_modelled(part, Direction::Both, what));
            }
        }
    }

    /// AWS does not publish how long the start of a prepared instance takes.
    fn warm_pool(&mut self) -> Option<WarmPoolSpec> {
        let group = &self.facts.group;
        let pool = group.features.warm_pool.as_ref()?;
        if !is_modelled(group, pool) {
            return None;
        }
        let spec = WarmPoolSpec {
            min: i64::from(pool.min),
            max_prepared: pool.max_prepared.map(i64::from),
            state: named(&pool.state.to_lowercase())?,
            reuse_on_scale_in: pool.reuse_on_scale_in,
            start_seconds: None,
        };
        self.assumptions.push(if spec.runs() {
            "an instance of the warm pool is in service at once when it is asked for".to_owned()
        } else {
            format!(
                "an instance of the warm pool is in service {:.0} s after it was asked for",
                ColdStart::default().request_seconds
            )
        });
        Some(spec)
    }

    fn instance_type(&self, name: &str) -> InstanceTypeSpec {
        InstanceTypeSpec {
            name: name.to_owned(),
            // A type without a known price is free, and said to be.
            hourly_price: on_demand(name).is_none().then_some(0.0),
            speed: 1.0,
            // AWS does not publish how often a pool is interrupted: never.
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
                "{AT_LIST_PRICE} in dollars ({}); Spot is cheaper",
                known.join(", ")
            ));
        }
        for name in types.iter().filter(|name| on_demand(name).is_none()) {
            self.assumptions.push(format!(
                "the price of {name} is not known: its hours count as free"
            ));
        }
    }

    fn leave_out(&mut self, left_out: LeftOut) {
        self.left_out.push(left_out);
    }
}

/// Whether the library knows what the warm pool does.
fn is_modelled(group: &Group, pool: &WarmPool) -> bool {
    !group.spot && !pool.deleting && named::<PoolState>(&pool.state.to_lowercase()).is_some()
}

/// A value of the library by its name in the API.
fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

mod alarms;
mod policies;
mod priced;
mod schedule;
mod zero;

#[cfg(test)]
mod tests;
