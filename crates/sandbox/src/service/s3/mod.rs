//! Simple Storage Service: buckets, versioned objects, conditional writes, multipart uploads, checksums.
//!
//! Words, codes and statuses are those of the Amazon S3 API Reference ("Error responses") and of the user guide's
//! chapters on conditional requests, versioning and data integrity.

mod bucket;
mod checksum;
mod condition;
mod copy;
mod delete;
mod list;
mod multipart;
mod object;
mod presigned;
mod put;
mod read;
mod request;
mod tagging;
mod versions;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use presigned::{answer as answer_presigned, is_bucket, url as presigned};
pub(crate) use request::{action, check_place, check_request, conflict, finish, resource};

pub(crate) use self::object::Content;

use bytes::Bytes;

use self::multipart::Upload;
use self::object::Object;
use crate::error::ApiError;
use crate::ids::Ids;
use crate::service::member::text;
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

/// Every bucket of the account by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    buckets: BTreeMap<String, Bucket>,
}

/// Whether a bucket keeps what is overwritten and deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Versioning {
    /// It never did.
    Never,
    Enabled,
    Suspended,
}

#[derive(Debug)]
struct Bucket {
    created: SimTime,
    versioning: Versioning,
    /// The versions of every key, the oldest first. A key without any is not here.
    objects: BTreeMap<String, Vec<Object>>,
    /// Multipart uploads under way, by their ids.
    uploads: BTreeMap<String, Upload>,
}

impl Bucket {
    /// The version that a request without a version id is about; it may be a delete marker.
    fn current(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)?.last()
    }
}

operations! {
    Write AbortMultipartUpload => multipart::abort,
    Write CompleteMultipartUpload => multipart::complete,
    Write CopyObject => copy::copy_object,
    Write CreateMultipartUpload => multipart::create,
    Write DeleteBucket => bucket::delete,
    Write DeleteObject => delete::delete_object,
    Write DeleteObjectTagging => tagging::delete,
    Write DeleteObjects => delete::delete_objects,
    Read GetBucketLocation => bucket::location,
    Read GetBucketVersioning => bucket::versioning,
    Read GetObject => read::get_object,
    Read GetObjectTagging => tagging::get,
    Read HeadBucket => bucket::head,
    Read HeadObject => read::head_object,
    Read ListBuckets => bucket::list,
    Read ListMultipartUploads => multipart::list_uploads,
    Read ListObjectVersions => versions::list_object_versions,
    Read ListObjectsV2 => list::list_objects_v2,
    Read ListParts => multipart::list_parts,
    Write PutBucketVersioning => bucket::put_versioning,
    Write PutObject => put::put_object,
    Write PutObjectTagging => tagging::put,
    Write UploadPart => multipart::upload_part,
    Write UploadPartCopy => copy::upload_part_copy,
}

/// What S3 answers to requests that it has no operation for.
pub(crate) fn unknown_operation() -> ApiError {
    ApiError::client(
        "NotImplemented",
        "A header you provided implies functionality that is not implemented",
    )
    .with_status(501)
}

/// Creates an empty bucket.
pub(crate) fn create_bucket(world: &mut World, name: &str, versioned: bool, created: SimTime) {
    let bucket = Bucket {
        created,
        versioning: if versioned {
            Versioning::Enabled
        } else {
            Versioning::Never
        },
        objects: BTreeMap::new(),
        uploads: BTreeMap::new(),
    };
    world.services.s3.buckets.insert(name.to_owned(), bucket);
}

/// What a PutObject of these bytes leaves, without a checksum that the caller asked for.
pub(crate) fn plain_content(bytes: Bytes, content_type: &str) -> Content {
    Content::plain(bytes, content_type)
}

/// Puts an object or a delete marker in its place as of `at`; version ids are drawn from `ids`.
pub(crate) fn place(
    world: &mut World,
    ids: &mut Ids,
    at: SimTime,
    bucket: &str,
    key: &str,
    content: Option<Content>,
) {
    if let Some(bucket) = world.services.s3.buckets.get_mut(bucket) {
        bucket.push(ids, at, key, content);
    }
}

/// What each bucket holds: versions and their bytes.
pub(crate) fn held(world: &World) -> Vec<(String, u64, u64)> {
    let buckets = world.services.s3.buckets.iter();
    buckets
        .map(|(name, bucket)| {
            let contents = bucket
                .objects
                .values()
                .flatten()
                .filter_map(|object| object.content.as_ref());
            let (versions, bytes) = contents.fold((0, 0), |(versions, bytes), content| {
                (versions + 1, bytes + content.bytes.len() as u64)
            });
            (name.clone(), versions, bytes)
        })
        .collect()
}

/// Whether there is a bucket of this name.
pub(crate) fn has_bucket(world: &World, name: &str) -> bool {
    world.services.s3.buckets.contains_key(name)
}

/// Whether a bucket keeps versions from now on.
pub(crate) fn set_versioning(world: &mut World, name: &str, keeps: bool) {
    if let Some(bucket) = world.services.s3.buckets.get_mut(name) {
        bucket.versioning = match (keeps, bucket.versioning) {
            (true, _) => Versioning::Enabled,
            (false, Versioning::Never) => Versioning::Never,
            (false, _) => Versioning::Suspended,
        };
    }
}

/// Takes a bucket away; one with objects, versions or delete markers stays, unless it is emptied first. Returns whether
/// it is gone.
pub(crate) fn delete_bucket(world: &mut World, name: &str, empties: bool) -> bool {
    let buckets = &mut world.services.s3.buckets;
    if !empties && buckets.get(name).is_some_and(|bucket| !bucket.objects.is_empty()) {
        return false;
    }
    buckets.remove(name);
    true
}

/// Every key that a bucket has or had.
pub(crate) fn keys(world: &World, bucket: &str) -> Vec<String> {
    let bucket = world.services.s3.buckets.get(bucket);
    bucket
        .into_iter()
        .flat_map(|bucket| bucket.objects.keys().cloned())
        .collect()
}

/// Whether a bucket has an object of this name now.
pub(crate) fn holds(world: &World, bucket: &str, key: &str) -> bool {
    let bucket = world.services.s3.buckets.get(bucket);
    bucket.is_some_and(|bucket| bucket.current(key).is_some())
}

/// Whether the object of a copy source, `bucket/key` and percent-encoded, has tags.
pub(crate) fn has_tags(world: &World, source: &str) -> bool {
    let path = percent_encoding::percent_decode_str(source).decode_utf8_lossy();
    let object = path
        .split_once('/')
        .and_then(|(bucket, key)| world.services.s3.buckets.get(bucket)?.current(key));
    let content = object.and_then(|object| object.content.as_ref());
    content.is_some_and(|content| !content.tags.is_empty())
}

/// The bytes of an object.
pub(crate) fn bytes(world: &World, bucket: &str, key: &str) -> Option<Bytes> {
    let object = world.services.s3.buckets.get(bucket)?.current(key)?;
    Some(object.content.as_ref()?.bytes.clone())
}

/// The SHA-256 digest of `bytes` in hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    checksum::hex(&checksum::Algorithm::Sha256.of(bytes))
}

fn named<'a>(world: &'a World, input: &Value) -> Result<&'a Bucket, ApiError> {
    let name = text(input, "Bucket").unwrap_or_default();
    world
        .services
        .s3
        .buckets
        .get(name)
        .ok_or_else(|| no_such_bucket(name))
}

fn named_mut<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Bucket, ApiError> {
    let name = text(input, "Bucket").unwrap_or_default();
    world
        .services
        .s3
        .buckets
        .get_mut(name)
        .ok_or_else(|| no_such_bucket(name))
}

fn no_such_bucket(name: &str) -> ApiError {
    let error = ApiError::client("NoSuchBucket", "The specified bucket does not exist").with_status(404);
    with(error, "BucketName", name)
}

fn no_such_key(key: &str) -> ApiError {
    let error = ApiError::client("NoSuchKey", "The specified key does not exist.").with_status(404);
    with(error, "Key", key)
}

fn invalid_argument(message: &str, name: &str, value: &str) -> ApiError {
    let error = ApiError::client("InvalidArgument", message);
    with(with(error, "ArgumentName", name), "ArgumentValue", value)
}

/// An error with a further element, or (by a name in small letters) a further header.
fn with(mut error: ApiError, name: &str, value: &str) -> ApiError {
    error.members.insert(name.to_owned(), value.into());
    error
}
