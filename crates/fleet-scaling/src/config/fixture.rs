//! Fleets that tests begin with.

use super::spec::{FleetSpec, PolicySpec};

impl FleetSpec {
    /// `examples/two-steps.toml`.
    pub(crate) fn two_steps() -> Self {
        toml::from_str(include_str!("../../examples/two-steps.toml")).unwrap()
    }

    /// A fleet with one step policy of two steps, a publisher that says no backlog without workers, and a
    /// tracking policy that keeps the last instance: scale to zero alone takes it to zero.
    pub(crate) fn one_step() -> Self {
        use crate::alarm::{Comparison, MissingData};
        let mut spec = Self::two_steps();
        spec.jobs.backlog_without_workers = false;
        spec.policies.truncate(2);
        if let PolicySpec::Step {
            name, alarm, steps, ..
        } = &mut spec.policies[0]
        {
            "queue-has-jobs".clone_into(name);
            alarm.comparison = Comparison::GreaterThanThreshold;
            alarm.threshold = 0.0;
            alarm.missing_data = MissingData::NotBreaching;
            let none = crate::policy::StepAdjustment {
                lower: None,
                upper: Some(0.0),
                adjustment: 0,
            };
            steps.insert(0, none);
        }
        if let PolicySpec::TargetTracking { floor, .. } = &mut spec.policies[1] {
            *floor = 1;
        }
        spec
    }
}
