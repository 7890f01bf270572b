//! DeleteDBInstance, DeleteDBSnapshot, and deletion protection ("Deleting a DB instance", Amazon RDS User Guide).

use std::time::Duration;

use serde_json::{Value, json};

use super::{described, instance_not_found, snapshot, status};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, present, text};
use crate::time::SimTime;
use crate::world::World;

/// From the request, or from the end of the final snapshot, until the instance is gone: minutes.
const REMOVAL: Duration = Duration::from_secs(4 * 60);

/// An instance on its way out.
#[derive(Debug)]
pub(super) struct Deletion {
    instance: String,
    /// When it is gone.
    until: SimTime,
}

fn refused(message: &str) -> ApiError {
    ApiError::client("InvalidParameterCombination", message)
}

/// Whether an instance refuses to be deleted.
pub(crate) fn is_protected(world: &World, id: &str) -> bool {
    !world.services.rds.unprotected.contains(id)
}

/// Sets or takes off the protection of an instance.
pub(crate) fn protect(world: &mut World, id: &str, protected: bool) {
    let unprotected = &mut world.services.rds.unprotected;
    match protected {
        true => unprotected.remove(id),
        false => unprotected.insert(id.to_owned()),
    };
}

/// Whether an instance is on its way out.
pub(super) fn is_deleting(world: &World, id: &str) -> bool {
    let deletions = &world.services.rds.deletions;
    deletions.iter().any(|deletion| deletion.instance == id)
}

pub(super) fn delete_instance(world: &mut World, input: &Value) -> OpResult {
    let asked = text(input, "DBInstanceIdentifier").unwrap_or_default();
    let instances = &world.services.rds.instances;
    let instance = instances
        .iter()
        .find(|instance| instance.id.eq_ignore_ascii_case(asked));
    let instance = instance.cloned().ok_or_else(|| instance_not_found(asked))?;
    if is_deleting(world, &instance.id) {
        return Err(ApiError::client(
            "InvalidDBInstanceState",
            format!("Instance {} is already being deleted.", instance.id),
        ));
    }
    let skips = flag(input, "SkipFinalSnapshot").unwrap_or(false);
    let last = text(input, "FinalDBSnapshotIdentifier");
    match (skips, last) {
        (false, None) => {
            return Err(refused(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            ));
        }
        (true, Some(_)) => {
            return Err(refused(
                "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is specified.",
            ));
        }
        (true, None) | (false, Some(_)) => {}
    }
    if is_protected(world, &instance.id) {
        return Err(refused(
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        ));
    }
    let mut from = world.now;
    if let Some(last) = last {
        if status(world, &instance) != "available" {
            return Err(ApiError::client(
                "InvalidDBInstanceState",
                format!("Instance {} is not currently available.", instance.id),
            ));
        }
        from = snapshot::last(world, &instance, last)?;
    }
    begin(
        world,
        &instance.id,
        from,
        flag(input, "DeleteAutomatedBackups") != Some(false),
    );
    Ok(present(json!({ "DBInstance": described(world, &instance) })))
}

/// An instance begins to go; "automated backups are deleted" with it unless the request says otherwise.
fn begin(world: &mut World, id: &str, from: SimTime, with_backups: bool) {
    let state = &mut world.services.rds;
    state.deletions.push(Deletion {
        instance: id.to_owned(),
        until: from + REMOVAL,
    });
    if with_backups {
        snapshot::drop_automated(state, id);
    }
}

/// An instance goes with its stack, and leaves a last snapshot behind where `leaves` says so. Returns whether it is gone.
pub(crate) fn go(world: &mut World, id: &str, leaves: bool) -> Result<bool, ApiError> {
    let instances = &world.services.rds.instances;
    let found = instances.iter().find(|instance| instance.id == id);
    let Some(instance) = found.cloned() else {
        return Ok(true);
    };
    if !is_deleting(world, id) {
        let mut from = world.now;
        if leaves {
            let name = format!("{id}-snapshot-{}", world.ids.hex(12));
            from = snapshot::last(world, &instance, &name)?;
        }
        begin(world, id, from, true);
    }
    Ok(false)
}

/// Instances whose time is over are gone.
pub(super) fn tick(world: &mut World) {
    let now = world.now;
    let state = &mut world.services.rds;
    let over: Vec<Deletion> = state
        .deletions
        .extract_if(.., |deletion| deletion.until <= now)
        .collect();
    for deletion in over {
        state
            .instances
            .retain(|instance| instance.id != deletion.instance);
        state.unprotected.remove(&deletion.instance);
    }
}

pub(super) fn delete_snapshot(world: &mut World, input: &Value) -> OpResult {
    let id = text(input, "DBSnapshotIdentifier").unwrap_or_default();
    snapshot::remove(world, id)
}
