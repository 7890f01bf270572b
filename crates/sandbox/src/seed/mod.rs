//! The platform as it stands in the account before anyone looks.

mod app;
mod fleets;

use std::collections::BTreeSet;

use crate::scenario::Scenario;
use crate::world::World;

/// Puts the whole platform in place.
pub(crate) fn platform(world: &mut World) {
    app::place(world);
    fleets::place(world);
}

/// Breaks or mends what the scenarios that came or went stand for.
pub(crate) fn scenarios_changed(world: &mut World, before: &BTreeSet<Scenario>) {
    app::scenarios_changed(world, before);
    fleets::scenarios_changed(world, before);
}
