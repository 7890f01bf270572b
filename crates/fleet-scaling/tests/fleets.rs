//! Whole fleets: sound ones of which `lint` says nothing, and ones with a single contradiction, which it names.

use std::time::Duration;

use fleet_scaling::alarm::{Comparison, MissingData};
use fleet_scaling::config::{AlarmSpec, FleetConfig, FleetSpec, InstanceTypeSpec, PolicySpec, SpotSpec};
use fleet_scaling::lint::{Finding, Severity};
use fleet_scaling::policy::StepAdjustment;
use fleet_scaling::{lint, simulate};

const DAY: Duration = Duration::from_secs(86_400);

/// From nothing to eight: a step starts the first instance, the backlog of each worker asks for the others, and half an
/// hour without a job takes the fleet to zero with every guard.
fn sound() -> FleetSpec {
    toml::from_str(
        r#"
        max = 8
        warmup_seconds = 240
        publishes = [
            { metric = "QueueDepth", signal = "depth" },
            { metric = "BacklogPerInstance", signal = "backlog" },
        ]

        [scale_to_zero]
        minutes = 30
        missing_data = "missing"
        never_with_queued_jobs = true
        never_when_silent = true
        drain_first = true
        recheck = true

        [jobs]
        protect_busy = true
        service = { distribution = "exponential", mean_seconds = 90 }

        [[instance_types]]
        name = "encoder"
        hourly_price = 0.5

        [[policies]]
        type = "step"
        name = "first"
        adjustment_type = "ChangeInCapacity"
        steps = [{ lower = 0, adjustment = 1 }]
        alarm = { metric = "QueueDepth", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 0, missing_data = "notBreaching" }

        [[policies]]
        type = "target-tracking"
        name = "more"
        metric = "BacklogPerInstance"
        target = 3
        "#,
    )
    .unwrap()
}

/// Between one and five: a step adds, another takes away.
fn two_steps(out_at: f64, below: Comparison, in_at: f64) -> FleetSpec {
    let step = |name: &str, comparison, threshold, minutes, adjustment: StepAdjustment| PolicySpec::Step {
        name: name.to_owned(),
        adjustment_type: fleet_scaling::policy::AdjustmentType::ChangeInCapacity,
        minimum_adjustment_magnitude: None,
        alarm: AlarmSpec {
            evaluation_periods: minutes,
            ..AlarmSpec::on("QueueDepth", comparison, threshold)
        },
        steps: vec![adjustment],
    };
    let mut spec = sound();
    (spec.min, spec.max, spec.scale_to_zero) = (1, 5, None);
    spec.policies = vec![
        step(
            "out",
            Comparison::GreaterThanOrEqualToThreshold,
            out_at,
            1,
            StepAdjustment {
                lower: Some(0.0),
                upper: None,
                adjustment: 1,
            },
        ),
        step(
            "in",
            below,
            in_at,
            15,
            StepAdjustment {
                lower: None,
                upper: Some(0.0),
                adjustment: -1,
            },
        ),
    ];
    spec
}

fn findings(spec: FleetSpec) -> Vec<Finding> {
    lint(&FleetConfig::new(spec).unwrap())
}

fn rules(spec: FleetSpec) -> Vec<&'static str> {
    findings(spec).iter().map(|finding| finding.rule).collect()
}

#[test]
fn of_sound_fleets_nothing_is_said() {
    let mut always_on = sound();
    (always_on.min, always_on.scale_to_zero) = (2, None);
    always_on.policies.remove(0);
    let mut long_jobs = sound();
    long_jobs.jobs.service = fleet_scaling::config::ServiceTime::Exponential { mean_seconds: 1800.0 };
    if let Some(zero) = &mut long_jobs.scale_to_zero {
        // Busy workers protect themselves, so nothing else has to hold the fleet.
        (zero.never_with_queued_jobs, zero.drain_first, zero.recheck) = (false, false, false);
    }
    let steps = two_steps(6.0, Comparison::LessThanThreshold, 1.0);
    for spec in [sound(), always_on, long_jobs, steps] {
        assert_eq!(rules(spec), [""; 0]);
    }
}

/// API Reference, `StepAdjustment`: of a breach at or below the threshold the upper bound 0 is part of the step. On whole
/// numbers "at most 0" is "less than 1".
#[test]
fn at_most_zero_and_less_than_one_are_the_same_rule_on_whole_jobs() {
    // A fleet that is never empty, and one that goes to zero and comes back with the first job.
    for (min, out_at) in [(1, 4.0), (0, 1.0)] {
        for (load, seed) in [("daily:0..90/h", 7), ("poisson:12/h", 3), ("burst:20@6h", 1)] {
            let hours = |comparison, threshold| {
                let mut spec = two_steps(out_at, comparison, threshold);
                spec.min = min;
                let config = FleetConfig::new(spec).unwrap();
                let report = simulate(&config, &load.parse().unwrap(), seed, 7 * DAY).unwrap();
                assert!(report.scaling.scale_ins > 0, "{min} {load}");
                report.fleet.instance_hours
            };
            let at_most = hours(Comparison::LessThanOrEqualToThreshold, 0.0);
            let less = hours(Comparison::LessThanThreshold, 1.0);
            assert!((at_most - less).abs() < 1e-9, "{min} {load}: {at_most} {less}");
        }
    }
}

#[test]
fn a_fleet_with_one_contradiction_has_the_finding_that_names_it() {
    let step = |change: fn(&mut PolicySpec)| {
        let mut spec = sound();
        change(&mut spec.policies[0]);
        spec
    };
    let zero = |change: fn(&mut fleet_scaling::config::ScaleToZeroSpec)| {
        let mut spec = sound();
        change(spec.scale_to_zero.as_mut().unwrap());
        spec
    };
    let overlap = two_steps(3.0, Comparison::LessThanThreshold, 8.0);
    let mut leases = sound();
    leases.jobs.lease_seconds = 7200.0;
    leases.instance_types = vec![InstanceTypeSpec {
        spot: Some(SpotSpec {
            interruptions_per_hour: 0.3,
            ..SpotSpec::default()
        }),
        ..leases.instance_types[0].clone()
    }];
    let exact = step(|policy| {
        if let PolicySpec::Step { adjustment_type, .. } = policy {
            *adjustment_type = fleet_scaling::policy::AdjustmentType::ExactCapacity;
        }
    });
    let mut nothing = sound();
    nothing.policies.remove(0);
    let silence = zero(|zero| {
        (
            zero.missing_data,
            zero.never_when_silent,
            zero.never_with_queued_jobs,
        ) = (MissingData::Breaching, false, false);
    });
    let unreachable = step(|policy| {
        if let PolicySpec::Step { steps, .. } = policy {
            steps.insert(
                0,
                StepAdjustment {
                    lower: None,
                    upper: Some(0.0),
                    adjustment: -1,
                },
            );
        }
    });
    for (spec, rule, severity) in [
        (overlap, "thresholds-overlap", None),
        (leases, "lease-of-hours-on-spot", None),
        (exact, "exact-step-fights-tracking", None),
        (nothing, "nothing-leaves-zero", Some(Severity::Error)),
        (silence, "silence-scales-to-zero", None),
        (unreachable, "unreachable-step", Some(Severity::Note)),
    ] {
        let findings = findings(spec);
        let [finding] = &findings[..] else {
            panic!("{rule}: {findings:?}");
        };
        assert_eq!(finding.rule, rule);
        if let Some(severity) = severity {
            assert_eq!(finding.severity, severity, "{rule}");
        }
    }
}

/// A fleet that starts no job has no waits: not ones of 0 seconds.
#[test]
fn statistics_of_a_run_in_which_no_job_started_are_null_in_json() {
    let mut spec = sound();
    spec.policies.clear();
    let config = FleetConfig::new(spec).unwrap();
    let report = simulate(&config, &"constant:6/h".parse().unwrap(), 1, DAY).unwrap();
    assert_eq!((report.jobs.done, report.wait.count), (0, 0));
    assert!(report.jobs.waiting > 0);
    let written = serde_json::to_value(&report).unwrap();
    for durations in ["wait", "turnaround"] {
        let durations = written[durations].as_object().unwrap();
        assert_eq!(durations["count"], 0);
        for (name, value) in durations.iter().filter(|(name, _)| *name != "count") {
            assert!(value.is_null(), "{name}: {value}");
        }
    }
    for share in ["cost_per_job", "cold_start_share"] {
        assert!(written["fleet"][share].is_null(), "{share}");
    }
    // The same of a run with jobs are numbers.
    let config = FleetConfig::new(sound()).unwrap();
    let report = simulate(&config, &"constant:6/h".parse().unwrap(), 1, DAY).unwrap();
    let written = serde_json::to_value(&report).unwrap();
    assert!(written["wait"]["p95"].is_number() && written["fleet"]["cost_per_job"].is_number());
}
