//! DeleteObject and DeleteObjects.

use serde_json::{Map, Value, json};

use super::{Versioning, condition, named, named_mut, unknown_operation};
use crate::error::{ApiError, OpResult};
use crate::service::member::{flag, list, present, text};
use crate::world::World;

/// The most keys in one request (API reference, DeleteObjects).
const MOST_KEYS: usize = 1000;

/// What became of a deletion: the version it was about, whether that is a delete marker.
type Gone = (Value, bool);

pub(super) fn delete_object(world: &mut World, input: &Value) -> OpResult {
    if ["IfMatchLastModifiedTime", "IfMatchSize"]
        .iter()
        .any(|member| input.get(member).is_some())
    {
        // Only directory buckets know these conditions.
        return Err(unknown_operation());
    }
    let (version, marker) = delete(world, input, input, "IfMatch")?;
    Ok(present(json!({
        "VersionId": version,
        "DeleteMarker": marker.then_some(true),
    })))
}

/// Deletes what `named` says, in the bucket of `input`.
fn delete(world: &mut World, input: &Value, given: &Value, etag: &str) -> Result<Gone, ApiError> {
    let key = text(given, "Key").unwrap_or_default();
    let wanted = text(given, "VersionId");
    condition::delete(named(world, input)?, key, text(given, etag))?;
    let (now, mut ids) = (world.now, world.gateway.ids.clone());
    let bucket = named_mut(world, input)?;
    if let Some(wanted) = wanted {
        let Some(versions) = bucket.objects.get_mut(key) else {
            return Ok((json!(wanted), false));
        };
        let at = versions
            .iter()
            .position(|version| version.version_name() == wanted);
        let marker = at.is_some_and(|at| versions.remove(at).content.is_none());
        if versions.is_empty() {
            bucket.objects.remove(key);
        }
        return Ok((json!(wanted), marker));
    }
    if bucket.versioning == Versioning::Never {
        bucket.objects.remove(key);
        return Ok((Value::Null, false));
    }
    let marker = bucket.push(&mut ids, now, key, None).clone();
    let version = marker.shown_version(bucket);
    world.gateway.ids = ids;
    Ok((version, true))
}

pub(super) fn delete_objects(world: &mut World, input: &Value) -> OpResult {
    named(world, input)?;
    let wanted = input.get("Delete").cloned().unwrap_or_default();
    let keys = list(&wanted, "Objects");
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(ApiError::client(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ));
    }
    let quiet = flag(&wanted, "Quiet").unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for given in keys {
        let key = text(given, "Key").unwrap_or_default();
        match delete(world, input, given, "ETag") {
            Ok((version, marker)) => {
                // A marker that was made is told apart from one that was taken away by the request's version id.
                let named = text(given, "VersionId");
                deleted.push(json!({
                    "Key": key,
                    "VersionId": named,
                    "DeleteMarker": marker.then_some(true),
                    "DeleteMarkerVersionId": if marker { version } else { Value::Null },
                }));
            }
            Err(error) => errors.push(json!({
                "Key": key,
                "VersionId": given.get("VersionId"),
                "Code": error.code,
                "Message": error.message,
            })),
        }
    }
    let mut output = Map::new();
    if !quiet && !deleted.is_empty() {
        output.insert("Deleted".to_owned(), deleted.into());
    }
    if !errors.is_empty() {
        output.insert("Errors".to_owned(), errors.into());
    }
    Ok(present(Value::Object(output)))
}
