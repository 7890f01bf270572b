//! What is copied, in which order, and what stands against it. Pure.

use serde::{Deserialize, Serialize};

use super::Backup;
use super::bucket::Large;
use super::observe::{BucketSeen, Seen, ValuesSeen, snapshot_of};
use super::place::{MANIFEST, Place, SECRETS};
use super::request::Part;
use crate::aws::rds::CreateDbSnapshot;
use crate::aws::s3::copy::CopyToBackup;
use crate::aws::s3::upload::PutObject;
use crate::change::{Basis, Blocker, Call as _, Plan, Step};
use crate::commands::bundle::bundle_size;
use crate::commands::db::instances::PlatformDatabase;
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::output::counted;

/// The steps' names.
pub(super) const SNAPSHOT: &str = "snapshot";
pub(super) const AVAILABLE: &str = "snapshot available";
pub(super) const ENCRYPTED: &str = "secrets";
pub(super) const LAST: &str = "manifest";

pub(super) fn bucket_id(role: &str) -> String {
    format!("bucket {role}")
}

/// What one step does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Snapshot(CreateDbSnapshot),
    /// Waits for a snapshot: its instance and its id.
    Await(String, String),
    /// Role and name of a bucket.
    Bucket(String, String),
    Large(Box<Large>),
    Secrets,
    Manifest,
}

pub(super) fn plan(change: &Backup<'_>, seen: &Seen, basis: &Basis<'_>) -> Plan<Action> {
    let shown = change.request.place.shown();
    let title = format!("back the platform up to {shown}");
    if let Some(manifest) = &seen.finished {
        let mut plan = Plan::new(title, Vec::new());
        if seen.just_made {
            plan.warnings.push(format!(
                "{shown} holds the backup that was complete at {}: nothing is copied again",
                manifest.made
            ));
        } else {
            plan.blockers.push(Blocker {
                kind: ErrorKind::Conflict,
                reason: format!(
                    "back up to `{shown}`: it holds the backup that was complete at {}",
                    manifest.made
                ),
                hint: Hint::new("name another place: a backup is of one time, and is not written over"),
            });
        }
        return plan;
    }
    let mut steps = Vec::new();
    let mut wait = None;
    if let Some(PlatformDatabase::Found { id, .. }) = &seen.database {
        // First: what the tables name is in the buckets then, when objects are copied.
        let snapshot = match &seen.snapshot {
            Some(begun) => begun.clone(),
            None => {
                let run = &basis.names.run;
                let call = CreateDbSnapshot {
                    instance: id.clone(),
                    snapshot: snapshot_of(id, run.began().unwrap_or(basis.now), run.short()),
                    tags: basis.names.tags("backup"),
                };
                let snapshot = call.snapshot.clone();
                let calls = vec![call.described()];
                let summary = format!("begin a snapshot of database {id}");
                steps.push(Step::new(SNAPSHOT, summary, calls, Action::Snapshot(call)));
                snapshot
            }
        };
        let summary = "wait until the snapshot is available";
        let action = Action::Await(id.clone(), snapshot);
        let mut step = Step::new(AVAILABLE, summary, Vec::new(), action);
        step.needs.extend(steps.first().map(|first| first.id.clone()));
        wait = Some(step);
    }
    for bucket in &seen.buckets {
        steps.extend(bucket_steps(change, bucket));
    }
    if let Some(values) = &seen.values {
        steps.push(secrets_step(change, values));
    }
    steps.extend(wait);
    let calls = put(change, MANIFEST).map(|call| vec![call.described()]);
    let summary = format!("write `{MANIFEST}`, which makes it a backup");
    let mut last = Step::new(LAST, summary, calls.unwrap_or_default(), Action::Manifest);
    last.needs = steps.iter().map(|step| step.id.clone()).collect();
    steps.push(last);
    let mut plan = Plan::new(title, steps);
    plan.stays = stays(change, seen);
    plan.warnings = warnings(seen);
    plan.blockers = blockers(change, seen);
    plan
}

/// The call that writes a part of the backup into a bucket, without its bytes.
pub(super) fn put(change: &Backup<'_>, part: &str) -> Option<PutObject> {
    let Place::Bucket { bucket, prefix } = &change.request.place else {
        return None;
    };
    Some(PutObject {
        bucket: bucket.clone(),
        key: Place::key(prefix, part),
        content_type: if part == MANIFEST {
            "application/json"
        } else {
            "application/octet-stream"
        },
        sha256: None,
        length: None,
        file: None,
        replaces: true,
        body: bytes::Bytes::new(),
    })
}

fn bucket_steps(change: &Backup<'_>, seen: &BucketSeen) -> Vec<Step<Action>> {
    let Some((objects, size)) = seen.content else {
        return Vec::new();
    };
    let (mut steps, mut calls) = (Vec::new(), Vec::new());
    if let Place::Bucket { bucket, prefix } = &change.request.place {
        for one in &seen.large {
            let from = (seen.role.as_str(), seen.bucket.as_str());
            let large = Large::new(from, (bucket, prefix), one, change.request.part);
            steps.push(large.step(&seen.role));
        }
        if objects > seen.large.len() as u64 {
            let call = CopyToBackup {
                into: bucket.clone(),
                way: None,
            };
            calls.push(call.described());
        }
    }
    let summary = format!(
        "copy {} of {}, {}",
        counted(objects, "object"),
        seen.bucket,
        bundle_size(size)
    );
    let action = Action::Bucket(seen.role.clone(), seen.bucket.clone());
    let mut step = Step::new(bucket_id(&seen.role), summary, calls, action);
    step.needs = steps.iter().map(|large| large.id.clone()).collect();
    step.notes
        .push("what is there already as it is in the bucket is not copied again".to_owned());
    steps.push(step);
    steps
}

fn secrets_step(change: &Backup<'_>, seen: &ValuesSeen) -> Step<Action> {
    let calls = put(change, SECRETS).map(|call| vec![call.described()]);
    let summary = format!(
        "encrypt {} into `{SECRETS}`",
        counted(seen.entries.len() as u64, "value")
    );
    let mut step = Step::new(ENCRYPTED, summary, calls.unwrap_or_default(), Action::Secrets);
    let recipients = change.request.recipients.iter().flat_map(|all| all.shown());
    step.notes
        .extend(recipients.map(|recipient| format!("for {recipient}")));
    step.notes.extend(seen.entries.iter().map(|entry| {
        format!(
            "{}: {}, fingerprint {}",
            entry.path,
            counted(entry.length as u64, "character"),
            entry.fingerprint
        )
    }));
    step
}

fn stays(change: &Backup<'_>, seen: &Seen) -> Vec<String> {
    let mut lines: Vec<String> = change
        .request
        .skip
        .iter()
        .map(|part| format!("{} is left out, as `--skip` says", part.as_str()))
        .collect();
    if seen.buckets.iter().any(|bucket| bucket.role == "logs") {
        lines.push("bpctl's own leases and history in the logs bucket are left out".to_owned());
    }
    if !seen.buckets.is_empty() {
        lines.push("older versions of objects are left out".to_owned());
    }
    lines
}

fn warnings(seen: &Seen) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(PlatformDatabase::Found {
        id,
        doubt: Some(doubt),
        ..
    }) = &seen.database
    {
        warnings.push(format!("the snapshot is taken of {id}: {doubt}"));
    }
    if let Some(snapshot) = &seen.snapshot {
        warnings.push(format!(
            "an earlier run has begun snapshot {snapshot}: it is this backup's"
        ));
    }
    for bucket in seen.buckets.iter().filter(|bucket| bucket.content.is_none()) {
        warnings.push(format!("there is no bucket {}", bucket.bucket));
    }
    for path in seen.values.iter().flat_map(|values| &values.missing) {
        warnings.push(format!("`{path}` is not there, or has no value"));
    }
    warnings
}

fn blockers(change: &Backup<'_>, seen: &Seen) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    if let Some(bucket) = &seen.no_bucket {
        blockers.push(Blocker {
            kind: ErrorKind::NotFound,
            reason: format!(
                "back up to `{}`: there is no bucket {bucket}",
                change.request.place.shown()
            ),
            hint: Hint::new("make it, in this region, before the backup"),
        });
    }
    for (path, why) in seen.values.iter().flat_map(|values| &values.unread) {
        blockers.push(Blocker {
            kind: ErrorKind::AccessDenied,
            reason: format!("back `{path}` up: it cannot be read ({why})"),
            hint: Hint::new(
                "reading needs `secretsmanager:GetSecretValue`; `--skip secrets` leaves all of them out",
            ),
        });
    }
    // An instance must be available for a snapshot (Amazon RDS User Guide, "Creating a DB snapshot").
    match &seen.database {
        Some(PlatformDatabase::Found { id, status, .. })
            if seen.snapshot.is_none()
                && !matches!(status.as_str(), "available" | "storage-optimization") =>
        {
            blockers.push(Blocker {
                kind: ErrorKind::Conflict,
                reason: format!("take a snapshot of database {id}: it is {status}"),
                hint: Hint::new("look at it with")
                    .command(
                        CommandLine::aws("rds", "describe-db-instances")
                            .option("--db-instance-identifier", id),
                    )
                    .and("; `--skip database` leaves it out"),
            });
        }
        Some(PlatformDatabase::Unknown(why)) => blockers.push(Blocker {
            kind: ErrorKind::NotFound,
            reason: format!("find the database: {why}"),
            hint: Hint::new(format!("`--skip {}` leaves it out", Part::Database.as_str())),
        }),
        Some(PlatformDatabase::Found { .. }) | None => {}
    }
    blockers
}
