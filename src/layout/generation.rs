//! Which generation of the platform a stack belongs to, by its name. Old accounts hold a third one beside the
//! two layouts: the whole system once per stage, as in the staged layout, with a stack for each fleet.

use super::{FleetId, Layout, Stage};

/// A generation of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Generation {
    Single,
    Staged(Stage),
    /// `<prefix>-<stage>-gpu-fleet-<slug>` and `<prefix>-<stage>-gpu-shared`; nothing deploys it any more.
    Legacy(Stage),
}

impl Generation {
    /// As it is called in findings.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Single => "layout `single`".to_owned(),
            Self::Staged(stage) => format!("layout `staged`, stage {stage}"),
            Self::Legacy(stage) => {
                format!("a legacy generation between the two layouts, stage {stage}")
            }
        }
    }
}

const SINGLE: [&str; 6] = ["cicd", "network", "data", "compute", "monitoring", "gpu-shared"];
const STAGED: [&str; 6] = ["cicd", "network", "data", "compute", "gpu", "monitoring"];

impl Layout {
    /// The generation that a stack of this name belongs to; `None` for what is not the platform's.
    ///
    /// The core stacks of the legacy generation are called as those of the staged layout.
    pub(crate) fn generation_of(&self, stack: &str) -> Option<Generation> {
        let rest = stack.strip_prefix(&self.prefix)?.strip_prefix('-')?;
        for stage in Stage::ALL {
            let Some(what) = rest
                .strip_prefix(stage.as_str())
                .and_then(|rest| rest.strip_prefix('-'))
            else {
                continue;
            };
            if what == "gpu-shared" || what.starts_with("gpu-fleet-") {
                return Some(Generation::Legacy(stage));
            }
            if STAGED.contains(&what) {
                return Some(Generation::Staged(stage));
            }
        }
        let of_fleet = Stage::ALL
            .into_iter()
            .any(|stage| rest.starts_with(&format!("gpu-fleet-{stage}-")));
        (of_fleet || SINGLE.contains(&rest)).then_some(Generation::Single)
    }

    /// The fleet whose stack of the legacy generation has this name.
    pub(crate) fn legacy_fleet_of_stack(&self, stack: &str) -> Option<FleetId> {
        let Some(Generation::Legacy(stage)) = self.generation_of(stack) else {
            return None;
        };
        let (_, slug) = stack.split_once("-gpu-fleet-")?;
        let slug = slug.parse().ok()?;
        Some(FleetId { stage, slug })
    }

    /// Whether a stack of this name may be one of this layout's.
    pub(crate) fn has_stack(&self, stack: &str) -> bool {
        self.core_stacks().iter().any(|core| core == stack) || self.fleet_of_stack(stack).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::LayoutKind;

    #[test]
    fn three_generations_are_told_apart_by_their_stacks() {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        for (stack, generation) in [
            ("bp-network", Some(Generation::Single)),
            ("bp-gpu-shared", Some(Generation::Single)),
            ("bp-gpu-fleet-production-gpu-default", Some(Generation::Single)),
            ("bp-staging-gpu", Some(Generation::Staged(Stage::Staging))),
            ("bp-production-data", Some(Generation::Staged(Stage::Production))),
            ("bp-staging-gpu-shared", Some(Generation::Legacy(Stage::Staging))),
            (
                "bp-production-gpu-fleet-upscale",
                Some(Generation::Legacy(Stage::Production)),
            ),
            ("bp-other", None),
            ("bpx-network", None),
            ("CDKToolkit", None),
        ] {
            assert_eq!(layout.generation_of(stack), generation, "{stack}");
        }
        let fleet = |stack: &str| layout.legacy_fleet_of_stack(stack).map(|id| id.to_string());
        assert_eq!(
            fleet("bp-production-gpu-fleet-upscale").as_deref(),
            Some("production/upscale")
        );
        for stack in [
            "bp-staging-gpu-shared",
            "bp-gpu-fleet-staging-x",
            "bp-staging-gpu",
        ] {
            assert_eq!(fleet(stack), None, "{stack}");
        }
        assert!(layout.has_stack("bp-data") && !layout.has_stack("bp-staging-gpu-fleet-x"));
    }
}
