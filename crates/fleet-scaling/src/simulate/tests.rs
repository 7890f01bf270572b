use super::*;
use crate::alarm::{Comparison, MissingData};
use crate::config::{AlarmSpec, FleetSpec, PolicySpec, ScaleToZeroSpec, ServiceTime, ShortageSpec, SpotSpec};
use crate::metrics::{Signal, Statistic};
use crate::policy::AdjustmentType;

mod clock;
mod schedule;
mod skipping;
mod warm_pool;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// The example with one type at a dollar an hour and launches that take exactly four minutes, whose
/// queue's depth counts the jobs that wait.
fn spec(change: impl FnOnce(&mut FleetSpec)) -> FleetConfig {
    let mut spec = FleetSpec::one_step();
    spec.jobs.depth_counts_running = false;
    spec.cold_start.spread = 0.0;
    spec.instance_types.truncate(1);
    spec.instance_types[0].hourly_price = Some(1.0);
    spec.instance_types[0].spot = None;
    spec.jobs.service = ServiceTime::Fixed { seconds: 60.0 };
    change(&mut spec);
    FleetConfig::new(spec).unwrap()
}

/// Takes the sting out of the 0→1 step: it adds an instance instead of setting the capacity to one.
fn only_adding(spec: &mut FleetSpec) {
    if let PolicySpec::Step {
        adjustment_type,
        steps,
        ..
    } = &mut spec.policies[0]
    {
        *adjustment_type = AdjustmentType::ChangeInCapacity;
        steps.remove(0);
    }
}

/// `servers` instances that nothing scales.
fn fixed(servers: i64, service: ServiceTime) -> FleetConfig {
    spec(|spec| {
        (spec.min, spec.max) = (servers, servers);
        spec.policies.clear();
        spec.scale_to_zero = None;
        spec.jobs.service = service;
    })
}

fn run(config: &FleetConfig, arrivals: &str, seconds: u64) -> Report {
    simulate(
        config,
        &arrivals.parse().unwrap(),
        1,
        Duration::from_secs(seconds),
    )
    .unwrap()
}

#[test]
fn one_job_wakes_the_fleet_and_lets_it_sleep_again() {
    let report = run(&spec(|_| ()), "burst:1@10m", DAY);
    // The queue is seen at minute 10 or 11, the launch takes 4 minutes, the job one.
    assert_eq!(report.jobs.done, 1);
    assert_eq!(report.wait.max, 60.0 + 240.0);
    assert_eq!(report.turnaround.max, report.wait.max + 60.0);
    assert_eq!(report.fleet.cold_start_share, Some(1.0));
    assert_eq!((report.scaling.scale_outs, report.scaling.to_zero), (1, 1));
    // Started half a minute after the request at minute 11; the queue is empty from minute 15 on
    // (the job starts at 15:00), so the fifteenth empty point comes at minute 29.
    assert_eq!(report.fleet.instance_hours * 60.0, 17.5);
    assert!((report.fleet.cost - 17.5 / 60.0).abs() < 1e-9);
    assert!((report.fleet.time_at_zero - (1.0 - 18.0 / 1440.0)).abs() < 1e-9);
}

#[test]
fn a_depth_that_counts_running_jobs_lets_the_fleet_sleep_later() {
    let config = spec(|spec| spec.jobs.depth_counts_running = true);
    let report = run(&config, "burst:1@10m", DAY);
    assert_eq!((report.jobs.done, report.scaling.to_zero), (1, 1));
    // The job is done at 16:00, after that minute's count: the first empty point comes at minute 17,
    // the fifteenth at minute 31.
    assert_eq!(report.fleet.instance_hours * 60.0, 19.5);
}

#[test]
fn no_load_costs_nothing_and_never_moves() {
    let report = run(&spec(|_| ()), "none", 365 * DAY);
    assert_eq!(report.fleet.cost, 0.0);
    assert_eq!(report.fleet.time_at_zero, 1.0);
    assert_eq!(report.scaling, Scaling::default());
}

#[test]
fn a_fixed_fleet_is_a_plain_queue() {
    let report = run(
        &fixed(1, ServiceTime::Fixed { seconds: 60.0 }),
        "constant:120/h",
        HOUR,
    );
    // One arrival every half minute, one minute each: the queue grows by one a minute. The arrival at
    // the very end of the hour is not part of it.
    assert_eq!(report.jobs.arrived, 119);
    assert_eq!(report.jobs.done, 59);
    assert_eq!((report.jobs.running, report.jobs.waiting), (1, 59));
    assert_eq!(report.fleet.cost, 1.0);
}

#[test]
fn a_deep_queue_is_worked_off_by_more_instances_up_to_the_maximum() {
    let report = run(&spec(|_| ()), "burst:600@1h", 6 * HOUR);
    assert_eq!(report.jobs.done, 600);
    assert_eq!(report.fleet.most_instances, 10);
    assert!(report.turnaround.max < 7200.0, "{report:?}");
}

#[test]
fn long_jobs_are_killed_by_an_unguarded_scale_to_zero_and_not_by_the_safe_one() {
    let long = |zero| {
        let config = spec(|spec| {
            spec.jobs.service = ServiceTime::Fixed { seconds: 2400.0 };
            spec.scale_to_zero = Some(zero);
        });
        run(&config, "burst:1@1h", DAY)
    };
    let report = long(ScaleToZeroSpec::unguarded(15));
    assert_eq!((report.jobs.done, report.jobs.failed), (0, 1));
    assert_eq!(report.fleet.ended_busy, 3);
    let safe = long(ScaleToZeroSpec::safe(15));
    assert_eq!((safe.jobs.done, safe.fleet.ended_busy), (1, 0));
    assert_eq!(safe.scaling.to_zero, 1);
    assert!(safe.fleet.time_at_zero > 0.9);
}

#[test]
fn a_depth_that_counts_running_jobs_saves_long_ones_and_those_of_a_lost_worker() {
    let long = |depth_counts_running| {
        let config = spec(|spec| {
            spec.jobs.service = ServiceTime::Fixed { seconds: 2400.0 };
            spec.jobs.depth_counts_running = depth_counts_running;
            // One worker is lost now and then, and its job waits for an hour until its lease ends.
            spec.jobs.lease_seconds = 3600.0;
            spec.instance_types[0].spot = Some(SpotSpec {
                interruptions_per_hour: 0.5,
                ..SpotSpec::default()
            });
        });
        run(&config, "burst:1@1h+burst:1@12h", 30 * DAY)
    };
    let counted = long(true);
    assert_eq!(
        (counted.jobs.done, counted.fleet.ended_busy),
        (2, 0),
        "{counted:?}"
    );
    let waiting_only = long(false);
    assert_eq!(waiting_only.jobs.done, 0);
    assert!(waiting_only.fleet.ended_busy > 0);
}

#[test]
fn progress_is_told_often_and_changes_nothing() {
    let config = spec(|spec| spec.jobs.depth_counts_running = true);
    let mut scenario = Scenario::new(
        "daily:0..60/h".parse().unwrap(),
        5,
        Duration::from_secs(30 * DAY + 7),
    );
    scenario.points = 77;
    let told = std::cell::RefCell::new(Vec::new());
    let report = scenario
        .run_with_progress(&config, &|simulated| told.borrow_mut().push(simulated))
        .unwrap();
    assert_eq!(report, scenario.run(&config).unwrap());
    let told = told.into_inner();
    assert_eq!(told.last(), Some(&scenario.horizon));
    assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
    // A night without a job may be one jump.
    assert!((100..=201).contains(&told.len()), "{}", told.len());
}

#[test]
fn no_load_is_one_jump_and_still_comes_to_its_end() {
    let told = std::cell::RefCell::new(Vec::new());
    let scenario = Scenario::new(Arrivals::None, 1, Duration::from_secs(365 * DAY));
    scenario
        .run_with_progress(&spec(|_| ()), &|simulated| told.borrow_mut().push(simulated))
        .unwrap();
    assert_eq!(told.into_inner(), [scenario.horizon]);
}

#[test]
fn a_guard_without_a_second_look_never_lets_the_fleet_sleep() {
    let config = spec(|spec| {
        spec.jobs.service = ServiceTime::Fixed { seconds: 2400.0 };
        spec.scale_to_zero = Some(ScaleToZeroSpec {
            never_with_active_workers: true,
            ..ScaleToZeroSpec::unguarded(15)
        });
    });
    let report = run(&config, "burst:1@1h", DAY);
    assert_eq!((report.jobs.done, report.scaling.to_zero), (1, 0));
    assert!(report.fleet.instance_hours > 22.0);
}

#[test]
fn a_silent_metric_takes_a_busy_fleet_to_zero() {
    let silent = |zero| {
        let config = spec(|spec| {
            only_adding(spec);
            spec.scale_to_zero = Some(zero);
        });
        let mut scenario = Scenario::new(
            "constant:100/h".parse().unwrap(),
            1,
            Duration::from_secs(8 * HOUR),
        );
        scenario.silences = vec![(Duration::from_secs(2 * HOUR), Duration::from_secs(2 * HOUR))];
        scenario.run(&config).unwrap()
    };
    let dangerous = silent(ScaleToZeroSpec::unguarded(15));
    let safe = silent(ScaleToZeroSpec::safe(15));
    assert!(dangerous.wait.max > 5400.0, "{dangerous:?}");
    assert!(safe.wait.max < 1800.0, "{safe:?}");
}

#[test]
fn a_deploy_that_resets_the_desired_capacity_leaves_an_idle_instance() {
    let deployed = |desired| {
        let config = spec(|spec| spec.deploy_desired = desired);
        let mut scenario = Scenario::new(Arrivals::None, 1, Duration::from_secs(10 * DAY));
        scenario.deploy_every = Some(Duration::from_secs(DAY));
        scenario.run(&config).unwrap()
    };
    let reset = deployed(Some(1));
    // The alarm has been in ALARM all the time, so it notifies no action.
    assert_eq!((reset.scaling.by_deploy, reset.scaling.to_zero), (1, 0));
    assert!(reset.fleet.instance_hours > 9.0 * 24.0 - 1.0);
    assert_eq!(deployed(None).fleet.instance_hours, 0.0);
}

/// Four Spot Instances, each interrupted once in an hour and warned `lead` seconds before the notice.
fn interrupted(lead: f64, release_on_notice: bool) -> Report {
    let config = spec(|spec| {
        (spec.min, spec.max) = (4, 4);
        spec.policies.clear();
        spec.scale_to_zero = None;
        spec.jobs.service = ServiceTime::Fixed { seconds: 600.0 };
        spec.jobs.max_attempts = 200;
        spec.jobs.release_on_notice = release_on_notice;
        spec.instance_types[0].spot = Some(SpotSpec {
            interruptions_per_hour: 1.0,
            rebalance_lead_seconds: lead,
            ..SpotSpec::default()
        });
    });
    run(&config, "constant:12/h", 30 * DAY)
}

#[test]
fn interrupted_jobs_return_and_short_interrupted_lives_are_free() {
    let report = interrupted(0.0, false);
    let jobs = report.jobs;
    let expected = report.fleet.instance_hours;
    let error = (report.fleet.interruptions as f64 - expected).abs();
    assert!(error < 3.0 * expected.sqrt(), "{report:?}");
    assert!(jobs.requeued > 500 && jobs.failed == 0, "{jobs:?}");
    assert_eq!(
        jobs.arrived,
        jobs.done + jobs.waiting + jobs.leased + jobs.running
    );
    // Of an exponential lifetime with a mean of an hour, 1 - 2/e is spent in lives under an hour.
    let billed = report.fleet.cost / report.fleet.instance_hours;
    assert!((billed - 2.0 / std::f64::consts::E).abs() < 0.03, "{billed}");
}

/// Auto Scaling API Reference, `InstancesDistribution`: the base first, then a percentage, rounded up.
#[test]
fn on_demand_instances_of_a_spot_group_are_not_taken_back_and_cost_their_own_price() {
    let of = |base, percent_above_base, instances| {
        crate::config::OnDemandSpec {
            base,
            percent_above_base,
        }
        .of(instances)
    };
    assert_eq!(
        [0, 1, 2, 3, 4].map(|instances| of(2, 0, instances)),
        [0, 1, 2, 2, 2]
    );
    assert_eq!([1, 2, 4, 5].map(|instances| of(1, 50, instances)), [1, 2, 3, 3]);
    let four = |base| {
        let config = spec(|spec| {
            (spec.min, spec.max) = (4, 4);
            spec.policies.clear();
            spec.scale_to_zero = None;
            spec.on_demand.base = base;
            spec.instance_types[0].hourly_price = Some(0.1);
            spec.instance_types[0].spot = Some(SpotSpec {
                interruptions_per_hour: 1.0,
                ..SpotSpec::default()
            });
        });
        run(&config, "none", 30 * DAY)
    };
    let (spot, half, none) = (four(0), four(2), four(4));
    assert_eq!(none.fleet.interruptions, 0);
    let share = half.fleet.interruptions as f64 / spot.fleet.interruptions as f64;
    assert!((share - 0.5).abs() < 0.05, "{share}");
    // The list price of g4dn.xlarge.
    assert!(
        (none.fleet.cost - 4.0 * 30.0 * 24.0 * 0.526).abs() < 1e-6,
        "{none:?}"
    );
    assert!(half.fleet.cost > spot.fleet.cost && half.fleet.cost < none.fleet.cost);
}

#[test]
fn handing_back_on_notice_saves_the_lease() {
    assert!(interrupted(0.0, true).turnaround.p99 < interrupted(0.0, false).turnaround.p99 - 60.0);
}

#[test]
fn an_early_recommendation_is_answered_with_a_replacement() {
    let (late, early) = (interrupted(0.0, false), interrupted(900.0, false));
    assert!(
        early.fleet.interruptions * 4 < late.fleet.interruptions,
        "{early:?}"
    );
    assert_eq!(early.fleet.most_instances, 5);
}

#[test]
fn a_shortage_of_every_type_stops_launches_and_the_second_type_helps() {
    let short = |types: usize| {
        let mut spec = FleetSpec::one_step();
        spec.instance_types.truncate(types);
        spec.instance_types[0].spot = Some(SpotSpec {
            shortages: vec![ShortageSpec {
                zone: None,
                hours_between: 1.0,
                minutes: 60.0,
            }],
            ..SpotSpec::default()
        });
        run(&FleetConfig::new(spec).unwrap(), "poisson:3/h", 30 * DAY)
    };
    let (alone, with_another) = (short(1), short(2));
    assert!(alone.fleet.launch_failures > 100);
    assert_eq!(with_another.fleet.launch_failures, 0);
    assert!(alone.wait.p95 > 2.0 * with_another.wait.p95);
}

#[test]
fn skipping_idle_minutes_changes_nothing() {
    let config = spec(|spec| {
        spec.deploy_desired = Some(1);
        // An alarm whose periods do not end with every minute.
        spec.policies.push(PolicySpec::Simple {
            name: "busy-quarter".to_owned(),
            adjustment_type: AdjustmentType::ChangeInCapacity,
            adjustment: 1,
            minimum_adjustment_magnitude: None,
            cooldown_seconds: 1000.0,
            alarm: AlarmSpec {
                metric: "ActiveWorkers".into(),
                statistic: Statistic::Sum,
                period_seconds: 420.0,
                comparison: Comparison::GreaterThanOrEqualToThreshold,
                threshold: 4.0,
                evaluation_periods: 2,
                datapoints_to_alarm: None,
                missing_data: MissingData::Ignore,
            },
        });
        spec.jobs.service = ServiceTime::Exponential { mean_seconds: 300.0 };
        spec.instance_types[0].spot = Some(SpotSpec {
            interruptions_per_hour: 0.2,
            rebalance_lead_seconds: 60.0,
            ..SpotSpec::default()
        });
    });
    let template = |zero, only_add: bool| {
        spec(|spec| {
            spec.scale_to_zero = Some(zero);
            if only_add {
                only_adding(spec);
            }
        })
    };
    let configs = [
        config,
        template(ScaleToZeroSpec::unguarded(15), false),
        template(ScaleToZeroSpec::unguarded(3), true),
        template(ScaleToZeroSpec::safe(15), true),
        template(ScaleToZeroSpec::safe(70), false),
    ];
    let counting_running = configs.clone().map(|config| {
        let mut spec = config.spec().clone();
        spec.jobs.depth_counts_running = true;
        FleetConfig::new(spec).unwrap()
    });
    for (config, seed) in configs.iter().chain(&counting_running).zip(3..) {
        for load in ["poisson:2/h", "daily:0..60/h"] {
            let mut scenario = Scenario::new(load.parse().unwrap(), seed, Duration::from_secs(30 * DAY));
            scenario.deploy_every = Some(Duration::from_secs(50_001));
            scenario.silences = vec![(Duration::from_secs(7 * DAY + 90), Duration::from_secs(DAY))];
            scenario.points = 77;
            let skipping = engine::Engine::new(config, &scenario).run(&|_| ());
            let mut stepping = engine::Engine::new(config, &scenario)
                .without_skipping()
                .run(&|_| ());
            // The means of the course are sums of longer or shorter stretches, so they may differ by rounding.
            let course = |report: &Report| report.series.clone().unwrap();
            let (jumped, walked) = (course(&skipping), course(&stepping));
            assert_eq!(
                (&jumped.waiting, &jumped.desired),
                (&walked.waiting, &walked.desired)
            );
            for (jumped, walked) in [
                (&jumped.instances, &walked.instances),
                (&jumped.busy, &walked.busy),
            ] {
                let apart = jumped.iter().zip(walked).map(|(a, b)| (a - b).abs());
                assert!(apart.fold(0.0, f64::max) < 1e-6, "{jumped:?}\n{walked:?}");
            }
            stepping.series.clone_from(&skipping.series);
            assert_eq!(skipping, stepping);
            // Without a series also the minutes in which jobs come and go unseen are passed over.
            scenario.points = 0;
            let skipping_more = engine::Engine::new(config, &scenario).run(&|_| ());
            stepping.series = None;
            let bytes = |report: &Report| serde_json::to_string(report).unwrap();
            assert_eq!(bytes(&skipping_more), bytes(&stepping));
            assert!(
                skipping.jobs.done > 1000 && skipping.fleet.time_at_zero > 0.01,
                "{skipping:?}"
            );
        }
    }
}

#[test]
fn policies_without_an_alarm_in_common_still_obey_the_bounds() {
    let config = spec(|spec| {
        spec.max = 3;
        spec.policies.push(PolicySpec::TargetTracking {
            name: "queue".to_owned(),
            metric: "QueueDepth".into(),
            statistic: Statistic::Average,
            target: 1.0,
            disable_scale_in: true,
            alarms: None,
            floor: 0,
        });
    });
    let report = run(&config, "constant:600/h", DAY);
    assert_eq!(report.fleet.most_instances, 3);
}

#[test]
fn scenarios_that_make_no_sense_are_refused() {
    let config = spec(|_| ());
    let refused = |change: fn(&mut Scenario)| {
        let mut scenario = Scenario::new(Arrivals::None, 1, Duration::from_secs(DAY));
        change(&mut scenario);
        scenario.run(&config).unwrap_err().to_string()
    };
    assert_eq!(
        refused(|scenario| scenario.horizon = Duration::from_secs(59)),
        "the horizon is shorter than a minute"
    );
    assert_eq!(
        refused(|scenario| scenario.initial = Some(11)),
        "11 instances at the start are more than the maximum, 10"
    );
    assert!(
        refused(|scenario| scenario.arrivals = Arrivals::Poisson { per_hour: f64::NAN })
            .starts_with("`NaN` is not a rate")
    );
}
