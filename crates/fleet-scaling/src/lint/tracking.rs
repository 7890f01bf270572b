//! Findings about target tracking: what it tracks, and what else tracks the same.

use super::asked::metrics;
use super::evidence::{Evidence, compare, load, some_workers, two_days};
use super::steps::told;
use super::{Finding, Severity};
use crate::config::{FleetConfig, PolicyKind, PolicySpec};
use crate::metrics::{Signal, Source, Statistic};

/// How much worse a figure has to be to count.
const WORSE: f64 = 1.1;

pub(super) fn is_worse(evidence: &Evidence) -> bool {
    let (now, fixed) = (&evidence.now, &evidence.fixed);
    let more = |now: f64, fixed: f64| now > WORSE * fixed + 1e-9;
    more(now.p95(), fixed.p95())
        || more(now.launched as f64, fixed.launched as f64)
        || more(now.instance_hours, fixed.instance_hours)
        || now.unfinished > fixed.unfinished
        || now.ended_busy > fixed.ended_busy
}

/// "Target tracking scaling policies", "Choose metrics": the metric must fall when capacity rises.
pub(super) fn tracking_a_metric_that_does_not_fall(config: &FleetConfig) -> Option<Finding> {
    let (at, metric, target) =
        config
            .spec()
            .policies
            .iter()
            .enumerate()
            .find_map(|(at, policy)| match policy {
                PolicySpec::TargetTracking {
                    metric,
                    statistic,
                    target,
                    ..
                } if falls(config, metric, *statistic) == Some(false) => Some((at, metric, *target)),
                _ => None,
            })?;
    let backlog = config.metric_of(Signal::Backlog)?;
    let scenario = two_days(load(config, some_workers(config)));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        if let PolicySpec::TargetTracking { metric, alarms, .. } = &mut spec.policies[at] {
            (*metric, *alarms) = (backlog.into(), None);
        }
    })?;
    if !is_worse(&evidence) {
        return None;
    }
    Some(Finding {
        rule: "tracking-does-not-converge",
        severity: Severity::Warning,
        field: format!("policies[{at}].metric"),
        problem: format!(
            "policy `{}` keeps {metric} at {target}, and {metric} does not fall when instances are added: it cannot \
             settle",
            config.policies()[at].name
        ),
        consequence: told(&evidence),
        fix: format!("track `{backlog}`, the queue shared out among the workers"),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// Whether more instances lower the metric, with the same jobs; `None` of a metric that the fleet does not publish.
fn falls(config: &FleetConfig, metric: &Source, statistic: Statistic) -> Option<bool> {
    let with = |instances| {
        let metrics = metrics(config, instances, 6.0);
        metric.points(&metrics, statistic, 1, 1).next().flatten()
    };
    Some(with(4)? < with(2)?)
}

/// Several policies scale out when any asks and in when all are ready, so the looser of two targets on one
/// metric has no say.
pub(super) fn two_targets_on_one_metric(config: &FleetConfig) -> Option<Finding> {
    let tracked: Vec<(usize, &Source, f64)> = config
        .spec()
        .policies
        .iter()
        .enumerate()
        .filter_map(|(at, policy)| match policy {
            PolicySpec::TargetTracking { metric, target, .. } => Some((at, metric, *target)),
            _ => None,
        })
        .collect();
    let (at, other) = tracked.iter().find_map(|(at, metric, target)| {
        let tighter = tracked
            .iter()
            .find(|(_, same, less)| same == metric && less < target)?;
        Some((*at, tighter.0))
    })?;
    let scenario = two_days(load(config, some_workers(config)));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        spec.policies.remove(at);
    })?;
    let (loose, tight) = (&config.policies()[at], &config.policies()[other]);
    let targets = |policy: &PolicyKind| match policy {
        PolicyKind::TargetTracking(tracking) => tracking.target,
        PolicyKind::Step(_) | PolicyKind::Simple(_) => f64::NAN,
    };
    Some(Finding {
        rule: "two-targets",
        severity: Severity::Note,
        field: format!("policies[{at}].target"),
        problem: format!(
            "policies `{}` and `{}` track the same metric with the targets {} and {}: out goes the fleet when either asks, \
             in only when both are ready",
            tight.name,
            loose.name,
            targets(&tight.kind),
            targets(&loose.kind)
        ),
        consequence: if evidence.now == evidence.fixed {
            format!(
                "`{}` has no say: without it the simulated fleet does the same",
                loose.name
            )
        } else {
            told(&evidence)
        },
        fix: format!("leave `{}` out, or choose one target", loose.name),
        unknown: None,
        evidence: Some(evidence),
    })
}
