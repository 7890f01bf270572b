//! One version of an object, and how answers describe it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::checksum::{self, Checksum};
use super::{Bucket, Versioning};
use crate::error::ApiError;
use crate::ids::Ids;
use crate::service::member::text;
use crate::time::SimTime;

/// The members that S3 keeps of an object as they were given and answers with.
pub(super) const KEPT: &[&str] = &[
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
    "SSEKMSKeyId",
    "ServerSideEncryption",
    "StorageClass",
    "WebsiteRedirectLocation",
];

/// The largest sum of an object's own metadata, names and values (user guide, "Working with object metadata").
const LARGEST_METADATA: usize = 2 * 1024;

/// A version of a key: an object or a delete marker.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// `None` for the version `null`, which buckets have that do not keep versions.
    pub(super) version: Option<String>,
    pub(super) modified: SimTime,
    /// `None` for a delete marker.
    pub(super) content: Option<Content>,
}

/// What an object holds.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(super) bytes: Bytes,
    /// With its quotation marks.
    pub(super) etag: String,
    pub(super) checksum: Checksum,
    /// The members among [`KEPT`].
    pub(super) kept: Map<String, Value>,
    pub(super) tags: BTreeMap<String, String>,
    /// The lengths of the parts that it was uploaded in; empty for an object of one piece.
    pub(super) parts: Vec<usize>,
}

impl Content {
    /// The content of a PutObject that says nothing but the type of its body.
    pub(super) fn plain(bytes: Bytes, content_type: &str) -> Self {
        Self {
            etag: format!("\"{}\"", checksum::hex(&checksum::md5(&bytes))),
            checksum: Checksum::of(checksum::Algorithm::Crc64Nvme, &bytes),
            kept: Map::from_iter([
                ("ContentType".to_owned(), json!(content_type)),
                ("ServerSideEncryption".to_owned(), json!("AES256")),
            ]),
            tags: BTreeMap::new(),
            parts: Vec::new(),
            bytes,
        }
    }

    /// The content that a request brings in one piece.
    pub(super) fn new(bytes: Bytes, input: &Value, tags: BTreeMap<String, String>) -> Result<Self, ApiError> {
        Ok(Self {
            etag: format!("\"{}\"", checksum::hex(&checksum::md5(&bytes))),
            checksum: Checksum::asked(input, &bytes),
            kept: kept(input)?,
            tags,
            parts: Vec::new(),
            bytes,
        })
    }

    pub(super) fn storage_class(&self) -> &str {
        self.kept
            .get("StorageClass")
            .and_then(Value::as_str)
            .unwrap_or("STANDARD")
    }
}

/// The members of a request that stay with the object.
pub(super) fn kept(input: &Value) -> Result<Map<String, Value>, ApiError> {
    let mut kept: Map<String, Value> = KEPT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), input.get(*name)?.clone())))
        .collect();
    let metadata = kept.get("Metadata").and_then(Value::as_object);
    let length: usize = metadata
        .into_iter()
        .flatten()
        .map(|(name, value)| name.len() + value.as_str().map_or(0, str::len))
        .sum();
    if length > LARGEST_METADATA {
        return Err(ApiError::client(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    kept.entry("ContentType")
        .or_insert_with(|| json!("binary/octet-stream"));
    // Since 2023 every new object is encrypted with keys that S3 manages unless told otherwise.
    kept.entry("ServerSideEncryption")
        .or_insert_with(|| json!("AES256"));
    if text(input, "StorageClass") == Some("STANDARD") {
        kept.remove("StorageClass");
    }
    Ok(kept)
}

impl Object {
    /// The version id as answers have it: absent where the bucket never kept versions.
    pub(super) fn shown_version(&self, bucket: &Bucket) -> Value {
        match (&self.version, bucket.versioning) {
            (Some(version), _) => json!(version),
            (None, Versioning::Never) => Value::Null,
            (None, _) => json!("null"),
        }
    }

    /// The version id in listings, where there always is one.
    pub(super) fn version_name(&self) -> &str {
        self.version.as_deref().unwrap_or("null")
    }
}

impl Bucket {
    /// Makes `content` (or a delete marker) the current version of `key` and answers it.
    pub(super) fn push(
        &mut self,
        ids: &mut Ids,
        now: SimTime,
        key: &str,
        content: Option<Content>,
    ) -> &Object {
        let version = (self.versioning == Versioning::Enabled).then(|| version_id(ids));
        let versions = self.objects.entry(key.to_owned()).or_default();
        if version.is_none() {
            // There is one version `null` at most.
            versions.retain(|version| version.version.is_some());
        }
        versions.push(Object {
            version,
            modified: now,
            content,
        });
        &versions[versions.len() - 1]
    }
}

/// Version ids are opaque; those of S3 are 32 letters and digits.
fn version_id(ids: &mut Ids) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    (0..32)
        .map(|_| char::from(LETTERS[ids.between(0, LETTERS.len() as u64 - 1) as usize]))
        .collect()
}
