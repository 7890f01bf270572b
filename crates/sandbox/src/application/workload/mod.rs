//! What the platform's customers and GPU workers do: jobs arrive, wait, are leased, worked on and
//! measured. This is no AWS service; its traces are metrics, protected instances and log lines.

mod fleet;
mod publish;
mod registration;

pub(crate) use fleet::{Fleet, FleetPlace, WorkerRules};
pub(crate) use publish::publish;
pub(crate) use registration::{Answer, broken_by};

use crate::service::{autoscaling, ssm};
use crate::time::SimTime;
use crate::world::World;

/// The value that a fleet secret has until an operator sets it (runbook, "Secrets Reference").
pub(crate) const PLACEHOLDER_SECRET: &str = "CHANGE_ME_AFTER_DEPLOY";

/// The fleets' queues and workers.
#[derive(Debug, Default)]
pub(crate) struct State {
    fleets: Vec<Fleet>,
    /// When the next thing happens in any fleet.
    due: SimTime,
    /// The state of Auto Scaling that the workers were last compared with.
    seen: u64,
    /// Since when the backend publishes no fleet metrics.
    pub(crate) silent_since: Option<SimTime>,
}

/// Adds a fleet; its metrics appear with the next publication.
pub(crate) fn add_fleet(world: &mut World, place: FleetPlace, rules: WorkerRules) {
    let fleet = Fleet::new(world, place, rules);
    world.services.workload.fleets.push(fleet);
    world.services.workload.due = SimTime(0);
}

/// The fleet of an Auto Scaling group, to be changed.
pub(crate) fn fleet_mut<'a>(world: &'a mut World, group: &str) -> Option<&'a mut Fleet> {
    let state = &mut world.services.workload;
    state.due = SimTime(0);
    state.fleets.iter_mut().find(|fleet| fleet.place.group == group)
}

/// Whether there is a fleet that could take a job.
pub(crate) fn any(world: &World) -> bool {
    !world.services.workload.fleets.is_empty()
}

/// A job that came through the application's API waits in the queue of the production fleet, or of the only one.
pub(crate) fn submit(world: &mut World, id: u64) {
    let state = &mut world.services.workload;
    let production = |fleet: &Fleet| fleet.place.group.starts_with("asg-production-");
    let at = state.fleets.iter().position(production).unwrap_or(0);
    if let Some(fleet) = state.fleets.get_mut(at) {
        fleet.queue.push_back(fleet::Job::submitted(id));
        fleet.due = SimTime(0);
        state.due = SimTime(0);
    }
}

/// One second passes in every fleet that has something to do.
pub(crate) fn tick(world: &mut World) {
    let now = world.now;
    let generation = autoscaling::generation(world);
    let moved = world.services.workload.seen != generation;
    if !moved && world.services.workload.due > now {
        return;
    }
    world.services.workload.seen = generation;
    // The fleets leave the world while they work on it.
    let mut fleets = std::mem::take(&mut world.services.workload.fleets);
    let mut due = SimTime(i64::MAX);
    let backend_up = backend_up(world);
    for fleet in &mut fleets {
        if moved {
            fleet.follow_group(world);
        }
        if fleet.due <= now {
            let answer = if !backend_up {
                Answer::NoTask
            } else if let Some(broken) = fleet.answer {
                broken
            } else if secret_is_set(world, &fleet.place.secret) {
                Answer::Welcome
            } else {
                registration::WRONG_SECRET
            };
            fleet.work(world, backend_up, answer);
        }
        due = due.min(fleet.due);
    }
    let state = &mut world.services.workload;
    state.fleets = fleets;
    state.due = due;
}

/// Workers and customers reach the backend only while a backend task runs.
fn backend_up(world: &World) -> bool {
    crate::service::ecs::running_schedulers(world) > 0
}

/// The backend refuses workers that come with the placeholder.
fn secret_is_set(world: &World, parameter: &str) -> bool {
    ssm::value(world, parameter).is_some_and(|secret| secret.value() != PLACEHOLDER_SECRET)
}

#[cfg(test)]
mod tests;
