//! The resources of a GPU fleet in its CloudFormation stack, as they are deployed.

use serde_json::{Map, Value, json};

use super::names::Names;
use super::stacks::{alarm, parameter};
use crate::options::FleetSeed;
use crate::service::autoscaling::{self, GroupSpec, Image, PolicyKind};
use crate::service::cloudformation::Resource;
use crate::world::World;

/// What the stack states of the desired capacity. CloudFormation writes it with every update that
/// touches the group, whatever the group has scaled to since.
const DESIRED: &str = "0";

/// The resources of one fleet, in the order of their deployment.
pub(super) fn resources(world: &World, names: &Names, fleet: &FleetSeed) -> Vec<Resource> {
    let name = names.group(fleet);
    let Some(group) = autoscaling::group(world, &name) else {
        return Vec::new();
    };
    let (stage, slug) = (&fleet.stage, &fleet.slug);
    let resource = |what: &str, physical: &str, kind: &str, properties: Value| Resource {
        logical: logical(names, fleet, what),
        physical: physical.to_owned(),
        kind: kind.to_owned(),
        properties,
    };
    let Image::Parameter(image) = &group.spec().image;
    let template = group.launch_template_id();
    let mut resources = vec![
        parameter(
            &logical(names, fleet, "ActiveBundle"),
            &names.active_bundle(fleet),
            "none",
        ),
        resource(
            "LaunchTemplate",
            template,
            "AWS::EC2::LaunchTemplate",
            json!({
                "LaunchTemplateName": group.spec().launch_template,
                "LaunchTemplateData": { "ImageId": format!("resolve:ssm:{image}") },
            }),
        ),
        resource(
            "Asg",
            &name,
            "AWS::AutoScaling::AutoScalingGroup",
            group_properties(group.spec(), template, &logical(names, fleet, "LaunchTemplate")),
        ),
    ];
    for policy in group.policies() {
        let what = match policy.kind {
            PolicyKind::Step(_) => "StepScaling",
            PolicyKind::Tracking { .. } => "BacklogTracking",
        };
        let kind = "AWS::AutoScaling::ScalingPolicy";
        let properties = policy_properties(&policy.shown(&name));
        resources.push(resource(what, &policy.arn, kind, properties));
    }
    for (what, name) in [
        ("QueueDepthAlarm", format!("{stage}-{slug}-queue-has-jobs")),
        ("QueueEmptyAlarm", format!("{stage}-{slug}-queue-empty")),
        ("ErrorRateAlarm", format!("{stage}-p2-{slug}-error-rate")),
        ("QueueDeepAlarm", format!("{stage}-p3-{slug}-queue-deep")),
    ] {
        resources.push(alarm(world, &logical(names, fleet, what), &name));
    }
    resources
}

/// A logical id is unique in its stack: where all fleets share one, the slug is part of it.
fn logical(names: &Names, fleet: &FleetSeed, what: &str) -> String {
    if names.fleet_stack(fleet).is_some() {
        return what.to_owned();
    }
    let words = fleet.slug.split(|c: char| !c.is_ascii_alphanumeric());
    let prefix: String = words
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect();
    format!("{prefix}{what}")
}

fn group_properties(spec: &GroupSpec, template: &str, template_logical: &str) -> Value {
    let subnets: Vec<&str> = spec.subnets.iter().map(|(_, subnet)| subnet.as_str()).collect();
    let overrides: Value = spec
        .instance_types
        .iter()
        .map(|name| json!({ "InstanceType": name }))
        .collect();
    let tags: Value = spec
        .tags
        .iter()
        .map(|(key, value)| json!({ "Key": key, "PropagateAtLaunch": true, "Value": value }))
        .collect();
    // CloudFormation takes sizes as texts.
    json!({
        "AutoScalingGroupName": spec.name,
        "CapacityRebalance": true,
        "DefaultInstanceWarmup": spec.warmup.as_secs(),
        "DesiredCapacity": DESIRED,
        "MaxSize": spec.max.to_string(),
        "MinSize": spec.min.to_string(),
        "MixedInstancesPolicy": {
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": 0,
                "SpotAllocationStrategy": "capacity-optimized-prioritized",
            },
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateId": template,
                    "Version": { "Fn::GetAtt": [template_logical, "LatestVersionNumber"] },
                },
                "Overrides": overrides,
            },
        },
        "NewInstancesProtectedFromScaleIn": false,
        "Tags": tags,
        "VPCZoneIdentifier": subnets,
    })
}

/// A policy as the API shows it has the properties of the resource, under the same names.
fn policy_properties(shown: &Value) -> Value {
    let step = shown["PolicyType"] == "StepScaling";
    let names = [
        "AutoScalingGroupName",
        "PolicyType",
        "AdjustmentType",
        "MinAdjustmentMagnitude",
        "MetricAggregationType",
        "StepAdjustments",
        "TargetTrackingConfiguration",
    ];
    let properties: Map<String, Value> = names
        .into_iter()
        .filter(|name| *name != "StepAdjustments" || step)
        .filter_map(|name| Some((name.to_owned(), shown.get(name)?.clone())))
        .collect();
    Value::Object(properties)
}
