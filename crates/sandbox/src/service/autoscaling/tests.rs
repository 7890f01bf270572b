//! Auto Scaling as its callers see it, in a whole account.

use std::time::Duration;

use serde_json::{Value, json};

use crate::options::{FleetSeed, Options};
use crate::scenario::Scenario;
use crate::service::Service;
use crate::world::World;

const GROUP: &str = "asg-production-gpu-default";

fn world(scenarios: &[Scenario]) -> World {
    World::new(Options {
        scenarios: scenarios.iter().copied().collect(),
        ..Options::default()
    })
}

fn call(world: &mut World, operation: &str, input: Value) -> Value {
    world.call(Service::AutoScaling, operation, &input).unwrap()
}

fn refusal(world: &mut World, operation: &str, input: Value) -> String {
    let error = world.call(Service::AutoScaling, operation, &input).unwrap_err();
    format!("{}: {}", error.code, error.message)
}

fn group(world: &mut World) -> Value {
    let input = json!({"AutoScalingGroupNames": [GROUP]});
    call(world, "DescribeAutoScalingGroups", input)["AutoScalingGroups"][0].clone()
}

fn in_service(world: &mut World) -> usize {
    group(world)["Instances"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|i| i["LifecycleState"] == "InService")
        .count()
}

fn activities(world: &mut World) -> Vec<Value> {
    let input = json!({"AutoScalingGroupName": GROUP});
    call(world, "DescribeScalingActivities", input)["Activities"]
        .as_array()
        .unwrap()
        .clone()
}

fn pass(world: &mut World, minutes: u64) {
    world.advance(world.now + Duration::from_secs(60 * minutes));
}

#[test]
fn a_healthy_fleet_stays_where_it_is() {
    let mut world = world(&[]);
    for _ in 0..12 {
        let group = group(&mut world);
        assert_eq!(group["DesiredCapacity"], 2, "at {}", world.now);
        assert_eq!(in_service(&mut world), 2);
        pass(&mut world, 10);
    }
    assert!(activities(&mut world).is_empty());
}

#[test]
fn a_request_grows_the_group_and_says_so() {
    let mut world = world(&[]);
    let input = json!({"AutoScalingGroupName": GROUP, "DesiredCapacity": 4});
    call(&mut world, "SetDesiredCapacity", input);
    world.advance(world.now + Duration::from_secs(12));
    let newest = activities(&mut world)[0].clone();
    assert_eq!(newest["StatusCode"], "InProgress");
    let cause = newest["Cause"].as_str().unwrap();
    assert!(
        cause.starts_with("At 2026-01-15T09:00:00Z a user request explicitly set group desired capacity changing the desired capacity from 2 to 4."),
        "{cause}"
    );
    assert!(cause.ends_with("increasing the capacity from 2 to 4."), "{cause}");
    pass(&mut world, 2);
    assert_eq!(in_service(&mut world), 4);
    assert_eq!(activities(&mut world)[0]["StatusCode"], "Successful");
}

#[test]
fn the_bounds_are_respected_in_the_words_of_aws() {
    let mut world = world(&[]);
    let input = json!({"AutoScalingGroupName": GROUP, "DesiredCapacity": 11});
    assert_eq!(
        refusal(&mut world, "SetDesiredCapacity", input),
        "ValidationError: New SetDesiredCapacity value 11 is above max value 10 for the AutoScalingGroup."
    );
    let input = json!({"AutoScalingGroupName": GROUP, "MinSize": 4, "MaxSize": 3});
    assert_eq!(
        refusal(&mut world, "UpdateAutoScalingGroup", input),
        "ValidationError: Max bound, 3, must be greater than or equal to min bound, 4"
    );
    let input = json!({"AutoScalingGroupName": GROUP, "MinSize": 1, "DesiredCapacity": 0});
    assert_eq!(
        refusal(&mut world, "UpdateAutoScalingGroup", input),
        "ValidationError: Desired capacity:0 must be between the specified min size:1 and max size:10"
    );
}

#[test]
fn everything_at_zero_takes_the_workers_away_after_their_jobs() {
    let mut world = world(&[]);
    let input = json!({"AutoScalingGroupName": GROUP, "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0});
    call(&mut world, "UpdateAutoScalingGroup", input);
    pass(&mut world, 6);
    let group = group(&mut world);
    assert_eq!(group["Instances"], json!([]));
    let newest = activities(&mut world)[0].clone();
    assert!(
        newest["Description"]
            .as_str()
            .unwrap()
            .starts_with("Terminating EC2 instance: i-")
    );
    let first = activities(&mut world).last().unwrap().clone();
    assert!(
        first["Cause"].as_str().unwrap().contains("a user request update of AutoScalingGroup constraints to min: 0, max: 0, desired: 0 changing the desired capacity from 2 to 0."),
        "{first}"
    );
}

#[test]
fn protected_instances_are_spared_and_the_group_says_why_it_waits() {
    const IDLE: &str = "asg-staging-gpu-default";
    let mut world = world(&[]);
    let desired = |count: u32| json!({"AutoScalingGroupName": IDLE, "DesiredCapacity": count});
    call(&mut world, "SetDesiredCapacity", desired(2));
    pass(&mut world, 2);
    let instances = |world: &mut World| {
        let input = json!({"AutoScalingGroupNames": [IDLE]});
        call(world, "DescribeAutoScalingGroups", input)["AutoScalingGroups"][0]["Instances"].clone()
    };
    let ids: Vec<Value> = instances(&mut world)
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["InstanceId"].clone())
        .collect();
    let protect = |ids: &[Value], protected: bool| json!({"AutoScalingGroupName": IDLE, "InstanceIds": ids, "ProtectedFromScaleIn": protected});
    call(&mut world, "SetInstanceProtection", protect(&ids, true));
    call(&mut world, "SetDesiredCapacity", desired(1));
    world.advance(world.now + Duration::from_secs(10));
    let input = json!({"AutoScalingGroupName": IDLE, "MaxRecords": 1});
    let newest = call(&mut world, "DescribeScalingActivities", input)["Activities"][0].clone();
    assert_eq!(newest["StatusCode"], "Cancelled", "{newest}");
    assert_eq!(
        newest["StatusMessage"],
        "Could not scale to desired capacity because all remaining instances are protected from scale-in."
    );
    let stranger = protect(&[json!("i-0")], true);
    assert!(
        refusal(&mut world, "SetInstanceProtection", stranger).contains("is not part of Auto Scaling group")
    );
    call(&mut world, "SetInstanceProtection", protect(&ids[1..], false));
    world.advance(world.now + Duration::from_secs(6));
    let states: Vec<Value> = instances(&mut world)
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["LifecycleState"].clone())
        .collect();
    assert_eq!(states, ["InService", "Terminating"]);
}

#[test]
fn a_suspended_launch_waits_until_it_is_resumed() {
    let mut world = world(&[]);
    let launch = json!({"AutoScalingGroupName": GROUP, "ScalingProcesses": ["Launch"]});
    call(&mut world, "SuspendProcesses", launch.clone());
    let input = json!({"AutoScalingGroupName": GROUP, "DesiredCapacity": 3});
    call(&mut world, "SetDesiredCapacity", input);
    pass(&mut world, 2);
    assert_eq!(in_service(&mut world), 2);
    assert_eq!(
        group(&mut world)["SuspendedProcesses"][0]["ProcessName"],
        "Launch"
    );
    call(&mut world, "ResumeProcesses", launch);
    pass(&mut world, 2);
    assert_eq!(in_service(&mut world), 3);
    let wrong = json!({"AutoScalingGroupName": GROUP, "ScalingProcesses": ["Lunch"]});
    assert!(refusal(&mut world, "SuspendProcesses", wrong).contains("Lunch"));
}

#[test]
fn honouring_the_cooldown_blocks_a_second_change() {
    let mut world = world(&[]);
    let input = |desired: u32| json!({"AutoScalingGroupName": GROUP, "DesiredCapacity": desired, "HonorCooldown": true});
    call(&mut world, "SetDesiredCapacity", input(3));
    pass(&mut world, 1);
    assert!(
        refusal(&mut world, "SetDesiredCapacity", input(4))
            .starts_with("ScalingActivityInProgress: Scaling activity")
    );
}

#[test]
fn two_hundred_groups_come_in_pages() {
    let fleets = (0..200)
        .map(|n| FleetSeed::new("production", &format!("fleet-{n:03}"), 1, 0.5))
        .collect();
    let mut world = World::new(Options {
        fleets,
        ..Options::default()
    });
    let mut names = Vec::new();
    let mut input = json!({"MaxRecords": 100});
    loop {
        let page = call(&mut world, "DescribeAutoScalingGroups", input.clone());
        for group in page["AutoScalingGroups"].as_array().unwrap() {
            names.push(group["AutoScalingGroupName"].clone());
        }
        if page["NextToken"].is_null() {
            break;
        }
        input["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!(names.len(), 200);
    let default = call(&mut world, "DescribeAutoScalingGroups", json!({}));
    assert_eq!(default["AutoScalingGroups"].as_array().unwrap().len(), 50);
    let tagged = json!({"Filters": [{"Name": "tag:FleetSlug", "Values": ["fleet-007"]}]});
    let tagged = call(&mut world, "DescribeAutoScalingGroups", tagged);
    assert_eq!(
        tagged["AutoScalingGroups"][0]["AutoScalingGroupName"],
        "asg-production-fleet-007"
    );
}

#[test]
fn policies_show_their_steps_and_their_target() {
    let mut world = world(&[]);
    let input = json!({"AutoScalingGroupName": GROUP});
    let policies = call(&mut world, "DescribePolicies", input)["ScalingPolicies"].clone();
    let kinds: Vec<_> = (0..3)
        .map(|at| policies[at]["PolicyType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["StepScaling", "StepScaling", "TargetTrackingScaling"]);
    for (policy, side, steps) in [
        (
            &policies[0],
            "Lower",
            json!([{"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": 0}]),
        ),
        (
            &policies[1],
            "Upper",
            json!([{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]),
        ),
    ] {
        assert_eq!(policy["AdjustmentType"], "ExactCapacity");
        assert_eq!(policy["StepAdjustments"], steps);
        // CloudFormation makes the names of policy and alarm.
        let stack = "bp-gpu-fleet-production-gpu-default";
        let name = policy["PolicyName"].as_str().unwrap();
        let begins = |what: &str| format!("{stack}-FleetgpudefaultAsgSpotQueueDepthStepScaleOut{side}{what}");
        assert!(name.starts_with(&begins("Policy")), "{name}");
        let alarms = policy["Alarms"].as_array().unwrap();
        assert_eq!(alarms.len(), 1);
        let alarm = alarms[0]["AlarmName"].as_str().unwrap();
        assert!(alarm.starts_with(&begins("Alarm")), "{alarm}");
    }
    let tracking = &policies[2]["TargetTrackingConfiguration"];
    assert_eq!(tracking["TargetValue"], 2.0);
    assert_eq!(
        tracking["CustomizedMetricSpecification"]["Dimensions"][1]["Value"],
        "production"
    );
}

#[test]
fn without_an_image_launches_fail_and_are_tried_again() {
    for (scenario, expected) in [
        (Scenario::AmiMissing, "/bp/ami/fleets/production/gpu-default"),
        (Scenario::AmiWrongType, "expecting \"ami-...\""),
    ] {
        let mut world = world(&[scenario]);
        assert_eq!(in_service(&mut world), 0);
        // Without a worker the backlog of each is the whole queue, so the tracking policy asks for more.
        assert_eq!(group(&mut world)["DesiredCapacity"], 10);
        let failed = activities(&mut world);
        assert!(failed.len() > 4, "{scenario}: {}", failed.len());
        for activity in &failed {
            assert_eq!(activity["StatusCode"], "Failed");
            assert!(
                activity["StatusMessage"].as_str().unwrap().contains(expected),
                "{activity}"
            );
        }
        let first = failed.last().unwrap()["Cause"].as_str().unwrap();
        assert!(
            first.contains(
                "a monitor alarm bp-gpu-fleet-production-gpu-default-FleetgpudefaultAsgSpotQueueDepthStep"
            ) && first.contains("in state ALARM triggered policy bp-gpu-fleet-"),
            "{first}"
        );
    }
}

#[test]
fn a_drought_takes_running_workers_away_and_lets_no_new_ones_in() {
    let mut world = world(&[]);
    world.set_scenarios([Scenario::SpotDrought].into());
    pass(&mut world, 15);
    assert_eq!(in_service(&mut world), 0);
    let told: Vec<String> = activities(&mut world)
        .iter()
        .filter_map(|a| a["StatusMessage"].as_str().map(str::to_owned))
        .collect();
    assert!(
        told.iter().any(|m| m.contains("UnfulfillableCapacity")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|m| m.contains("InsufficientInstanceCapacity")),
        "{told:?}"
    );
    world.set_scenarios([].into());
    pass(&mut world, 30);
    assert!(in_service(&mut world) > 0);
}

#[test]
fn a_surge_fills_the_group_to_its_maximum() {
    let mut world = world(&[Scenario::QueueSurge]);
    assert_eq!(in_service(&mut world), 10);
    assert_eq!(group(&mut world)["DesiredCapacity"], 10);
}

#[test]
fn one_instance_leaves_with_or_without_another_in_its_place() {
    let mut world = world(&[]);
    call(
        &mut world,
        "SuspendProcesses",
        json!({"AutoScalingGroupName": GROUP}),
    );
    let processes = json!({"AutoScalingGroupName": GROUP, "ScalingProcesses": ["Launch", "Terminate"]});
    call(&mut world, "ResumeProcesses", processes);
    let before = group(&mut world);
    let (desired, id) = (
        before["DesiredCapacity"].as_u64().unwrap(),
        before["Instances"][0]["InstanceId"].clone(),
    );
    let ending = |decrement: bool| json!({"InstanceId": id, "ShouldDecrementDesiredCapacity": decrement});
    let protection =
        json!({"AutoScalingGroupName": GROUP, "InstanceIds": [id], "ProtectedFromScaleIn": true});
    call(&mut world, "SetInstanceProtection", protection);
    let minimum = |min: u64| json!({"AutoScalingGroupName": GROUP, "MinSize": min});
    call(&mut world, "UpdateAutoScalingGroup", minimum(desired));
    let refused = refusal(&mut world, "TerminateInstanceInAutoScalingGroup", ending(true));
    assert!(refused.contains("desiredSize equals minSize"), "{refused}");
    call(&mut world, "UpdateAutoScalingGroup", minimum(0));
    let activity = call(&mut world, "TerminateInstanceInAutoScalingGroup", ending(true))["Activity"].clone();
    assert_eq!(activity["StatusCode"], "InProgress");
    assert!(
        activity["Cause"]
            .as_str()
            .unwrap()
            .contains("in response to a user request, shrinking")
    );
    let again = call(&mut world, "TerminateInstanceInAutoScalingGroup", ending(true))["Activity"].clone();
    assert_eq!(again["ActivityId"], activity["ActivityId"]);
    pass(&mut world, 3);
    let after = group(&mut world);
    assert_eq!(after["DesiredCapacity"].as_u64().unwrap(), desired - 1);
    assert!(
        !after["Instances"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["InstanceId"] == id)
    );
    let gone = refusal(&mut world, "TerminateInstanceInAutoScalingGroup", ending(false));
    assert!(
        gone.starts_with("ValidationError: Instance Id not found"),
        "{gone}"
    );
}
