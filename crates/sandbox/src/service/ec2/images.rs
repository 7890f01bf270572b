//! Images that Packer built for the fleets or that were made of instances, and their snapshots.

use std::time::Duration;

use serde_json::{Value, json};

use super::derived;
use super::describe::{Kind, describe};
use crate::error::OpResult;
use crate::service::member::texts;
use crate::time::SimTime;
use crate::world::World;

/// An image of the account.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created: SimTime,
    /// When it becomes `available`.
    pub(super) ready: SimTime,
    pub(super) tags: Vec<Value>,
    /// The snapshots of its volumes, the root's first.
    pub(super) snapshots: Vec<String>,
    /// The account that shares it with this one; `None` when it is this account's own.
    pub(super) shared_by: Option<String>,
}

/// A snapshot of a volume.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) id: String,
    pub(super) volume: String,
    pub(super) description: String,
    pub(super) started: SimTime,
    pub(super) completed: SimTime,
    /// Of its volume, in GiB.
    pub(super) size: i64,
    pub(super) encrypted: bool,
    pub(super) tags: Vec<Value>,
}

/// How long before its parameter an image was finished.
const PROMOTED_AFTER: Duration = Duration::from_secs(40 * 60);

/// Notes the image that a parameter begins to point to. One that was deregistered stays away.
pub(crate) fn register(world: &mut World, parameter: &str, id: &str, at: SimTime) {
    let state = &mut world.services.ec2;
    if state.gone_images.contains(id) || state.images.iter().any(|image| image.id == id) {
        return;
    }
    let built = at - PROMOTED_AFTER;
    let slug = parameter.rsplit('/').next().unwrap_or_default();
    let stamp = stamp(built);
    let name = format!("bp-comfyui-{slug}-{stamp}");
    let tags = [
        ("Name", name.as_str()),
        ("FleetSlug", slug),
        ("BuildTime", stamp.as_str()),
        ("ManagedBy", "packer"),
    ]
    .map(|(key, value)| json!({ "Key": key, "Value": value }));
    let snapshot = Snapshot {
        id: derived("snap-", id),
        volume: derived("vol-", id),
        description: format!("Created by CreateImage({}) for {id}", derived("i-", id)),
        started: built - Duration::from_secs(11 * 60),
        completed: built,
        size: 100,
        encrypted: false,
        tags: tags.to_vec(),
    };
    state.images.push(Image {
        id: id.to_owned(),
        name,
        created: built,
        ready: built,
        tags: tags.to_vec(),
        snapshots: vec![snapshot.id.clone()],
        shared_by: None,
    });
    state.snapshots.push(snapshot);
}

/// `20260109055000`.
fn stamp(at: SimTime) -> String {
    let text = at.iso8601();
    text.chars().filter(char::is_ascii_digit).take(14).collect()
}

/// Notes the bundle that was baked into an image.
pub(crate) fn bake(world: &mut World, id: &str, bundle: &str) {
    let state = &mut world.services.ec2;
    let tag = json!({ "Key": "BundleId", "Value": bundle });
    for image in state.images.iter_mut().filter(|image| image.id == id) {
        image.tags.push(tag.clone());
        for snapshot in &mut state.snapshots {
            if image.snapshots.contains(&snapshot.id) {
                snapshot.tags.push(tag.clone());
            }
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

/// Whether instances can be started from an image of this id: "Wait for the AMI status to be available" (EC2 User Guide,
/// "Create an Amazon EBS-backed AMI").
pub(super) fn exists(world: &World, id: &str) -> bool {
    let mut images = world.services.ec2.images.iter();
    images.any(|image| image.id == id && image.state(world.now) == "available")
}

impl Image {
    pub(super) fn state(&self, now: SimTime) -> &'static str {
        if now < self.ready { "pending" } else { "available" }
    }
}

impl Snapshot {
    fn state(&self, now: SimTime) -> &'static str {
        if now < self.completed {
            "pending"
        } else {
            "completed"
        }
    }

    /// How much of it is done, as a share of its time.
    fn progress(&self, now: SimTime) -> String {
        let (all, done) = (
            self.completed.since(self.started).as_millis(),
            now.since(self.started).as_millis(),
        );
        let percent = (done * 100).checked_div(all).unwrap_or(100).min(100);
        format!("{percent}%")
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
            (
                "block-device-mapping.snapshot-id",
                "BlockDeviceMappings.Ebs.SnapshotId",
            ),
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
    let owners = texts(input, "Owners");
    let state = &world.services.ec2;
    let known = state.images.iter().filter(|image| is_of(world, image, &owners));
    let images = known.map(|image| shown(world, image)).collect();
    describe(&KIND, images, input)
}

fn shown(world: &World, image: &Image) -> Value {
    let state = &world.services.ec2;
    let account = image.shared_by.as_ref().unwrap_or(&world.options.account_id);
    let of = |id: &String| state.snapshots.iter().find(|snapshot| snapshot.id == *id);
    let volumes = image.snapshots.iter().zip(["/dev/sda1", "/dev/sdb", "/dev/sdc"]);
    let mappings: Vec<Value> = volumes
        .map(|(id, device)| {
            let snapshot = of(id);
            json!({
                "DeviceName": device,
                "Ebs": {
                    "SnapshotId": id,
                    "VolumeSize": snapshot.map_or(100, |snapshot| snapshot.size),
                    "VolumeType": "gp3",
                    "Encrypted": snapshot.is_some_and(|snapshot| snapshot.encrypted),
                    "DeleteOnTermination": true,
                },
            })
        })
        .collect();
    json!({
        "ImageId": image.id,
        "Name": image.name,
        "ImageLocation": format!("{account}/{}", image.name),
        "OwnerId": account,
        "CreationDate": image.created.iso8601(),
        "State": image.state(world.now),
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
        "BlockDeviceMappings": mappings,
        // "When you share an AMI, your user-defined tags are not available to any AWS account that the AMI is
        // shared with" (EC2 User Guide, "Share an AMI with specific AWS accounts").
        "Tags": if image.shared_by.is_none() { image.tags.clone() } else { Vec::new() },
    })
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
    let (state, now) = (&world.services.ec2, world.now);
    let account = &world.options.account_id;
    let owners = texts(input, "OwnerIds");
    let own = owners.is_empty() || owners.iter().any(|owner| owner == "self" || owner == account);
    // The snapshots behind an image that another account shares are not shared with it.
    let hidden = |snapshot: &&Snapshot| {
        let mut images = state.images.iter().filter(|image| image.shared_by.is_some());
        images.any(|image| image.snapshots.contains(&snapshot.id))
    };
    let known = state.snapshots.iter().filter(|snapshot| own && !hidden(snapshot));
    let snapshots = known
        .map(|snapshot| {
            let completed = Some(snapshot.completed).filter(|at| *at <= now);
            json!({
                "SnapshotId": snapshot.id,
                "VolumeId": snapshot.volume,
                "VolumeSize": snapshot.size,
                "State": snapshot.state(now),
                "Progress": snapshot.progress(now),
                "StartTime": snapshot.started.epoch_seconds(),
                "CompletionTime": completed.map(SimTime::epoch_seconds),
                "OwnerId": account,
                "Encrypted": snapshot.encrypted,
                "StorageTier": "standard",
                "Description": snapshot.description,
                "Tags": snapshot.tags,
            })
        })
        .collect();
    describe(&KIND, snapshots, input)
}
