//! The VPC, its subnets, routes and the NAT gateway, as the network stack has them; and the account's default VPC.

use serde_json::{Value, json};

use super::describe::{Kind, describe};
use super::{derived, derived_number, resources, stack_tags};
use crate::error::OpResult;
use crate::service::member::text;
use crate::world::World;

/// Every region has a default VPC (VPC user guide, "Default VPCs"): 172.31.0.0/16 with a /20 for each zone.
const DEFAULT_BLOCK: &str = "172.31.0.0/16";
const DEFAULT_SUBNETS: [(&str, &str); 2] = [("a", "172.31.0.0/20"), ("b", "172.31.16.0/20")];

/// The prefix list of S3 in us-east-1, to which the gateway endpoint's route leads.
const S3_PREFIXES: &str = "pl-63a5400a";

pub(super) fn default_vpc(world: &World) -> String {
    derived("vpc-", &format!("default {}", world.options.region))
}

pub(super) fn vpc_exists(world: &World, id: &str) -> bool {
    id == default_vpc(world) || resources(world, "AWS::EC2::VPC").any(|(_, vpc)| vpc.physical == id)
}

pub(super) fn vpcs(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "Vpcs",
        ids: &[("VpcIds", "VpcId")],
        missing: ("InvalidVpcID.NotFound", "vpc ID"),
        filters: &[
            ("cidr", "CidrBlock"),
            ("is-default", "IsDefault"),
            ("owner-id", "OwnerId"),
            ("state", "State"),
            ("vpc-id", "VpcId"),
        ],
    };
    let account = &world.options.account_id;
    let vpc = |id: &str, block: &str, default: bool, tags: Value| {
        json!({
            "VpcId": id,
            "CidrBlock": block,
            "CidrBlockAssociationSet": [{
                "AssociationId": derived("vpc-cidr-assoc-", id),
                "CidrBlock": block,
                "CidrBlockState": { "State": "associated" },
            }],
            "DhcpOptionsId": derived("dopt-", &world.options.region),
            "InstanceTenancy": "default",
            "IsDefault": default,
            "OwnerId": account,
            "State": "available",
            "Tags": tags,
        })
    };
    let mut vpcs: Vec<Value> = resources(world, "AWS::EC2::VPC")
        .map(|(stack, made)| {
            let block = text(&made.properties, "CidrBlock").unwrap_or_default();
            vpc(
                &made.physical,
                block,
                false,
                stack_tags(stack, &made.logical, &format!("{stack}/Vpc")).into(),
            )
        })
        .collect();
    vpcs.push(vpc(&default_vpc(world), DEFAULT_BLOCK, true, Value::Null));
    describe(&KIND, vpcs, input)
}

/// A subnet, as far as others need to know it.
pub(super) struct Subnet {
    pub(super) id: String,
    pub(super) vpc: String,
    pub(super) block: String,
    pub(super) zone: String,
    /// `public`, `private`, `isolated`; `default` in the default VPC.
    pub(super) kind: &'static str,
    tags: Vec<Value>,
}

impl Subnet {
    /// An address in it that hangs on `from`. The first four belong to AWS.
    pub(super) fn address(&self, from: &str) -> String {
        let (network, length) = self.block.split_once('/').unwrap_or((&self.block, "24"));
        let octets: Vec<u32> = network
            .split('.')
            .filter_map(|octet| octet.parse().ok())
            .collect();
        let base = octets.iter().fold(0_u32, |sum, octet| sum << 8 | octet);
        let size = 1_u64 << (32 - length.parse::<u32>().unwrap_or(24).min(30));
        let host = 4 + derived_number(from, size.saturating_sub(5));
        let address = base.saturating_add(u32::try_from(host).unwrap_or(4));
        std::net::Ipv4Addr::from(address).to_string()
    }

    fn room(&self) -> u64 {
        let length: u32 = self
            .block
            .rsplit('/')
            .next()
            .and_then(|length| length.parse().ok())
            .unwrap_or(24);
        (1_u64 << (32 - length.min(30))) - 5
    }
}

/// Every subnet of the region.
pub(super) fn all_subnets(world: &World) -> Vec<Subnet> {
    let facts = &world.services.facts;
    let kind = |id: &str| {
        let of = |subnets: &[String]| subnets.iter().any(|subnet| subnet == id);
        if of(&facts.public_subnets) {
            "public"
        } else if of(&facts.private_subnets) {
            "private"
        } else {
            "isolated"
        }
    };
    let mut subnets: Vec<Subnet> = resources(world, "AWS::EC2::Subnet")
        .map(|(stack, made)| {
            // The number at the end counts the zones.
            let zone = if made.logical.ends_with('2') { "b" } else { "a" };
            let kind = kind(&made.physical);
            let number = if zone == "a" { 1 } else { 2 };
            let name = format!("{stack}/Vpc/{kind}Subnet{number}");
            let mut tags = stack_tags(stack, &made.logical, &name);
            tags.push(json!({ "Key": "aws-cdk:subnet-name", "Value": kind }));
            Subnet {
                id: made.physical.clone(),
                vpc: text(&made.properties, "VpcId").unwrap_or(&facts.vpc).to_owned(),
                block: text(&made.properties, "CidrBlock").unwrap_or_default().to_owned(),
                zone: format!("{}{zone}", world.options.region),
                kind,
                tags,
            }
        })
        .collect();
    subnets.extend(DEFAULT_SUBNETS.map(|(zone, block)| Subnet {
        id: derived("subnet-", &format!("default {}{zone}", world.options.region)),
        vpc: default_vpc(world),
        block: block.to_owned(),
        zone: format!("{}{zone}", world.options.region),
        kind: "default",
        tags: Vec::new(),
    }));
    subnets
}

pub(super) fn subnets(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "Subnets",
        ids: &[("SubnetIds", "SubnetId")],
        missing: ("InvalidSubnetID.NotFound", "subnet ID"),
        filters: &[
            ("availability-zone", "AvailabilityZone"),
            ("cidr-block", "CidrBlock"),
            ("default-for-az", "DefaultForAz"),
            ("map-public-ip-on-launch", "MapPublicIpOnLaunch"),
            ("state", "State"),
            ("subnet-id", "SubnetId"),
            ("vpc-id", "VpcId"),
        ],
    };
    let (region, account) = (&world.options.region, &world.options.account_id);
    let subnets = all_subnets(world)
        .into_iter()
        .map(|subnet| {
            let used = super::interfaces::all(world)
                .iter()
                .filter(|one| one["SubnetId"] == *subnet.id)
                .count();
            json!({
                "SubnetId": subnet.id,
                "SubnetArn": format!("arn:aws:ec2:{region}:{account}:subnet/{}", subnet.id),
                "VpcId": subnet.vpc,
                "OwnerId": account,
                "State": "available",
                "CidrBlock": subnet.block,
                "AvailabilityZone": subnet.zone,
                "AvailableIpAddressCount": subnet.room().saturating_sub(used as u64),
                "DefaultForAz": subnet.kind == "default",
                "MapPublicIpOnLaunch": matches!(subnet.kind, "public" | "default"),
                "AssignIpv6AddressOnCreation": false,
                "Ipv6Native": false,
                "Tags": subnet.tags,
            })
        })
        .collect();
    describe(&KIND, subnets, input)
}

/// The address under which a NAT gateway appears outside: of those that documents use (RFC 5737).
fn public_address(gateway: &str) -> String {
    format!("203.0.113.{}", 1 + derived_number(gateway, 254))
}

/// The gateways, each with the subnet that it stands in.
fn gateways(world: &World) -> Vec<(String, String)> {
    let facts = &world.services.facts;
    facts
        .nat_gateways
        .iter()
        .cloned()
        .zip(facts.public_subnets.iter().cloned())
        .collect()
}

pub(super) fn nat_gateways(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "NatGateways",
        ids: &[("NatGatewayIds", "NatGatewayId")],
        missing: ("NatGatewayNotFound", "NAT gateway"),
        filters: &[
            ("nat-gateway-id", "NatGatewayId"),
            ("state", "State"),
            ("subnet-id", "SubnetId"),
            ("vpc-id", "VpcId"),
        ],
    };
    let created = world.now.floor_minute() - std::time::Duration::from_secs(74 * 86_400);
    let subnets = all_subnets(world);
    let gateways = gateways(world)
        .into_iter()
        .map(|(id, subnet)| {
            let place = subnets.iter().find(|known| known.id == subnet);
            json!({
                "NatGatewayId": id,
                "SubnetId": subnet,
                "VpcId": world.services.facts.vpc,
                "State": "available",
                "ConnectivityType": "public",
                "CreateTime": created.epoch_seconds(),
                "NatGatewayAddresses": [{
                    "AllocationId": derived("eipalloc-", &id),
                    "AssociationId": derived("eipassoc-", &id),
                    "NetworkInterfaceId": derived("eni-", &id),
                    "PrivateIp": place.map(|place| place.address(&id)),
                    "PublicIp": public_address(&id),
                    "IsPrimary": true,
                    "Status": "succeeded",
                }],
            })
        })
        .collect();
    describe(&KIND, gateways, input)
}

pub(super) fn addresses(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "Addresses",
        ids: &[("AllocationIds", "AllocationId"), ("PublicIps", "PublicIp")],
        missing: ("InvalidAllocationID.NotFound", "allocation ID"),
        filters: &[
            ("allocation-id", "AllocationId"),
            ("association-id", "AssociationId"),
            ("domain", "Domain"),
            ("network-interface-id", "NetworkInterfaceId"),
            ("private-ip-address", "PrivateIpAddress"),
            ("public-ip", "PublicIp"),
        ],
    };
    let subnets = all_subnets(world);
    let addresses = gateways(world)
        .into_iter()
        .map(|(id, subnet)| {
            let place = subnets.iter().find(|known| known.id == subnet);
            json!({
                "AllocationId": derived("eipalloc-", &id),
                "AssociationId": derived("eipassoc-", &id),
                "Domain": "vpc",
                "NetworkBorderGroup": world.options.region,
                "NetworkInterfaceId": derived("eni-", &id),
                "NetworkInterfaceOwnerId": world.options.account_id,
                "PrivateIpAddress": place.map(|place| place.address(&id)),
                "PublicIp": public_address(&id),
                "PublicIpv4Pool": "amazon",
            })
        })
        .collect();
    describe(&KIND, addresses, input)
}

pub(super) fn route_tables(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "RouteTables",
        ids: &[("RouteTableIds", "RouteTableId")],
        missing: ("InvalidRouteTableID.NotFound", "routeTable ID"),
        filters: &[
            ("association.main", "Associations.Main"),
            ("association.subnet-id", "Associations.SubnetId"),
            ("route-table-id", "RouteTableId"),
            ("route.destination-cidr-block", "Routes.DestinationCidrBlock"),
            ("route.gateway-id", "Routes.GatewayId"),
            ("route.nat-gateway-id", "Routes.NatGatewayId"),
            ("vpc-id", "VpcId"),
        ],
    };
    let facts = &world.services.facts;
    let table = |id: String, vpc: &str, routes: Vec<Value>, subnet: Option<&str>| {
        json!({
            "RouteTableId": id,
            "VpcId": vpc,
            "OwnerId": world.options.account_id,
            "Routes": routes,
            "Associations": [{
                "Main": subnet.is_none(),
                "RouteTableAssociationId": derived("rtbassoc-", &id),
                "RouteTableId": id,
                "SubnetId": subnet,
                "AssociationState": { "State": "associated" },
            }],
        })
    };
    let to = |destination: &str, through: &str, gateway: &str, origin: &str| json!({ "DestinationCidrBlock": destination, through: gateway, "Origin": origin, "State": "active" });
    let local = |block: &str| to(block, "GatewayId", "local", "CreateRouteTable");
    let main = |vpc: &str| derived("rtb-", &format!("main {vpc}"));
    let mut tables = Vec::new();
    for (_, vpc) in resources(world, "AWS::EC2::VPC") {
        let block = text(&vpc.properties, "CidrBlock").unwrap_or_default();
        tables.push(table(
            main(&vpc.physical),
            &vpc.physical,
            vec![local(block)],
            None,
        ));
        for subnet in all_subnets(world)
            .iter()
            .filter(|subnet| subnet.vpc == vpc.physical)
        {
            let mut routes = vec![local(block)];
            let s3 = json!({
                "DestinationPrefixListId": S3_PREFIXES,
                "GatewayId": facts.s3_endpoint,
                "Origin": "CreateRoute",
                "State": "active",
            });
            match (subnet.kind, facts.nat_gateways.first()) {
                ("public", _) => {
                    let gateway = derived("igw-", &vpc.physical);
                    routes.push(to("0.0.0.0/0", "GatewayId", &gateway, "CreateRoute"));
                    routes.push(s3);
                }
                ("private", Some(gateway)) => {
                    routes.push(to("0.0.0.0/0", "NatGatewayId", gateway, "CreateRoute"));
                    routes.push(s3);
                }
                _ => {}
            }
            tables.push(table(
                derived("rtb-", &subnet.id),
                &subnet.vpc,
                routes,
                Some(&subnet.id),
            ));
        }
    }
    let default = default_vpc(world);
    let out = to(
        "0.0.0.0/0",
        "GatewayId",
        &derived("igw-", &default),
        "CreateRoute",
    );
    tables.push(table(
        main(&default),
        &default,
        vec![local(DEFAULT_BLOCK), out],
        None,
    ));
    describe(&KIND, tables, input)
}
