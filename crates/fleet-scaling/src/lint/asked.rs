//! The policies asked in a situation that lasts: what they make of so many instances and so many jobs.

use crate::Moment;
use crate::config::FleetConfig;
use crate::decide::decide;
use crate::metrics::{Metrics, Signals};
use crate::policy::Group;
use crate::state::FleetState;

/// What the metrics say with `instances` warm workers and a queue of `depth`, in the order of
/// [`Signal::ALL`](crate::metrics::Signal::ALL).
fn signals(config: &FleetConfig, instances: u32, depth: f64) -> Signals<Option<f64>> {
    let jobs = &config.spec().jobs;
    let workers = f64::from(instances);
    let places = workers * jobs.concurrency as f64;
    let backlog = match instances {
        0 => jobs.backlog_without_workers.then_some(depth),
        _ => Some(depth / workers),
    };
    let free = if jobs.depth_counts_running {
        (places - depth).max(0.0)
    } else if depth > 0.0 {
        0.0
    } else {
        places
    };
    let in_flight = if depth > 0.0 { places.min(depth) } else { 0.0 };
    [Some(depth), backlog, Some(workers), Some(free), Some(in_flight)]
}

/// What every metric that the fleet publishes has said for as long as any alarm looks back.
pub(super) fn metrics(config: &FleetConfig, instances: u32, depth: f64) -> Metrics {
    let minutes = config.look_back() + 1;
    let values = signals(config, instances, depth);
    let published = config.spec().publishes.iter();
    published.fold(Metrics::new(), |metrics, own| {
        let value = values[own.signal.position()];
        metrics.with(&own.metric, std::iter::repeat_n(value, minutes))
    })
}

/// The desired capacity that follows when `instances` warm workers have seen a queue of `depth` for as long
/// as any alarm looks back.
pub(super) fn capacity(config: &FleetConfig, instances: u32, depth: f64) -> u32 {
    let metrics = metrics(config, instances, depth);
    let state = FleetState {
        queued: Some(depth as u64),
        busy: Some(0),
        ..FleetState::settled(instances)
    };
    decide(config, &state, &metrics, Moment(0)).desired
}

/// Depths up to the queue's limit at which policies may change their answer: small ones, the alarms'
/// thresholds and the bounds of steps with their neighbours, powers of ten, and the limit itself.
pub(super) fn depths(config: &FleetConfig) -> Vec<u64> {
    let limit = u64::try_from(config.spec().jobs.queue_limit).unwrap_or(1).max(1);
    let mut depths: Vec<u64> = (1..=25).collect();
    let mut power = 10;
    while power < limit {
        depths.push(power);
        power *= 10;
    }
    depths.push(limit);
    for value in edges(config) {
        if value.is_finite() && value < limit as f64 {
            let at = value.max(0.0) as u64;
            depths.extend([at.saturating_sub(1), at, at + 1]);
        }
    }
    depths.retain(|depth| (1..=limit).contains(depth));
    depths.sort_unstable();
    depths.dedup();
    depths
}

/// Thresholds, and bounds of steps as values of the metric.
fn edges(config: &FleetConfig) -> Vec<f64> {
    let mut edges = Vec::new();
    for alarm in config.alarms() {
        edges.push(alarm.rule.threshold);
        let Some(policy) = alarm.action.policy() else {
            continue;
        };
        for (lower, upper) in config.policies()[policy].kind.bounds() {
            edges.extend(
                [lower, upper]
                    .into_iter()
                    .flatten()
                    .map(|bound| alarm.rule.threshold + bound),
            );
        }
    }
    edges
}

/// What the policy of the alarm at `position` makes of `instances` when it reports `value`, if the value
/// breaches at all.
pub(super) fn answer(config: &FleetConfig, position: usize, instances: u32, value: f64) -> Option<u32> {
    let alarm = &config.alarms()[position];
    let policy = alarm.action.policy()?;
    if !alarm.rule.comparison.breaches(value, alarm.rule.threshold) {
        return None;
    }
    let group = Group {
        desired: instances,
        warming: 0,
        terminating: 0,
        launching: 0,
        limits: config.limits(),
        cooldown_began: None,
    };
    config.policies()[policy]
        .kind
        .answer_to(&group, value, &alarm.rule)
}
