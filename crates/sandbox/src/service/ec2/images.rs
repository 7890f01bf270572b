//! Images that Packer built for the fleets, and their snapshots.

use std::time::Duration;

use serde_json::{Value, json};

use super::derived;
use super::describe::{Kind, describe, tags};
use crate::error::OpResult;
use crate::service::member::texts;
use crate::time::SimTime;
use crate::world::World;

/// An image of the account.
#[derive(Debug)]
pub(super) struct Image {
    id: String,
    /// The fleet it was built for.
    slug: String,
    built: SimTime,
    /// The bundle that was baked into it.
    bundle: Option<String>,
    /// The account that shares it with this one; `None` when it is this account's own.
    shared_by: Option<String>,
}

/// How long before its parameter an image was finished.
const PROMOTED_AFTER: Duration = Duration::from_secs(40 * 60);

/// Notes the image that a parameter begins to point to.
pub(crate) fn register(world: &mut World, parameter: &str, id: &str, at: SimTime) {
    let images = &mut world.services.ec2.images;
    if images.iter().all(|image| image.id != id) {
        images.push(Image {
            id: id.to_owned(),
            slug: parameter.rsplit('/').next().unwrap_or_default().to_owned(),
            built: at - PROMOTED_AFTER,
            bundle: None,
            shared_by: None,
        });
    }
}

/// Notes the bundle that was baked into an image.
pub(crate) fn bake(world: &mut World, id: &str, bundle: &str) {
    for image in &mut world.services.ec2.images {
        if image.id == id {
            image.bundle = Some(bundle.to_owned());
        }
    }
}

/// Makes an image one of another account, which shares it with this one.
pub(crate) fn share(world: &mut World, id: &str, account: &str) {
    for image in &mut world.services.ec2.images {
        if image.id == id {
            image.shared_by = Some(account.to_owned());
        }
    }
}

impl Image {
    /// The snapshot of its root volume.
    fn snapshot(&self) -> String {
        derived("snap-", &self.id)
    }

    fn tags(&self) -> Value {
        let stamp = self.stamp();
        let name = format!("bp-comfyui-{}-{stamp}", self.slug);
        let baked = self.bundle.as_deref().map(|bundle| ("BundleId", bundle));
        let own = [
            ("Name", name.as_str()),
            ("FleetSlug", self.slug.as_str()),
            ("BuildTime", stamp.as_str()),
            ("ManagedBy", "packer"),
        ];
        tags(own.into_iter().chain(baked))
    }

    /// `20260109055000`.
    fn stamp(&self) -> String {
        self.built
            .iso8601()
            .chars()
            .filter(char::is_ascii_digit)
            .take(14)
            .collect()
    }
}

/// Whether one of `owners` owns the image; without owners, every account counts.
fn is_of(world: &World, image: &Image, owners: &[String]) -> bool {
    let account = &world.options.account_id;
    owners.is_empty()
        || owners.iter().any(|owner| match &image.shared_by {
            None => owner == "self" || owner == account,
            Some(other) => owner == other,
        })
}

pub(super) fn images(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "Images",
        ids: &[("ImageIds", "ImageId")],
        missing: ("InvalidAMIID.NotFound", "image id"),
        filters: &[
            ("architecture", "Architecture"),
            ("creation-date", "CreationDate"),
            ("image-id", "ImageId"),
            ("image-type", "ImageType"),
            ("is-public", "Public"),
            ("name", "Name"),
            ("owner-id", "OwnerId"),
            ("root-device-type", "RootDeviceType"),
            ("state", "State"),
            ("virtualization-type", "VirtualizationType"),
        ],
    };
    let account = &world.options.account_id;
    let images = world
        .services
        .ec2
        .images
        .iter()
        .filter(|image| is_of(world, image, &texts(input, "Owners")));
    let images = images
        .map(|image| {
            let account = image.shared_by.as_ref().unwrap_or(account);
            let name = format!("bp-comfyui-{}-{}", image.slug, image.stamp());
            json!({
                "ImageId": image.id,
                "Name": name,
                "ImageLocation": format!("{account}/{name}"),
                "OwnerId": account,
                "CreationDate": image.built.iso8601(),
                "State": "available",
                "Public": false,
                "Architecture": "x86_64",
                "ImageType": "machine",
                "PlatformDetails": "Linux/UNIX",
                "UsageOperation": "RunInstances",
                "RootDeviceName": "/dev/sda1",
                "RootDeviceType": "ebs",
                "VirtualizationType": "hvm",
                "Hypervisor": "xen",
                "EnaSupport": true,
                "SriovNetSupport": "simple",
                "BlockDeviceMappings": [{
                    "DeviceName": "/dev/sda1",
                    "Ebs": {
                        "SnapshotId": image.snapshot(),
                        "VolumeSize": 100,
                        "VolumeType": "gp3",
                        "Encrypted": false,
                        "DeleteOnTermination": true,
                    },
                }],
                // "When you share an AMI, your user-defined tags are not available to any AWS account that the AMI is
                // shared with" (EC2 User Guide, "Share an AMI with specific AWS accounts").
                "Tags": if image.shared_by.is_none() { image.tags() } else { json!([]) },
            })
        })
        .collect();
    describe(&KIND, images, input)
}

pub(super) fn snapshots(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "Snapshots",
        ids: &[("SnapshotIds", "SnapshotId")],
        missing: ("InvalidSnapshot.NotFound", "snapshot"),
        filters: &[
            ("description", "Description"),
            ("encrypted", "Encrypted"),
            ("owner-id", "OwnerId"),
            ("snapshot-id", "SnapshotId"),
            ("start-time", "StartTime"),
            ("status", "State"),
            ("volume-id", "VolumeId"),
            ("volume-size", "VolumeSize"),
        ],
    };
    let images = world
        .services
        .ec2
        .images
        .iter()
        // The snapshots behind an image that another account shares are not shared with it.
        .filter(|image| image.shared_by.is_none() && is_of(world, image, &texts(input, "OwnerIds")));
    let snapshots = images
        .map(|image| {
            let builder = derived("i-", &image.id);
            json!({
                "SnapshotId": image.snapshot(),
                "VolumeId": derived("vol-", &image.id),
                "VolumeSize": 100,
                "State": "completed",
                "Progress": "100%",
                "StartTime": (image.built - Duration::from_secs(11 * 60)).epoch_seconds(),
                "CompletionTime": image.built.epoch_seconds(),
                "OwnerId": world.options.account_id,
                "Encrypted": false,
                "StorageTier": "standard",
                "Description": format!("Created by CreateImage({builder}) for {}", image.id),
                "Tags": image.tags(),
            })
        })
        .collect();
    describe(&KIND, snapshots, input)
}
