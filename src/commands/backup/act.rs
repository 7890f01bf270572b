//! The steps: each reads back what it has written.

use std::time::Duration;

use bytes::Bytes;

use super::manifest::{FORM, Manifest, SavedDatabase, SavedSecrets};
use super::place::{MANIFEST, Place, SECRETS};
use super::plan::{AVAILABLE, Action, ENCRYPTED, SNAPSHOT, bucket_id, put};
use super::request::Part;
use super::{Backup, Output, bucket, folder, values};
use crate::bundle::Sha256;
use crate::change::{Done, StepRun};
use crate::commands::bundle::bundle_size;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::output::counted;
use crate::secrets::Fingerprints;
use crate::wait::{Waited, Waiter};

/// Snapshots take minutes.
const PACE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

type Run<'s, 'c> = StepRun<'s, Backup<'c>>;

pub(super) async fn act<'c>(change: &Backup<'c>, step: &Run<'_, 'c>) -> Result<Done<Backup<'c>>> {
    match step.action() {
        Action::Snapshot(call) => {
            step.send(&change.ctx.aws, call).await?;
            let begun = Output::Snapshot(call.snapshot.clone());
            Ok(Done::new(format!("began snapshot {}", call.snapshot)).with(begun))
        }
        Action::Await(instance, id) => {
            // A request of an earlier run that may have arrived is sent again under its own name.
            let begun = match step.output(SNAPSHOT) {
                Some(Output::Snapshot(begun)) => begun,
                _ => id.clone(),
            };
            available(change, step, instance, &begun).await
        }
        Action::Bucket(role, name) => copy(change, step, role, name).await,
        Action::Large(large) => large.copy(change, step).await,
        Action::Secrets => secrets(change, step).await,
        Action::Manifest => manifest(change, step).await,
    }
}

async fn available<'c>(
    change: &Backup<'c>,
    step: &Run<'_, 'c>,
    instance: &str,
    id: &str,
) -> Result<Done<Backup<'c>>> {
    let ctx = change.ctx;
    let waiter = Waiter::until_deadline(&ctx.clock, step.deadline(), &ctx.cancel).pace(PACE.0, PACE.1);
    let waited = ctx
        .aws
        .settled_snapshot(id, waiter, |line| step.status(line))
        .await?;
    match waited {
        Waited::Ready(status) if status == "available" => {
            let found = ctx.aws.db_snapshot(id).await?;
            let arn = found.and_then(|found| found.arn).ok_or_else(|| {
                CtlError::new(
                    ErrorKind::Failed,
                    format!("read snapshot {id} back: it has no ARN"),
                )
            })?;
            let saved = SavedDatabase {
                instance: instance.to_owned(),
                snapshot: id.to_owned(),
                arn,
            };
            Ok(Done::new(format!("snapshot {id} is available")).with(Output::Database(saved)))
        }
        Waited::Ready(status) => {
            Err(
                CtlError::new(ErrorKind::Failed, format!("take snapshot {id}: it is {status}")).hint((
                    "look for the reason with",
                    CommandLine::aws("rds", "describe-events").option("--source-type", "db-snapshot"),
                )),
            )
        }
        Waited::TimedOut => Err(CtlError::new(
            ErrorKind::TimedOut,
            format!("wait for snapshot {id}: it is not available yet"),
        )),
        Waited::Cancelled => Err(CtlError::new(
            ErrorKind::Interrupted,
            format!("wait for snapshot {id}: interrupted"),
        )),
    }
}

async fn copy<'c>(
    change: &Backup<'c>,
    step: &Run<'_, 'c>,
    role: &str,
    name: &str,
) -> Result<Done<Backup<'c>>> {
    let (saved, copied) = match &change.request.place {
        Place::Folder { path, .. } => {
            folder::copy_bucket(change.ctx, (role, name), path, |text| step.status(text)).await?
        }
        Place::Bucket { bucket, prefix } => {
            bucket::copy_bucket(change, step, (role, name), (bucket, prefix)).await?
        }
    };
    let did = format!(
        "{} of {} are there, {}; {copied} were copied now",
        counted(saved.objects, "object"),
        name,
        bundle_size(saved.bytes)
    );
    Ok(Done::new(did).with(Output::Bucket(saved)))
}

async fn secrets<'c>(change: &Backup<'c>, step: &Run<'_, 'c>) -> Result<Done<Backup<'c>>> {
    let ctx = change.ctx;
    let Some(recipients) = &change.request.recipients else {
        return Err(CtlError::usage("encrypt the secrets: there is no recipient"));
    };
    let prints = Fingerprints::open(ctx.state_dir.as_deref())?;
    let read = Box::pin(values::read(&ctx.aws, &change.layout)).await?;
    if let Some((path, why)) = read.unread.first() {
        return Err(CtlError::new(
            ErrorKind::AccessDenied,
            format!("back `{path}` up: it cannot be read ({why})"),
        ));
    }
    let sealed = read
        .sealed(recipients)
        .map_err(|error| CtlError::new(ErrorKind::Failed, "encrypt the secrets").source(&error))?;
    let entries = read.found.iter().map(|value| value.saved(&prints)).collect();
    // The values are not needed any more.
    drop(read);
    write(change, step, SECRETS, &sealed).await?;
    let saved = SavedSecrets {
        file: SECRETS.to_owned(),
        bytes: sealed.len() as u64,
        sha256: Sha256::of(&sealed),
        recipients: recipients.shown(),
        entries,
    };
    let did = format!("encrypted {}", counted(saved.entries.len() as u64, "value"));
    Ok(Done::new(did).with(Output::Secrets(saved)))
}

async fn manifest<'c>(change: &Backup<'c>, step: &Run<'_, 'c>) -> Result<Done<Backup<'c>>> {
    let ctx = change.ctx;
    let (run, target) = change.run()?;
    let mut manifest = Manifest {
        form: FORM.to_owned(),
        run,
        made: ctx.clock.now(),
        context: target.context,
        account: target.account,
        region: target.region,
        secrets: None,
        buckets: Vec::new(),
        database: None,
        skipped: change
            .request
            .skip
            .iter()
            .map(|part| part.as_str().to_owned())
            .collect(),
    };
    for role in ["media", "models", "logs", "access-logs"] {
        if let Some(Output::Bucket(saved)) = step.output(&bucket_id(role)) {
            manifest.buckets.push(saved);
        }
    }
    if let Some(Output::Secrets(saved)) = step.output(ENCRYPTED) {
        manifest.secrets = Some(saved);
    }
    if let Some(Output::Database(saved)) = step.output(AVAILABLE) {
        manifest.database = Some(saved);
    }
    // What was asked for and is not there would be found out when it is needed.
    let lacks = (change.request.takes(Part::Secrets) && manifest.secrets.is_none())
        || (change.request.takes(Part::Database) && manifest.database.is_none());
    if lacks {
        return Err(CtlError::new(
            ErrorKind::Unexpected,
            "write the manifest: a part of the backup is not there",
        ));
    }
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write the manifest").source(&error))?;
    text.push(b'\n');
    write(change, step, MANIFEST, &text).await?;
    Ok(Done::new("written and read back: the backup is complete").with(Output::Manifest(Box::new(manifest))))
}

/// Writes a part of the backup and reads it back.
async fn write<'c>(change: &Backup<'c>, step: &Run<'_, 'c>, part: &str, bytes: &[u8]) -> Result<()> {
    if let Place::Folder { path, .. } = &change.request.place {
        return folder::write(path, part, bytes);
    }
    let Some(mut call) = put(change, part) else {
        return Ok(());
    };
    let aws = &change.ctx.aws;
    let digest = Sha256::of(bytes);
    call.sha256 = Some(digest.to_base64());
    call.length = Some(bytes.len() as u64);
    call.body = Bytes::copy_from_slice(bytes);
    step.send(aws, &call).await?;
    let found = aws.describe_object(&call.bucket, &call.key).await?;
    let same = found.is_some_and(|found| {
        let known = found.sha256.as_deref().and_then(Sha256::from_bytes);
        found.size == bytes.len() as u64 && known.is_none_or(|known| known == digest)
    });
    if same {
        return Ok(());
    }
    Err(CtlError::new(
        ErrorKind::Changed,
        format!(
            "read `{}` in bucket {} back: it is another object",
            call.key, call.bucket
        ),
    ))
}
