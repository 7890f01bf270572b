//! The instances of the Auto Scaling groups with their places and addresses, and the volumes of all instances.

use serde_json::{Value, json};

use super::derived;
use super::describe::{Kind, describe};
use super::machine::machines;
use super::network::{Subnet, all_subnets};
use crate::error::OpResult;
use crate::service::autoscaling::{self, Group, Instance, LifecycleState};
use crate::world::World;

/// An instance with what it belongs to.
pub(super) struct Placed<'a> {
    pub(super) group: &'a Group,
    pub(super) instance: &'a Instance,
    pub(super) subnet: Option<Subnet>,
}

impl Placed<'_> {
    pub(super) fn address(&self) -> Option<String> {
        Some(self.subnet.as_ref()?.address(&self.instance.id))
    }

    pub(super) fn interface(&self) -> String {
        derived("eni-", &self.instance.id)
    }

    pub(super) fn volume(&self) -> String {
        derived("vol-", &self.instance.id)
    }

    /// Code and name of its state (EC2 API reference, InstanceState).
    pub(super) fn state(&self) -> (u32, &'static str) {
        match self.instance.state {
            LifecycleState::Pending => (0, "pending"),
            LifecycleState::InService => (16, "running"),
            LifecycleState::Terminating => (32, "shutting-down"),
        }
    }
}

/// Every instance of the region.
pub(super) fn placed(world: &World) -> Vec<Placed<'_>> {
    let mut found = Vec::new();
    for group in autoscaling::groups(world) {
        for instance in group.instances() {
            let subnet = all_subnets(world)
                .into_iter()
                .find(|subnet| subnet.id == instance.subnet());
            found.push(Placed {
                group,
                instance,
                subnet,
            });
        }
    }
    found
}

pub(super) fn volumes(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "Volumes",
        ids: &[("VolumeIds", "VolumeId")],
        missing: ("InvalidVolume.NotFound", "volume"),
        filters: &[
            ("attachment.instance-id", "Attachments.InstanceId"),
            ("attachment.status", "Attachments.State"),
            ("availability-zone", "AvailabilityZone"),
            ("encrypted", "Encrypted"),
            ("size", "Size"),
            ("snapshot-id", "SnapshotId"),
            ("status", "State"),
            ("volume-id", "VolumeId"),
            ("volume-type", "VolumeType"),
        ],
    };
    let mut volumes: Vec<Value> = placed(world)
        .iter()
        .map(|placed| {
            let instance = placed.instance;
            json!({
                "VolumeId": placed.volume(),
                "AvailabilityZone": instance.zone(),
                "CreateTime": instance.launched.epoch_seconds(),
                "Encrypted": true,
                // gp3 has these two for nothing (EBS user guide, "General Purpose SSD volumes").
                "Iops": 3000,
                "Throughput": 125,
                "MultiAttachEnabled": false,
                "Size": 100,
                "SnapshotId": derived("snap-", instance.image()),
                "State": "in-use",
                "VolumeType": "gp3",
                "Attachments": [{
                    "AttachTime": instance.launched.epoch_seconds(),
                    "DeleteOnTermination": true,
                    "Device": "/dev/sda1",
                    "InstanceId": instance.id,
                    "State": "attached",
                    "VolumeId": placed.volume(),
                }],
            })
        })
        .collect();
    let single = machines(world).filter(|machine| machine.exists(world.now));
    volumes.extend(single.map(|machine| machine.shown_volume(world)));
    describe(&KIND, volumes, input)
}
