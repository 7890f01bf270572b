//! RunInstances, StopInstances and TerminateInstances.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::machine::{Machine, TERMINATED, Volume, machines};
use super::network::{all_subnets, default_vpc};
use super::{answers_dry_run, instances, security_groups, types};
use crate::error::{ApiError, OpResult};
use crate::service::autoscaling::{self, LifecycleState};
use crate::service::member::{flag, integer, list, present, text, texts};
use crate::service::ssm;
use crate::time::SimTime;
use crate::world::World;

/// Bytes of user data before they are encoded (EC2 User Guide, "Run commands when you launch an EC2 instance").
const LONGEST_USER_DATA: usize = 16 * 1024;

/// Characters of a client token (EC2 API Reference, RunInstances).
const LONGEST_TOKEN: usize = 64;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterValue", message)
}

pub(super) fn run_instances(world: &mut World, input: &Value) -> OpResult {
    let request = Request::of(world, input)?;
    if let Some(token) = &request.token {
        let same = |machine: &&Machine| machine.token.as_ref() == Some(token);
        if let Some(earlier) = machines(world).find(same) {
            if earlier.asked != *input {
                return Err(ApiError::client(
                    "IdempotentParameterMismatch",
                    "Arguments on this idempotent request are inconsistent with arguments used in previous \
                     request(s).",
                ));
            }
            let reservation = earlier.reservation.clone();
            return Ok(shown(world, &reservation));
        }
    }
    answers_dry_run(input)?;
    let reservation = world.ids.ec2("r-");
    for index in 0..request.count {
        let machine = request.machine(world.ids.ec2("i-"), &reservation, index, world.now, input);
        world.services.ec2.machines.push(machine);
    }
    Ok(shown(world, &reservation))
}

fn shown(world: &World, reservation: &str) -> Value {
    let of = machines(world).filter(|machine| machine.reservation == reservation);
    let instances: Vec<Value> = of
        .map(|machine| instances::shown_machine(world, machine))
        .collect();
    present(json!({
        "ReservationId": reservation,
        "OwnerId": world.options.account_id,
        "Groups": [],
        "Instances": instances,
    }))
}

/// A request that AWS would carry out.
struct Request {
    count: usize,
    image: String,
    kind: String,
    profile: Option<String>,
    subnet: String,
    public: bool,
    groups: Vec<String>,
    key: Option<String>,
    volume: Volume,
    metadata: Value,
    tags: Vec<Value>,
    ends: bool,
    token: Option<String>,
    /// How long after the start the user data shut it down.
    halts: Option<Duration>,
}

impl Request {
    fn of(world: &World, input: &Value) -> Result<Self, ApiError> {
        let token = text(input, "ClientToken").map(str::to_owned);
        if token.as_ref().is_some_and(|token| token.len() > LONGEST_TOKEN) {
            return Err(invalid("The client token is longer than 64 characters."));
        }
        let (least, most) = (integer(input, "MinCount"), integer(input, "MaxCount"));
        let count = most.filter(|most| *most >= 1 && least.is_some_and(|least| (1..=*most).contains(&least)));
        let count = count.ok_or_else(|| {
            invalid("Value for parameter minCount is invalid: it must be between 1 and maxCount")
        })?;
        let image = image(world, input)?;
        let kind = text(input, "InstanceType").unwrap_or("m1.small").to_owned();
        if !types::is_known(&kind) {
            return Err(invalid(format!("Invalid value '{kind}' for InstanceType.")));
        }
        let (subnet, public, groups) = place(world, input)?;
        let options = &input["MetadataOptions"];
        Ok(Self {
            count: usize::try_from(count).unwrap_or(1),
            image,
            kind,
            profile: profile(world, &input["IamInstanceProfile"])?,
            subnet,
            public,
            groups,
            key: text(input, "KeyName").map(str::to_owned),
            volume: volume(input),
            metadata: json!({
                "State": "applied",
                "HttpEndpoint": text(options, "HttpEndpoint").unwrap_or("enabled"),
                "HttpTokens": text(options, "HttpTokens").unwrap_or("optional"),
                "HttpPutResponseHopLimit": integer(options, "HttpPutResponseHopLimit").unwrap_or(1),
            }),
            tags: tags_for(input, "instance"),
            ends: text(input, "InstanceInitiatedShutdownBehavior") == Some("terminate"),
            token,
            halts: user_data(input)?.as_deref().and_then(shutdown),
        })
    }

    fn machine(&self, id: String, reservation: &str, index: usize, now: SimTime, asked: &Value) -> Machine {
        Machine {
            id,
            reservation: reservation.to_owned(),
            index,
            image: self.image.clone(),
            kind: self.kind.clone(),
            profile: self.profile.clone(),
            subnet: self.subnet.clone(),
            public: self.public,
            groups: self.groups.clone(),
            key: self.key.clone(),
            volume: self.volume.clone(),
            metadata: self.metadata.clone(),
            tags: self.tags.clone(),
            ends: self.ends,
            token: self.token.clone(),
            asked: asked.clone(),
            launched: now,
            halts: self.halts.map(|after| now + after),
            stopped: None,
            terminated: None,
        }
    }
}

/// The tags that a request gives to things of one kind.
pub(super) fn tags_for(input: &Value, kind: &str) -> Vec<Value> {
    let for_kind = |one: &&Value| text(one, "ResourceType") == Some(kind);
    let specifications = list(input, "TagSpecifications").iter().filter(for_kind);
    specifications
        .flat_map(|one| list(one, "Tags").iter().cloned())
        .collect()
}

/// The image, named by its id or by the parameter that points to it.
fn image(world: &World, input: &Value) -> Result<String, ApiError> {
    let Some(named) = text(input, "ImageId") else {
        return Err(ApiError::client(
            "MissingParameter",
            "The request must contain the parameter ImageId",
        ));
    };
    let pointed = named.strip_prefix("resolve:ssm:").map(|name| {
        ssm::value(world, name).map_or_else(
            || {
                Err(invalid(format!(
                    "The Systems Manager parameter '{name}' does not exist."
                )))
            },
            |parameter| Ok(parameter.value().to_owned()),
        )
    });
    let id = pointed.transpose()?.unwrap_or_else(|| named.to_owned());
    if !ssm::is_ami(&id) {
        let message = format!("Invalid id: \"{id}\" (expecting \"ami-...\")");
        return Err(ApiError::client("InvalidAMIID.Malformed", message));
    }
    if !super::images::exists(world, &id) {
        let message = format!("The image id '[{id}]' does not exist");
        return Err(ApiError::client("InvalidAMIID.NotFound", message));
    }
    Ok(id)
}

/// The ARN of the instance profile that is asked for.
fn profile(world: &World, asked: &Value) -> Result<Option<String>, ApiError> {
    let account = &world.options.account_id;
    let arn = text(asked, "Arn").map(str::to_owned);
    let named = text(asked, "Name").map(|name| format!("arn:aws:iam::{account}:instance-profile/{name}"));
    let Some(arn) = arn.or(named) else {
        return Ok(None);
    };
    let name = arn.rsplit('/').next().unwrap_or_default();
    if name == world.services.facts.packer_profile || name.starts_with("bp-comfyui-dev-") {
        return Ok(Some(arn));
    }
    Err(invalid(format!(
        "Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
    )))
}

/// Subnet, whether there is a public address, and the security groups.
fn place(world: &World, input: &Value) -> Result<(String, bool, Vec<String>), ApiError> {
    let interface = list(input, "NetworkInterfaces").first();
    let at_the_instance = text(input, "SubnetId").is_some() || !texts(input, "SecurityGroupIds").is_empty();
    if interface.is_some() && at_the_instance {
        return Err(ApiError::client(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same \
             request",
        ));
    }
    let (holder, groups) = match interface {
        Some(interface) => (interface, texts(interface, "Groups")),
        None => (input, texts(input, "SecurityGroupIds")),
    };
    let subnets = all_subnets(world);
    // Without a subnet it is one of the default VPC (EC2 API Reference, RunInstances).
    let found = match text(holder, "SubnetId") {
        Some(id) => subnets.iter().find(|subnet| subnet.id == id).ok_or_else(|| {
            let message = format!("The subnet ID '{id}' does not exist");
            ApiError::client("InvalidSubnetID.NotFound", message)
        })?,
        None => subnets
            .iter()
            .find(|subnet| subnet.vpc == default_vpc(world))
            .ok_or_else(|| ApiError::client("VPCIdNotSpecified", "No default VPC for this user."))?,
    };
    for group in &groups {
        let vpc = security_groups::vpc_of(world, group).ok_or_else(|| {
            let message = format!("The security group '{group}' does not exist");
            ApiError::client("InvalidGroup.NotFound", message)
        })?;
        if vpc != found.vpc {
            let message = format!(
                "Security group {group} and subnet {} belong to different networks.",
                found.id
            );
            return Err(ApiError::client("InvalidParameter", message));
        }
    }
    let groups = match groups.is_empty() {
        true => vec![security_groups::default_of(&found.vpc)],
        false => groups,
    };
    let given = interface.and_then(|interface| flag(interface, "AssociatePublicIpAddress"));
    let public = given.unwrap_or(matches!(found.kind, "public" | "default"));
    Ok((found.id.clone(), public, groups))
}

/// The root volume: what the image has, unless the request says otherwise.
fn volume(input: &Value) -> Volume {
    let asked = list(input, "BlockDeviceMappings").first();
    let volume = asked.map_or(&Value::Null, |mapping| &mapping["Ebs"]);
    let device = asked.and_then(|mapping| text(mapping, "DeviceName"));
    Volume {
        device: device.unwrap_or("/dev/sda1").to_owned(),
        size: integer(volume, "VolumeSize").unwrap_or(100),
        kind: text(volume, "VolumeType").unwrap_or("gp3").to_owned(),
        encrypted: flag(volume, "Encrypted").unwrap_or(false),
    }
}

fn user_data(input: &Value) -> Result<Option<String>, ApiError> {
    let Some(encoded) = text(input, "UserData") else {
        return Ok(None);
    };
    let bytes = STANDARD.decode(encoded).map_err(|_| {
        ApiError::client(
            "InvalidUserData.Malformed",
            "Invalid BASE64 encoding of user data.",
        )
    })?;
    if bytes.len() > LONGEST_USER_DATA {
        return Err(invalid("User data is limited to 16384 bytes"));
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// After how long a script powers the machine off: `shutdown -h +<minutes>`.
fn shutdown(script: &str) -> Option<Duration> {
    let (_, rest) = script.split_once("shutdown -h +")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(Duration::from_secs(60 * digits.parse::<u64>().ok()?))
}

/// The id of an instance that a request names, and what becomes of it.
enum Named {
    Machine(usize),
    /// An instance of the group of this name.
    Member(String),
}

fn named(world: &World, input: &Value) -> Result<Vec<(String, Named)>, ApiError> {
    let now = world.now;
    let one = |id: String| {
        let all = &world.services.ec2.machines;
        let found = all
            .iter()
            .position(|machine| machine.id == id && !machine.is_forgotten(now));
        let member = || {
            let mut groups = autoscaling::groups(world);
            let group = groups.find(|group| group.instances().iter().any(|instance| instance.id == id));
            group.map(|group| Named::Member(group.spec().name.clone()))
        };
        match found.map(Named::Machine).or_else(member) {
            Some(named) => Ok((id, named)),
            None => Err(ApiError::client(
                "InvalidInstanceID.NotFound",
                format!("The instance ID '{id}' does not exist"),
            )),
        }
    };
    let found: Result<Vec<_>, _> = texts(input, "InstanceIds").into_iter().map(one).collect();
    let found = found?;
    answers_dry_run(input)?;
    Ok(found)
}

fn changed(id: &str, before: super::machine::State, after: super::machine::State) -> Value {
    let state = |(code, name): super::machine::State| json!({ "Code": code, "Name": name });
    json!({ "InstanceId": id, "PreviousState": state(before), "CurrentState": state(after) })
}

pub(super) fn stop_instances(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let named = named(world, input)?;
    for (id, one) in &named {
        let Named::Machine(at) = one else {
            let message = format!(
                "You can't stop the Spot Instance '{id}' because it is associated with a one-time Spot Instance \
                 request. You can only stop Spot Instances associated with persistent Spot Instance requests."
            );
            return Err(ApiError::client("UnsupportedOperation", message));
        };
        let (_, state) = world.services.ec2.machines[*at].state(now);
        if matches!(state, "pending" | "shutting-down" | "terminated") {
            let message = format!("This instance '{id}' is not in a state from which it can be stopped.");
            return Err(ApiError::client("IncorrectInstanceState", message));
        }
    }
    let mut answer = Vec::new();
    for (id, one) in named {
        if let Named::Machine(at) = one {
            let machine = &mut world.services.ec2.machines[at];
            let before = machine.state(now);
            if before.1 == "running" {
                machine.stopped = Some(now);
            }
            answer.push(changed(&id, before, machine.state(now)));
        }
    }
    Ok(json!({ "StoppingInstances": answer }))
}

pub(super) fn terminate_instances(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let named = named(world, input)?;
    let mut answer = Vec::new();
    for (id, one) in named {
        match one {
            Named::Machine(at) => {
                let machine = &mut world.services.ec2.machines[at];
                let before = machine.state(now);
                if before != TERMINATED && before.1 != "shutting-down" {
                    machine.terminated = Some(now);
                }
                answer.push(changed(&id, before, machine.state(now)));
            }
            // The group finds it gone, and replaces it.
            Named::Member(group) => {
                let before = autoscaling::reclaim(world, &group, &id);
                let before = match before {
                    Some(LifecycleState::Pending) => (0, "pending"),
                    Some(LifecycleState::InService) => (16, "running"),
                    Some(LifecycleState::Terminating) | None => (32, "shutting-down"),
                };
                answer.push(changed(&id, before, (32, "shutting-down")));
            }
        }
    }
    Ok(json!({ "TerminatingInstances": answer }))
}
