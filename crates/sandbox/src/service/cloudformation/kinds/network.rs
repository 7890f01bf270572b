//! The network: EC2 puts its answers together from the resources of the stacks, so that a stack need only have them.

use serde_json::{Value, json};

use super::read::{required, text};
use super::{Gone, Kind, Made, PLAIN, Refusal, Request};
use crate::service::cloudformation::{self, Resource};
use crate::world::World;

macro_rules! made {
    ($prefix:literal) => {
        |world, request| {
            let id = world.ids.ec2($prefix);
            remember(world, request, &id);
            Ok(id)
        }
    };
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::EC2::VPC",
        fixed: &["CidrBlock", "InstanceTenancy"],
        attributes: &[
            "CidrBlock",
            "CidrBlockAssociations",
            "DefaultNetworkAcl",
            "DefaultSecurityGroup",
            "Ipv6CidrBlocks",
            "VpcId",
        ],
        seconds: 12,
        create: made!("vpc-"),
        delete: unused,
        attribute: |_, resource, attribute| match attribute {
            "CidrBlock" => Some(resource.properties["CidrBlock"].clone()),
            "VpcId" => Some(json!(resource.physical)),
            "Ipv6CidrBlocks" => Some(json!([])),
            _ => Some(json!(format!("{}-{attribute}", resource.physical))),
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::Subnet",
        fixed: &["AvailabilityZone", "CidrBlock", "VpcId"],
        attributes: &[
            "AvailabilityZone",
            "Ipv6CidrBlocks",
            "NetworkAclAssociationId",
            "SubnetId",
            "VpcId",
        ],
        create: made!("subnet-"),
        delete: unused,
        attribute: of_properties,
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::SecurityGroup",
        fixed: &["GroupDescription", "GroupName", "VpcId"],
        named: Some("GroupName"),
        attributes: &["GroupId", "Id", "VpcId"],
        seconds: 5,
        create: create_security_group,
        delete: unused,
        attribute: |_, resource, attribute| match attribute {
            "VpcId" => Some(resource.properties["VpcId"].clone()),
            _ => Some(json!(resource.physical)),
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::SecurityGroupIngress",
        fixed: &[
            "CidrIp",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "SourceSecurityGroupId",
            "ToPort",
        ],
        attributes: &["Id"],
        tagged: false,
        create: made!("sgr-"),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::SecurityGroupEgress",
        fixed: &[
            "CidrIp",
            "DestinationSecurityGroupId",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "ToPort",
        ],
        attributes: &["Id"],
        tagged: false,
        create: made!("sgr-"),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::InternetGateway",
        attributes: &["InternetGatewayId"],
        seconds: 17,
        create: made!("igw-"),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::VPCGatewayAttachment",
        fixed: &["VpcId"],
        tagged: false,
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::EIP",
        fixed: &["Domain", "NetworkBorderGroup"],
        attributes: &["AllocationId", "PublicIp"],
        seconds: 15,
        create: made!("eipalloc-"),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::NatGateway",
        fixed: &["AllocationId", "ConnectivityType", "SubnetId"],
        attributes: &["NatGatewayId"],
        // A NAT gateway is available after a minute and a half.
        seconds: 94,
        create: made!("nat-"),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::RouteTable",
        fixed: &["VpcId"],
        attributes: &["RouteTableId"],
        create: made!("rtb-"),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::Route",
        fixed: &["DestinationCidrBlock", "RouteTableId"],
        tagged: false,
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::SubnetRouteTableAssociation",
        fixed: &["SubnetId"],
        attributes: &["Id"],
        tagged: false,
        create: made!("rtbassoc-"),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::EC2::VPCEndpoint",
        fixed: &["ServiceName", "VpcEndpointType", "VpcId"],
        attributes: &["Id"],
        seconds: 8,
        create: made!("vpce-"),
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
];

fn of_properties(_: &World, resource: &Resource, attribute: &str) -> Option<Value> {
    match attribute {
        "SubnetId" => Some(json!(resource.physical)),
        _ => resource.properties.get(attribute).cloned(),
    }
}

fn create_security_group(world: &mut World, request: &Request<'_>) -> Made {
    required(request.properties, "GroupDescription")?;
    let name = text(request.properties, "GroupName");
    let vpc = &request.properties["VpcId"];
    let taken = cloudformation::resources(world).any(|(_, other)| {
        other.kind == "AWS::EC2::SecurityGroup"
            && name.is_some()
            && text(&other.properties, "GroupName") == name
            && other.properties["VpcId"] == *vpc
    });
    if let Some(name) = name.filter(|_| taken) {
        return Err(Refusal::new(
            "AlreadyExists",
            format!(
                "The security group '{name}' already exists for VPC '{}' (Service: Ec2, Status Code: 400)",
                vpc.as_str().unwrap_or_default()
            ),
        ));
    }
    let id = world.ids.ec2("sg-");
    remember(world, request, &id);
    Ok(id)
}

/// The application is told its network by the logical ids of the platform's templates, unless the network that it knows
/// is still there.
fn remember(world: &mut World, request: &Request<'_>, id: &str) {
    let there =
        |known: &str| cloudformation::resources(world).any(|(_, resource)| resource.physical == known);
    let mut facts = world.services.facts.clone();
    let small = request.logical.to_ascii_lowercase();
    let one = match request.logical {
        "Vpc" => Some(&mut facts.vpc),
        "SgAlb" => Some(&mut facts.balancer_security_group),
        "SgBackend" => Some(&mut facts.backend_security_group),
        "SgFrontend" => Some(&mut facts.frontend_security_group),
        "SgRds" => Some(&mut facts.database_security_group),
        "SgRedis" => Some(&mut facts.cache_security_group),
        "SgGpuWorkers" => Some(&mut facts.gpu_security_group),
        "VpcS3Endpoint" => Some(&mut facts.s3_endpoint),
        _ => None,
    };
    let some = match id.split('-').next() {
        Some("nat") => Some(&mut facts.nat_gateways),
        Some("subnet") if small.contains("public") => Some(&mut facts.public_subnets),
        Some("subnet") if small.contains("private") => Some(&mut facts.private_subnets),
        Some("subnet") if small.contains("isolated") => Some(&mut facts.isolated_subnets),
        _ => None,
    };
    if let Some(known) = one.filter(|known| !there(known)) {
        id.clone_into(known);
    }
    if let Some(known) = some {
        match known.first().is_some_and(|first| there(first)) {
            // One to each of the two zones.
            true if known.len() == 1 && id.starts_with("subnet-") => known.push(id.to_owned()),
            true => {}
            false => *known = vec![id.to_owned()],
        }
    }
    let zones = ["a", "b"].map(|zone| format!("{}{zone}", world.options.region));
    world.services.ecs.subnets = [&facts.private_subnets, &facts.public_subnets]
        .into_iter()
        .flat_map(|subnets| subnets.iter().cloned().zip(zones.clone()))
        .collect();
    world.services.facts = facts;
}

/// A part of the network goes only when nothing that stays hangs on it: EC2 answers `DependencyViolation` ("Troubleshoot
/// CloudFormation", "Delete stack fails").
fn unused(world: &mut World, resource: &Resource) -> Gone {
    let id = resource.physical.as_str();
    let user = holder(world, id, &resource.kind);
    match user {
        None => Ok(true),
        Some(_) => {
            let what = match resource.kind.as_str() {
                "AWS::EC2::VPC" => "vpc",
                "AWS::EC2::Subnet" => "subnet",
                _ => "resource",
            };
            Err(Refusal::invalid(match what {
                "resource" => {
                    format!("resource {id} has a dependent object (Service: Ec2, Status Code: 400)")
                }
                _ => format!(
                    "The {what} '{id}' has dependencies and cannot be deleted. (Service: Ec2, Status Code: 400)"
                ),
            }))
        }
    }
}

/// A resource of another stack, or one that outlived its stack, that uses this part of the network.
fn holder(world: &World, id: &str, kind: &str) -> Option<String> {
    let own = cloudformation::resources(world)
        .find(|(_, other)| other.physical == id)
        .map(|(stack, _)| stack.to_owned());
    if kind == "AWS::EC2::SecurityGroup" {
        let database = crate::service::rds::uses(world, id);
        if database {
            return Some("a database".to_owned());
        }
    }
    // An interface is in a subnet, and with that in its VPC, and has security groups, until its instance is terminated.
    if let Some(machine) = crate::service::ec2::machine_within(world, id) {
        return Some(machine);
    }
    let facts = &world.services.facts;
    // The subnet group of a database that stays holds the isolated subnets, and they hold their VPC.
    let databases = crate::service::rds::any(world);
    if databases && facts.isolated_subnets.iter().any(|subnet| subnet == id) {
        return Some("a database".to_owned());
    }
    if kind == "AWS::EC2::VPC" && databases && facts.vpc == id {
        return Some("a database".to_owned());
    }
    cloudformation::resources(world)
        .filter(|(stack, _)| Some(*stack) != own.as_deref())
        .map(|(_, other)| other)
        .filter(|other| match other.kind.as_str() {
            // Somebody may have deleted it since.
            "AWS::RDS::DBInstance" => crate::service::rds::endpoint(world, &other.physical).is_some(),
            // A group names subnets; only instances in it have interfaces there.
            "AWS::RDS::DBSubnetGroup" => false,
            _ => other.physical != id,
        })
        .find(|other| mentions(&other.properties, id))
        .map(|other| other.physical.clone())
}

fn mentions(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(items) => items.iter().any(|item| mentions(item, id)),
        Value::Object(members) => members.values().any(|member| mentions(member, id)),
        _ => false,
    }
}
