//! When each scenario's cause sets in: some time before the operator arrives, or when it is switched on.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Scenario;
use crate::time::SimTime;
use crate::world::World;

/// The causes that are or will be in force.
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    onset: BTreeMap<Scenario, SimTime>,
    /// What has yet to begin.
    agenda: Vec<(SimTime, Scenario)>,
}

/// Whether the cause of a scenario has set in by now.
pub(crate) fn in_force(world: &World, scenario: Scenario) -> bool {
    world.has(scenario)
        && world
            .services
            .incidents
            .onset
            .get(&scenario)
            .is_none_or(|onset| *onset <= world.now)
}

/// How long before the operator's arrival the application's incidents begin; `None` for those that
/// belong to the fleets or to the API itself.
fn lead(scenario: Scenario) -> Option<Duration> {
    let seconds = match scenario {
        Scenario::MigrationFails => 11 * 60,
        Scenario::MigrationSlow => 25 * 60 + 40,
        Scenario::PullError => 5 * 60,
        Scenario::CrashLoop => 6 * 60,
        Scenario::MemoryExhausted | Scenario::ZoneDisabled => 20 * 60,
        Scenario::BreakerRollback => 22 * 60,
        Scenario::SecretMissing | Scenario::OauthNoJson => 4 * 60,
        Scenario::CapacityUnavailable => 15 * 60,
        Scenario::Alb5xx | Scenario::Backend502 | Scenario::RdsCpu => 25 * 60,
        Scenario::NoHealthyTargets
        | Scenario::ResumeConflict
        | Scenario::NatExhausted
        | Scenario::RedisFull
        | Scenario::SchedulerStopped
        | Scenario::SecondPublisher => 30 * 60,
        Scenario::RdsStorageLow => 40 * 60,
        Scenario::CapacityProviderInUse | Scenario::BucketNotEmpty | Scenario::DbProtected => 45 * 60,
        Scenario::RdsRefused => 20 * 60,
        Scenario::EcrTagMissing | Scenario::WrongArchitecture | Scenario::Drifted => 35 * 60,
        Scenario::SlowHealth => 5 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// Plans the incidents that the world begins with.
pub(crate) fn plan(world: &mut World) {
    for scenario in world.scenarios.clone() {
        if let Some(lead) = lead(scenario) {
            let onset = world.options.start - lead;
            world.services.incidents.onset.insert(scenario, onset);
            world.services.incidents.agenda.push((onset, scenario));
        }
    }
}

/// A scenario is switched on in a running world: its cause sets in now.
pub(crate) fn begin_now(world: &mut World, scenario: Scenario) {
    if lead(scenario).is_some() {
        let now = world.now;
        world.services.incidents.onset.insert(scenario, now);
        crate::seed::begin_incident(world, scenario);
    }
}

/// Lets begin what is due.
pub(crate) fn tick(world: &mut World) {
    let now = world.now;
    let agenda = &mut world.services.incidents.agenda;
    if agenda.iter().all(|(at, _)| *at > now) {
        return;
    }
    let due: Vec<Scenario> = agenda
        .extract_if(.., |(at, _)| *at <= now)
        .map(|(_, scenario)| scenario)
        .collect();
    for scenario in due {
        if world.has(scenario) {
            crate::seed::begin_incident(world, scenario);
        }
    }
}
