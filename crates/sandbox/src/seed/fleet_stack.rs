//! The resources of a GPU fleet in its CloudFormation stack, as they are deployed.

use serde_json::{Map, Value, json};

use super::fleet_alarms::{StepScaling, step_scaling};
use super::fleet_scenarios;
use super::names::Names;
use super::stacks::alarm;
use crate::options::{FleetSeed, Layout};
use crate::service::autoscaling::{self, Group, GroupSpec, Image, PolicyKind};
use crate::service::cloudformation::Resource;
use crate::world::World;

/// What the stack states of the desired capacity. CloudFormation leaves the capacity of the group alone
/// with an update that does not change this number, because of the group's update policy.
const DESIRED: &str = "0";

/// The resources of one fleet, in the order of their deployment.
pub(super) fn resources(world: &World, names: &Names, fleet: &FleetSeed) -> Vec<Resource> {
    let name = names.group(fleet);
    let Some(group) = autoscaling::group(world, &name) else {
        return Vec::new();
    };
    let asg = names.group_construct();
    let template = names.logical(fleet, &["LtSpot"]);
    let resource = |path: &[&str], physical: &str, kind: &str, properties: Value| Resource {
        logical: names.logical(fleet, path),
        physical: physical.to_owned(),
        kind: kind.to_owned(),
        properties,
        attributes: Value::Null,
    };
    let mut resources = vec![
        resource(
            &["LtSpot"],
            group.launch_template_id(),
            "AWS::EC2::LaunchTemplate",
            launch_template(world, names, fleet, group),
        ),
        Resource {
            attributes: json!({
                "UpdatePolicy": {
                    "AutoScalingScheduledAction": { "IgnoreUnmodifiedGroupSizeProperties": true },
                },
            }),
            ..resource(
                &[asg, "ASG"],
                &name,
                "AWS::AutoScaling::AutoScalingGroup",
                group_properties(group.spec(), group.launch_template_id(), &template),
            )
        },
    ];
    resources.extend(scaling(world, names, fleet, group));
    let (stage, slug) = (&fleet.stage, &fleet.slug);
    for (what, name) in [
        ("QueueDepthAlarm", format!("{stage}-{slug}-queue-has-jobs")),
        ("QueueEmptyAlarm", format!("{stage}-{slug}-queue-empty")),
    ] {
        resources.push(alarm(world, &names.logical(fleet, &[what]), &name));
    }
    // The staged layout has these two and the log group in other stacks, or leaves them to the workers.
    if world.options.layout == Layout::Single {
        resources.push(Resource {
            attributes: json!({ "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain" }),
            ..resource(
                &["GpuWorkerLogGroup"],
                &format!("/gpu-workers/{slug}"),
                "AWS::Logs::LogGroup",
                json!({
                    "LogGroupName": format!("/gpu-workers/{slug}"),
                    "RetentionInDays": super::fleets::retention(stage),
                }),
            )
        });
        resources.extend(judging_alarms(world, names, fleet));
    }
    resources
}

/// The two alarms of a fleet that tell people; the staged layout has them in its monitoring stack.
pub(super) fn judging_alarms(world: &World, names: &Names, fleet: &FleetSeed) -> [Resource; 2] {
    let (stage, slug) = (&fleet.stage, &fleet.slug);
    [
        ("QueueDeepAlarm", format!("{stage}-p3-{slug}-queue-deep")),
        ("ErrorRateAlarm", format!("{stage}-p2-{slug}-error-rate")),
    ]
    .map(|(what, name)| alarm(world, &names.logical(fleet, &[what]), &name))
}

/// The scaling policies, each step policy with its alarm. Auto Scaling makes the alarms of the tracking
/// policy itself: they are in no stack.
fn scaling(world: &World, names: &Names, fleet: &FleetSeed, group: &Group) -> Vec<Resource> {
    let mut resources = Vec::new();
    let steps = step_scaling(world.options.layout);
    let mut steps = steps.iter();
    for policy in group.policies() {
        let (path, alarm_path) = match policy.kind {
            PolicyKind::Step(_) => {
                let Some([path, alarm]) = steps.next().map(|step: &StepScaling| step.paths(names)) else {
                    continue;
                };
                (path.to_vec(), Some(alarm))
            }
            PolicyKind::Tracking { .. } => (
                vec![
                    names.group_construct().to_owned(),
                    "ScalingPolicyBacklogTargetTracking".to_owned(),
                ],
                None,
            ),
        };
        let logical = |path: &[String]| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            names.logical(fleet, &path)
        };
        resources.push(Resource {
            logical: logical(&path),
            physical: policy.arn.clone(),
            kind: "AWS::AutoScaling::ScalingPolicy".to_owned(),
            properties: policy_properties(&policy.shown(&group.spec().name)),
            attributes: Value::Null,
        });
        for (name, _) in alarm_path.iter().flat_map(|_| &policy.alarms) {
            let mut made = alarm(
                world,
                &logical(alarm_path.as_ref().map_or(&[], |path| path)),
                name,
            );
            // CloudFormation makes the name: the template states none.
            if let Some(properties) = made.properties.as_object_mut() {
                properties.remove("AlarmName");
            }
            resources.push(made);
        }
    }
    resources
}

fn launch_template(world: &World, names: &Names, fleet: &FleetSeed, group: &Group) -> Value {
    let image = match &group.spec().image {
        Image::Parameter(name) => format!("resolve:ssm:{name}"),
        Image::Id(id) => id.clone(),
    };
    json!({
        "LaunchTemplateName": group.spec().launch_template,
        "LaunchTemplateData": {
            "BlockDeviceMappings": [{
                "DeviceName": "/dev/sda1",
                "Ebs": { "Encrypted": true, "VolumeSize": 100, "VolumeType": "gp3" },
            }],
            "ImageId": image,
            "MetadataOptions": { "HttpPutResponseHopLimit": 1, "HttpTokens": "required" },
            "SecurityGroupIds": [world.services.facts.gpu_security_group],
            "UserData": { "Fn::Base64": { "Fn::Join": ["", user_data(world, names, fleet)] } },
        },
    })
}

/// The script that an instance starts with: what the worker is told of its surroundings. The address of the
/// load balancer is another stack's.
fn user_data(world: &World, names: &Names, fleet: &FleetSeed) -> Value {
    let (stage, slug) = (&fleet.stage, &fleet.slug);
    let secret = names.fleet_secret(stage);
    let (scheme, host) = fleet_scenarios::address_of(world, fleet);
    let head = format!(
        "#!/bin/bash\nset -euo pipefail\nFLEET_SECRET=$(aws ssm get-parameter --name {secret} --with-decryption \
         --query Parameter.Value --output text)\ncat > /opt/worker/env <<EOF\nAPI_BASE_URL=\"{scheme}://"
    );
    let tail = format!(
        "\"\nFLEET_SECRET=\"$FLEET_SECRET\"\nFLEET_SLUG=\"{slug}\"\nFLEET_STAGE=\"{stage}\"\n\
         ASG_NAME=\"{}\"\nEOF\nsystemctl restart comfyui-worker.service\n",
        names.group(fleet)
    );
    json!([head, host, tail])
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
