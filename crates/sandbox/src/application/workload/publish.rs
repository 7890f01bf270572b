//! The fleet metrics that the backend's scheduler publishes once a minute.

use crate::scenario::{Scenario, in_force};
use crate::service::cloudwatch;
use crate::world::World;

use super::fleet::{Fleet, Worker};

pub(super) const NAMESPACE: &str = "ComfyUI/Workers";

/// The names in the order of [`values`].
pub(super) const METRICS: [&str; 8] = [
    "QueueDepth",
    "BacklogPerInstance",
    "ActiveWorkers",
    "AvailableCapacity",
    "JobProcessingP50",
    "ErrorRate",
    "LeaseExpiredCount",
    "SpotInterruptionCount",
];

/// One minute has passed. The scheduler of every backend task publishes the same values: CloudWatch counts
/// as many samples as there are tasks.
pub(crate) fn publish(world: &mut World) {
    let now = world.now;
    let silent = world
        .services
        .workload
        .silent_since
        .is_some_and(|since| now >= since);
    let publishers = if silent {
        0
    } else {
        let copies = usize::from(in_force(world, Scenario::SecondPublisher));
        crate::service::ecs::running_schedulers(world) + copies
    };
    if publishers == 0 {
        return;
    }
    let mut fleets = std::mem::take(&mut world.services.workload.fleets);
    for fleet in &mut fleets {
        for (id, value) in fleet.metrics.into_iter().zip(values(fleet)) {
            if let Some(value) = value {
                for _ in 0..publishers {
                    cloudwatch::record(world, id, now, value);
                }
            }
        }
        fleet.expired = 0;
        fleet.interrupted = 0;
    }
    world.services.workload.fleets = fleets;
}

/// `None` where there is nothing to publish: no processing time without a finished job. The depth of the
/// queue counts leased jobs, too, and is the backlog per instance as long as there is no worker.
fn values(fleet: &Fleet) -> [Option<f64>; METRICS.len()] {
    let queued = fleet.jobs_not_done() as f64;
    let workers = fleet
        .workers
        .iter()
        .filter(|worker| worker.is_registered())
        .count() as f64;
    let idle = fleet
        .workers
        .iter()
        .filter(|&worker| Worker::is_idle(worker))
        .count() as f64;
    let mut seconds: Vec<f64> = fleet.finished.iter().map(|(_, seconds, _)| *seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let failed = fleet
        .finished
        .iter()
        .filter(|(_, _, went_well)| !went_well)
        .count() as f64;
    let rate = if seconds.is_empty() {
        0.0
    } else {
        100.0 * failed / seconds.len() as f64
    };
    [
        Some(queued),
        Some(queued / workers.max(1.0)),
        Some(workers),
        Some(idle),
        seconds.get(seconds.len() / 2).copied(),
        Some(rate),
        Some(f64::from(fleet.expired)),
        Some(f64::from(fleet.interrupted)),
    ]
}
