//! The network stack: VPC, subnets of three tiers in two zones, NAT, the gateway to S3, security groups.

use serde_json::{Value, json};

use crate::build::{Resource, Template, attribute, comma_list, named, reference};
use crate::exports::{self, Export, Tier, ZONES};
use crate::names::Names;
use crate::settings::Settings;

/// The address ranges of a tier's subnets, one for each zone.
fn blocks(tier: Tier) -> [&'static str; ZONES] {
    match tier {
        Tier::Public => ["10.0.0.0/24", "10.0.1.0/24"],
        Tier::Private => ["10.0.4.0/22", "10.0.8.0/22"],
        Tier::Isolated => ["10.0.12.0/24", "10.0.13.0/24"],
    }
}

/// The security groups by their logical ids.
const SECURITY_GROUPS: [&str; 6] = [
    "SgAlb",
    "SgBackend",
    "SgFrontend",
    "SgRds",
    "SgRedis",
    "SgGpuWorkers",
];

pub(crate) fn template(settings: &Settings) -> Value {
    let names = Names::of(settings);
    let mut template = Template::new("VPC, subnets, NAT gateway and security groups");
    vpc(&mut template, names);
    for tier in Tier::ALL {
        for zone in 1..=ZONES {
            subnet(&mut template, names, tier, zone);
        }
    }
    let gateways: Vec<String> = (1..=settings.sizes.nat_gateways as usize)
        .map(|zone| nat_gateway(&mut template, names, zone))
        .collect();
    for zone in 1..=ZONES {
        // With one gateway both zones go out through it.
        let gateway = &gateways[(zone - 1) % gateways.len()];
        private_route(&mut template, zone, gateway);
    }
    s3_endpoint(&mut template);
    security_groups(&mut template, names);
    outputs(&mut template, names, &gateways);
    template.finish()
}

fn vpc(template: &mut Template, names: Names<'_>) {
    template.add(
        "Vpc",
        Resource::new(
            "AWS::EC2::VPC",
            json!({
                "CidrBlock": "10.0.0.0/16",
                "EnableDnsHostnames": true,
                "EnableDnsSupport": true,
                "Tags": named(&names.core("vpc")),
            }),
        ),
    );
    template.add(
        "VpcIGW",
        Resource::new(
            "AWS::EC2::InternetGateway",
            json!({ "Tags": named(&names.core("vpc")) }),
        ),
    );
    template.add(
        "VpcGatewayAttachment",
        Resource::new(
            "AWS::EC2::VPCGatewayAttachment",
            json!({ "VpcId": reference("Vpc"), "InternetGatewayId": reference("VpcIGW") }),
        ),
    );
}

/// A subnet with a route table of its own; the public ones lead to the internet.
fn subnet(template: &mut Template, names: Names<'_>, tier: Tier, zone: usize) {
    let logical = tier.subnet(zone);
    let name = named(&names.core(&format!("{}-{zone}", tier.as_str())));
    template.add(
        &logical,
        Resource::new(
            "AWS::EC2::Subnet",
            json!({
                "AvailabilityZone": { "Fn::Select": [zone - 1, { "Fn::GetAZs": "" }] },
                "CidrBlock": blocks(tier)[zone - 1],
                "MapPublicIpOnLaunch": tier == Tier::Public,
                "VpcId": reference("Vpc"),
                "Tags": name.clone(),
            }),
        ),
    );
    let table = route_table(tier, zone);
    template.add(
        &table,
        Resource::new(
            "AWS::EC2::RouteTable",
            json!({ "VpcId": reference("Vpc"), "Tags": name }),
        ),
    );
    template.add(
        &format!("{logical}RouteTableAssociation"),
        Resource::new(
            "AWS::EC2::SubnetRouteTableAssociation",
            json!({ "RouteTableId": reference(&table), "SubnetId": reference(&logical) }),
        ),
    );
    if tier == Tier::Public {
        template.add(
            &format!("{logical}DefaultRoute"),
            Resource::new(
                "AWS::EC2::Route",
                json!({
                    "RouteTableId": reference(&table),
                    "DestinationCidrBlock": "0.0.0.0/0",
                    "GatewayId": reference("VpcIGW"),
                }),
            )
            .after(&["VpcGatewayAttachment"]),
        );
    }
}

fn route_table(tier: Tier, zone: usize) -> String {
    format!("{}RouteTable", tier.subnet(zone))
}

/// A NAT gateway in the public subnet of a zone; returns its logical id.
fn nat_gateway(template: &mut Template, names: Names<'_>, zone: usize) -> String {
    let subnet = Tier::Public.subnet(zone);
    let (address, logical) = (format!("{subnet}EIP"), format!("{subnet}NATGateway"));
    let name = named(&names.core(&format!("nat-{zone}")));
    template.add(
        &address,
        Resource::new("AWS::EC2::EIP", json!({ "Domain": "vpc", "Tags": name.clone() }))
            .after(&["VpcGatewayAttachment"]),
    );
    template.add(
        &logical,
        Resource::new(
            "AWS::EC2::NatGateway",
            json!({
                "AllocationId": attribute(&address, "AllocationId"),
                "SubnetId": reference(&subnet),
                "Tags": name,
            }),
        )
        .after(&[&format!("{subnet}DefaultRoute")]),
    );
    logical
}

fn private_route(template: &mut Template, zone: usize, gateway: &str) {
    template.add(
        &format!("{}DefaultRoute", Tier::Private.subnet(zone)),
        Resource::new(
            "AWS::EC2::Route",
            json!({
                "RouteTableId": reference(&route_table(Tier::Private, zone)),
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": reference(gateway),
            }),
        ),
    );
}

/// Traffic to S3 stays inside AWS and costs nothing at the NAT gateway.
fn s3_endpoint(template: &mut Template) {
    let tables: Vec<Value> = Tier::ALL
        .into_iter()
        .flat_map(|tier| (1..=ZONES).map(move |zone| reference(&route_table(tier, zone))))
        .collect();
    template.add(
        "VpcS3Endpoint",
        Resource::new(
            "AWS::EC2::VPCEndpoint",
            json!({
                "ServiceName": { "Fn::Sub": "com.amazonaws.${AWS::Region}.s3" },
                "VpcEndpointType": "Gateway",
                "VpcId": reference("Vpc"),
                "RouteTableIds": tables,
            }),
        ),
    );
}

/// Who may call whom. Everybody may call out, but GPU workers only to web servers.
fn security_groups(template: &mut Template, names: Names<'_>) {
    let anyone = |port: u16| rule(port, "CidrIp", json!("0.0.0.0/0"));
    let from = |port: u16, group: &str| rule(port, "SourceSecurityGroupId", attribute(group, "GroupId"));
    let out = json!([{ "CidrIp": "0.0.0.0/0", "IpProtocol": "-1" }]);
    let web = json!([anyone(80), anyone(443)]);
    let rules: [(&str, &str, Value, Value); 6] = [
        ("alb", "Load balancer", web.clone(), out.clone()),
        (
            "backend",
            "Backend tasks",
            json!([from(80, "SgAlb")]),
            out.clone(),
        ),
        (
            "frontend",
            "Frontend tasks",
            json!([from(3000, "SgAlb")]),
            out.clone(),
        ),
        ("rds", "Database", json!([from(3306, "SgBackend")]), out.clone()),
        ("redis", "Redis", json!([from(6379, "SgBackend")]), out),
        ("gpu-workers", "GPU workers", json!([]), web),
    ];
    for (logical, (name, description, ingress, egress)) in SECURITY_GROUPS.into_iter().zip(rules) {
        let mut properties = json!({
            "GroupDescription": description,
            "SecurityGroupEgress": egress,
            "VpcId": reference("Vpc"),
            "Tags": named(&names.core(name)),
        });
        if ingress != json!([]) {
            properties["SecurityGroupIngress"] = ingress;
        }
        template.add(logical, Resource::new("AWS::EC2::SecurityGroup", properties));
    }
}

fn rule(port: u16, source: &str, from: Value) -> Value {
    json!({ "FromPort": port, "ToPort": port, "IpProtocol": "tcp", source: from })
}

fn outputs(template: &mut Template, names: Names<'_>, gateways: &[String]) {
    let private: Vec<Value> = (1..=ZONES)
        .map(|zone| reference(&Tier::Private.subnet(zone)))
        .collect();
    let gateways: Vec<Value> = gateways.iter().map(|gateway| reference(gateway)).collect();
    template.output("VpcId", reference("Vpc"));
    template.output("PrivateSubnets", comma_list(&private));
    template.output("NatGatewayIds", comma_list(&gateways));
    exports::vpc(names).put(template);
    for tier in Tier::ALL {
        exports::subnets(names, tier)
            .iter()
            .for_each(|export: &Export| export.put(template));
    }
    for group in SECURITY_GROUPS {
        exports::security_group(names, group).put(template);
    }
    exports::nat_gateway(names).put(template);
}
