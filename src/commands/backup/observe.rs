//! What there is to back up, and what an earlier run has left. Reads AWS and changes nothing.

use jiff::{SignedDuration, Timestamp};

use super::Backup;
use super::bucket::is_same;
use super::manifest::{Manifest, SavedEntry};
use super::place::{BUCKETS, Place};
use super::request::Part;
use super::skipped;
use super::values;
use crate::aws::rds::removal::ListedSnapshot;
use crate::aws::s3::beside::Beside;
use crate::aws::s3::listing::{Entry, Listing};
use crate::change::Target;
use crate::change::journal::Record;
use crate::commands::db::instances::{self, PlatformDatabase};
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::AccountId;
use crate::secrets::Fingerprints;

/// A snapshot of a run that was cut off counts for a day: later the objects would be of another time than the tables.
const SAME_TIME: SignedDuration = SignedDuration::from_hours(24);

/// What the plan is made from.
pub(super) struct Seen {
    /// A backup that is there already.
    pub(super) finished: Option<Manifest>,
    /// Whether a run of the last minutes has made it, or one that was cut off behind its end: the same command is typed
    /// again to see it through.
    pub(super) just_made: bool,
    pub(super) database: Option<PlatformDatabase>,
    /// A snapshot that an earlier run has begun.
    pub(super) snapshot: Option<String>,
    pub(super) buckets: Vec<BucketSeen>,
    /// The bucket that the backup goes to, if it is not there.
    pub(super) no_bucket: Option<String>,
    pub(super) values: Option<ValuesSeen>,
}

/// A bucket of the platform.
pub(super) struct BucketSeen {
    pub(super) role: String,
    pub(super) bucket: String,
    /// Objects and bytes; `None` when there is no such bucket.
    pub(super) content: Option<(u64, u64)>,
    /// Objects that S3 copies in parts.
    pub(super) large: Vec<LargeSeen>,
}

/// An object that S3 copies in parts.
pub(super) struct LargeSeen {
    pub(super) entry: Entry,
    /// An upload of it that was cut off.
    pub(super) left: Option<String>,
    /// What goes along; nothing of one that was deleted since the listing.
    pub(super) beside: Beside,
}

/// Parameters and secrets, without values.
pub(super) struct ValuesSeen {
    pub(super) entries: Vec<SavedEntry>,
    pub(super) missing: Vec<String>,
    pub(super) unread: Vec<(String, String)>,
}

pub(super) async fn observe(change: &Backup<'_>, target: &Target, recent: &[Record]) -> Result<Seen> {
    let (ctx, request) = (change.ctx, &change.request);
    let account: AccountId = target
        .account
        .parse()
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "read the account id").source(&error))?;
    let all = change.layout.buckets(&account);
    let mut no_bucket = None;
    if let Place::Bucket { bucket, .. } = &request.place {
        if all.iter().any(|(_, name)| name == bucket) {
            return Err(CtlError::usage(format!(
                "back up to `{}`: it is a bucket of the platform, and would hold itself",
                request.place.shown()
            ))
            .hint("name a bucket that a teardown leaves alone"));
        }
        if !ctx.aws.has_bucket(bucket).await? {
            no_bucket = Some(bucket.clone());
        }
    }
    let finished = match no_bucket {
        Some(_) => None,
        None => Box::pin(request.place.manifest(ctx)).await?,
    };
    let finished = finished.map(|bytes| Manifest::parse(&bytes, &request.place.shown()));
    let finished = finished.transpose()?;
    let unfinished = |record: &&Record| record.end.as_ref().is_none_or(|end| end.verdict != "done");
    let just_made = finished
        .as_ref()
        .is_some_and(|manifest| recent.iter().any(|record| record.run == manifest.run));
    let mut seen = Seen {
        just_made,
        database: None,
        snapshot: None,
        buckets: Vec::new(),
        no_bucket,
        values: None,
        finished,
    };
    if seen.finished.is_some() || seen.no_bucket.is_some() {
        return Ok(seen);
    }
    if request.takes(Part::Database) {
        let found = Box::pin(instances::look(ctx, &change.layout)).await?.chosen();
        if let PlatformDatabase::Found { id, .. } = &found {
            let earlier: Vec<&Record> = recent.iter().filter(unfinished).collect();
            if !earlier.is_empty() {
                let snapshots = Box::pin(ctx.aws.db_snapshots()).await?;
                seen.snapshot = begun(id, &earlier, snapshots, ctx.clock.now());
            }
        }
        seen.database = Some(found);
    }
    for (role, bucket) in all {
        if request.takes_bucket(role) {
            seen.buckets
                .push(Box::pin(look_into(change, role, &bucket)).await?);
        }
    }
    if request.takes(Part::Secrets) {
        ctx.holds_secrets();
        let prints = Fingerprints::open(ctx.state_dir.as_deref())?;
        let read = Box::pin(values::read(&ctx.aws, &change.layout)).await?;
        // The values themselves go here: the step reads them again.
        seen.values = Some(ValuesSeen {
            entries: read.found.iter().map(|value| value.saved(&prints)).collect(),
            missing: read.missing,
            unread: read.unread,
        });
    }
    Ok(seen)
}

/// The snapshot that one of these runs has begun.
fn begun(
    instance: &str,
    earlier: &[&Record],
    snapshots: Vec<ListedSnapshot>,
    now: Timestamp,
) -> Option<String> {
    let since = now.checked_sub(SAME_TIME).unwrap_or(Timestamp::MIN);
    let ours = |one: &ListedSnapshot| {
        let is_ours = earlier.iter().any(|record| {
            one.id == snapshot_of(instance, record.run.began().unwrap_or(now), record.run.short())
        });
        let is_recent = one.taken.is_none_or(|taken| taken >= since);
        is_ours && is_recent && matches!(one.status.as_str(), "available" | "creating")
    };
    snapshots.into_iter().find(ours).map(|one| one.id)
}

/// The name of a run's snapshot. Letters, digits and single hyphens, beginning with a letter (CreateDBSnapshot).
pub(super) fn snapshot_of(instance: &str, began: Timestamp, short: &str) -> String {
    format!("{instance}-backup-{}-{short}", began.strftime("%Y%m%d-%H%M%S"))
}

async fn look_into(change: &Backup<'_>, role: &str, bucket: &str) -> Result<BucketSeen> {
    let (aws, request) = (&change.ctx.aws, &change.request);
    let mut seen = BucketSeen {
        role: role.to_owned(),
        bucket: bucket.to_owned(),
        content: None,
        large: Vec::new(),
    };
    let (mut objects, mut bytes) = (0, 0);
    let mut listing = Listing::new(aws, bucket, "");
    loop {
        let page = match listing.page().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(error) if error.kind() == ErrorKind::NotFound && objects == 0 => return Ok(seen),
            Err(error) => return Err(error),
        };
        for entry in page.into_iter().filter(|entry| !skipped(role, &entry.key)) {
            objects += 1;
            bytes += entry.size;
            let Place::Bucket { bucket: into, prefix } = &request.place else {
                continue;
            };
            if entry.size <= request.part {
                continue;
            }
            let key = Place::key(prefix, &format!("{BUCKETS}/{role}/{}", entry.key));
            let mut there = Listing::new(aws, into, &key);
            if there.find(&key).await?.is_some_and(|copy| is_same(&entry, &copy)) {
                continue;
            }
            let left = aws.upload_of(into, &key).await?;
            let beside = aws.beside_object(&seen.bucket, &entry.key).await?;
            seen.large.push(LargeSeen {
                entry,
                left,
                beside: beside.unwrap_or_default(),
            });
        }
    }
    seen.content = Some((objects, bytes));
    Ok(seen)
}
