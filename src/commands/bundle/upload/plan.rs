//! From files and what is at their places to the objects that are written. Pure.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::super::text::{counted, size};
use super::{Hashed, There};
use crate::aws::s3::upload::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, PutObject, UploadPart,
};
use crate::bundle::Sha256;
use crate::change::{Blocker, Call as _, Later, Plan, Step};
use crate::error::{ErrorKind, Hint};

/// Parts of an upload at most (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
const MOST_PARTS: u64 = 10_000;

/// One file to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) sha256: Sha256,
    pub(super) size: u64,
    pub(super) replaces: bool,
    /// `None` for a file that goes in one piece.
    pub(super) parts: Option<PartPlan>,
}

/// How a file is cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartPlan {
    pub(super) size: u64,
    pub(super) count: u64,
    /// The upload that was cut off and is gone on with.
    pub(super) going_on: Option<String>,
}

impl Upload {
    /// The request for a file in one piece; without its bytes it is what the plan shows.
    pub(super) fn put(&self, bucket: &str, body: Bytes) -> PutObject {
        PutObject {
            bucket: bucket.to_owned(),
            key: self.key.clone(),
            content_type: "application/octet-stream",
            sha256: Some(self.sha256.to_base64()),
            length: Some(self.size),
            file: Some(self.name.clone()),
            replaces: self.replaces,
            body,
        }
    }

    pub(super) fn create(&self, bucket: &str) -> CreateMultipartUpload {
        CreateMultipartUpload {
            bucket: bucket.to_owned(),
            key: self.key.clone(),
            file: Some(self.name.clone()),
        }
    }

    pub(super) fn part(&self, bucket: &str, upload: Later) -> UploadPart {
        UploadPart {
            bucket: bucket.to_owned(),
            key: self.key.clone(),
            upload,
            part: None,
        }
    }

    pub(super) fn complete(&self, bucket: &str, upload: Later) -> CompleteMultipartUpload {
        CompleteMultipartUpload {
            bucket: bucket.to_owned(),
            key: self.key.clone(),
            upload,
            parts: None,
            size: self.size,
            replaces: self.replaces,
        }
    }

    pub(super) fn abort(&self, bucket: &str, upload: Later) -> AbortMultipartUpload {
        AbortMultipartUpload {
            bucket: bucket.to_owned(),
            key: self.key.clone(),
            upload,
        }
    }
}

/// The size of a part: as asked for, or larger so that there are not too many. The same for the same file, so that an
/// upload can be gone on with.
pub(super) fn part_size(file: u64, asked: u64) -> u64 {
    const MIB: u64 = 1024 * 1024;
    asked.max(file.div_ceil(MOST_PARTS).div_ceil(MIB) * MIB)
}

pub(super) fn plan<'a>(
    bucket: &str,
    files: impl Iterator<Item = (&'a Hashed, String, There)>,
    replace: bool,
    part: u64,
) -> Plan<Upload> {
    let (mut steps, mut blockers, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let (mut count, mut bytes) = (0, 0);
    for (file, key, there) in files {
        let (name, length) = (&file.file.name, file.file.size);
        if let There::Object { size: found, digest } = there
            && !replace
        {
            let wrong = match digest {
                _ if found != length => Some(format!("has {found} bytes and not {length}")),
                Some(false) => Some("has another digest".to_owned()),
                Some(true) | None => None,
            };
            match wrong {
                Some(wrong) => blockers.push(Blocker {
                    kind: ErrorKind::Conflict,
                    reason: format!("upload {name}: the object `{key}` is there and {wrong}"),
                    hint: Hint::new("`--replace` writes the right content over it"),
                }),
                None => warnings.push(format!("{name} is there already, as `{key}`")),
            }
            continue;
        }
        let upload = Upload {
            name: name.clone(),
            key,
            sha256: file.sha256,
            size: length,
            replaces: replace,
            parts: (length > part).then(|| {
                let size = part_size(length, part);
                PartPlan {
                    size,
                    count: length.div_ceil(size),
                    going_on: match &there {
                        There::Upload { id, .. } => Some(id.clone()),
                        There::Nothing | There::Object { .. } => None,
                    },
                }
            }),
        };
        count += 1;
        bytes += length;
        steps.push(step(bucket, upload, &there));
    }
    let mut plan = Plan::new(
        format!("upload {}, {}", counted(count, "file"), size(bytes)),
        steps,
    );
    plan.blockers = blockers;
    plan.warnings = warnings;
    plan
}

fn step(bucket: &str, upload: Upload, there: &There) -> Step<Upload> {
    let Some(parts) = &upload.parts else {
        let calls = vec![upload.put(bucket, Bytes::new()).described()];
        let summary = format!("send {} in one piece", size(upload.size));
        return Step::new(&upload.name, summary, calls, upload.clone());
    };
    let id = match &parts.going_on {
        Some(id) => Later::Known(id.clone()),
        None => Later::FromStep(upload.name.clone()),
    };
    let mut calls = Vec::new();
    if parts.going_on.is_none() {
        calls.push(upload.create(bucket).described());
    }
    calls.push(upload.part(bucket, id.clone()).described());
    calls.push(upload.complete(bucket, id.clone()).described());
    let summary = format!(
        "send {} in {} of {}",
        size(upload.size),
        counted(parts.count, "part"),
        size(parts.size)
    );
    let mut step = Step::new(&upload.name, summary, calls, upload.clone());
    step.if_needed = vec![upload.abort(bucket, id).described()];
    if let There::Upload { id, parts: found } = there {
        step.notes.push(format!(
            "goes on with the upload {id}: {found} of {} parts are there",
            parts.count
        ));
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_too_many_parts() {
        const MIB: u64 = 1024 * 1024;
        assert_eq!(part_size(100 * MIB, 16 * MIB), 16 * MIB);
        let large = 5_000_000_000_000;
        let part = part_size(large, 16 * MIB);
        assert!(
            large.div_ceil(part) <= MOST_PARTS && part.is_multiple_of(MIB),
            "{part}"
        );
    }
}
