//! What a reset makes of databases, their snapshots, subnet groups and networks. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Reset;
use super::observe::Seen;
use super::plan::{Action, PERMISSIONS, machine_id, single, stack_step};
use super::stays::{keeps_databases, left_alone};
use crate::aws::cloudformation::Stack;
use crate::aws::rds::removal::{DeleteDbSnapshot, DeleteDbSubnetGroup, ListedSnapshot};
use crate::change::{Basis, Loss, Step};
use crate::commands::teardown::database::{self, DatabaseAction};
use crate::leftovers::Kind;

pub(super) fn databases(change: &Reset<'_>, seen: &Seen) -> Vec<Step<Action>> {
    let mut steps = Vec::new();
    let facts = &seen.leftovers.facts;
    if !change.keeps(Kind::Database) {
        for instance in &facts.databases {
            let removal = DatabaseAction::removal(instance, None);
            steps.push(removal.step(&instance.status, Action::Database));
        }
        for group in seen.leftovers.of(Kind::DatabaseSubnetGroup) {
            let call = DeleteDbSubnetGroup {
                name: group.name.clone(),
            };
            let mut step = single(
                subnet_group_id(&group.name),
                "delete it",
                &call,
                Action::SubnetGroup,
            );
            let inside = facts.databases.iter();
            let inside = inside.filter(|one| one.subnet_group.as_ref() == Some(&group.name));
            step.needs = inside.map(|one| database::id(&one.id)).collect();
            steps.push(step);
        }
    }
    if !change.keeps(Kind::DatabaseSnapshot) {
        let all = seen.leftovers.of(Kind::DatabaseSnapshot);
        for snapshot in all.filter(|one| left_alone(change, seen, one).is_none()) {
            let call = DeleteDbSnapshot {
                name: snapshot.name.clone(),
            };
            let id = format!("database snapshot {}", snapshot.name);
            let mut step = single(id, "delete it", &call, Action::DatabaseSnapshot);
            step.notes.push(snapshot.about.clone());
            steps.push(step);
        }
    }
    steps
}

/// Of each database that does not stay, the newest of its snapshots when all of them go: nothing has its data afterwards.
pub(super) fn last_copies(change: &Reset<'_>, seen: &Seen, steps: &[Step<Action>]) -> Vec<String> {
    let facts = &seen.leftovers.facts;
    let goes = |snapshot: &ListedSnapshot| {
        let is_of = |step: &Step<Action>| matches!(&step.action, Action::DatabaseSnapshot(call) if call.name == snapshot.id);
        steps.iter().any(is_of)
    };
    let mut stays: BTreeSet<&str> = BTreeSet::new();
    if change.keeps(Kind::Database) {
        stays.extend(facts.databases.iter().map(|one| one.id.as_str()));
    }
    let mut newest: BTreeMap<&str, &ListedSnapshot> = BTreeMap::new();
    for snapshot in &facts.database_snapshots {
        if !goes(snapshot) {
            stays.insert(&snapshot.instance);
            continue;
        }
        let known = newest.entry(&snapshot.instance).or_insert(snapshot);
        if snapshot.taken > known.taken {
            *known = snapshot;
        }
    }
    newest.retain(|instance, _| !stays.contains(instance));
    let told = newest.into_iter().map(|(instance, snapshot)| {
        let stands = facts.databases.iter().any(|one| one.id == instance);
        let gone = match stands {
            true => "the database goes as well",
            false => "the database is gone already",
        };
        format!(
            "with snapshot {} goes the last copy of the data of database {instance}: {gone}, and no other snapshot of it \
             stays",
            snapshot.id
        )
    });
    told.collect()
}

pub(super) fn networks(change: &Reset<'_>, seen: &Seen, basis: &Basis<'_>) -> Vec<Step<Action>> {
    if keeps_databases(change, seen) {
        return Vec::new();
    }
    let facts = &seen.leftovers.facts;
    let inside = facts.databases.iter().map(|one| database::id(&one.id));
    let groups = seen.leftovers.of(Kind::DatabaseSubnetGroup);
    let machines = facts.machines.iter().map(|one| machine_id(&one.id));
    let inside: Vec<String> = inside
        .chain(groups.map(|one| subnet_group_id(&one.name)))
        .chain(machines)
        .collect();
    let step = |stack: &Stack| {
        let loses = Loss::Work(format!("what is in {}", stack.name));
        let mut step = stack_step(stack, "delete it and wait until it is gone", loses, basis);
        step.needs.clone_from(&inside);
        step.notes = vec![
            "a teardown that keeps a database leaves its network".to_owned(),
            PERMISSIONS.to_owned(),
        ];
        step
    };
    facts.stacks.iter().map(step).collect()
}

fn subnet_group_id(name: &str) -> String {
    format!("subnet group {name}")
}
