//! Warm pools. Sources: EC2 Auto Scaling User Guide, "Decrease latency for applications with long boot times using warm
//! pools", and the API Reference, `PutWarmPool`.

use super::*;
use crate::config::{LifecycleHookSpec, PoolState, Transition, WarmPoolSpec};

/// Launches take 30 s until the instance runs, 150 s until it has booted, 60 s until its worker has registered.
fn with(pool: Option<WarmPoolSpec>, change: impl FnOnce(&mut FleetSpec)) -> FleetConfig {
    spec(|spec| {
        spec.max = 4;
        spec.warm_pool = pool;
        change(spec);
    })
}

fn pool(change: impl FnOnce(&mut WarmPoolSpec)) -> Option<WarmPoolSpec> {
    let mut pool = WarmPoolSpec::default();
    change(&mut pool);
    Some(pool)
}

/// "the difference between the group's maximum capacity and its desired capacity"; with `MaxGroupPreparedCapacity` "the
/// difference between the `MaxGroupPreparedCapacity` and the desired capacity instead"; "the capacity of the warm pool is
/// 0, unless you specify a value for `MinSize`".
#[test]
fn the_size_of_the_pool_follows_the_desired_capacity() {
    let size = |min, max_prepared, desired| {
        let spec = WarmPoolSpec {
            min,
            max_prepared,
            ..WarmPoolSpec::default()
        };
        spec.size(desired, 10)
    };
    assert_eq!([0, 4, 10].map(|desired| size(0, None, desired)), [10, 6, 0]);
    assert_eq!([0, 4, 10].map(|desired| size(0, Some(5), desired)), [5, 1, 0]);
    assert_eq!([0, 4, 10].map(|desired| size(2, Some(5), desired)), [5, 2, 2]);
    // "Only when `MaxGroupPreparedCapacity` and `MinSize` are set to the same value does the warm pool have an absolute
    // size."
    assert_eq!([1, 4, 10].map(|desired| size(5, Some(5), desired)), [5, 5, 5]);
}

#[test]
fn a_launch_from_the_pool_is_spared_the_boot() {
    let wait = |pool| run(&with(pool, |_| ()), "burst:1@1h", DAY).wait.mean;
    let cold = wait(None);
    let stopped = wait(pool(|_| ()));
    let running = wait(pool(|pool| pool.state = PoolState::Running));
    let given = wait(pool(|pool| pool.start_seconds = Some(75.0)));
    assert!((cold - stopped - 150.0).abs() < 1e-6, "{cold} {stopped}");
    assert!((cold - running - 180.0).abs() < 1e-6, "{cold} {running}");
    assert!((given - stopped - 45.0).abs() < 1e-6, "{given} {stopped}");
}

/// A stopped instance costs its volumes and no hours; a running one is charged like any other.
#[test]
fn running_pools_are_paid_all_the_time_and_stopped_ones_while_they_are_prepared() {
    let hours = |state| {
        let config = with(pool(|pool| pool.state = state), |spec| {
            spec.policies.clear();
            spec.scale_to_zero = None;
        });
        run(&config, "none", DAY).fleet
    };
    for state in [PoolState::Stopped, PoolState::Hibernated] {
        let fleet = hours(state);
        assert_eq!((fleet.instance_hours, fleet.cost), (0.0, 0.0), "{state:?}");
    }
    let running = hours(PoolState::Running);
    assert!((running.instance_hours - 96.0).abs() < 1e-9, "{running:?}");
    assert!((running.cost - 96.0).abs() < 1e-9, "{running:?}");
}

#[test]
fn instances_of_the_pool_are_no_part_of_the_capacity() {
    let config = with(pool(|pool| pool.min = 3), |spec| {
        spec.policies.clear();
        spec.scale_to_zero = None;
    });
    let report = run(&config, "constant:10/h", DAY);
    assert_eq!((report.fleet.most_instances, report.jobs.done), (0, 0));
}

/// "If the warm pool is depleted when a scale-out event occurs, instances will launch directly into the Auto Scaling
/// group (a cold start)."
#[test]
fn what_the_pool_does_not_hold_is_launched_cold() {
    let last_start = |max_prepared| {
        let pool = pool(|pool| pool.max_prepared = Some(max_prepared));
        let config = with(pool, |spec| {
            spec.policies.clear();
            spec.scale_to_zero = None;
            spec.jobs.service = ServiceTime::Fixed { seconds: 7200.0 };
            spec.schedule = vec![crate::config::ScheduledActionSpec {
                name: "out".to_owned(),
                recurrence: "0 1 * * *".to_owned(),
                min: None,
                max: None,
                desired: Some(4),
            }];
        });
        let report = run(&config, "burst:4@30m", 3 * HOUR);
        (report.wait.max, report.wait.p50)
    };
    let (all, _) = last_start(4);
    let (some, first) = last_start(2);
    assert!((some - all - 150.0).abs() < 1e-6, "{some} {all}");
    assert!((first - all).abs() / all < 0.01, "{first} {all}");
}

#[test]
fn a_scale_in_returns_instances_to_a_pool_that_reuses_them_and_no_new_ones_are_launched() {
    let launched = |reuse| {
        let pool = pool(|pool| pool.reuse_on_scale_in = reuse);
        let report = run(&with(pool, |_| ()), "burst:4@09:00", 4 * DAY);
        assert_eq!(report.jobs.done, 16);
        report.fleet.launched
    };
    // The four that the pool holds from the start are all that is ever needed.
    assert_eq!(launched(true), 4);
    let without = launched(false);
    assert!(without >= 4 + 4, "{without}");
}

/// "Use lifecycle hooks with a warm pool in Auto Scaling group": a launch hook runs when an instance enters the pool, and
/// again when it leaves the pool for the group.
#[test]
fn a_launch_hook_holds_up_an_instance_that_leaves_the_pool_too() {
    let wait = |hook: bool| {
        let config = with(pool(|_| ()), |spec| {
            if hook {
                spec.lifecycle_hooks = vec![LifecycleHookSpec {
                    name: "h".to_owned(),
                    transition: Transition::Launching,
                    action_seconds: 100.0,
                    heartbeat_timeout_seconds: 3600.0,
                }];
            }
        });
        run(&config, "burst:1@1h", DAY).wait.mean
    };
    assert!((wait(true) - wait(false) - 100.0).abs() < 1e-6);
}

/// The limitations of "Decrease latency for applications with long boot times using warm pools" were, in 2023: "You cannot
/// add a warm pool to Auto Scaling groups that have a mixed instances policy or that launch Spot Instances." Today's page
/// of `PutWarmPool` says nothing of either, and no page says what a pool of Spot Instances does.
#[test]
fn a_pool_of_spot_instances_and_sizes_below_zero_are_refused() {
    let refused = |change: fn(&mut FleetSpec)| {
        let mut spec = FleetSpec::one_step();
        for kind in &mut spec.instance_types {
            kind.spot = None;
            kind.hourly_price = Some(1.0);
        }
        spec.warm_pool = Some(WarmPoolSpec::default());
        assert!(FleetConfig::new(spec.clone()).is_ok());
        change(&mut spec);
        FleetConfig::new(spec).unwrap_err().to_string()
    };
    let spot = refused(|spec| spec.instance_types[0].spot = Some(SpotSpec::default()));
    assert!(
        spot.starts_with("`warm_pool` stands beside Spot Instances"),
        "{spot}"
    );
    let negative = refused(|spec| {
        spec.warm_pool = Some(WarmPoolSpec {
            max_prepared: Some(-2),
            ..WarmPoolSpec::default()
        });
    });
    assert!(negative.starts_with("`warm_pool.max_prepared`"), "{negative}");
}

#[test]
fn passing_over_minutes_changes_nothing_with_a_pool() {
    for (min, reuse) in [(0, false), (2, true)] {
        let pool = pool(|pool| (pool.min, pool.reuse_on_scale_in) = (min, reuse));
        let config = with(pool, only_adding);
        let scenario = Scenario::new("daily:0..30/h".parse().unwrap(), 3, Duration::from_secs(3 * DAY));
        let skipping = engine::Engine::new(&config, &scenario).run(&|_| ());
        let every = engine::Engine::new(&config, &scenario)
            .without_skipping()
            .run(&|_| ());
        assert_eq!(skipping, every);
    }
}
