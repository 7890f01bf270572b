//! Buckets as a whole: which there are, and how much is in them.

use aws_sdk_s3::types::{DeleteMarkerEntry, ObjectVersion};

use super::super::Aws;
use super::super::pages::{Pages, Tokens};
use super::status;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// Pages of a thousand versions that are counted; what lies beyond is told as "at least".
const COUNTED: usize = 20;

/// What is in a bucket, versions included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Objects and their older versions.
    pub(crate) versions: u64,
    pub(crate) markers: u64,
    pub(crate) bytes: u64,
    /// Whether there is more than was counted.
    pub(crate) more: bool,
}

impl Usage {
    pub(crate) fn is_empty(&self) -> bool {
        self.versions == 0 && self.markers == 0
    }
}

/// A page of versions and delete markers.
pub(crate) struct VersionPage {
    /// Key, version and bytes.
    pub(crate) versions: Vec<(String, String, u64)>,
    /// Key and version.
    pub(crate) markers: Vec<(String, String)>,
    next: Option<(String, Option<String>)>,
}

fn of_version(version: &ObjectVersion) -> Result<(String, String, u64)> {
    const REQUEST: &str = "ListObjectVersions";
    let size = version.size().unwrap_or_default();
    Ok((
        version.key().required(REQUEST, "Key")?.to_owned(),
        version.version_id().required(REQUEST, "VersionId")?.to_owned(),
        u64::try_from(size).unwrap_or_default(),
    ))
}

fn of_marker(marker: &DeleteMarkerEntry) -> Result<(String, String)> {
    const REQUEST: &str = "ListObjectVersions";
    Ok((
        marker.key().required(REQUEST, "Key")?.to_owned(),
        marker.version_id().required(REQUEST, "VersionId")?.to_owned(),
    ))
}

impl Aws {
    /// Whether the account has a bucket of this name.
    ///
    /// # Errors
    /// S3 does not let the caller look, or the name is another account's.
    pub(crate) async fn has_bucket(&self, bucket: &str) -> Result<bool> {
        let doing = || format!("look for bucket {bucket}");
        let client = self.s3_client().await?;
        match client.head_bucket().bucket(bucket).send().await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(404) => Ok(false),
            // An answer to HEAD has no body that could say more.
            Err(error) if status(&error) == Some(403) => Err(CtlError::new(
                ErrorKind::AccessDenied,
                format!("{}: S3 answers 403 Forbidden", doing()),
            )
            .hint("looking needs `s3:ListBucket`; S3 answers the same for a bucket of another account")),
            Err(error) => Err(from_sdk(doing(), &error)),
        }
    }

    /// The names of the account's buckets in this region.
    pub(crate) async fn bucket_names(&self, region: &str) -> Result<Vec<String>> {
        let stream = self
            .s3_client()
            .await?
            .list_buckets()
            .bucket_region(region)
            .into_paginator()
            .send();
        let found = Pages::new("list the buckets", stream).all().await?;
        Ok(found.into_iter().filter_map(|bucket| bucket.name).collect())
    }

    /// A page of what a bucket holds, from the beginning or behind `after`; `None` when there is no such bucket.
    pub(crate) async fn versions_page(
        &self,
        bucket: &str,
        after: Option<&VersionPage>,
    ) -> Result<Option<VersionPage>> {
        let next = after.and_then(|page| page.next.clone());
        let answer = self
            .s3_client()
            .await?
            .list_object_versions()
            .bucket(bucket)
            .set_key_marker(next.as_ref().map(|(key, _)| key.clone()))
            .set_version_id_marker(next.and_then(|(_, version)| version))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => {
                return Err(from_sdk(format!("list the versions in bucket {bucket}"), &error));
            }
        };
        let more = answer.is_truncated() == Some(true);
        let next = match (more, answer.next_key_marker()) {
            (true, Some(key)) => Some((key.to_owned(), answer.next_version_id_marker().map(str::to_owned))),
            (true, None) | (false, _) => None,
        };
        Ok(Some(VersionPage {
            versions: answer.versions().iter().map(of_version).collect::<Result<_>>()?,
            markers: answer
                .delete_markers()
                .iter()
                .map(of_marker)
                .collect::<Result<_>>()?,
            next,
        }))
    }

    /// How much is in a bucket, counted up to twenty thousand versions; `None` when there is no such bucket.
    pub(crate) async fn bucket_usage(&self, bucket: &str) -> Result<Option<Usage>> {
        let mut usage = Usage::default();
        let mut page: Option<VersionPage> = None;
        let mut tokens = Tokens::default();
        for _ in 0..COUNTED {
            let Some(found) = self.versions_page(bucket, page.as_ref()).await? else {
                return Ok(None);
            };
            usage.versions += found.versions.len() as u64;
            usage.markers += found.markers.len() as u64;
            usage.bytes += found.versions.iter().map(|(_, _, bytes)| bytes).sum::<u64>();
            let Some((key, version)) = &found.next else {
                return Ok(Some(usage));
            };
            let token = format!("{key}\n{}", version.as_deref().unwrap_or_default());
            tokens.note("count what is in a bucket", &token)?;
            page = Some(found);
        }
        usage.more = true;
        Ok(Some(usage))
    }
}
