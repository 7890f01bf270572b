//! Waiting for jobs to end. bpctl cannot keep workers from taking the next job: a fleet is drained when
//! its queue is empty and no worker has a job in hand, which a busy platform may never reach.

use std::time::Duration;

use crate::aws::wait::{Look, Waited, Waiter};
use crate::change::{Applied, Approved, Journal, Permit, Step, StepReport};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::{Verdict, Work, read_signals};
use crate::layout::{FleetId, Layout};

use super::plan::{Request, Shrink, at_work};
use super::step::shrink;

/// What came of it: as for every change, and the fleets that never ran out of jobs.
pub(super) struct Drained {
    pub(super) applied: Applied,
    /// Fleet and what it was still at.
    pub(super) busy: Vec<(String, String)>,
}

/// Takes each fleet to zero as soon as it has no jobs; looks at all of those left in one go.
///
/// A look that fails for good fails the fleets that were left.
pub(super) async fn drain(
    ctx: &Ctx,
    layout: &Layout,
    request: Request,
    approved: &Approved<Shrink>,
    journal: &mut Journal,
    timeout: Duration,
) -> Drained {
    let mut applied = Applied {
        done: Vec::new(),
        failed: Vec::new(),
        skipped: Vec::new(),
    };
    let mut left: Vec<(&Step<Shrink>, String)> = approved
        .plan()
        .steps
        .iter()
        .map(|step| (step, String::new()))
        .collect();
    // The metrics come once a minute: looking more often than every few seconds learns nothing.
    let waiter =
        Waiter::new(&ctx.clock, timeout, &ctx.cancel).pace(Duration::from_secs(10), Duration::from_secs(30));
    let _progress = ctx.ui.progress("Waiting for jobs to end");
    let waited = waiter
        .until(
            async || {
                let verdicts = Box::pin(look(ctx, layout, &left)).await?;
                let mut busy = Vec::new();
                let mut queue = std::mem::take(&mut left).into_iter().zip(verdicts);
                while let Some(((step, _), verdict)) = queue.next() {
                    if ctx.cancel.is_cancelled() || verdict != Verdict::Idle {
                        busy.push((step, at_work(&verdict)));
                        continue;
                    }
                    let tried =
                        Box::pin(attempt(ctx, layout, request, step, approved.permit(), journal)).await;
                    match tried {
                        Ok(Attempt::Done(did)) => applied.done.push(StepReport {
                            id: step.id.clone(),
                            did,
                        }),
                        // A job came in between the look and the write: wait on.
                        Ok(Attempt::Failed(error)) if error.kind() == ErrorKind::Changed => {
                            busy.push((step, error.to_string()));
                        }
                        Ok(Attempt::Failed(error)) => {
                            ctx.ui.warn(&format!("{}: {error}", step.id));
                            applied.failed.push((step.id.clone(), error));
                        }
                        Err(error) => {
                            busy.push((step, String::new()));
                            busy.extend(queue.map(|(rest, _)| rest));
                            left = busy;
                            return Err(error);
                        }
                    }
                }
                left = busy;
                if left.is_empty() {
                    return Ok(Look::Ready(()));
                }
                Ok(Look::Pending(told(&left)))
            },
            |text| ctx.ui.status(text),
        )
        .await;
    match waited {
        Ok(Waited::Ready(()) | Waited::TimedOut) => {}
        // What was done before is told all the same.
        Err(error) => {
            let failed = left.drain(..).map(|(step, _)| (step.id.clone(), error.clone()));
            applied.failed.extend(failed);
        }
        Ok(Waited::Cancelled) => {
            applied.skipped = left.drain(..).map(|(step, _)| step.id.clone()).collect();
        }
    }
    Drained {
        applied,
        busy: left
            .into_iter()
            .map(|(step, why)| (step.id.clone(), why))
            .collect(),
    }
}

enum Attempt {
    Done(String),
    Failed(CtlError),
}

/// One step with its lines in the journal.
///
/// # Errors
/// Only when the journal cannot be written.
async fn attempt(
    ctx: &Ctx,
    layout: &Layout,
    request: Request,
    step: &Step<Shrink>,
    permit: Permit<'_>,
    journal: &mut Journal,
) -> Result<Attempt> {
    journal.begin(&step.id, &step.summary)?;
    match shrink(ctx, layout, request, step, permit).await {
        Ok(did) => {
            journal.done(&step.id, &did)?;
            ctx.ui.status(&format!("{}: {did}", step.id));
            Ok(Attempt::Done(did))
        }
        Err(error) => {
            journal.failed(&step.id, &error)?;
            Ok(Attempt::Failed(error))
        }
    }
}

/// The verdict on every fleet left, in two batched reads.
async fn look(ctx: &Ctx, layout: &Layout, left: &[(&Step<Shrink>, String)]) -> Result<Vec<Verdict>> {
    let ids: Vec<FleetId> = left.iter().map(|(step, _)| step.action.fleet.clone()).collect();
    let names: Vec<String> = left.iter().map(|(step, _)| step.action.group.clone()).collect();
    let (groups, (signals, _)) = futures::join!(
        Box::pin(ctx.aws.groups_named(&names)),
        Box::pin(read_signals(&ctx.aws, layout, &ids))
    );
    let groups = groups?;
    Ok(left
        .iter()
        .map(|(step, _)| {
            let Shrink { fleet, group, .. } = &step.action;
            // A group that is gone fails its own step, not everybody's wait.
            let Some(group) = groups.iter().find(|found| found.name == *group) else {
                return Verdict::Idle;
            };
            // Somebody else was faster: the step finds that out, nothing is left to wait for.
            if group.desired == 0 {
                return Verdict::Idle;
            }
            match signals.get(fleet) {
                Some(signals) => Work::of(group, signals).verdict(),
                None => Verdict::Unknown {
                    why: "no answer".to_owned(),
                },
            }
        })
        .collect())
}

/// The first few fleets by name, the others by number.
fn told(left: &[(&Step<Shrink>, String)]) -> String {
    const NAMED: usize = 3;
    let named: Vec<String> = left
        .iter()
        .take(NAMED)
        .map(|(step, why)| format!("{} ({why})", step.id))
        .collect();
    let others = match left.len().saturating_sub(NAMED) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    format!("Waiting for {}{others}", named.join(", "))
}
