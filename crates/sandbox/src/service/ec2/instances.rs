//! DescribeInstances.

use serde_json::{Map, Value, json};

use super::compute::{Placed, placed};
use super::derived;
use super::describe::{Kind, selected, tags};
use super::machine::{Machine, machines};
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, page, present, text};
use crate::time::SimTime;
use crate::world::World;

pub(super) fn instances(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "Instances",
        ids: &[("InstanceIds", "InstanceId")],
        missing: ("InvalidInstanceID.NotFound", "instance ID"),
        filters: &[
            ("availability-zone", "Placement.AvailabilityZone"),
            ("client-token", "ClientToken"),
            ("image-id", "ImageId"),
            ("instance-id", "InstanceId"),
            ("instance-lifecycle", "InstanceLifecycle"),
            ("instance-state-code", "State.Code"),
            ("instance-state-name", "State.Name"),
            ("instance-type", "InstanceType"),
            ("instance.group-id", "SecurityGroups.GroupId"),
            ("ip-address", "PublicIpAddress"),
            ("private-ip-address", "PrivateIpAddress"),
            ("subnet-id", "SubnetId"),
            ("vpc-id", "VpcId"),
        ],
    };
    let mut instances: Vec<Value> = placed(world).iter().map(|placed| shown(world, placed)).collect();
    instances.extend(machines(world).map(|machine| shown_machine(world, machine)));
    let instances = selected(&KIND, instances, input)?;
    let limit = integer(input, "MaxResults").and_then(|most| usize::try_from(most).ok());
    let (instances, next) = page(
        instances,
        text(input, "NextToken"),
        limit.unwrap_or(1000).max(1),
        || ApiError::client("InvalidNextToken", "The token is not valid."),
    )?;
    let mut output = Map::new();
    output.insert("Reservations".to_owned(), reservations(world, instances).into());
    output.insert("NextToken".to_owned(), json!(next));
    Ok(present(Value::Object(output)))
}

/// Instances with the requests that started them. Auto Scaling starts each with a request of its own.
fn reservations(world: &World, instances: Vec<Value>) -> Vec<Value> {
    let mut reservations: Vec<Value> = Vec::new();
    for instance in instances {
        let id = instance["InstanceId"].as_str().unwrap_or_default();
        let machine = machines(world).find(|machine| machine.id == id);
        let reservation = machine.map_or_else(|| derived("r-", id), |machine| machine.reservation.clone());
        let known = reservations
            .iter_mut()
            .find(|known| known["ReservationId"] == *reservation);
        if let Some(Value::Array(instances)) = known.map(|known| &mut known["Instances"]) {
            instances.push(instance);
            continue;
        }
        reservations.push(json!({
            "ReservationId": reservation,
            "OwnerId": world.options.account_id,
            "RequesterId": machine.is_none().then_some("AIDAAUTOSCALING"),
            "Groups": [],
            "Instances": [instance],
        }));
    }
    reservations
}

/// What tells one instance from another.
struct Facts<'a> {
    id: &'a str,
    image: &'a str,
    kind: &'a str,
    launched: SimTime,
    state: (u32, &'static str),
    zone: Option<&'a str>,
    subnet: Option<&'a str>,
    vpc: Option<&'a str>,
    address: Option<String>,
    public: Option<String>,
    interface: String,
    volume: String,
    device: &'a str,
    groups: Vec<&'a str>,
    spot: bool,
    metadata: Value,
    tags: Value,
}

fn shown(world: &World, placed: &Placed<'_>) -> Value {
    let (instance, group) = (placed.instance, placed.group);
    let spec = group.spec();
    let own = [
        ("aws:autoscaling:groupName", spec.name.as_str()),
        ("aws:ec2launchtemplate:id", group.launch_template_id()),
        ("aws:ec2launchtemplate:version", instance.template_version()),
    ];
    let propagated = spec
        .tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let facts = Facts {
        id: &instance.id,
        image: instance.image(),
        kind: instance.instance_type(),
        launched: instance.launched,
        state: placed.state(),
        zone: Some(instance.zone()),
        subnet: Some(instance.subnet()),
        vpc: placed.subnet.as_ref().map(|subnet| subnet.vpc.as_str()),
        address: placed.address(),
        public: None,
        interface: placed.interface(),
        volume: placed.volume(),
        device: "/dev/sda1",
        groups: vec![&world.services.facts.gpu_security_group],
        spot: true,
        metadata: json!({
            "State": "applied",
            "HttpEndpoint": "enabled",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": 1,
        }),
        tags: tags(propagated.chain(own)),
    };
    facts.shown(world)
}

/// An instance that no group has started.
pub(super) fn shown_machine(world: &World, machine: &Machine) -> Value {
    let now = world.now;
    let place = machine.place(world);
    // A terminated instance has lost its place in the network.
    let there = place.as_ref().filter(|_| machine.exists(now));
    let facts = Facts {
        id: &machine.id,
        image: &machine.image,
        kind: &machine.kind,
        launched: machine.launched,
        state: machine.state(now),
        zone: place.as_ref().map(|place| place.zone.as_str()),
        subnet: there.map(|place| place.id.as_str()),
        vpc: there.map(|place| place.vpc.as_str()),
        address: there.map(|place| place.address(&machine.id)),
        public: machine.public_address(now),
        interface: machine.interface(),
        volume: machine.volume_id(),
        device: &machine.volume.device,
        groups: match there {
            Some(_) => machine.groups.iter().map(String::as_str).collect(),
            None => Vec::new(),
        },
        spot: false,
        metadata: machine.metadata.clone(),
        tags: machine.tags.clone().into(),
    };
    let mut shown = facts.shown(world);
    shown["AmiLaunchIndex"] = json!(machine.index);
    shown["ClientToken"] = json!(machine.token);
    shown["KeyName"] = json!(machine.key);
    shown["IamInstanceProfile"] = machine
        .profile
        .as_ref()
        .map_or(Value::Null, |arn| json!({ "Arn": arn, "Id": "AIPASANDBOX" }));
    present(shown)
}

impl Facts<'_> {
    fn shown(&self, world: &World) -> Value {
        let (code, state) = self.state;
        let dashed = |ip: &String| ip.replace('.', "-");
        let name = self
            .address
            .as_ref()
            .map(|ip| format!("ip-{}.ec2.internal", dashed(ip)));
        let public_name = self
            .public
            .as_ref()
            .map(|ip| format!("ec2-{}.compute-1.amazonaws.com", dashed(ip)));
        let groups: Vec<Value> = self.groups.iter().map(|id| json!({ "GroupId": id })).collect();
        let association = self
            .public
            .as_ref()
            .map(|ip| json!({ "IpOwnerId": "amazon", "PublicIp": ip, "PublicDnsName": public_name }));
        let interface = json!({
            "NetworkInterfaceId": self.interface,
            "PrivateIpAddress": self.address,
            "PrivateDnsName": name,
            "SubnetId": self.subnet,
            "VpcId": self.vpc,
            "OwnerId": world.options.account_id,
            "Status": "in-use",
            "InterfaceType": "interface",
            "SourceDestCheck": true,
            "Groups": groups,
            "Association": association,
        });
        let volume = json!({
            "DeviceName": self.device,
            "Ebs": {
                "AttachTime": self.launched.epoch_seconds(),
                "DeleteOnTermination": true,
                "Status": "attached",
                "VolumeId": self.volume,
            },
        });
        let there = |one: Value| {
            if self.subnet.is_some() {
                vec![one]
            } else {
                Vec::new()
            }
        };
        let spot = derived("sir-", self.id);
        json!({
            "InstanceId": self.id,
            "ImageId": self.image,
            "InstanceType": self.kind,
            "InstanceLifecycle": self.spot.then_some("spot"),
            "SpotInstanceRequestId": spot.get(..12).filter(|_| self.spot),
            "LaunchTime": self.launched.epoch_seconds(),
            "AmiLaunchIndex": 0,
            "State": { "Code": code, "Name": state },
            "Monitoring": { "State": "disabled" },
            "Placement": { "AvailabilityZone": self.zone, "GroupName": "", "Tenancy": "default" },
            "PrivateIpAddress": self.address,
            "PrivateDnsName": name,
            "PublicIpAddress": self.public,
            "PublicDnsName": public_name.as_deref().unwrap_or_default(),
            "SubnetId": self.subnet,
            "VpcId": self.vpc,
            "SecurityGroups": groups,
            "NetworkInterfaces": there(interface),
            "Architecture": "x86_64",
            "Hypervisor": "xen",
            "VirtualizationType": "hvm",
            "EnaSupport": true,
            "EbsOptimized": false,
            "RootDeviceName": self.device,
            "RootDeviceType": "ebs",
            "BlockDeviceMappings": there(volume),
            "MetadataOptions": self.metadata,
            "SourceDestCheck": true,
            "PlatformDetails": "Linux/UNIX",
            "Tags": self.tags,
        })
    }
}
