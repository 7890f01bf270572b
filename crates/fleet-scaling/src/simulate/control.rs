//! The control plane: once a minute the metrics are published, the alarms evaluated and the group told.

use super::calm::{Calm, Jobs};
use super::queue::Queue;
use super::window::Window;
use crate::Moment;
use crate::alarm::AlarmState;
use crate::config::{Alarm, FleetConfig, PolicyKind, ScheduledActionSpec};
use crate::decide::{Reading, Situation, resolve};
use crate::metrics::math::MetricStat;
use crate::metrics::{Signal, Signals, Source};
use crate::policy::{Group, Limits};

/// Milliseconds.
pub(crate) const MINUTE: u64 = 60_000;

/// The alarms and what they made of the desired capacity.
#[derive(Debug)]
pub(crate) struct Control<'a> {
    config: &'a FleetConfig,
    active: Vec<ActiveAlarm<'a>>,
    readings: Vec<Reading>,
    pub(crate) desired: u32,
    /// The bounds, which scheduled actions move.
    pub(crate) limits: Limits,
    longest_cooldown: u64,
    /// What the last minute saw of the jobs, unless the publisher was silent, and of the workers.
    jobs: Option<Jobs>,
    workers: u32,
    workers_watched: bool,
    /// What the jobs may become without any alarm or policy seeing a difference.
    calm: Calm,
    /// Whether an alarm was in `ALARM` in the last minute, so that a decision was made.
    acted: bool,
    /// Whether the last minute changed the desired capacity.
    moved: bool,
    /// What the group was doing when the alarms last acted.
    seen: Activity,
    last_minute: u64,
    pub(crate) changes: Changes,
    /// What each minute decided on, to be decided again.
    #[cfg(test)]
    pub(crate) log: Option<Vec<Logged>>,
}

/// An alarm at work.
#[derive(Debug)]
struct ActiveAlarm<'a> {
    alarm: &'a Alarm,
    /// The policy that it invokes.
    policy: Option<&'a PolicyKind>,
    window: Window,
    /// The signals that it looks at; `None` for a metric that the fleet does not publish.
    inputs: Vec<Option<usize>>,
    /// What it looks at when that is one signal, whose minutes count by their side of the threshold and by nothing
    /// else, and are there unless the publisher is silent.
    plain: Option<Signal>,
}

/// What the group is doing at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Instances that have not finished their warm-up.
    pub(crate) warming: u32,
    /// Instances that are not in service yet.
    pub(crate) launching: u32,
    /// When an instance was launched or terminated last.
    pub(crate) ended: Option<u64>,
}

/// One minute of the control plane.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Logged {
    pub(crate) now: u64,
    pub(crate) values: Signals<f64>,
    pub(crate) activity: Activity,
    pub(crate) queued: Option<u64>,
    pub(crate) busy: Option<u32>,
    pub(crate) before: u32,
    pub(crate) after: u32,
}

/// How often the desired capacity changed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) out: u64,
    pub(crate) down: u64,
    pub(crate) to_zero: u64,
    pub(crate) by_deploy: u64,
}

impl<'a> Control<'a> {
    pub(crate) fn new(config: &'a FleetConfig, desired: u32) -> Self {
        let alarms = config.alarms();
        let cooldowns = config.policies().iter().map(|policy| match &policy.kind {
            PolicyKind::Simple(simple) => simple.cooldown.as_millis() as u64,
            PolicyKind::Step(_) | PolicyKind::TargetTracking(_) => 0,
        });
        let active: Vec<ActiveAlarm<'_>> = alarms
            .iter()
            .map(|alarm| ActiveAlarm::new(config, alarm))
            .collect();
        let looks_at = |signal: Signal| {
            let mut inputs = active.iter().flat_map(|alarm| &alarm.inputs).flatten();
            inputs.any(|at| *at == signal.position())
        };
        let workers_watched = looks_at(Signal::Workers) || looks_at(Signal::Backlog);
        Self {
            config,
            active,
            readings: vec![Reading::default(); alarms.len()],
            desired,
            limits: config.limits(),
            longest_cooldown: cooldowns.max().unwrap_or(0),
            jobs: None,
            workers: 0,
            workers_watched,
            calm: Calm::default(),
            acted: false,
            moved: false,
            seen: Activity::default(),
            last_minute: 0,
            changes: Changes::default(),
            #[cfg(test)]
            log: None,
        }
    }

    /// How many minutes from now on will bring nothing new as long as instances stay as they are and the jobs
    /// within [`Calm`]: the last minute has moved nothing, so the same again moves nothing, and no alarm can leave
    /// its state sooner.
    pub(crate) fn quiet(&mut self, now: u64, queue: &Queue, activity: Activity) -> u64 {
        // The group may have ended workers since, and their jobs with them.
        if self.moved || (self.workers_watched && queue.workers() != self.workers) {
            return 0;
        }
        if self.acted {
            // The end of a cooldown lets a policy act, and what the group has begun since the alarms acted may
            // hold a policy that has not held yet.
            let cooling = activity
                .ended
                .is_some_and(|ended| now < ended + self.longest_cooldown);
            if cooling || self.seen != activity {
                return 0;
            }
        }
        let mut quiet = usize::MAX;
        for active in &self.active {
            quiet = quiet.min(active.window.stable(active.alarm));
            if quiet == 0 {
                return 0;
            }
        }
        self.calm = self
            .jobs
            .map_or_else(Calm::default, |jobs| self.calm_around(jobs));
        if self.notices(queue) { 0 } else { quiet as u64 }
    }

    fn calm_around(&self, jobs: Jobs) -> Calm {
        let mut calm = Calm::default();
        for (active, reading) in self.active.iter().zip(&self.readings) {
            let invoked = reading.state == AlarmState::Alarm;
            if invoked && active.policy.is_none() && self.looks_again() {
                // The function of scale to zero looks at the jobs themselves.
                calm.nothing_but(jobs);
            } else if let Some(signal) = active.plain {
                let policy = active.policy.filter(|_| invoked);
                calm.between(active.alarm, policy, signal, jobs, self.workers);
            } else {
                for signal in active.inputs.iter().flatten() {
                    calm.only(Signal::ALL[*signal], jobs);
                }
            }
        }
        calm
    }

    fn looks_again(&self) -> bool {
        self.desired > 0 && self.config.spec().scale_to_zero.is_some_and(|zero| zero.recheck)
    }

    /// Whether the jobs have become something since the last minute that an alarm or a policy would see.
    #[inline]
    pub(crate) fn notices(&self, queue: &Queue) -> bool {
        self.jobs.is_some() && !self.calm.holds(Jobs::of(self.config, queue))
    }

    /// Whether what has happened to instances and their jobs is anything that they would see.
    pub(crate) fn notices_instances(&self, queue: &Queue, activity: Activity) -> bool {
        (self.workers_watched && queue.workers() != self.workers)
            || (self.acted && activity != self.seen)
            || self.notices(queue)
    }

    /// Whether [`Self::notices`] can say yes before the next minute.
    pub(crate) fn watches_jobs(&self) -> bool {
        self.jobs.is_some() && self.calm != Calm::default()
    }

    /// Publishes the metrics, unless the publisher is silent, and lets the alarms act on them.
    pub(crate) fn minute(&mut self, now: u64, silent: bool, queue: &Queue, activity: Activity) {
        self.jobs = (!silent).then(|| Jobs::of(self.config, queue));
        self.workers = queue.workers();
        let values = match self.jobs {
            Some(jobs) => publish(self.config, jobs, self.workers),
            None => [f64::NAN; Signal::ALL.len()],
        };
        self.seen = activity;
        let skipped = ((now - self.last_minute) / MINUTE - 1) as usize;
        self.last_minute = now;
        let mut alarming = false;
        for (active, reading) in self.active.iter_mut().zip(&mut self.readings) {
            let ActiveAlarm {
                alarm,
                window,
                inputs,
                ..
            } = active;
            if skipped > 0 {
                window.pass(alarm, skipped);
            }
            let value = |at: &Option<usize>| at.map_or(f64::NAN, |at| values[at]);
            *reading = match inputs.as_slice() {
                [only] if !window.is_math() => window.minute(alarm, value(only)),
                several => window.minute_of_math(alarm, several.iter().map(value)),
            };
            alarming |= reading.state == AlarmState::Alarm;
        }
        self.acted = alarming;
        let before = self.desired;
        if alarming {
            self.act(now, activity);
        }
        self.moved = self.desired != before;
        #[cfg(test)]
        if let Some(log) = &mut self.log {
            log.push(Logged {
                now,
                values,
                activity,
                queued: self.jobs.map(|jobs| jobs.depth as u64),
                busy: self.jobs.map(|jobs| jobs.busy),
                before,
                after: self.desired,
            });
        }
    }

    fn act(&mut self, now: u64, activity: Activity) {
        let moment = Moment(i64::try_from(now).unwrap_or(i64::MAX));
        let situation = Situation {
            group: Group {
                desired: self.desired,
                warming: activity.warming,
                terminating: 0,
                launching: activity.launching,
                limits: self.limits,
                cooldown_began: activity
                    .ended
                    .map(|ended| Moment(i64::try_from(ended).unwrap_or(i64::MAX))),
            },
            ignores_alarms: false,
            // The function asks the backend, which knows nothing while it is silent.
            queued: self.jobs.map(|jobs| jobs.depth as f64),
            busy: self.jobs.map(|jobs| jobs.busy),
        };
        let desired = resolve(self.config, &situation, &self.readings, moment, &mut |_| ());
        self.set(desired);
    }

    /// A scheduled action sets what it states. When that and what stays contradict each other, it fails.
    pub(crate) fn scheduled(&mut self, action: &ScheduledActionSpec) {
        let stated = |size: Option<i64>, or: u32| size.map_or(or, |size| u32::try_from(size).unwrap_or(or));
        let limits = Limits {
            min: stated(action.min, self.limits.min),
            max: stated(action.max, self.limits.max),
        };
        let within = |desired: u32| (limits.min..=limits.max).contains(&desired);
        if limits.min > limits.max || action.desired.is_some() && !within(stated(action.desired, 0)) {
            return;
        }
        self.limits = limits;
        let desired = stated(action.desired, self.desired);
        self.set(limits.clamp(i64::from(desired)));
    }

    fn set(&mut self, desired: u32) {
        if desired != self.desired {
            if desired > self.desired {
                self.changes.out += 1;
            } else {
                self.changes.down += 1;
                self.changes.to_zero += u64::from(desired == 0);
            }
            self.desired = desired;
        }
    }

    /// A deploy writes the desired capacity that the stack's template states.
    pub(crate) fn deploy(&mut self, desired: u32) {
        if desired != self.desired {
            self.changes.by_deploy += 1;
            self.desired = desired;
        }
    }
}

impl<'a> ActiveAlarm<'a> {
    fn new(config: &'a FleetConfig, alarm: &'a Alarm) -> Self {
        let signal = |input: MetricStat| config.signal_of(&Source::Metric(input.metric));
        let metrics = alarm.metric.metrics(alarm.statistic);
        let signals: Vec<Option<Signal>> = metrics.into_iter().map(signal).collect();
        let window = Window::new(alarm);
        let has_data = |signal| signal != Signal::Backlog || config.spec().jobs.backlog_without_workers;
        Self {
            alarm,
            policy: alarm
                .action
                .policy()
                .map(|policy| &config.policies()[policy].kind),
            plain: match signals[..] {
                [Some(only)] if window.goes_by_threshold() && has_data(only) => Some(only),
                _ => None,
            },
            inputs: signals
                .iter()
                .map(|signal| signal.map(Signal::position))
                .collect(),
            window,
        }
    }
}

/// The signals in the order of [`Signal::ALL`]; NaN is no data. A worker that is gone counts no more
/// from the next minute on; a publisher that goes by heartbeats counts it until they are overdue.
fn publish(config: &FleetConfig, jobs: Jobs, workers: u32) -> Signals<f64> {
    let depth = jobs.depth as f64;
    let backlog = if workers == 0 {
        if config.spec().jobs.backlog_without_workers {
            depth
        } else {
            f64::NAN
        }
    } else {
        depth / f64::from(workers)
    };
    [
        depth,
        backlog,
        f64::from(workers),
        jobs.free as f64,
        jobs.in_flight as f64,
    ]
}
