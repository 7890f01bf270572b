//! Scheduled actions and lifecycle hooks. Sources: EC2 Auto Scaling User Guide, "Scheduled scaling for Amazon EC2 Auto
//! Scaling" and "How lifecycle hooks work in Amazon EC2 Auto Scaling groups".

use super::*;
use crate::config::{LifecycleHookSpec, ScheduledActionSpec, Transition};

fn action(recurrence: &str, min: Option<i64>, max: Option<i64>, desired: Option<i64>) -> ScheduledActionSpec {
    ScheduledActionSpec {
        name: recurrence.to_owned(),
        recurrence: recurrence.to_owned(),
        min,
        max,
        desired,
    }
}

/// Without policies: only the clock moves it.
fn by_the_clock(schedule: Vec<ScheduledActionSpec>) -> Report {
    let config = spec(|spec| {
        spec.policies.clear();
        spec.scale_to_zero = None;
        spec.schedule = schedule;
    });
    run(&config, "none", 14 * DAY)
}

#[test]
fn office_hours_are_paid_on_five_days_of_the_week() {
    let report = by_the_clock(vec![
        action("0 8 * * MON-FRI", Some(2), None, None),
        action("0 18 * * MON-FRI", Some(0), None, Some(0)),
    ]);
    // Ten days of ten hours, two instances, each without the half minute before it runs.
    let expected = 200.0 - 20.0 * 30.0 / 3600.0;
    assert!(
        (report.fleet.instance_hours - expected).abs() < 1e-6,
        "{report:?}"
    );
    assert_eq!((report.scaling.scale_outs, report.scaling.scale_ins), (10, 10));
}

#[test]
fn the_desired_capacity_follows_bounds_that_exclude_it_and_an_action_that_contradicts_them_fails() {
    let report = by_the_clock(vec![
        action("0 0 * * MON", None, None, Some(5)),
        action("0 12 * * MON", None, Some(3), None),
        // More than the maximum in force.
        action("0 0 * * TUE", None, None, Some(9)),
        action("0 0 * * WED", Some(4), None, None),
    ]);
    assert_eq!(report.fleet.most_instances, 5);
    assert_eq!((report.scaling.scale_outs, report.scaling.scale_ins), (1, 1));
}

#[test]
fn policies_go_on_within_the_bounds_of_the_last_action() {
    let config = spec(|spec| spec.schedule = vec![action("0 0 * * *", None, Some(2), None)]);
    assert_eq!(run(&config, "constant:600/h", DAY).fleet.most_instances, 2);
}

#[test]
fn skipping_knows_the_schedule() {
    let config = spec(|spec| {
        spec.schedule = vec![
            action("15 6 * * *", Some(1), None, None),
            action("45 20 * * *", Some(0), Some(6), None),
        ];
        spec.jobs.protect_busy = true;
    });
    let scenario = Scenario::new("poisson:9/h".parse().unwrap(), 5, Duration::from_secs(30 * DAY));
    let skipping = engine::Engine::new(&config, &scenario).run(&|_| ());
    let every = engine::Engine::new(&config, &scenario)
        .without_skipping()
        .run(&|_| ());
    assert_eq!(skipping, every);
}

#[test]
fn a_launch_hook_delays_the_first_job_and_a_terminate_hook_is_paid() {
    let hook = |transition, action_seconds| LifecycleHookSpec {
        name: "h".to_owned(),
        transition,
        action_seconds,
        heartbeat_timeout_seconds: 3600.0,
    };
    let with = |hooks: Vec<LifecycleHookSpec>| {
        let config = spec(|spec| spec.lifecycle_hooks = hooks);
        run(&config, "burst:1@1h", DAY)
    };
    let (none, launching) = (
        with(vec![]),
        with(vec![
            hook(Transition::Launching, 600.0),
            hook(Transition::Launching, 60.0),
        ]),
    );
    assert!(
        (launching.wait.mean - none.wait.mean - 600.0).abs() < 1.0,
        "{launching:?}"
    );
    let terminating = with(vec![hook(Transition::Terminating, 900.0)]);
    assert_eq!(terminating.wait, none.wait);
    let longer = terminating.fleet.instance_hours - none.fleet.instance_hours;
    assert!((longer - 0.25).abs() < 1e-9, "{longer}");
}

#[test]
fn schedules_and_hooks_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut FleetSpec)| {
        let mut spec = FleetSpec::one_step();
        change(&mut spec);
        FleetConfig::new(spec).unwrap_err().to_string()
    };
    assert!(
        refused(|spec| spec.schedule = vec![action("0 8 1 * *", Some(1), None, None)])
            .contains("not modelled")
    );
    assert!(
        refused(|spec| spec.schedule = vec![action("0 8 * * *", None, None, None)]).contains("sets none of")
    );
    assert!(
        refused(|spec| spec.schedule = vec![action("0 8 * * *", Some(3), Some(2), None)])
            .contains("more than")
    );
    assert!(
        refused(|spec| {
            spec.lifecycle_hooks = vec![LifecycleHookSpec {
                name: "h".to_owned(),
                transition: Transition::Launching,
                action_seconds: 61.0,
                heartbeat_timeout_seconds: 60.0,
            }];
        })
        .contains("longer than the hook's timeout")
    );
}
