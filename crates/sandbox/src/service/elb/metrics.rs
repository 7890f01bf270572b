//! What the load balancer reports to CloudWatch once a minute.

use super::{Group, Health, full_name, serves_zone};
use crate::scenario::Scenario;
use crate::scenario::in_force;
use crate::service::metered::Requests;
use crate::service::{cloudwatch, ecs, rds};
use crate::world::World;

const NAMESPACE: &str = "AWS/ApplicationELB";

/// What happened at one target group within the last minute.
struct Minute {
    balancer: String,
    group: String,
    requests: u64,
    target_errors: u64,
    balancer_errors: u64,
    seconds: f64,
    healthy: usize,
    unhealthy: usize,
    registered: usize,
}

/// Publishes the metrics of every target group, and their sums for the load balancer. Returns the requests of each.
pub(crate) fn publish(world: &mut World) -> Requests {
    let mut requests = Requests::new();
    for index in 0..world.services.elb.groups.len() {
        let minute = minute(world, index);
        *requests.entry(minute.balancer.clone()).or_default() += minute.requests;
        report(world, &minute);
    }
    requests
}

/// How CloudWatch calls the load balancers.
pub(crate) fn balancer_names(world: &World) -> Vec<String> {
    let all = world.services.elb.balancers.iter();
    all.map(|balancer| full_name(&balancer.arn, ":loadbalancer/"))
        .collect()
}

fn minute(world: &mut World, index: usize) -> Minute {
    let backend = world.services.elb.groups[index].port == 80;
    let requests = if backend {
        world.application_ids.between(110, 130)
    } else {
        world.application_ids.between(45, 60)
    };
    let jitter = world.application_ids.unit();
    let group = &mut world.services.elb.groups[index];
    // Nobody asks a platform that has never answered.
    group.known |= group
        .targets
        .iter()
        .any(|target| target.health == Health::Healthy);
    let requests = if group.known { requests } else { 0 };
    let group = &world.services.elb.groups[index];
    let count = |wanted: fn(&Health) -> bool| {
        group
            .targets
            .iter()
            .filter(|target| wanted(&target.health) && serves_zone(world, &target.zone))
            .count()
    };
    let healthy = count(|health| *health == Health::Healthy);
    let unhealthy = count(|health| matches!(health, Health::Unhealthy(_)));
    let registered = count(|health| *health != Health::Draining);
    let target_errors = if registered == 0 {
        0
    } else if healthy == 0 {
        failing_share(world, group, requests)
    } else if !backend {
        0
    } else if !rds::database::accepts_connections(world) {
        requests * 4 / 5
    } else if in_force(world, Scenario::Alb5xx) {
        // 80 in five minutes.
        16
    } else {
        0
    };
    let slow = if in_force(world, Scenario::RdsCpu) && backend {
        2.4
    } else {
        0.07
    };
    Minute {
        balancer: full_name(&group.balancer, ":loadbalancer/"),
        group: full_name(&group.arn, ":"),
        requests,
        target_errors,
        // Without any target the load balancer itself answers 503.
        balancer_errors: if registered == 0 { requests } else { 0 },
        seconds: slow * (0.8 + 0.4 * jitter),
        healthy,
        unhealthy,
        registered,
    }
}

/// Without a healthy target requests go to all of them ("fail open"): how many come back as errors.
fn failing_share(world: &World, group: &Group, requests: u64) -> u64 {
    let targets: Vec<bool> = group
        .targets
        .iter()
        .filter(|target| target.health != Health::Draining && serves_zone(world, &target.zone))
        .map(|target| ecs::health_check(world, &target.ip).is_err())
        .collect();
    let failing = targets.iter().filter(|fails| **fails).count() as u64;
    requests * failing / targets.len().max(1) as u64
}

fn report(world: &mut World, minute: &Minute) {
    let balancer = [("LoadBalancer", minute.balancer.as_str())];
    let both = [
        ("LoadBalancer", minute.balancer.as_str()),
        ("TargetGroup", minute.group.as_str()),
    ];
    let mut put = |name: &str, dimensions: &[(&str, &str)], value: f64| {
        cloudwatch::put(world, NAMESPACE, name, dimensions, value);
    };
    if minute.registered > 0 {
        // Reported if there are registered targets ("CloudWatch metrics for your Application Load Balancer").
        put("HealthyHostCount", &both, minute.healthy as f64);
        put("UnHealthyHostCount", &both, minute.unhealthy as f64);
    }
    // Counts are reported when there is something to count.
    if minute.requests == 0 {
        return;
    }
    if minute.registered > 0 {
        put("TargetResponseTime", &balancer, minute.seconds);
        put("TargetResponseTime", &both, minute.seconds);
        put("RequestCount", &both, minute.requests as f64);
    }
    put("RequestCount", &balancer, minute.requests as f64);
    // Error counts are reported only when there are errors.
    if minute.target_errors > 0 {
        put(
            "HTTPCode_Target_5XX_Count",
            &balancer,
            minute.target_errors as f64,
        );
        put("HTTPCode_Target_5XX_Count", &both, minute.target_errors as f64);
    }
    if minute.balancer_errors > 0 {
        put("HTTPCode_ELB_5XX_Count", &balancer, minute.balancer_errors as f64);
        put("HTTPCode_ELB_503_Count", &balancer, minute.balancer_errors as f64);
    }
}
