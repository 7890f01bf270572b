//! Instance refreshes as their callers see them, over time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::options::{FleetSeed, Options};
use crate::scenario::Scenario;
use crate::service::Service;
use crate::world::World;

const GROUP: &str = "asg-production-fleet";

/// A fleet of `workers` without work that nothing takes to zero.
fn idle(workers: u32) -> World {
    let mut world = World::new(Options {
        fleets: vec![FleetSeed::new("production", "fleet", workers, 0.0)],
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    });
    let alarms = json!({"AutoScalingGroupName": GROUP, "ScalingProcesses": ["AlarmNotification"]});
    call(&mut world, "SuspendProcesses", alarms);
    let desired = json!({"AutoScalingGroupName": GROUP, "DesiredCapacity": workers});
    call(&mut world, "SetDesiredCapacity", desired);
    pass(&mut world, 10 * 60);
    assert_eq!(instances(&mut world).len(), workers as usize);
    world
}

fn call(world: &mut World, operation: &str, input: Value) -> Value {
    world.call(Service::AutoScaling, operation, &input).unwrap()
}

fn refusal(world: &mut World, operation: &str, input: Value) -> String {
    world
        .call(Service::AutoScaling, operation, &input)
        .unwrap_err()
        .code
}

fn pass(world: &mut World, seconds: u64) {
    world.advance(world.now + Duration::from_secs(seconds));
}

fn instances(world: &mut World) -> Vec<Value> {
    let input = json!({"AutoScalingGroupNames": [GROUP]});
    let groups = call(world, "DescribeAutoScalingGroups", input);
    groups["AutoScalingGroups"][0]["Instances"]
        .as_array()
        .unwrap()
        .clone()
}

fn ids(world: &mut World) -> Vec<String> {
    let text = |instance: &Value| instance["InstanceId"].as_str().unwrap().to_owned();
    instances(world).iter().map(text).collect()
}

fn start(world: &mut World, preferences: Value) -> String {
    let input = json!({"AutoScalingGroupName": GROUP, "Preferences": preferences});
    let answer = call(world, "StartInstanceRefresh", input);
    answer["InstanceRefreshId"].as_str().unwrap().to_owned()
}

fn newest(world: &mut World) -> Value {
    let input = json!({"AutoScalingGroupName": GROUP});
    call(world, "DescribeInstanceRefreshes", input)["InstanceRefreshes"][0].clone()
}

/// Lets time pass until the refresh is in this state; returns how many seconds that took.
fn until(world: &mut World, status: &str) -> u64 {
    for seconds in 0..20_000 {
        if newest(world)["Status"] == status {
            return seconds;
        }
        pass(world, 1);
    }
    panic!("never {status}: {}", newest(world))
}

fn in_service(world: &mut World) -> usize {
    instances(world)
        .iter()
        .filter(|instance| instance["LifecycleState"] == "InService")
        .count()
}

#[test]
fn all_instances_are_replaced_one_at_a_time_with_warm_up_between() {
    let mut world = idle(3);
    let before = ids(&mut world);
    start(
        &mut world,
        json!({"MinHealthyPercentage": 90, "InstanceWarmup": 300}),
    );
    assert_eq!(newest(&mut world)["Status"], "Pending");
    let mut least = 3;
    let mut shares = Vec::new();
    let mut seconds = 0;
    while newest(&mut world)["Status"] != "Successful" {
        pass(&mut world, 5);
        seconds += 5;
        least = least.min(in_service(&mut world));
        if let Some(share) = newest(&mut world)["PercentageComplete"].as_u64()
            && shares.last() != Some(&share)
        {
            shares.push(share);
        }
        assert!(seconds < 3600, "{}", newest(&mut world));
    }
    assert_eq!(shares, [0, 33, 66, 100]);
    // 90 % of three instances are three: one is replaced at a time all the same.
    assert_eq!(least, 2);
    assert!((3 * 300..3 * 420).contains(&seconds), "{seconds}");
    let after = ids(&mut world);
    assert!(
        before.iter().all(|id| !after.contains(id)),
        "{before:?} {after:?}"
    );
    let done = newest(&mut world);
    assert_eq!(done["InstancesToUpdate"], 0);
    assert!(done["EndTime"].is_number());
    let input = json!({"AutoScalingGroupName": GROUP});
    let activities = call(&mut world, "DescribeScalingActivities", input)["Activities"].clone();
    let refreshed = activities
        .as_array()
        .unwrap()
        .iter()
        .filter(|activity| {
            activity["Cause"]
                .as_str()
                .unwrap()
                .contains("in response to an instance refresh")
        })
        .count();
    assert_eq!(refreshed, 3);
}

#[test]
fn a_lower_minimum_replaces_more_at_a_time() {
    let mut world = idle(4);
    start(
        &mut world,
        json!({"MinHealthyPercentage": 50, "InstanceWarmup": 60}),
    );
    pass(&mut world, 12);
    assert_eq!(in_service(&mut world), 2);
    until(&mut world, "Successful");
}

#[test]
fn only_one_at_a_time_and_none_to_cancel_or_roll_back() {
    let mut world = idle(1);
    let group = json!({"AutoScalingGroupName": GROUP});
    assert_eq!(
        refusal(&mut world, "CancelInstanceRefresh", group.clone()),
        "ActiveInstanceRefreshNotFound"
    );
    let first = start(&mut world, json!({}));
    assert_eq!(
        refusal(&mut world, "StartInstanceRefresh", group.clone()),
        "InstanceRefreshInProgress"
    );
    assert_eq!(
        refusal(&mut world, "RollbackInstanceRefresh", group.clone()),
        "IrreversibleInstanceRefresh"
    );
    pass(&mut world, 10);
    let cancelled = call(&mut world, "CancelInstanceRefresh", group);
    assert_eq!(cancelled["InstanceRefreshId"], first.as_str());
    assert_eq!(newest(&mut world)["Status"], "Cancelling");
    until(&mut world, "Cancelled");
    assert_eq!(
        newest(&mut world)["StatusReason"],
        "Cancelled due to user request."
    );
    start(&mut world, json!({}));
}

#[test]
fn checkpoints_rest_and_go_on() {
    let mut world = idle(2);
    start(
        &mut world,
        json!({"InstanceWarmup": 30, "CheckpointPercentages": [50, 100], "CheckpointDelay": 600}),
    );
    let mut rested = 0;
    while newest(&mut world)["Status"] != "Successful" {
        pass(&mut world, 5);
        if newest(&mut world)["StatusReason"]
            .as_str()
            .is_some_and(|why| why.contains("checkpoint"))
        {
            rested += 5;
            assert_eq!(newest(&mut world)["PercentageComplete"], 50);
        }
    }
    assert!((595..=610).contains(&rested), "{rested}");
    for (wrong, code) in [
        (json!({"CheckpointPercentages": [50, 20]}), "ValidationError"),
        (json!({"CheckpointDelay": 60}), "ValidationError"),
        (json!({"AutoRollback": true}), "ValidationError"),
    ] {
        let input = json!({"AutoScalingGroupName": GROUP, "Preferences": wrong});
        assert_eq!(refusal(&mut world, "StartInstanceRefresh", input), code);
    }
}

#[test]
fn skip_matching_does_not_see_another_image() {
    let mut world = idle(2);
    let before = ids(&mut world);
    let moved = json!({"Name": "/bp/ami/fleets/production/fleet", "Value": "ami-0123456789abcdef0", "Overwrite": true});
    world.call(Service::Ssm, "PutParameter", &moved).unwrap();
    start(&mut world, json!({"SkipMatching": true}));
    assert!(until(&mut world, "Successful") < 10);
    assert_eq!(ids(&mut world), before);
}

#[test]
fn protected_instances_are_waited_for_an_hour_ignored_or_replaced() {
    for (policy, end) in [
        ("Wait", "Failed"),
        ("Ignore", "Successful"),
        ("Refresh", "Successful"),
    ] {
        let mut world = idle(2);
        let before = ids(&mut world);
        let protect =
            json!({"AutoScalingGroupName": GROUP, "InstanceIds": [before[0]], "ProtectedFromScaleIn": true});
        call(&mut world, "SetInstanceProtection", protect);
        start(
            &mut world,
            json!({"InstanceWarmup": 30, "ScaleInProtectedInstances": policy}),
        );
        let took = until(&mut world, end);
        let stays = ids(&mut world).contains(&before[0]);
        assert_eq!(stays, policy != "Refresh", "{policy}");
        if policy == "Wait" {
            assert!((3600..4200).contains(&took), "{took}");
            let why = format!("For example: {} is protected from scale in.", before[0]);
            assert!(
                newest(&mut world)["StatusReason"]
                    .as_str()
                    .unwrap()
                    .ends_with(&why)
            );
            assert_eq!(newest(&mut world)["PercentageComplete"], 50);
        }
    }
}

#[test]
fn a_suspended_refresh_pauses() {
    let mut world = idle(2);
    let process = json!({"AutoScalingGroupName": GROUP, "ScalingProcesses": ["InstanceRefresh"]});
    call(&mut world, "SuspendProcesses", process.clone());
    let before = ids(&mut world);
    start(&mut world, json!({"InstanceWarmup": 30}));
    pass(&mut world, 900);
    assert_eq!(
        (ids(&mut world), newest(&mut world)["Status"].clone()),
        (before, json!("InProgress"))
    );
    call(&mut world, "ResumeProcesses", process);
    until(&mut world, "Successful");
}

#[test]
fn without_capacity_the_refresh_stops_after_its_first_replacement_and_fails_after_an_hour() {
    let mut world = idle(2);
    world.set_scenarios([Scenario::ScaleToZeroUnsubscribed, Scenario::RefreshNoCapacity].into());
    start(&mut world, json!({"InstanceWarmup": 30}));
    pass(&mut world, 600);
    assert_eq!(
        (
            in_service(&mut world),
            newest(&mut world)["InstancesToUpdate"].clone()
        ),
        (1, json!(1))
    );
    let failed =
        json!({"AutoScalingGroupName": GROUP, "Filters": [{"Name": "Status", "Values": ["Failed"]}]});
    let failed = call(&mut world, "DescribeScalingActivities", failed)["Activities"].clone();
    assert!(failed.as_array().unwrap().len() >= 3, "{failed}");
    until(&mut world, "Failed");
    assert!(
        newest(&mut world)["StatusReason"]
            .as_str()
            .unwrap()
            .contains("fewer instances")
    );
}

#[test]
fn hanging_workers_keep_their_instances_until_somebody_takes_the_protection_away() {
    let mut world = World::new(Options {
        scenarios: [Scenario::RefreshStuck].into(),
        ..Options::default()
    });
    let group = "asg-production-gpu-default";
    let shown = |world: &mut World| {
        let input = json!({"AutoScalingGroupNames": [group]});
        call(world, "DescribeAutoScalingGroups", input)["AutoScalingGroups"][0]["Instances"].clone()
    };
    let before = shown(&mut world);
    assert!(
        before
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["ProtectedFromScaleIn"] == true)
    );
    let input = json!({"AutoScalingGroupName": group, "Preferences": {"InstanceWarmup": 30}});
    call(&mut world, "StartInstanceRefresh", input);
    pass(&mut world, 1200);
    assert_eq!(shown(&mut world), before);
    let ids: Vec<Value> = before
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["InstanceId"].clone())
        .collect();
    let input = json!({"AutoScalingGroupName": group, "InstanceIds": ids, "ProtectedFromScaleIn": false});
    call(&mut world, "SetInstanceProtection", input);
    pass(&mut world, 1200);
    assert!(
        shown(&mut world)
            .as_array()
            .unwrap()
            .iter()
            .all(|one| !ids.contains(&one["InstanceId"]))
    );
}
