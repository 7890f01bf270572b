//! Security groups: those of the network stack with the rules that they have now, and the default ones.

use serde_json::{Value, json};

use super::describe::{Kind, describe};
use super::network::default_vpc;
use super::{derived, resources, stack_tags};
use crate::error::OpResult;
use crate::scenario::{Scenario, in_force};
use crate::service::member::{integer, list, text};
use crate::world::World;

pub(super) fn security_groups(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "SecurityGroups",
        ids: &[("GroupIds", "GroupId"), ("GroupNames", "GroupName")],
        missing: ("InvalidGroup.NotFound", "security group"),
        filters: &[
            ("description", "Description"),
            ("egress.ip-permission.cidr", "IpPermissionsEgress.IpRanges.CidrIp"),
            ("group-id", "GroupId"),
            ("group-name", "GroupName"),
            ("ip-permission.cidr", "IpPermissions.IpRanges.CidrIp"),
            ("ip-permission.from-port", "IpPermissions.FromPort"),
            ("ip-permission.group-id", "IpPermissions.UserIdGroupPairs.GroupId"),
            ("ip-permission.protocol", "IpPermissions.IpProtocol"),
            ("ip-permission.to-port", "IpPermissions.ToPort"),
            ("owner-id", "OwnerId"),
            ("vpc-id", "VpcId"),
        ],
    };
    describe(&KIND, all(world), input)
}

/// A security group that somebody has made by hand.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) vpc: String,
    pub(super) tags: Vec<Value>,
}

/// The id of the group that a VPC comes with.
pub(super) fn default_of(vpc: &str) -> String {
    derived("sg-", &format!("default {vpc}"))
}

/// The VPC of a group; `None` for a group that does not exist.
pub(super) fn vpc_of(world: &World, id: &str) -> Option<String> {
    let found = all(world).into_iter().find(|group| group["GroupId"] == *id);
    found.and_then(|group| text(&group, "VpcId").map(str::to_owned))
}

/// The rules for incoming traffic of a group, as the API shows them.
pub(super) fn incoming(world: &World, id: &str) -> Vec<Value> {
    let found = all(world).into_iter().find(|group| group["GroupId"] == *id);
    found.map_or_else(Vec::new, |group| list(&group, "IpPermissions").to_vec())
}

/// Every security group of the region.
fn all(world: &World) -> Vec<Value> {
    let everywhere = json!([{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }]);
    let of = |rules: &Value| permissions(world, rules.as_array().map_or(&[], Vec::as_slice));
    let mut groups: Vec<Value> = resources(world, "AWS::EC2::SecurityGroup")
        .map(|(stack, made)| {
            let properties = &made.properties;
            let suffix = derived("", &made.physical).to_uppercase();
            let group = Group {
                id: &made.physical,
                name: &format!(
                    "{stack}-{}-{}",
                    made.logical,
                    suffix.get(..12).unwrap_or_default()
                ),
                description: &format!("{stack}/{}", made.logical),
                vpc: text(properties, "VpcId").unwrap_or_default(),
            };
            let incoming = ingress(world, &made.physical, list(properties, "SecurityGroupIngress"));
            let outgoing = list(properties, "SecurityGroupEgress");
            group.shown(
                world,
                permissions(world, &incoming),
                permissions(world, outgoing),
                stack_tags(stack, &made.logical, &format!("{stack}/{}", made.logical)),
            )
        })
        .collect();
    let vpcs = resources(world, "AWS::EC2::VPC").map(|(_, vpc)| vpc.physical.clone());
    for vpc in vpcs.chain([default_vpc(world)]) {
        let id = default_of(&vpc);
        let group = Group {
            id: &id,
            name: "default",
            description: "default VPC security group",
            vpc: &vpc,
        };
        let itself = json!([{ "IpProtocol": "-1", "SourceSecurityGroupId": id }]);
        groups.push(group.shown(world, of(&itself), of(&everywhere), Vec::new()));
    }
    for made in &world.services.ec2.made_groups {
        let group = Group {
            id: &made.id,
            name: &made.name,
            description: &made.description,
            vpc: &made.vpc,
        };
        groups.push(group.shown(world, json!([]), of(&everywhere), made.tags.clone()));
    }
    groups
}

/// The rules for incoming traffic as they are: an operator may have taken one away since the stack was deployed.
pub(crate) fn ingress(world: &World, group: &str, deployed: &[Value]) -> Vec<Value> {
    if group == world.services.facts.database_security_group && in_force(world, Scenario::RdsRefused) {
        return Vec::new();
    }
    let mut rules = deployed.to_vec();
    // The load balancer is the only one that everybody reaches.
    let is_open = deployed
        .iter()
        .any(|rule| text(rule, "CidrIp") == Some("0.0.0.0/0"));
    if is_open && in_force(world, Scenario::Drifted) {
        rules.push(json!({
            "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0",
            "Description": "for now",
        }));
    }
    rules
}

struct Group<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    vpc: &'a str,
}

impl Group<'_> {
    fn shown(&self, world: &World, incoming: Value, outgoing: Value, tags: Vec<Value>) -> Value {
        let (region, account) = (&world.options.region, &world.options.account_id);
        let changed = world.services.ec2.rules.get(self.id);
        let incoming = changed.map_or(incoming, |rules| rules.clone().into());
        json!({
            "GroupId": self.id,
            "GroupName": self.name,
            "Description": self.description,
            "VpcId": self.vpc,
            "OwnerId": account,
            "SecurityGroupArn": format!("arn:aws:ec2:{region}:{account}:security-group/{}", self.id),
            "IpPermissions": incoming,
            "IpPermissionsEgress": outgoing,
            "Tags": tags,
        })
    }
}

/// Rules as templates have them in the form in which the API shows them.
fn permissions(world: &World, rules: &[Value]) -> Value {
    rules
        .iter()
        .map(|rule| {
            let ranges: Vec<Value> = text(rule, "CidrIp")
                .map(|range| json!({ "CidrIp": range }))
                .into_iter()
                .collect();
            let pairs: Vec<Value> = text(rule, "SourceSecurityGroupId")
                .map(|group| json!({ "GroupId": group, "UserId": world.options.account_id }))
                .into_iter()
                .collect();
            json!({
                "IpProtocol": text(rule, "IpProtocol"),
                "FromPort": integer(rule, "FromPort"),
                "ToPort": integer(rule, "ToPort"),
                "IpRanges": ranges,
                "UserIdGroupPairs": pairs,
                "Ipv6Ranges": [],
                "PrefixListIds": [],
            })
        })
        .collect()
}
