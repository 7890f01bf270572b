//! A decision in ordered sentences, with every number that it rests on.

use std::fmt;

use crate::Moment;
use crate::alarm::AlarmState;
use crate::config::{Action, FleetConfig};
use crate::decide::{Decision, Reason, decide};
use crate::metrics::Metrics;
use crate::policy::{Answer, Hold};
use crate::scale_to_zero::{Guard, ZeroOutcome};
use crate::state::{FleetState, Process};

/// Why the fleet has the capacity it has, why not more and why not zero: [`decide`] in sentences.
#[must_use]
pub fn explain(config: &FleetConfig, state: &FleetState, metrics: &Metrics, now: Moment) -> Vec<String> {
    let decision = decide(config, state, metrics, now);
    let mut sentences = decision.explain(config);
    sentences.extend(warm_pool(config, state, &decision));
    sentences.push(if !decision.is_known() {
        format!(
            "what becomes of the desired capacity, {}, is not known: {}",
            state.desired,
            decision.range()
        )
    } else if decision.desired == state.desired {
        format!("the desired capacity stays {}", state.desired)
    } else {
        format!(
            "the desired capacity goes from {} to {}",
            state.desired, decision.desired
        )
    });
    sentences
}

/// Where the instances of a scale-out come from, in a group with a warm pool.
fn warm_pool(config: &FleetConfig, state: &FleetState, decision: &Decision) -> Option<String> {
    let pool = config.spec().warm_pool.as_ref()?;
    let launches = decision.desired.saturating_sub(state.desired);
    if launches == 0 || !decision.is_known() {
        return None;
    }
    let holds = pool.size(state.desired, config.limits().max);
    let cold = launches.saturating_sub(holds);
    Some(format!(
        "the warm pool is to hold {holds} beside {}: {} of {launches} launches can be from it, cold ones: {cold}",
        state.desired,
        launches - cold
    ))
}

impl Decision {
    /// Between which capacities it lies, in words: "2 to 10", or "2 or more" where no largest one is known.
    #[must_use]
    pub fn range(&self) -> String {
        match self.most {
            u32::MAX => format!("{} or more", self.least),
            most => format!("{} to {most}", self.least),
        }
    }

    /// Its reasons in words; `config` is the one that it was decided with.
    #[must_use]
    pub fn explain(&self, config: &FleetConfig) -> Vec<String> {
        self.reasons
            .iter()
            .map(|reason| reason.sentence(config).to_string())
            .collect()
    }
}

impl Reason {
    /// This reason in words, rendered when it is displayed.
    #[must_use]
    pub fn sentence<'a>(&'a self, config: &'a FleetConfig) -> impl fmt::Display + 'a {
        Sentence { reason: self, config }
    }
}

struct Sentence<'a> {
    reason: &'a Reason,
    config: &'a FleetConfig,
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = |policy: usize| &self.config.policies()[policy].name;
        match *self.reason {
            Reason::Alarm { alarm, before, .. } => self.alarm(f, alarm, before),
            Reason::Answered {
                policy: position,
                alarm,
                answer,
                value,
            } => {
                let metric = &self.config.alarms()[alarm].metric;
                let name = policy(position);
                match answer {
                    Answer::Capacity { capacity } => {
                        write!(f, "policy `{name}` answers {metric} ")?;
                        match value {
                            Some(value) => write!(f, "{value}")?,
                            None => f.write_str("without data")?,
                        }
                        write!(f, " with a capacity of {capacity}")
                    }
                    Answer::Hold { reason } => write!(f, "policy `{name}` holds: {}", hold(reason)),
                }
            }
            Reason::Wins {
                policy: position,
                capacity,
            } => write!(
                f,
                "of the policies that answer{}, `{}` has the largest capacity, {capacity}",
                if self.is_all() { "" } else { " and are modelled" },
                policy(position)
            ),
            Reason::Clamped { wanted, to } if wanted > to => {
                write!(f, "{wanted} is more than the maximum: {to}")
            }
            Reason::Clamped { wanted, to } => write!(f, "{wanted} is less than the minimum: {to}"),
            Reason::ScaleToZero { outcome } => zero(f, outcome, self.config),
            Reason::Suspended { process } => match process {
                Process::Launch => f.write_str("`Launch` is suspended: no instance is added"),
                Process::Terminate => f.write_str("`Terminate` is suspended: no instance is removed"),
                Process::AlarmNotification => {
                    f.write_str("`AlarmNotification` is suspended: no policy is invoked")
                }
            },
            Reason::Protected { instances } => {
                write!(
                    f,
                    "{instances} protected from scale-in: they stay until they are released"
                )
            }
            Reason::Rebalance { at_risk, ahead } => write!(
                f,
                "{at_risk} at risk of interruption: {ahead} launched ahead to replace them"
            ),
            Reason::NotModelled { part } => {
                let part = &self.config.not_modelled()[part];
                // What an adapter found may end with these words already.
                let why = if part.to_string().contains("not modelled") {
                    ","
                } else {
                    ": not modelled,"
                };
                write!(f, "{part}{why} and it may move the desired capacity")
            }
            Reason::Quiet if self.is_all() => f.write_str("no alarm invokes a policy"),
            Reason::Quiet => f.write_str("no alarm that is modelled invokes a policy"),
        }
    }
}

impl Sentence<'_> {
    /// Whether everything that decides on the capacity is modelled.
    fn is_all(&self) -> bool {
        self.config.undecided().next().is_none()
    }

    /// `alarm "x" is in ALARM: 15 of 15 points of QueueDepth <= 0 (newest 0), needs 15`.
    fn alarm(&self, f: &mut fmt::Formatter<'_>, position: usize, before: AlarmState) -> fmt::Result {
        let Reason::Alarm { verdict, value, .. } = *self.reason else {
            return Ok(());
        };
        let alarm = &self.config.alarms()[position];
        let rule = &alarm.rule;
        write!(f, "alarm `{}` is {}", alarm.name, verdict.state)?;
        if before != verdict.state && before != AlarmState::InsufficientData {
            write!(f, " (was {before})")?;
        }
        write!(
            f,
            ": {} of {} points of {} are {} {}, {} needed",
            verdict.breaching,
            verdict.real,
            alarm.metric,
            rule.comparison.phrase(),
            rule.threshold,
            rule.datapoints_to_alarm,
        )?;
        match value {
            Some(value) => write!(f, "; newest {value}")?,
            None => f.write_str("; no data at all")?,
        }
        if verdict.filled > 0 {
            write!(
                f,
                "; {} missing, treated as {}",
                verdict.filled,
                rule.missing_data.name()
            )?;
        }
        if alarm.action == Action::ScaleToZero && verdict.state != AlarmState::Alarm {
            f.write_str(if self.is_all() {
                "; so the fleet is not taken to zero"
            } else {
                "; so this alarm does not take the fleet to zero"
            })?;
        }
        Ok(())
    }
}

fn hold(reason: Hold) -> &'static str {
    match reason {
        Hold::ScaleOutInProgress => "a scale-in waits until the launched instances have warmed up",
        Hold::ActivityInProgress => "it waits for the launches that are in progress",
        Hold::Cooldown => "its cooldown has not passed",
        Hold::NoData => "the metric has no data",
        Hold::NoStep => "none of its steps covers the value",
        Hold::ScaleInDisabled => "its scale-in is disabled",
        Hold::NotAllAgree => {
            "of several tracking policies all must be ready to scale in, and another one is not"
        }
    }
}

fn zero(f: &mut fmt::Formatter<'_>, outcome: ZeroOutcome, config: &FleetConfig) -> fmt::Result {
    let in_queue = if config.spec().jobs.depth_counts_running {
        "are not done"
    } else {
        "wait"
    };
    let guard = match outcome {
        ZeroOutcome::NotAlarming => return f.write_str("scale to zero: the alarm is not in ALARM"),
        ZeroOutcome::SetToZero => return f.write_str("scale to zero: desired capacity 0"),
        ZeroOutcome::Drain { to } => {
            return write!(f, "scale to zero: the idle workers first, {to} still hold a job");
        }
        ZeroOutcome::AlreadyZero => return f.write_str("scale to zero: the fleet is at zero already"),
        ZeroOutcome::NotNotified => {
            return f.write_str(
                "scale to zero: the alarm was in ALARM before, and notifies only when it gets there",
            );
        }
        ZeroOutcome::Held { guard } => guard,
    };
    f.write_str("scale to zero is held back: ")?;
    match guard {
        Guard::QueuedJobs { jobs } => write!(f, "{jobs} jobs {in_queue}"),
        Guard::QueueUnknown => write!(f, "nobody knows whether jobs {in_queue}"),
        Guard::ActiveWorkers { workers } => write!(f, "{workers} workers hold a job"),
        Guard::WorkersUnknown => f.write_str("nobody knows whether workers hold a job"),
        Guard::Silent { missing } => write!(f, "the metric is silent, {missing} points are missing"),
        Guard::BelowMinimum { min } => write!(f, "the minimum is {min}"),
    }
}
