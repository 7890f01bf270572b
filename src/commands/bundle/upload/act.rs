//! Sends files: in one piece, or in parts, several at once.

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::super::meter::Meter;
use super::super::text::{about, rate, size};
use super::plan::Upload;
use super::{Hashed, UploadChange};
use crate::aws::s3::upload::{Part, PartBody};
use crate::bundle::{Hasher, Sha256};
use crate::change::{Done, Later, StepRun};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};

/// Parts under way at once. Each is in memory while it is.
const AT_ONCE: usize = 6;

type Step<'s, 'c> = StepRun<'s, UploadChange<'c>>;

pub(super) async fn whole<'c>(
    change: &UploadChange<'c>,
    step: &Step<'_, 'c>,
    file: &Hashed,
    upload: &Upload,
) -> Result<Done<UploadChange<'c>>> {
    let bytes = Bytes::from(file.file.part(0, upload.size).await?);
    step.send(&change.ctx.aws, &upload.put(&change.library.bucket, bytes))
        .await?;
    Ok(Done::new(format!("sent {}", size(upload.size))))
}

pub(super) async fn in_parts<'c>(
    change: &UploadChange<'c>,
    step: &Step<'_, 'c>,
    file: &Hashed,
    upload: &Upload,
    part_size: u64,
    going_on: Option<&str>,
) -> Result<Done<UploadChange<'c>>> {
    let (aws, bucket) = (&change.ctx.aws, change.library.bucket.as_str());
    let (id, known) = match going_on {
        Some(id) => (id.to_owned(), aws.parts_of(bucket, &upload.key, id).await?),
        None => (step.send(aws, &upload.create(bucket)).await?, Vec::new()),
    };
    step.note("upload", &id);
    let id = Later::Known(id);
    let meter = Meter::new(&change.ctx.ui, "sending", upload.size);
    let numbers: Vec<(i32, u64)> = (1..)
        .zip((0..upload.size).step_by(usize::try_from(part_size).unwrap_or(usize::MAX)))
        .collect();
    let (meter_of_parts, known, id_of_parts) = (&meter, &known, &id);
    let send = |(number, offset): (i32, u64)| async move {
        if change.ctx.cancel.is_cancelled() {
            return Err(CtlError::new(
                ErrorKind::Interrupted,
                format!(
                    "upload {}: interrupted; the parts that S3 has stay there",
                    upload.name
                ),
            )
            .hint("the same command goes on where this one stopped"));
        }
        let length = part_size.min(upload.size - offset);
        let bytes = Bytes::from(file.file.part(offset, length).await?);
        let sha256 = digest(bytes.clone()).await?.to_base64();
        let have = known
            .iter()
            .find(|part| part.number == number && part.size == length && part.sha256 == sha256);
        let part = match have {
            Some(part) => part.clone(),
            None => {
                let mut call = upload.part(bucket, id_of_parts.clone());
                call.part = Some(PartBody {
                    number,
                    sha256,
                    bytes,
                });
                step.send(aws, &call).await?
            }
        };
        meter_of_parts.add(length);
        Ok(part)
    };
    let mut parts: Vec<Part> = stream::iter(numbers)
        .map(send)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    parts.sort_by_key(|part| part.number);
    if let Err(changed) = file.file.check() {
        step.send(aws, &upload.abort(bucket, id.clone())).await?;
        return Err(changed);
    }
    let expected = composite(&parts);
    let mut call = upload.complete(bucket, id);
    call.parts = Some(parts);
    let told = step.send(aws, &call).await?;
    if let Some(told) = told
        && told != expected
    {
        return Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "upload {}: S3 has the checksum {told} and not {expected}",
                upload.name
            ),
        )
        .hint((
            "send it again with",
            CommandLine::bpctl(["bundle", "upload", upload.name.as_str(), "--replace"]),
        )));
    }
    let took = meter.took();
    let rate = rate(upload.size, took)
        .map(|rate| format!(", {rate}"))
        .unwrap_or_default();
    Ok(Done::new(format!(
        "sent {} in {}{rate}",
        size(upload.size),
        about(took)
    )))
}

async fn digest(bytes: Bytes) -> Result<Sha256> {
    let hash = move || {
        let mut hasher = Hasher::new();
        hasher.update(&bytes);
        hasher.finish()
    };
    tokio::task::spawn_blocking(hash)
        .await
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "hash a part").source(&error))
}

/// The checksum that S3 gives an object of these parts: of their digests, and how many they are.
fn composite(parts: &[Part]) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(&STANDARD.decode(&part.sha256).unwrap_or_default());
    }
    format!("{}-{}", hasher.finish().to_base64(), parts.len())
}
