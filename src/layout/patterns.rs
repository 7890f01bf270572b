//! The names of things of which there are many, as patterns: `*` stands for what tells one fleet from another.

use super::Layout;

impl Layout {
    /// `pattern` for every fleet that this layout is about: one per stage.
    fn of_fleets(&self, pattern: &str) -> Vec<String> {
        let mut patterns: Vec<String> = self
            .fleet_stages()
            .into_iter()
            .map(|stage| {
                self.fill(pattern)
                    .replace("{fs}", stage.as_str())
                    .replace("{slug}", "*")
            })
            .collect();
        patterns.sort();
        patterns.dedup();
        patterns
    }

    /// Auto Scaling groups of fleets.
    pub(crate) fn group_patterns(&self) -> Vec<String> {
        self.of_fleets(self.names().auto_scaling_group)
    }

    /// Log groups of GPU workers.
    pub(crate) fn fleet_log_patterns(&self) -> Vec<String> {
        self.of_fleets(self.names().fleet_logs)
    }

    /// Parameters that say which bundle is active.
    pub(crate) fn active_bundle_patterns(&self) -> Vec<String> {
        self.of_fleets(self.names().active_bundle_parameter)
    }

    /// Parameters from which the stacks of fleets are made; none in a layout that compiles them in.
    pub(crate) fn desired_config_patterns(&self) -> Vec<String> {
        let pattern = self.names().desired_config_parameter;
        pattern
            .into_iter()
            .flat_map(|pattern| self.of_fleets(pattern))
            .collect()
    }

    /// Parameters that say whether fleets are held.
    pub(crate) fn hold_patterns(&self) -> Vec<String> {
        self.of_fleets(self.names().hold_parameter)
    }

    /// Parameters that say which image instances start from.
    pub(crate) fn image_patterns(&self) -> Vec<String> {
        self.of_fleets(self.names().ami_parameter)
    }

    /// Parameters of fleets: image, active bundle, configuration.
    pub(crate) fn fleet_parameter_patterns(&self) -> Vec<String> {
        let names = self.names();
        let pointers = [
            Some(names.ami_parameter),
            Some(names.active_bundle_parameter),
            names.desired_config_parameter,
        ];
        pointers
            .into_iter()
            .flatten()
            .flat_map(|pattern| self.of_fleets(pattern))
            .collect()
    }

    /// Stacks of the platform: those of the core, then those of fleets.
    pub(crate) fn stack_patterns(&self) -> Vec<String> {
        let mut stacks = self.core_stacks();
        stacks.extend(self.of_fleets(self.names().fleet_stack));
        stacks.dedup();
        stacks
    }

    /// Alarms of fleets: their own begin with the stage, those that CDK makes for step policies with the stack, those
    /// of target tracking policies with `TargetTracking-` and the group (Amazon EC2 Auto Scaling User Guide, "Target
    /// tracking scaling policies").
    pub(crate) fn fleet_alarm_patterns(&self) -> Vec<String> {
        let stacks = self.of_fleets(self.names().fleet_stack);
        let groups = self.group_patterns();
        let mut alarms = self.of_fleets("{fs}-*");
        alarms.extend(
            stacks
                .into_iter()
                .map(|stack| format!("{}*", stack.trim_end_matches('*'))),
        );
        alarms.extend(groups.into_iter().map(|group| format!("TargetTracking-{group}")));
        alarms
    }

    /// Roles that CloudFormation names after the stack of the services: those of the tasks.
    pub(crate) fn task_role_pattern(&self) -> String {
        let stack = self.core_stack("compute").unwrap_or_default();
        format!("{stack}-*")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LayoutKind, Stage};
    use super::*;

    #[test]
    fn patterns_hold_the_names_of_the_layout_and_nothing_of_another_stage() {
        let single = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        assert_eq!(single.group_patterns(), ["asg-production-*", "asg-staging-*"]);
        assert_eq!(single.fleet_log_patterns(), ["/gpu-workers/*"]);
        assert_eq!(
            single.active_bundle_patterns(),
            [
                "/bp/fleets/production/*/active_bundle",
                "/bp/fleets/staging/*/active_bundle"
            ]
        );
        assert_eq!(
            single.image_patterns(),
            ["/bp/ami/fleets/production/*", "/bp/ami/fleets/staging/*"]
        );
        assert_eq!(single.task_role_pattern(), "bp-compute-*");
        let staged = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
        assert_eq!(staged.group_patterns(), ["asg-staging-*"]);
        assert_eq!(
            staged.active_bundle_patterns(),
            ["/bp/staging/assets/*/active_bundle"]
        );
        assert_eq!(staged.task_role_pattern(), "bp-staging-compute-*");
        assert!(
            staged
                .stack_patterns()
                .iter()
                .all(|stack| stack.starts_with("bp-staging-"))
        );
    }

    #[test]
    fn no_placeholder_is_left() {
        for layout in [
            Layout::new(LayoutKind::Single, "bp", None).unwrap(),
            Layout::new(LayoutKind::Staged, "bp", Some(Stage::Production)).unwrap(),
        ] {
            let patterns = [
                layout.group_patterns(),
                layout.fleet_parameter_patterns(),
                layout.stack_patterns(),
                layout.fleet_alarm_patterns(),
            ];
            for pattern in patterns.concat() {
                assert!(!pattern.contains(['{', '}']), "{pattern}");
            }
        }
    }
}
