//! What S3 looks at before any operation: where the request goes, whether its body is what it says, and IAM's words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{checksum, unknown_operation, with};
use crate::error::ApiError;
use crate::service::Service;
use crate::service::member::text;
use crate::time::SimTime;
use crate::wire::{Address, Payload};
use crate::world::World;

/// The most that one request may carry. S3 takes 5 GB; the sandbox holds everything in memory.
const LARGEST: usize = 16 * 1024 * 1024;

/// Members that the sandbox has nothing behind. A request with one of them is refused, so that none is lost in silence.
const NOT_THERE: &[&str] = &[
    "GrantFullControl",
    "ObjectLockLegalHoldStatus",
    "ObjectLockMode",
    "SSECustomerAlgorithm",
    "WriteOffsetBytes",
];

/// Checks the body against what the request says of it, and a presigned address against the clock.
pub(crate) fn check_request(
    now: SimTime,
    operation: &str,
    address: &Address,
    payload: &Payload<'_>,
) -> Result<(), ApiError> {
    if expired(now, address) {
        return Err(ApiError::client("AccessDenied", "Request has expired").with_status(403));
    }
    if payload.body.len() > LARGEST {
        return Err(ApiError::client(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed object size.",
        ));
    }
    let header = |name: &str| payload.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(hash) = header("x-amz-content-sha256").filter(|hash| hash.len() == 64)
        && !hash.eq_ignore_ascii_case(&checksum::hex(&Sha256::digest(&payload.body)))
    {
        return Err(ApiError::client(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ));
    }
    if let Some(given) = header("content-md5") {
        let computed = checksum::md5(&payload.body);
        match STANDARD.decode(given) {
            Ok(bytes) if bytes.len() == 16 && bytes == computed => {}
            Ok(bytes) if bytes.len() == 16 => {
                return Err(ApiError::client(
                    "BadDigest",
                    "The Content-MD5 you specified did not match what we received.",
                ));
            }
            _ => {
                return Err(ApiError::client(
                    "InvalidDigest",
                    "The Content-MD5 you specified is not valid.",
                ));
            }
        }
    }
    // At the end of a multipart upload the checksums are those of the whole object.
    if operation == "CompleteMultipartUpload" {
        return Ok(());
    }
    checksum::verify(&header, &payload.body)
}

fn expired(now: SimTime, address: &Address) -> bool {
    let parameter = |name: &str| address.parameter(name);
    let signed: Option<jiff::Timestamp> = parameter("X-Amz-Date").and_then(|date| date.parse().ok());
    let lasts: Option<i64> = parameter("X-Amz-Expires").and_then(|seconds| seconds.parse().ok());
    let (Some(signed), Some(lasts)) = (signed, lasts) else {
        return false;
    };
    now.0 > signed.as_millisecond().saturating_add(lasts.saturating_mul(1000))
}

/// Checks that the request came to the bucket's region, is meant for its owner and asks for nothing unknown.
pub(crate) fn check_place(world: &World, region: &str, input: &Value) -> Result<(), ApiError> {
    if NOT_THERE.iter().any(|member| input.get(member).is_some()) {
        return Err(unknown_operation());
    }
    let Some(bucket) = text(input, "Bucket") else {
        return Ok(());
    };
    if !world.services.s3.buckets.contains_key(bucket) {
        return Ok(());
    }
    if region != world.options.region {
        let error = ApiError::client(
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
        )
        .with_status(301);
        let error = with(error, "Bucket", bucket);
        return Err(with(error, "x-amz-bucket-region", &world.options.region));
    }
    for owner in ["ExpectedBucketOwner", "ExpectedSourceBucketOwner"] {
        if text(input, owner).is_some_and(|owner| owner != world.options.account_id) {
            return Err(ApiError::client("AccessDenied", "Access Denied").with_status(403));
        }
    }
    Ok(())
}

/// What a conditional write meets when another write of the same key is under way.
pub(crate) fn conflict(service: Service, input: &Value) -> Result<(), ApiError> {
    let conditional = ["IfMatch", "IfNoneMatch"]
        .iter()
        .any(|member| input.get(member).is_some());
    if service != Service::S3 || !conditional {
        return Ok(());
    }
    let error = ApiError::client(
        "ConditionalRequestConflict",
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
    )
    .with_status(409);
    Err(with(error, "Key", text(input, "Key").unwrap_or_default()))
}

/// The headers that every answer of S3 has.
pub(crate) fn finish(response: &mut Response<Bytes>, request_id: &str) {
    let short: String = request_id
        .replace('-', "")
        .to_uppercase()
        .chars()
        .take(16)
        .collect();
    let long = STANDARD.encode(Sha256::digest(request_id));
    for (name, value) in [("x-amz-request-id", &short), ("x-amz-id-2", &long)] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
        .headers_mut()
        .insert("server", http::HeaderValue::from_static("AmazonS3"));
}

/// The action that IAM checks for an operation (Service Authorization Reference, "Amazon S3").
pub(crate) fn action(operation: &str) -> String {
    let action = match operation {
        "CompleteMultipartUpload"
        | "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy" => "PutObject",
        "DeleteObjects" => "DeleteObject",
        "HeadBucket" | "ListObjectsV2" => "ListBucket",
        "HeadObject" => "GetObject",
        "ListBuckets" => "ListAllMyBuckets",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListObjectVersions" => "ListBucketVersions",
        "ListParts" => "ListMultipartUploadParts",
        other => other,
    };
    format!("s3:{action}")
}

/// The resource that IAM checks.
pub(crate) fn resource(bucket: Option<&str>, key: Option<&str>) -> String {
    match (bucket, key) {
        (Some(bucket), Some(key)) => format!("arn:aws:s3:::{bucket}/{key}"),
        (Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
        (None, _) => "*".to_owned(),
    }
}
