//! Minutes that are passed over change no byte of a report, whatever the alarms and policies are.

use super::*;
use crate::policy::StepAdjustment;
use crate::simulate::random::{Random, Stream};

fn any_alarm(random: &mut Random, looks_up: bool) -> AlarmSpec {
    let math = r#"{"expression":"FILL(m1, 0) / m2","inputs":{"m1":{"metric":"QueueDepth"},"m2":{"metric":"ActiveWorkers"}}}"#;
    let metric = match random.below(6) {
        0 | 1 => "QueueDepth".into(),
        2 => "BacklogPerInstance".into(),
        3 => "AvailableCapacity".into(),
        4 => "ActiveWorkers".into(),
        _ => serde_json::from_str(math).unwrap(),
    };
    let periods = 1 + random.below(6);
    let (up, down) = (
        [
            Comparison::GreaterThanThreshold,
            Comparison::GreaterThanOrEqualToThreshold,
        ],
        [
            Comparison::LessThanThreshold,
            Comparison::LessThanOrEqualToThreshold,
        ],
    );
    AlarmSpec {
        metric,
        statistic: [Statistic::Average, Statistic::Maximum, Statistic::Sum][random.below(3)],
        period_seconds: [60.0, 60.0, 60.0, 180.0][random.below(4)],
        comparison: if looks_up { up } else { down }[random.below(2)],
        threshold: [0.0, 0.4, 1.0, 1.8, 3.0][random.below(5)],
        evaluation_periods: periods as i64,
        datapoints_to_alarm: Some(1 + random.below(periods) as i64),
        missing_data: [
            MissingData::Missing,
            MissingData::Ignore,
            MissingData::Breaching,
            MissingData::NotBreaching,
        ][random.below(4)],
    }
}

fn any_policy(random: &mut Random, at: usize) -> PolicySpec {
    let name = format!("policy-{at}");
    let adjustment = [1, 2, -1][random.below(3)];
    let alarm = any_alarm(random, adjustment > 0);
    let step = |lower, upper, adjustment| StepAdjustment {
        lower,
        upper,
        adjustment,
    };
    match random.below(3) {
        0 => PolicySpec::TargetTracking {
            name,
            metric: "BacklogPerInstance".into(),
            statistic: Statistic::Average,
            target: [0.7, 2.0, 5.0][random.below(3)],
            disable_scale_in: random.below(3) == 0,
            alarms: None,
            floor: 0,
        },
        1 => PolicySpec::Simple {
            name,
            adjustment_type: AdjustmentType::ChangeInCapacity,
            adjustment,
            minimum_adjustment_magnitude: None,
            cooldown_seconds: 250.0,
            alarm,
        },
        _ => PolicySpec::Step {
            name,
            adjustment_type: AdjustmentType::ChangeInCapacity,
            minimum_adjustment_magnitude: None,
            steps: if adjustment > 0 {
                vec![step(Some(0.0), Some(1.5), adjustment), step(Some(1.5), None, 3)]
            } else {
                vec![step(None, Some(-1.0), -2), step(Some(-1.0), Some(0.0), -1)]
            },
            alarm,
        },
    }
}

#[test]
fn no_byte_changes_for_three_hundred_fleets_of_all_kinds() {
    let mut random = Random::new(14, Stream::Service, 0);
    let mut done = 0;
    for seed in 0..300 {
        let policies = (0..1 + random.below(3))
            .map(|at| any_policy(&mut random, at))
            .collect();
        let config = spec(|spec| {
            spec.policies = policies;
            spec.min = random.below(2) as i64;
            spec.scale_to_zero = [
                None,
                Some(ScaleToZeroSpec::unguarded(1 + random.below(20) as i64)),
                Some(ScaleToZeroSpec::safe(1 + random.below(20) as i64)),
            ][random.below(3)];
            spec.jobs.depth_counts_running = random.below(2) == 0;
            spec.jobs.backlog_without_workers = random.below(2) == 0;
            spec.jobs.protect_busy = random.below(2) == 0;
            spec.jobs.concurrency = 1 + random.below(2) as i64;
            spec.jobs.service = ServiceTime::Exponential {
                mean_seconds: [20.0, 90.0, 900.0][random.below(3)],
            };
            spec.instance_types[0].spot = Some(SpotSpec {
                interruptions_per_hour: [0.0, 0.5][random.below(2)],
                rebalance_lead_seconds: 60.0,
                ..SpotSpec::default()
            });
        });
        let load = ["poisson:4/h", "daily:0..60/h", "poisson:30/h", "burst:20@3h"][random.below(4)];
        let mut scenario = Scenario::new(load.parse().unwrap(), seed, Duration::from_secs(3 * DAY));
        scenario.silences = vec![(Duration::from_secs(DAY + 45), Duration::from_secs(3 * HOUR))];
        scenario.initial = Some(random.below(3) as u32);
        let skipping = engine::Engine::new(&config, &scenario).run(&|_| ());
        let every = engine::Engine::new(&config, &scenario)
            .without_skipping()
            .run(&|_| ());
        let bytes = |report: &Report| serde_json::to_string(report).unwrap();
        assert_eq!(
            bytes(&skipping),
            bytes(&every),
            "{scenario:?}\n{:?}",
            config.spec()
        );
        done += skipping.jobs.done;
    }
    assert!(done > 10_000, "{done}");
}
