//! DescribeInstances.

use serde_json::{Map, Value, json};

use super::compute::{Placed, placed};
use super::derived;
use super::describe::{Kind, selected, tags};
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, page, present, text};
use crate::world::World;

pub(super) fn instances(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "Instances",
        ids: &[("InstanceIds", "InstanceId")],
        missing: ("InvalidInstanceID.NotFound", "instance ID"),
        filters: &[
            ("availability-zone", "Placement.AvailabilityZone"),
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
    let instances = placed(world).iter().map(|placed| shown(world, placed)).collect();
    let instances = selected(&KIND, instances, input)?;
    let limit = integer(input, "MaxResults").and_then(|most| usize::try_from(most).ok());
    let (instances, next) = page(
        instances,
        text(input, "NextToken"),
        limit.unwrap_or(1000).max(1),
        || ApiError::client("InvalidNextToken", "The token is not valid."),
    )?;
    // Auto Scaling starts each with a request of its own.
    let reservations: Vec<Value> = instances
        .into_iter()
        .map(|instance| {
            let id = instance["InstanceId"].as_str().unwrap_or_default();
            json!({
                "ReservationId": derived("r-", id),
                "OwnerId": world.options.account_id,
                "RequesterId": "AIDAAUTOSCALING",
                "Groups": [],
                "Instances": [instance],
            })
        })
        .collect();
    let mut output = Map::new();
    output.insert("Reservations".to_owned(), reservations.into());
    output.insert("NextToken".to_owned(), json!(next));
    Ok(present(Value::Object(output)))
}

fn shown(world: &World, placed: &Placed<'_>) -> Value {
    let (instance, group) = (placed.instance, placed.group);
    let spec = group.spec();
    let address = placed.address();
    let name = address
        .as_ref()
        .map(|ip| format!("ip-{}.ec2.internal", ip.replace('.', "-")));
    let (code, state) = placed.state();
    let security_groups = json!([{ "GroupId": world.services.facts.gpu_security_group }]);
    let own = [
        ("aws:autoscaling:groupName", spec.name.as_str()),
        ("aws:ec2launchtemplate:id", group.launch_template_id()),
        ("aws:ec2launchtemplate:version", "1"),
    ];
    let propagated = spec
        .tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    json!({
        "InstanceId": instance.id,
        "ImageId": instance.image(),
        "InstanceType": instance.instance_type(),
        "InstanceLifecycle": "spot",
        "SpotInstanceRequestId": derived("sir-", &instance.id).get(..12),
        "LaunchTime": instance.launched.epoch_seconds(),
        "AmiLaunchIndex": 0,
        "State": { "Code": code, "Name": state },
        "Monitoring": { "State": "disabled" },
        "Placement": { "AvailabilityZone": instance.zone(), "GroupName": "", "Tenancy": "default" },
        "PrivateIpAddress": address,
        "PrivateDnsName": name,
        "PublicDnsName": "",
        "SubnetId": instance.subnet(),
        "VpcId": placed.subnet.as_ref().map(|subnet| subnet.vpc.as_str()),
        "SecurityGroups": security_groups,
        "NetworkInterfaces": [{
            "NetworkInterfaceId": placed.interface(),
            "PrivateIpAddress": address,
            "PrivateDnsName": name,
            "SubnetId": instance.subnet(),
            "VpcId": placed.subnet.as_ref().map(|subnet| subnet.vpc.as_str()),
            "OwnerId": world.options.account_id,
            "Status": "in-use",
            "InterfaceType": "interface",
            "SourceDestCheck": true,
            "Groups": security_groups,
        }],
        "Architecture": "x86_64",
        "Hypervisor": "xen",
        "VirtualizationType": "hvm",
        "EnaSupport": true,
        "EbsOptimized": false,
        "RootDeviceName": "/dev/sda1",
        "RootDeviceType": "ebs",
        "BlockDeviceMappings": [{
            "DeviceName": "/dev/sda1",
            "Ebs": {
                "AttachTime": instance.launched.epoch_seconds(),
                "DeleteOnTermination": true,
                "Status": "attached",
                "VolumeId": placed.volume(),
            },
        }],
        "MetadataOptions": {
            "State": "applied",
            "HttpEndpoint": "enabled",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": 1,
        },
        "SourceDestCheck": true,
        "PlatformDetails": "Linux/UNIX",
        "Tags": tags(propagated.chain(own)),
    })
}
