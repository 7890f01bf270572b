//! The database: its credentials, its last snapshot, and how it goes.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Teardown;
use super::observe::Copied;
use super::plan::{Action, Save, snapshot_id};
use crate::aws::rds::removal::{DeleteDb, ProtectDb};
use crate::aws::rds::{CreateDbSnapshot, DbInstance};
use crate::change::journal::{Record, RecordedStep};
use crate::change::{Call as _, Change, Done, Step, StepRun};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::redact::Sealed;
use crate::secrets::Fingerprints;
use crate::wait::{Look, Waited, Waiter};

/// Snapshots and deletions take minutes.
const PACE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

/// What becomes of an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::commands) struct DatabaseAction {
    unprotect: Option<ProtectDb>,
    delete: DeleteDb,
    /// Whether it is on its way out already.
    going_on: bool,
}

/// The id of the step that deletes a database.
pub(in crate::commands) fn id(instance: &str) -> String {
    format!("database {instance}")
}

impl DatabaseAction {
    /// It goes; its data is in the snapshot `copied_to`, if anywhere.
    pub(in crate::commands) fn removal(instance: &DbInstance, copied_to: Option<String>) -> Self {
        Self {
            unprotect: instance.protected.then(|| ProtectDb {
                instance: instance.id.clone(),
                protected: false,
            }),
            delete: DeleteDb {
                instance: instance.id.clone(),
                copied_to,
            },
            going_on: instance.status == "deleting",
        }
    }

    pub(in crate::commands) fn instance(&self) -> &str {
        &self.delete.instance
    }

    /// The step that removes an instance in this status.
    pub(in crate::commands) fn step<A>(self, status: &str, action: impl Fn(Self) -> A) -> Step<A> {
        let mut calls: Vec<_> = Vec::new();
        if !self.going_on {
            calls.extend(self.unprotect.iter().map(ProtectDb::described));
            calls.push(self.delete.described());
        }
        let summary = match self.going_on {
            true => "go on with its deletion, which is under way, and wait until it is gone",
            false => "delete it and wait until it is gone",
        };
        let id = id(&self.delete.instance);
        Step::new(id, summary, calls, action(self)).changing(status, "gone")
    }

    /// It stays, and is protected.
    pub(super) fn protection(call: ProtectDb) -> Self {
        Self {
            delete: DeleteDb {
                instance: call.instance.clone(),
                copied_to: None,
            },
            unprotect: Some(call),
            going_on: false,
        }
    }

    /// Whether it is only protected.
    fn protects(&self) -> bool {
        self.unprotect.as_ref().is_some_and(|call| call.protected)
    }
}

/// The last snapshot that the newest of these runs relies on which did not come to its end: one of its own, or one that it
/// went on with. The runs come with the newest first.
///
/// Behind a run that found the services' stack, older snapshots are of a time before the services wrote.
pub(super) fn relied_on(runs: &[Record], of: &Copied<'_>, compute: &str) -> Option<String> {
    let is_over = |verdict: &str| matches!(verdict, "done" | "continued");
    let is_open = |run: &&Record| run.end.as_ref().is_none_or(|end| !is_over(&end.verdict));
    for run in runs.iter().take_while(is_open) {
        // A run that was to keep the database and was not cut off may have been seen through since, by a run that is no
        // longer listed, and the database have been in use.
        let keeps = !of.deletes || run.is_cut_off();
        let named = run.steps.iter().find_map(|step| named_by(step, of, keeps));
        if named.is_some() || run.steps.iter().any(|step| step.id == compute) {
            return named;
        }
    }
    None
}

/// `keeps`: whether the snapshot counts beside which the database was to stay.
fn named_by(step: &RecordedStep, of: &Copied<'_>, keeps: bool) -> Option<String> {
    let (removal, copy) = (id(of.instance), snapshot_id(of.instance));
    if ![&removal, &copy].contains(&&step.id) {
        return None;
    }
    match step.step::<Action>()?.action {
        Action::Database(action) => action.delete.copied_to,
        Action::Snapshot(call) if keeps => Some(call.snapshot),
        Action::Await(begun, _) if keeps => Some(begun),
        _ => None,
    }
}

type Run<'s, 'c> = StepRun<'s, Teardown<'c>>;

/// Copies the credentials. A step that a journal brings back has no value: the value is read again, and must be the one
/// that was approved.
pub(super) async fn save<'c>(
    change: &Teardown<'c>,
    step: &Run<'_, 'c>,
    save: &Save,
) -> Result<Done<Teardown<'c>>> {
    let aws = &change.ctx.aws;
    let filled = async |sealed: &Sealed| -> Result<Sealed> {
        if sealed.value().is_some() {
            return Ok(sealed.clone());
        }
        let names = [save.from.clone()];
        let mut values = aws.secret_values(&names).await?;
        let value = values.found.remove(&save.from).and_then(|found| found.value);
        let prints = Fingerprints::open(change.ctx.state_dir.as_deref())?;
        let fresh = value.map(|value| prints.seal(value));
        fresh
            .filter(|fresh| fresh.fingerprint == sealed.fingerprint)
            .ok_or_else(|| {
                CtlError::changed(format!(
                    "copy `{}`: it was changed since the plan was made",
                    save.from
                ))
            })
    };
    let mut to = String::new();
    if let Some(call) = &save.create {
        let mut call = call.clone();
        call.value = filled(&call.value).await?;
        step.send(aws, &call).await?;
        to = call.secret;
    }
    if let Some(call) = &save.put {
        let mut call = call.clone();
        call.value = filled(&call.value).await?;
        step.send(aws, &call).await?;
        to = call.secret;
    }
    // Read back: afterwards the original goes.
    let names = [save.from.clone(), to.clone()];
    let values = aws.secret_values(&names).await?.found;
    let value = |name: &str| values.get(name).and_then(|found| found.value.as_ref());
    match (value(&save.from), value(&to)) {
        (Some(from), Some(copy)) if from.expose() == copy.expose() => {
            Ok(Done::new(format!("copied to `{to}`, and read back")))
        }
        _ => Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "read back the copy of `{}` in `{to}`: it is not the same",
                save.from
            ),
        )),
    }
}

/// Takes the last snapshot and waits until it is complete.
pub(super) async fn snapshot<'c>(
    change: &Teardown<'c>,
    step: &Run<'_, 'c>,
    call: &CreateDbSnapshot,
) -> Result<Done<Teardown<'c>>> {
    step.send(&change.ctx.aws, call).await?;
    available(change, step, &call.snapshot).await
}

/// Waits until a snapshot is complete.
pub(super) async fn available<'c>(
    change: &Teardown<'c>,
    step: &Run<'_, 'c>,
    id: &str,
) -> Result<Done<Teardown<'c>>> {
    let ctx = change.ctx;
    let waiter = Waiter::until_deadline(&ctx.clock, step.deadline(), &ctx.cancel).pace(PACE.0, PACE.1);
    let waited = ctx
        .aws
        .settled_snapshot(id, waiter, |line| step.status(line))
        .await?;
    match waited {
        Waited::Ready(status) if status == "available" => {
            Ok(Done::new(format!("snapshot {id} is available")))
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

/// Waits for a snapshot that an earlier run has begun; when it was taken RDS says only after a while.
pub(super) async fn begun<'c>(
    change: &Teardown<'c>,
    step: &Run<'_, 'c>,
    id: &str,
    unwritten: Option<Timestamp>,
) -> Result<Done<Teardown<'c>>> {
    let done = available(change, step, id).await?;
    let snapshot = change.ctx.aws.db_snapshot(id).await?;
    let taken = snapshot.and_then(|snapshot| snapshot.taken);
    let is_last = unwritten.is_none_or(|since| taken.is_some_and(|taken| taken >= since));
    match is_last {
        true => Ok(done),
        false => Err(CtlError::changed(format!(
            "rely on snapshot {id}: the services may have written to the database after it was taken"
        ))
        .hint(("take a new one with", change.resume(&[])))),
    }
}

/// Takes the protection off, deletes the instance and waits until it is gone.
pub(in crate::commands) async fn delete<V: Change>(
    ctx: &Ctx,
    step: &StepRun<'_, V>,
    action: &DatabaseAction,
) -> Result<Done<V>> {
    let aws = &ctx.aws;
    if let (true, Some(protect)) = (action.protects(), &action.unprotect) {
        step.send(aws, protect).await?;
        return Ok(Done::new("protected from deletion"));
    }
    let id = &action.delete.instance;
    let there = aws.db_instances().await?.into_iter().find(|one| one.id == *id);
    match there {
        Some(instance) if instance.status != "deleting" => {
            if action.going_on {
                return Err(CtlError::changed(format!(
                    "delete database {id}: it is {} by now, and was on its way out when the plan was made",
                    instance.status
                )));
            }
            // Nothing is deleted whose copy is not known to be complete.
            if let Some(copy) = &action.delete.copied_to {
                let snapshot = aws.db_snapshot(copy).await?;
                if snapshot.is_none_or(|snapshot| snapshot.status != "available") {
                    return Err(CtlError::changed(format!(
                        "delete database {id}: its last snapshot {copy} is not available"
                    )));
                }
            }
            if let Some(unprotect) = action.unprotect.as_ref().filter(|_| instance.protected) {
                step.send(aws, unprotect).await?;
            }
            step.send(aws, &action.delete).await?;
        }
        Some(_) | None => {}
    }
    let waiter = Waiter::until_deadline(&ctx.clock, step.deadline(), &ctx.cancel).pace(PACE.0, PACE.1);
    let look = async || {
        let instances = aws.db_instances().await?;
        Ok(match instances.iter().find(|one| one.id == *id) {
            None => Look::Ready(()),
            Some(instance) => Look::Pending(format!("database {id} is {}", instance.status)),
        })
    };
    match waiter.until(look, |text| step.status(text)).await? {
        Waited::Ready(()) => {}
        Waited::TimedOut => {
            return Err(CtlError::new(
                ErrorKind::TimedOut,
                format!("see database {id} gone: it is still there"),
            ));
        }
        Waited::Cancelled => {
            return Err(CtlError::new(
                ErrorKind::Interrupted,
                format!("see database {id} gone: interrupted"),
            ));
        }
    }
    Ok(Done::new("deleted, and gone"))
}
