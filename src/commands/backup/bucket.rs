//! A backup in a bucket: S3 copies the objects, and no byte comes here.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::manifest::SavedBucket;
use super::observe::LargeSeen;
use super::place::{BUCKETS, Place};
use super::plan::Action;
use super::{Backup, MIB, skipped};
use crate::aws::s3::beside::{BeginCopy, Beside};
use crate::aws::s3::copy::{CopyToBackup, UploadPartCopy, Way};
use crate::aws::s3::listing::{Entry, Listing};
use crate::aws::s3::upload::{AbortMultipartUpload, CompleteMultipartUpload, Part};
use crate::change::{Call as _, Done, Later, Step, StepRun};
use crate::commands::bundle::bundle_size;
use crate::error::{CtlError, ErrorKind, Result};

/// Copies that S3 makes at once.
const AT_ONCE: usize = 8;

/// Whether a copy is of this very object. The ETag of an object that was uploaded in parts is not that of its copy;
/// then the copy must be newer than the object, which S3 has copied only in the state that it was listed in.
pub(super) fn is_same(object: &Entry, copy: &Entry) -> bool {
    let newer = copy.modified > object.modified;
    object.size == copy.size && (object.etag == copy.etag || newer)
}

type Run<'s, 'c> = StepRun<'s, Backup<'c>>;

/// Copies every object of a bucket that is not there, and sees afterwards that all are.
pub(super) async fn copy_bucket<'c>(
    change: &Backup<'c>,
    step: &Run<'_, 'c>,
    (role, bucket): (&str, &str),
    (into, prefix): (&str, &str),
) -> Result<(SavedBucket, u64)> {
    let ctx = change.ctx;
    let began = ctx.clock.now();
    let below = Place::key(prefix, &format!("{BUCKETS}/{role}/"));
    let mut copied = 0;
    let mut listing = Listing::new(&ctx.aws, bucket, "");
    let mut there = Listing::new(&ctx.aws, into, &below);
    while let Some(page) = listing.page().await? {
        let mut left = Vec::new();
        for entry in page.into_iter().filter(|entry| !skipped(role, &entry.key)) {
            let found = there.find(&format!("{below}{}", entry.key)).await?;
            let is_there = found.is_some_and(|copy| is_same(&entry, &copy));
            // Large ones have steps of their own.
            if !is_there && entry.size <= change.request.part {
                left.push(entry);
            }
        }
        let below = below.as_str();
        let sent: Vec<bool> = stream::iter(left)
            .map(|entry| copy(change, step, bucket, entry, into, below))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        copied += sent.into_iter().filter(|sent| *sent).count() as u64;
        if listing.has_more() {
            step.status(&format!("{role}: {copied} objects were copied"));
        }
    }
    let saved = read_back(change, (role, bucket), (into, &below), began).await?;
    Ok((saved, copied))
}

/// Whether the object was still there to be copied. One that was written over since it was listed is copied as it is now.
async fn copy<'c>(
    change: &Backup<'c>,
    step: &Run<'_, 'c>,
    bucket: &str,
    entry: Entry,
    into: &str,
    below: &str,
) -> Result<bool> {
    let ctx = change.ctx;
    let mut etag = entry.etag.clone();
    for _ in 0..2 {
        if ctx.cancel.is_cancelled() {
            return Err(CtlError::new(
                ErrorKind::Interrupted,
                format!("copy `{}` of bucket {bucket}: interrupted", entry.key),
            ));
        }
        let call = CopyToBackup {
            into: into.to_owned(),
            way: Some(Way {
                bucket: bucket.to_owned(),
                from: entry.key.clone(),
                etag,
                into: into.to_owned(),
                to: format!("{below}{}", entry.key),
            }),
        };
        if step.send(&ctx.aws, &call).await? {
            return Ok(true);
        }
        match ctx.aws.describe_object(bucket, &entry.key).await? {
            None => return Ok(false),
            Some(found) => etag = found.etag,
        }
    }
    Err(CtlError::changed(format!(
        "copy `{}` of bucket {bucket}: it is written over again and again",
        entry.key
    )))
}

/// Counts what is there: every object must have its copy. One that was written since the step began is of a later time
/// than the backup.
async fn read_back(
    change: &Backup<'_>,
    (role, bucket): (&str, &str),
    (into, below): (&str, &str),
    began: Timestamp,
) -> Result<SavedBucket> {
    let aws = &change.ctx.aws;
    let mut saved = SavedBucket {
        role: role.to_owned(),
        bucket: bucket.to_owned(),
        objects: 0,
        bytes: 0,
        list: None,
    };
    let mut listing = Listing::new(aws, bucket, "");
    let mut there = Listing::new(aws, into, below);
    while let Some(page) = listing.page().await? {
        for entry in page.into_iter().filter(|entry| !skipped(role, &entry.key)) {
            match there.find(&format!("{below}{}", entry.key)).await? {
                Some(copy) if is_same(&entry, &copy) => {
                    saved.objects += 1;
                    saved.bytes += copy.size;
                }
                _ if entry.modified.is_some_and(|modified| modified >= began) => {}
                _ => {
                    return Err(CtlError::new(
                        ErrorKind::Failed,
                        format!(
                            "read the copy of `{}` of bucket {bucket} back: it is not there",
                            entry.key
                        ),
                    ));
                }
            }
        }
    }
    Ok(saved)
}

/// An upload has at most so many parts ("Amazon S3 multipart upload limits", Amazon S3 User Guide).
const MOST_PARTS: u64 = 10_000;

/// The bytes of a part: those that were asked for, or whole MiB enough for an object that would have too many.
fn part_of(size: u64, asked: u64) -> u64 {
    asked.max(size.div_ceil(MOST_PARTS).div_ceil(MIB) * MIB)
}

/// One object that S3 copies in parts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Large {
    way: Way,
    size: u64,
    part: u64,
    beside: Beside,
    /// An upload to the same place that was cut off; its parts may be of another object.
    left: Option<String>,
}

impl Large {
    pub(super) fn new(
        (role, bucket): (&str, &str),
        (into, prefix): (&str, &str),
        seen: &LargeSeen,
        part: u64,
    ) -> Self {
        let entry = &seen.entry;
        Self {
            way: Way {
                bucket: bucket.to_owned(),
                from: entry.key.clone(),
                etag: entry.etag.clone(),
                into: into.to_owned(),
                to: Place::key(prefix, &format!("{BUCKETS}/{role}/{}", entry.key)),
            },
            size: entry.size,
            part: part_of(entry.size, part),
            beside: seen.beside.clone(),
            left: seen.left.clone(),
        }
    }

    fn create(&self) -> BeginCopy {
        BeginCopy {
            bucket: self.way.into.clone(),
            key: self.way.to.clone(),
            beside: self.beside.clone(),
        }
    }

    fn piece(&self, upload: Later) -> UploadPartCopy {
        UploadPartCopy {
            way: self.way.clone(),
            upload,
            part: None,
        }
    }

    fn complete(&self, upload: Later) -> CompleteMultipartUpload {
        CompleteMultipartUpload {
            bucket: self.way.into.clone(),
            key: self.way.to.clone(),
            upload,
            parts: None,
            size: self.size,
            replaces: true,
        }
    }

    fn abort(&self, upload: Later) -> AbortMultipartUpload {
        AbortMultipartUpload {
            bucket: self.way.into.clone(),
            key: self.way.to.clone(),
            upload,
        }
    }

    pub(super) fn step(self, role: &str) -> Step<Action> {
        let id = format!("{role}/{}", self.way.from);
        let upload = Later::FromStep(id.clone());
        let mut calls = Vec::new();
        if let Some(left) = &self.left {
            calls.push(self.abort(Later::Known(left.clone())).described());
        }
        calls.push(self.create().described());
        calls.push(self.piece(upload.clone()).described());
        calls.push(self.complete(upload.clone()).described());
        let abort = self.abort(upload).described();
        let summary = format!(
            "copy {} in parts of {}",
            bundle_size(self.size),
            bundle_size(self.part)
        );
        let mut step = Step::new(id, summary, calls, Action::Large(Box::new(self)));
        step.if_needed = vec![abort];
        step
    }

    pub(super) async fn copy<'c>(&self, change: &Backup<'c>, step: &Run<'_, 'c>) -> Result<Done<Backup<'c>>> {
        let aws = &change.ctx.aws;
        if let Some(left) = &self.left {
            step.send(aws, &self.abort(Later::Known(left.clone()))).await?;
        }
        let id = Later::Known(step.send(aws, &self.create()).await?);
        match self.in_parts(change, step, &id).await {
            Ok(()) => Ok(Done::new(format!("copied {}", bundle_size(self.size)))),
            Err(error) => {
                // Parts that nothing completes are paid for and never seen.
                if let Err(again) = step.send(aws, &self.abort(id)).await {
                    tracing::warn!(key = self.way.to, error = %again, "the parts stay");
                }
                Err(error)
            }
        }
    }

    async fn in_parts<'c>(&self, change: &Backup<'c>, step: &Run<'_, 'c>, id: &Later) -> Result<()> {
        let ctx = change.ctx;
        let stride = usize::try_from(self.part).unwrap_or(usize::MAX);
        let numbers: Vec<(i32, u64)> = (1..).zip((0..self.size).step_by(stride)).collect();
        let send = |(number, first): (i32, u64)| async move {
            if ctx.cancel.is_cancelled() {
                return Err(CtlError::new(
                    ErrorKind::Interrupted,
                    format!("copy `{}`: interrupted", self.way.from),
                ));
            }
            let mut call = self.piece(id.clone());
            call.part = Some((number, first, self.part.min(self.size - first)));
            step.send(&ctx.aws, &call).await
        };
        let mut parts: Vec<Part> = stream::iter(numbers)
            .map(send)
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        parts.sort_by_key(|part| part.number);
        let mut call = self.complete(id.clone());
        call.parts = Some(parts);
        step.send(&ctx.aws, &call).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_has_more_parts_than_an_upload_may_have() {
        assert_eq!(part_of(12_000_000, 5 * MIB), 5 * MIB);
        assert_eq!(part_of(50_000 * MIB, 5 * MIB), 5 * MIB);
        for size in [50_000 * MIB + 1, 200_000 * MIB, 5 * 1024 * 1024 * MIB] {
            let part = part_of(size, 5 * MIB);
            assert!(part > 5 * MIB && part.is_multiple_of(MIB), "{part}");
            assert!(size.div_ceil(part) <= MOST_PARTS, "{size} in parts of {part}");
        }
    }

    #[test]
    fn a_copy_counts_with_the_same_etag_or_when_it_is_newer_than_its_object() {
        let entry = |size, etag: &str, at: &str| Entry {
            key: "a".to_owned(),
            size,
            etag: etag.to_owned(),
            modified: Some(at.parse().unwrap()),
        };
        let object = entry(3, "e-2", "2026-01-15T09:00:00Z");
        for (copy, same) in [
            (entry(3, "e-2", "2026-01-15T08:00:00Z"), true),
            (entry(3, "other", "2026-01-15T09:00:01Z"), true),
            (entry(3, "other", "2026-01-15T09:00:00Z"), false),
            (entry(4, "other", "2026-01-15T10:00:00Z"), false),
        ] {
            assert_eq!(is_same(&object, &copy), same, "{copy:?}");
        }
    }
}
