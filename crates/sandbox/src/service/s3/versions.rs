//! ListObjectVersions.

use serde_json::{Map, Value, json};

use super::list::{common_prefix, encoded, page_size};
use super::{bucket, invalid_argument, named};
use crate::error::OpResult;
use crate::service::member::{present, text};
use crate::world::World;

pub(super) fn list_object_versions(world: &World, input: &Value) -> OpResult {
    let bucket = named(world, input)?;
    let owner = bucket::owner(world);
    let size = page_size(input, "MaxKeys")?;
    let prefix = text(input, "Prefix").unwrap_or_default();
    let key_marker = text(input, "KeyMarker");
    let version_marker = text(input, "VersionIdMarker");
    if version_marker.is_some() && key_marker.is_none() {
        return Err(invalid_argument(
            "A version-id marker cannot be specified without a key marker.",
            "version-id-marker",
            version_marker.unwrap_or_default(),
        ));
    }
    let (mut versions, mut markers, mut prefixes) = (Vec::new(), Vec::new(), Vec::<&str>::new());
    let mut last: Option<(&str, &str)> = None;
    let mut next = None;
    // The page begins behind this version of the marker's key.
    let mut waiting = version_marker;
    'keys: for (key, history) in bucket.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        let common = common_prefix(key, prefix, text(input, "Delimiter"));
        let place = common.unwrap_or(key);
        let resumed = version_marker.is_some() && key_marker == Some(key.as_str());
        if key_marker.is_some_and(|marker| place <= marker) && !resumed {
            continue;
        }
        if let Some(common) = common {
            if prefixes.last() == Some(&common) {
                continue;
            }
            if versions.len() + markers.len() + prefixes.len() == size {
                next = last;
                break;
            }
            prefixes.push(common);
            last = Some((common, ""));
            continue;
        }
        for (index, object) in history.iter().enumerate().rev() {
            if resumed && let Some(marker) = waiting {
                if object.version_name() == marker {
                    waiting = None;
                }
                continue;
            }
            if versions.len() + markers.len() + prefixes.len() == size {
                next = last;
                break 'keys;
            }
            last = Some((key, object.version_name()));
            let mut entry = json!({
                "Key": encoded(input, key),
                "VersionId": object.version_name(),
                "IsLatest": index + 1 == history.len(),
                "LastModified": object.modified.epoch_seconds(),
                "Owner": owner,
            });
            match &object.content {
                None => markers.push(entry),
                Some(content) => {
                    entry["ETag"] = json!(content.etag);
                    entry["Size"] = json!(content.bytes.len());
                    entry["StorageClass"] = json!(content.storage_class());
                    entry["ChecksumAlgorithm"] = json!([content.checksum.algorithm.name()]);
                    entry["ChecksumType"] = json!(content.checksum.shown().get("ChecksumType"));
                    versions.push(entry);
                }
            }
        }
    }
    let prefixes: Vec<Value> = prefixes
        .iter()
        .map(|prefix| json!({ "Prefix": encoded(input, prefix) }))
        .collect();
    let mut output = json!({
        "Name": text(input, "Bucket"),
        "Prefix": encoded(input, prefix),
        "Delimiter": text(input, "Delimiter").map(|delimiter| encoded(input, delimiter)),
        "EncodingType": text(input, "EncodingType"),
        "KeyMarker": encoded(input, key_marker.unwrap_or_default()),
        "VersionIdMarker": version_marker.unwrap_or_default(),
        "MaxKeys": size,
        "IsTruncated": next.is_some(),
        "NextKeyMarker": next.map(|(key, _)| encoded(input, key)),
        "NextVersionIdMarker": next.map(|(_, version)| version).filter(|version| !version.is_empty()),
    });
    let lists = [
        ("Versions", versions),
        ("DeleteMarkers", markers),
        ("CommonPrefixes", prefixes),
    ];
    if let Value::Object(output) = &mut output {
        output.extend(full(lists));
    }
    Ok(present(output))
}

/// The lists that have anything in them.
fn full<const N: usize>(lists: [(&str, Vec<Value>); N]) -> Map<String, Value> {
    lists
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| (name.to_owned(), list.into()))
        .collect()
}
