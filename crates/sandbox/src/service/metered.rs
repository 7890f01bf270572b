//! What AWS bills by use and reports to CloudWatch: bytes through the NAT gateway, capacity units of the load balancer,
//! bytes that log groups take in, what buckets hold, and what CloudFront delivers.
//!
//! Logs, buckets and capacity units follow from what the account holds and does. Of the gateway and of CloudFront
//! nothing is simulated but this: their amounts follow from the tasks and requests that there are.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{cloudformation, cloudwatch, logs, s3};
use crate::time::SimTime;
use crate::world::World;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY_MILLIS: i64 = 24 * 3_600 * 1_000;

/// Hours before the operator's arrival of which the metrics are known.
const EARLIER_HOURS: u64 = 24;

/// Bytes that a task or a GPU worker sends out and takes in through the gateway in a minute: calls of APIs, models.
const SENT: f64 = 350_000.0;
const TAKEN: f64 = 2_400_000.0;

/// Bytes of a request with its answer, and how many requests a connection serves.
const REQUEST: f64 = 18_000.0;
const PER_CONNECTION: f64 = 6.0;

/// Share of the requests to the platform that CloudFront serves one object for, and bytes of such an object.
const OBJECTS: f64 = 0.4;
const OBJECT: f64 = 140_000.0;

/// The units that a capacity unit of a load balancer stands for: connections a second, and bytes an hour ("Elastic Load
/// Balancing pricing").
const CONNECTIONS: f64 = 25.0;
const BYTES_PER_HOUR: f64 = 1e9;

/// Capacity units of a minute with so many requests: those of the largest dimension.
fn capacity_units(requests: f64) -> f64 {
    let connections = requests / PER_CONNECTION / 60.0 / CONNECTIONS;
    let bytes = requests * REQUEST * 60.0 / BYTES_PER_HOUR;
    connections.max(bytes)
}

/// Requests of a minute, by load balancer, as the last path of its ARN.
pub(crate) type Requests = BTreeMap<String, u64>;

/// Reports the last minute.
pub(crate) fn publish(world: &mut World, requests: &Requests) {
    let now = world.now;
    gateways(world, now, 1.0);
    balancers(world, now, requests, 1.0);
    distributions(world, now, requests.values().sum::<u64>() as f64);
    taken_in(world, now - Duration::from_secs(60), now);
    if now.0.rem_euclid(DAY_MILLIS) == 0 {
        // "This value is calculated … once per day" (Amazon S3 User Guide, "Metrics and dimensions").
        held(world, now);
    }
}

/// The account is older than the hour that is lived through: the metrics of the day before.
pub(crate) fn seed(world: &mut World) {
    let midnight = SimTime(world.now.0.div_euclid(DAY_MILLIS) * DAY_MILLIS);
    held(world, midnight);
    let arns = super::elb::balancer_names(world);
    for hours in (1..=EARLIER_HOURS).rev() {
        let at = world.now - Duration::from_secs(hours * HOUR.as_secs());
        // Nobody is awake at night.
        let busy = 0.6 + 0.4 * (std::f64::consts::TAU * (hours as f64 - 6.0) / 24.0).cos();
        gateways(world, at, 60.0 * busy);
        let requests: Requests = arns
            .iter()
            .map(|name| (name.clone(), (170.0 * busy).round() as u64))
            .collect();
        balancers(world, at, &requests, 60.0);
        distributions(world, at, requests.values().sum::<u64>() as f64 * 60.0);
    }
    let first = world.now - Duration::from_secs(EARLIER_HOURS * HOUR.as_secs());
    let mut from = first;
    while from < world.now {
        let to = (from + HOUR).min(world.now);
        taken_in(world, from, to);
        from = to;
    }
}

/// `minutes` of what goes through the gateways.
fn gateways(world: &mut World, at: SimTime, minutes: f64) {
    let tasks = world
        .services
        .ecs
        .tasks
        .iter()
        .filter(|task| task.is_running())
        .count();
    let workers: usize = super::autoscaling::groups(world)
        .map(|group| group.instances().len())
        .sum();
    let behind = tasks as f64 + workers as f64;
    for gateway in world.services.facts.nat_gateways.clone() {
        let dimensions = [("NatGatewayId", gateway.as_str())];
        // Zero is reported as well (Amazon VPC User Guide, "NAT gateway metrics and dimensions").
        for (name, bytes) in [
            ("BytesOutToDestination", SENT),
            ("BytesInFromSource", SENT),
            ("BytesInFromDestination", TAKEN),
            ("BytesOutToSource", TAKEN),
        ] {
            let id = cloudwatch::metric(world, "AWS/NATGateway", name, &dimensions);
            cloudwatch::record(world, id, at, (bytes * behind * minutes).round());
        }
    }
}

fn balancers(world: &mut World, at: SimTime, requests: &Requests, minutes: f64) {
    for (balancer, requests) in requests {
        // "Reports metrics only when requests are flowing through the load balancer".
        if *requests == 0 {
            continue;
        }
        let requests = *requests as f64;
        let dimensions = [("LoadBalancer", balancer.as_str())];
        for (name, value) in [
            ("ConsumedLCUs", capacity_units(requests) * minutes),
            ("ProcessedBytes", requests * REQUEST * minutes),
        ] {
            let id = cloudwatch::metric(world, "AWS/ApplicationELB", name, &dimensions);
            cloudwatch::record(world, id, at, value);
        }
    }
}

fn distributions(world: &mut World, at: SimTime, requests: f64) {
    let all: Vec<String> = cloudformation::resources(world)
        .filter(|(_, made)| made.kind == "AWS::CloudFront::Distribution")
        .map(|(_, made)| made.physical.clone())
        .collect();
    let objects = (requests * OBJECTS).round();
    if objects == 0.0 {
        return;
    }
    for id in all {
        let dimensions = [("DistributionId", id.as_str()), ("Region", "Global")];
        for (name, value) in [("Requests", objects), ("BytesDownloaded", objects * OBJECT)] {
            let id = cloudwatch::metric(world, "AWS/CloudFront", name, &dimensions);
            cloudwatch::record(world, id, at, value);
        }
    }
}

/// Bytes that log groups have taken in; a group without events has no datum.
fn taken_in(world: &mut World, from: SimTime, to: SimTime) {
    for (group, bytes) in logs::taken_in(world, from, to) {
        let dimensions = [("LogGroupName", group.as_str())];
        let id = cloudwatch::metric(world, "AWS/Logs", "IncomingBytes", &dimensions);
        cloudwatch::record(world, id, from, bytes as f64);
    }
}

/// What buckets hold, a datum a day; an empty bucket has none.
fn held(world: &mut World, at: SimTime) {
    for (bucket, versions, bytes) in s3::held(world) {
        if versions == 0 {
            continue;
        }
        for (name, storage, value) in [
            ("BucketSizeBytes", "StandardStorage", bytes as f64),
            ("NumberOfObjects", "AllStorageTypes", versions as f64),
        ] {
            let dimensions = [("BucketName", bucket.as_str()), ("StorageType", storage)];
            let id = cloudwatch::metric(world, "AWS/S3", name, &dimensions);
            cloudwatch::record(world, id, at, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    fn sum(world: &mut World, namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> f64 {
        let dimensions: Vec<_> = dimensions
            .iter()
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        let end = world.now.epoch_seconds() + 60.0;
        let input = json!({"Namespace": namespace, "MetricName": name, "Dimensions": dimensions, "Period": 86_400,
            "Statistics": ["Sum"], "StartTime": end - 86_400.0, "EndTime": end});
        let answer = world
            .call(Service::CloudWatch, "GetMetricStatistics", &input)
            .unwrap();
        let points = answer["Datapoints"].as_array().unwrap().iter();
        points.filter_map(|point| point["Sum"].as_f64()).sum()
    }

    #[test]
    fn what_logs_take_in_is_what_they_have() {
        let mut world = World::new(Options::default());
        let group = "/ecs/bp-backend";
        let at = world.now;
        logs::ingest(&mut world, group, "check", at, at, &"x".repeat(974));
        let before = sum(
            &mut world,
            "AWS/Logs",
            "IncomingBytes",
            &[("LogGroupName", group)],
        );
        taken_in(&mut world, at, at + Duration::from_millis(1));
        let after = sum(
            &mut world,
            "AWS/Logs",
            "IncomingBytes",
            &[("LogGroupName", group)],
        );
        assert!(after - before >= 1_000.0, "{before} {after}");
    }

    #[test]
    fn gateway_and_load_balancer_have_a_day_of_the_past() {
        let mut world = World::new(Options::default());
        let gateway = world.services.facts.nat_gateways[0].clone();
        let bytes = sum(
            &mut world,
            "AWS/NATGateway",
            "BytesOutToSource",
            &[("NatGatewayId", &gateway)],
        );
        assert!(bytes > 1e9, "{bytes}");
        let balancer = super::super::elb::balancer_names(&world).remove(0);
        let units = sum(
            &mut world,
            "AWS/ApplicationELB",
            "ConsumedLCUs",
            &[("LoadBalancer", &balancer)],
        );
        // Minutes of units: a sixtieth of it are hours.
        assert!((1.0..48.0).contains(&(units / 60.0)), "{units}");
    }
}
