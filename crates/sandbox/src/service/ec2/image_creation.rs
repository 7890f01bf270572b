//! CreateImage.

use std::time::Duration;

use serde_json::{Value, json};

use super::answers_dry_run;
use super::images::{Image, Snapshot};
use super::machine::machines;
use super::run::tags_for;
use crate::error::{ApiError, OpResult};
use crate::service::autoscaling::{self, LifecycleState};
use crate::service::member::text;
use crate::world::World;

/// How long an image is `pending`: its snapshot is copied. AWS promises no time; some minutes are common for 100 GiB.
const COPIED: Duration = Duration::from_secs(3 * 60);

/// "Creates an Amazon EBS-backed AMI from an Amazon EBS-backed instance that is either running or stopped" (EC2 API
/// Reference, CreateImage).
pub(super) fn create_image(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let instance = text(input, "InstanceId").unwrap_or_default().to_owned();
    let name = text(input, "Name").unwrap_or_default().to_owned();
    check_name(world, &name)?;
    let (state, volume, size, encrypted) = source(world, &instance)?;
    if !["running", "stopped"].contains(&state) {
        return Err(ApiError::client(
            "IncorrectInstanceState",
            format!("Instance '{instance}' is not 'running' or 'stopped': it is '{state}'."),
        ));
    }
    answers_dry_run(input)?;
    let (id, snapshot) = (world.ids.ec2("ami-"), world.ids.ec2("snap-"));
    let ready = now + COPIED;
    let state = &mut world.services.ec2;
    state.snapshots.push(Snapshot {
        id: snapshot.clone(),
        volume,
        description: format!("Created by CreateImage({instance}) for {id}"),
        started: now,
        completed: ready,
        size,
        encrypted,
        tags: tags_for(input, "snapshot"),
    });
    state.images.push(Image {
        id: id.clone(),
        name,
        created: now,
        ready,
        tags: tags_for(input, "image"),
        snapshots: vec![snapshot],
        shared_by: None,
    });
    Ok(json!({ "ImageId": id }))
}

/// "3-128 alphanumeric characters, parentheses (()), square brackets ([]), spaces ( ), periods (.), slashes (/), dashes
/// (-), single quotes ('), at-signs (@), or underscores(_)", once in an account.
fn check_name(world: &World, name: &str) -> Result<(), ApiError> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "()[] ./-'@_".contains(letter);
    if !(3..=128).contains(&name.len()) || !name.chars().all(allowed) {
        return Err(ApiError::client(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', \
             '-', '/' and '_'",
        ));
    }
    let mut images = world.services.ec2.images.iter();
    let own = images.find(|image| image.name == name && image.shared_by.is_none());
    match own {
        Some(image) => Err(ApiError::client(
            "InvalidAMIName.Duplicate",
            format!("AMI name {name} is already in use by AMI {}", image.id),
        )),
        None => Ok(()),
    }
}

/// State of an instance; id, size and encryption of its root volume.
fn source(world: &World, instance: &str) -> Result<(&'static str, String, i64, bool), ApiError> {
    if let Some(machine) = machines(world).find(|machine| machine.id == instance) {
        let (_, state) = machine.state(world.now);
        let volume = &machine.volume;
        return Ok((state, machine.volume_id(), volume.size, volume.encrypted));
    }
    let mut members = autoscaling::groups(world).flat_map(|group| group.instances());
    let Some(member) = members.find(|member| member.id == instance) else {
        return Err(ApiError::client(
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{instance}' does not exist"),
        ));
    };
    let state = match member.state {
        LifecycleState::Pending => "pending",
        LifecycleState::InService => "running",
        LifecycleState::Terminating => "shutting-down",
    };
    Ok((state, super::derived("vol-", instance), 100, true))
}
