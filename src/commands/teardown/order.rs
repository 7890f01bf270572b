//! In which order stacks go. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::{Generation, Layout, LayoutKind};

/// What a stack is for, in the order in which the parts of a system go (runbook, "Full teardown"; the staged layout's
/// monitoring goes before its fleets, and no other layout has a `gpu` stack).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Fleet,
    GpuShared,
    Monitoring,
    Gpu,
    Compute,
    Data,
    Network,
    Cicd,
}

/// Which part of which system a stack is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) generation: Generation,
    pub(super) part: Part,
    /// What the names of the system's stacks begin with, which is also the name of its cluster: `bp` or `bp-staging`.
    pub(super) system: String,
}

impl Place {
    /// `None` for a stack that is not the platform's.
    pub(super) fn of(layout: &Layout, stack: &str) -> Option<Self> {
        let generation = layout.generation_of(stack)?;
        let prefix = layout.prefix();
        let system = match generation {
            Generation::Single => prefix.to_owned(),
            Generation::Staged(stage) | Generation::Legacy(stage) => format!("{prefix}-{stage}"),
        };
        let rest = stack.strip_prefix(&system)?.strip_prefix('-')?;
        let part = match rest {
            "gpu-shared" => Part::GpuShared,
            "monitoring" => Part::Monitoring,
            "gpu" => Part::Gpu,
            "compute" => Part::Compute,
            "data" => Part::Data,
            "network" => Part::Network,
            "cicd" => Part::Cicd,
            _ => Part::Fleet,
        };
        Some(Self {
            generation,
            part,
            system,
        })
    }

    /// The stack of the system's services, which write to its database.
    pub(super) fn compute_stack(&self) -> String {
        format!("{}-compute", self.system)
    }

    /// The names of the system that the stack belongs to.
    pub(super) fn layout(&self, layout: &Layout) -> Option<Layout> {
        let (kind, stage) = match self.generation {
            Generation::Single => (LayoutKind::Single, None),
            Generation::Staged(stage) | Generation::Legacy(stage) => (LayoutKind::Staged, Some(stage)),
        };
        Layout::new(kind, layout.prefix(), stage).ok()
    }

    /// Whether it is part of what this layout names, the stacks of an older generation of its stage included.
    pub(super) fn is_in(&self, layout: &Layout) -> bool {
        match (layout.kind(), self.generation) {
            (LayoutKind::Single, Generation::Single) => true,
            (LayoutKind::Staged, Generation::Staged(stage) | Generation::Legacy(stage)) => {
                layout.stage() == Some(stage)
            }
            (LayoutKind::Single, _) | (LayoutKind::Staged, Generation::Single) => false,
        }
    }
}

/// A stack among those that go.
#[derive(Clone, Debug)]
pub(super) struct Going<'a> {
    pub(super) name: &'a str,
    pub(super) place: &'a Place,
    pub(super) importers: &'a BTreeSet<String>,
}

/// The names of the stacks that go before each one, in the order of the deletion. What imports goes before what
/// exports, whatever the parts say; among the rest the parts decide.
pub(super) fn order(stacks: &[Going<'_>]) -> Vec<(String, Vec<String>)> {
    let mut left: Vec<&Going<'_>> = stacks.iter().collect();
    let mut done: Vec<&Going<'_>> = Vec::new();
    while !left.is_empty() {
        let is_free = |one: &&&Going<'_>| {
            !one.importers
                .iter()
                .any(|importer| left.iter().any(|other| other.name == importer))
        };
        let by_part = |one: &&Going<'_>| (one.place.part, one.name.to_owned());
        // Stacks cannot import from each other in a circle: one is always free.
        let free = left.iter().filter(is_free).copied().min_by_key(by_part);
        let Some(next) = free.or_else(|| left.iter().copied().min_by_key(by_part)) else {
            break;
        };
        left.retain(|one| one.name != next.name);
        done.push(next);
    }
    let mut before: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (at, one) in done.iter().enumerate() {
        let needs = done[..at].iter().filter(|earlier| {
            let same = earlier.place.system == one.place.system && earlier.place.part < one.place.part;
            same || one.importers.contains(earlier.name)
        });
        before.insert(one.name, needs.map(|earlier| earlier.name.to_owned()).collect());
    }
    done.iter()
        .map(|one| (one.name.to_owned(), before.remove(one.name).unwrap_or_default()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Stage;

    fn single() -> Layout {
        Layout::new(LayoutKind::Single, "bp", None).unwrap()
    }

    fn ordered(stacks: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        let layout = single();
        let known: Vec<(Place, BTreeSet<String>)> = stacks
            .iter()
            .map(|(name, importers)| {
                let importers = importers.iter().map(|name| (*name).to_owned()).collect();
                (Place::of(&layout, name).unwrap(), importers)
            })
            .collect();
        let going: Vec<Going<'_>> = stacks
            .iter()
            .zip(&known)
            .map(|((name, _), (place, importers))| Going {
                name,
                place,
                importers,
            })
            .collect();
        order(&going)
    }

    #[test]
    fn the_single_layout_goes_in_the_order_of_the_runbook() {
        let found = ordered(&[
            ("bp-cicd", &[]),
            ("bp-network", &[]),
            ("bp-data", &[]),
            ("bp-compute", &[]),
            ("bp-monitoring", &[]),
            ("bp-gpu-shared", &[]),
            ("bp-gpu-fleet-staging-a", &[]),
        ]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "bp-gpu-fleet-staging-a",
                "bp-gpu-shared",
                "bp-monitoring",
                "bp-compute",
                "bp-data",
                "bp-network",
                "bp-cicd"
            ]
        );
        assert_eq!(
            found[3].1,
            ["bp-gpu-fleet-staging-a", "bp-gpu-shared", "bp-monitoring"]
        );
    }

    #[test]
    fn monitoring_of_the_staged_layout_goes_before_its_fleets() {
        let found = ordered(&[
            ("bp-staging-gpu", &[]),
            ("bp-staging-monitoring", &[]),
            ("bp-staging-compute", &[]),
        ]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["bp-staging-monitoring", "bp-staging-gpu", "bp-staging-compute"]
        );
    }

    #[test]
    fn what_imports_goes_first_whatever_the_parts_say() {
        let found = ordered(&[
            ("bp-monitoring", &["bp-compute"]),
            ("bp-compute", &[]),
            ("bp-data", &[]),
        ]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bp-compute", "bp-monitoring", "bp-data"]);
        // No stack waits for one that waits for it.
        assert_eq!(found[0].1, [""; 0]);
        assert_eq!(found[1].1, ["bp-compute"]);
    }

    #[test]
    fn systems_do_not_wait_for_each_other() {
        let found = ordered(&[("bp-data", &[]), ("bp-staging-network", &[])]);
        assert!(found.iter().all(|(_, needs)| needs.is_empty()), "{found:?}");
    }

    #[test]
    fn a_context_is_about_its_own_layout_and_stage() {
        let staged = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
        for (layout, stack, is) in [
            (&single(), "bp-data", true),
            (&single(), "bp-staging-data", false),
            (&staged, "bp-staging-data", true),
            (&staged, "bp-staging-gpu-fleet-old", true),
            (&staged, "bp-production-data", false),
            (&staged, "bp-data", false),
        ] {
            assert_eq!(Place::of(layout, stack).unwrap().is_in(layout), is, "{stack}");
        }
        assert_eq!(Place::of(&single(), "CDKToolkit"), None);
        assert_eq!(
            Place::of(&single(), "bp-staging-gpu-fleet-x").unwrap().system,
            "bp-staging"
        );
    }
}
