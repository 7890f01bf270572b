//! Security groups of instances that are started one by one, and the network that those stand in.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, SecurityGroup as SdkGroup,
    UserIdGroupPair,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::super::pages::Pages;
use super::run::tagged;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// A rule for incoming traffic with everything that it lets in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ingress {
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub(crate) protocol: String,
    pub(crate) from_port: Option<i32>,
    pub(crate) to_port: Option<i32>,
    pub(crate) cidrs: Vec<String>,
    pub(crate) cidrs_v6: Vec<String>,
    /// Ids of security groups.
    pub(crate) groups: Vec<String>,
    pub(crate) prefix_lists: Vec<String>,
}

impl Ingress {
    fn of(permission: &IpPermission) -> Self {
        let texts = |all: Vec<Option<&str>>| all.into_iter().flatten().map(str::to_owned).collect();
        Self {
            protocol: permission.ip_protocol().unwrap_or("-1").to_owned(),
            from_port: permission.from_port(),
            to_port: permission.to_port(),
            cidrs: texts(permission.ip_ranges().iter().map(|one| one.cidr_ip()).collect()),
            cidrs_v6: texts(
                permission
                    .ipv6_ranges()
                    .iter()
                    .map(|one| one.cidr_ipv6())
                    .collect(),
            ),
            groups: texts(
                permission
                    .user_id_group_pairs()
                    .iter()
                    .map(|one| one.group_id())
                    .collect(),
            ),
            prefix_lists: texts(
                permission
                    .prefix_list_ids()
                    .iter()
                    .map(|one| one.prefix_list_id())
                    .collect(),
            ),
        }
    }

    /// One port over TCP for one range of addresses.
    pub(crate) fn tcp(port: u16, cidr: &str) -> Self {
        Self {
            protocol: "tcp".to_owned(),
            from_port: Some(port.into()),
            to_port: Some(port.into()),
            cidrs: vec![cidr.to_owned()],
            cidrs_v6: Vec::new(),
            groups: Vec::new(),
            prefix_lists: Vec::new(),
        }
    }

    /// Everything that it lets in, e.g. `tcp 8188 from 203.0.113.0/24`.
    pub(crate) fn told(&self) -> String {
        let ports = match (self.from_port, self.to_port) {
            (Some(from), Some(to)) if from == to => format!(" {from}"),
            (Some(from), Some(to)) => format!(" {from}-{to}"),
            (Some(_), None) | (None, Some(_) | None) => String::new(),
        };
        let protocol = if self.protocol == "-1" {
            "all traffic"
        } else {
            &self.protocol
        };
        let sources = [&self.cidrs, &self.cidrs_v6, &self.groups, &self.prefix_lists];
        let sources: Vec<&str> = sources.into_iter().flatten().map(String::as_str).collect();
        format!("{protocol}{ports} from {}", sources.join(", "))
    }

    fn parameter(&self) -> Value {
        let each = |name: &str, values: &[String]| -> Value {
            values.iter().map(|value| json!({ name: value })).collect()
        };
        let mut members = parameters([("IpProtocol", self.protocol.as_str().into())]);
        for (name, port) in [("FromPort", self.from_port), ("ToPort", self.to_port)] {
            if let Some(port) = port {
                members.insert(name.to_owned(), port.into());
            }
        }
        for (name, member, values) in [
            ("IpRanges", "CidrIp", &self.cidrs),
            ("Ipv6Ranges", "CidrIpv6", &self.cidrs_v6),
            ("UserIdGroupPairs", "GroupId", &self.groups),
            ("PrefixListIds", "PrefixListId", &self.prefix_lists),
        ] {
            if !values.is_empty() {
                members.insert(name.to_owned(), each(member, values));
            }
        }
        Value::Object(members)
    }

    fn sdk(&self) -> IpPermission {
        let ranges = self
            .cidrs
            .iter()
            .map(|cidr| IpRange::builder().cidr_ip(cidr).build());
        let ranges_v6 = self.cidrs_v6.iter();
        let ranges_v6 = ranges_v6.map(|cidr| Ipv6Range::builder().cidr_ipv6(cidr).build());
        let groups = self.groups.iter();
        let groups = groups.map(|id| UserIdGroupPair::builder().group_id(id).build());
        let lists = self.prefix_lists.iter();
        let lists = lists.map(|id| PrefixListId::builder().prefix_list_id(id).build());
        IpPermission::builder()
            .ip_protocol(&self.protocol)
            .set_from_port(self.from_port)
            .set_to_port(self.to_port)
            .set_ip_ranges(listed(ranges))
            .set_ipv6_ranges(listed(ranges_v6))
            .set_user_id_group_pairs(listed(groups))
            .set_prefix_list_ids(listed(lists))
            .build()
    }
}

/// An empty list is a parameter that is not sent.
fn listed<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect();
    (!items.is_empty()).then_some(items)
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) vpc: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) ingress: Vec<Ingress>,
}

impl SecurityGroup {
    fn of(group: &SdkGroup) -> Result<Self> {
        const REQUEST: &str = "DescribeSecurityGroups";
        let tags = group.tags().iter();
        Ok(Self {
            id: group.group_id().required(REQUEST, "GroupId")?.to_owned(),
            name: group.group_name().required(REQUEST, "GroupName")?.to_owned(),
            vpc: group.vpc_id().map(str::to_owned),
            tags: tags
                .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
                .collect(),
            ingress: group.ip_permissions().iter().map(Ingress::of).collect(),
        })
    }
}

/// A subnet in which instances can be started without a network of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DefaultSubnet {
    pub(crate) id: String,
    pub(crate) vpc: String,
    pub(crate) zone: String,
}

fn filter(name: &str, values: &[&str]) -> Filter {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

impl Aws {
    /// The subnets that the region's default VPC has for its zones, in the order of the zones; none where there is no
    /// default VPC.
    pub(crate) async fn default_subnets(&self) -> Result<Vec<DefaultSubnet>> {
        const REQUEST: &str = "DescribeSubnets";
        let call = self.ec2_client().await?.describe_subnets();
        let stream = call
            .filters(filter("default-for-az", &["true"]))
            .into_paginator()
            .send();
        let found = Pages::new("find the subnets of the default VPC", stream)
            .all()
            .await?;
        let mut subnets = Vec::new();
        for subnet in found {
            subnets.push(DefaultSubnet {
                id: subnet.subnet_id().required(REQUEST, "SubnetId")?.to_owned(),
                vpc: subnet.vpc_id().required(REQUEST, "VpcId")?.to_owned(),
                zone: subnet
                    .availability_zone()
                    .required(REQUEST, "AvailabilityZone")?
                    .to_owned(),
            });
        }
        subnets.sort_by(|one, other| one.zone.cmp(&other.zone));
        Ok(subnets)
    }

    /// The security groups with all of these filters, e.g. `tag:ManagedBy` and its values.
    pub(crate) async fn security_groups(&self, filters: &[(&str, &[&str])]) -> Result<Vec<SecurityGroup>> {
        let filters = filters
            .iter()
            .map(|(name, values)| filter(name, values))
            .collect();
        let call = self.ec2_client().await?.describe_security_groups();
        let stream = call.set_filters(Some(filters)).into_paginator().send();
        let found = Pages::new("find security groups", stream).all().await?;
        found.iter().map(SecurityGroup::of).collect()
    }

    /// How many network interfaces a security group is on.
    pub(crate) async fn interfaces_with(&self, group: &str) -> Result<usize> {
        let call = self.ec2_client().await?.describe_network_interfaces();
        let stream = call.filters(filter("group-id", &[group])).into_paginator().send();
        let doing = format!("find what uses the security group `{group}`");
        Ok(Pages::new(doing, stream).all().await?.len())
    }
}

/// Makes a security group that lets nothing in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreateSecurityGroup {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) vpc: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) resource: String,
}

impl Call for CreateSecurityGroup {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "CreateSecurityGroup";
    /// A name is taken once in a VPC.
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["GroupName"];
    type Via = Aws;
    /// Its id.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        let tags: Vec<Value> = self
            .tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        parameters([
            ("GroupName", self.name.as_str().into()),
            ("Description", self.description.as_str().into()),
            ("VpcId", self.vpc.as_str().into()),
            (
                "TagSpecifications",
                json!([{"ResourceType": "security-group", "Tags": tags}]),
            ),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let answer = aws
            .ec2_client()
            .await?
            .create_security_group()
            .group_name(&self.name)
            .description(&self.description)
            .vpc_id(&self.vpc)
            .tag_specifications(tagged(ResourceType::SecurityGroup, &self.tags))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("make the security group `{}`", self.name), &error))?;
        Ok(answer.group_id().required(Self::OPERATION, "GroupId")?.to_owned())
    }
}

/// Lets traffic into a security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorizeIngress {
    pub(crate) group: Later,
    pub(crate) rules: Vec<Ingress>,
    pub(crate) resource: String,
}

/// Takes rules of a security group away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RevokeIngress {
    pub(crate) group: Later,
    pub(crate) rules: Vec<Ingress>,
    pub(crate) resource: String,
}

/// Parameters, requests and answers of the two are alike; [`Call`] has one operation for each type.
macro_rules! ingress {
    ($call:ident, $operation:literal, $repeated:ident, $method:ident, $doing:literal) => {
        impl Call for $call {
            const SERVICE: &'static str = "ec2";
            const OPERATION: &'static str = $operation;
            const REPEATED: Repeated = Repeated::$repeated;
            type Via = Aws;
            type Answer = ();

            fn parameters(&self) -> Map<String, Value> {
                let rules: Vec<Value> = self.rules.iter().map(Ingress::parameter).collect();
                parameters([
                    ("GroupId", self.group.parameter()),
                    ("IpPermissions", rules.into()),
                ])
            }

            fn resource(&self) -> String {
                self.resource.clone()
            }

            async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
                let id = self.group.known()?;
                aws.ec2_client()
                    .await?
                    .$method()
                    .group_id(id)
                    .set_ip_permissions(Some(self.rules.iter().map(Ingress::sdk).collect()))
                    .customize()
                    .interceptor(ShowPermit::new(permit))
                    .send()
                    .await
                    .map_err(|error| from_sdk(format!(concat!($doing, " `{}`"), id), &error))?;
                Ok(())
            }
        }
    };
}

// A rule that is there is refused a second time; one that is gone stays gone.
ingress!(
    AuthorizeIngress,
    "AuthorizeSecurityGroupIngress",
    Recognised,
    authorize_security_group_ingress,
    "let traffic into the security group"
);
ingress!(
    RevokeIngress,
    "RevokeSecurityGroupIngress",
    Harmless,
    revoke_security_group_ingress,
    "close the security group"
);

/// Deletes a security group that nothing uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteSecurityGroup {
    pub(crate) group: String,
    pub(crate) resource: String,
}

impl Call for DeleteSecurityGroup {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "DeleteSecurityGroup";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([("GroupId", self.group.as_str().into())])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.ec2_client()
            .await?
            .delete_security_group()
            .group_id(&self.group)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("delete the security group `{}`", self.group), &error))?;
        Ok(())
    }
}
