//! Conditional requests (Amazon S3 user guide, "Add preconditions to S3 operations with conditional requests").

use serde_json::Value;

use super::object::{Content, Object};
use super::{Bucket, no_such_key, unknown_operation, with};
use crate::error::ApiError;
use crate::service::member::text;
use crate::time::SimTime;

/// Whether two entity tags are equal, with or without their quotation marks.
pub(super) fn same(given: &str, etag: &str) -> bool {
    given.trim().trim_matches('"') == etag.trim_matches('"')
}

pub(super) fn failed(condition: &str) -> ApiError {
    let error = ApiError::client(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
    .with_status(412);
    with(error, "Condition", condition)
}

/// Checks `If-None-Match: *` and `If-Match` of a write. A delete marker is no object.
///
/// # Errors
/// 412 when there is an object that must not be there or another one than said; 404 when the object to replace is
/// not there.
pub(super) fn write(bucket: &Bucket, key: &str, input: &Value) -> Result<(), ApiError> {
    let current = bucket.current(key).and_then(|object| object.content.as_ref());
    if let Some(none) = text(input, "IfNoneMatch") {
        if none != "*" {
            return Err(unknown_operation());
        }
        if current.is_some() {
            return Err(failed("If-None-Match"));
        }
    }
    match (text(input, "IfMatch"), current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(no_such_key(key)),
        (Some(etag), Some(content)) if same(etag, &content.etag) => Ok(()),
        (Some(_), Some(_)) => Err(failed("If-Match")),
    }
}

/// Checks the `If-Match` of a deletion: an entity tag, or `*` for any object.
///
/// # Errors
/// 412 when there is another object or, for `*`, none; 404 when the object of that tag is not there.
pub(super) fn delete(bucket: &Bucket, key: &str, etag: Option<&str>) -> Result<(), ApiError> {
    let current = bucket.current(key).and_then(|object| object.content.as_ref());
    match (etag, current) {
        (None, _) | (Some("*"), Some(_)) => Ok(()),
        (Some("*"), None) => Err(failed("If-Match")),
        (Some(_), None) => Err(no_such_key(key)),
        (Some(etag), Some(content)) if same(etag, &content.etag) => Ok(()),
        (Some(_), Some(_)) => Err(failed("If-Match")),
    }
}

/// The members that hold the four conditions of a read, or of the source of a copy.
pub(super) struct Names {
    matches: &'static str,
    none_matches: &'static str,
    modified: &'static str,
    unmodified: &'static str,
}

pub(super) const READ: Names = Names {
    matches: "IfMatch",
    none_matches: "IfNoneMatch",
    modified: "IfModifiedSince",
    unmodified: "IfUnmodifiedSince",
};

pub(super) const COPY: Names = Names {
    matches: "CopySourceIfMatch",
    none_matches: "CopySourceIfNoneMatch",
    modified: "CopySourceIfModifiedSince",
    unmodified: "CopySourceIfUnmodifiedSince",
};

/// How a read's conditions came out.
pub(super) enum Verdict {
    Holds,
    /// The caller has it already: 304 for a read.
    Unchanged,
    /// 412.
    Fails(&'static str),
}

/// Checks the conditions of a read in the order of RFC 7232: a tag goes before a date.
pub(super) fn read(names: &Names, object: &Object, content: &Content, input: &Value) -> Verdict {
    let tagged = |name: &str| {
        let tags = text(input, name)?;
        Some(
            tags.split(',')
                .any(|tag| tag.trim() == "*" || same(tag, &content.etag)),
        )
    };
    let later = |name: &str| {
        let since = SimTime::from_epoch_seconds(input.get(name)?.as_f64()?);
        // Dates in headers have whole seconds.
        Some(object.modified.0.div_euclid(1000) > since.0.div_euclid(1000))
    };
    match (tagged(names.matches), later(names.unmodified)) {
        (Some(false), _) => return Verdict::Fails("If-Match"),
        (None, Some(true)) => return Verdict::Fails("If-Unmodified-Since"),
        _ => {}
    }
    match (tagged(names.none_matches), later(names.modified)) {
        (Some(true), _) | (None, Some(false)) => Verdict::Unchanged,
        _ => Verdict::Holds,
    }
}
