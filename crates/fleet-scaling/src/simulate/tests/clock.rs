//! One clock and one set of rules: a simulated minute is one that `decide` would decide the same way.

use super::*;

/// Each minute of a simulation decided again by [`decide`](crate::decide()), from the metrics alone.
fn decided_again(config: &FleetConfig, scenario: &Scenario) -> usize {
    let mut metrics = crate::metrics::Metrics::new();
    let mut alarms = Vec::new();
    let mut changes = 0;
    for minute in engine::Engine::new(config, scenario).log() {
        for (signal, value) in Signal::ALL.into_iter().zip(minute.values) {
            if let Some(metric) = config.metric_of(signal) {
                metrics.push(metric, (!value.is_nan()).then_some(value));
            }
        }
        let moment = |at: u64| crate::Moment(i64::try_from(at).unwrap());
        let state = crate::state::FleetState {
            desired: minute.before,
            running: minute.before,
            warming: minute.activity.warming,
            launching: minute.activity.launching,
            queued: minute.queued,
            busy: minute.busy,
            cooldown_began: minute.activity.ended.map(moment),
            alarms: std::mem::take(&mut alarms),
            ..crate::state::FleetState::default()
        };
        let decision = crate::decide(config, &state, &metrics, moment(minute.now));
        assert_eq!(decision.desired, minute.after, "minute {}", minute.now / 60_000);
        alarms = decision.alarm_states().collect();
        changes += usize::from(minute.before != minute.after);
    }
    changes
}

#[test]
fn decide_minute_by_minute_is_the_simulation_for_every_period_and_kind_of_policy() {
    use crate::policy::StepAdjustment;
    let alarm = |period: u32, comparison, threshold, periods| AlarmSpec {
        metric: "QueueDepth".into(),
        statistic: if period > 1 {
            Statistic::Average
        } else {
            Statistic::Maximum
        },
        period_seconds: 60.0 * f64::from(period),
        comparison,
        threshold,
        evaluation_periods: periods,
        datapoints_to_alarm: None,
        missing_data: MissingData::Missing,
    };
    let step = |name: &str, alarm, lower, upper, adjustment| PolicySpec::Step {
        name: name.to_owned(),
        adjustment_type: AdjustmentType::ChangeInCapacity,
        minimum_adjustment_magnitude: None,
        alarm,
        steps: vec![StepAdjustment {
            lower,
            upper,
            adjustment,
        }],
    };
    let simple = |name: &str, alarm, adjustment| PolicySpec::Simple {
        name: name.to_owned(),
        adjustment_type: AdjustmentType::ChangeInCapacity,
        adjustment,
        minimum_adjustment_magnitude: None,
        cooldown_seconds: 200.0,
        alarm,
    };
    let (up, down) = (
        Comparison::GreaterThanThreshold,
        Comparison::LessThanOrEqualToThreshold,
    );
    for period in [1, 2, 5, 60] {
        let policies: [Vec<PolicySpec>; 4] = [
            vec![
                step("out", alarm(period, up, 0.0, 1), Some(0.0), None, 1),
                step("in", alarm(period, down, 0.0, 2), None, Some(0.0), -1),
            ],
            vec![
                simple("out", alarm(period, up, 0.0, 1), 1),
                simple("in", alarm(period, down, 0.0, 2), -1),
            ],
            FleetSpec::two_steps().policies,
            vec![
                simple("out", alarm(period, up, 0.0, 1), 2),
                PolicySpec::TargetTracking {
                    name: "queue".to_owned(),
                    metric: "QueueDepth".into(),
                    statistic: Statistic::Average,
                    target: 5.0,
                    disable_scale_in: false,
                    alarms: None,
                    floor: 0,
                },
            ],
        ];
        for policies in policies {
            let config = spec(|spec| {
                spec.policies = policies;
                spec.jobs.service = ServiceTime::Exponential { mean_seconds: 200.0 };
            });
            let mut scenario =
                Scenario::new("daily:0..60/h".parse().unwrap(), 3, Duration::from_secs(3 * DAY));
            scenario.silences = vec![(Duration::from_secs(DAY + 90), Duration::from_secs(7 * HOUR))];
            assert!(decided_again(&config, &scenario) > 5, "{period}");
        }
    }
}

/// "Alarm evaluation window": it slides, so a period of five minutes ends with every minute.
#[test]
fn a_long_period_ends_with_every_minute() {
    let config = spec(|spec| {
        if let PolicySpec::Step { alarm, .. } = &mut spec.policies[0] {
            alarm.period_seconds = 300.0;
        }
        spec.policies.truncate(1);
        spec.scale_to_zero = None;
    });
    let scenario = Scenario::new("burst:1@60m".parse().unwrap(), 1, Duration::from_secs(3 * HOUR));
    let log = engine::Engine::new(&config, &scenario).log();
    let first = log.iter().find(|minute| minute.after > 0).unwrap();
    assert_eq!(first.now / 60_000, 61);
}

/// "Scaling cooldowns": a simple policy waits for the activity, and its cooldown begins when the last
/// instance has been launched.
#[test]
fn a_simple_policy_waits_for_the_launch_and_then_for_its_cooldown() {
    let config = spec(|spec| {
        spec.cold_start.request_seconds = 30.0;
        spec.cold_start.boot_seconds = 150.0;
        spec.scale_to_zero = None;
        spec.policies = vec![PolicySpec::Simple {
            name: "out".to_owned(),
            adjustment_type: AdjustmentType::ChangeInCapacity,
            adjustment: 1,
            minimum_adjustment_magnitude: None,
            cooldown_seconds: 180.0,
            alarm: AlarmSpec {
                metric: "QueueDepth".into(),
                statistic: Statistic::Maximum,
                period_seconds: 60.0,
                comparison: Comparison::GreaterThanThreshold,
                threshold: 0.0,
                evaluation_periods: 1,
                datapoints_to_alarm: None,
                missing_data: MissingData::NotBreaching,
            },
        }];
    });
    let scenario = Scenario::new("burst:1000@9m".parse().unwrap(), 1, Duration::from_secs(HOUR / 2));
    let changed: Vec<u64> = engine::Engine::new(&config, &scenario)
        .log()
        .iter()
        .filter(|minute| minute.after != minute.before)
        .map(|minute| minute.now / 60_000)
        .collect();
    // Three minutes of launch and three of cooldown.
    assert_eq!(changed, [10, 16, 22, 28]);
}

#[test]
fn at_most_zero_and_below_one_are_the_same_rule_on_whole_numbers() {
    let hours = |comparison, threshold| {
        let config = spec(|spec| {
            spec.jobs.protect_busy = true;
            spec.scale_to_zero = None;
            only_adding(spec);
            let PolicySpec::Step { alarm, .. } = &spec.policies[0] else {
                return;
            };
            let alarm = AlarmSpec {
                comparison,
                threshold,
                evaluation_periods: 15,
                ..alarm.clone()
            };
            spec.policies[1] = PolicySpec::Step {
                name: "in".to_owned(),
                adjustment_type: AdjustmentType::ChangeInCapacity,
                minimum_adjustment_magnitude: None,
                alarm,
                steps: vec![crate::policy::StepAdjustment {
                    lower: None,
                    upper: Some(0.0),
                    adjustment: -1,
                }],
            };
        });
        run(&config, "poisson:10/h", 10 * DAY)
    };
    let at_most_zero = hours(Comparison::LessThanOrEqualToThreshold, 0.0);
    assert_eq!(at_most_zero, hours(Comparison::LessThanThreshold, 1.0));
    assert!(at_most_zero.scaling.scale_ins > 20, "{at_most_zero:?}");
}
