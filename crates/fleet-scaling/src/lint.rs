//! Configurations that contradict themselves, each with what comes of it and what to change.
//!
//! A finding is not an opinion: the configuration and its correction are simulated on the same jobs,
//! and the finding carries both results.

mod asked;
mod evidence;
mod instances;
mod policies;
mod pool;
mod steps;
mod tracking;
mod zero;

use serde::Serialize;

pub use evidence::{Evidence, Outcome};

use crate::config::FleetConfig;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Something is there without any effect.
    Note,
    /// It costs money or time under some load.
    Warning,
    /// It loses work, or the fleet stays down.
    Error,
}

/// A contradiction in a configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Finding {
    /// A stable name of the rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The field that it is about.
    pub field: String,
    /// What contradicts what.
    pub problem: String,
    /// What comes of it, with the simulated numbers where there are any.
    pub consequence: String,
    /// What to change.
    pub fix: String,
    /// Why it is not known whether it holds: it rests on a simulation without a part that is not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// The simulation of the configuration as it is and with the fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

type Rule = fn(&FleetConfig) -> Option<Finding>;

const RULES: [Rule; 23] = [
    zero::nothing_leaves_zero,
    zero::nothing_scales_in,
    zero::a_step_overtakes_scale_to_zero,
    steps::breaches_that_no_step_answers,
    steps::thresholds_overlap,
    tracking::tracking_a_metric_that_does_not_fall,
    tracking::two_targets_on_one_metric,
    instances::jobs_outlive_spot_instances,
    instances::leases_of_hours_on_spot,
    zero::silence_is_taken_for_an_empty_queue,
    zero::long_jobs_are_killed,
    zero::a_guard_is_never_asked_again,
    zero::the_minimum_forbids_zero,
    zero::the_window_is_shorter_than_a_cold_start,
    policies::an_exact_step_fights_tracking,
    policies::a_step_that_adds_outbids_scale_in,
    policies::tracking_without_room,
    policies::a_step_that_no_breach_reaches,
    instances::warm_up_outlasts_the_scale_in_alarm,
    instances::warm_up_ends_before_the_first_job,
    instances::scale_in_takes_busy_workers,
    instances::a_deploy_resets_the_desired_capacity,
    pool::a_warm_pool_without_use,
];

/// Everything in `config` that works against itself, the worst first.
///
/// ```
/// use fleet_scaling::config::FleetConfig;
/// use fleet_scaling::lint;
///
/// let config: FleetConfig = toml::from_str(&std::fs::read_to_string("examples/two-steps.toml")?)?;
/// let rules: Vec<&str> = lint(&config).iter().map(|finding| finding.rule).collect();
/// assert!(rules.contains(&"exact-step-fights-tracking"));
/// assert!(rules.contains(&"silence-scales-to-zero"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn lint(config: &FleetConfig) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().filter_map(|rule| rule(config)).collect();
    // What the fix does not change is no finding, unless it says so itself.
    findings.retain(|finding| {
        let same = finding
            .evidence
            .as_ref()
            .is_some_and(|evidence| evidence.now == evidence.fixed);
        !same || finding.severity == Severity::Note
    });
    let undecided: Vec<String> = config.not_simulated().map(ToString::to_string).collect();
    if !undecided.is_empty() {
        for finding in findings.iter_mut().filter(|finding| finding.evidence.is_some()) {
            finding.severity = Severity::Note;
            finding.unknown = Some(format!(
                "not known: {} is not modelled, and the simulation is without it",
                undecided.join("; ")
            ));
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

#[cfg(test)]
mod tests;
