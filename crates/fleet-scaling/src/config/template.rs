//! The platform's fleet templates as complete configurations.

use super::error::{ConfigError, Problem};
use super::spec::{
    AlarmSpec, ColdStart, FleetSpec, InstanceTypeSpec, JobsSpec, OnDemandSpec, PolicySpec, ScaleToZeroSpec,
    SpotSpec, one_zone,
};
use crate::fleet::{self, FleetScaling, StepScaling};
use crate::metrics::Statistic;

impl FleetSpec {
    /// The fleet that the platform makes of the template `slug`: all Spot, 0→1 and to 0 by two step policies
    /// on the queue, 1→N by target tracking of the backlog, and scale to zero with missing data as breaching.
    /// Its `QueueDepth` counts the jobs that are not done, also those that run.
    ///
    /// Prices are the on-demand list prices; set `hourly_price` to the Spot prices of the day.
    ///
    /// # Errors
    /// No template has this slug.
    pub fn from_template(slug: &str) -> Result<Self, ConfigError> {
        let scaling = FleetScaling::template(slug).ok_or_else(|| {
            let name = slug.to_owned();
            ConfigError::new("template", Problem::UnknownTemplate { name })
        })?;
        Ok(Self::from_scaling(&scaling))
    }

    /// The fleet that the platform makes of a scaling configuration; see [`Self::from_template`].
    #[must_use]
    pub fn from_scaling(scaling: &FleetScaling) -> Self {
        let [upper, lower] = scaling.step_policies().map(step);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            min: i64::from(scaling.limits.min),
            max: i64::from(scaling.limits.max),
            warmup_seconds: scaling.warmup.as_secs_f64(),
            capacity_rebalance: true,
            deploy_desired: None,
            zones: one_zone(),
            cold_start: ColdStart::default(),
            scale_to_zero: Some(ScaleToZeroSpec::platform(count(scaling.scale_to_zero_minutes))),
            jobs: JobsSpec {
                // The "pending jobs" of the runbook's "Monitoring Workers" are, in the backend's scheduler
                // that publishes them, those that are queued and those that are leased to a worker.
                depth_counts_running: true,
                ..JobsSpec::default()
            },
            instance_types: scaling
                .instance_types
                .iter()
                .map(|name| InstanceTypeSpec {
                    name: name.clone(),
                    hourly_price: None,
                    speed: 1.0,
                    spot: Some(SpotSpec::default()),
                })
                .collect(),
            policies: vec![
                upper,
                PolicySpec::TargetTracking {
                    name: "backlog".to_owned(),
                    metric: fleet::BACKLOG.into(),
                    statistic: Statistic::Average,
                    target: scaling.backlog_target,
                    disable_scale_in: false,
                    alarms: None,
                    floor: 0,
                },
                lower,
            ],
            publishes: fleet::publishes(),
            on_demand: OnDemandSpec::default(),
            schedule: Vec::new(),
            lifecycle_hooks: Vec::new(),
            not_modelled: Vec::new(),
        }
    }
}

fn step(scaling: StepScaling) -> PolicySpec {
    let StepScaling { side, policy, rule } = scaling;
    PolicySpec::Step {
        name: format!("queue-{side}"),
        adjustment_type: policy.adjustment_type,
        minimum_adjustment_magnitude: policy.minimum_adjustment_magnitude,
        alarm: AlarmSpec {
            metric: fleet::QUEUE_DEPTH.into(),
            statistic: Statistic::Maximum,
            period_seconds: 60.0,
            comparison: rule.comparison,
            threshold: rule.threshold,
            evaluation_periods: i64::try_from(rule.evaluation_periods).unwrap_or(i64::MAX),
            datapoints_to_alarm: None,
            missing_data: rule.missing_data,
        },
        steps: policy.steps,
    }
}

#[cfg(test)]
impl FleetSpec {
    /// A fleet with one step policy of two steps, a publisher that says no backlog without workers, and a
    /// tracking policy that keeps the last instance: scale to zero alone takes it to zero.
    pub(crate) fn one_step() -> Self {
        use crate::alarm::{Comparison, MissingData};
        let mut spec = Self::from_template("gpu-default").unwrap();
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
