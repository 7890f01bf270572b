//! The control plane: once a minute the metrics are published, the alarms evaluated and the group told.

use super::queue::Queue;
use super::window::Window;
use crate::Moment;
use crate::alarm::AlarmState;
use crate::config::{Alarm, FleetConfig, PolicyKind};
use crate::decide::{Reading, Situation, resolve};
use crate::metrics::math::MetricStat;
use crate::metrics::{Signal, Signals, Source};
use crate::policy::Group;

/// Milliseconds.
pub(crate) const MINUTE: u64 = 60_000;

/// The alarms and what they made of the desired capacity.
#[derive(Debug)]
pub(crate) struct Control<'a> {
    config: &'a FleetConfig,
    windows: Vec<Window>,
    readings: Vec<Reading>,
    published: Signals<f64>,
    /// Which of them any alarm looks at.
    watched: Signals<bool>,
    /// The signals that each alarm looks at; `None` for a metric that the fleet does not publish.
    inputs: Vec<Vec<Option<usize>>>,
    pub(crate) desired: u32,
    longest_cooldown: u64,
    /// Minutes since a watched value or the desired capacity has changed last.
    unchanged: usize,
    /// What the group was doing when the alarms last acted.
    seen: Activity,
    last_minute: u64,
    pub(crate) changes: Changes,
    /// What each minute decided on, to be decided again.
    #[cfg(test)]
    pub(crate) log: Option<Vec<Logged>>,
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
        let inputs: Vec<Vec<Option<usize>>> = alarms.iter().map(|alarm| inputs(config, alarm)).collect();
        let looks_at = |signal: Signal| inputs.iter().flatten().any(|at| *at == Some(signal.position()));
        Self {
            config,
            windows: alarms.iter().map(Window::new).collect(),
            readings: Vec::with_capacity(alarms.len()),
            published: [f64::NAN; Signal::ALL.len()],
            watched: Signal::ALL.map(looks_at),
            inputs,
            desired,
            longest_cooldown: cooldowns.max().unwrap_or(0),
            unchanged: 0,
            seen: Activity::default(),
            last_minute: 0,
            changes: Changes::default(),
            #[cfg(test)]
            log: None,
        }
    }

    /// How many minutes from now on will bring nothing new as long as nothing happens to jobs and
    /// instances: the values were the same a minute ago, every alarm has kept its state since, and
    /// none can leave it sooner.
    pub(crate) fn quiet(&self, now: u64, activity: Activity) -> u64 {
        let cooling = activity
            .ended
            .is_some_and(|ended| now < ended + self.longest_cooldown);
        let kept = self
            .readings
            .iter()
            .all(|reading| reading.before == reading.state);
        // What the group has begun since then may hold a policy that has not held yet.
        if self.unchanged == 0 || cooling || !kept || self.seen != activity {
            return 0;
        }
        let mut quiet = usize::MAX;
        for (alarm, window) in self.config.alarms().iter().zip(&self.windows) {
            quiet = quiet.min(window.stable(alarm));
            if quiet == 0 {
                break;
            }
        }
        quiet as u64
    }

    /// Publishes the metrics, unless the publisher is silent, and lets the alarms act on them.
    pub(crate) fn minute(&mut self, now: u64, silent: bool, queue: &Queue, activity: Activity) {
        let values = if silent {
            [f64::NAN; Signal::ALL.len()]
        } else {
            publish(self.config, queue)
        };
        let watched = self.watched;
        let same = |at: usize| !watched[at] || values[at].to_bits() == self.published[at].to_bits();
        self.unchanged = if (0..values.len()).all(same) {
            self.unchanged + 1
        } else {
            0
        };
        self.seen = activity;
        let skipped = ((now - self.last_minute) / MINUTE - 1) as usize;
        self.last_minute = now;
        self.published = values;
        self.readings.clear();
        let mut alarming = false;
        let windows = self.windows.iter_mut().zip(&self.inputs);
        for (alarm, (window, inputs)) in self.config.alarms().iter().zip(windows) {
            if skipped > 0 {
                window.pass(alarm, skipped);
            }
            let value = |at: &Option<usize>| at.map_or(f64::NAN, |at| values[at]);
            let reading = match inputs.as_slice() {
                [only] if !window.is_math() => window.minute(alarm, value(only)),
                several => window.minute_of_math(alarm, several.iter().map(value)),
            };
            alarming |= reading.state == AlarmState::Alarm;
            self.readings.push(reading);
        }
        #[cfg(test)]
        let before = self.desired;
        if alarming {
            self.act(now, silent, queue, activity);
        }
        #[cfg(test)]
        if let Some(log) = &mut self.log {
            log.push(Logged {
                now,
                values,
                activity,
                queued: (!silent).then(|| depth(self.config, queue) as u64),
                busy: (!silent).then(|| queue.busy()),
                before,
                after: self.desired,
            });
        }
    }

    fn act(&mut self, now: u64, silent: bool, queue: &Queue, activity: Activity) {
        let moment = Moment(i64::try_from(now).unwrap_or(i64::MAX));
        let situation = Situation {
            group: Group {
                desired: self.desired,
                warming: activity.warming,
                terminating: 0,
                launching: activity.launching,
                limits: self.config.limits(),
                cooldown_began: activity
                    .ended
                    .map(|ended| Moment(i64::try_from(ended).unwrap_or(i64::MAX))),
            },
            ignores_alarms: false,
            // The function asks the backend, which knows nothing while it is silent.
            queued: (!silent).then(|| depth(self.config, queue) as f64),
            busy: (!silent).then(|| queue.busy()),
        };
        let desired = resolve(self.config, &situation, &self.readings, moment, &mut |_| ());
        if desired != self.desired {
            if desired > self.desired {
                self.changes.out += 1;
            } else {
                self.changes.down += 1;
                self.changes.to_zero += u64::from(desired == 0);
            }
            self.set(desired);
        }
    }

    /// A deploy writes the desired capacity that the stack's template states.
    pub(crate) fn deploy(&mut self, desired: u32) {
        if desired != self.desired {
            self.changes.by_deploy += 1;
            self.set(desired);
        }
    }

    fn set(&mut self, desired: u32) {
        self.desired = desired;
        self.unchanged = 0;
    }
}

/// What the queue's depth counts. A job in the hands of a worker that is gone has not returned to the queue
/// before its lease ends, so it counts with the running ones.
fn depth(config: &FleetConfig, queue: &Queue) -> usize {
    let waiting = queue.waiting();
    if config.spec().jobs.depth_counts_running {
        waiting + queue.running() + queue.leased()
    } else {
        waiting
    }
}

/// The positions of the signals that `alarm` looks at, in the order of its metrics.
fn inputs(config: &FleetConfig, alarm: &Alarm) -> Vec<Option<usize>> {
    let metrics = alarm.metric.metrics(alarm.statistic);
    let signal = |input: MetricStat| config.signal_of(&Source::Metric(input.metric));
    metrics
        .into_iter()
        .map(|input| signal(input).map(Signal::position))
        .collect()
}

/// The signals in the order of [`Signal::ALL`]; NaN is no data. A worker that is gone counts no more
/// from the next minute on; a publisher that goes by heartbeats counts it until they are overdue.
fn publish(config: &FleetConfig, queue: &Queue) -> Signals<f64> {
    let depth = depth(config, queue) as f64;
    let workers = queue.workers();
    let backlog = if workers == 0 {
        if config.spec().jobs.backlog_without_workers {
            depth
        } else {
            f64::NAN
        }
    } else {
        depth / f64::from(workers)
    };
    let in_flight = queue.running() + queue.leased();
    [
        depth,
        backlog,
        f64::from(workers),
        queue.free() as f64,
        in_flight as f64,
    ]
}
