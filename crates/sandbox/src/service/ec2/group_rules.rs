//! Security groups that somebody makes, and the rules of all of them.

use serde_json::{Value, json};

use super::machine::machines;
use super::network::{default_vpc, vpc_exists};
use super::run::tags_for;
use super::security_groups::{self, Made};
use super::{answers_dry_run, derived};
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, list, present, text, texts};
use crate::world::World;

fn no_group(id: &str) -> ApiError {
    let message = format!("The security group '{id}' does not exist");
    ApiError::client("InvalidGroup.NotFound", message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterValue", message)
}

pub(super) fn create_security_group(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "GroupName").unwrap_or_default().to_owned();
    let vpc = text(input, "VpcId").map_or_else(|| default_vpc(world), str::to_owned);
    if !vpc_exists(world, &vpc) {
        let message = format!("The vpc ID '{vpc}' does not exist");
        return Err(ApiError::client("InvalidVpcID.NotFound", message));
    }
    // EC2 API Reference, CreateSecurityGroup: up to 255 characters, and a name cannot start with `sg-`.
    if name.is_empty() || name.len() > 255 || name.starts_with("sg-") {
        return Err(invalid("Invalid security group name"));
    }
    let taken = |group: &&Made| group.name == name && group.vpc == vpc;
    if name == "default" || world.services.ec2.made_groups.iter().any(|group| taken(&group)) {
        let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
        return Err(ApiError::client("InvalidGroup.Duplicate", message));
    }
    answers_dry_run(input)?;
    let id = world.ids.ec2("sg-");
    let tags = tags_for(input, "security-group");
    world.services.ec2.made_groups.push(Made {
        id: id.clone(),
        name,
        description: text(input, "Description").unwrap_or_default().to_owned(),
        vpc,
        tags: tags.clone(),
    });
    world.services.ec2.rules.insert(id.clone(), Vec::new());
    let (region, account) = (&world.options.region, &world.options.account_id);
    let arn = format!("arn:aws:ec2:{region}:{account}:security-group/{id}");
    Ok(present(
        json!({ "GroupId": id, "SecurityGroupArn": arn, "Tags": tags }),
    ))
}

pub(super) fn delete_security_group(world: &mut World, input: &Value) -> OpResult {
    let id = text(input, "GroupId").unwrap_or_default().to_owned();
    let vpc = security_groups::vpc_of(world, &id).ok_or_else(|| no_group(&id))?;
    if id == security_groups::default_of(&vpc) {
        let message = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        return Err(ApiError::client("CannotDelete", message));
    }
    let now = world.now;
    let used = machines(world).any(|machine| machine.exists(now) && machine.groups.contains(&id));
    let made = world.services.ec2.made_groups.iter().any(|group| group.id == id);
    // What the stacks have made is in use by what else they have made.
    if used || !made {
        let message = format!("resource {id} has a dependent object");
        return Err(ApiError::client("DependencyViolation", message));
    }
    answers_dry_run(input)?;
    world.services.ec2.made_groups.retain(|group| group.id != id);
    world.services.ec2.rules.remove(&id);
    Ok(json!({ "Return": true, "GroupId": id }))
}

/// One source of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    protocol: String,
    from: Option<i64>,
    to: Option<i64>,
    /// The member that names the source in a permission, and the source.
    source: (&'static str, String),
    description: Option<String>,
}

/// The members of a permission that list sources, and what names one in each.
const SOURCES: [(&str, &str); 3] = [
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
    ("UserIdGroupPairs", "GroupId"),
];

impl Rule {
    /// Permissions, a rule for each source.
    fn all(permissions: &[Value]) -> Vec<Self> {
        let mut rules = Vec::new();
        for permission in permissions {
            for (member, name) in SOURCES {
                for source in list(permission, member) {
                    rules.push(Self {
                        protocol: text(permission, "IpProtocol").unwrap_or("-1").to_owned(),
                        from: integer(permission, "FromPort"),
                        to: integer(permission, "ToPort"),
                        source: (member, text(source, name).unwrap_or_default().to_owned()),
                        description: text(source, "Description").map(str::to_owned),
                    });
                }
            }
        }
        rules
    }

    fn is_same(&self, other: &Self) -> bool {
        let of = |rule: &Self| (rule.protocol.clone(), rule.from, rule.to, rule.source.clone());
        of(self) == of(other)
    }

    /// As DescribeSecurityGroups has it.
    fn permission(&self, world: &World) -> Value {
        let (member, source) = &self.source;
        let named = SOURCES.iter().find(|(known, _)| known == member);
        let (_, name) = named.copied().unwrap_or(SOURCES[0]);
        let mut one = json!({ name: source, "Description": self.description });
        if name == "GroupId" {
            one["UserId"] = json!(world.options.account_id);
        }
        let mut shown = json!({
            "IpProtocol": self.protocol,
            "FromPort": self.from,
            "ToPort": self.to,
            "IpRanges": [],
            "UserIdGroupPairs": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
        });
        shown[*member] = json!([one]);
        shown
    }

    fn id(&self, group: &str) -> String {
        let (protocol, source) = (&self.protocol, &self.source.1);
        derived(
            "sgr-",
            &format!("{group} {protocol} {:?} {:?} {source}", self.from, self.to),
        )
    }

    fn shown(&self, world: &World, group: &str) -> Value {
        let (member, source) = &self.source;
        let of = |wanted: &str| (*member == wanted).then_some(source);
        json!({
            "SecurityGroupRuleId": self.id(group),
            "GroupId": group,
            "GroupOwnerId": world.options.account_id,
            "IsEgress": false,
            "IpProtocol": self.protocol,
            "FromPort": self.from,
            "ToPort": self.to,
            "CidrIpv4": of("IpRanges"),
            "CidrIpv6": of("Ipv6Ranges"),
            "ReferencedGroupInfo": of("UserIdGroupPairs").map(|id| json!({ "GroupId": id })),
            "Description": self.description,
        })
    }
}

/// The group that a request is about, the rules that it has and the rules of the request.
fn asked(world: &World, input: &Value) -> Result<(String, Vec<Rule>, Vec<Rule>), ApiError> {
    let id = text(input, "GroupId").unwrap_or_default().to_owned();
    security_groups::vpc_of(world, &id).ok_or_else(|| no_group(&id))?;
    let now = Rule::all(&security_groups::incoming(world, &id));
    let mut permissions = list(input, "IpPermissions").to_vec();
    if let Some(range) = text(input, "CidrIp") {
        permissions.push(json!({
            "IpProtocol": text(input, "IpProtocol"),
            "FromPort": integer(input, "FromPort"),
            "ToPort": integer(input, "ToPort"),
            "IpRanges": [{ "CidrIp": range }],
        }));
    }
    Ok((id, now, Rule::all(&permissions)))
}

fn keep(world: &mut World, group: String, rules: &[Rule]) {
    let permissions = rules.iter().map(|rule| rule.permission(world)).collect();
    world.services.ec2.rules.insert(group, permissions);
}

pub(super) fn authorize(world: &mut World, input: &Value) -> OpResult {
    let (id, mut rules, wanted) = asked(world, input)?;
    if wanted.is_empty() {
        let message = "The request must contain the parameter ipPermissions";
        return Err(ApiError::client("MissingParameter", message));
    }
    for rule in &wanted {
        let (member, source) = &rule.source;
        if *member == "IpRanges" && !is_range(source) {
            return Err(invalid(format!("CIDR block {source} is malformed")));
        }
        if rules.iter().any(|known| known.is_same(rule)) {
            let ports = |port: Option<i64>| port.unwrap_or(-1);
            let message = format!(
                "the specified rule \"peer: {source}, {}, from port: {}, to port: {}, ALLOW\" already exists",
                rule.protocol.to_uppercase(),
                ports(rule.from),
                ports(rule.to)
            );
            return Err(ApiError::client("InvalidPermission.Duplicate", message));
        }
    }
    answers_dry_run(input)?;
    rules.extend(wanted.iter().cloned());
    keep(world, id.clone(), &rules);
    let shown: Vec<Value> = wanted.iter().map(|rule| rule.shown(world, &id)).collect();
    Ok(present(json!({ "Return": true, "SecurityGroupRules": shown })))
}

/// An IPv4 network whose host bits are zero.
fn is_range(text: &str) -> bool {
    let parsed = text.split_once('/').and_then(|(address, length)| {
        let address: std::net::Ipv4Addr = address.parse().ok()?;
        let length: u32 = length.parse().ok().filter(|length| *length <= 32)?;
        Some((u32::from(address), length))
    });
    parsed.is_some_and(|(address, length)| address.checked_shl(length).unwrap_or(0) == 0)
}

pub(super) fn revoke(world: &mut World, input: &Value) -> OpResult {
    let (id, mut rules, mut unwanted) = asked(world, input)?;
    for named in texts(input, "SecurityGroupRuleIds") {
        let found = rules.iter().find(|rule| rule.id(&id) == named);
        let found = found.ok_or_else(|| {
            let message = format!("The security group rule ID '{named}' does not exist");
            ApiError::client("InvalidSecurityGroupRuleId.NotFound", message)
        })?;
        unwanted.push(found.clone());
    }
    answers_dry_run(input)?;
    // "[Default VPC] If the values you specify do not match the existing rule's values, no error is returned, and the
    // output describes the security group rules that were not revoked" (EC2 API Reference, RevokeSecurityGroupIngress).
    let is_there = |rule: &Rule| rules.iter().any(|known| known.is_same(rule));
    let (found, unknown): (Vec<Rule>, Vec<Rule>) = unwanted.into_iter().partition(is_there);
    let default = security_groups::vpc_of(world, &id) == Some(default_vpc(world));
    if let (false, Some(_)) = (default, unknown.first()) {
        let message = "The specified rule does not exist in this security group.";
        return Err(ApiError::client("InvalidPermission.NotFound", message));
    }
    rules.retain(|rule| !found.iter().any(|gone| gone.is_same(rule)));
    keep(world, id.clone(), &rules);
    let unknown: Vec<Value> = unknown.iter().map(|rule| rule.permission(world)).collect();
    let revoked: Vec<Value> = found.iter().map(|rule| rule.shown(world, &id)).collect();
    Ok(present(json!({
        "Return": true,
        "UnknownIpPermissions": unknown,
        "RevokedSecurityGroupRules": revoked,
    })))
}
