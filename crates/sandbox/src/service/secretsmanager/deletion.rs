//! Deletion with a recovery window, and the way back.

use std::time::Duration;

use serde_json::{Value, json};

use super::{arn_of, named_mut, purge};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, integer, text};
use crate::world::World;

const DAY: u64 = 24 * 60 * 60;

/// "a minimum value of 7 days to a maximum value of 30 days", 30 unless said (API Reference, DeleteSecret).
const SHORTEST: i64 = 7;
const LONGEST: i64 = 30;

pub(super) fn delete(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let days = integer(input, "RecoveryWindowInDays");
    let at_once = flag(input, "ForceDeleteWithoutRecovery").unwrap_or(false);
    let invalid = |text: &str| Err(ApiError::client("InvalidParameterException", text));
    if at_once && days.is_some() {
        return invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
    }
    if days.is_some_and(|days| !(SHORTEST..=LONGEST).contains(&days)) {
        return invalid("RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
    }
    purge(world);
    let given = text(input, "SecretId").unwrap_or_default();
    if at_once && arn_of(world, given).is_none() {
        // "If you forcibly delete an already deleted or nonexistent secret, the operation does not return
        // ResourceNotFoundException" (API Reference, DeleteSecret).
        return Ok(json!({"Name": given, "DeletionDate": now.epoch_seconds()}));
    }
    let secret = named_mut(world, input)?;
    if secret.goes.is_some() && !at_once {
        return Err(ApiError::client(
            "InvalidRequestException",
            "You tried to perform the operation on a secret that's currently marked deleted.",
        ));
    }
    let window = if at_once { 0 } else { days.unwrap_or(LONGEST) };
    let goes = now + Duration::from_secs(DAY * window.unsigned_abs());
    secret.deleted = Some(now);
    secret.goes = Some(goes);
    Ok(json!({"ARN": secret.arn, "Name": secret.name, "DeletionDate": goes.epoch_seconds()}))
}

/// Takes a deletion back; a secret that is not being deleted stays as it is.
pub(super) fn restore(world: &mut World, input: &Value) -> OpResult {
    let secret = named_mut(world, input)?;
    secret.deleted = None;
    secret.goes = None;
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}
