//! The cluster, its tasks and services, and the load balancer in front of them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::read::{count, name, required, text};
use super::{Kind, Made, PLAIN, Refusal, Request};
use crate::service::ecs::service::{LoadBalancer, Provider, Service};
use crate::service::member::texts;
use crate::service::{Service as Api, application_autoscaling, ecs, elb};
use crate::world::World;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::ECS::Cluster",
        fixed: &["ClusterName"],
        named: Some("ClusterName"),
        attributes: &["Arn"],
        create: |world, request| {
            let name = name(world, request, "ClusterName");
            match ecs::create_cluster(world, &name) {
                true => Ok(name),
                false => Err(Refusal::invalid("The sandbox has one cluster at a time.")),
            }
        },
        delete: |world, _| {
            // API Reference, DeleteCluster: ClusterContainsServicesException, ClusterContainsTasksException.
            let holds = match (ecs::has_services(world), ecs::has_tasks(world)) {
                (true, _) => "Services",
                (_, true) => "Tasks",
                (false, false) => {
                    ecs::delete_cluster(world);
                    return Ok(true);
                }
            };
            Err(Refusal::invalid(format!(
                "The Cluster cannot be deleted while {holds} are active. (Service: Ecs, Status Code: 400)"
            )))
        },
        attribute: |world, _, _| Some(json!(ecs::cluster_arn(world))),
        ..PLAIN
    },
    Kind {
        name: "AWS::ECS::ClusterCapacityProviderAssociations",
        fixed: &["Cluster"],
        tagged: false,
        create: |_, request| required(request.properties, "Cluster"),
        delete: |world, _| match ecs::has_tasks(world) {
            false => Ok(true),
            // API Reference, PutClusterCapacityProviders: ResourceInUseException.
            true => Err(Refusal::invalid(
                "The specified capacity provider is in use and cannot be removed. (Service: Ecs, Status Code: 400)",
            )),
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::ECS::TaskDefinition",
        fixed: &[
            "ContainerDefinitions",
            "Cpu",
            "ExecutionRoleArn",
            "Family",
            "Memory",
            "NetworkMode",
            "RuntimePlatform",
            "TaskRoleArn",
            "Volumes",
        ],
        attributes: &["TaskDefinitionArn"],
        create: |world, request| {
            let mut input = lower(request.properties, false);
            if input["family"].is_null() {
                input["family"] = json!(name(world, request, "Family"));
            }
            input.as_object_mut().map(|members| members.remove("tags"));
            match world.call(Api::Ecs, "RegisterTaskDefinition", &input) {
                Ok(answer) => Ok(answer["taskDefinition"]["taskDefinitionArn"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()),
                Err(error) => Err(Refusal::of(world, "AmazonECS", &error)),
            }
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::ECS::Service",
        fixed: &[
            "Cluster",
            "LaunchType",
            "Role",
            "SchedulingStrategy",
            "ServiceName",
        ],
        named: Some("ServiceName"),
        attributes: &["Name", "ServiceArn"],
        seconds: 10,
        create: create_service,
        update: |world, physical, before, request| {
            let properties = request.properties;
            let service = physical.rsplit('/').next().unwrap_or(physical);
            let mut input = json!({ "cluster": ecs::cluster_arn(world), "service": service });
            let changed = |property: &str| before[property] != properties[property];
            // "For existing services, if a desired count is not specified, it is omitted from the operation"; one that is
            // stated is sent with every change of the service, also when it is stated as before.
            if let Some(desired) = count(properties, "DesiredCount") {
                input["desiredCount"] = json!(desired);
            }
            if changed("TaskDefinition") && properties["TaskDefinition"].is_string() {
                input["taskDefinition"] = properties["TaskDefinition"].clone();
            }
            if changed("CapacityProviderStrategy") && properties["CapacityProviderStrategy"].is_array() {
                input["capacityProviderStrategy"] = lower(&properties["CapacityProviderStrategy"], false);
            }
            if changed("DeploymentConfiguration") && properties["DeploymentConfiguration"].is_object() {
                input["deploymentConfiguration"] = lower(&properties["DeploymentConfiguration"], false);
            }
            match world.call(Api::Ecs, "UpdateService", &input) {
                Ok(_) => Ok(()),
                Err(error) => Err(Refusal::of(world, "AmazonECS", &error)),
            }
        },
        delete: |world, resource| {
            let service = resource.physical.rsplit('/').next().unwrap_or_default();
            Ok(ecs::delete_service(world, service))
        },
        settled: |world, resource| {
            let service = resource.physical.rsplit('/').next().unwrap_or_default();
            ecs::settled(world, service).map_err(|()| {
                Refusal::new(
                    "GeneralServiceException",
                    "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.",
                )
            })
        },
        attribute: |_, resource, attribute| {
            let arn = resource.physical.as_str();
            Some(json!(match attribute {
                "Name" => arn.rsplit('/').next().unwrap_or(arn),
                _ => arn,
            }))
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::ApplicationAutoScaling::ScalableTarget",
        fixed: &["ResourceId", "ScalableDimension", "ServiceNamespace"],
        attributes: &["Id"],
        tagged: false,
        create: |world, request| {
            let resource = required(request.properties, "ResourceId")?;
            register_bounds(world, request.properties)?;
            Ok(format!("{resource}|ecs:service:DesiredCount|ecs"))
        },
        update: |world, _, _, request| register_bounds(world, request.properties),
        delete: |world, resource| {
            let id = resource.physical.split('|').next().unwrap_or_default();
            application_autoscaling::delete(world, id);
            Ok(true)
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::ApplicationAutoScaling::ScalingPolicy",
        fixed: &[
            "PolicyName",
            "ResourceId",
            "ScalableDimension",
            "ScalingTargetId",
            "ServiceNamespace",
        ],
        attributes: &["Arn"],
        tagged: false,
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        fixed: &["Name", "Scheme", "Type"],
        named: Some("Name"),
        attributes: &[
            "CanonicalHostedZoneID",
            "DNSName",
            "LoadBalancerArn",
            "LoadBalancerFullName",
            "LoadBalancerName",
        ],
        // A load balancer is active after two or three minutes.
        seconds: 150,
        create: create_balancer,
        delete: |world, resource| {
            elb::delete_balancer(world, &resource.physical);
            Ok(true)
        },
        attribute: |world, resource, attribute| {
            let arn = elb::balancer_arn(world, &resource.physical)?;
            let full = arn.split_once(":loadbalancer/").map_or(arn, |(_, full)| full);
            let name = full.split('/').nth(1).unwrap_or(full);
            Some(json!(match attribute {
                "DNSName" => elb::dns_name(world, name).unwrap_or_default(),
                "LoadBalancerArn" => arn,
                "LoadBalancerFullName" => full,
                "LoadBalancerName" => name,
                // "Elastic Load Balancing endpoints and quotas": the zone of us-east-1.
                _ => "Z35SXDOTRQ7X7K",
            }))
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::ElasticLoadBalancingV2::Listener",
        fixed: &["LoadBalancerArn"],
        attributes: &["ListenerArn"],
        create: |world, request| {
            let balancer = required(request.properties, "LoadBalancerArn")?;
            connect(world, &balancer, &request.properties["DefaultActions"]);
            let id = world.ids.hex(16);
            Ok(format!(
                "{}/{id}",
                balancer.replace(":loadbalancer/", ":listener/")
            ))
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::ElasticLoadBalancingV2::ListenerRule",
        fixed: &["ListenerArn"],
        attributes: &["RuleArn"],
        create: |world, request| {
            let listener = required(request.properties, "ListenerArn")?;
            let balancer = listener.replace(":listener/", ":loadbalancer/");
            let balancer = balancer
                .rsplit_once('/')
                .map_or(balancer.as_str(), |(arn, _)| arn)
                .to_owned();
            connect(world, &balancer, &request.properties["Actions"]);
            let id = world.ids.hex(16);
            Ok(format!(
                "{}/{id}",
                listener.replace(":listener/", ":listener-rule/")
            ))
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::ElasticLoadBalancingV2::TargetGroup",
        fixed: &[
            "Name",
            "Port",
            "Protocol",
            "ProtocolVersion",
            "TargetType",
            "VpcId",
        ],
        named: Some("Name"),
        attributes: &[
            "LoadBalancerArns",
            "TargetGroupArn",
            "TargetGroupFullName",
            "TargetGroupName",
        ],
        create: |world, request| {
            let properties = request.properties;
            let name = name(world, request, "Name");
            let port = count(properties, "Port")
                .and_then(|port| u16::try_from(port).ok())
                .unwrap_or(80);
            let vpc = text(properties, "VpcId").unwrap_or_default();
            let path = text(properties, "HealthCheckPath").unwrap_or_else(|| "/".to_owned());
            let codes = text(&properties["Matcher"], "HttpCode").unwrap_or_else(|| "200".to_owned());
            let timeout = i64::from(count(properties, "HealthCheckTimeoutSeconds").unwrap_or(5));
            Ok(elb::make_group(
                world,
                (&name, port, &vpc),
                (path, codes, timeout),
            ))
        },
        delete: |world, resource| {
            elb::delete_group(world, &resource.physical);
            Ok(true)
        },
        attribute: |_, resource, attribute| {
            let arn = resource.physical.as_str();
            let full = arn.rsplit(':').next().unwrap_or(arn);
            Some(match attribute {
                "TargetGroupFullName" => json!(full),
                "TargetGroupName" => json!(full.split('/').nth(1)),
                "LoadBalancerArns" => json!([]),
                _ => json!(arn),
            })
        },
        ..PLAIN
    },
];

/// The names of an API's members in place of a template's: the first letter small. The options of a log driver are
/// names of their own, and stay.
fn lower(value: &Value, own: bool) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| {
                let mut letters = name.chars();
                let small: String = letters
                    .next()
                    .into_iter()
                    .flat_map(char::to_lowercase)
                    .chain(letters)
                    .collect();
                let name_of = if own { name.clone() } else { small };
                (
                    name_of,
                    lower(member, matches!(name.as_str(), "Options" | "DockerLabels")),
                )
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| lower(item, own)).collect(),
        other => other.clone(),
    }
}

/// Targets of these actions are behind the load balancer from now on.
fn connect(world: &mut World, balancer: &str, actions: &Value) {
    for action in actions.as_array().into_iter().flatten() {
        if let Some(group) = action["TargetGroupArn"].as_str() {
            elb::attach(world, group, balancer);
        }
    }
}

/// Both are one request of Application Auto Scaling, which brings the present count inside the bounds.
fn register_bounds(world: &mut World, properties: &Value) -> Result<(), Refusal> {
    let bound = |property| i64::from(count(properties, property).unwrap_or(0));
    let mut input = json!({
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": text(properties, "ResourceId"),
        "MinCapacity": bound("MinCapacity"),
        "MaxCapacity": bound("MaxCapacity"),
    });
    if properties["SuspendedState"].is_object() {
        input["SuspendedState"] = properties["SuspendedState"].clone();
    }
    match world.call(Api::ApplicationAutoScaling, "RegisterScalableTarget", &input) {
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::of(world, "ApplicationAutoScaling", &error)),
    }
}

fn create_balancer(world: &mut World, request: &Request<'_>) -> Made {
    let properties = request.properties;
    // A load balancer's name has 32 characters at most.
    let name: String = name(world, request, "Name").chars().take(32).collect();
    if elb::balancer_arn(world, &name).is_some() {
        return Err(Refusal::exists(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Name",
            &name,
        ));
    }
    let subnets = texts(properties, "Subnets");
    let zones = ["a", "b"].map(|zone| format!("{}{zone}", world.options.region));
    let place = elb::Place {
        vpc: world.services.facts.vpc.clone(),
        subnets: subnets.into_iter().zip(zones).collect(),
        security_group: texts(properties, "SecurityGroups")
            .into_iter()
            .next()
            .unwrap_or_default(),
    };
    let now = world.now;
    world.services.facts.load_balancer.clone_from(&name);
    Ok(elb::create_balancer(world, &name, now, place))
}

fn create_service(world: &mut World, request: &Request<'_>) -> Made {
    let properties = request.properties;
    let name = name(world, request, "ServiceName");
    if ecs::service::named(world, &name).is_some() {
        return Err(Refusal::invalid(
            "Creation of service was not idempotent. (Service: AmazonECS, Status Code: 400)",
        ));
    }
    let definition = required(properties, "TaskDefinition")?;
    let definition = ecs::definition::find(world, &definition).ok_or_else(|| {
        Refusal::invalid("TaskDefinition not found. (Service: AmazonECS, Status Code: 400)")
    })?;
    let behind = &properties["LoadBalancers"][0];
    let load_balancer = LoadBalancer {
        target_group: text(behind, "TargetGroupArn").unwrap_or_default(),
        container: text(behind, "ContainerName").unwrap_or_default(),
        port: count(behind, "ContainerPort")
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or(80),
    };
    if !elb::is_attached(world, &load_balancer.target_group) {
        return Err(Refusal::invalid(format!(
            "The target group with targetGroupArn {} does not have an associated load balancer. (Service: AmazonECS, \
             Status Code: 400)",
            load_balancer.target_group
        )));
    }
    let network = &properties["NetworkConfiguration"]["AwsvpcConfiguration"];
    let strategy = properties["CapacityProviderStrategy"]
        .as_array()
        .into_iter()
        .flatten();
    let strategy = strategy
        .map(|item| Provider {
            name: text(item, "CapacityProvider").unwrap_or_default(),
            base: count(item, "Base").unwrap_or(0) as usize,
            weight: count(item, "Weight").unwrap_or(0) as usize,
        })
        .collect();
    let grace = count(properties, "HealthCheckGracePeriodSeconds").unwrap_or(0);
    let now = world.now;
    let mut service = Service::new(
        &name,
        now,
        load_balancer,
        (texts(network, "Subnets"), texts(network, "SecurityGroups")),
        strategy,
        Duration::from_secs(u64::from(grace)),
    );
    service.desired = count(properties, "DesiredCount").unwrap_or(1) as usize;
    let arn = service.arn(world);
    ecs::create_service(world, service, definition);
    Ok(arn)
}
