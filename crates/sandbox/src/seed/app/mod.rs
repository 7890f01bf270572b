//! The application: cluster, services, images, secrets, database, load balancer and log groups.

mod definitions;
pub(super) mod incident;
mod names;
pub(super) mod place;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub(super) use place::place;

use crate::scenario::Scenario;
use crate::world::World;

pub(super) fn scenarios_changed(world: &mut World, before: &BTreeSet<Scenario>) {
    let after = world.scenarios.clone();
    for &scenario in before.difference(&after) {
        incident::mend(world, scenario);
    }
    for &scenario in after.difference(before) {
        crate::scenario::begin_now(world, scenario);
    }
}
