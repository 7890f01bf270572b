//! StopDBInstance and StartDBInstance, and the minutes that either takes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{described, instance_not_found, status};
use crate::error::{ApiError, OpResult};
use crate::service::member::{present, text};
use crate::time::SimTime;
use crate::world::World;

/// "The process can take several minutes" (RDS user guide, "Stopping an Amazon RDS DB instance temporarily"); a start
/// recovers the instance and takes longer.
const STOPPING: Duration = Duration::from_secs(3 * 60);
const STARTING: Duration = Duration::from_secs(4 * 60);

/// "You can stop a DB instance for up to seven days. If you do not manually start your DB instance after seven days,
/// your DB instance is automatically started" (same page).
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// A stop or a start of an instance.
#[derive(Debug)]
pub(super) struct Turn {
    instance: String,
    stops: bool,
    at: SimTime,
}

/// What an instance is that was stopped or started; `None` when that is over.
pub(super) fn state(world: &World, instance: &str) -> Option<&'static str> {
    let turns = &world.services.rds.turns;
    let turn = turns.iter().rfind(|turn| turn.instance == instance)?;
    let steps: &[(Duration, &str)] = if turn.stops {
        &[
            (STOPPING, "stopping"),
            (LONGEST, "stopped"),
            (STARTING, "starting"),
        ]
    } else {
        &[(STARTING, "starting")]
    };
    let mut end = turn.at;
    for (lasting, state) in steps {
        end = end + *lasting;
        if world.now < end {
            return Some(state);
        }
    }
    None
}

/// The instance that a request names.
fn asked(world: &World, input: &Value) -> Result<super::Instance, ApiError> {
    let asked = text(input, "DBInstanceIdentifier").unwrap_or_default();
    let instances = &world.services.rds.instances;
    let instance = instances
        .iter()
        .find(|instance| instance.id.eq_ignore_ascii_case(asked));
    instance.cloned().ok_or_else(|| instance_not_found(asked))
}

fn invalid_state(message: String) -> ApiError {
    ApiError::client("InvalidDBInstanceState", message)
}

pub(super) fn stop(world: &mut World, input: &Value) -> OpResult {
    let instance = asked(world, input)?;
    if text(input, "DBSnapshotIdentifier").is_some() {
        return Err(ApiError::client(
            "InvalidParameterCombination",
            "the sandbox stops an instance without a snapshot",
        ));
    }
    if !matches!(status(world, &instance), "available" | "storage-optimization") {
        return Err(invalid_state(format!(
            "Instance {} is not in available state.",
            instance.id
        )));
    }
    turned(world, &instance, true)
}

pub(super) fn start(world: &mut World, input: &Value) -> OpResult {
    let instance = asked(world, input)?;
    if status(world, &instance) != "stopped" {
        return Err(invalid_state(format!(
            "Instance {} is not in stopped, inaccessible-encryption-credentials-recoverable or incompatible-network state.",
            instance.id
        )));
    }
    turned(world, &instance, false)
}

fn turned(world: &mut World, instance: &super::Instance, stops: bool) -> OpResult {
    let at = world.now;
    world.services.rds.turns.push(Turn {
        instance: instance.id.clone(),
        stops,
        at,
    });
    Ok(present(json!({ "DBInstance": described(world, instance) })))
}
