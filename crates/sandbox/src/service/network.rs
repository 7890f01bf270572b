//! The NAT gateway and the Redis cache, of which the account shows nothing but their metrics.

use crate::scenario::Scenario;
use crate::scenario::in_force;
use crate::service::cloudwatch;
use crate::world::World;

/// Reports the last minute to CloudWatch.
pub(crate) fn publish(world: &mut World) {
    let jitter = world.application_ids.unit();
    let exhausted = in_force(world, Scenario::NatExhausted);
    let failed = if exhausted {
        (140.0 + 120.0 * jitter).round()
    } else {
        0.0
    };
    // A gateway supports 55,000 simultaneous connections to one destination (VPC user guide).
    let connections = if exhausted {
        55_000.0
    } else {
        (380.0 + 90.0 * jitter).round()
    };
    for gateway in world.services.facts.nat_gateways.clone() {
        let dimensions = [("NatGatewayId", gateway.as_str())];
        cloudwatch::put(
            world,
            "AWS/NATGateway",
            "ErrorPortAllocation",
            &dimensions,
            failed,
        );
        cloudwatch::put(
            world,
            "AWS/NATGateway",
            "ActiveConnectionCount",
            &dimensions,
            connections,
        );
    }
    let cache = world.services.facts.cache.clone();
    let dimensions = [("CacheClusterId", cache.as_str())];
    let full = in_force(world, Scenario::RedisFull);
    for (name, value) in [
        (
            "DatabaseMemoryUsagePercentage",
            if full { 99.1 + 0.8 * jitter } else { 21.0 + jitter },
        ),
        (
            "Evictions",
            if full { (30.0 + 20.0 * jitter).round() } else { 0.0 },
        ),
        ("EngineCPUUtilization", 4.0 + 3.0 * jitter),
        ("CurrConnections", (27.0 + 8.0 * jitter).round()),
    ] {
        cloudwatch::put(world, "AWS/ElastiCache", name, &dimensions, value);
    }
}
