//! ModifyDBInstance, as far as it is about the storage and deletion protection.

use std::time::Duration;

use serde_json::{Value, json};

use super::{STORAGE, described, instance_not_found};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, integer, present, text};
use crate::time::SimTime;
use crate::world::World;

/// How long the instance is `modifying`, and how long its volumes are optimised afterwards (RDS user guide, "Working
/// with storage": six hours at most, in which the storage cannot be changed again).
const MODIFYING: Duration = Duration::from_secs(180);
const OPTIMISING: Duration = Duration::from_secs(6 * 3600);

/// A change of an instance's storage.
#[derive(Debug)]
pub(super) struct Growth {
    instance: String,
    gibibytes: i64,
    /// When it began; `None` as long as it waits for the maintenance window.
    begun: Option<SimTime>,
}

/// The gibibytes that an instance has by now.
pub(super) fn storage(world: &World, instance: &str) -> i64 {
    let grown = world.services.rds.growths.iter().rfind(|growth| {
        growth.instance == instance && growth.begun.is_some_and(|begun| begun + MODIFYING <= world.now)
    });
    grown.map_or(STORAGE, |growth| growth.gibibytes)
}

/// The status of an instance that does nothing else.
pub(super) fn status(world: &World, instance: &str) -> Option<&'static str> {
    let growths = &world.services.rds.growths;
    let begun = growths
        .iter()
        .rfind(|growth| growth.instance == instance)?
        .begun?;
    if world.now < begun + MODIFYING {
        Some("modifying")
    } else if world.now < begun + OPTIMISING {
        Some("storage-optimization")
    } else {
        None
    }
}

/// What waits for the maintenance window.
pub(super) fn pending(world: &World, instance: &str) -> Value {
    let waiting = world
        .services
        .rds
        .growths
        .iter()
        .rfind(|growth| growth.instance == instance);
    match waiting {
        Some(Growth {
            begun: None,
            gibibytes,
            ..
        }) => json!({ "AllocatedStorage": gibibytes }),
        _ => json!({}),
    }
}

pub(super) fn modify(world: &mut World, input: &Value) -> OpResult {
    let asked = text(input, "DBInstanceIdentifier").unwrap_or_default();
    let instances = &world.services.rds.instances;
    let instance = instances
        .iter()
        .find(|instance| instance.id.eq_ignore_ascii_case(asked));
    let instance = instance.cloned().ok_or_else(|| instance_not_found(asked))?;
    let refused = |message: String| ApiError::client("InvalidParameterCombination", message);
    let known = [
        "DBInstanceIdentifier",
        "AllocatedStorage",
        "ApplyImmediately",
        "DeletionProtection",
    ];
    let other = input
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| !known.contains(&name.as_str()));
    if let Some((other, _)) = other {
        return Err(refused(format!(
            "the sandbox changes the storage and the protection of an instance, not {other}"
        )));
    }
    // "You can't modify a stopped DB instance" (RDS user guide, "Stopping an Amazon RDS DB instance temporarily").
    if super::power::state(world, &instance.id).is_some() {
        return Err(ApiError::client(
            "InvalidDBInstanceState",
            format!("Database instance is not in available state: {}", instance.id),
        ));
    }
    if let Some(protected) = flag(input, "DeletionProtection") {
        super::protect(world, &instance.id, protected);
    }
    let present_size = storage(world, &instance.id);
    if let Some(wanted) = integer(input, "AllocatedStorage").filter(|wanted| *wanted != present_size) {
        if wanted < present_size {
            return Err(refused(format!(
                "Requested storage ({wanted}) cannot be smaller than the current one ({present_size})"
            )));
        }
        if status(world, &instance.id).is_some() {
            return Err(refused(
                "You can't currently modify the storage of this DB instance because the previous storage change is being optimized."
                    .to_owned(),
            ));
        }
        // What is less than a tenth more is rounded up to it (API reference, ModifyDBInstance).
        let least = present_size + (present_size + 9) / 10;
        let now = world.now;
        world.services.rds.growths.push(Growth {
            instance: instance.id.clone(),
            gibibytes: wanted.max(least),
            begun: flag(input, "ApplyImmediately").unwrap_or(false).then_some(now),
        });
    }
    Ok(present(json!({ "DBInstance": described(world, &instance) })))
}
