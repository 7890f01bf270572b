use super::*;
use crate::alarm::MissingData;
use crate::config::{FleetSpec, PolicySpec, ScaleToZeroSpec};
use crate::explain::explain;
use crate::scale_to_zero::{Guard, ZeroOutcome};
use crate::state::Suspended;

fn config(change: impl FnOnce(&mut FleetSpec)) -> FleetConfig {
    let mut spec = FleetSpec::one_step();
    change(&mut spec);
    FleetConfig::new(spec).unwrap()
}

/// Twenty minutes without a job, as only the queue tells them.
fn empty_queue() -> Metrics {
    Metrics::new().with("QueueDepth", [Some(0.0); 20])
}

/// Twenty minutes of the same queue and backlog.
fn steady(queue: f64, backlog: f64) -> Metrics {
    Metrics::new()
        .with("QueueDepth", [Some(queue); 20])
        .with("BacklogPerInstance", [Some(backlog); 20])
}

fn desired(config: &FleetConfig, state: &FleetState, metrics: &Metrics) -> u32 {
    decide(config, state, metrics, Moment(0)).desired
}

#[test]
fn a_deep_backlog_beats_the_exact_capacity_of_one() {
    let config = config(|_| ());
    let decision = decide(&config, &FleetState::settled(3), &steady(18.0, 6.0), Moment(0));
    assert_eq!(decision.desired, 9);
    assert!(decision.reasons.contains(&Reason::Wins {
        policy: 1,
        capacity: 9
    }));
}

#[test]
fn a_step_that_fires_alone_shrinks_a_tracked_fleet() {
    // The backlog is right on target, so tracking is silent and ExactCapacity 1 has the only answer.
    let config = config(|_| ());
    assert_eq!(desired(&config, &FleetState::settled(4), &steady(8.0, 2.0)), 1);
}

#[test]
fn the_bounds_are_the_last_word_and_the_reason_says_so() {
    let config = config(|spec| spec.max = 5);
    let decision = decide(&config, &FleetState::settled(3), &steady(60.0, 20.0), Moment(0));
    assert_eq!(decision.desired, 5);
    assert!(decision.reasons.contains(&Reason::Clamped { wanted: 30, to: 5 }));
}

#[test]
fn an_empty_queue_takes_the_fleet_to_zero_once() {
    let config = config(|_| ());
    let empty = steady(0.0, 0.0);
    let mut state = FleetState::settled(2);
    assert_eq!(desired(&config, &state, &empty), 0);
    // A deploy has set the desired capacity back to 1 since: the alarm has nothing to say any more.
    state.alarms = vec![
        AlarmState::Ok,
        AlarmState::Ok,
        AlarmState::Alarm,
        AlarmState::Alarm,
    ];
    state.desired = 1;
    let decision = decide(&config, &state, &empty, Moment(0));
    assert_eq!(decision.desired, 1);
    assert!(decision.reasons.contains(&Reason::ScaleToZero {
        outcome: ZeroOutcome::NotNotified
    }));
}

#[test]
fn silence_takes_a_busy_fleet_to_zero_unless_an_option_forbids_it() {
    let silent = Metrics::new().with("QueueDepth", [None; 20]);
    let mut state = FleetState::settled(4);
    assert_eq!(desired(&config(|_| ()), &state, &silent), 0);
    state.queued = Some(9);
    for option in [
        (|zero: &mut ScaleToZeroSpec| zero.never_when_silent = true) as fn(&mut ScaleToZeroSpec),
        |zero| zero.never_with_queued_jobs = true,
        |zero| zero.missing_data = MissingData::Missing,
    ] {
        let config = config(|spec| option(spec.scale_to_zero.as_mut().unwrap()));
        assert_eq!(desired(&config, &state, &silent), 4);
    }
}

#[test]
fn what_is_not_known_counts_as_dangerous() {
    let guarded = config(|spec| {
        spec.scale_to_zero = Some(ScaleToZeroSpec {
            never_with_active_workers: true,
            ..ScaleToZeroSpec::unguarded(15)
        });
    });
    let mut state = FleetState::settled(2);
    let empty = empty_queue();
    assert_eq!(desired(&guarded, &state, &empty), 2);
    state.busy = Some(1);
    assert_eq!(desired(&guarded, &state, &empty), 2);
    state.busy = Some(0);
    assert_eq!(desired(&guarded, &state, &empty), 0);
}

#[test]
fn registered_workers_without_a_free_slot_count_as_busy() {
    let guarded = config(|spec| {
        spec.scale_to_zero = Some(ScaleToZeroSpec {
            never_with_active_workers: true,
            ..ScaleToZeroSpec::unguarded(15)
        });
    });
    let with_free = |free| {
        let metrics = empty_queue()
            .with("ActiveWorkers", [Some(3.0)])
            .with("AvailableCapacity", [free]);
        decide(&guarded, &FleetState::settled(3), &metrics, Moment(0))
    };
    assert_eq!(with_free(Some(3.0)).desired, 0);
    for (free, workers) in [(Some(1.0), 2), (None, 3)] {
        let decision = with_free(free);
        assert_eq!(decision.desired, 3);
        let guard = Guard::ActiveWorkers { workers };
        assert!(decision.reasons.contains(&Reason::ScaleToZero {
            outcome: ZeroOutcome::Held { guard }
        }));
    }
}

#[test]
fn what_the_queue_holds_is_named_by_what_its_depth_counts() {
    let held = |depth_counts_running| {
        let config = config(|spec| {
            spec.policies.clear();
            spec.jobs.depth_counts_running = depth_counts_running;
            spec.scale_to_zero = Some(ScaleToZeroSpec {
                never_with_queued_jobs: true,
                ..ScaleToZeroSpec::unguarded(15)
            });
        });
        let state = FleetState {
            queued: Some(3),
            ..FleetState::settled(1)
        };
        explain(&config, &state, &empty_queue(), Moment(0)).remove(2)
    };
    assert_eq!(held(true), "scale to zero is held back: 3 jobs are not done");
    assert_eq!(held(false), "scale to zero is held back: 3 jobs wait");
}

#[test]
fn draining_keeps_the_workers_that_hold_a_job() {
    let config = config(|spec| spec.scale_to_zero = Some(ScaleToZeroSpec::safe(15)));
    let empty = empty_queue();
    let mut state = FleetState {
        busy: Some(2),
        ..FleetState::settled(5)
    };
    assert_eq!(desired(&config, &state, &empty), 2);
    // Nothing more to take away until one of them has finished; then the second look finds it.
    state.desired = 2;
    state.alarms = vec![AlarmState::Alarm; 4];
    assert_eq!(desired(&config, &state, &empty), 2);
    state.busy = Some(0);
    assert_eq!(desired(&config, &state, &empty), 0);
}

#[test]
fn the_minimum_forbids_zero() {
    let config = config(|spec| spec.min = 1);
    let decision = decide(&config, &FleetState::settled(1), &steady(0.0, 0.0), Moment(0));
    assert_eq!(decision.desired, 1);
    assert!(decision.reasons.contains(&Reason::ScaleToZero {
        outcome: ZeroOutcome::Held {
            guard: Guard::BelowMinimum { min: 1 }
        }
    }));
}

#[test]
fn suspended_processes_stop_what_they_stand_for() {
    let config = config(|_| ());
    let suspended = |suspended| FleetState {
        suspended,
        ..FleetState::settled(3)
    };
    let busy = steady(18.0, 6.0);
    let no_alarms = suspended(Suspended {
        alarm_notification: true,
        ..Suspended::default()
    });
    assert_eq!(desired(&config, &no_alarms, &busy), 3);
    let no_launch = suspended(Suspended {
        launch: true,
        ..Suspended::default()
    });
    let decision = decide(&config, &no_launch, &busy, Moment(0));
    assert_eq!((decision.desired, decision.instances), (9, 3));
    let no_terminate = suspended(Suspended {
        terminate: true,
        ..Suspended::default()
    });
    let decision = decide(&config, &no_terminate, &steady(0.0, 0.0), Moment(0));
    assert_eq!((decision.desired, decision.instances), (0, 3));
}

#[test]
fn protected_instances_stay_while_the_desired_capacity_falls() {
    let state = FleetState {
        protected: 2,
        ..FleetState::settled(3)
    };
    let decision = decide(&config(|_| ()), &state, &steady(0.0, 0.0), Moment(0));
    assert_eq!((decision.desired, decision.instances), (0, 2));
    assert!(decision.reasons.contains(&Reason::Protected { instances: 2 }));
}

#[test]
fn instances_at_risk_are_replaced_ahead_a_little_over_the_maximum() {
    let state = FleetState {
        at_risk: 3,
        ..FleetState::settled(10)
    };
    let busy = steady(30.0, 3.0);
    let decision = decide(&config(|_| ()), &state, &busy, Moment(0));
    assert_eq!((decision.desired, decision.instances), (10, 11));
    let off = config(|spec| spec.capacity_rebalance = false);
    assert_eq!(decide(&off, &state, &busy, Moment(0)).instances, 10);
}

#[test]
fn the_explanation_has_the_numbers_in_order() {
    let mut config = config(|spec| spec.max = 4);
    let state = FleetState::settled(2);
    let metrics = steady(12.0, 6.0);
    assert_eq!(
        explain(&config, &state, &metrics, Moment(0)),
        [
            "alarm `queue-has-jobs` is ALARM: 1 of 1 points of QueueDepth are greater than 0, 1 needed; newest 12",
            "alarm `TargetTracking-backlog-AlarmHigh` is ALARM: 3 of 3 points of BacklogPerInstance are greater \
             than 2, 3 needed; newest 6",
            "alarm `TargetTracking-backlog-AlarmLow` is OK: 0 of 15 points of BacklogPerInstance are less than \
             1.8, 15 needed; newest 6",
            "alarm `queue-empty` is OK: 0 of 15 points of QueueDepth are less than or equal to 0, 15 needed; \
             newest 12; so the fleet is not taken to zero",
            "policy `queue-has-jobs` answers QueueDepth 12 with a capacity of 1",
            "policy `backlog` answers BacklogPerInstance 6 with a capacity of 6",
            "of the policies that answer, `backlog` has the largest capacity, 6",
            "6 is more than the maximum: 4",
            "the desired capacity goes from 2 to 4",
        ]
    );
    config = FleetConfig::new(FleetSpec {
        policies: Vec::<PolicySpec>::new(),
        ..config.spec().clone()
    })
    .unwrap();
    let silent = explain(&config, &state, &Metrics::new(), Moment(0));
    assert_eq!(
        silent[0],
        "alarm `queue-empty` is ALARM: 0 of 0 points of QueueDepth are less than or equal to 0, 15 needed; \
         no data at all; 15 missing, treated as breaching"
    );
    assert_eq!(silent.last().unwrap(), "the desired capacity goes from 2 to 0");
}

/// EC2 Auto Scaling User Guide, "Target tracking scaling policies", considerations: several policies scale
/// out when any is ready to, and in only when all are whose scale-in is enabled.
#[test]
fn several_tracking_policies_scale_in_only_when_all_agree() {
    let two = |disabled| {
        config(|spec| {
            spec.scale_to_zero = None;
            spec.policies = [2.0, 20.0]
                .map(|target| PolicySpec::TargetTracking {
                    name: format!("target-{target}"),
                    metric: "BacklogPerInstance".into(),
                    statistic: crate::metrics::Statistic::Average,
                    target,
                    disable_scale_in: disabled && target == 2.0,
                    alarms: None,
                    floor: 0,
                })
                .to_vec();
        })
    };
    let eight = FleetState::settled(8);
    // 1.9 is not below 90 % of 2, so the first policy is content with eight.
    let decision = decide(&two(false), &eight, &steady(15.2, 1.9), Moment(0));
    assert_eq!(decision.desired, 8);
    let said = decision.explain(&two(false));
    assert!(
        said.iter()
            .any(|sentence| sentence.contains("all must be ready to scale in")),
        "{said:?}"
    );
    // A policy that never scales in is not asked.
    assert_eq!(desired(&two(true), &eight, &steady(15.2, 1.9)), 1);
    // Both are ready, and the larger answer counts.
    assert_eq!(desired(&two(false), &eight, &steady(8.0, 1.0)), 4);
    // Any of them scales out.
    assert_eq!(desired(&two(false), &eight, &steady(24.0, 3.0)), 10);
    // A policy without data is not ready.
    let silent = Metrics::new()
        .with("QueueDepth", [Some(0.0); 20])
        .with("BacklogPerInstance", [None; 20]);
    assert_eq!(desired(&two(false), &eight, &silent), 8);
}

/// EC2 Auto Scaling User Guide, "Decrease latency for applications with long boot times using warm pools": the pool
/// holds the difference between `MaxGroupPreparedCapacity` and the desired capacity, and its instances are not part of
/// the capacity that is decided on.
#[test]
fn a_warm_pool_changes_no_decision_and_an_explanation_says_where_launches_come_from() {
    use crate::config::WarmPoolSpec;
    let metrics = Metrics::new()
        .with("QueueDepth", [Some(5.0); 20])
        .with("BacklogPerInstance", [Some(5.0); 20]);
    let mut spec = crate::config::FleetSpec::one_step();
    spec.instance_types.truncate(1);
    (spec.instance_types[0].spot, spec.instance_types[0].hourly_price) = (None, Some(1.0));
    let without = FleetConfig::new(spec.clone()).unwrap();
    spec.warm_pool = Some(WarmPoolSpec {
        max_prepared: Some(2),
        ..WarmPoolSpec::default()
    });
    let with = FleetConfig::new(spec).unwrap();
    let state = FleetState::settled(1);
    assert_eq!(
        decide(&with, &state, &metrics, Moment(0)),
        decide(&without, &state, &metrics, Moment(0))
    );
    let said = crate::explain(&with, &state, &metrics, Moment(0));
    let pool = said
        .iter()
        .find(|sentence| sentence.contains("warm pool"))
        .unwrap();
    assert_eq!(
        pool,
        "the warm pool is to hold 1 beside 1: 1 of 2 launches can be from it, cold ones: 1"
    );
}
