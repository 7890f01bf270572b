//! RunInstances, StopInstances and TerminateInstances: instances that are started one by one.

use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, HttpTokensState, IamInstanceProfileSpecification, Instance,
    InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification, InstanceType, ResourceType,
    ShutdownBehavior, Tag, TagSpecification, VolumeType,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::Machine;
use super::instances::convert;
use crate::change::{Call, Later, Loss, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// The root volume of an instance: gp3, deleted with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RootVolume {
    /// E.g. `/dev/sda1`.
    pub(crate) device: String,
    /// In gibibytes.
    pub(crate) size: u32,
    pub(crate) encrypted: bool,
}

/// One instance, on demand, with IMDSv2 only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunInstances {
    pub(crate) image: String,
    pub(crate) instance_type: String,
    /// The name of an instance profile.
    pub(crate) profile: Option<String>,
    pub(crate) subnet: String,
    /// Without any it is the default one of the network (API Reference, RunInstances).
    pub(crate) security_groups: Vec<Later>,
    pub(crate) public_ip: bool,
    pub(crate) volume: RootVolume,
    /// Whether a shutdown from within terminates it; otherwise it stops.
    pub(crate) ends_by_shutdown: bool,
    /// Network hops that an answer of the instance metadata service may take.
    pub(crate) hop_limit: u8,
    /// The script of its first boot, in plain text; at most 16 KB.
    pub(crate) user_data: String,
    /// For the instance and its volume.
    pub(crate) tags: Vec<(String, String)>,
    /// At most 64 ASCII characters: however often the request is sent, one instance starts.
    pub(crate) client_token: String,
    /// What is changed, for locks, e.g. `dev/staging/gpu-default`.
    pub(crate) resource: String,
}

impl Call for RunInstances {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "RunInstances";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["ClientToken", "TagSpecifications"];
    type Via = Aws;
    type Answer = Machine;

    fn parameters(&self) -> Map<String, Value> {
        let tags: Vec<Value> = self
            .tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        let groups: Vec<Value> = self.security_groups.iter().map(Later::parameter).collect();
        let mut members = parameters([
            ("ImageId", self.image.as_str().into()),
            ("InstanceType", self.instance_type.as_str().into()),
            ("MinCount", 1.into()),
            ("MaxCount", 1.into()),
        ]);
        if let Some(profile) = &self.profile {
            members.insert("IamInstanceProfile".to_owned(), json!({"Name": profile}));
        }
        let mut interface = json!({
            "DeviceIndex": 0,
            "SubnetId": self.subnet,
            "AssociatePublicIpAddress": self.public_ip,
        });
        if !groups.is_empty() {
            interface["Groups"] = groups.into();
        }
        members.extend(parameters([
            ("NetworkInterfaces", json!([interface])),
            (
                "MetadataOptions",
                json!({"HttpTokens": "required", "HttpPutResponseHopLimit": self.hop_limit}),
            ),
            (
                "BlockDeviceMappings",
                json!([{
                    "DeviceName": self.volume.device,
                    "Ebs": {
                        "VolumeSize": self.volume.size,
                        "VolumeType": "gp3",
                        "Encrypted": self.volume.encrypted,
                        "DeleteOnTermination": true,
                    },
                }]),
            ),
            (
                "InstanceInitiatedShutdownBehavior",
                self.shutdown().as_str().into(),
            ),
            ("UserData", STANDARD.encode(&self.user_data).into()),
            (
                "TagSpecifications",
                json!([
                    {"ResourceType": "instance", "Tags": tags},
                    {"ResourceType": "volume", "Tags": tags},
                ]),
            ),
            ("ClientToken", self.client_token.as_str().into()),
        ]));
        members
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    /// The SDK repeats the request with the same token when an answer is lost.
    ///
    /// # Errors
    /// What EC2 refuses.
    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Machine> {
        const DOING: &str = "start the instance";
        let known: Result<Vec<&str>> = self.security_groups.iter().map(Later::known).collect();
        let interface = InstanceNetworkInterfaceSpecification::builder()
            .device_index(0)
            .subnet_id(&self.subnet)
            .associate_public_ip_address(self.public_ip)
            .set_groups(Some(known?.into_iter().map(str::to_owned).collect()));
        let profile = self
            .profile
            .as_ref()
            .map(|name| IamInstanceProfileSpecification::builder().name(name).build());
        let size = i32::try_from(self.volume.size)
            .map_err(|error| CtlError::new(ErrorKind::Usage, DOING).source(&error))?;
        let volume = EbsBlockDevice::builder()
            .volume_size(size)
            .volume_type(VolumeType::Gp3)
            .encrypted(self.volume.encrypted)
            .delete_on_termination(true);
        let metadata = InstanceMetadataOptionsRequest::builder()
            .http_tokens(HttpTokensState::Required)
            .http_put_response_hop_limit(self.hop_limit.into());
        let answer = aws
            .ec2_client()
            .await?
            .run_instances()
            .image_id(&self.image)
            .instance_type(InstanceType::from(self.instance_type.as_str()))
            .min_count(1)
            .max_count(1)
            .set_iam_instance_profile(profile)
            .network_interfaces(interface.build())
            .metadata_options(metadata.build())
            .block_device_mappings(
                BlockDeviceMapping::builder()
                    .device_name(&self.volume.device)
                    .ebs(volume.build())
                    .build(),
            )
            .instance_initiated_shutdown_behavior(self.shutdown())
            .user_data(STANDARD.encode(&self.user_data))
            .tag_specifications(tagged(ResourceType::Instance, &self.tags))
            .tag_specifications(tagged(ResourceType::Volume, &self.tags))
            .client_token(&self.client_token)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(DOING, &error))?;
        let started: Option<&Instance> = answer.instances().first();
        convert(started.required(Self::OPERATION, "Instances")?)
    }
}

impl RunInstances {
    fn shutdown(&self) -> ShutdownBehavior {
        match self.ends_by_shutdown {
            true => ShutdownBehavior::Terminate,
            false => ShutdownBehavior::Stop,
        }
    }
}

/// Tags on creation.
pub(super) fn tagged(kind: ResourceType, tags: &[(String, String)]) -> TagSpecification {
    let tags = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build());
    TagSpecification::builder()
        .resource_type(kind)
        .set_tags(Some(tags.collect()))
        .build()
}

/// Stops an instance; its volume stays and is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StopInstances {
    pub(crate) instance: Later,
    pub(crate) resource: String,
    pub(crate) loses: Option<Loss>,
}

/// Terminates an instance, with the volumes that are deleted with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TerminateInstances {
    pub(crate) instance: Later,
    pub(crate) resource: String,
    pub(crate) loses: Option<Loss>,
}

/// Parameters, requests and answers of the two are alike; [`Call`] has one operation for each type.
macro_rules! ending {
    ($call:ident, $method:ident, $changes:ident, $doing:literal) => {
        impl Call for $call {
            const SERVICE: &'static str = "ec2";
            const OPERATION: &'static str = stringify!($call);
            const REPEATED: Repeated = Repeated::Harmless;
            type Via = Aws;
            /// The state that the instance is in now, e.g. `shutting-down`.
            type Answer = String;

            fn parameters(&self) -> Map<String, Value> {
                parameters([("InstanceIds", json!([self.instance.parameter()]))])
            }

            fn resource(&self) -> String {
                self.resource.clone()
            }

            fn loses(&self) -> Option<Loss> {
                self.loses.clone()
            }

            async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
                let id = self.instance.known()?;
                let answer = aws
                    .ec2_client()
                    .await?
                    .$method()
                    .instance_ids(id)
                    .customize()
                    .interceptor(ShowPermit::new(permit))
                    .send()
                    .await
                    .map_err(|error| from_sdk(format!(concat!($doing, " the instance `{}`"), id), &error))?;
                let change = answer
                    .$changes()
                    .first()
                    .and_then(|change| change.current_state());
                let state = change.and_then(|state| state.name());
                Ok(state
                    .required(Self::OPERATION, "CurrentState")?
                    .as_str()
                    .to_owned())
            }
        }
    };
}

ending!(StopInstances, stop_instances, stopping_instances, "stop");
ending!(
    TerminateInstances,
    terminate_instances,
    terminating_instances,
    "terminate"
);
