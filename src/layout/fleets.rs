//! From names back to fleets: which fleet owns a stack or a parameter, and where a fleet's parameters lie.

use super::{FleetId, Layout, LayoutKind, Slug, Stage};

/// A path in Parameter Store under which fleets keep their parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ParameterPath {
    pub(crate) path: String,
    /// Whether the parameters lie further down than directly under the path.
    pub(crate) recursive: bool,
}

impl Layout {
    /// The stages that fleets of this layout (and, in the single one, of this filter) are in.
    pub(crate) fn fleet_stages(&self) -> Vec<Stage> {
        match self.stage() {
            Some(stage) => vec![stage],
            None => Stage::ALL.to_vec(),
        }
    }

    /// The fleet whose own stack has this name; `None` where a stack holds many fleets.
    pub(crate) fn fleet_of_stack(&self, stack: &str) -> Option<FleetId> {
        self.fleet_in(self.names().fleet_stack, stack)
    }

    /// The fleet that a parameter of this name belongs to.
    ///
    /// The staged layout's AMI pointer does not say which stage it is for, so it belongs to none.
    pub(crate) fn fleet_of_parameter(&self, parameter: &str) -> Option<FleetId> {
        let names = self.names();
        [
            Some(names.ami_parameter),
            Some(names.active_bundle_parameter),
            names.desired_config_parameter,
        ]
        .into_iter()
        .flatten()
        .find_map(|pattern| self.fleet_in(pattern, parameter))
    }

    /// The fleet whose instances start from what the parameter of this name says. In the staged layout the name does not
    /// say the stage: the fleet of the context's own is meant.
    pub(crate) fn fleet_of_image_pointer(&self, parameter: &str) -> Option<FleetId> {
        let slug: Slug = parameter.rsplit('/').next()?.parse().ok()?;
        let fleets = self.fleet_stages().into_iter().map(|stage| FleetId {
            stage,
            slug: slug.clone(),
        });
        fleets
            .into_iter()
            .find(|fleet| self.ami_parameter(fleet) == parameter)
    }

    /// The paths that hold the parameters of every fleet of `stage`.
    pub(crate) fn fleet_parameter_paths(&self, stage: Stage) -> Vec<ParameterPath> {
        let names = self.names();
        let patterns = [
            Some(names.ami_parameter),
            Some(names.active_bundle_parameter),
            names.desired_config_parameter,
        ];
        let mut paths: Vec<ParameterPath> = patterns
            .into_iter()
            .flatten()
            .filter_map(|pattern| {
                let filled = self.fill(pattern).replace("{fs}", stage.as_str());
                let (before, after) = filled.split_once("/{slug}")?;
                Some(ParameterPath {
                    path: before.to_owned(),
                    recursive: !after.is_empty(),
                })
            })
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// Reads `text` as `pattern` filled in for some fleet.
    fn fleet_in(&self, pattern: &str, text: &str) -> Option<FleetId> {
        if !pattern.contains("{fs}") {
            return None;
        }
        let stages = match self.kind() {
            LayoutKind::Single => Stage::ALL.to_vec(),
            LayoutKind::Staged => self.fleet_stages(),
        };
        stages.into_iter().find_map(|stage| {
            let filled = self.fill(pattern).replace("{fs}", stage.as_str());
            let (before, after) = filled.split_once("{slug}")?;
            let slug: Slug = text.strip_prefix(before)?.strip_suffix(after)?.parse().ok()?;
            Some(FleetId { stage, slug })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single() -> Layout {
        Layout::new(LayoutKind::Single, "bp", None).unwrap()
    }

    fn staged() -> Layout {
        Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap()
    }

    fn fleet(text: &str) -> FleetId {
        text.parse().unwrap()
    }

    #[test]
    fn every_name_of_a_fleet_leads_back_to_it() {
        let layout = single();
        let id = fleet("production/gpu-default");
        assert_eq!(layout.fleet_of_stack(&layout.fleet_stack(&id)), Some(id.clone()));
        for name in [
            Some(layout.ami_parameter(&id)),
            Some(layout.active_bundle_parameter(&id)),
            layout.desired_config_parameter(&id),
        ] {
            assert_eq!(layout.fleet_of_parameter(&name.unwrap()), Some(id.clone()));
        }
    }

    #[test]
    fn what_belongs_to_no_fleet_leads_nowhere() {
        let layout = single();
        for name in [
            "/bp/fleets/production/fleet-secret",
            "/bp/fleets/production/a/b/active_bundle",
            "/bp/ami/fleets/prod/x",
            "/bp/models/bucket",
        ] {
            assert_eq!(layout.fleet_of_parameter(name), None, "{name}");
        }
        assert_eq!(layout.fleet_of_stack("bp-gpu-shared"), None);
        assert_eq!(layout.fleet_of_stack("bp-gpu-fleet-production-"), None);
    }

    #[test]
    fn the_staged_ami_pointer_belongs_to_no_stack_and_the_stack_to_all_fleets() {
        let layout = staged();
        assert_eq!(layout.fleet_of_parameter("/bp/ami/image-to-video"), None);
        assert_eq!(layout.fleet_of_stack("bp-staging-gpu"), None);
        assert_eq!(
            layout.fleet_of_parameter("/bp/staging/assets/image-to-video/active_bundle"),
            Some(fleet("staging/image-to-video"))
        );
        assert_eq!(
            layout.fleet_of_parameter("/bp/production/assets/image-to-video/active_bundle"),
            None
        );
    }

    #[test]
    fn two_paths_hold_all_parameters_of_a_stage() {
        let path = |path: &str, recursive| ParameterPath {
            path: path.to_owned(),
            recursive,
        };
        assert_eq!(
            single().fleet_parameter_paths(Stage::Production),
            [
                path("/bp/ami/fleets/production", false),
                path("/bp/fleets/production", true)
            ]
        );
        assert_eq!(
            staged().fleet_parameter_paths(Stage::Staging),
            [path("/bp/ami", false), path("/bp/staging/assets", true)]
        );
    }
}
