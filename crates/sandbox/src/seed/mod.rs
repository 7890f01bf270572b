//! The platform as it stands in the account before the first request.

mod alarms;
mod app;
mod asleep;
mod bootstrap;
mod buckets;
mod bundles;
mod core_stacks;
mod dashboard;
mod fleet_alarms;
mod fleet_scenarios;
mod fleet_stack;
mod fleets;
pub(crate) mod names;
mod parameters;
pub(crate) mod stacks;

use std::collections::BTreeSet;

pub(crate) use app::incident::begin as begin_incident;
pub(crate) use app::place::Facts;
pub(crate) use fleets::joins as fleet_joins;

#[cfg(test)]
pub(crate) use names::database as database_of;

use crate::scenario::Scenario;
use crate::service::{iam, metered};
use crate::world::World;

/// Puts in place what every account has.
pub(crate) fn account(world: &mut World) {
    iam::seed(world);
}

/// Puts the whole platform in place.
pub(crate) fn platform(world: &mut World) {
    app::place(world);
    buckets::place(world);
    fleets::place(world);
    bundles::place(world);
    account(world);
    // Last: the ids of everything before stay what they are.
    bootstrap::place(world);
    metered::seed(world);
}

/// Breaks or mends what the scenarios that came or went stand for.
pub(crate) fn scenarios_changed(world: &mut World, before: &BTreeSet<Scenario>) {
    app::scenarios_changed(world, before);
    fleets::scenarios_changed(world, before);
    bundles::scenarios_changed(world, before);
}
