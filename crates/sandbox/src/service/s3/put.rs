//! PutObject.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::object::{Content, Object};
use super::{Bucket, condition, named, named_mut, tagging};
use crate::error::{ApiError, OpResult};
use crate::service::member::{present, text};
use crate::world::World;

/// The longest key, in bytes of UTF-8 (user guide, "Naming Amazon S3 objects").
const LONGEST_KEY: usize = 1024;

pub(super) fn body(input: &Value) -> Bytes {
    STANDARD
        .decode(text(input, "Body").unwrap_or_default())
        .unwrap_or_default()
        .into()
}

pub(super) fn key(input: &Value) -> Result<&str, ApiError> {
    let key = text(input, "Key").unwrap_or_default();
    if key.len() > LONGEST_KEY {
        return Err(ApiError::client("KeyTooLongError", "Your key is too long"));
    }
    Ok(key)
}

pub(super) fn put_object(world: &mut World, input: &Value) -> OpResult {
    let key = key(input)?;
    condition::write(named(world, input)?, key, input)?;
    let content = Content::new(body(input), input, tags(input)?)?;
    let mut output = content.checksum.shown();
    output.insert("ETag".to_owned(), content.etag.clone().into());
    store(world, input, key, content, output)
}

pub(super) fn tags(input: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    text(input, "Tagging").map_or(Ok(BTreeMap::new()), tagging::from_header)
}

/// Makes `content` the current version of the key and adds to `output` what every write answers with.
pub(super) fn store(
    world: &mut World,
    input: &Value,
    key: &str,
    content: Content,
    mut output: Map<String, Value>,
) -> OpResult {
    let (now, mut ids) = (world.now, world.gateway.ids.clone());
    let bucket = named_mut(world, input)?;
    let object = bucket.push(&mut ids, now, key, Some(content)).clone();
    output.extend(written(bucket, &object));
    world.gateway.ids = ids;
    Ok(present(Value::Object(output)))
}

/// What a write says of the version that it made.
fn written(bucket: &Bucket, object: &Object) -> Map<String, Value> {
    let kept = |name: &str| {
        let content = object.content.as_ref();
        content
            .and_then(|content| content.kept.get(name))
            .cloned()
            .unwrap_or(Value::Null)
    };
    Map::from_iter([
        ("ServerSideEncryption".to_owned(), kept("ServerSideEncryption")),
        ("SSEKMSKeyId".to_owned(), kept("SSEKMSKeyId")),
        ("VersionId".to_owned(), json!(object.shown_version(bucket))),
    ])
}
