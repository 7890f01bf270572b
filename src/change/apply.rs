//! Carries out an approved plan step by step, each step in the journal before and after.

use serde::Serialize;

use super::approve::{Approved, Permit};
use super::journal::Journal;
use super::plan::Step;
use crate::context::Ctx;
use crate::error::{CtlError, Result};

/// What one step came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StepReport {
    pub(crate) id: String,
    /// Past tense: "set desired capacity to 0".
    pub(crate) did: String,
}

/// What a whole plan came to.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) done: Vec<StepReport>,
    pub(crate) failed: Vec<(String, CtlError)>,
    /// Not begun, because of an interrupt.
    pub(crate) skipped: Vec<String>,
}

/// Runs `work` for every step in order. A failed step does not keep the others from being tried; an
/// interrupt stops before the next one.
///
/// # Errors
/// When the journal cannot be written before the first step: what cannot be recorded is not begun.
pub(crate) async fn apply<A>(
    ctx: &Ctx,
    approved: &Approved<A>,
    journal: &mut Journal,
    work: impl AsyncFn(&Step<A>, Permit<'_>) -> Result<String>,
) -> Result<Applied> {
    let mut applied = Applied {
        done: Vec::new(),
        failed: Vec::new(),
        skipped: Vec::new(),
    };
    for step in &approved.plan().steps {
        if ctx.cancel.is_cancelled() {
            applied.skipped.push(step.id.clone());
            continue;
        }
        if let Err(error) = journal.begin(&step.id, &step.summary) {
            // What earlier steps did must still be told.
            if applied.done.is_empty() && applied.failed.is_empty() {
                return Err(error);
            }
            ctx.ui.warn(&format!("{}: {error}", step.id));
            applied.failed.push((step.id.clone(), error));
            continue;
        }
        match work(step, approved.permit()).await {
            Ok(did) => {
                // It is done all the same; a journal that is really broken stops the next step.
                if let Err(error) = journal.done(&step.id, &did) {
                    ctx.ui.warn(&format!("{}: {error}", step.id));
                }
                ctx.ui.status(&format!("{}: {did}", step.id));
                applied.done.push(StepReport {
                    id: step.id.clone(),
                    did,
                });
            }
            Err(error) => {
                if let Err(error) = journal.failed(&step.id, &error) {
                    ctx.ui.warn(&format!("{}: {error}", step.id));
                }
                ctx.ui.warn(&format!("{}: {error}", step.id));
                applied.failed.push((step.id.clone(), error));
            }
        }
    }
    Ok(applied)
}
