//! Multipart uploads (Amazon S3 user guide, "Uploading and copying objects using multipart upload").

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::checksum::{self, Algorithm, Checksum, Extent};
use super::list::{Entry, encoded, entries, page_size};
use super::object::{Content, kept};
use super::{Bucket, bucket, condition, invalid_argument, named, named_mut, put, with};
use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, list, page, present, text};
use crate::time::SimTime;
use crate::world::World;

/// Every part but the last has 5 MiB at least, and there are 10,000 at most ("Amazon S3 multipart upload limits").
const SMALLEST_PART: usize = 5 * 1024 * 1024;
const MOST_PARTS: i64 = 10_000;

/// An upload that has begun.
#[derive(Debug)]
pub(super) struct Upload {
    key: String,
    begun: SimTime,
    algorithm: Option<Algorithm>,
    extent: Option<Extent>,
    kept: Map<String, Value>,
    tags: BTreeMap<String, String>,
    parts: BTreeMap<i64, Part>,
}

#[derive(Debug)]
struct Part {
    bytes: Bytes,
    etag: String,
    modified: SimTime,
    checksum: Option<(Algorithm, String)>,
}

pub(super) fn create(world: &mut World, input: &Value) -> OpResult {
    let key = put::key(input)?;
    named(world, input)?;
    let algorithm = text(input, "ChecksumAlgorithm").and_then(Algorithm::named);
    let extent = match text(input, "ChecksumType") {
        Some("FULL_OBJECT") => Some(Extent::FullObject),
        Some(_) => Some(Extent::Composite),
        None => None,
    };
    check_type(algorithm, extent)?;
    let upload = Upload {
        key: key.to_owned(),
        begun: world.now,
        algorithm,
        extent,
        kept: kept(input)?,
        tags: put::tags(input)?,
        parts: BTreeMap::new(),
    };
    let encryption = upload.kept.get("ServerSideEncryption").cloned();
    let id = world.gateway.ids.hex(64);
    named_mut(world, input)?.uploads.insert(id.clone(), upload);
    Ok(present(json!({
        "Bucket": text(input, "Bucket"),
        "Key": key,
        "UploadId": id,
        "ChecksumAlgorithm": algorithm.map(Algorithm::name),
        "ChecksumType": text(input, "ChecksumType"),
        "ServerSideEncryption": encryption,
    })))
}

/// Which checksums of a multipart upload can be over the whole object and which over its parts (user guide, "Checking
/// object integrity in Amazon S3", "Full object and composite checksum types").
fn check_type(algorithm: Option<Algorithm>, extent: Option<Extent>) -> Result<(), ApiError> {
    let (name, wrong) = match (algorithm, extent) {
        (Some(of @ (Algorithm::Sha1 | Algorithm::Sha256)), Some(Extent::FullObject)) => (of, "FULL_OBJECT"),
        (Some(of @ Algorithm::Crc64Nvme), Some(Extent::Composite)) => (of, "COMPOSITE"),
        _ => return Ok(()),
    };
    Err(ApiError::client(
        "InvalidRequest",
        format!(
            "The {wrong} checksum type cannot be used with the {} checksum algorithm.",
            name.name().to_lowercase()
        ),
    ))
}

fn no_such_upload(id: &str) -> ApiError {
    let error = ApiError::client(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
    .with_status(404);
    with(error, "UploadId", id)
}

fn upload<'a>(bucket: &'a Bucket, input: &Value) -> Result<(&'a str, &'a Upload), ApiError> {
    let id = text(input, "UploadId").unwrap_or_default();
    let (name, upload) = bucket
        .uploads
        .get_key_value(id)
        .ok_or_else(|| no_such_upload(id))?;
    if text(input, "Key") != Some(upload.key.as_str()) {
        return Err(no_such_upload(id));
    }
    Ok((name, upload))
}

pub(super) fn upload_part(world: &mut World, input: &Value) -> OpResult {
    let part = keep_part(world, input, put::body(input))?;
    Ok(present(part))
}

/// Keeps `bytes` as a part of the upload and answers its tag and checksum.
pub(super) fn keep_part(world: &mut World, input: &Value, bytes: Bytes) -> OpResult {
    let number = integer(input, "PartNumber").unwrap_or_default();
    if !(1..=MOST_PARTS).contains(&number) {
        return Err(invalid_argument(
            "Part number must be an integer between 1 and 10000, inclusive",
            "partNumber",
            &number.to_string(),
        ));
    }
    let now = world.now;
    let bucket = named_mut(world, input)?;
    let (id, algorithm) = upload(bucket, input).map(|(id, upload)| (id.to_owned(), upload.algorithm))?;
    let algorithm = Algorithm::given(input)
        .map(|(algorithm, _)| algorithm)
        .or(algorithm);
    let checksum = algorithm.map(|algorithm| (algorithm, algorithm.base64(&bytes)));
    let etag = format!("\"{}\"", checksum::hex(&checksum::md5(&bytes)));
    let mut output = Map::from_iter([("ETag".to_owned(), json!(etag))]);
    if let Some((algorithm, value)) = &checksum {
        output.insert(algorithm.member().to_owned(), json!(value));
    }
    if let Some(upload) = bucket.uploads.get_mut(&id) {
        let encryption = upload.kept.get("ServerSideEncryption").cloned();
        output.insert("ServerSideEncryption".to_owned(), encryption.unwrap_or_default());
        upload.parts.insert(
            number,
            Part {
                bytes,
                etag,
                modified: now,
                checksum,
            },
        );
    }
    Ok(Value::Object(output))
}

pub(super) fn abort(world: &mut World, input: &Value) -> OpResult {
    let bucket = named_mut(world, input)?;
    let id = upload(bucket, input).map(|(id, _)| id.to_owned())?;
    bucket.uploads.remove(&id);
    Ok(json!({}))
}

pub(super) fn complete(world: &mut World, input: &Value) -> OpResult {
    let bucket = named(world, input)?;
    let key = put::key(input)?;
    let (id, upload) = upload(bucket, input)?;
    condition::write(bucket, key, input)?;
    let wanted = input.get("MultipartUpload").cloned().unwrap_or_default();
    let parts = chosen(upload, list(&wanted, "Parts"))?;
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.bytes.iter().copied()).collect();
    let digests: Vec<u8> = parts.iter().flat_map(|part| checksum::md5(&part.bytes)).collect();
    let content = Content {
        etag: format!("\"{}-{}\"", checksum::hex(&checksum::md5(&digests)), parts.len()),
        checksum: whole(upload, &parts, &bytes),
        kept: upload.kept.clone(),
        tags: upload.tags.clone(),
        parts: parts.iter().map(|part| part.bytes.len()).collect(),
        bytes: bytes.into(),
    };
    if let Some((algorithm, given)) = Algorithm::given(input)
        && (algorithm != content.checksum.algorithm || given != content.checksum.value)
    {
        return Err(checksum::bad_digest(algorithm.name()));
    }
    if integer(input, "MpuObjectSize").is_some_and(|size| size != content.bytes.len() as i64) {
        return Err(ApiError::client(
            "InvalidRequest",
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        ));
    }
    let id = id.to_owned();
    let name = text(input, "Bucket").unwrap_or_default();
    let mut output = content.checksum.shown();
    output.extend([
        ("Bucket".to_owned(), json!(name)),
        ("Key".to_owned(), json!(key)),
        ("ETag".to_owned(), json!(content.etag)),
        (
            "Location".to_owned(),
            json!(format!(
                "https://{name}.s3.{}.amazonaws.com/{}",
                world.options.region,
                encoded(&json!({"EncodingType": "url"}), key)
            )),
        ),
    ]);
    let output = put::store(world, input, key, content, output)?;
    named_mut(world, input)?.uploads.remove(&id);
    Ok(output)
}

/// The parts that the request lists, each as it was uploaded.
fn chosen<'a>(upload: &'a Upload, wanted: &[Value]) -> Result<Vec<&'a Part>, ApiError> {
    if wanted.is_empty() {
        return Err(ApiError::client(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ));
    }
    let numbers: Vec<i64> = wanted
        .iter()
        .filter_map(|part| integer(part, "PartNumber"))
        .collect();
    if !numbers.is_sorted_by(|before, after| before < after) {
        return Err(ApiError::client(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
        ));
    }
    let mut parts = Vec::with_capacity(wanted.len());
    for given in wanted {
        let part = integer(given, "PartNumber").and_then(|number| upload.parts.get(&number));
        let matching = part.filter(|part| {
            let etag = text(given, "ETag").is_some_and(|etag| condition::same(etag, &part.etag));
            let sum = Algorithm::given(given).is_none_or(|(algorithm, value)| {
                part.checksum
                    .as_ref()
                    .is_none_or(|(of, known)| *of != algorithm || known == value)
            });
            etag && sum
        });
        parts.push(matching.ok_or_else(|| {
            ApiError::client(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
            )
        })?);
    }
    let too_small = parts
        .iter()
        .rev()
        .skip(1)
        .find(|part| part.bytes.len() < SMALLEST_PART);
    if let Some(part) = too_small {
        let error = ApiError::client(
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        );
        let error = with(error, "ProposedSize", &part.bytes.len().to_string());
        return Err(with(error, "MinSizeAllowed", &SMALLEST_PART.to_string()));
    }
    Ok(parts)
}

/// The checksum of the whole: over all bytes for CRC64NVME and where the upload asked for it, else over the parts'.
fn whole(upload: &Upload, parts: &[&Part], bytes: &[u8]) -> Checksum {
    let algorithm = upload.algorithm.unwrap_or(Algorithm::Crc64Nvme);
    if algorithm == Algorithm::Crc64Nvme || upload.extent == Some(Extent::FullObject) {
        return Checksum::of(algorithm, bytes);
    }
    let each: Vec<String> = parts.iter().map(|part| algorithm.base64(&part.bytes)).collect();
    Checksum::composite(algorithm, &each)
}

pub(super) fn list_parts(world: &World, input: &Value) -> OpResult {
    let (id, upload) = upload(named(world, input)?, input)?;
    let size = page_size(input, "MaxParts")?;
    let marker = integer(input, "PartNumberMarker").unwrap_or(0);
    let all: Vec<(&i64, &Part)> = upload
        .parts
        .iter()
        .filter(|(number, _)| **number > marker)
        .collect();
    let (shown, more) = page(all, None, size, || no_such_upload(id))?;
    let parts: Vec<Value> = shown
        .iter()
        .map(|(number, part)| {
            let mut entry = json!({
                "PartNumber": number,
                "LastModified": part.modified.epoch_seconds(),
                "ETag": part.etag,
                "Size": part.bytes.len(),
            });
            if let Some((algorithm, value)) = &part.checksum {
                entry[algorithm.member()] = json!(value);
            }
            entry
        })
        .collect();
    let next = shown.last().filter(|_| more.is_some()).map(|(number, _)| number);
    Ok(present(json!({
        "Bucket": text(input, "Bucket"),
        "Key": upload.key,
        "UploadId": id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": next,
        "MaxParts": size,
        "IsTruncated": more.is_some(),
        "Parts": Some(parts).filter(|parts| !parts.is_empty()),
        "Initiator": bucket::owner(world),
        "Owner": bucket::owner(world),
        "StorageClass": upload.kept.get("StorageClass").cloned().unwrap_or_else(|| json!("STANDARD")),
        "ChecksumAlgorithm": upload.algorithm.map(Algorithm::name),
    })))
}

pub(super) fn list_uploads(world: &World, input: &Value) -> OpResult {
    let found = named(world, input)?;
    let size = page_size(input, "MaxUploads")?;
    let mut uploads: Vec<(&str, (&String, &Upload))> = found
        .uploads
        .iter()
        .map(|(id, upload)| (upload.key.as_str(), (id, upload)))
        .collect();
    uploads.sort_by_key(|(key, (id, upload))| (*key, upload.begun, id.as_str()));
    let marker = text(input, "KeyMarker").unwrap_or_default();
    // With an upload's id the page begins behind that upload of the marker's key.
    let behind = text(input, "UploadIdMarker").filter(|_| !marker.is_empty());
    let start = match behind {
        Some(wanted) => uploads
            .iter()
            .position(|(_, (id, _))| *id == wanted)
            .map_or(0, |at| at + 1),
        None => 0,
    };
    let after = if behind.is_some() { "" } else { marker };
    let (entries, next) = entries(uploads.into_iter().skip(start), input, after, size);
    let (mut shown, mut prefixes, mut last_id) = (Vec::new(), Vec::new(), None);
    for entry in entries {
        match entry {
            Entry::Common(prefix) => prefixes.push(json!({ "Prefix": encoded(input, &prefix) })),
            Entry::Item((id, upload)) => {
                last_id = Some(id.clone());
                shown.push(json!({
                    "UploadId": id,
                    "Key": encoded(input, &upload.key),
                    "Initiated": upload.begun.epoch_seconds(),
                    "StorageClass": upload.kept.get("StorageClass").cloned().unwrap_or_else(|| json!("STANDARD")),
                    "Owner": bucket::owner(world),
                    "Initiator": bucket::owner(world),
                    "ChecksumAlgorithm": upload.algorithm.map(Algorithm::name),
                }));
            }
        }
    }
    Ok(present(json!({
        "Bucket": text(input, "Bucket"),
        "KeyMarker": text(input, "KeyMarker").unwrap_or_default(),
        "UploadIdMarker": text(input, "UploadIdMarker").unwrap_or_default(),
        "NextKeyMarker": next,
        "NextUploadIdMarker": last_id.filter(|_| next.is_some()),
        "Prefix": text(input, "Prefix"),
        "Delimiter": text(input, "Delimiter"),
        "EncodingType": text(input, "EncodingType"),
        "MaxUploads": size,
        "IsTruncated": next.is_some(),
        "Uploads": Some(shown).filter(|shown| !shown.is_empty()),
        "CommonPrefixes": Some(prefixes).filter(|prefixes| !prefixes.is_empty()),
    })))
}
