//! The configuration of a fleet, checked once, and what follows from it: alarms and the policies they invoke.

mod check;
mod error;
#[cfg(test)]
mod fixture;
mod prices;
mod schedule;
mod spec;
mod warm_pool;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use error::{ConfigError, Problem};
pub use prices::on_demand;
pub use schedule::{LifecycleHookSpec, ScheduledActionSpec, Transition};
pub use spec::{
    AlarmSpec, ColdStart, FleetSpec, InstanceTypeSpec, JobsSpec, OnDemandSpec, PolicySpec, ScaleToZeroSpec,
    ServiceTime, ShortageSpec, SpotSpec, TrackingAlarmsSpec,
};
pub use warm_pool::{PoolState, WarmPoolSpec};

use crate::Moment;
use crate::alarm::{AlarmRule, AlarmState, Comparison, Verdict};
use crate::metrics::{Metric, Metrics, Signal, Source, Statistic};
use crate::policy::{Answer, Group, Limits, SimplePolicy, StepPolicy, TargetTrackingPolicy};
use crate::unknown::{self, NotModelled};

/// A fleet's configuration without contradictions in itself. It is written down as a [`FleetSpec`].
///
/// ```
/// use fleet_scaling::config::{FleetConfig, FleetSpec};
///
/// let mut spec: FleetSpec = toml::from_str(&std::fs::read_to_string("examples/two-steps.toml")?)?;
/// spec.min = 20;
/// let error = FleetConfig::new(spec).unwrap_err();
/// assert_eq!(error.to_string(), "`min` is 20, more than `max`, which is 10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "FleetSpec", into = "FleetSpec")]
pub struct FleetConfig {
    spec: FleetSpec,
    limits: Limits,
    warmup: Duration,
    alarms: Vec<Alarm>,
    policies: Vec<Policy>,
    prices: Vec<f64>,
    not_modelled: Vec<NotModelled>,
}

/// An alarm of the fleet and what it does in `ALARM`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// What it watches.
    pub metric: Source,
    /// How the minutes of a period become one point.
    pub statistic: Statistic,
    /// Minutes of one data point.
    pub period: usize,
    /// When it goes to `ALARM`.
    pub rule: AlarmRule,
    /// What it does then.
    pub action: Action,
}

impl Alarm {
    /// What CloudWatch makes of `metrics` when the alarm was in `before`.
    #[must_use]
    pub fn evaluate(&self, metrics: &Metrics, before: AlarmState) -> Verdict {
        self.rule.judge(self.points(metrics), before)
    }

    /// The data points that CloudWatch retrieves, the newest first.
    pub fn points<'a>(&self, metrics: &'a Metrics) -> impl Iterator<Item = Option<f64>> + use<'a> {
        let range = self.rule.evaluation_range();
        self.metric.points(metrics, self.statistic, self.period, range)
    }
}

/// What an alarm does in `ALARM`. Policies are positions in [`FleetConfig::policies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Invokes a step or simple scaling policy, every minute anew.
    Invoke(usize),
    /// Invokes a target tracking policy to scale out, every minute anew.
    ScaleOut(usize),
    /// Invokes a target tracking policy to scale in, every minute anew.
    ScaleIn(usize),
    /// Notifies the scale-to-zero function, once.
    ScaleToZero,
}

/// A scaling policy of the fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: PolicyKind,
}

/// What a policy does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PolicyKind {
    /// Step scaling.
    Step(StepPolicy),
    /// Simple scaling.
    Simple(SimplePolicy),
    /// Target tracking.
    TargetTracking(TargetTrackingPolicy),
}

impl PolicyKind {
    /// The bounds of its steps, as distances from the threshold.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = (Option<f64>, Option<f64>)> + '_ {
        let steps: &[_] = match self {
            Self::Step(step) => &step.steps,
            Self::Simple(_) | Self::TargetTracking(_) => &[],
        };
        steps.iter().map(|step| (step.lower, step.upper))
    }

    /// The capacity that it wants for a settled group when an alarm with `rule` reports a breaching `value`.
    pub(crate) fn answer_to(&self, group: &Group, value: f64, rule: &AlarmRule) -> Option<u32> {
        let answer = match self {
            Self::Step(step) => step.answer(group, value, rule.threshold, rule.comparison),
            Self::Simple(simple) => simple.answer(group, Moment(0)),
            Self::TargetTracking(tracking) if rule.comparison.looks_up() => {
                tracking.scale_out(group, Some(value))
            }
            Self::TargetTracking(tracking) => tracking.scale_in(group, Some(value)),
        };
        match answer {
            Answer::Capacity { capacity } => Some(capacity),
            Answer::Hold { .. } => None,
        }
    }
}

impl FleetConfig {
    /// Checks `spec`.
    ///
    /// # Errors
    /// The first field with a value that makes no sense.
    pub fn new(spec: FleetSpec) -> Result<Self, ConfigError> {
        let checked = check::check(&spec)?;
        let (policies, mut alarms) = derive(&spec);
        if let Some(zero) = &spec.scale_to_zero {
            let periods = usize::try_from(zero.minutes).unwrap_or_default();
            alarms.push(Alarm {
                name: "queue-empty".to_owned(),
                metric: depth_metric(&spec),
                statistic: Statistic::Maximum,
                period: 1,
                rule: AlarmRule {
                    comparison: Comparison::LessThanOrEqualToThreshold,
                    threshold: 0.0,
                    evaluation_periods: periods,
                    datapoints_to_alarm: periods,
                    missing_data: zero.missing_data,
                },
                action: Action::ScaleToZero,
            });
        }
        Ok(Self {
            limits: checked.limits,
            prices: checked.prices,
            not_modelled: [spec.not_modelled.clone(), unknown::of_alarms(&spec, &alarms)].concat(),
            warmup: Duration::from_secs_f64(spec.warmup_seconds),
            spec,
            alarms,
            policies,
        })
    }

    /// As it is written down.
    #[must_use]
    pub fn spec(&self) -> &FleetSpec {
        &self.spec
    }

    /// What nothing here models: what the spec names, and what follows from its alarms.
    #[must_use]
    pub fn not_modelled(&self) -> &[NotModelled] {
        &self.not_modelled
    }

    /// The bounds of the group.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The group's default instance warm-up.
    #[must_use]
    pub fn warmup(&self) -> Duration {
        self.warmup
    }

    /// Every alarm that scales: first those of the policies in their order, then that of scale to zero.
    #[must_use]
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// Minutes of metrics that the alarms look at, before which nothing matters.
    #[must_use]
    pub fn look_back(&self) -> usize {
        self.alarms
            .iter()
            .map(|alarm| alarm.period * alarm.rule.evaluation_range())
            .max()
            .unwrap_or(1)
    }

    /// Calls the alarm at `position` of [`Self::alarms`] by its name in CloudWatch, for the reader of
    /// sentences about it. Positions that no alarm has are ignored.
    pub fn name_alarm(&mut self, position: usize, name: String) {
        if let Some(alarm) = self.alarms.get_mut(position) {
            alarm.name = name;
        }
    }

    /// The scaling policies.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The metric that the fleet publishes `signal` as; the first of several.
    #[must_use]
    pub fn metric_of(&self, signal: Signal) -> Option<&Metric> {
        published(&self.spec, signal)
    }

    /// What `source` says of the fleet when it is one of the metrics that it publishes.
    #[must_use]
    pub fn signal_of(&self, source: &Source) -> Option<Signal> {
        let published = |metric: &Metric| self.spec.publishes.iter().find(|own| own.metric == *metric);
        match source {
            Source::Metric(metric) => published(metric).map(|own| own.signal),
            Source::Math(_) => None,
        }
    }

    /// The newest value of `signal`.
    #[must_use]
    pub fn newest(&self, metrics: &Metrics, signal: Signal) -> Option<f64> {
        metrics.newest(self.metric_of(signal)?)
    }

    /// Workers that hold a job, as far as the newest points tell: those registered less the free slots,
    /// rounded up and never below 0. Without word of free slots every worker may be busy; without a
    /// count of workers the number is unknown.
    ///
    /// A worker that runs several jobs at once can have a free slot and be busy, so with a concurrency
    /// above 1 this is too low, down to 0 while jobs run. A depth that counts running jobs is not.
    #[must_use]
    pub fn busy_workers(&self, metrics: &Metrics) -> Option<u32> {
        let workers = self.newest(metrics, Signal::Workers)?;
        let free = self.newest(metrics, Signal::FreeSlots).unwrap_or(0.0);
        // Saturates: what is below 0 becomes 0.
        Some((workers - free).ceil() as u32)
    }

    /// Dollars per hour of each of the spec's instance types.
    #[must_use]
    pub fn prices(&self) -> &[f64] {
        &self.prices
    }
}

impl TryFrom<FleetSpec> for FleetConfig {
    type Error = ConfigError;

    fn try_from(spec: FleetSpec) -> Result<Self, ConfigError> {
        Self::new(spec)
    }
}

impl From<FleetConfig> for FleetSpec {
    fn from(config: FleetConfig) -> Self {
        config.spec
    }
}

fn published(spec: &FleetSpec, signal: Signal) -> Option<&Metric> {
    let found = spec.publishes.iter().find(|own| own.signal == signal);
    found.map(|own| &own.metric)
}

/// What the alarm of scale to zero watches. The checks have made sure that there is one.
fn depth_metric(spec: &FleetSpec) -> Source {
    published(spec, Signal::Depth).map_or_else(|| Source::from("queue depth"), Source::from)
}

/// The policies of a checked spec and the alarms that invoke them.
fn derive(spec: &FleetSpec) -> (Vec<Policy>, Vec<Alarm>) {
    let mut alarms = Vec::new();
    let mut policies = Vec::new();
    for (position, policy) in spec.policies.iter().enumerate() {
        let kind = match policy {
            PolicySpec::Step {
                adjustment_type,
                minimum_adjustment_magnitude,
                alarm,
                steps,
                ..
            } => {
                alarms.push(invoking(policy.name(), alarm, position));
                PolicyKind::Step(StepPolicy {
                    adjustment_type: *adjustment_type,
                    steps: steps.clone(),
                    minimum_adjustment_magnitude: *minimum_adjustment_magnitude,
                })
            }
            PolicySpec::Simple {
                adjustment_type,
                adjustment,
                minimum_adjustment_magnitude,
                cooldown_seconds,
                alarm,
                ..
            } => {
                alarms.push(invoking(policy.name(), alarm, position));
                PolicyKind::Simple(SimplePolicy {
                    adjustment_type: *adjustment_type,
                    adjustment: *adjustment,
                    minimum_adjustment_magnitude: *minimum_adjustment_magnitude,
                    cooldown: Duration::from_secs_f64(*cooldown_seconds),
                })
            }
            PolicySpec::TargetTracking {
                metric,
                statistic,
                target,
                disable_scale_in,
                alarms: own,
                floor,
                ..
            } => {
                let tracking = TargetTrackingPolicy {
                    target: *target,
                    disable_scale_in: *disable_scale_in,
                    floor: *floor,
                };
                let rules = tracking.alarms();
                let (high, low) = match own {
                    Some(own) => (own.high.as_ref(), own.low.as_ref()),
                    None => (None, None),
                };
                for (rule, side, action, known) in [
                    (rules.high, "AlarmHigh", Action::ScaleOut(position), high),
                    (rules.low, "AlarmLow", Action::ScaleIn(position), low),
                ] {
                    let name = format!("TargetTracking-{}-{side}", policy.name());
                    match (own, known) {
                        (Some(_), None) => {}
                        (Some(_), Some(known)) => alarms.push(acting(&name, known, action)),
                        (None, _) => alarms.push(Alarm {
                            name,
                            metric: metric.clone(),
                            statistic: *statistic,
                            period: 1,
                            rule,
                            action,
                        }),
                    }
                }
                PolicyKind::TargetTracking(tracking)
            }
        };
        policies.push(Policy {
            name: policy.name().to_owned(),
            kind,
        });
    }
    (policies, alarms)
}

fn invoking(policy: &str, alarm: &AlarmSpec, position: usize) -> Alarm {
    acting(policy, alarm, Action::Invoke(position))
}

fn acting(name: &str, alarm: &AlarmSpec, action: Action) -> Alarm {
    let periods = usize::try_from(alarm.evaluation_periods).unwrap_or_default();
    Alarm {
        name: name.to_owned(),
        metric: alarm.metric.clone(),
        statistic: alarm.statistic,
        period: (alarm.period_seconds / 60.0) as usize,
        rule: AlarmRule {
            comparison: alarm.comparison,
            threshold: alarm.threshold,
            evaluation_periods: periods,
            datapoints_to_alarm: alarm
                .datapoints_to_alarm
                .and_then(|m| usize::try_from(m).ok())
                .unwrap_or(periods),
            missing_data: alarm.missing_data,
        },
        action,
    }
}

#[cfg(test)]
mod tests;
