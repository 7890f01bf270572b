//! Whether the platform is in this account and region at all, and what of older generations is left there.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::error::{CommandLine, ErrorKind};
use crate::layout::{Generation, LayoutKind};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{MISSING, Snapshot};
use crate::triage::wording::count;

/// Stacks that a finding names one by one.
const NAMED: usize = 6;

/// The one finding where there is nothing of the layout: no stack and no service. Everything else that
/// could be said of such a place follows from it.
pub(super) fn absent(snapshot: &Snapshot) -> Option<Finding> {
    let layout = &snapshot.layout;
    let Ok(names) = &snapshot.stack_names else {
        return None;
    };
    let no_service = match &snapshot.services {
        Ok(services) => services.iter().all(|service| service.ecs.status == MISSING),
        // There is not even the cluster.
        Err(blind) => blind.kind == ErrorKind::NotFound,
    };
    // The groups of fleets have the same names in every generation: they say nothing.
    if !no_service || names.iter().any(|name| layout.has_stack(name)) {
        return None;
    }
    let mut finding = Finding::new(
        Code::PlatformAbsent,
        Node::Place,
        format!("layout {}", layout.kind()),
    )
    .evidence(format!(
        "no stack of layout `{}` here, such as `{}`; no service of it either",
        layout.kind(),
        layout.core_stacks().first().map_or("", String::as_str)
    ));
    let others = generations(snapshot);
    for (generation, stacks) in &others {
        finding = finding.evidence(format!("{} has {}", generation.describe(), listed(stacks)));
    }
    if others.is_empty() {
        finding = finding.evidence(match names.len() {
            0 => "there is no stack at all in this region".to_owned(),
            number => format!(
                "none of the {} of this region is the platform's",
                count(number, "stack")
            ),
        });
    }
    finding = finding
        .cause(if others.is_empty() {
            "another account or region is meant, or the platform was never deployed here"
        } else {
            "another layout or stage is meant"
        })
        .next(CommandLine::bpctl(["whoami"]));
    for generation in others.keys() {
        finding = match generation {
            Generation::Single if layout.kind() != LayoutKind::Single => {
                finding.next(CommandLine::bpctl(["--layout", "single", "triage"]))
            }
            Generation::Staged(stage) => finding.next(CommandLine::bpctl([
                "--layout",
                "staged",
                "--stage",
                stage.as_str(),
                "triage",
            ])),
            Generation::Single | Generation::Legacy(_) => finding,
        };
    }
    Some(finding)
}

/// Stacks of the generation that nothing deploys any more.
pub(super) fn legacy(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    generations(snapshot)
        .into_iter()
        .filter(|(generation, _)| matches!(generation, Generation::Legacy(_)))
        .map(|(generation, stacks)| {
            let mut finding = Finding::new(
                Code::LegacyStacks,
                Node::Stack(stacks.first().cloned().unwrap_or_default()),
                count(stacks.len(), "stack"),
            )
            .evidence(format!("{}: {}", generation.describe(), listed(&stacks)))
            .cause("fleets of an older deployment are left in the account: they may cost money, and no workflow updates them");
            for stack in stacks.iter().take(NAMED) {
                finding = finding.next(commands::stack_resources(stack));
            }
            finding
        })
        .collect()
}

/// The stacks of other generations than the layout's own, by generation.
fn generations(snapshot: &Snapshot) -> BTreeMap<Generation, Vec<String>> {
    let layout = &snapshot.layout;
    let mut found: BTreeMap<Generation, Vec<String>> = BTreeMap::new();
    for name in snapshot.stack_names.iter().flatten() {
        if layout.has_stack(name) {
            continue;
        }
        if let Some(generation) = layout.generation_of(name) {
            found.entry(generation).or_default().push(name.clone());
        }
    }
    found
}

fn listed(stacks: &[String]) -> String {
    let named: Vec<String> = stacks
        .iter()
        .take(NAMED)
        .map(|stack| format!("`{stack}`"))
        .collect();
    match stacks.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::{evaluate, sample};

    fn elsewhere(stacks: &[&str]) -> Snapshot {
        let mut snapshot = sample::healthy();
        for service in snapshot.services.as_mut().unwrap() {
            service.ecs.status = MISSING.to_owned();
        }
        snapshot.stack_names = Ok(stacks.iter().map(|name| (*name).to_owned()).collect());
        snapshot
    }

    #[test]
    fn a_place_without_the_platform_is_one_finding() {
        let found = evaluate(&elsewhere(&["CDKToolkit"]), sample::now());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, Code::PlatformAbsent);
        assert!(found[0].evidence[0].starts_with("no stack of layout `single` here"));
        assert_eq!(found[0].symptoms, []);
    }

    #[test]
    fn another_layout_is_named_with_the_command_that_looks_at_it() {
        let found = evaluate(
            &elsewhere(&["bp-staging-network", "bp-staging-gpu"]),
            sample::now(),
        );
        assert_eq!(
            found[0].evidence[1],
            "layout `staged`, stage staging has `bp-staging-network`, `bp-staging-gpu`"
        );
        assert_eq!(found[0].next[1], "bpctl --layout staged --stage staging triage");
    }

    #[test]
    fn one_stack_of_the_layout_is_enough_to_be_the_right_place() {
        assert!(absent(&elsewhere(&["bp-data"])).is_none());
        assert!(absent(&sample::healthy()).is_none());
    }

    #[test]
    fn what_an_older_generation_left_is_named() {
        let mut snapshot = sample::healthy();
        assert!(legacy(&snapshot, sample::now()).is_empty());
        let names = ["bp-data", "bp-staging-gpu-shared", "bp-staging-gpu-fleet-upscale"];
        snapshot.stack_names = Ok(names.map(str::to_owned).to_vec());
        let found = legacy(&snapshot, sample::now());
        assert_eq!(found[0].code, Code::LegacyStacks);
        assert!(
            found[0].evidence[0].contains("legacy"),
            "{}",
            found[0].evidence[0]
        );
        assert!(found[0].evidence[0].contains("`bp-staging-gpu-fleet-upscale`"));
    }
}
