//! What only the policies' answers show, each with the harm that the simulation finds.

use super::*;
use crate::alarm::Comparison;
use crate::config::{AlarmSpec, SpotSpec};
use crate::metrics::Statistic;

/// The finding of `rule` after `change`.
fn found(rule: &str, change: impl FnOnce(&mut FleetSpec)) -> Finding {
    let mut spec = clean();
    change(&mut spec);
    let findings = lint(&FleetConfig::new(spec).unwrap());
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    let found = findings.iter().find(|finding| finding.rule == rule);
    found
        .unwrap_or_else(|| panic!("{rule} is not among {rules:?}"))
        .clone()
}

/// The step policy on the queue: its alarm's threshold, its kind and its steps.
fn step(
    spec: &mut FleetSpec,
    threshold: f64,
    kind: AdjustmentType,
    steps: &[(Option<f64>, Option<f64>, i32)],
) {
    if let PolicySpec::Step {
        alarm,
        adjustment_type,
        steps: old,
        ..
    } = &mut spec.policies[0]
    {
        alarm.threshold = threshold;
        *adjustment_type = kind;
        *old = steps
            .iter()
            .map(|(lower, upper, adjustment)| StepAdjustment {
                lower: *lower,
                upper: *upper,
                adjustment: *adjustment,
            })
            .collect();
    }
}

#[test]
fn a_step_on_the_queue_that_starts_nothing_is_found_whatever_its_reason() {
    use AdjustmentType::{ChangeInCapacity, PercentChangeInCapacity};
    // A percentage of nothing; only a scale-in; an adjustment of 0; a threshold that no queue reaches.
    for (threshold, kind, adjustment) in [
        (0.0, PercentChangeInCapacity, 100),
        (0.0, ChangeInCapacity, -1),
        (0.0, ChangeInCapacity, 0),
        (100.0, ChangeInCapacity, 1),
    ] {
        let finding = found("nothing-leaves-zero", |spec| {
            spec.jobs.queue_limit = 50;
            step(spec, threshold, kind, &[(Some(0.0), None, adjustment)]);
        });
        assert_eq!(finding.severity, Severity::Error);
        assert!(
            finding
                .problem
                .contains("no policy answers any depth from 1 to 50"),
            "{finding:?}"
        );
        assert_eq!(evidence(&finding).now.unfinished, 2, "{finding:?}");
        assert_eq!(evidence(&finding).now.wait_p95_seconds, None);
    }
}

#[test]
fn a_queue_that_is_too_short_for_the_first_step_is_left_lying() {
    let finding = found("nothing-leaves-zero", |spec| {
        step(
            spec,
            5.0,
            AdjustmentType::ChangeInCapacity,
            &[(Some(0.0), None, 1)],
        );
    });
    assert!(
        finding.problem.contains("a queue of less than 6 jobs"),
        "{finding:?}"
    );
}

#[test]
fn bounds_written_as_values_of_the_metric_leave_a_gap() {
    let finding = found("breach-without-a-step", |spec| {
        let steps = [(Some(10.0), Some(20.0), 1), (Some(20.0), None, 3)];
        step(spec, 10.0, AdjustmentType::ChangeInCapacity, &steps);
    });
    assert!(finding.problem.contains("from 11 to 19"), "{finding:?}");
    assert!(finding.fix.contains("`lower = 0`"), "{finding:?}");
    assert!(
        evidence(&finding).now.p95() > evidence(&finding).fixed.p95(),
        "{finding:?}"
    );
}

#[test]
fn a_scale_in_with_its_bound_on_the_wrong_side_never_happens() {
    let finding = found("breach-without-a-step", |spec| {
        spec.scale_to_zero = None;
        let mut alarm = AlarmSpec::on("QueueDepth", Comparison::LessThanThreshold, 1.0);
        alarm.statistic = Statistic::Maximum;
        alarm.evaluation_periods = 5;
        spec.policies[1] = PolicySpec::Step {
            name: "down".to_owned(),
            adjustment_type: AdjustmentType::ChangeInCapacity,
            minimum_adjustment_magnitude: None,
            alarm,
            steps: vec![StepAdjustment {
                lower: Some(0.0),
                upper: None,
                adjustment: -8,
            }],
        };
    });
    assert!(finding.severity >= Severity::Warning);
    assert!(finding.problem.contains("never does anything"), "{finding:?}");
    assert!(finding.fix.contains("`upper = 0`"), "{finding:?}");
    assert!(
        evidence(&finding).now.instance_hours > 2.0 * evidence(&finding).fixed.instance_hours,
        "{finding:?}"
    );
}

#[test]
fn tracking_what_rises_with_the_fleet_does_not_converge() {
    let finding = found("tracking-does-not-converge", |spec| {
        if let PolicySpec::TargetTracking { metric, .. } = &mut spec.policies[1] {
            *metric = "ActiveWorkers".into();
        }
    });
    assert!(
        finding.problem.contains("ActiveWorkers does not fall"),
        "{finding:?}"
    );
}

#[test]
fn what_nothing_takes_away_stays() {
    let finding = found("nothing-scales-in", |spec| {
        spec.scale_to_zero = None;
        if let PolicySpec::TargetTracking { disable_scale_in, .. } = &mut spec.policies[1] {
            *disable_scale_in = true;
        }
    });
    let numbers = evidence(&finding);
    assert!(
        numbers.now.instance_hours > 2.0 * numbers.fixed.instance_hours,
        "{numbers:?}"
    );
}

#[test]
fn jobs_that_outlive_spot_instances_are_not_done() {
    let finding = found("jobs-outlive-spot", |spec| {
        spec.jobs.service = ServiceTime::Exponential { mean_seconds: 5400.0 };
        spec.instance_types[0].spot = Some(SpotSpec {
            interruptions_per_hour: 1.0,
            ..SpotSpec::default()
        });
    });
    let numbers = evidence(&finding);
    assert!(numbers.now.done < numbers.fixed.done, "{numbers:?}");
}

#[test]
fn the_looser_of_two_targets_is_said_to_have_no_say() {
    let finding = found("two-targets", |spec| {
        let mut other = spec.policies[1].clone();
        if let PolicySpec::TargetTracking { name, target, .. } = &mut other {
            "loose".clone_into(name);
            *target = 20.0;
        }
        spec.policies.push(other);
    });
    assert_eq!(finding.severity, Severity::Note);
    assert!(finding.problem.contains("targets 2 and 20"), "{finding:?}");
}

#[test]
fn an_exact_step_fights_another_step_policy_too() {
    let finding = found("exact-step-fights-tracking", |spec| {
        step(spec, 0.0, AdjustmentType::ExactCapacity, &[(Some(0.0), None, 1)]);
        let mut alarm = AlarmSpec::on(
            "BacklogPerInstance",
            Comparison::GreaterThanOrEqualToThreshold,
            2.0,
        );
        alarm.evaluation_periods = 1;
        spec.policies[1] = PolicySpec::Step {
            name: "backlog".to_owned(),
            adjustment_type: AdjustmentType::ChangeInCapacity,
            minimum_adjustment_magnitude: None,
            alarm,
            steps: vec![StepAdjustment {
                lower: Some(0.0),
                upper: None,
                adjustment: 2,
            }],
        };
    });
    assert!(
        finding
            .problem
            .contains("whatever the other policies have built up"),
        "{finding:?}"
    );
}

#[test]
fn a_lower_policy_to_zero_overtakes_its_alarm_of_a_quarter_of_an_hour() {
    let config = FleetConfig::new(FleetSpec::two_steps()).unwrap();
    let findings = lint(&config);
    let finding = findings
        .iter()
        .find(|finding| finding.rule == "step-overtakes-zero")
        .unwrap();
    assert!(finding.problem.contains("`queue-lower`"), "{finding:?}");
    assert!(
        evidence(finding).now.launched > evidence(finding).fixed.launched,
        "{finding:?}"
    );
}

#[test]
fn a_finding_whose_simulation_shows_no_difference_is_not_reported() {
    for spec in [clean(), clean_counting_running(), FleetSpec::two_steps()] {
        for finding in lint(&FleetConfig::new(spec).unwrap()) {
            let differs = finding
                .evidence
                .as_ref()
                .is_none_or(|evidence| evidence.now != evidence.fixed);
            assert!(differs || finding.severity == Severity::Note, "{finding:?}");
        }
    }
}
