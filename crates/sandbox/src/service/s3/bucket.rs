//! The operations on buckets themselves.

use serde_json::{Value, json};

use super::{Versioning, named, named_mut};
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, page, present, text};
use crate::world::World;

/// The region whose buckets have no location constraint (API reference, GetBucketLocation).
const WITHOUT_CONSTRAINT: &str = "us-east-1";

/// The most buckets on a page (API reference, ListBuckets).
const LARGEST_PAGE: usize = 10_000;

pub(super) fn list(world: &World, input: &Value) -> OpResult {
    let prefix = text(input, "Prefix").unwrap_or_default();
    let region = text(input, "BucketRegion").is_none_or(|region| region == world.options.region);
    let buckets: Vec<Value> = world
        .services
        .s3
        .buckets
        .iter()
        .filter(|(name, _)| region && name.starts_with(prefix))
        .map(|(name, bucket)| {
            json!({
                "Name": name,
                "CreationDate": bucket.created.epoch_seconds(),
                "BucketRegion": world.options.region,
                "BucketArn": format!("arn:aws:s3:::{name}"),
            })
        })
        .collect();
    let most = integer(input, "MaxBuckets").and_then(|most| usize::try_from(most).ok());
    let size = most.unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE);
    let token = text(input, "ContinuationToken");
    let (buckets, next) = page(buckets, token, size, || {
        ApiError::client("InvalidArgument", "The continuation token provided is incorrect")
    })?;
    Ok(present(json!({
        "Buckets": buckets,
        "Owner": owner(world),
        "ContinuationToken": next,
        "Prefix": text(input, "Prefix"),
    })))
}

/// The canonical user of the account: 64 hexadecimal digits that say nothing.
pub(super) fn owner(world: &World) -> Value {
    json!({ "ID": super::checksum::hex(&super::checksum::Algorithm::Sha256.of(world.options.account_id.as_bytes())) })
}

pub(super) fn head(world: &World, input: &Value) -> OpResult {
    named(world, input)?;
    let name = text(input, "Bucket").unwrap_or_default();
    Ok(json!({
        "BucketRegion": world.options.region,
        "BucketArn": format!("arn:aws:s3:::{name}"),
        "AccessPointAlias": false,
    }))
}

/// "All objects (including all object versions and delete markers) in the bucket must be deleted before the bucket itself
/// can be deleted" (API reference, DeleteBucket).
pub(super) fn delete(world: &mut World, input: &Value) -> OpResult {
    named(world, input)?;
    let name = text(input, "Bucket").unwrap_or_default();
    if super::delete_bucket(world, name, false) {
        return Ok(json!({}));
    }
    let error = ApiError::client("BucketNotEmpty", "The bucket you tried to delete is not empty");
    Err(super::with(error.with_status(409), "BucketName", name))
}

pub(super) fn location(world: &World, input: &Value) -> OpResult {
    named(world, input)?;
    let region = world.options.region.as_str();
    Ok(present(json!({
        "LocationConstraint": Some(region).filter(|region| *region != WITHOUT_CONSTRAINT),
    })))
}

pub(super) fn versioning(world: &World, input: &Value) -> OpResult {
    let status = match named(world, input)?.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some("Enabled"),
        Versioning::Suspended => Some("Suspended"),
    };
    Ok(present(json!({ "Status": status })))
}

pub(super) fn put_versioning(world: &mut World, input: &Value) -> OpResult {
    let bucket = named_mut(world, input)?;
    let status = input
        .get("VersioningConfiguration")
        .and_then(|given| text(given, "Status"));
    bucket.versioning = match status {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            return Err(ApiError::client(
                "IllegalVersioningConfigurationException",
                "The Versioning element must be specified",
            ));
        }
    };
    Ok(json!({}))
}
