//! What holds for every fleet, every state and every course of the metrics.

use std::time::Duration;

use fleet_scaling::alarm::{AlarmState, Comparison, MissingData};
use fleet_scaling::config::{
    Action, AlarmSpec, FleetConfig, FleetSpec, PolicySpec, ScaleToZeroSpec, ServiceTime, ShortageSpec,
    SpotSpec,
};
use fleet_scaling::decide::Reason;
use fleet_scaling::metrics::{Metric, Metrics, Statistic};
use fleet_scaling::policy::{AdjustmentType, StepAdjustment};
use fleet_scaling::simulate::{Arrivals, Scenario};
use fleet_scaling::state::{FleetState, Suspended};
use fleet_scaling::{Moment, decide};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

/// The fleet of `examples/two-steps.toml`.
fn two_steps() -> FleetSpec {
    toml::from_str(include_str!("../examples/two-steps.toml")).unwrap()
}

const MISSING: [MissingData; 4] = [
    MissingData::Missing,
    MissingData::Ignore,
    MissingData::Breaching,
    MissingData::NotBreaching,
];

const STATES: [AlarmState; 3] = [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData];

fn any_alarm() -> impl Strategy<Value = AlarmSpec> {
    (
        select(
            [
                "QueueDepth",
                "BacklogPerInstance",
                "ActiveWorkers",
                "AvailableCapacity",
            ]
            .to_vec(),
        ),
        select(vec![
            Comparison::GreaterThanThreshold,
            Comparison::GreaterThanOrEqualToThreshold,
            Comparison::LessThanThreshold,
            Comparison::LessThanOrEqualToThreshold,
        ]),
        0.0..20.0_f64,
        1..6_i64,
        1..3_u8,
        select(MISSING.to_vec()),
    )
        .prop_map(
            |(metric, comparison, threshold, periods, minutes, missing_data)| AlarmSpec {
                metric: metric.into(),
                statistic: Statistic::Maximum,
                period_seconds: f64::from(minutes) * 60.0,
                comparison,
                threshold,
                evaluation_periods: periods,
                datapoints_to_alarm: Some((periods + 1) / 2),
                missing_data,
            },
        )
}

fn any_policy(name: String) -> impl Strategy<Value = PolicySpec> {
    let kinds = select(vec![
        AdjustmentType::ChangeInCapacity,
        AdjustmentType::ExactCapacity,
        AdjustmentType::PercentChangeInCapacity,
    ]);
    (
        any_alarm(),
        kinds,
        -50..50_i32,
        0..50_i32,
        of(0..5_u32),
        0..3_u8,
        0.1..10.0_f64,
    )
        .prop_map(
            move |(alarm, adjustment_type, down, up, minimum_adjustment_magnitude, kind, target)| {
                let name = name.clone();
                let down = match adjustment_type {
                    AdjustmentType::ExactCapacity => down.abs(),
                    _ => down,
                };
                match kind {
                    0 => PolicySpec::Step {
                        name,
                        adjustment_type,
                        minimum_adjustment_magnitude,
                        alarm,
                        steps: vec![
                            StepAdjustment {
                                lower: None,
                                upper: Some(0.0),
                                adjustment: down,
                            },
                            StepAdjustment {
                                lower: Some(0.0),
                                upper: None,
                                adjustment: up,
                            },
                        ],
                    },
                    1 => PolicySpec::Simple {
                        name,
                        adjustment_type,
                        adjustment: down,
                        minimum_adjustment_magnitude,
                        cooldown_seconds: f64::from(up) * 30.0,
                        alarm,
                    },
                    _ => PolicySpec::TargetTracking {
                        name,
                        metric: "BacklogPerInstance".into(),
                        statistic: Statistic::Average,
                        target,
                        disable_scale_in: down < 0,
                        alarms: None,
                        floor: minimum_adjustment_magnitude.unwrap_or(0).min(1),
                    },
                }
            },
        )
}

fn any_zero() -> impl Strategy<Value = ScaleToZeroSpec> {
    (1..20_i64, select(MISSING.to_vec()), any::<[bool; 5]>()).prop_map(|(minutes, missing_data, options)| {
        ScaleToZeroSpec {
            minutes,
            missing_data,
            never_with_queued_jobs: options[0],
            never_with_active_workers: options[1],
            never_when_silent: options[2],
            drain_first: options[3],
            recheck: options[4],
        }
    })
}

fn any_config() -> impl Strategy<Value = FleetConfig> {
    let policies = (0..4_usize).prop_flat_map(|count| {
        (0..count)
            .map(|at| any_policy(format!("policy-{at}")))
            .collect::<Vec<_>>()
    });
    let service = prop_oneof![
        (1.0..2000.0_f64).prop_map(|seconds| ServiceTime::Fixed { seconds }),
        (1.0..2000.0_f64).prop_map(|mean_seconds| ServiceTime::Exponential { mean_seconds }),
        ((1.0..900.0_f64), 0.0..1.5_f64).prop_map(|(median_seconds, sigma)| ServiceTime::LogNormal {
            median_seconds,
            sigma
        }),
        vec(1.0..3000.0_f64, 1..5).prop_map(|seconds| ServiceTime::Empirical { seconds }),
    ];
    let spot = (0.0..2.0_f64, 0.0..600.0_f64, any::<bool>()).prop_map(|(rate, lead, short)| SpotSpec {
        unavailable: false,
        interruptions_per_hour: rate,
        rebalance_lead_seconds: lead,
        shortages: if short {
            vec![ShortageSpec {
                zone: Some("b".to_owned()),
                hours_between: 2.0,
                minutes: 30.0,
            }]
        } else {
            Vec::new()
        },
    });
    (
        (0..4_i64, 0..12_i64, 0.0..900.0_f64, any::<bool>(), of(0..3_i64)),
        (policies, of(any_zero()), service, of(spot)),
        (1..4_i64, 0.0..600.0_f64, any::<[bool; 3]>(), 1..6_i64, 1..200_i64),
    )
        .prop_map(|(group, (policies, zero, service, spot), jobs)| {
            let mut spec = two_steps();
            spec.min = group.0;
            spec.max = group.0 + group.1;
            spec.warmup_seconds = group.2;
            spec.capacity_rebalance = group.3;
            spec.deploy_desired = group.4.map(|desired| desired.min(spec.max));
            spec.zones = vec!["a".to_owned(), "b".to_owned()];
            spec.policies = policies;
            spec.scale_to_zero = zero;
            spec.jobs.service = service;
            spec.instance_types[0].spot = spot;
            spec.jobs.concurrency = jobs.0;
            spec.jobs.lease_seconds = jobs.1;
            spec.jobs.release_on_notice = jobs.2[0];
            spec.jobs.protect_busy = jobs.2[1];
            spec.jobs.depth_counts_running = jobs.2[2];
            spec.jobs.max_attempts = jobs.3;
            spec.jobs.queue_limit = jobs.4;
            FleetConfig::new(spec).unwrap()
        })
}

fn any_metrics() -> impl Strategy<Value = Metrics> {
    let series = || vec(of(prop_oneof![Just(0.0), 0.0..40.0_f64]), 0..30);
    (series(), series(), series(), series()).prop_map(|(queue, backlog, active, available)| {
        Metrics::new()
            .with("QueueDepth", queue)
            .with("BacklogPerInstance", backlog)
            .with("ActiveWorkers", active)
            .with("AvailableCapacity", available)
    })
}

/// A state within the bounds of `config`.
fn state_of(config: &FleetConfig) -> impl Strategy<Value = FleetState> + use<> {
    let limits = config.limits();
    (
        limits.min..=limits.max,
        (0..5_u32, 0..5_u32, 0..5_u32),
        (of(0..9_u64), of(0..9_u32)),
        any::<[bool; 3]>(),
        of(-2000..0_i64),
        vec(select(STATES.to_vec()), 0..8),
    )
        .prop_map(
            |(desired, counts, known, suspended, cooldown, alarms)| FleetState {
                desired,
                running: desired,
                launching: counts.0.min(desired) / 2,
                warming: counts.0.min(desired),
                protected: counts.1,
                at_risk: counts.2,
                terminating: 0,
                queued: known.0,
                busy: known.1,
                suspended: Suspended {
                    launch: suspended[0],
                    terminate: suspended[1],
                    alarm_notification: suspended[2],
                },
                cooldown_began: cooldown.map(|seconds| Moment(seconds * 1000)),
                alarms,
            },
        )
}

fn any_fleet() -> impl Strategy<Value = (FleetConfig, FleetState, Metrics)> {
    any_config().prop_flat_map(|config| {
        let state = state_of(&config);
        (Just(config), state, any_metrics())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_desired_capacity_stays_within_its_bounds((config, state, metrics) in any_fleet()) {
        let desired = decide(&config, &state, &metrics, Moment(0)).desired;
        prop_assert!((config.limits().min..=config.limits().max).contains(&desired));
    }

    #[test]
    fn no_policy_acts_but_on_an_alarm((config, state, metrics) in any_fleet()) {
        let decision = decide(&config, &state, &metrics, Moment(0));
        let states: Vec<AlarmState> = decision.alarm_states().collect();
        for reason in &decision.reasons {
            if let Reason::Answered { alarm, .. } = reason {
                prop_assert_eq!(states[*alarm], AlarmState::Alarm);
            }
        }
        if !states.contains(&AlarmState::Alarm) {
            prop_assert_eq!(decision.desired, state.desired);
        }
    }

    #[test]
    fn without_any_data_and_with_missing_data_as_missing_nothing_moves(
        (config, state, _) in any_fleet(),
    ) {
        let mut spec = config.spec().clone();
        for policy in &mut spec.policies {
            if let PolicySpec::Step { alarm, .. } | PolicySpec::Simple { alarm, .. } = policy {
                alarm.missing_data = MissingData::Missing;
            }
        }
        if let Some(zero) = &mut spec.scale_to_zero {
            zero.missing_data = MissingData::Missing;
        }
        let config = FleetConfig::new(spec).unwrap();
        let decision = decide(&config, &state, &Metrics::new(), Moment(0));
        prop_assert!(decision.alarm_states().all(|state| state == AlarmState::InsufficientData));
        prop_assert_eq!(decision.desired, state.desired);
    }

    #[test]
    fn the_safe_options_hold(
        (config, state, metrics) in any_fleet(), queued in of(0..3_u64), busy in of(0..3_u32),
    ) {
        let mut spec = config.spec().clone();
        // Scale to zero alone, so that a zero is its doing.
        spec.policies.clear();
        let config = FleetConfig::new(spec).unwrap();
        let state = FleetState { queued, busy, alarms: Vec::new(), ..state };
        let desired = decide(&config, &state, &metrics, Moment(0)).desired;
        let Some(zero) = config.spec().scale_to_zero else {
            prop_assert_eq!(desired, state.desired);
            return Ok(());
        };
        let waiting = queued.map(|jobs| jobs as f64).or(metrics.newest(&Metric::new("QueueDepth")));
        if zero.never_with_queued_jobs && waiting.is_none_or(|jobs| jobs > 0.0) {
            prop_assert_eq!(desired, state.desired);
        }
        let free = metrics.newest(&Metric::new("AvailableCapacity")).unwrap_or(0.0);
        let registered = metrics.newest(&Metric::new("ActiveWorkers"));
        let working = busy.map(f64::from).or(registered.map(|workers| (workers - free).max(0.0).ceil()));
        if zero.never_with_active_workers && working.is_none_or(|workers| workers >= 1.0) {
            prop_assert_eq!(desired, state.desired);
        }
        if zero.drain_first && desired < state.desired {
            prop_assert!(f64::from(desired) >= working.unwrap_or(f64::INFINITY));
        }
        let needed = usize::try_from(zero.minutes).unwrap();
        let real = metrics.of(&Metric::new("QueueDepth")).iter().rev().take(needed + 2).flatten().count();
        if zero.never_when_silent && real < needed {
            prop_assert_eq!(desired, state.desired);
        }
    }

    /// With policies that add on a deep queue and nothing that sets an exact capacity, more jobs never
    /// mean fewer instances.
    #[test]
    fn a_deeper_queue_never_means_less_capacity(
        queue in 0..60_u32, more in 0..60_u32, desired in 0..=10_u32, warming in 0..3_u32,
    ) {
        let mut spec = two_steps();
        spec.policies.truncate(2);
        if let PolicySpec::Step { adjustment_type, .. } = &mut spec.policies[0] {
            *adjustment_type = AdjustmentType::ChangeInCapacity;
        }
        let config = FleetConfig::new(spec).unwrap();
        let state = FleetState { warming: warming.min(desired), ..FleetState::settled(desired) };
        let capacity = |jobs: u32| {
            let backlog = (desired > 0).then(|| f64::from(jobs) / f64::from(desired));
            let metrics = Metrics::new()
                .with("QueueDepth", vec![Some(f64::from(jobs)); 20])
                .with("BacklogPerInstance", vec![backlog; 20]);
            decide(&config, &state, &metrics, Moment(0)).desired
        };
        prop_assert!(capacity(queue) <= capacity(queue + more));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn jobs_are_conserved_and_the_same_seed_gives_the_same_bytes(
        config in any_config(), per_hour in 0.0..60.0_f64, seed in any::<u64>(), deploys in any::<bool>(),
    ) {
        let arrivals = Arrivals::Sum {
            parts: vec![
                Arrivals::Poisson { per_hour },
                Arrivals::Burst { jobs: 30, at: Duration::from_secs(7200), daily: true },
            ],
        };
        let mut scenario = Scenario::new(arrivals, seed, Duration::from_secs(2 * 86_400));
        scenario.deploy_every = deploys.then(|| Duration::from_secs(20_000));
        scenario.silences = vec![(Duration::from_secs(40_000), Duration::from_secs(6000))];
        scenario.points = 50;
        let report = scenario.run(&config).unwrap();
        let jobs = report.jobs;
        prop_assert_eq!(
            jobs.arrived,
            jobs.done + jobs.waiting + jobs.leased + jobs.running + jobs.failed + jobs.rejected
        );
        prop_assert!(report.fleet.most_instances <= config.limits().max + (config.limits().max / 10).max(1));
        let most_dear = config.prices().iter().copied().fold(0.0, f64::max);
        // An instance is billed for a minute at least.
        let billed = report.fleet.instance_hours + report.fleet.launched as f64 / 60.0;
        prop_assert!(report.fleet.cost <= billed * most_dear + 1e-6);
        prop_assert!((0.0..=1.0).contains(&report.fleet.time_at_zero));
        prop_assert!(report.wait.p50 <= report.wait.p95 && report.wait.p95 <= report.wait.max);
        let again = scenario.run(&config).unwrap();
        prop_assert_eq!(serde_json::to_vec(&again).unwrap(), serde_json::to_vec(&report).unwrap());
    }

    /// A fleet that nothing scales is never idle while jobs wait: at the end either no job waits or
    /// every place is taken, and the work done is the same for every number of places in between.
    #[test]
    fn work_is_conserved(servers in 1..6_i64, places in 1..4_i64, per_hour in 1.0..400.0_f64, seed in any::<u64>()) {
        let mut spec = two_steps();
        (spec.min, spec.max) = (servers, servers);
        spec.policies.clear();
        spec.scale_to_zero = None;
        spec.jobs.concurrency = places;
        let config = FleetConfig::new(spec).unwrap();
        let mut scenario = Scenario::new(Arrivals::Poisson { per_hour }, seed, Duration::from_secs(86_400));
        scenario.points = 1440;
        let report = scenario.run(&config).unwrap();
        if report.jobs.waiting > 0 {
            prop_assert_eq!(report.jobs.running, u64::try_from(servers * places).unwrap());
        }
        let series = report.series.unwrap();
        for (waiting, busy) in series.waiting.iter().zip(&series.busy) {
            // Samples are taken at the end of a minute.
            prop_assert!(*waiting == 0 || *busy > servers as f64 - 1e-9);
        }
    }

    /// With a publisher that counts running jobs, and is never silent, scale to zero alone ends no worker
    /// with a job, whatever its options: the queue is empty only when every job is done.
    #[test]
    fn a_depth_that_counts_running_jobs_is_a_guard_of_its_own(
        config in any_config(), per_hour in 0.0..60.0_f64, seed in any::<u64>(),
    ) {
        let mut spec = config.spec().clone();
        spec.policies.clear();
        spec.jobs.depth_counts_running = true;
        let config = FleetConfig::new(spec).unwrap();
        let mut scenario = Scenario::new(Arrivals::Poisson { per_hour }, seed, Duration::from_secs(86_400));
        scenario.initial = Some(config.limits().max);
        let report = scenario.run(&config).unwrap();
        prop_assert_eq!(report.fleet.ended_busy, 0);
    }

    #[test]
    fn without_jobs_nothing_is_spent(config in any_config(), seed in any::<u64>()) {
        let mut spec = config.spec().clone();
        spec.min = 0;
        spec.policies.clear();
        let config = FleetConfig::new(spec).unwrap();
        let report = Scenario::new(Arrivals::None, seed, Duration::from_secs(86_400)).run(&config).unwrap();
        prop_assert_eq!((report.fleet.cost, report.fleet.time_at_zero), (0.0, 1.0));
    }
}

#[test]
fn every_alarm_belongs_to_a_policy_or_to_scale_to_zero() {
    let config = FleetConfig::new(two_steps()).unwrap();
    let actions: Vec<Action> = config.alarms().iter().map(|alarm| alarm.action).collect();
    assert_eq!(
        actions,
        [
            Action::Invoke(0),
            Action::ScaleOut(1),
            Action::ScaleIn(1),
            Action::Invoke(2),
            Action::ScaleToZero
        ]
    );
}
