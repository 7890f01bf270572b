//! DescribeLoadBalancers, DescribeTargetGroups and DescribeTargetHealth.

use serde_json::{Value, json};

use super::{HEALTHY_AFTER, Health, INTERVAL, UNHEALTHY_AFTER, serves_zone};
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, list, page, present, text, texts};
use crate::world::World;

/// One page of 400 at most, the default of every ELBv2 describe operation (API reference).
pub(super) fn marked(items: Vec<Value>, member: &str, input: &Value) -> OpResult {
    let size = integer(input, "PageSize").unwrap_or(400).clamp(1, 400) as usize;
    let (items, next) = page(items, text(input, "Marker"), size, || {
        ApiError::client("ValidationError", "The marker is not valid")
    })?;
    Ok(present(json!({member: items, "NextMarker": next})))
}

pub(super) fn balancers(world: &World, input: &Value) -> OpResult {
    let (names, arns) = (texts(input, "Names"), texts(input, "LoadBalancerArns"));
    let all = &world.services.elb.balancers;
    for name in &names {
        if !all.iter().any(|balancer| balancer.name == *name) {
            return Err(balancer_not_found(name));
        }
    }
    for arn in &arns {
        if !all.iter().any(|balancer| balancer.arn == *arn) {
            return Err(balancer_not_found(arn));
        }
    }
    let found = all
        .iter()
        .filter(|balancer| {
            (names.is_empty() && arns.is_empty())
                || names.contains(&balancer.name)
                || arns.contains(&balancer.arn)
        })
        .map(|balancer| {
            let zones: Vec<Value> = balancer
                .subnets
                .iter()
                .map(|(subnet, zone)| {
                    json!({"ZoneName": zone, "SubnetId": subnet, "LoadBalancerAddresses": []})
                })
                .collect();
            json!({
                "LoadBalancerArn": balancer.arn,
                "LoadBalancerName": balancer.name,
                "DNSName": balancer.dns,
                "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K",
                "CreatedTime": balancer.created.epoch_seconds(),
                "Scheme": "internet-facing",
                "VpcId": balancer.vpc,
                "State": {"Code": "active"},
                "Type": "application",
                "AvailabilityZones": zones,
                "SecurityGroups": [balancer.security_group],
                "IpAddressType": "ipv4",
            })
        })
        .collect();
    marked(found, "LoadBalancers", input)
}

pub(super) fn groups(world: &World, input: &Value) -> OpResult {
    let (names, arns) = (texts(input, "Names"), texts(input, "TargetGroupArns"));
    let balancer = text(input, "LoadBalancerArn");
    let all = &world.services.elb.groups;
    for name in &names {
        if !all.iter().any(|group| group.name == *name) {
            return Err(group_not_found());
        }
    }
    for arn in &arns {
        if !all.iter().any(|group| group.arn == *arn) {
            return Err(group_not_found());
        }
    }
    let found = all
        .iter()
        .filter(|group| {
            balancer.is_none_or(|arn| group.balancer == arn)
                && ((names.is_empty() && arns.is_empty())
                    || names.contains(&group.name)
                    || arns.contains(&group.arn))
        })
        .map(|group| {
            json!({
                "TargetGroupArn": group.arn,
                "TargetGroupName": group.name,
                "Protocol": "HTTP",
                "Port": group.port,
                "VpcId": group.vpc,
                "HealthCheckProtocol": "HTTP",
                "HealthCheckPort": "traffic-port",
                "HealthCheckEnabled": true,
                "HealthCheckIntervalSeconds": INTERVAL.as_secs(),
                "HealthCheckTimeoutSeconds": group.timeout,
                "HealthyThresholdCount": HEALTHY_AFTER,
                "UnhealthyThresholdCount": UNHEALTHY_AFTER,
                "HealthCheckPath": group.path,
                "Matcher": {"HttpCode": group.matcher},
                "LoadBalancerArns": [group.balancer],
                "TargetType": "ip",
                "ProtocolVersion": "HTTP1",
                "IpAddressType": "ipv4",
            })
        })
        .collect();
    marked(found, "TargetGroups", input)
}

pub(super) fn balancer_not_found(name: &str) -> ApiError {
    ApiError::client(
        "LoadBalancerNotFound",
        format!("Load balancers '[{name}]' not found"),
    )
}

fn group_not_found() -> ApiError {
    ApiError::client("TargetGroupNotFound", "One or more target groups not found")
}

pub(super) fn health(world: &World, input: &Value) -> OpResult {
    let arn = text(input, "TargetGroupArn").unwrap_or_default();
    let group = world
        .services
        .elb
        .groups
        .iter()
        .find(|group| group.arn == arn)
        .ok_or_else(group_not_found)?;
    let asked: Vec<&str> = list(input, "Targets")
        .iter()
        .filter_map(|target| text(target, "Id"))
        .collect();
    let mut described: Vec<Value> = group
        .targets
        .iter()
        .filter(|target| asked.is_empty() || asked.contains(&target.ip.as_str()))
        .map(|target| {
            json!({
                "Target": {"Id": target.ip, "Port": group.port, "AvailabilityZone": target.zone},
                "HealthCheckPort": group.port.to_string(),
                "TargetHealth": if serves_zone(world, &target.zone) {
                    target_health(&target.health)
                } else {
                    not_in_use()
                },
            })
        })
        .collect();
    for ip in asked {
        if !group.targets.iter().any(|target| target.ip == ip) {
            described.push(json!({
                "Target": {"Id": ip, "Port": group.port},
                "TargetHealth": {
                    "State": "unused",
                    "Reason": "Target.NotRegistered",
                    "Description": "Target is not registered to the target group",
                },
            }));
        }
    }
    Ok(json!({"TargetHealthDescriptions": described}))
}

/// A target in a zone that is not enabled for the load balancer (API reference, TargetHealth).
fn not_in_use() -> Value {
    json!({
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target is in an Availability Zone that is not enabled for the load balancer",
    })
}

fn target_health(health: &Health) -> Value {
    match health {
        Health::Healthy => json!({"State": "healthy"}),
        Health::Initial => json!({
            "State": "initial",
            "Reason": "Elb.RegistrationInProgress",
            "Description": "Target registration is in progress",
        }),
        Health::Unhealthy(failure) => json!({
            "State": "unhealthy",
            "Reason": failure.reason(),
            "Description": failure.description(),
        }),
        Health::Draining => json!({
            "State": "draining",
            "Reason": "Target.DeregistrationInProgress",
            "Description": "Target deregistration is in progress",
        }),
    }
}
