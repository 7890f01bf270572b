//! Network interfaces: those of tasks, instances, the NAT gateway and the database.

use serde_json::{Value, json};

use super::compute::{Placed, placed};
use super::derived;
use super::describe::{Kind, describe};
use super::machine::machines;
use super::network::{Subnet, all_subnets};
use crate::error::OpResult;
use crate::service::ecs::task::Phase;
use crate::world::World;

pub(super) fn interfaces(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "NetworkInterfaces",
        ids: &[("NetworkInterfaceIds", "NetworkInterfaceId")],
        missing: ("InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
        filters: &[
            ("attachment.instance-id", "Attachment.InstanceId"),
            ("attachment.status", "Attachment.Status"),
            ("availability-zone", "AvailabilityZone"),
            ("description", "Description"),
            ("group-id", "Groups.GroupId"),
            ("interface-type", "InterfaceType"),
            ("network-interface-id", "NetworkInterfaceId"),
            ("private-ip-address", "PrivateIpAddress"),
            ("requester-managed", "RequesterManaged"),
            ("status", "Status"),
            ("subnet-id", "SubnetId"),
            ("vpc-id", "VpcId"),
        ],
    };
    describe(&KIND, all(world), input)
}

/// What tells one interface from another.
struct One<'a> {
    id: String,
    subnet: &'a str,
    zone: &'a str,
    address: Option<String>,
    description: String,
    kind: &'static str,
    group: Option<&'a str>,
    instance: Option<&'a str>,
}

/// Every interface of the region as the API shows it.
pub(super) fn all(world: &World) -> Vec<Value> {
    let (subnets, instances) = (all_subnets(world), placed(world));
    let mut found = of_tasks_and_instances(world, &instances);
    found.extend(of_machines(world, &subnets));
    found.extend(of_standing_parts(world, &subnets));
    found.iter().map(|one| shown(world, one)).collect()
}

fn of_tasks_and_instances<'a>(world: &'a World, instances: &'a [Placed<'a>]) -> Vec<One<'a>> {
    let facts = &world.services.facts;
    let mut found = Vec::new();
    for task in &world.services.ecs.tasks {
        if matches!(task.phase, Phase::Stopped | Phase::Deprovisioning) {
            continue;
        }
        let interface = &task.interface;
        let attachment = format!(
            "arn:aws:ecs:{}:{}:attachment/{}",
            world.options.region, world.options.account_id, interface.attachment
        );
        found.push(One {
            id: interface.id.clone(),
            subnet: &interface.subnet,
            zone: &interface.zone,
            address: Some(interface.ip.clone()),
            description: attachment,
            kind: "interface",
            group: None,
            instance: None,
        });
    }
    for placed in instances {
        found.push(One {
            id: placed.interface(),
            subnet: placed.instance.subnet(),
            zone: placed.instance.zone(),
            address: placed.address(),
            description: String::new(),
            kind: "interface",
            group: Some(&facts.gpu_security_group),
            instance: Some(&placed.instance.id),
        });
    }
    found
}

/// Instances outside Auto Scaling groups.
fn of_machines<'a>(world: &'a World, subnets: &'a [Subnet]) -> Vec<One<'a>> {
    let there = machines(world).filter(|machine| machine.exists(world.now));
    there
        .map(|machine| {
            let place = subnets.iter().find(|known| known.id == machine.subnet);
            One {
                id: machine.interface(),
                subnet: &machine.subnet,
                zone: place.map_or("", |place| place.zone.as_str()),
                address: place.map(|place| place.address(&machine.id)),
                description: String::new(),
                kind: "interface",
                group: machine.groups.first().map(String::as_str),
                instance: Some(&machine.id),
            }
        })
        .collect()
}

/// The NAT gateway, the load balancer and the database stand where they were put.
fn of_standing_parts<'a>(world: &'a World, subnets: &'a [Subnet]) -> Vec<One<'a>> {
    let facts = &world.services.facts;
    let mut found = Vec::new();
    for (gateway, subnet) in facts.nat_gateways.iter().zip(&facts.public_subnets) {
        let place = subnets.iter().find(|known| known.id == *subnet);
        found.push(One {
            id: derived("eni-", gateway),
            subnet,
            zone: place.map_or("", |place| place.zone.as_str()),
            address: place.map(|place| place.address(gateway)),
            description: format!("Interface for NAT Gateway {gateway}"),
            kind: "natGateway",
            group: None,
            instance: None,
        });
    }
    let standing = [
        (&facts.public_subnets, "ELB app", &facts.balancer_security_group),
        (
            &facts.isolated_subnets,
            "RDSNetworkInterface",
            &facts.database_security_group,
        ),
    ];
    for (places, description, group) in standing {
        for subnet in subnets.iter().filter(|known| places.contains(&known.id)) {
            let from = format!("{description} {}", subnet.id);
            found.push(One {
                id: derived("eni-", &from),
                subnet: &subnet.id,
                zone: &subnet.zone,
                address: Some(subnet.address(&from)),
                description: description.to_owned(),
                kind: "interface",
                group: Some(group),
                instance: None,
            });
        }
    }
    found
}

fn shown(world: &World, one: &One<'_>) -> Value {
    let groups: Vec<Value> = one
        .group
        .map(|group| json!({ "GroupId": group }))
        .into_iter()
        .collect();
    json!({
        "NetworkInterfaceId": one.id,
        "SubnetId": one.subnet,
        "VpcId": all_subnets(world)
            .into_iter()
            .find(|subnet| subnet.id == one.subnet)
            .map(|subnet| subnet.vpc),
        "AvailabilityZone": one.zone,
        "PrivateIpAddress": one.address,
        "PrivateIpAddresses": [{ "Primary": true, "PrivateIpAddress": one.address }],
        "Description": one.description,
        "InterfaceType": one.kind,
        "OwnerId": world.options.account_id,
        "RequesterManaged": one.instance.is_none(),
        "SourceDestCheck": one.kind != "natGateway",
        "Status": "in-use",
        "Groups": groups,
        "Attachment": {
            "AttachmentId": derived("eni-attach-", &one.id),
            "DeleteOnTermination": true,
            "DeviceIndex": if one.instance.is_some() { 0 } else { 1 },
            "InstanceId": one.instance,
            "Status": "attached",
        },
        "TagSet": [],
    })
}
