//! Launch templates, Auto Scaling groups and their policies.

use std::time::Duration;

use fleet_scaling::policy::{AdjustmentType, StepAdjustment, StepPolicy, TargetTrackingPolicy};
use serde_json::{Value, json};

use super::read::{count, flag, name, number, pairs, required, text};
use super::{Kind, Made, PLAIN, Refusal, Request};
use crate::seed::names::generated;
use crate::service::autoscaling::{self, Change, GroupSpec, Image, PolicyKind, TemplateUse};
use crate::service::cloudformation::{self, Resource};
use crate::service::ec2;
use crate::world::World;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::EC2::LaunchTemplate",
        fixed: &["LaunchTemplateName"],
        named: Some("LaunchTemplateName"),
        attributes: &["DefaultVersionNumber", "LatestVersionNumber", "LaunchTemplateId"],
        seconds: 4,
        create: |world, request| {
            let wanted = text(request.properties, "LaunchTemplateName");
            if wanted.is_some_and(|wanted| template_named(world, &wanted)) {
                return Err(Refusal::new(
                    "AlreadyExists",
                    "Launch template name already in use. (Service: Ec2, Status Code: 400)",
                ));
            }
            let id = world.ids.ec2("lt-");
            ec2::template_made(world, &id, &request.properties["LaunchTemplateData"]);
            Ok(id)
        },
        update: |world, physical, before, request| {
            let data = [
                &before["LaunchTemplateData"],
                &request.properties["LaunchTemplateData"],
            ];
            ec2::template_changed(world, physical, data);
            Ok(())
        },
        delete: |world, resource| {
            ec2::template_gone(world, &resource.physical);
            Ok(true)
        },
        attribute: |world, resource, attribute| {
            Some(json!(match attribute {
                "LaunchTemplateId" => resource.physical.clone(),
                // An update makes a version, and leaves the default as it is.
                "DefaultVersionNumber" => "1".to_owned(),
                _ => ec2::latest_version(world, &resource.physical).to_string(),
            }))
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::AutoScaling::AutoScalingGroup",
        fixed: &["AutoScalingGroupName", "InstanceId"],
        perhaps: &["VPCZoneIdentifier"],
        named: Some("AutoScalingGroupName"),
        attributes: &["AutoScalingGroupARN"],
        seconds: 7,
        create: create_group,
        update: |world, physical, before, request| {
            let properties = request.properties;
            // "CloudFormation ignores differences in group size properties between your current Auto Scaling group and
            // the group described in the template" (UpdatePolicy attribute), unless the template changes them.
            let kept = flag(
                &request.attributes["UpdatePolicy"]["AutoScalingScheduledAction"],
                "IgnoreUnmodifiedGroupSizeProperties",
            );
            let size = |name: &str| match kept && text(before, name) == text(properties, name) {
                true => None,
                false => count(properties, name),
            };
            let change = Change {
                min: size("MinSize"),
                max: size("MaxSize"),
                desired: size("DesiredCapacity"),
                spec: group_spec(world, physical.to_owned(), properties, request)?,
                template: template_use(world, properties)?,
            };
            autoscaling::change_group(world, physical, change)
                .map_err(|error| Refusal::of(world, "AutoScaling", &error))
        },
        delete: |world, resource| Ok(autoscaling::delete_group(world, &resource.physical)),
        attribute: |world, resource, _| Some(json!(autoscaling::group(world, &resource.physical)?.arn())),
        ..PLAIN
    },
    Kind {
        name: "AWS::AutoScaling::ScalingPolicy",
        fixed: &["AutoScalingGroupName"],
        attributes: &["Arn", "PolicyName"],
        seconds: 2,
        tagged: false,
        create: |world, request| {
            let group = required(request.properties, "AutoScalingGroupName")?;
            let kind = policy_kind(request.properties)?;
            let name = generated(&mut world.ids, request.stack, request.logical);
            match autoscaling::put_policy(world, &group, &name, kind) {
                Some(arn) => Ok(arn),
                None => Err(Refusal::invalid(format!(
                    "Auto Scaling group name not found - AutoScalingGroup '{group}' not found (Service: AutoScaling, \
                     Status Code: 400)"
                ))),
            }
        },
        update: |world, physical, _, request| {
            let kind = policy_kind(request.properties)?;
            match autoscaling::change_policy(world, physical, kind) {
                true => Ok(()),
                false => Err(Refusal::new("NotFound", format!("Policy {physical} not found"))),
            }
        },
        delete: |world, resource| {
            autoscaling::delete_policy(world, &resource.physical);
            Ok(true)
        },
        attribute: |_, resource, attribute| {
            let arn = resource.physical.as_str();
            Some(json!(match attribute {
                "PolicyName" => arn.rsplit_once(":policyName/").map_or(arn, |(_, name)| name),
                _ => arn,
            }))
        },
        ..PLAIN
    },
];

/// Whether a launch template of this name is there.
fn template_named(world: &World, name: &str) -> bool {
    templates(world).any(|template| template.properties["LaunchTemplateName"] == *name)
}

fn templates(world: &World) -> impl Iterator<Item = &Resource> {
    cloudformation::resources(world)
        .map(|(_, resource)| resource)
        .filter(|resource| resource.kind == "AWS::EC2::LaunchTemplate")
}

/// The launch template of a group, with the version that it is given.
fn template_use(world: &World, properties: &Value) -> Result<TemplateUse, Refusal> {
    let mixed = &properties["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"];
    let given = if mixed.is_object() {
        mixed
    } else {
        &properties["LaunchTemplate"]
    };
    if !given.is_object() {
        return Err(Refusal::invalid(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or \
             MixedInstancesPolicy parameter.",
        ));
    }
    let (id, name) = (text(given, "LaunchTemplateId"), text(given, "LaunchTemplateName"));
    let found = templates(world).find(|template| {
        let own = template.properties["LaunchTemplateName"].as_str();
        id.as_deref() == Some(template.physical.as_str()) || name.is_some() && name.as_deref() == own
    });
    let template = found.ok_or_else(|| {
        Refusal::invalid(format!(
            "You must use a valid fully-formed launch template. The specified launch template, with template ID {}, \
             does not exist.",
            id.or(name).unwrap_or_default()
        ))
    })?;
    let version = text(given, "Version").unwrap_or_else(|| "$Default".to_owned());
    let latest = ec2::latest_version(world, &template.physical);
    let number = match version.as_str() {
        "$Latest" => latest,
        "$Default" => 1,
        number => number.parse().unwrap_or(0),
    };
    let data = ec2::template_data(
        world,
        &template.physical,
        number,
        &template.properties["LaunchTemplateData"],
    );
    let data = data.ok_or_else(|| {
        Refusal::invalid(format!(
            "You must use a valid fully-formed launch template. Could not find launch template version {version}"
        ))
    })?;
    let image = text(data, "ImageId").unwrap_or_default();
    Ok(TemplateUse {
        id: template.physical.clone(),
        name: text(&template.properties, "LaunchTemplateName").unwrap_or_else(|| template.physical.clone()),
        version,
        image: match image.strip_prefix("resolve:ssm:") {
            Some(parameter) => Image::Parameter(parameter.to_owned()),
            None => Image::Id(image),
        },
        instance_type: text(data, "InstanceType"),
    })
}

/// Zone and subnet, in the order of the template.
fn places(world: &World, properties: &Value) -> Vec<(String, String)> {
    let given = &properties["VPCZoneIdentifier"];
    let subnets: Vec<String> = match given {
        Value::String(list) => list.split(',').map(|subnet| subnet.trim().to_owned()).collect(),
        list => {
            let subnets = list.as_array().into_iter().flatten();
            subnets
                .filter_map(|subnet| subnet.as_str().map(str::to_owned))
                .collect()
        }
    };
    let facts = &world.services.facts;
    let tiers = [
        &facts.private_subnets,
        &facts.public_subnets,
        &facts.isolated_subnets,
    ];
    let zone = |subnet: &str, position: usize| {
        let known = tiers
            .iter()
            .find_map(|tier| tier.iter().position(|one| one == subnet));
        let letter = if known.unwrap_or(position) % 2 == 0 {
            'a'
        } else {
            'b'
        };
        format!("{}{letter}", world.options.region)
    };
    subnets
        .into_iter()
        .enumerate()
        .map(|(position, subnet)| (zone(&subnet, position), subnet))
        .collect()
}

fn group_spec(
    world: &World,
    name: String,
    properties: &Value,
    request: &Request<'_>,
) -> Result<GroupSpec, Refusal> {
    let template = template_use(world, properties)?;
    let overrides = &properties["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"];
    let mut types: Vec<String> = overrides
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| text(one, "InstanceType"))
        .collect();
    if types.is_empty() {
        types.extend(template.instance_type.clone());
    }
    let subnets = places(world, properties);
    if subnets.is_empty() {
        return Err(Refusal::invalid(
            "At least one Availability Zone or VPC Subnet is required.",
        ));
    }
    let mut tags = pairs(&properties["Tags"], "Key", "Value");
    for (key, value) in request.tags {
        if !tags.iter().any(|(known, _)| known == key) {
            tags.push((key.clone(), value.clone()));
        }
    }
    let warmup = count(properties, "DefaultInstanceWarmup").unwrap_or(0);
    Ok(GroupSpec {
        name,
        min: count(properties, "MinSize").unwrap_or(0),
        max: count(properties, "MaxSize").unwrap_or(0),
        launch_template: template.name,
        image: template.image,
        instance_types: types,
        subnets,
        warmup: Duration::from_secs(u64::from(warmup)),
        tags,
        created: world.now,
    })
}

fn create_group(world: &mut World, request: &Request<'_>) -> Made {
    let properties = request.properties;
    let name = name(world, request, "AutoScalingGroupName");
    if autoscaling::group(world, &name).is_some() {
        return Err(Refusal::new(
            "AlreadyExists",
            format!(
                "AutoScalingGroup by this name already exists - A group with the name {name} already exists (Service: \
                 AutoScaling, Status Code: 400)"
            ),
        ));
    }
    required(properties, "MinSize")?;
    required(properties, "MaxSize")?;
    let spec = group_spec(world, name.clone(), properties, request)?;
    let template = template_use(world, properties)?;
    let desired = count(properties, "DesiredCapacity").unwrap_or(spec.min);
    let tags = spec.tags.clone();
    match autoscaling::make_group(world, spec, template, desired) {
        Ok(()) => {
            crate::seed::fleet_joins(world, &name, &tags);
            Ok(name)
        }
        Err(error) => Err(Refusal::of(world, "AutoScaling", &error)),
    }
}

fn policy_kind(properties: &Value) -> Result<PolicyKind, Refusal> {
    match text(properties, "PolicyType").as_deref() {
        Some("StepScaling") => {
            let steps = properties["StepAdjustments"].as_array().into_iter().flatten();
            let adjustment = text(properties, "AdjustmentType").unwrap_or_default();
            let adjustment_type = [
                AdjustmentType::ChangeInCapacity,
                AdjustmentType::ExactCapacity,
                AdjustmentType::PercentChangeInCapacity,
            ]
            .into_iter()
            .find(|known| known.name() == adjustment)
            .ok_or_else(|| Refusal::invalid("AdjustmentType must be one of ChangeInCapacity, ExactCapacity or PercentChangeInCapacity"))?;
            let policy = StepPolicy {
                adjustment_type,
                steps: steps
                    .map(|step| StepAdjustment {
                        lower: number(step, "MetricIntervalLowerBound"),
                        upper: number(step, "MetricIntervalUpperBound"),
                        adjustment: number(step, "ScalingAdjustment").unwrap_or_default() as i32,
                    })
                    .collect(),
                minimum_adjustment_magnitude: count(properties, "MinAdjustmentMagnitude"),
            };
            match policy.validate() {
                Ok(()) => Ok(PolicyKind::Step(policy)),
                Err(error) => Err(Refusal::invalid(error.to_string())),
            }
        }
        Some("TargetTrackingScaling") => {
            let given = &properties["TargetTrackingConfiguration"];
            let metric = &given["CustomizedMetricSpecification"];
            if !metric.is_object() || metric.get("Metrics").is_some() {
                return Err(Refusal::invalid(
                    "The sandbox follows a target on one customized metric; predefined metrics and metric math are not \
                     simulated.",
                ));
            }
            Ok(PolicyKind::Tracking {
                policy: TargetTrackingPolicy {
                    target: number(given, "TargetValue").unwrap_or_default(),
                    disable_scale_in: flag(given, "DisableScaleIn"),
                    floor: 0,
                },
                namespace: required(metric, "Namespace")?,
                metric: required(metric, "MetricName")?,
                dimensions: pairs(&metric["Dimensions"], "Name", "Value"),
            })
        }
        other => Err(Refusal::invalid(format!(
            "The sandbox knows policies of the types StepScaling and TargetTrackingScaling, not {}",
            other.unwrap_or("SimpleScaling")
        ))),
    }
}
