//! Findings about policies that work against each other, or not at all.

use super::evidence::{compare, load, some_workers, two_days};
use super::zero::minutes;
use super::{Finding, Severity};
use crate::config::{FleetConfig, PolicyKind, PolicySpec};
use crate::policy::AdjustmentType;

/// "Multiple dynamic scaling policies": a step policy that fires alone is obeyed, also downwards.
pub(super) fn an_exact_step_fights_tracking(config: &FleetConfig) -> Option<Finding> {
    let tracked = config
        .policies()
        .iter()
        .any(|policy| matches!(policy.kind, PolicyKind::TargetTracking(_)));
    let max = i64::from(config.limits().max);
    let lowering = |policy: &PolicySpec| match policy {
        PolicySpec::Step {
            adjustment_type: AdjustmentType::ExactCapacity,
            steps,
            ..
        } => steps
            .iter()
            .map(|step| i64::from(step.adjustment))
            .filter(|capacity| (1..max).contains(capacity))
            .max(),
        _ => None,
    };
    let (at, capacity) = config
        .spec()
        .policies
        .iter()
        .enumerate()
        .find_map(|(at, policy)| Some((at, lowering(policy)?)))?;
    if !tracked {
        return None;
    }
    let scenario = two_days(load(config, some_workers(config)));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        if let PolicySpec::Step {
            adjustment_type,
            steps,
            ..
        } = &mut spec.policies[at]
        {
            *adjustment_type = AdjustmentType::ChangeInCapacity;
            for step in steps {
                step.adjustment = step.adjustment.clamp(0, 1);
            }
        }
    })?;
    let name = config.policies()[at].name.clone();
    Some(Finding {
        rule: "exact-step-fights-tracking",
        severity: Severity::Error,
        field: format!("policies[{at}].adjustment_type"),
        problem: format!(
            "policy `{name}` sets the capacity to {capacity} in every minute in which it fires alone, whatever \
             the tracking policy has built up"
        ),
        consequence: format!(
            "95 % of the jobs wait up to {}, and {} instances are ended while they hold a job (with the fix {} \
             and {})",
            minutes(evidence.now.wait_p95_seconds),
            evidence.now.ended_busy,
            minutes(evidence.fixed.wait_p95_seconds),
            evidence.fixed.ended_busy
        ),
        fix: "use `ChangeInCapacity` with 1: it adds the first instance and never takes one away".to_owned(),
        evidence: Some(evidence),
    })
}

/// Tracking between nothing and one.
pub(super) fn tracking_without_room(config: &FleetConfig) -> Option<Finding> {
    let at = config
        .policies()
        .iter()
        .position(|policy| matches!(policy.kind, PolicyKind::TargetTracking(_)))?;
    let limits = config.limits();
    if limits.max > limits.min.max(1) {
        return None;
    }
    let scenario = two_days(load(config, f64::from(limits.max.max(1)) * 0.8));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        spec.policies.remove(at);
    })?;
    let same = evidence.now == evidence.fixed;
    Some(Finding {
        rule: "tracking-without-room",
        severity: Severity::Note,
        field: format!("policies[{at}]"),
        problem: format!(
            "policy `{}` scales between 1 and more instances, and the maximum is {}",
            config.policies()[at].name,
            limits.max
        ),
        consequence: if same {
            "it never changes anything: without it the simulated fleet does the same".to_owned()
        } else {
            "it can only answer with the capacity that the fleet has".to_owned()
        },
        fix: "raise `max`, or leave the policy out".to_owned(),
        evidence: Some(evidence),
    })
}

/// A step for values that do not put the alarm into `ALARM`.
pub(super) fn a_step_that_no_breach_reaches(config: &FleetConfig) -> Option<Finding> {
    for alarm in config.alarms() {
        let Some(at) = alarm.action.policy() else { continue };
        let PolicyKind::Step(policy) = &config.policies()[at].kind else {
            continue;
        };
        let threshold = alarm.rule.threshold;
        let breaches = |distance: f64| alarm.rule.comparison.breaches(threshold + distance, threshold);
        for (step, interval) in policy.steps.iter().enumerate() {
            // Some value well inside the interval, and its two ends.
            let lower = interval.lower.unwrap_or(f64::MIN / 4.0);
            let upper = interval.upper.unwrap_or(f64::MAX / 4.0);
            if ![lower, f64::midpoint(lower, upper), upper]
                .into_iter()
                .any(breaches)
            {
                return Some(Finding {
                    rule: "unreachable-step",
                    severity: Severity::Note,
                    field: format!("policies[{at}].steps[{step}]"),
                    problem: format!(
                        "policy `{}` has a step for values of {} that are not {} {}",
                        config.policies()[at].name,
                        alarm.metric,
                        alarm.rule.comparison.phrase(),
                        threshold
                    ),
                    consequence: "the alarm invokes the policy for breaching values only, so the step never \
                                  applies: it does not take the fleet down"
                        .to_owned(),
                    fix: "leave the step out, or give it a policy and an alarm of its own".to_owned(),
                    evidence: None,
                });
            }
        }
    }
    None
}
