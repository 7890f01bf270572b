//! Buckets as a whole: which there are, and how much is in them.

use aws_sdk_s3::types::{DeleteMarkerEntry, ObjectVersion};

use super::super::Aws;
use super::super::pages::Pages;
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
    /// Where the next page begins; `None` on the last one.
    pub(crate) next: Option<Marker>,
}

impl VersionPage {
    /// Key and version of everything on the page.
    pub(crate) fn into_ids(self) -> Vec<(String, String)> {
        let versions = self.versions.into_iter().map(|(key, version, _)| (key, version));
        versions.chain(self.markers).collect()
    }
}

/// The last thing on a page of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    key: String,
    version: Option<String>,
}

impl Marker {
    /// Whether a page behind `before` may end here: keys come in the order of their bytes ("Listing object keys
    /// programmatically", Amazon S3 User Guide), so that a list without an end is seen without a memory of it.
    pub(crate) fn is_behind(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| self.key >= before.key && self != before)
    }
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
        after: Option<&Marker>,
    ) -> Result<Option<VersionPage>> {
        let doing = || format!("list the versions in bucket {bucket}");
        let answer = self
            .s3_client()
            .await?
            .list_object_versions()
            .bucket(bucket)
            .set_key_marker(after.map(|marker| marker.key.clone()))
            .set_version_id_marker(after.and_then(|marker| marker.version.clone()))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => return Err(from_sdk(doing(), &error)),
        };
        let more = answer.is_truncated() == Some(true);
        let next = match (more, answer.next_key_marker()) {
            (true, Some(key)) => Some(Marker {
                key: key.to_owned(),
                version: answer.next_version_id_marker().map(str::to_owned),
            }),
            (true, None) | (false, _) => None,
        };
        if next.as_ref().is_some_and(|next| !next.is_behind(after)) {
            return Err(CtlError::new(ErrorKind::Unexpected, doing())
                .cause("the endpoint handed out a page for the second time: its pages have no end"));
        }
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
        let mut after: Option<Marker> = None;
        for _ in 0..COUNTED {
            let Some(found) = self.versions_page(bucket, after.as_ref()).await? else {
                return Ok(None);
            };
            usage.versions += found.versions.len() as u64;
            usage.markers += found.markers.len() as u64;
            usage.bytes += found.versions.iter().map(|(_, _, bytes)| bytes).sum::<u64>();
            after = found.next;
            if after.is_none() {
                return Ok(Some(usage));
            }
        }
        usage.more = true;
        Ok(Some(usage))
    }
}
