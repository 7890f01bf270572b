//! The fleets under the scenarios: what an operator finds through the APIs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::options::{FleetSeed, Layout, Options};
use crate::scenario::Scenario;
use crate::service::{Service, autoscaling};
use crate::world::World;

const GROUP: &str = "asg-production-gpu-default";

fn world(scenarios: &[Scenario]) -> World {
    World::new(Options {
        scenarios: scenarios.iter().copied().collect(),
        ..Options::default()
    })
}

fn pass(world: &mut World, minutes: u64) {
    world.advance(world.now + Duration::from_secs(60 * minutes));
}

fn desired(world: &World) -> Option<u32> {
    autoscaling::desired_capacity(world, GROUP)
}

fn state(world: &mut World, alarm: &str) -> String {
    let input = json!({"AlarmNames": [alarm]});
    let alarms = world.call(Service::CloudWatch, "DescribeAlarms", &input).unwrap();
    alarms["MetricAlarms"][0]["StateValue"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The values of a metric of the production fleet over the last minutes, newest first.
fn metric(world: &mut World, name: &str, minutes: u64) -> Vec<f64> {
    let input = json!({
        "StartTime": (world.now - Duration::from_secs(60 * minutes)).epoch_seconds(),
        "EndTime": (world.now + Duration::from_secs(60)).epoch_seconds(),
        "MetricDataQueries": [{"Id": "m", "MetricStat": {"Period": 60, "Stat": "Average", "Metric": {
            "Namespace": "ComfyUI/Workers", "MetricName": name, "Dimensions": [
                {"Name": "FleetSlug", "Value": "gpu-default"}, {"Name": "Stage", "Value": "production"}],
        }}}],
    });
    let data = world.call(Service::CloudWatch, "GetMetricData", &input).unwrap();
    let values = data["MetricDataResults"][0]["Values"].as_array().unwrap();
    values.iter().filter_map(Value::as_f64).collect()
}

#[test]
fn a_healthy_fleet_works_and_is_measured() {
    let mut world = world(&[]);
    assert_eq!(metric(&mut world, "ActiveWorkers", 30), [2.0; 31]);
    // Two in hand and one that waits.
    assert_eq!(metric(&mut world, "QueueDepth", 30), [3.0; 31]);
    assert_eq!(metric(&mut world, "BacklogPerInstance", 30), [1.5; 31]);
    assert!(
        metric(&mut world, "JobProcessingP50", 5)
            .iter()
            .all(|seconds| (100.0..141.0).contains(seconds))
    );
    assert!(
        metric(&mut world, "LeaseExpiredCount", 30)
            .iter()
            .all(|count| *count == 0.0)
    );
    for alarm in [
        "production-p2-gpu-default-error-rate",
        "production-p3-gpu-default-queue-deep",
    ] {
        assert_eq!(state(&mut world, alarm), "OK");
    }
}

#[test]
fn health_does_not_depend_on_the_seed() {
    for seed in 2..8 {
        let mut world = World::new(Options {
            seed,
            ..Options::default()
        });
        for _ in 0..6 {
            assert_eq!(desired(&world), Some(2), "seed {seed} at {}", world.now);
            pass(&mut world, 20);
        }
    }
}

#[test]
fn fleets_of_one_to_four_workers_stay_where_their_seed_puts_them() {
    let fleets = (1..=4)
        .map(|workers| {
            FleetSeed::new(
                "production",
                &format!("of-{workers}"),
                workers,
                f64::from(workers) / 2.0,
            )
        })
        .collect();
    let mut world = World::new(Options {
        fleets,
        ..Options::default()
    });
    for _ in 0..6 {
        let sizes = [1, 2, 3, 4]
            .map(|n| autoscaling::desired_capacity(&world, &format!("asg-production-of-{n}")).unwrap());
        assert_eq!(sizes, [1, 2, 3, 4], "at {}", world.now);
        pass(&mut world, 30);
    }
}

#[test]
fn more_workers_than_the_queue_needs_are_pulled_down_again_once_they_are_warm() {
    for seed in 1..5 {
        let mut world = with_desired(seed, 4);
        // Launched within a minute, warm five minutes later: until then no scale-in starts.
        pass(&mut world, 5);
        assert_eq!(desired(&world), Some(4), "seed {seed}");
        pass(&mut world, 3);
        // Three jobs are worth two instances, says the tracking policy, whose low alarm has been on all the
        // time; but while a worker of those that go is still registered, it may take them for worth one.
        assert!((1..=2).contains(&desired(&world).unwrap()), "seed {seed}");
    }
}

#[test]
fn a_fleet_that_was_once_too_small_goes_up_and_down() {
    for seed in 1..5 {
        let mut world = with_desired(seed, 1);
        // Three jobs on one worker turn the low alarm off, and tracking asks for a second instance; once that
        // is warm the step policy alone takes it away again, fourteen minutes before the low alarm could object.
        pass(&mut world, 10);
        let sizes: Vec<u32> = (0..30)
            .map(|_| {
                pass(&mut world, 1);
                desired(&world).unwrap()
            })
            .collect();
        assert!(
            sizes.iter().all(|size| (1..=2).contains(size)),
            "seed {seed}: {sizes:?}"
        );
        let turns = sizes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(turns >= 3, "seed {seed}: {sizes:?}");
    }
}

/// The usual fleet of two, after an operator has set its desired capacity.
fn with_desired(seed: u64, desired: u32) -> World {
    let mut world = World::new(Options {
        seed,
        ..Options::default()
    });
    let input = json!({"AutoScalingGroupName": GROUP, "DesiredCapacity": desired});
    world
        .call(Service::AutoScaling, "SetDesiredCapacity", &input)
        .unwrap();
    world
}

#[test]
fn without_workers_the_backlog_per_instance_is_the_whole_queue() {
    let mut world = world(&[Scenario::FleetSecretPlaceholder]);
    assert_eq!(
        metric(&mut world, "BacklogPerInstance", 60),
        metric(&mut world, "QueueDepth", 60)
    );
    assert_eq!(metric(&mut world, "ActiveWorkers", 60).first(), Some(&0.0));
    // The step policy got its one instance, which is in service and never registers; so the tracking policy
    // sees the whole queue for ever and asks for all there may be.
    assert_eq!(desired(&world), Some(10));
    let log = json!({"logGroupName": "/gpu-workers/gpu-default", "filterPattern": "401"});
    let events = world.call(Service::Logs, "FilterLogEvents", &log).unwrap();
    assert!(!events["events"].as_array().unwrap().is_empty());
    assert_eq!(state(&mut world, "production-p3-gpu-default-queue-deep"), "ALARM");
}

#[test]
fn a_new_secret_lets_the_workers_in() {
    let mut world = world(&[Scenario::FleetSecretPlaceholder]);
    let input = json!({"Name": "/bp/fleets/production/fleet-secret", "Value": "f00d", "Overwrite": true});
    world.call(Service::Ssm, "PutParameter", &input).unwrap();
    pass(&mut world, 3);
    assert!(metric(&mut world, "ActiveWorkers", 0)[0] >= 1.0);
}

#[test]
fn a_silent_backend_takes_a_busy_fleet_to_zero() {
    let mut world = world(&[Scenario::MetricsSilent]);
    assert!(metric(&mut world, "QueueDepth", 28).is_empty());
    assert!(!metric(&mut world, "QueueDepth", 45).is_empty());
    assert_eq!(state(&mut world, "production-gpu-default-queue-empty"), "ALARM");
    assert_eq!(state(&mut world, "production-gpu-default-queue-has-jobs"), "OK");
    assert_eq!(desired(&world), Some(0));
    // Mended, the queue is seen again and the fleet comes back by itself.
    world.set_scenarios([].into());
    pass(&mut world, 3);
    assert!(desired(&world).unwrap() >= 1);
    pass(&mut world, 10);
    assert!(metric(&mut world, "ActiveWorkers", 0)[0] >= 1.0);
}

#[test]
fn a_running_fleet_goes_to_zero_seventeen_minutes_after_the_last_metric() {
    let mut world = world(&[]);
    world.set_scenarios([Scenario::MetricsSilent].into());
    pass(&mut world, 16);
    assert_eq!(desired(&world), Some(2));
    pass(&mut world, 2);
    assert_eq!(desired(&world), Some(0));
}

#[test]
fn alarms_on_a_wrong_slug_never_scale_out() {
    let mut world = world(&[Scenario::WrongDimensions]);
    assert_eq!(desired(&world), Some(0));
    assert!(metric(&mut world, "QueueDepth", 1)[0] > 5.0);
    let input = json!({"AlarmNames": ["production-gpu-default-queue-has-jobs"]});
    let alarms = world.call(Service::CloudWatch, "DescribeAlarms", &input).unwrap();
    let watched = &alarms["MetricAlarms"][0]["Dimensions"];
    assert_eq!(watched[0]["Value"], "gpu-default-v2");
    world.set_scenarios([].into());
    pass(&mut world, 10);
    assert!(desired(&world).unwrap() >= 1);
}

#[test]
fn without_the_subscription_the_step_policy_alone_takes_an_idle_fleet_to_zero() {
    let mut world = world(&[Scenario::ScaleToZeroUnsubscribed]);
    assert_eq!(state(&mut world, "production-gpu-default-queue-empty"), "ALARM");
    assert_eq!(desired(&world), Some(0));
    let topic = json!({"TopicArn": "arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero"});
    let list = world
        .call(Service::Sns, "ListSubscriptionsByTopic", &topic)
        .unwrap();
    assert_eq!(list["Subscriptions"], json!([]));
}

#[test]
fn without_the_subscription_a_fleet_whose_metrics_fall_silent_keeps_running() {
    let mut world = world(&[]);
    let topic = "arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero";
    crate::service::sns::drop_subscriptions(&mut world, topic, "lambda");
    world.set_scenarios([Scenario::MetricsSilent].into());
    pass(&mut world, 30);
    assert_eq!(state(&mut world, "production-gpu-default-queue-empty"), "ALARM");
    assert_eq!(desired(&world), Some(2));
}

#[test]
fn an_idle_fleet_with_the_subscription_goes_to_zero() {
    let mut world = World::new(Options {
        fleets: vec![FleetSeed::new("production", "gpu-default", 2, 0.0)],
        ..Options::default()
    });
    // The queue was empty before the first request, so the alarm has rung already: it rings once.
    assert_eq!(state(&mut world, "production-gpu-default-queue-empty"), "ALARM");
    let input = json!({"AlarmName": "production-gpu-default-queue-empty", "StateValue": "OK", "StateReason": "drill"});
    world.call(Service::CloudWatch, "SetAlarmState", &input).unwrap();
    pass(&mut world, 1);
    assert_eq!(desired(&world), Some(0));
}

#[test]
fn a_surge_is_a_deep_queue_at_the_maximum() {
    let mut world = world(&[Scenario::QueueSurge]);
    assert_eq!(desired(&world), Some(10));
    assert_eq!(state(&mut world, "production-p3-gpu-default-queue-deep"), "ALARM");
    assert!(
        metric(&mut world, "QueueDepth", 29)
            .iter()
            .all(|depth| *depth >= 10.0)
    );
}

#[test]
fn a_job_whose_instance_is_taken_away_is_done_by_another() {
    let mut world = world(&[]);
    world.set_scenarios([Scenario::SpotDrought].into());
    pass(&mut world, 8);
    let interrupted: f64 = metric(&mut world, "SpotInterruptionCount", 8).iter().sum();
    let expired: f64 = metric(&mut world, "LeaseExpiredCount", 8).iter().sum();
    assert_eq!((interrupted, expired), (2.0, 2.0));
    // Three customers, and none of their jobs was ever out of sight, also not while the lost workers still
    // held the leases; those who submitted theirs again come on top.
    let depths = metric(&mut world, "QueueDepth", 8);
    assert!(depths.iter().all(|depth| *depth >= 3.0), "{depths:?}");
}

#[test]
fn the_staged_layout_has_its_own_names() {
    let mut world = World::new(Options {
        layout: Layout::Staged,
        ..Options::default()
    });
    assert_eq!(
        autoscaling::desired_capacity(&world, "asg-staging-image-to-video"),
        Some(1)
    );
    let input =
        json!({"AlarmNames": ["staging-image-to-video-queue-has-jobs", "staging-p1-rds-cpu-critical"]});
    let alarms = world.call(Service::CloudWatch, "DescribeAlarms", &input).unwrap();
    assert_eq!(
        alarms["MetricAlarms"][0]["Dimensions"],
        json!([{"Name": "WorkflowSlug", "Value": "image-to-video"}])
    );
    assert_eq!(alarms["MetricAlarms"].as_array().unwrap().len(), 2);
    let input =
        json!({"Names": ["/bp/ami/image-to-video", "/bp/staging/fleet-secret", "/bp/staging/models/bucket"]});
    let parameters = world.call(Service::Ssm, "GetParameters", &input).unwrap();
    assert_eq!(parameters["InvalidParameters"], json!([]));
    let stack = json!({"StackName": "bp-staging-gpu"});
    let stacks = world
        .call(Service::CloudFormation, "DescribeStacks", &stack)
        .unwrap();
    assert_eq!(
        stacks["Stacks"][0]["Outputs"][0]["OutputKey"],
        "ScaleToZeroTopicArn"
    );
}

#[test]
fn the_single_layout_has_a_stack_and_pointers_for_each_fleet() {
    let mut world = world(&[]);
    let list = world
        .call(Service::CloudFormation, "ListStacks", &json!({}))
        .unwrap();
    let mut names: Vec<_> = list["StackSummaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["StackName"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "CDKToolkit",
            "bp-cicd",
            "bp-compute",
            "bp-data",
            "bp-gpu-fleet-production-gpu-default",
            "bp-gpu-fleet-staging-gpu-default",
            "bp-gpu-shared",
            "bp-monitoring",
            "bp-network"
        ]
    );
    let config = json!({"Name": "/bp/fleets/production/gpu-default/desired_config"});
    let config = world.call(Service::Ssm, "GetParameter", &config).unwrap();
    let config: BTreeMap<String, Value> =
        serde_json::from_str(config["Parameter"]["Value"].as_str().unwrap()).unwrap();
    assert_eq!(
        json!(config),
        json!({
            "version": 1,
            "template_slug": "gpu-default",
            "instance_type": "g4dn.xlarge",
            "ami_ssm_parameter": "/bp/ami/fleets/production/gpu-default",
            "enabled": true,
        })
    );
    let exports = world
        .call(Service::CloudFormation, "ListExports", &json!({}))
        .unwrap();
    // What the fleets' stacks import.
    let mut names: Vec<String> = exports["Exports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|export| export["Name"].as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    let begin = [
        "bp-compute:ExportsOutputFnGetAttAlb",
        "bp-monitoring:ExportsOutputRefAlertTopic",
        "bp-network:ExportsOutputFnGetAttSgGpuWorkers",
        "bp-scale-to-zero-topic-arn",
    ];
    assert_eq!(names.len(), begin.len());
    for (name, begin) in names.iter().zip(begin) {
        assert!(name.starts_with(begin), "{name}");
    }
}

#[test]
fn two_hundred_fleets_live_an_hour() {
    let fleets = (0..200)
        .map(|n| FleetSeed::new("production", &format!("fleet-{n:03}"), 1 + n % 3, 0.5))
        .collect();
    let world = World::new(Options {
        fleets,
        ..Options::default()
    });
    for (fleet, workers) in [("000", 1), ("001", 2), ("199", 2)] {
        let group = format!("asg-production-fleet-{fleet}");
        assert_eq!(
            autoscaling::desired_capacity(&world, &group),
            Some(workers),
            "{group}"
        );
    }
}

#[test]
fn the_same_seed_lives_the_same_hour() {
    let shown = |mut world: World| {
        let groups = world
            .call(Service::AutoScaling, "DescribeAutoScalingGroups", &json!({}))
            .unwrap();
        let input = json!({"Namespace": "ComfyUI/Workers"});
        let metrics = world.call(Service::CloudWatch, "ListMetrics", &input).unwrap();
        (groups, metrics)
    };
    assert_eq!(shown(world(&[])), shown(world(&[])));
}
