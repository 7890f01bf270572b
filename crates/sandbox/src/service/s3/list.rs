//! ListObjectsV2, and what all listings share: prefixes, delimiters, pages.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{bucket, named};
use crate::error::ApiError;
use crate::error::OpResult;
use crate::service::member::{flag, integer, present, text};
use crate::world::World;

/// The most entries of a page, and what a page has unless told otherwise (API reference, ListObjectsV2).
const LARGEST_PAGE: i64 = 1000;

/// What `encoding-type=url` leaves as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b'/');

/// How a listing writes keys: as they are, or percent-encoded.
pub(super) fn encoded(input: &Value, key: &str) -> String {
    match text(input, "EncodingType") {
        Some(_) => utf8_percent_encode(key, PLAIN).to_string(),
        None => key.to_owned(),
    }
}

/// The size of a page under the member `name`.
pub(super) fn page_size(input: &Value, name: &str) -> Result<usize, ApiError> {
    let asked = integer(input, name).unwrap_or(LARGEST_PAGE);
    usize::try_from(asked.min(LARGEST_PAGE)).map_err(|_| {
        super::invalid_argument(
            "Argument maxKeys must be an integer between 0 and 2147483647",
            "max-keys",
            &asked.to_string(),
        )
    })
}

/// Part of `key` up to the delimiter behind the prefix: what rolls up into one entry.
pub(super) fn common_prefix<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let behind = key.get(prefix.len()..)?;
    let at = behind.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// One entry of a page.
pub(super) enum Entry<T> {
    Item(T),
    Common(String),
}

/// The entries behind `after` (a key or a common prefix), `size` of them at most, and whether there are more. The
/// items come in the order of their keys.
pub(super) fn entries<'a, T>(
    items: impl Iterator<Item = (&'a str, T)>,
    input: &Value,
    after: &str,
    size: usize,
) -> (Vec<Entry<T>>, Option<String>) {
    let prefix = text(input, "Prefix").unwrap_or_default();
    let delimiter = text(input, "Delimiter");
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut last = None;
    for (key, item) in items.filter(|(key, _)| key.starts_with(prefix)) {
        let common = common_prefix(key, prefix, delimiter);
        let place = common.unwrap_or(key);
        if place <= after || common.is_some_and(|common| seen.contains(common)) {
            continue;
        }
        if found.len() == size {
            return (found, last);
        }
        last = Some(place.to_owned());
        match common {
            Some(common) => {
                seen.insert(common.to_owned());
                found.push(Entry::Common(common.to_owned()));
            }
            None => found.push(Entry::Item(item)),
        }
    }
    (found, None)
}

pub(super) fn list_objects_v2(world: &World, input: &Value) -> OpResult {
    let bucket = named(world, input)?;
    let token = text(input, "ContinuationToken");
    let start = match token {
        Some(token) => decode(token)?,
        None => text(input, "StartAfter").unwrap_or_default().to_owned(),
    };
    let size = page_size(input, "MaxKeys")?;
    let current = bucket.objects.iter().filter_map(|(key, versions)| {
        let object = versions.last()?;
        Some((key.as_str(), (key, object, object.content.as_ref()?)))
    });
    let (entries, next) = entries(current, input, &start, size);
    let owner = flag(input, "FetchOwner")
        .unwrap_or(false)
        .then(|| bucket::owner(world));
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for entry in &entries {
        match entry {
            Entry::Common(prefix) => prefixes.push(json!({ "Prefix": encoded(input, prefix) })),
            Entry::Item((key, object, content)) => contents.push(json!({
                "Key": encoded(input, key),
                "LastModified": object.modified.epoch_seconds(),
                "ETag": content.etag,
                "ChecksumAlgorithm": [content.checksum.algorithm.name()],
                "ChecksumType": content.checksum.shown().get("ChecksumType"),
                "Size": content.bytes.len(),
                "StorageClass": content.storage_class(),
                "Owner": owner,
            })),
        }
    }
    Ok(present(json!({
        "Name": text(input, "Bucket"),
        "Prefix": encoded(input, text(input, "Prefix").unwrap_or_default()),
        "Delimiter": text(input, "Delimiter").map(|delimiter| encoded(input, delimiter)),
        "StartAfter": text(input, "StartAfter").map(|after| encoded(input, after)),
        "EncodingType": text(input, "EncodingType"),
        "MaxKeys": size,
        "KeyCount": entries.len(),
        "IsTruncated": next.is_some(),
        "ContinuationToken": token,
        "NextContinuationToken": next.as_deref().map(encode),
        "Contents": Some(contents).filter(|contents| !contents.is_empty()),
        "CommonPrefixes": Some(prefixes).filter(|prefixes| !prefixes.is_empty()),
    })))
}

/// Tokens are opaque.
fn encode(after: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("after {after}"))
}

fn decode(token: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.strip_prefix("after ").map(str::to_owned))
        .ok_or_else(|| {
            super::invalid_argument(
                "The continuation token provided is incorrect",
                "continuation-token",
                token,
            )
        })
}
