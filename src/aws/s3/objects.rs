//! Objects of the platform's buckets: listed, described, read whole or as a stream.

use std::error::Error as StdError;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, Object};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::{Page, Pages};
use super::status;
use super::upload::FILE_NAME;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};
use crate::layout::Layout;

/// How often a body that breaks off is asked for again from where it broke off.
const RESUMED: u32 = 5;

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) modified: Option<Timestamp>,
}

/// An object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) size: u64,
    /// SHA-256 of all bytes, where S3 was given it with the upload. That of an object in parts is over the parts'
    /// digests and says nothing here.
    pub(crate) sha256: Option<Vec<u8>>,
    /// The name of the file that it was uploaded from.
    pub(crate) file: Option<String>,
    /// Another one when the object is written over.
    pub(crate) etag: String,
}

impl Page for ListObjectsV2Output {
    type Item = Object;
    const OPERATION: &'static str = "ListObjectsV2";
    const LIST: &'static str = "Contents";

    // Without objects the answer has no list at all.
    fn list(self) -> Option<Vec<Object>> {
        Some(self.contents.unwrap_or_default())
    }

    fn token(&self) -> Option<&str> {
        self.next_continuation_token()
    }
}

fn length(request: &str, length: Option<i64>) -> Result<u64> {
    let length = length.required(request, "ContentLength")?;
    u64::try_from(length).map_err(|error| {
        CtlError::new(
            ErrorKind::Unexpected,
            format!("read the size in the answer to {request}"),
        )
        .source(&error)
    })
}

impl Aws {
    /// The name of a bucket of the platform in the account of the credentials, by its role.
    pub(crate) async fn bucket(&self, layout: &Layout, role: &str) -> Result<String> {
        self.guard_account().await?;
        let account = &self.identity().await?.account;
        let buckets = layout.buckets(account);
        let found = buckets.into_iter().find(|(name, _)| *name == role);
        found.map(|(_, name)| name).ok_or_else(|| {
            CtlError::new(
                ErrorKind::Unexpected,
                format!("find the {role} bucket: this layout has none"),
            )
        })
    }

    /// Every object whose key begins with `prefix`, a thousand per call.
    pub(crate) async fn objects_under(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>> {
        const REQUEST: &str = "ListObjectsV2";
        let stream = self
            .s3_client()
            .await?
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        let objects = Pages::new(format!("list `{prefix}` in bucket {bucket}"), stream)
            .all()
            .await?;
        objects
            .iter()
            .map(|object| {
                Ok(Listed {
                    key: object.key().required(REQUEST, "Key")?.to_owned(),
                    size: length(REQUEST, object.size())?,
                    modified: time(object.last_modified()),
                })
            })
            .collect()
    }

    /// Size and digest of an object; `None` when it is not there.
    pub(crate) async fn describe_object(&self, bucket: &str, key: &str) -> Result<Option<Described>> {
        const REQUEST: &str = "HeadObject";
        let doing = || format!("look at `{key}` in bucket {bucket}");
        let answer = self
            .s3_client()
            .await?
            .head_object()
            .bucket(bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            // An answer to HEAD has no body that could say more.
            Err(error) if status(&error) == Some(403) => {
                return Err(CtlError::new(
                    ErrorKind::AccessDenied,
                    format!("{}: S3 answers 403 Forbidden", doing()),
                )
                .hint("reading needs `s3:GetObject`; without `s3:ListBucket` S3 answers the same for what is not there"));
            }
            Err(error) => return Err(from_sdk(doing(), &error)),
        };
        let whole = answer
            .checksum_type()
            .is_none_or(|kind| *kind == ChecksumType::FullObject);
        let sha256 = answer.checksum_sha256().filter(|_| whole);
        Ok(Some(Described {
            size: length(REQUEST, answer.content_length())?,
            sha256: sha256.and_then(|digest| STANDARD.decode(digest).ok()),
            file: answer
                .metadata()
                .and_then(|metadata| metadata.get(FILE_NAME))
                .cloned(),
            etag: answer.e_tag().required(REQUEST, "ETag")?.to_owned(),
        }))
    }

    /// All bytes of a small object; `None` when it is not there.
    ///
    /// # Errors
    /// An object of more than `limit` bytes.
    pub(crate) async fn small_object(&self, bucket: &str, key: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(mut body) = self.open_object(bucket, key).await? else {
            return Ok(None);
        };
        if body.size > limit {
            return Err(CtlError::new(
                ErrorKind::Failed,
                format!(
                    "read `{key}` in bucket {bucket}: it has {} bytes, and {limit} are the most",
                    body.size
                ),
            ));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await? {
            bytes.extend_from_slice(piece.as_ref());
        }
        Ok(Some(bytes))
    }

    /// An object whose bytes come one piece after the other; `None` when it is not there.
    pub(crate) async fn open_object<'a>(&'a self, bucket: &str, key: &str) -> Result<Option<Body<'a>>> {
        const REQUEST: &str = "GetObject";
        let answer = self
            .s3_client()
            .await?
            .get_object()
            .bucket(bucket)
            .key(key)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(from_sdk(format!("read `{key}` in bucket {bucket}"), &error)),
        };
        Ok(Some(Body {
            aws: self,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size: length(REQUEST, answer.content_length())?,
            etag: answer.e_tag().required(REQUEST, "ETag")?.to_owned(),
            read: 0,
            resumed: 0,
            stream: answer.body,
        }))
    }
}

fn is_missing<R>(error: &SdkError<GetObjectError, R>) -> bool {
    error
        .as_service_error()
        .is_some_and(GetObjectError::is_no_such_key)
}

/// Whether the SDK compared the body with S3's checksum and found another one; it says so in words alone.
fn is_mismatch(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string().to_lowercase().contains("checksum mismatch") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The bytes of one version of an object.
pub(crate) struct Body<'a> {
    aws: &'a Aws,
    bucket: String,
    key: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    /// Bytes that were handed out.
    read: u64,
    resumed: u32,
    stream: ByteStream,
}

impl Body<'_> {
    /// The next piece, `None` at the end. A connection that breaks is made anew, and the rest of the same object asked
    /// for.
    ///
    /// # Errors
    /// A connection that keeps breaking, and an object that was replaced meanwhile.
    pub(crate) async fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + Send + 'static + use<>>> {
        loop {
            match self.stream.next().await {
                Some(Ok(piece)) => {
                    self.read += piece.len() as u64;
                    return Ok(Some(piece));
                }
                None if self.read >= self.size => return Ok(None),
                // All of it came, and it is not what S3 keeps: asking again for the end would hide that.
                Some(Err(error)) if is_mismatch(&error) => {
                    return Err(CtlError::new(
                        ErrorKind::Failed,
                        format!(
                            "{}: what arrived has another checksum than the object in S3",
                            self.doing()
                        ),
                    ));
                }
                Some(Err(error)) if self.resumed >= RESUMED => {
                    return Err(CtlError::new(ErrorKind::Unreachable, self.doing()).source(&error));
                }
                None if self.resumed >= RESUMED => {
                    return Err(CtlError::new(
                        ErrorKind::Unreachable,
                        format!(
                            "{}: it ends after {} of {} bytes",
                            self.doing(),
                            self.read,
                            self.size
                        ),
                    ));
                }
                Some(Err(_)) | None => self.resume().await?,
            }
        }
    }

    fn doing(&self) -> String {
        format!("read `{}` in bucket {}", self.key, self.bucket)
    }

    async fn resume(&mut self) -> Result<()> {
        self.resumed += 1;
        tracing::warn!(
            key = self.key,
            at = self.read,
            "the object's body broke off: asking for the rest"
        );
        let answer = self
            .aws
            .s3_client()
            .await?
            .get_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .range(format!("bytes={}-", self.read))
            .if_match(&self.etag)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                self.stream = answer.body;
                Ok(())
            }
            Err(error) if status(&error) == Some(412) || is_missing(&error) => Err(CtlError::new(
                ErrorKind::Changed,
                format!("{}: it was replaced while it was read", self.doing()),
            )),
            Err(error) => Err(from_sdk(self.doing(), &error)),
        }
    }
}
