//! Objects that are written: in one piece, or in parts that can be gone on with.

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::super::pages::Tokens;
use super::{is_conflict, status};
use crate::bundle::Sha256;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// The entry of an object's own metadata that keeps the name of the file.
pub(super) const FILE_NAME: &str = "original-filename";

/// Writes an object in one piece. S3 compares the digest with what arrives.
#[derive(Clone, Debug)]
pub(crate) struct PutObject {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) content_type: &'static str,
    /// SHA-256 in base64; `None` in a plan that does not know the bytes yet.
    pub(crate) sha256: Option<String>,
    pub(crate) length: Option<u64>,
    /// The name of the file, kept with the object.
    pub(crate) file: Option<String>,
    /// An object that is there already is written over.
    pub(crate) replaces: bool,
    /// Empty in a plan.
    pub(crate) body: Bytes,
}

impl PutObject {
    /// A document of bpctl's own; without its text, as a plan shows it.
    pub(crate) fn of_text(bucket: &str, key: &str, text: Option<&str>) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            content_type: "application/json",
            sha256: text.map(|text| Sha256::of(text.as_bytes()).to_base64()),
            length: text.map(|text| text.len() as u64),
            file: None,
            replaces: false,
            body: text.map(|text| Bytes::from(text.to_owned())).unwrap_or_default(),
        }
    }

    fn doing(&self) -> String {
        format!("write `{}` in bucket {}", self.key, self.bucket)
    }
}

/// An object that must not be there is.
fn exists(doing: String) -> CtlError {
    CtlError::changed(format!("{doing}: another client has written it by now"))
}

impl Call for PutObject {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "PutObject";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        let any = || Later::FromStep("the content".to_owned()).parameter();
        let mut members = parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Key", self.key.as_str().into()),
            ("ContentLength", self.length.map_or_else(any, Value::from)),
            ("ContentType", self.content_type.into()),
            (
                "ChecksumSHA256",
                self.sha256.as_deref().map_or_else(any, Value::from),
            ),
        ]);
        if let Some(file) = &self.file {
            members.insert("Metadata".to_owned(), json!({ FILE_NAME: file }));
        }
        if !self.replaces {
            members.insert("IfNoneMatch".to_owned(), "*".into());
        }
        members
    }

    fn resource(&self) -> String {
        format!("object/{}", self.key)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let answer = aws
            .s3_client()
            .await?
            .put_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .content_type(self.content_type)
            .set_checksum_sha256(self.sha256.clone())
            .set_metadata(
                self.file
                    .as_ref()
                    .map(|file| [(FILE_NAME.to_owned(), file.clone())].into()),
            )
            .set_if_none_match((!self.replaces).then(|| "*".to_owned()))
            .body(self.body.clone().into())
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if is_conflict(&error) => Err(exists(self.doing())),
            Err(error) => Err(from_sdk(self.doing(), &error)),
        }
    }
}

/// Begins an upload in parts, each with a SHA-256 digest. S3 offers SHA-256 over the digests of the parts only (Amazon
/// S3 User Guide, "Checking object integrity in Amazon S3").
#[derive(Clone, Debug)]
pub(crate) struct CreateMultipartUpload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) file: Option<String>,
}

impl Call for CreateMultipartUpload {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "CreateMultipartUpload";
    // A second one is gone on with, or lies beside the first without being seen.
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The id of the upload.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        let mut members = parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Key", self.key.as_str().into()),
            ("ContentType", "application/octet-stream".into()),
            ("ChecksumAlgorithm", "SHA256".into()),
        ]);
        if let Some(file) = &self.file {
            members.insert("Metadata".to_owned(), json!({ FILE_NAME: file }));
        }
        members
    }

    fn resource(&self) -> String {
        format!("object/{}", self.key)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let answer = aws
            .s3_client()
            .await?
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .content_type("application/octet-stream")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .set_metadata(
                self.file
                    .as_ref()
                    .map(|file| [(FILE_NAME.to_owned(), file.clone())].into()),
            )
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("begin the upload of `{}`", self.key), &error))?;
        Ok(answer
            .upload_id()
            .required(Self::OPERATION, "UploadId")?
            .to_owned())
    }
}

/// A part that S3 has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) number: i32,
    pub(crate) etag: String,
    pub(crate) size: u64,
    /// SHA-256 in base64.
    pub(crate) sha256: String,
}

/// The bytes of one part.
#[derive(Clone, Debug)]
pub(crate) struct PartBody {
    pub(crate) number: i32,
    /// SHA-256 in base64.
    pub(crate) sha256: String,
    pub(crate) bytes: Bytes,
}

/// Sends one part. S3 compares its digest with what arrives.
#[derive(Clone, Debug)]
pub(crate) struct UploadPart {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) upload: Later,
    /// `None` in a plan, where it stands for any.
    pub(crate) part: Option<PartBody>,
}

impl Call for UploadPart {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "UploadPart";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = Part;

    fn parameters(&self) -> Map<String, Value> {
        let any = || Later::FromStep("the file".to_owned()).parameter();
        let (number, length, sha256) = match &self.part {
            Some(part) => (
                part.number.into(),
                part.bytes.len().into(),
                part.sha256.as_str().into(),
            ),
            None => (any(), any(), any()),
        };
        parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Key", self.key.as_str().into()),
            ("UploadId", self.upload.parameter()),
            ("PartNumber", number),
            ("ContentLength", length),
            ("ChecksumSHA256", sha256),
        ])
    }

    fn resource(&self) -> String {
        format!("object/{}", self.key)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Part> {
        let Some(part) = &self.part else {
            return Err(CtlError::new(
                ErrorKind::Unexpected,
                "send a part that has not been read",
            ));
        };
        let doing = || format!("send part {} of `{}`", part.number, self.key);
        let answer = aws
            .s3_client()
            .await?
            .upload_part()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(self.upload.known()?)
            .part_number(part.number)
            .checksum_sha256(&part.sha256)
            .body(part.bytes.clone().into())
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        Ok(Part {
            number: part.number,
            etag: answer.e_tag().required(Self::OPERATION, "ETag")?.to_owned(),
            size: part.bytes.len() as u64,
            sha256: part.sha256.clone(),
        })
    }
}

/// Makes the object of its parts.
#[derive(Clone, Debug)]
pub(crate) struct CompleteMultipartUpload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) upload: Later,
    /// `None` in a plan.
    pub(crate) parts: Option<Vec<Part>>,
    pub(crate) size: u64,
    pub(crate) replaces: bool,
}

impl Call for CompleteMultipartUpload {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "CompleteMultipartUpload";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// S3's digest over the digests of the parts.
    type Answer = Option<String>;

    fn parameters(&self) -> Map<String, Value> {
        let parts = match &self.parts {
            None => Later::FromStep("the parts".to_owned()).parameter(),
            Some(parts) => {
                let part = |part: &Part| json!({"ETag": part.etag, "ChecksumSHA256": part.sha256, "PartNumber": part.number});
                json!({"Parts": parts.iter().map(part).collect::<Vec<_>>()})
            }
        };
        let mut members = parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Key", self.key.as_str().into()),
            ("UploadId", self.upload.parameter()),
            ("MultipartUpload", parts),
            ("MpuObjectSize", self.size.into()),
        ]);
        if !self.replaces {
            members.insert("IfNoneMatch".to_owned(), "*".into());
        }
        members
    }

    fn resource(&self) -> String {
        format!("object/{}", self.key)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Option<String>> {
        let doing = || format!("complete the upload of `{}`", self.key);
        let parts = self.parts.iter().flatten().map(|part| {
            CompletedPart::builder()
                .part_number(part.number)
                .e_tag(&part.etag)
                .checksum_sha256(&part.sha256)
                .build()
        });
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        let size = i64::try_from(self.size)
            .map_err(|error| CtlError::new(ErrorKind::Usage, doing()).source(&error))?;
        let answer = aws
            .s3_client()
            .await?
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(self.upload.known()?)
            .multipart_upload(parts)
            .mpu_object_size(size)
            .set_if_none_match((!self.replaces).then(|| "*".to_owned()))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.checksum_sha256().map(str::to_owned)),
            Err(error) if is_conflict(&error) => Err(exists(doing())),
            Err(error) => Err(from_sdk(doing(), &error)),
        }
    }
}

/// Throws the parts of an upload away.
#[derive(Clone, Debug)]
pub(crate) struct AbortMultipartUpload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) upload: Later,
}

impl Call for AbortMultipartUpload {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "AbortMultipartUpload";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Key", self.key.as_str().into()),
            ("UploadId", self.upload.parameter()),
        ])
    }

    fn resource(&self) -> String {
        format!("object/{}", self.key)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let answer = aws
            .s3_client()
            .await?
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(self.upload.known()?)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(from_sdk(
                format!("throw the parts of `{}` away", self.key),
                &error,
            )),
        }
    }
}

impl Aws {
    /// The newest upload of this key that is under way with SHA-256 digests.
    pub(crate) async fn upload_of(&self, bucket: &str, key: &str) -> Result<Option<String>> {
        let doing = || format!("look for an upload of `{key}` that was cut off");
        let client = self.s3_client().await?;
        let mut tokens = Tokens::default();
        let mut found: Option<(i64, String)> = None;
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let page = client
                .list_multipart_uploads()
                .bucket(bucket)
                .prefix(key)
                .set_key_marker(key_marker)
                .set_upload_id_marker(id_marker)
                .send()
                .await
                .map_err(|error| from_sdk(doing(), &error))?;
            for upload in page.uploads() {
                let ours = upload.key() == Some(key)
                    && upload.checksum_algorithm() == Some(&ChecksumAlgorithm::Sha256);
                let begun = upload.initiated().map_or(0, |begun| begun.secs());
                let newer = found.as_ref().is_none_or(|(known, _)| begun >= *known);
                if let (true, true, Some(id)) = (ours, newer, upload.upload_id()) {
                    found = Some((begun, id.to_owned()));
                }
            }
            if page.is_truncated() != Some(true) {
                return Ok(found.map(|(_, id)| id));
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            id_marker = page.next_upload_id_marker().map(str::to_owned);
            tokens.note(&doing(), &format!("{key_marker:?} {id_marker:?}"))?;
        }
    }

    /// The parts that an upload has; none when it is gone.
    pub(crate) async fn parts_of(&self, bucket: &str, key: &str, upload: &str) -> Result<Vec<Part>> {
        const REQUEST: &str = "ListParts";
        let doing = || format!("list the parts of `{key}`");
        let client = self.s3_client().await?;
        let mut tokens = Tokens::default();
        let mut parts = Vec::new();
        let mut marker = None;
        loop {
            let page = client
                .list_parts()
                .bucket(bucket)
                .key(key)
                .upload_id(upload)
                .set_part_number_marker(marker)
                .send()
                .await;
            let page = match page {
                Ok(page) => page,
                Err(error) if status(&error) == Some(404) => return Ok(Vec::new()),
                Err(error) => return Err(from_sdk(doing(), &error)),
            };
            for part in page.parts() {
                // One without a digest cannot be compared: it is sent again.
                let Some(sha256) = part.checksum_sha256() else {
                    continue;
                };
                parts.push(Part {
                    number: part.part_number().required(REQUEST, "PartNumber")?,
                    etag: part.e_tag().required(REQUEST, "ETag")?.to_owned(),
                    size: u64::try_from(part.size().required(REQUEST, "Size")?).unwrap_or_default(),
                    sha256: sha256.to_owned(),
                });
            }
            if page.is_truncated() != Some(true) {
                return Ok(parts);
            }
            marker = page.next_part_number_marker().map(str::to_owned);
            tokens.note(&doing(), marker.as_deref().unwrap_or_default())?;
        }
    }
}
