//! Objects that S3 copies from one key to another, whole or in parts; no byte comes here.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::ChecksumAlgorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::is_conflict;
use super::upload::Part;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{CtlError, Required as _, Result, from_sdk};

/// What stays as it is in the header `x-amz-copy-source`, which is URL-encoded (Amazon S3 API Reference, CopyObject).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Way {
    pub(crate) bucket: String,
    pub(crate) from: String,
    /// What the source was when it was looked at: S3 copies nothing else.
    pub(crate) etag: String,
    /// The bucket that the copy is made in.
    pub(crate) into: String,
    pub(crate) to: String,
}

impl Way {
    fn source(&self) -> String {
        format!("{}/{}", self.bucket, utf8_percent_encode(&self.from, PLAIN))
    }

    /// S3 answers 412 when the source is another one by now, and when the copy is there already.
    fn overtaken(&self) -> CtlError {
        CtlError::changed(format!(
            "copy `{}` to `{}`: the one was replaced or the other written meanwhile",
            self.from, self.to
        ))
    }
}

/// Copies an object of at most 5 GB in one piece; S3 hashes it on the way.
#[derive(Clone, Debug)]
pub(crate) struct CopyObject {
    pub(crate) way: Way,
}

impl Call for CopyObject {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "CopyObject";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// SHA-256 of the copy, where S3 tells it.
    type Answer = Option<Vec<u8>>;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Bucket", self.way.into.as_str().into()),
            ("CopySource", self.way.source().into()),
            ("CopySourceIfMatch", self.way.etag.as_str().into()),
            ("ChecksumAlgorithm", "SHA256".into()),
            ("IfNoneMatch", "*".into()),
            ("Key", self.way.to.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("object/{}", self.way.to)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Option<Vec<u8>>> {
        let answer = aws
            .s3_client()
            .await?
            .copy_object()
            .bucket(&self.way.into)
            .copy_source(self.way.source())
            .copy_source_if_match(&self.way.etag)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .if_none_match("*")
            .key(&self.way.to)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .copy_object_result()
                .and_then(|result| result.checksum_sha256())
                .and_then(|digest| STANDARD.decode(digest).ok())),
            Err(error) if is_conflict(&error) => Err(self.way.overtaken()),
            Err(error) => Err(from_sdk(
                format!("copy `{}` to `{}`", self.way.from, self.way.to),
                &error,
            )),
        }
    }
}

/// Copies a range of an object into a part of an upload.
#[derive(Clone, Debug)]
pub(crate) struct UploadPartCopy {
    pub(crate) way: Way,
    pub(crate) upload: Later,
    /// Number, first byte and length; `None` in a plan, where it stands for any.
    pub(crate) part: Option<(i32, u64, u64)>,
}

impl Call for UploadPartCopy {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "UploadPartCopy";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = Part;

    fn parameters(&self) -> Map<String, Value> {
        let any = || Later::FromStep("the object".to_owned()).parameter();
        let (number, range) = match self.part {
            Some((number, first, length)) => (number.into(), range(first, length).into()),
            None => (any(), any()),
        };
        parameters([
            ("Bucket", self.way.into.as_str().into()),
            ("CopySource", self.way.source().into()),
            ("CopySourceIfMatch", self.way.etag.as_str().into()),
            ("CopySourceRange", range),
            ("Key", self.way.to.as_str().into()),
            ("PartNumber", number),
            ("UploadId", self.upload.parameter()),
        ])
    }

    fn resource(&self) -> String {
        format!("object/{}", self.way.to)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Part> {
        let (number, first, length) = self.part.required(Self::OPERATION, "PartNumber")?;
        let answer = aws
            .s3_client()
            .await?
            .upload_part_copy()
            .bucket(&self.way.into)
            .copy_source(self.way.source())
            .copy_source_if_match(&self.way.etag)
            .copy_source_range(range(first, length))
            .key(&self.way.to)
            .part_number(number)
            .upload_id(self.upload.known()?)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if is_conflict(&error) => return Err(self.way.overtaken()),
            Err(error) => {
                return Err(from_sdk(
                    format!("copy part {number} of `{}` to `{}`", self.way.from, self.way.to),
                    &error,
                ));
            }
        };
        let result = answer
            .copy_part_result()
            .required(Self::OPERATION, "CopyPartResult")?;
        Ok(Part {
            number,
            etag: result.e_tag().required(Self::OPERATION, "ETag")?.to_owned(),
            size: length,
            sha256: result
                .checksum_sha256()
                .required(Self::OPERATION, "ChecksumSHA256")?
                .to_owned(),
        })
    }
}

/// Both ends are copied.
fn range(first: u64, length: u64) -> String {
    format!("bytes={first}-{}", first + length.saturating_sub(1))
}

/// Copies an object of at most 5 GB for a backup, as it is, with its metadata and tags. What is there is written over: an
/// earlier run that was cut off has put it there.
#[derive(Clone, Debug)]
pub(crate) struct CopyToBackup {
    /// The bucket that the copies are made in.
    pub(crate) into: String,
    /// `None` in a plan, where it stands for any object of the bucket.
    pub(crate) way: Option<Way>,
}

impl Call for CopyToBackup {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "CopyObject";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// Whether it was copied; `false` when the source is gone or another one by now.
    type Answer = bool;

    fn parameters(&self) -> Map<String, Value> {
        let any = || Later::FromStep("the list of objects".to_owned()).parameter();
        let known = |of: fn(&Way) -> String| self.way.as_ref().map_or_else(any, |way| of(way).into());
        parameters([
            ("Bucket", self.into.as_str().into()),
            ("CopySource", known(Way::source)),
            ("CopySourceIfMatch", known(|way| way.etag.clone())),
            ("Key", known(|way| way.to.clone())),
        ])
    }

    fn resource(&self) -> String {
        format!("bucket/{}", self.into)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<bool> {
        let way = self.way.as_ref().required(Self::OPERATION, "CopySource")?;
        let answer = aws
            .s3_client()
            .await?
            .copy_object()
            .bucket(&self.into)
            .copy_source(way.source())
            .copy_source_if_match(&way.etag)
            .key(&way.to)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if is_conflict(&error) || error.code() == Some("NoSuchKey") => Ok(false),
            Err(error) => Err(from_sdk(
                format!(
                    "copy `{}` of bucket {} to bucket {}",
                    way.from, way.bucket, self.into
                ),
                &error,
            )),
        }
    }
}
