//! GetObject and HeadObject.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::condition::Verdict;
use super::object::{Content, Object};
use super::{Bucket, condition, named, no_such_key, with};
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, present, text};
use crate::world::World;

/// What overrides a header of the answer.
const OVERRIDES: &[(&str, &str)] = &[
    ("ResponseCacheControl", "CacheControl"),
    ("ResponseContentDisposition", "ContentDisposition"),
    ("ResponseContentEncoding", "ContentEncoding"),
    ("ResponseContentLanguage", "ContentLanguage"),
    ("ResponseContentType", "ContentType"),
    ("ResponseExpires", "Expires"),
];

pub(super) fn get_object(world: &World, input: &Value) -> OpResult {
    let (mut output, bytes) = look(world, input)?;
    output.insert("Body".to_owned(), STANDARD.encode(bytes).into());
    Ok(present(Value::Object(output)))
}

pub(super) fn head_object(world: &World, input: &Value) -> OpResult {
    let (output, _) = look(world, input)?;
    Ok(present(Value::Object(output)))
}

/// The version of the key that the request is about.
///
/// # Errors
/// 404 when there is none, or it is a delete marker and no version was named; 405 when the named version is one.
pub(super) fn version<'a>(
    bucket: &'a Bucket,
    key: &str,
    version: Option<&str>,
) -> Result<(&'a Object, &'a Content), ApiError> {
    let object = match version {
        None => bucket.current(key).ok_or_else(|| no_such_key(key))?,
        Some(wanted) => bucket
            .objects
            .get(key)
            .into_iter()
            .flatten()
            .find(|object| object.version_name() == wanted)
            .ok_or_else(|| no_such_version(key, wanted))?,
    };
    if let Some(content) = &object.content {
        return Ok((object, content));
    }
    let error = match version {
        None => no_such_key(key),
        Some(_) => ApiError::client(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
        .with_status(405),
    };
    Err(with(
        with(error, "x-amz-delete-marker", "true"),
        "x-amz-version-id",
        object.version_name(),
    ))
}

pub(super) fn no_such_version(key: &str, version: &str) -> ApiError {
    let error = ApiError::client("NoSuchVersion", "The specified version does not exist.").with_status(404);
    with(with(error, "Key", key), "VersionId", version)
}

/// Everything that an answer says of an object, and the bytes that were asked for.
fn look<'a>(world: &'a World, input: &Value) -> Result<(Map<String, Value>, &'a [u8]), ApiError> {
    let bucket = named(world, input)?;
    let key = text(input, "Key").unwrap_or_default();
    let (object, content) = version(bucket, key, text(input, "VersionId"))?;
    match condition::read(&condition::READ, object, content, input) {
        Verdict::Holds => {}
        Verdict::Fails(condition) => return Err(condition::failed(condition)),
        Verdict::Unchanged => {
            let error = ApiError::client("NotModified", "Not Modified").with_status(304);
            return Err(with(error, "etag", &content.etag));
        }
    }
    let mut output = content.kept.clone();
    for (given, overridden) in OVERRIDES {
        if let Some(value) = input.get(*given) {
            output.insert((*overridden).to_owned(), value.clone());
        }
    }
    let all = content.bytes.len();
    let (range, parts) = match integer(input, "PartNumber") {
        Some(number) => (Some(part(content, number)?), Some(content.parts.len())),
        None => (
            text(input, "Range").map_or(Ok(None), |range| within(range, all))?,
            None,
        ),
    };
    let (from, to) = range.unwrap_or((0, all));
    if range.is_some() {
        let range = format!("bytes {from}-{}/{all}", to.saturating_sub(1));
        output.insert("ContentRange".to_owned(), range.into());
    }
    // The checksum is over all bytes.
    if text(input, "ChecksumMode") == Some("ENABLED") && range.is_none() {
        output.extend(content.checksum.shown());
    }
    let said = [
        ("AcceptRanges", json!("bytes")),
        ("ContentLength", json!(to - from)),
        ("ETag", json!(content.etag)),
        ("LastModified", json!(object.modified.epoch_seconds())),
        ("PartsCount", json!(parts.filter(|count| *count > 0))),
        (
            "TagCount",
            json!(Some(content.tags.len()).filter(|count| *count > 0)),
        ),
        ("VersionId", object.shown_version(bucket)),
    ];
    output.extend(said.map(|(name, value)| (name.to_owned(), value)));
    Ok((output, content.bytes.get(from..to).unwrap_or_default()))
}

/// The bytes of one part of an object that was uploaded in parts; an object of one piece is its own part 1.
fn part(content: &Content, number: i64) -> Result<(usize, usize), ApiError> {
    let whole = [content.bytes.len()];
    let lengths = if content.parts.is_empty() {
        &whole[..]
    } else {
        &content.parts
    };
    let index = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1));
    let index = index.filter(|index| *index < lengths.len()).ok_or_else(|| {
        ApiError::client("InvalidPartNumber", "The requested partnumber is not satisfiable").with_status(416)
    })?;
    let from = lengths.iter().take(index).sum();
    Ok((from, from + lengths[index]))
}

/// The bytes that a `Range` header selects; `None` when S3 does not understand it and gives everything (RFC 9110,
/// section 14.2).
pub(super) fn within(range: &str, all: usize) -> Result<Option<(usize, usize)>, ApiError> {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let parsed = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(all)),
        (Ok(first), Err(_)) if last.is_empty() => (first, all),
        (Err(_), Ok(last)) if first.is_empty() => (all.saturating_sub(last), if last == 0 { 0 } else { all }),
        _ => return Ok(None),
    };
    if parsed.0 >= parsed.1 {
        let error =
            ApiError::client("InvalidRange", "The requested range is not satisfiable").with_status(416);
        return Err(with(
            with(error, "RangeRequested", range),
            "ActualObjectSize",
            &all.to_string(),
        ));
    }
    Ok(Some(parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        for (range, given) in [
            ("bytes=0-3", Some((0, 4))),
            ("bytes=4-", Some((4, 10))),
            ("bytes=-3", Some((7, 10))),
            ("bytes=8-100", Some((8, 10))),
            ("bytes=-100", Some((0, 10))),
            ("bytes=5-2", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(within(range, 10), Ok(given), "{range}");
        }
        for range in ["bytes=10-", "bytes=-0", "bytes=20-30"] {
            assert_eq!(within(range, 10).unwrap_err().status, 416, "{range}");
        }
    }
}
