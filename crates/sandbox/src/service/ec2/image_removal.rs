//! DeregisterImage and DeleteSnapshot.

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::text;
use crate::world::World;

/// The value of the tag `ManagedBy` of an image, a snapshot or an instance.
pub(crate) fn managed_by(world: &World, id: &str) -> Option<String> {
    let state = &world.services.ec2;
    let mut images = state.images.iter();
    let image = images.find(|image| image.id == id).map(|image| &image.tags);
    let mut snapshots = state.snapshots.iter();
    let snapshot = snapshots.find(|one| one.id == id).map(|one| &one.tags);
    let mut machines = state.machines.iter();
    let machine = machines.find(|one| one.id == id).map(|one| &one.tags);
    let mut tags = image.or(snapshot).or(machine)?.iter();
    let tag = tags.find(|tag| tag["Key"] == "ManagedBy")?;
    text(tag, "Value").map(str::to_owned)
}

/// "After you deregister an AMI, it can't be used to launch new instances. However, deregistering an AMI doesn't affect: any
/// instances already launched from the AMI; … any EBS snapshots created during the AMI creation process" (EC2 User Guide,
/// "Deregister an Amazon EC2 AMI").
pub(super) fn deregister_image(world: &mut World, input: &Value) -> OpResult {
    let id = text(input, "ImageId").unwrap_or_default();
    let state = &mut world.services.ec2;
    if state.gone_images.contains(id) {
        return Err(ApiError::client(
            "InvalidAMIID.Unavailable",
            format!("The image ID '{id}' is no longer available"),
        ));
    }
    let Some(at) = state.images.iter().position(|image| image.id == id) else {
        return Err(ApiError::client(
            "InvalidAMIID.NotFound",
            format!("The image id '[{id}]' does not exist"),
        ));
    };
    if state.images[at].shared_by.is_some() {
        return Err(ApiError::client(
            "AuthFailure",
            format!("Not authorized for image:{id}"),
        ));
    }
    let image = state.images.remove(at);
    state.gone_images.insert(image.id);
    Ok(json!({ "Return": true }))
}

/// "You cannot delete a snapshot of the root device of an EBS volume used by a registered AMI" (EC2 API Reference,
/// DeleteSnapshot).
pub(super) fn delete_snapshot(world: &mut World, input: &Value) -> OpResult {
    let id = text(input, "SnapshotId").unwrap_or_default();
    let state = &mut world.services.ec2;
    let Some(at) = state.snapshots.iter().position(|snapshot| snapshot.id == id) else {
        return Err(ApiError::client(
            "InvalidSnapshot.NotFound",
            format!("The snapshot '{id}' does not exist."),
        ));
    };
    let mut users = state.images.iter();
    if let Some(image) = users.find(|image| image.snapshots.iter().any(|used| used == id)) {
        return Err(ApiError::client(
            "InvalidSnapshot.InUse",
            format!("The snapshot {id} is currently in use by {}", image.id),
        ));
    }
    state.snapshots.remove(at);
    Ok(json!({}))
}
