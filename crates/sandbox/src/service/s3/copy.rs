//! CopyObject and UploadPartCopy.

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::condition::Verdict;
use super::object::{Content, Object, kept};
use super::{Versioning, condition, invalid_argument, multipart, named, no_such_bucket, put, read};
use crate::error::{ApiError, OpResult};
use crate::service::member::{present, text};
use crate::world::World;

/// `bucket/key` or `/bucket/key`, percent-encoded, perhaps with `?versionId=…`.
fn source<'a>(world: &'a World, input: &Value) -> Result<(&'a Object, &'a Content, Value), ApiError> {
    let given = text(input, "CopySource").unwrap_or_default();
    let (path, version) = match given.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (given, None),
    };
    let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let path = path.strip_prefix('/').unwrap_or(&path);
    let Some((name, key)) = path.split_once('/').filter(|(_, key)| !key.is_empty()) else {
        return Err(invalid_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            "x-amz-copy-source",
            given,
        ));
    };
    let bucket = world
        .services
        .s3
        .buckets
        .get(name)
        .ok_or_else(|| no_such_bucket(name))?;
    let (object, content) = read::version(bucket, key, version)?;
    if let Verdict::Fails(_) | Verdict::Unchanged = condition::read(&condition::COPY, object, content, input)
    {
        return Err(condition::failed("x-amz-copy-source-If-"));
    }
    let shown = if bucket.versioning == Versioning::Never {
        Value::Null
    } else {
        json!(object.version_name())
    };
    Ok((object, content, shown))
}

pub(super) fn copy_object(world: &mut World, input: &Value) -> OpResult {
    let key = put::key(input)?;
    let bucket = named(world, input)?;
    let (_, from, source_version) = source(world, input)?;
    condition::write(bucket, key, input)?;
    let replaces = text(input, "MetadataDirective") == Some("REPLACE");
    let onto_itself = bucket
        .current(key)
        .and_then(|object| object.content.as_ref())
        .is_some_and(|content| std::ptr::eq(content, from));
    let changes = replaces
        || ["StorageClass", "ServerSideEncryption"]
            .iter()
            .any(|member| input.get(member).is_some());
    if onto_itself && !changes {
        return Err(ApiError::client(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let tags = if text(input, "TaggingDirective") == Some("REPLACE") {
        put::tags(input)?
    } else {
        from.tags.clone()
    };
    let mut content = Content::new(from.bytes.clone(), input, tags)?;
    if !replaces {
        let mut carried = from.kept.clone();
        // The class and the encryption are the copy's own.
        carried.remove("StorageClass");
        let own = kept(input)?;
        carried.extend(own.into_iter().filter(|(name, _)| {
            matches!(
                name.as_str(),
                "StorageClass" | "ServerSideEncryption" | "SSEKMSKeyId"
            )
        }));
        content.kept = carried;
    }
    let mut result = content.checksum.shown();
    result.insert("ETag".to_owned(), json!(content.etag));
    result.insert("LastModified".to_owned(), json!(world.now.epoch_seconds()));
    let output = json!({ "CopyObjectResult": result, "CopySourceVersionId": source_version });
    let Value::Object(output) = output else {
        return Ok(output);
    };
    put::store(world, input, key, content, output)
}

pub(super) fn upload_part_copy(world: &mut World, input: &Value) -> OpResult {
    let (_, from, source_version) = source(world, input)?;
    let bytes = part_of(from, text(input, "CopySourceRange"))?;
    let mut kept = multipart::keep_part(world, input, bytes)?;
    let encryption = kept
        .as_object_mut()
        .and_then(|kept| kept.remove("ServerSideEncryption"));
    kept["LastModified"] = json!(world.now.epoch_seconds());
    Ok(present(json!({
        "CopyPartResult": kept,
        "CopySourceVersionId": source_version,
        "ServerSideEncryption": encryption,
    })))
}

fn part_of(from: &Content, range: Option<&str>) -> Result<Bytes, ApiError> {
    let Some(range) = range else {
        return Ok(from.bytes.clone());
    };
    match read::within(range, from.bytes.len())? {
        Some((first, end)) => Ok(from.bytes.slice(first..end)),
        None => Err(invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            range,
        )),
    }
}
