use super::*;
use crate::alarm::MissingData;
use crate::config::{FleetSpec, PolicySpec, ScaleToZeroSpec, ServiceTime};
use crate::policy::{AdjustmentType, StepAdjustment};

mod asked;
mod pool;

/// A configuration without findings, whose queue's depth counts the jobs that wait.
fn clean() -> FleetSpec {
    let mut spec = FleetSpec::one_step();
    if let PolicySpec::Step {
        adjustment_type,
        steps,
        ..
    } = &mut spec.policies[0]
    {
        *adjustment_type = AdjustmentType::ChangeInCapacity;
        steps.remove(0);
    }
    spec.scale_to_zero = Some(ScaleToZeroSpec::safe(15));
    spec.jobs.protect_busy = true;
    spec.jobs.depth_counts_running = false;
    spec
}

/// A configuration without findings, whose queue's depth counts the jobs that run, too.
fn clean_counting_running() -> FleetSpec {
    let mut spec = clean();
    spec.jobs.depth_counts_running = true;
    if let PolicySpec::Step {
        adjustment_type,
        steps,
        ..
    } = &mut spec.policies[0]
    {
        *adjustment_type = AdjustmentType::ExactCapacity;
        *steps = (0..10)
            .map(|instances| StepAdjustment {
                lower: Some(2.0 * f64::from(instances)),
                upper: (instances < 9).then(|| 2.0 * f64::from(instances + 1)),
                adjustment: instances + 1,
            })
            .collect();
    }
    spec
}

/// The only finding after `change`.
fn only(change: impl FnOnce(&mut FleetSpec)) -> Finding {
    only_of(clean(), change)
}

fn only_of(mut spec: FleetSpec, change: impl FnOnce(&mut FleetSpec)) -> Finding {
    change(&mut spec);
    let mut findings = lint(&FleetConfig::new(spec).unwrap());
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules.len(), 1, "{rules:?}");
    findings.remove(0)
}

fn evidence(finding: &Finding) -> &Evidence {
    finding.evidence.as_ref().unwrap()
}

#[test]
fn a_step_to_an_exact_capacity_beside_tracking_has_its_known_traps_the_worst_first() {
    let config = FleetConfig::new(FleetSpec::one_step()).unwrap();
    let findings = lint(&config);
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(
        rules,
        [
            "silence-scales-to-zero",
            "exact-step-fights-tracking",
            "scale-in-takes-busy-workers",
            "unreachable-step"
        ]
    );
    // A ladder of steps is no worse than the single one in anything that operators look at.
    let exact = evidence(&findings[1]);
    assert!(
        exact.now.ended_busy as f64 > 1.3 * exact.fixed.ended_busy as f64
            && exact.now.p95() > 1.3 * exact.fixed.p95()
            && exact.now.instance_hours > exact.fixed.instance_hours,
        "{exact:?}"
    );
    assert!(
        findings[1].fix.contains("one more for every 2 jobs"),
        "{}",
        findings[1].fix
    );
    let of_one = FleetSpec {
        max: 1,
        ..FleetSpec::two_steps()
    };
    assert!(
        lint(&FleetConfig::new(of_one).unwrap())
            .iter()
            .any(|finding| finding.rule == "tracking-without-room")
    );
}

#[test]
fn a_clean_configuration_has_no_findings() {
    for spec in [clean(), clean_counting_running()] {
        assert_eq!(lint(&FleetConfig::new(spec).unwrap()), []);
    }
}

#[test]
fn a_fleet_that_nothing_wakes_leaves_its_jobs() {
    let finding = only(|spec| drop(spec.policies.remove(0)));
    assert_eq!(
        (finding.rule, finding.severity),
        ("nothing-leaves-zero", Severity::Error)
    );
    assert_eq!(evidence(&finding).now.unfinished, 2);
    assert_eq!(evidence(&finding).fixed.unfinished, 0);
}

#[test]
fn silence_makes_jobs_wait_unless_busy_workers_are_protected() {
    let silence = |protect_busy| {
        let mut spec = clean();
        spec.scale_to_zero = Some(ScaleToZeroSpec::unguarded(15));
        spec.jobs.protect_busy = protect_busy;
        let findings = lint(&FleetConfig::new(spec).unwrap());
        let found = findings
            .into_iter()
            .find(|finding| finding.rule == "silence-scales-to-zero");
        found.unwrap()
    };
    let lost = silence(false);
    let numbers = evidence(&lost);
    assert_eq!(lost.severity, Severity::Error);
    assert!(
        numbers.now.longest() > numbers.fixed.longest() + 1200.0,
        "{numbers:?}"
    );
    assert_eq!(silence(true).severity, Severity::Warning);
}

#[test]
fn long_jobs_are_ended_and_started_over_unless_busy_workers_are_protected() {
    let of = |protect_busy| {
        let mut spec = clean();
        spec.jobs.service = ServiceTime::Fixed { seconds: 1800.0 };
        spec.jobs.protect_busy = protect_busy;
        spec.scale_to_zero = Some(ScaleToZeroSpec {
            drain_first: false,
            ..ScaleToZeroSpec::safe(15)
        });
        let findings = lint(&FleetConfig::new(spec).unwrap());
        findings
            .into_iter()
            .find(|finding| finding.rule == "zero-kills-long-jobs")
    };
    let finding = of(false).unwrap();
    let numbers = evidence(&finding);
    assert!(numbers.now.ended_busy > numbers.fixed.ended_busy, "{numbers:?}");
    assert_eq!(of(true), None);
}

#[test]
fn a_queue_that_counts_running_jobs_is_not_empty_under_a_long_one() {
    let mut spec = clean_counting_running();
    spec.jobs.service = ServiceTime::Fixed { seconds: 1800.0 };
    spec.scale_to_zero = Some(ScaleToZeroSpec {
        never_with_queued_jobs: false,
        drain_first: false,
        recheck: false,
        ..ScaleToZeroSpec::safe(15)
    });
    assert_eq!(lint(&FleetConfig::new(spec).unwrap()), []);
}

#[test]
fn where_running_jobs_count_only_silence_makes_a_guard_need_a_second_look() {
    let guarded = |missing_data| {
        let mut spec = clean_counting_running();
        spec.scale_to_zero = Some(ScaleToZeroSpec {
            missing_data,
            recheck: false,
            ..ScaleToZeroSpec::safe(15)
        });
        lint(&FleetConfig::new(spec).unwrap())
    };
    assert_eq!(guarded(MissingData::Missing), []);
    let findings = guarded(MissingData::Breaching);
    assert_eq!(findings[0].rule, "guard-without-recheck");
    let evidence = evidence(&findings[0]);
    // Up until the job of the next day.
    assert!(
        evidence.now.instance_hours > evidence.fixed.instance_hours + 20.0,
        "{evidence:?}"
    );
}

#[test]
fn a_step_that_adds_while_jobs_run_keeps_the_fleet_at_its_maximum() {
    let adding = |spec: &mut FleetSpec| {
        if let PolicySpec::Step {
            adjustment_type,
            steps,
            ..
        } = &mut spec.policies[0]
        {
            *adjustment_type = AdjustmentType::ChangeInCapacity;
            steps.truncate(1);
            (steps[0].upper, steps[0].adjustment) = (None, 1);
        }
    };
    let finding = only_of(clean_counting_running(), adding);
    assert_eq!(finding.rule, "adding-step-outbids-scale-in");
    let numbers = evidence(&finding);
    assert!(
        numbers.now.instance_hours > 1.3 * numbers.fixed.instance_hours,
        "{numbers:?}"
    );
    // The same policy is the right one where only waiting jobs count.
    let mut spec = clean();
    adding(&mut spec);
    assert_eq!(lint(&FleetConfig::new(spec).unwrap()), []);
}

#[test]
fn a_guard_without_a_second_look_keeps_the_fleet_up() {
    let finding = only(|spec| {
        spec.jobs.service = ServiceTime::Fixed { seconds: 1800.0 };
        spec.scale_to_zero = Some(ScaleToZeroSpec {
            recheck: false,
            ..ScaleToZeroSpec::safe(15)
        });
    });
    assert_eq!(finding.rule, "guard-without-recheck");
    let evidence = evidence(&finding);
    assert!(
        evidence.now.instance_hours > 1.2 * evidence.fixed.instance_hours,
        "{evidence:?}"
    );
}

#[test]
fn sizes_that_leave_a_rule_nothing_to_do_are_noted() {
    assert_eq!(only(|spec| spec.min = 1).rule, "minimum-forbids-zero");
    let no_room = only(|spec| spec.max = 1);
    assert_eq!(no_room.rule, "tracking-without-room");
    assert_eq!(evidence(&no_room).now, evidence(&no_room).fixed);
}

#[test]
fn going_to_zero_faster_than_coming_back_thrashes() {
    let finding = only(|spec| spec.scale_to_zero = Some(ScaleToZeroSpec::safe(2)));
    assert_eq!(finding.rule, "zero-window-shorter-than-cold-start");
    let evidence = evidence(&finding);
    assert!(
        evidence.now.launched as f64 > 1.5 * evidence.fixed.launched as f64,
        "{evidence:?}"
    );
    assert!(
        evidence.now.cold_start_share > evidence.fixed.cold_start_share,
        "{evidence:?}"
    );
}

#[test]
fn warm_up_that_is_too_long_or_too_short() {
    let long = only(|spec| spec.warmup_seconds = 3600.0);
    assert_eq!(long.rule, "warm-up-outlasts-alarm");
    assert!(
        evidence(&long).now.instance_hours > evidence(&long).fixed.instance_hours,
        "{long:?}"
    );
    let short = only(|spec| spec.warmup_seconds = 0.0);
    assert_eq!(short.rule, "warm-up-shorter-than-cold-start");
    assert!(
        evidence(&short).now.launched >= evidence(&short).fixed.launched,
        "{short:?}"
    );
}

#[test]
fn a_deploy_that_resets_the_capacity_ends_busy_workers() {
    let finding = only(|spec| {
        spec.deploy_desired = Some(0);
        spec.jobs.protect_busy = false;
        spec.scale_to_zero = Some(ScaleToZeroSpec {
            never_with_active_workers: true,
            drain_first: false,
            ..ScaleToZeroSpec::safe(15)
        });
        if let PolicySpec::TargetTracking { disable_scale_in, .. } = &mut spec.policies[1] {
            *disable_scale_in = true;
        }
    });
    assert_eq!(finding.rule, "deploy-resets-desired");
    assert!(evidence(&finding).now.ended_busy > evidence(&finding).fixed.ended_busy);
}

#[test]
fn a_deploy_that_ends_no_busy_worker_is_not_said_to() {
    for protect_busy in [false, true] {
        let mut spec = FleetSpec::one_step();
        spec.deploy_desired = Some(0);
        spec.jobs.protect_busy = protect_busy;
        let findings = lint(&FleetConfig::new(spec).unwrap());
        let mut deploys = findings
            .iter()
            .filter(|finding| finding.rule == "deploy-resets-desired");
        let finding = deploys.next().unwrap();
        let numbers = evidence(finding);
        assert_eq!(
            finding.consequence.contains("while they hold a job"),
            numbers.now.ended_busy > numbers.fixed.ended_busy,
            "{finding:?}"
        );
    }
}

#[test]
fn what_is_not_modelled_makes_findings_unknown_and_no_errors() {
    use crate::unknown::{Direction, NotModelled, Part};
    for part in [
        Part::MetricMath,
        Part::Percentile,
        Part::PredefinedMetric,
        Part::PredictiveScaling,
        Part::ScheduledAction,
    ] {
        // Nothing modelled leaves zero, and the part may.
        let mut spec = clean();
        spec.policies.remove(0);
        spec.not_modelled.push(NotModelled {
            part,
            what: "policy `other` is of another kind".to_owned(),
            direction: Direction::Both,
            bounds: None,
        });
        let findings = lint(&FleetConfig::new(spec).unwrap());
        assert!(
            findings.iter().all(|finding| finding.severity == Severity::Note),
            "{findings:?}"
        );
        let found = findings
            .iter()
            .find(|finding| finding.rule == "nothing-leaves-zero");
        let why = found.and_then(|finding| finding.unknown.as_deref()).unwrap();
        assert!(
            why.starts_with("not known: policy `other` is of another kind"),
            "{why}"
        );
    }
}
