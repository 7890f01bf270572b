//! What a reset leaves: by choice, for a reason of its own, or because it is not the platform's. Pure.

use super::Reset;
use super::observe::Seen;
use crate::leftovers::{ASSUMPTIONS, Kind, Leftover};
use crate::output::counted;

/// Whether the operator keeps databases: their networks and the secrets with their master credentials stay with them.
pub(super) fn keeps_databases(change: &Reset<'_>, seen: &Seen) -> bool {
    let kinds = [Kind::Database, Kind::DatabaseSubnetGroup];
    change.keeps(Kind::Database) && kinds.iter().any(|kind| seen.leftovers.of(*kind).next().is_some())
}

pub(super) fn is_kept(change: &Reset<'_>, seen: &Seen, one: &Leftover) -> bool {
    let with_databases = match one.kind {
        Kind::Stack => true,
        // In force with the database, or the copy that a teardown has made.
        Kind::Secret => one.name.ends_with("/master-credentials"),
        _ => false,
    };
    change.keeps(one.kind) || (with_databases && keeps_databases(change, seen))
}

/// The platform's own that a reset does not touch, and why.
pub(super) fn left_alone(change: &Reset<'_>, seen: &Seen, one: &Leftover) -> Option<String> {
    match one.kind {
        Kind::DatabaseSnapshot if !change.backups && seen.leftovers.facts.is_of_backup(one) => {
            Some("a backup stands on it".to_owned())
        }
        // A stack that was deployed with a service role is deleted with it (AWS CloudFormation API Reference, DeleteStack,
        // "RoleARN"), and the CDK's role is one of its bootstrap (CDK Developer Guide, "Bootstrapping").
        Kind::Bootstrap if keeps_databases(change, seen) => {
            let stacks = seen.leftovers.facts.stacks.iter();
            let names: Vec<&str> = stacks.map(|stack| stack.name.as_str()).collect();
            let stay = match names.len() {
                0 => return None,
                1 => "stays",
                _ => "stay",
            };
            Some(format!(
                "{} {stay}, and CloudFormation deletes what the CDK has deployed with a role of its bootstrap",
                names.join(", ")
            ))
        }
        _ => None,
    }
}

fn dollars(amount: Option<f64>) -> String {
    match amount {
        Some(amount) => format!("${amount:.2} a month"),
        None => "price not known here".to_owned(),
    }
}

/// What stays by choice or for a reason of its own, with what it costs, and what is not the platform's, with the reason.
pub(super) fn stays(change: &Reset<'_>, seen: &Seen) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut sum, mut parameters) = (0.0, 0_u64);
    let ours = seen.leftovers.ours.iter();
    for one in ours.filter(|one| is_kept(change, seen, one)) {
        sum += one.dollars_per_month.unwrap_or_default();
        match one.kind {
            Kind::Parameter => parameters += 1,
            kind => lines.push(format!(
                "{} {} ({}): {}",
                kind.word(),
                one.name,
                one.about,
                dollars(one.dollars_per_month)
            )),
        }
    }
    if parameters > 0 {
        lines.push(format!("{}: free of charge", counted(parameters, "parameter")));
    }
    for one in &seen.leftovers.ours {
        let Some(why) = left_alone(change, seen, one).filter(|_| !is_kept(change, seen, one)) else {
            continue;
        };
        sum += one.dollars_per_month.unwrap_or_default();
        lines.push(format!(
            "left alone: {} {} ({}): {why}",
            one.kind.word(),
            one.name,
            dollars(one.dollars_per_month)
        ));
    }
    if !lines.is_empty() {
        lines.push(format!(
            "all of it about ${sum:.2} a month: {}",
            ASSUMPTIONS.join("; ")
        ));
    }
    for (group, why) in seen
        .used_groups
        .iter()
        .map(|group| (group, "something else uses it"))
    {
        lines.push(format!(
            "left alone: {} {group}: {why}",
            Kind::DevSecurityGroup.word()
        ));
    }
    for (snapshot, image) in &seen.other_images {
        lines.push(format!(
            "left alone: {} {snapshot}: {image} stands on it, which is not the platform's",
            Kind::ImageSnapshot.word()
        ));
    }
    for one in &seen.leftovers.others {
        lines.push(format!(
            "left alone: {} {}: {}",
            one.kind.word(),
            one.name,
            one.why
        ));
    }
    lines
}
