//! A bucket: its versions and delete markers page by page, several requests at once, and then the bucket itself. However
//! much is in it, a few pages are in memory.

use std::time::Duration;

use futures::stream::{StreamExt as _, TryStreamExt as _, try_unfold};
use serde::{Deserialize, Serialize};

use super::Reset;
use super::plan::Action;
use crate::aws::s3::buckets::{Marker, Usage};
use crate::aws::s3::removal::{Bucket, DeleteBucket, DeleteObjects, Objects, Stays};
use crate::change::{Call as _, Done, Loss, Step, StepRun};
use crate::error::{CtlError, ErrorKind, Result};
use crate::leftovers::Leftover;
use crate::output::counted;

/// Requests of a thousand versions that are under way at once: S3 takes 3,500 deletions a second for each prefix ("Best
/// practices design patterns", Amazon S3 User Guide), and every version of a request is one.
const AT_ONCE: usize = 3;

/// How often a bucket is gone through: access logs arrive up to hours later, and what S3 was too busy for is asked for again.
const PASSES: usize = 5;
const PAUSE: Duration = Duration::from_secs(5);

/// Versions after which it is said how far it is.
const TOLD: u64 = 10_000;

/// Reasons that an error names.
const NAMED: usize = 3;

/// A bucket that goes with everything in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct BucketAction {
    delete: DeleteBucket,
    /// Whether nothing was in it when the plan was made.
    is_empty: bool,
    /// Whether bpctl's leases are in it.
    pub(super) holds_leases: bool,
}

impl BucketAction {
    pub(super) fn bucket(&self) -> &str {
        &self.delete.bucket
    }
}

fn id(bucket: &str) -> String {
    format!("bucket {bucket}")
}

pub(super) fn step(one: &Leftover, usage: &Usage, holds_leases: bool) -> Step<Action> {
    let delete = DeleteBucket {
        bucket: one.name.clone(),
    };
    let id = id(&one.name);
    // The lease of this very run is written into it.
    let is_empty = usage.is_empty() && !holds_leases;
    let mut calls = Vec::new();
    if !is_empty {
        let objects = DeleteObjects {
            bucket: one.name.clone(),
            objects: Objects::FoundBy(id.clone()),
            loses: Some(Loss::Data(format!("all that is in {}: {}", one.name, one.about))),
        };
        calls.push(objects.described());
    }
    calls.push(delete.described());
    let summary = match is_empty {
        true => "delete it".to_owned(),
        false => format!("delete it with all that is in it: {}", one.about),
    };
    let action = Action::Bucket(BucketAction {
        delete,
        is_empty,
        holds_leases,
    });
    Step::new(id, summary, calls, action)
}

type Run<'s, 'c> = StepRun<'s, Reset<'c>>;

pub(super) async fn act<'c>(
    change: &Reset<'c>,
    step: &Run<'_, 'c>,
    action: &BucketAction,
) -> Result<Done<Reset<'c>>> {
    let bucket = action.bucket();
    if action.holds_leases {
        step.go_on_without_leases();
    }
    let mut deleted = 0;
    for pass in 0..PASSES {
        if !action.is_empty {
            deleted += Box::pin(empty(change, step, bucket, deleted)).await?;
        }
        match step.send(&change.ctx.aws, &action.delete).await? {
            Bucket::Gone if deleted == 0 => return Ok(Done::new("gone")),
            Bucket::Gone => return Ok(Done::new(format!("gone, with {}", counted(deleted, "version")))),
            Bucket::NotEmpty if action.is_empty => {
                return Err(CtlError::changed(format!(
                    "delete bucket {bucket}: something is in it by now, and it was empty when the plan was made"
                )));
            }
            Bucket::NotEmpty => {
                step.status(&format!("{bucket}: something was written to it meanwhile"));
                if pass + 1 < PASSES {
                    pause(change).await?;
                }
            }
        }
    }
    Err(CtlError::new(
        ErrorKind::Conflict,
        format!("delete bucket {bucket}: something writes to it again and again"),
    )
    .hint("end what writes to it, e.g. the access logs of another bucket, and run the same command again"))
}

async fn pause(change: &Reset<'_>) -> Result<()> {
    tokio::select! {
        () = change.ctx.cancel.cancelled() => Err(interrupted()),
        () = change.ctx.clock.sleep(PAUSE) => Ok(()),
    }
}

fn interrupted() -> CtlError {
    CtlError::new(ErrorKind::Interrupted, "empty the bucket: interrupted")
}

/// Deletes what is in a bucket until a look finds nothing. Returns how many versions and markers went; `before` went
/// already.
async fn empty<'c>(change: &Reset<'c>, step: &Run<'_, 'c>, bucket: &str, before: u64) -> Result<u64> {
    let mut deleted = 0;
    for pass in 0..PASSES {
        if pass > 0 {
            pause(change).await?;
        }
        let (gone, stays) = Box::pin(once_through(change, step, bucket, before + deleted)).await?;
        deleted += gone;
        match stays.iter().find(|one| !one.passes()) {
            Some(_) => return Err(refused(bucket, &stays)),
            None if stays.is_empty() => return Ok(deleted),
            None if pass + 1 == PASSES => return Err(refused(bucket, &stays)),
            None => {}
        }
    }
    Ok(deleted)
}

/// Goes through a bucket once. Returns how many went, and the first of those that S3 did not delete.
async fn once_through<'c>(
    change: &Reset<'c>,
    step: &Run<'_, 'c>,
    bucket: &str,
    before: u64,
) -> Result<(u64, Vec<Stays>)> {
    let aws = &change.ctx.aws;
    let cancel = &change.ctx.cancel;
    let pages = try_unfold(Some(None::<Marker>), async |after: Option<Option<Marker>>| {
        let Some(after) = after else { return Ok(None) };
        if cancel.is_cancelled() {
            return Err(interrupted());
        }
        let Some(page) = aws.versions_page(bucket, after.as_ref()).await? else {
            return Ok(None);
        };
        let next = page.next.clone().map(Some);
        Ok::<_, CtlError>(Some((page.into_ids(), next)))
    });
    let send = async |ids: Vec<(String, String)>| {
        if ids.is_empty() {
            return Ok((0, Vec::new()));
        }
        let count = ids.len();
        let call = DeleteObjects {
            bucket: bucket.to_owned(),
            objects: Objects::These(ids),
            loses: None,
        };
        let stays = step.send(aws, &call).await?;
        Ok::<_, CtlError>((count.saturating_sub(stays.len()) as u64, stays))
    };
    let sent = pages.map_ok(send).try_buffer_unordered(AT_ONCE).boxed_local();
    futures::pin_mut!(sent);
    let (mut deleted, mut kept, mut told) = (0, Vec::new(), before / TOLD);
    while let Some((gone, stays)) = sent.try_next().await? {
        deleted += gone;
        kept.extend(stays);
        kept.truncate(NAMED);
        if (before + deleted) / TOLD > told {
            told = (before + deleted) / TOLD;
            step.status(&format!("{bucket}: {} versions deleted", before + deleted));
        }
    }
    Ok((deleted, kept))
}

fn refused(bucket: &str, stays: &[Stays]) -> CtlError {
    let error = CtlError::new(
        ErrorKind::Failed,
        format!("empty bucket {bucket}: S3 did not delete all that is in it"),
    );
    let error = stays.iter().take(NAMED).fold(error, |error, one| {
        error.cause(format!("{}: {}: {}", one.key, one.code, one.message))
    });
    error.hint("versions under a retention period or a legal hold, and those that the role may not delete (`s3:DeleteObjectVersion`), stay")
}
