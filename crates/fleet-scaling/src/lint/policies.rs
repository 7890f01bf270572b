//! Findings about policies that work against each other, or not at all.

use super::evidence::{compare, load, some_workers, two_days};
use super::zero::minutes;
use super::{Finding, Severity};
use crate::config::{FleetConfig, PolicyKind, PolicySpec};
use crate::metrics::Signal;
use crate::policy::{self, AdjustmentType, StepAdjustment};

/// "Multiple dynamic scaling policies": a step policy that fires alone is obeyed, also downwards.
pub(super) fn an_exact_step_fights_tracking(config: &FleetConfig) -> Option<Finding> {
    // Whatever else may have made the fleet larger: tracking, or a step policy that adds.
    let grows = config.policies().iter().any(|policy| match &policy.kind {
        PolicyKind::TargetTracking(_) => true,
        PolicyKind::Step(step) => {
            step.adjustment_type != AdjustmentType::ExactCapacity
                && step.steps.iter().any(|step| step.adjustment > 0)
        }
        PolicyKind::Simple(simple) => simple.adjustment > 0,
    });
    let max = i64::from(config.limits().max);
    let target = backlog_target(config);
    let lowering = |policy: &PolicySpec| match policy {
        PolicySpec::Step {
            adjustment_type: AdjustmentType::ExactCapacity,
            alarm,
            steps,
            ..
        } => steps
            .iter()
            .filter(|step| {
                // The tracking policy keeps as many instances as the queue's depth is worth, and the
                // step is no lower than that where it covers no greater depth.
                let worth = step
                    .upper
                    .zip(target)
                    .map(|(upper, target)| ((alarm.threshold + upper) / target).ceil());
                worth.is_none_or(|instances| instances > f64::from(step.adjustment))
            })
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
    if !grows {
        return None;
    }
    // A step that adds is quiet while no job waits. Where running jobs count it never is.
    let ladder = match &config.spec().policies[at] {
        PolicySpec::Step { alarm, .. } if config.spec().jobs.depth_counts_running => {
            ladder(config, alarm.threshold)
        }
        _ => None,
    };
    let fix = match &ladder {
        Some(_) => ladder_in_words(target.unwrap_or(1.0)),
        None => {
            "use `ChangeInCapacity` with 1: it adds the first instance and never takes one away".to_owned()
        }
    };
    let scenario = two_days(load(config, some_workers(config)));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        if let PolicySpec::Step {
            adjustment_type,
            steps,
            ..
        } = &mut spec.policies[at]
        {
            if let Some(ladder) = ladder {
                *steps = ladder;
                return;
            }
            *adjustment_type = AdjustmentType::ChangeInCapacity;
            for step in steps {
                step.adjustment = step.adjustment.clamp(0, 1);
            }
        }
    })?;
    let name = config.policies()[at].name.clone();
    let (now, fixed) = (&evidence.now, &evidence.fixed);
    let loses_work = now.ended_busy > fixed.ended_busy || now.unfinished > fixed.unfinished;
    Some(Finding {
        rule: "exact-step-fights-tracking",
        severity: if loses_work {
            Severity::Error
        } else {
            Severity::Warning
        },
        field: format!("policies[{at}].adjustment_type"),
        problem: format!(
            "policy `{name}` sets the capacity to {capacity} in every minute in which it fires alone, whatever \
             the other policies have built up"
        ),
        consequence: format!(
            "95 % of the jobs wait up to {}, and {} instances are ended while they hold a job (with the fix {} \
             and {})",
            minutes(evidence.now.p95()),
            evidence.now.ended_busy,
            minutes(evidence.fixed.p95()),
            evidence.fixed.ended_busy
        ),
        fix,
        unknown: None,
        evidence: Some(evidence),
    })
}

/// "Multiple dynamic scaling policies": of a step policy that adds and a tracking policy that takes
/// away, the one that adds is obeyed, and it adds as long as a job runs.
pub(super) fn a_step_that_adds_outbids_scale_in(config: &FleetConfig) -> Option<Finding> {
    let spec = config.spec();
    if !spec.jobs.depth_counts_running || config.limits().max < 2 {
        return None;
    }
    let at = spec.policies.iter().position(|policy| match policy {
        PolicySpec::Step {
            adjustment_type,
            alarm,
            steps,
            ..
        } => {
            let one_job = 1.0 - alarm.threshold;
            *adjustment_type != AdjustmentType::ExactCapacity
                && config.signal_of(&alarm.metric) == Some(Signal::Depth)
                && alarm.comparison.breaches(1.0, alarm.threshold)
                && steps.iter().any(|step| {
                    step.adjustment > 0
                        && step.lower.is_none_or(|lower| lower <= one_job)
                        && step.upper.is_none_or(|upper| one_job < upper)
                })
        }
        PolicySpec::Simple { .. } | PolicySpec::TargetTracking { .. } => false,
    })?;
    let PolicySpec::Step { alarm, .. } = &spec.policies[at] else {
        return None;
    };
    let (target, ladder) = (backlog_target(config)?, ladder(config, alarm.threshold)?);
    let scenario = two_days(load(config, some_workers(config)));
    let evidence = compare(config, "two days of steady work", &scenario, |spec| {
        if let PolicySpec::Step {
            adjustment_type,
            steps,
            ..
        } = &mut spec.policies[at]
        {
            (*adjustment_type, *steps) = (AdjustmentType::ExactCapacity, ladder);
        }
    })?;
    if evidence.now.instance_hours <= evidence.fixed.instance_hours {
        return None;
    }
    Some(Finding {
        rule: "adding-step-outbids-scale-in",
        severity: Severity::Warning,
        field: format!("policies[{at}].adjustment_type"),
        problem: format!(
            "policy `{}` adds an instance as long as one job is not done, and its answer outweighs every \
             scale-in: the queue's depth counts the jobs that run",
            config.policies()[at].name
        ),
        consequence: format!(
            "the fleet grows to its maximum and stays there until the last job is done: {:.0} instance hours \
             ({:.0} with the fix)",
            evidence.now.instance_hours, evidence.fixed.instance_hours
        ),
        fix: ladder_in_words(target),
        unknown: None,
        evidence: Some(evidence),
    })
}

/// What the tracking policy of the fleet aims at.
fn backlog_target(config: &FleetConfig) -> Option<f64> {
    config.spec().policies.iter().find_map(|policy| match policy {
        PolicySpec::TargetTracking { metric, target, .. }
            if config.signal_of(metric) == Some(Signal::Backlog) =>
        {
            Some(*target)
        }
        _ => None,
    })
}

/// Steps that ask for what the tracking policy asks for, so that either of the two may fire alone: one
/// instance, and one more whenever the depth has grown by the target. Large fleets get wider steps. Bounds are
/// distances from the alarm's `threshold`.
fn ladder(config: &FleetConfig, threshold: f64) -> Option<Vec<StepAdjustment>> {
    let target = backlog_target(config)?;
    let max = config.limits().max.max(1);
    let each = (max - 1).div_ceil(policy::MOST_STEPS as u32 - 1).max(1);
    let count = (max - 1).div_ceil(each) + 1;
    let instances = |step: u32| (1 + step * each).min(max);
    let steps = (0..count).map(|step| StepAdjustment {
        lower: Some(if step == 0 {
            0.0
        } else {
            f64::from(instances(step - 1)) * target - threshold
        }),
        upper: (step + 1 < count).then(|| f64::from(instances(step)) * target - threshold),
        adjustment: i32::try_from(instances(step)).unwrap_or(i32::MAX),
    });
    Some(steps.collect())
}

fn ladder_in_words(target: f64) -> String {
    format!(
        "use `ExactCapacity` with a step for each size of the fleet: 1 instance, and one more for every {target} \
         jobs, which is what the tracking policy asks for"
    )
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
    // Where it takes the only instance to zero, or keeps it, it has an effect.
    let same = evidence.now == evidence.fixed;
    if !same && limits.min < limits.max {
        return None;
    }
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
        unknown: None,
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
                    unknown: None,
                    evidence: None,
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FleetSpec;

    #[test]
    fn a_ladder_reaches_every_maximum_in_as_many_steps_as_a_policy_may_have() {
        for max in [1, 2, 10, 20, 21, 500] {
            let mut spec = FleetSpec::two_steps();
            spec.max = max;
            let steps = ladder(&FleetConfig::new(spec.clone()).unwrap(), 1.0).unwrap();
            assert!(steps.len() <= 20, "{} steps up to {max}", steps.len());
            assert_eq!(steps[0].adjustment, 1);
            assert_eq!(i64::from(steps[steps.len() - 1].adjustment), max);
            if let PolicySpec::Step { steps: old, .. } = &mut spec.policies[0] {
                *old = steps;
            }
            let climbing = FleetConfig::new(spec).unwrap();
            assert_eq!(an_exact_step_fights_tracking(&climbing), None, "{max}");
        }
    }
}
