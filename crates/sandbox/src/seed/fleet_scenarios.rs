//! What the scenarios break in a GPU fleet, at the start and in a running account.

use std::collections::BTreeSet;
use std::time::Duration;

use fleet_templates::FleetScaling;

use super::fleets::{subscribe_function, usual_work};
use super::names::Names;
use super::{fleet_alarms, stacks};
use crate::application::workload::{self, PLACEHOLDER_SECRET, WorkerRules};
use crate::options::FleetSeed;
use crate::scenario::Scenario;
use crate::service::{autoscaling, ec2, sns, ssm};
use crate::world::World;

/// Jobs a minute that a burst brings on top of what a fleet of the largest size gets done.
const SURGE_PER_MINUTE: f64 = 9.0;
/// When the backend fell silent, before the operator arrived.
const SILENT_FOR: Duration = Duration::from_secs(30 * 60);

/// An account that shares an image.
const SHARING_ACCOUNT: &str = "999988887777";

/// The fleet that scenarios break: the production one, or the only one.
fn victim(world: &World) -> Option<FleetSeed> {
    let fleets = world.options.effective_fleets();
    fleets
        .iter()
        .find(|fleet| fleet.stage == "production" && fleet.slug == "gpu-default")
        .or_else(|| fleets.iter().find(|fleet| fleet.workers > 0))
        .or_else(|| fleets.first())
        .cloned()
}

fn is_victim(world: &World, fleet: &FleetSeed) -> bool {
    victim(world).is_some_and(|victim| victim.stage == fleet.stage && victim.slug == fleet.slug)
}

/// Whether a fleet has no instance when its history begins, so that the scenario shows in launches.
pub(super) fn starts_at_zero(world: &World, fleet: &FleetSeed) -> bool {
    const LAUNCHES: [Scenario; 14] = [
        Scenario::FleetSecretStale,
        Scenario::WorkerLimit,
        Scenario::FleetUnknown,
        Scenario::WorkersRegisteredTwice,
        Scenario::FleetWithoutWorkflow,
        Scenario::RegisterThrottled,
        Scenario::BackendWithoutFleetSecret,
        Scenario::WorkerAddressStale,
        Scenario::PolicyWithoutAlarm,
        Scenario::FleetSecretPlaceholder,
        Scenario::AmiMissing,
        Scenario::AmiWrongType,
        Scenario::SpotDrought,
        Scenario::WrongDimensions,
    ];
    is_victim(world, fleet) && LAUNCHES.into_iter().any(|scenario| world.has(scenario))
}

/// Whether the secret of a stage's fleets still holds its placeholder when the history begins.
pub(super) fn lacks_secret(world: &World, stage: &str) -> bool {
    world.has(Scenario::FleetSecretPlaceholder) && victim(world).is_some_and(|victim| victim.stage == stage)
}

/// The slug that the alarms of a fleet look at.
pub(super) fn watched_slug(world: &World, fleet: &FleetSeed) -> String {
    if is_victim(world, fleet) && world.has(Scenario::WrongDimensions) {
        format!("{}-v2", fleet.slug)
    } else {
        fleet.slug.clone()
    }
}

/// Breaks what was broken before the operator arrived.
pub(super) fn begin(world: &mut World, names: &Names) {
    // The secret and the alarms were never right, and the seed has put them in place that way.
    let seeded = BTreeSet::from([Scenario::FleetSecretPlaceholder, Scenario::WrongDimensions]);
    let before = world.scenarios().intersection(&seeded).copied().collect();
    changed(world, names, &before);
    if world.has(Scenario::MetricsSilent) {
        let since = world.options.start - SILENT_FOR;
        world.services.workload.silent_since = Some(since);
    }
}

/// Breaks and mends what the scenarios that came and went stand for.
pub(super) fn changed(world: &mut World, names: &Names, before: &BTreeSet<Scenario>) {
    let Some(fleet) = victim(world) else { return };
    let now_in_force = world.scenarios().clone();
    for &scenario in now_in_force.symmetric_difference(before) {
        let comes = now_in_force.contains(&scenario);
        match scenario {
            Scenario::FleetSecretPlaceholder => secret(world, names, &fleet, comes),
            Scenario::AmiMissing => image_missing(world, names, &fleet, comes),
            Scenario::AmiWrongType => image_as_text(world, names, &fleet, comes),
            Scenario::AmiForeign => image_of_others(world, names, comes),
            Scenario::MetricsSilent => {
                world.services.workload.silent_since = comes.then_some(world.now);
            }
            Scenario::WrongDimensions => watch(world, names, &fleet),
            Scenario::ScaleToZeroUnsubscribed => unsubscribed(world, names, &fleet, comes),
            Scenario::SpotDrought => drought(world, names, &fleet, comes),
            Scenario::RefreshNoCapacity => without_capacity(world, names, &fleet, comes),
            Scenario::RefreshStuck => hanging_workers(world, names, &fleet, comes),
            Scenario::QueueSurge => work(world, names, &fleet),
            Scenario::PolicyWithoutAlarm => starter(world, names, &fleet, comes),
            other => registration(world, names, &fleet, other, comes),
        }
    }
}

fn secret(world: &mut World, names: &Names, fleet: &FleetSeed, comes: bool) {
    let value = if comes {
        PLACEHOLDER_SECRET.to_owned()
    } else {
        world.ids.hex(64)
    };
    ssm::put(world, &names.fleet_secret(&fleet.stage), &value, "text");
}

fn image_missing(world: &mut World, names: &Names, fleet: &FleetSeed, comes: bool) {
    if comes {
        ssm::remove(world, &names.ami(fleet));
    } else if ssm::value(world, &names.ami(fleet)).is_none() {
        let image = world.ids.ec2("ami-");
        ssm::put(world, &names.ami(fleet), &image, "aws:ec2:image");
    }
}

fn image_as_text(world: &mut World, names: &Names, fleet: &FleetSeed, comes: bool) {
    if comes {
        let text = format!("comfyui-{}-latest", fleet.slug);
        ssm::put(world, &names.ami(fleet), &text, "text");
    } else {
        let image = world.ids.ec2("ami-");
        ssm::put(world, &names.ami(fleet), &image, "aws:ec2:image");
    }
}

/// Staging tries an image that another account shares; when the scenario ends, an image of the account is there again.
fn image_of_others(world: &mut World, names: &Names, comes: bool) {
    let fleets = world.options.effective_fleets();
    let only = fleets.len() == 1;
    for fleet in fleets.iter().filter(|fleet| only || fleet.stage == "staging") {
        let image = world.ids.ec2("ami-");
        ssm::put(world, &names.ami(fleet), &image, "aws:ec2:image");
        if comes {
            ec2::share_image(world, &image, SHARING_ACCOUNT);
        }
    }
}

fn watch(world: &mut World, names: &Names, fleet: &FleetSeed) {
    if let Some(scaling) = FleetScaling::template(&fleet.template) {
        let watched = watched_slug(world, fleet);
        fleet_alarms::watch(world, names, fleet, &scaling, &watched);
    }
}

/// Without work the fleet goes to zero, by its step policy alone.
fn unsubscribed(world: &mut World, names: &Names, fleet: &FleetSeed, comes: bool) {
    if comes {
        let topic = sns::topic_arn(world, &names.core("scale-to-zero"));
        sns::drop_subscriptions(world, &topic, "lambda");
    } else {
        subscribe_function(world, names);
    }
    work(world, names, fleet);
}

fn drought(world: &mut World, names: &Names, fleet: &FleetSeed, comes: bool) {
    let now = world.now;
    if let Some(group) = autoscaling::group_mut(world, &names.group(fleet)) {
        group.drought = comes;
        if comes {
            group.reclaim_all(now);
        }
    }
}

/// A newer image was promoted; the running instances still have the one before.
fn promoted(world: &mut World, names: &Names, fleet: &FleetSeed) {
    let image = world.ids.ec2("ami-");
    ssm::put(world, &names.ami(fleet), &image, "aws:ec2:image");
}

/// Spot lets the running instances be, and starts no new one.
fn without_capacity(world: &mut World, names: &Names, fleet: &FleetSeed, comes: bool) {
    if comes {
        promoted(world, names, fleet);
    }
    if let Some(group) = autoscaling::group_mut(world, &names.group(fleet)) {
        group.drought = comes;
    }
}

fn hanging_workers(world: &mut World, names: &Names, fleet: &FleetSeed, comes: bool) {
    if comes {
        promoted(world, names, fleet);
    }
    if let Some(group) = autoscaling::group_mut(world, &names.group(fleet)) {
        group.hold_protection(comes);
    }
}

/// What workers of the fleet get who register from now on.
fn registration(world: &mut World, names: &Names, fleet: &FleetSeed, scenario: Scenario, comes: bool) {
    let Some(answer) = workload::broken_by(scenario) else {
        return;
    };
    match scenario {
        Scenario::FleetSecretStale if comes => secret(world, names, fleet, false),
        Scenario::WorkerAddressStale => stacks::refresh(world, names),
        _ => {}
    }
    if let Some(running) = workload::fleet_mut(world, &names.group(fleet)) {
        running.answer = comes.then_some(answer);
    }
}

/// The address that the user data of a fleet hand to its workers: scheme and host.
pub(super) fn address_of(world: &World, fleet: &FleetSeed) -> (&'static str, String) {
    if is_victim(world, fleet) {
        stacks::without_domain(world)
    } else {
        stacks::address(world)
    }
}

/// The alarm that starts the first instance goes, or comes back with the next deployment.
fn starter(world: &mut World, names: &Names, fleet: &FleetSeed, comes: bool) {
    if comes {
        fleet_alarms::drop_starter(world, names, fleet);
    } else if let Some(scaling) = FleetScaling::template(&fleet.template) {
        let watched = watched_slug(world, fleet);
        fleet_alarms::watch(world, names, fleet, &scaling, &watched);
    }
}

/// The work that the scenarios in force leave or add.
fn work(world: &mut World, names: &Names, fleet: &FleetSeed) {
    let usual = usual_work(fleet);
    let rules = WorkerRules {
        customers: if world.has(Scenario::ScaleToZeroUnsubscribed) {
            0
        } else {
            usual.customers
        },
        extra_per_minute: if world.has(Scenario::QueueSurge) {
            SURGE_PER_MINUTE
        } else {
            0.0
        },
        ..usual
    };
    if let Some(running) = workload::fleet_mut(world, &names.group(fleet)) {
        running.set_rules(rules);
    }
}
