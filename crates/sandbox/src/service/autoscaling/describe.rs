//! `DescribeAutoScalingGroups`, `DescribeAutoScalingInstances`, and what the platform's groups have none of: scheduled
//! actions and lifecycle hooks.

use serde_json::{Map, Value, json};

use super::group::{Group, Instance};
use super::{bad_token, max_records};
use crate::error::{ApiError, OpResult};
use crate::service::paging::{page, strings};
use crate::world::World;

pub(super) fn describe_auto_scaling_groups(world: &mut World, input: &Value) -> OpResult {
    let limit = max_records(input, 50, 100)?;
    let names = strings(input, "AutoScalingGroupNames");
    let filters = filters(input)?;
    let with_instances = input["IncludeInstances"].as_bool().unwrap_or(true);
    let account = &world.options.account_id;
    let found = world
        .services
        .autoscaling
        .groups
        .values()
        .filter(|group| {
            (names.is_empty() || names.contains(&group.spec.name.as_str()))
                && filters.iter().all(|filter| filter.matches(group))
        })
        .map(|group| shown(group, account, with_instances))
        .collect();
    let (groups, next): (Vec<Value>, _) =
        page(found, input["NextToken"].as_str(), limit).map_err(|_| bad_token())?;
    let mut output = json!({ "AutoScalingGroups": groups });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

pub(super) fn describe_auto_scaling_instances(world: &mut World, input: &Value) -> OpResult {
    let limit = max_records(input, 50, 50)?;
    let ids = strings(input, "InstanceIds");
    if ids.len() > 50 {
        return Err(super::validation(
            "1 validation error detected: Value at 'instanceIds' failed to satisfy constraint: Member must have \
             length less than or equal to 50",
        ));
    }
    let mut found = Vec::new();
    for group in world.services.autoscaling.groups.values() {
        for instance in &group.instances {
            if ids.is_empty() || ids.contains(&instance.id.as_str()) {
                let mut item = shown_instance(group, instance);
                item["AutoScalingGroupName"] = json!(group.spec.name);
                item["HealthStatus"] = json!("HEALTHY");
                found.push(item);
            }
        }
    }
    let (instances, next) = page(found, input["NextToken"].as_str(), limit).map_err(|_| bad_token())?;
    let mut output = json!({ "AutoScalingInstances": instances });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

/// The platform's stacks make no scheduled action, and no operation here does.
pub(super) fn describe_scheduled_actions(_: &mut World, input: &Value) -> OpResult {
    max_records(input, 50, 100)?;
    if input["NextToken"].is_string() {
        return Err(bad_token());
    }
    Ok(json!({ "ScheduledUpdateGroupActions": [] }))
}

/// The platform's stacks make no lifecycle hook, and no operation here does.
pub(super) fn describe_lifecycle_hooks(world: &mut World, input: &Value) -> OpResult {
    let name = input["AutoScalingGroupName"].as_str().unwrap_or_default();
    if super::group(world, name).is_none() {
        return Err(super::no_group(name));
    }
    Ok(json!({ "LifecycleHooks": [] }))
}

fn launch_template(group: &Group, version: &str) -> Value {
    json!({
        "LaunchTemplateId": group.launch_template_id,
        "LaunchTemplateName": group.spec.launch_template,
        "Version": version,
    })
}

fn shown_instance(group: &Group, instance: &Instance) -> Value {
    let mut shape = Map::new();
    let mut set = |name: &str, value: Value| {
        shape.insert(name.to_owned(), value);
    };
    set("InstanceId", json!(instance.id));
    set("InstanceType", json!(instance.instance_type));
    set("AvailabilityZone", json!(instance.zone));
    set("LifecycleState", json!(instance.state.name()));
    set("HealthStatus", json!("Healthy"));
    set(
        "LaunchTemplate",
        launch_template(group, &instance.template_version),
    );
    // No ImageId: "This field won't appear for: Existing instances launched from Launch Templates without overrides".
    set("ProtectedFromScaleIn", json!(instance.protected));
    Value::Object(shape)
}

fn shown(group: &Group, account: &str, with_instances: bool) -> Value {
    let spec = &group.spec;
    let overrides: Value = spec
        .instance_types
        .iter()
        .map(|name| json!({ "InstanceType": name }))
        .collect();
    let mut shape = Map::new();
    let mut set = |name: &str, value: Value| {
        shape.insert(name.to_owned(), value);
    };
    set("AutoScalingGroupName", json!(spec.name));
    set("AutoScalingGroupARN", json!(group.arn));
    set(
        "MixedInstancesPolicy",
        json!({
            "LaunchTemplate": {
                "LaunchTemplateSpecification": launch_template(group, &group.template_version),
                "Overrides": overrides,
            },
            "InstancesDistribution": {
                "OnDemandAllocationStrategy": "prioritized",
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": 0,
                "SpotAllocationStrategy": "capacity-optimized-prioritized",
            },
        }),
    );
    set("MinSize", json!(group.min));
    set("MaxSize", json!(group.max));
    set("DesiredCapacity", json!(group.desired));
    set("DefaultCooldown", json!(300));
    let zones: Vec<&str> = spec.subnets.iter().map(|(zone, _)| zone.as_str()).collect();
    set("AvailabilityZones", json!(zones));
    set("LoadBalancerNames", json!([]));
    set("TargetGroupARNs", json!([]));
    set("HealthCheckType", json!("EC2"));
    set("HealthCheckGracePeriod", json!(0));
    if with_instances {
        set(
            "Instances",
            group
                .instances
                .iter()
                .map(|instance| shown_instance(group, instance))
                .collect(),
        );
    }
    set("CreatedTime", json!(spec.created.epoch_seconds()));
    set(
        "SuspendedProcesses",
        group
            .suspended
            .iter()
            .map(|(name, reason)| json!({ "ProcessName": name, "SuspensionReason": reason }))
            .collect(),
    );
    let subnets: Vec<&str> = spec.subnets.iter().map(|(_, subnet)| subnet.as_str()).collect();
    set("VPCZoneIdentifier", json!(subnets.join(",")));
    set("EnabledMetrics", json!([]));
    set(
        "Tags",
        spec.tags
            .iter()
            .map(|(key, value)| {
                json!({
                    "ResourceId": spec.name,
                    "ResourceType": "auto-scaling-group",
                    "Key": key,
                    "Value": value,
                    "PropagateAtLaunch": true,
                })
            })
            .collect(),
    );
    set("TerminationPolicies", json!(["Default"]));
    set("NewInstancesProtectedFromScaleIn", json!(false));
    set(
        "ServiceLinkedRoleARN",
        json!(format!(
            "arn:aws:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        )),
    );
    set("CapacityRebalance", json!(true));
    set("DefaultInstanceWarmup", json!(spec.warmup.as_secs()));
    Value::Object(shape)
}

/// A filter on tags.
enum Filter {
    Key(Vec<String>),
    Value(Vec<String>),
    Tag(String, Vec<String>),
}

impl Filter {
    fn matches(&self, group: &Group) -> bool {
        group.spec.tags.iter().any(|(key, value)| match self {
            Self::Key(keys) => keys.contains(key),
            Self::Value(values) => values.contains(value),
            Self::Tag(wanted, values) => key == wanted && values.contains(value),
        })
    }
}

fn filters(input: &Value) -> Result<Vec<Filter>, ApiError> {
    input["Filters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|filter| {
            let values = strings(filter, "Values").into_iter().map(str::to_owned).collect();
            match filter["Name"].as_str().unwrap_or_default() {
                "tag-key" => Ok(Filter::Key(values)),
                "tag-value" => Ok(Filter::Value(values)),
                name => match name.strip_prefix("tag:") {
                    Some(key) => Ok(Filter::Tag(key.to_owned(), values)),
                    None => Err(super::validation(format!(
                        "Filter type {name} is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>"
                    ))),
                },
            }
        })
        .collect()
}
