//! The rules: pure functions from what was seen to what is wrong.
//!
//! A rule that needs an answer which a probe could not give keeps silent; [`blind`] reports the gap.

mod addresses;
mod alarms;
mod blind;
mod database;
mod database_states;
mod deployments;
mod fleet_alarms;
mod fleet_capacity;
mod fleet_holds;
mod fleet_launches;
mod fleet_metrics;
mod fleet_pointers;
mod fleet_policies;
mod fleet_workers;
mod fleets;
mod images;
mod launch_words;
mod logs;
mod memory;
mod migrations;
mod network;
mod oauth;
mod place;
mod publishers;
mod redis_memory;
mod registrations;
mod responses;
mod secrets;
mod services;
mod stacks;
mod targets;
mod task_faults;
mod tasks;

#[cfg(test)]
pub(crate) mod sample;

pub(crate) use stacks::of_stack;

use jiff::Timestamp;

use super::finding::Finding;
use super::fold::fold;
use super::snapshot::Snapshot;

type Rule = fn(&Snapshot, Timestamp) -> Vec<Finding>;

/// Every rule that needs only the snapshot.
const RULES: &[Rule] = &[
    services::rule,
    deployments::rule,
    tasks::rule,
    migrations::rule,
    images::rule,
    secrets::rule,
    oauth::rule,
    targets::rule,
    responses::errors,
    responses::upstream,
    database::rule,
    database::log_rule,
    network::nat,
    network::redis,
    redis_memory::rule,
    stacks::rule,
    place::legacy,
    fleet_metrics::rule,
    fleet_alarms::rule,
    fleet_policies::rule,
    fleet_pointers::amis,
    fleet_pointers::secrets,
    fleet_pointers::topics,
    fleet_launches::rule,
    fleet_launches::suspended,
    fleet_holds::rule,
    publishers::rule,
    addresses::rule,
    registrations::rule,
    fleet_workers::rule,
    fleet_workers::jobs,
    fleet_capacity::rule,
    fleet_capacity::queues,
    alarms::actions,
    alarms::missing,
    alarms::unheard,
    blind::rule,
];

/// What is wrong: root causes with their symptoms, in the order in which to deal with them.
pub(crate) fn evaluate(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    if let Some(absent) = place::absent(snapshot) {
        return vec![absent];
    }
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(snapshot, now)).collect();
    let alarms = alarms::on(snapshot, now, &findings);
    findings.extend(alarms);
    fold(findings)
}
