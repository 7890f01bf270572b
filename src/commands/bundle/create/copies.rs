//! The staged layout: a bundle is a folder with copies of its own, which S3 makes before the manifest is written.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::super::meter::Meter;
use super::super::text::{about, rate, size};
use super::{Create, Work};
use crate::aws::s3::copy::{CopyObject, UploadPartCopy, Way};
use crate::aws::s3::objects::Described;
use crate::aws::s3::upload::{AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, Part};
use crate::bundle::{Asset, Sha256};
use crate::change::{Blocker, Call as _, Done, Later, Step, StepRun};
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};

/// Parts that S3 copies at once.
const AT_ONCE: usize = 6;

/// One object to copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Copy {
    way: Way,
    size: u64,
    /// As the manifest has it.
    sha256: Option<Sha256>,
    file: Option<String>,
    /// Bytes of a part; `None` for an object that goes in one piece.
    part: Option<u64>,
    /// An upload to the same place that was cut off; its parts may be of another source.
    left: Option<String>,
}

/// What is at the place of a copy.
#[derive(Debug)]
pub(super) enum There {
    Nothing { left: Option<String> },
    Object(Described),
}

impl Copy {
    fn create(&self) -> CreateMultipartUpload {
        CreateMultipartUpload {
            bucket: self.way.bucket.clone(),
            key: self.way.to.clone(),
            file: self.file.clone(),
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
            bucket: self.way.bucket.clone(),
            key: self.way.to.clone(),
            upload,
            parts: None,
            size: self.size,
            replaces: false,
        }
    }

    fn abort(&self, upload: Later) -> AbortMultipartUpload {
        AbortMultipartUpload {
            bucket: self.way.bucket.clone(),
            key: self.way.to.clone(),
            upload,
        }
    }

    fn step(self, target: &str) -> Step<Work> {
        let Some(part) = self.part else {
            let calls = vec![
                CopyObject {
                    way: self.way.clone(),
                }
                .described(),
            ];
            return Step::new(
                target,
                format!("copy {}", size(self.size)),
                calls,
                Work::Copy(self),
            );
        };
        let upload = Later::FromStep(target.to_owned());
        let mut calls = Vec::new();
        if let Some(left) = &self.left {
            calls.push(self.abort(Later::Known(left.clone())).described());
        }
        calls.push(self.create().described());
        calls.push(self.piece(upload.clone()).described());
        calls.push(self.complete(upload.clone()).described());
        let summary = format!("copy {} in parts of {}", size(self.size), size(part));
        let abort = self.abort(upload).described();
        let mut step = Step::new(target, summary, calls, Work::Copy(self));
        step.if_needed = vec![abort];
        step
    }

    /// Carries the step out.
    pub(super) async fn send<'c>(
        &self,
        create: &Create<'c>,
        step: &StepRun<'_, Create<'c>>,
    ) -> Result<Done<Create<'c>>> {
        let aws = &create.ctx.aws;
        let Some(part) = self.part else {
            let way = self.way.clone();
            let told = step.send(aws, &CopyObject { way }).await?;
            let told = told.and_then(|bytes| Sha256::from_bytes(&bytes));
            return match (told, self.sha256) {
                (Some(told), Some(wanted)) if told != wanted => Err(self.wrong(&told.to_string())),
                _ => Ok(Done::new(format!("copied {}", size(self.size)))),
            };
        };
        if let Some(left) = &self.left {
            step.send(aws, &self.abort(Later::Known(left.clone()))).await?;
        }
        let id = step.send(aws, &self.create()).await?;
        step.note("upload", &id);
        let id = Later::Known(id);
        match self.in_parts(create, step, &id, part).await {
            Ok(done) => Ok(done),
            Err(error) => {
                // Parts that nothing completes are paid for and never seen.
                if let Err(again) = step.send(aws, &self.abort(id)).await {
                    tracing::warn!(key = self.way.to, error = %again, "the parts stay");
                }
                Err(error)
            }
        }
    }

    async fn in_parts<'c>(
        &self,
        create: &Create<'c>,
        step: &StepRun<'_, Create<'c>>,
        id: &Later,
        part: u64,
    ) -> Result<Done<Create<'c>>> {
        let aws = &create.ctx.aws;
        let meter = Meter::new(&create.ctx.ui, "copying", self.size);
        let numbers: Vec<(i32, u64)> = (1..)
            .zip((0..self.size).step_by(usize::try_from(part).unwrap_or(usize::MAX)))
            .collect();
        let meter_of_parts = &meter;
        let copy = |(number, first): (i32, u64)| async move {
            if create.ctx.cancel.is_cancelled() {
                return Err(CtlError::new(
                    ErrorKind::Interrupted,
                    format!("copy `{}`: interrupted", self.way.from),
                ));
            }
            let length = part.min(self.size - first);
            let mut call = self.piece(id.clone());
            call.part = Some((number, first, length));
            let part = step.send(aws, &call).await?;
            meter_of_parts.add(length);
            Ok(part)
        };
        let mut parts: Vec<Part> = stream::iter(numbers)
            .map(copy)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        parts.sort_by_key(|part| part.number);
        let mut call = self.complete(id.clone());
        call.parts = Some(parts);
        step.send(aws, &call).await?;
        let took = meter.took();
        let rate = rate(self.size, took)
            .map(|rate| format!(", {rate}"))
            .unwrap_or_default();
        Ok(Done::new(format!(
            "copied {} in {}{rate}",
            size(self.size),
            about(took)
        )))
    }

    fn wrong(&self, told: &str) -> CtlError {
        CtlError::new(
            ErrorKind::Failed,
            format!(
                "copy `{}`: its content has the digest {told}, not the one of its manifest: no manifest is written",
                self.way.from
            ),
        )
        .hint((
            "send the right content with",
            CommandLine::bpctl(["bundle", "upload", "FILE", "--kind", "KIND", "--replace"]),
        ))
    }
}

/// The copies that are still to be made, and what stands against them.
pub(super) fn plan<'a>(
    bucket: &str,
    prefix: &str,
    part: u64,
    copies: impl Iterator<Item = (&'a Asset, &'a Described, &'a There)>,
) -> (Vec<Step<Work>>, Vec<Blocker>) {
    let (mut steps, mut blockers) = (Vec::new(), Vec::new());
    for (asset, source, there) in copies {
        let to = format!("{prefix}/{}", asset.target);
        let left = match there {
            There::Nothing { left } => left.clone(),
            There::Object(object) if object.size == source.size && is_same(object, asset) => continue,
            There::Object(object) => {
                blockers.push(Blocker {
                    kind: ErrorKind::Conflict,
                    reason: format!(
                        "copy {}: the object `{to}` is there with {} bytes and is another one",
                        asset.target, object.size
                    ),
                    hint: Hint::new("choose another `--id`, or delete the object"),
                });
                continue;
            }
        };
        let copy = Copy {
            way: Way {
                bucket: bucket.to_owned(),
                from: asset.key.clone(),
                etag: source.etag.clone(),
                into: bucket.to_owned(),
                to,
            },
            size: source.size,
            sha256: asset.digest(),
            file: asset.file.clone(),
            part: (source.size > part).then_some(part),
            left,
        };
        steps.push(copy.step(&asset.target));
    }
    (steps, blockers)
}

/// Whether the digests speak against it. An object in parts has none.
fn is_same(object: &Described, asset: &Asset) -> bool {
    let known = object.sha256.as_deref().and_then(Sha256::from_bytes);
    match (known, asset.digest()) {
        (Some(known), Some(wanted)) => known == wanted,
        _ => true,
    }
}
