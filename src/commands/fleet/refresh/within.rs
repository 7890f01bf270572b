//! A refresh as a part of another verb: a pointer moves, and then the instances are replaced.

use serde::{Deserialize, Serialize};

use super::follow::{Followed, follow_up};
use super::observe::Seen;
use super::plan::plan;
use super::view::RefreshResult;
use super::{RefreshAction, RefreshOptions};
use crate::change::{Change, End, OnFailure, Plan, Step, Verification};
use crate::error::Result;
use crate::layout::{FleetId, Layout};

/// One step of a verb that moves pointers by `M`, and replaces the instances afterwards.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands) enum MoveOrRefresh<M> {
    Move(M),
    Refresh(Box<RefreshAction>),
}

/// What such a step found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands) enum Found {
    /// The number of the pointer's new version.
    Version(i64),
    /// The id of the refresh.
    Refresh(String),
}

/// The name of the step that replaces a fleet's instances.
pub(in crate::commands) fn step_within(fleet: &FleetId) -> String {
    format!("refresh {fleet}")
}

/// What a refresh alone would do, as a step that comes after those in `needs`.
pub(in crate::commands) fn plan_within<M>(
    layout: &Layout,
    fleet: &FleetId,
    options: &RefreshOptions,
    seen: &Seen,
    needs: &[String],
) -> Plan<MoveOrRefresh<M>> {
    let alone = plan(layout, fleet, options, seen);
    let steps = alone.steps.into_iter().map(|step| Step {
        id: step_within(fleet),
        needs: needs.to_vec(),
        summary: step.summary,
        calls: step.calls,
        if_needed: step.if_needed,
        notes: step.notes,
        before: step.before,
        after: step.after,
        waits: step.waits,
        is_anew: step.is_anew,
        on_failure: OnFailure::Continue,
        then: step.then,
        action: MoveOrRefresh::Refresh(Box::new(step.action)),
    });
    let mut plan = Plan::new(alone.title, steps.collect());
    plan.warnings = alone.warnings;
    plan.blockers = alone.blockers;
    plan
}

/// Follows the refresh of a fleet that a step of this run has started; `None` when none did. Says the step, how the
/// refresh ended and what the instances run.
///
/// # Errors
/// When AWS cannot be looked at any more; the refresh goes on.
pub(in crate::commands) async fn follow_within<M, V>(
    followed: &Followed<'_>,
    run: &Verification<'_, V>,
) -> Result<Option<(String, End, RefreshResult)>>
where
    V: Change<Action = MoveOrRefresh<M>, Output = Found>,
{
    let name = step_within(followed.fleet);
    let done = run.done().into_iter();
    let mut started = done.filter_map(|(step, found)| match (&step.action, found) {
        (MoveOrRefresh::Refresh(action), Some(Found::Refresh(id))) if step.id == name => {
            Some((step, action, id))
        }
        _ => None,
    });
    let Some((step, action, id)) = started.next() else {
        return Ok(None);
    };
    let (end, result) = follow_up(followed, &id, step, action, run).await?;
    Ok(Some((name, end, result)))
}
