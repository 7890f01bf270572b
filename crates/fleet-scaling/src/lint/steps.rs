//! Findings about the steps of policies, each found by asking them: values that no step answers, steps
//! that no value reaches, thresholds that overlap.

use super::asked::{answer, depths};
use super::evidence::{Evidence, compare, load, some_workers, two_days};
use super::tracking::is_worse;
use super::zero::minutes;
use super::{Finding, Severity};
use crate::alarm::Comparison;
use crate::config::{Action, FleetConfig, PolicyKind, PolicySpec};
use crate::policy::StepAdjustment;

/// A value that sets off an alarm and that no step of its policy covers.
///
/// The bounds of steps are distances from the threshold (Auto Scaling API Reference, `StepAdjustment`);
/// written as values of the metric they leave a gap, and on the wrong side of it nothing is ever covered.
pub(super) fn breaches_that_no_step_answers(config: &FleetConfig) -> Option<Finding> {
    config.alarms().iter().find_map(|alarm| {
        let Action::Invoke(at) = alarm.action else { return None };
        let PolicyKind::Step(policy) = &config.policies()[at].kind else {
            return None;
        };
        let (rule, threshold) = (&alarm.rule, alarm.rule.threshold);
        let values = std::iter::once(0.0).chain(depths(config).into_iter().map(|depth| depth as f64));
        let breaching: Vec<f64> = values
            .filter(|value| rule.comparison.breaches(*value, threshold))
            .collect();
        let uncovered: Vec<f64> = breaching
            .iter()
            .copied()
            .filter(|value| policy.step(*value, threshold, rule.comparison).is_none())
            .collect();
        let (first, last) = (uncovered.first()?, uncovered.last()?);
        let never = uncovered.len() == breaching.len();
        let fixed = shifted(&policy.steps, rule.comparison, threshold, never);
        let scenario = two_days(load(config, some_workers(config)));
        let evidence = compare(config, "two days of steady work", &scenario, |spec| {
            if let PolicySpec::Step { steps, .. } = &mut spec.policies[at] {
                steps.clone_from(&fixed);
            }
        })?;
        let name = &config.policies()[at].name;
        let side = if rule.comparison.looks_up() { "lower" } else { "upper" };
        Some(Finding {
            rule: "breach-without-a-step",
            severity: Severity::Warning,
            field: format!("policies[{at}].steps"),
            problem: if never {
                format!(
                    "policy `{name}` never does anything: {} sets off its alarm when it is {} {threshold}, and none of \
                     its steps covers such a value",
                    alarm.metric,
                    rule.comparison.phrase()
                )
            } else {
                format!(
                    "policy `{name}` does nothing at {} from {first} to {last}: the alarm is set off, and none of its \
                     steps covers the value",
                    alarm.metric
                )
            },
            consequence: told(&evidence),
            fix: format!(
                "the bounds of steps are distances from the threshold, {threshold}: let the step next to it begin with \
                 `{side} = 0`"
            ),
            unknown: None,
            evidence: Some(evidence),
        })
    })
}

/// The steps as they were probably meant: from the threshold on, on the side that breaches.
fn shifted(
    steps: &[StepAdjustment],
    comparison: Comparison,
    threshold: f64,
    never: bool,
) -> Vec<StepAdjustment> {
    let mirrored: Vec<StepAdjustment> = steps
        .iter()
        .map(|step| StepAdjustment {
            lower: step.upper.map(|bound| -bound),
            upper: step.lower.map(|bound| -bound),
            adjustment: step.adjustment,
        })
        .collect();
    let covers = |steps: &[StepAdjustment]| {
        let nearest = if comparison.looks_up() { 0.5 } else { -0.5 };
        steps.iter().any(|step| step.covers(nearest, comparison))
    };
    if never && covers(&mirrored) {
        return mirrored;
    }
    let by = if comparison.looks_up() {
        steps
            .iter()
            .filter_map(|step| step.lower)
            .fold(f64::INFINITY, f64::min)
    } else {
        steps
            .iter()
            .filter_map(|step| step.upper)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let by = if by.is_finite() { by } else { threshold };
    steps
        .iter()
        .map(|step| StepAdjustment {
            lower: step.lower.map(|bound| bound - by),
            upper: step.upper.map(|bound| bound - by),
            adjustment: step.adjustment,
        })
        .collect()
}

/// Waits and hours with and without the fix.
pub(super) fn told(evidence: &Evidence) -> String {
    let (now, fixed) = (&evidence.now, &evidence.fixed);
    format!(
        "95 % of the jobs wait up to {}, {} do not finish, {} launches and {:.0} instance hours (with the fix {}, {}, {} and \
         {:.0})",
        minutes(now.p95()),
        now.unfinished,
        now.launched,
        now.instance_hours,
        minutes(fixed.p95()),
        fixed.unfinished,
        fixed.launched,
        fixed.instance_hours
    )
}

/// A value at which one policy adds and another takes away: what happens depends on which alarm is in
/// `ALARM` first.
pub(super) fn thresholds_overlap(config: &FleetConfig) -> Option<Finding> {
    let limits = config.limits();
    let instances = limits.min + (limits.max - limits.min) / 2;
    if limits.max < limits.min + 2 {
        return None;
    }
    let values: Vec<f64> = std::iter::once(0.0)
        .chain(depths(config).into_iter().map(|depth| depth as f64))
        .collect();
    let moved = |alarm: usize, value: f64| answer(config, alarm, instances, value);
    let invoked = |position: &usize| matches!(config.alarms()[*position].action, Action::Invoke(_));
    let alarms: Vec<usize> = (0..config.alarms().len()).filter(invoked).collect();
    for &out in &alarms {
        for &down in &alarms {
            let (up_alarm, down_alarm) = (&config.alarms()[out], &config.alarms()[down]);
            let (Some(up_at), Some(at)) = (up_alarm.action.policy(), down_alarm.action.policy()) else {
                continue;
            };
            if up_alarm.metric != down_alarm.metric || up_at == at {
                continue;
            }
            let adds: Vec<f64> = values
                .iter()
                .copied()
                .filter(|value| moved(out, *value).is_some_and(|to| to > instances))
                .collect();
            let both: Vec<f64> = adds
                .iter()
                .copied()
                .filter(|value| moved(down, *value).is_some_and(|to| to < instances))
                .collect();
            let (Some(least), Some(first), Some(last)) = (adds.first(), both.first(), both.last()) else {
                continue;
            };
            let better = (least / 3.0).max(if *least >= 1.0 { 1.0 } else { 0.0 }).floor();
            let scenario = two_days(load(config, some_workers(config)));
            let evidence = compare(config, "two days of steady work", &scenario, |spec| {
                if let PolicySpec::Step { alarm, .. } | PolicySpec::Simple { alarm, .. } =
                    &mut spec.policies[at]
                {
                    (alarm.comparison, alarm.threshold) = (Comparison::LessThanThreshold, better);
                }
            })?;
            let (name, other) = (&config.policies()[at].name, &config.policies()[up_at].name);
            let harm = is_worse(&evidence);
            return Some(Finding {
                rule: "thresholds-overlap",
                severity: if harm { Severity::Warning } else { Severity::Note },
                field: format!("policies[{at}].alarm.threshold"),
                problem: format!(
                    "at {} from {first} to {last} policy `{other}` adds and policy `{name}` takes away: together the \
                     larger answer wins, and between the two the fleet goes up and down",
                    down_alarm.metric
                ),
                consequence: if harm {
                    told(&evidence)
                } else {
                    format!("the simulated load shows no harm: {}", told(&evidence))
                },
                fix: format!("let `{name}` act only below {better}, well under the threshold of `{other}`"),
                unknown: None,
                evidence: Some(evidence),
            });
        }
    }
    None
}
