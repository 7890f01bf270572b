//! After the write: do the instances really leave, and does the capacity stay at zero?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::change::{End, Outcome, Verification};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::fleet::hold::{self, Hold};
use crate::fleet::{FleetEnd, judge_leaving, lifted_by, status_command};
use crate::layout::FleetId;
use crate::wait::{Look, Waited, Waiter};

use super::super::hold::ALARM_TIME as HOLD_TIME;
use super::super::text::counted;
use super::ScaleToZero;
use super::observe::Candidate;
use super::plan::Action;

/// While jobs wait, the step policy's alarm is looked at once a minute: this long it may take until
/// the capacity is lifted again.
const ALARM_TIME: Duration = Duration::from_secs(100);

/// A fleet to be followed.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    pub(super) fleet: FleetId,
    pub(super) group: String,
    /// So long something may lift it again.
    pub(super) watched: Duration,
}

/// How a fleet ended.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) end: FleetEnd,
    /// The hold in force, where one was asked for.
    pub(super) hold: Option<Hold>,
}

/// The end as the engine takes it.
fn end_of(end: &FleetEnd, fleet: &FleetId, waits: bool) -> End {
    match end {
        FleetEnd::AtZero { .. } | FleetEnd::Stays { .. } => End::Settled,
        FleetEnd::NotFollowed if !waits => End::Settled,
        FleetEnd::Raised { desired, cause } => {
            End::Overturned(format!("{fleet} was {}", raised(*desired, cause.as_deref())))
        }
        FleetEnd::Unfinished { .. } | FleetEnd::NotFollowed => End::Running {
            what: format!("{fleet} still has some"),
            hint: Hint::new("the capacity is set; look again with").command(status_command(fleet)),
        },
    }
}

/// `set to 1 again by …`.
pub(super) fn raised(desired: u32, cause: Option<&str>) -> String {
    let cause = cause.map_or_else(
        || " by a scaling policy or another actor".to_owned(),
        |cause| format!(": {cause}"),
    );
    format!("set to {desired} again{cause}")
}

/// How to keep a capacity from being raised again.
pub(super) fn explain(
    error: CtlError,
    change: &ScaleToZero<'_>,
    outcome: &Outcome<ScaleToZero<'_>>,
) -> CtlError {
    let raised = outcome
        .endings
        .iter()
        .find(|(_, ending)| matches!(ending.end, FleetEnd::Raised { .. }));
    let Some((fleet, _)) = raised else {
        return error;
    };
    if change.request.hold.is_some() {
        return error.hint(
            Hint::new("no alarm has set it: find the person, the schedule or the program that did with")
                .command(CommandLine::bpctl(["fleet", "explain"]).args([fleet.clone()])),
        );
    }
    let mut again = CommandLine::bpctl(["fleet", "scale-to-zero"]).args([fleet.clone(), "--hold".to_owned()]);
    if change.request.force {
        again = again.args(["--force"]);
    }
    error.hint(
        Hint::new("keep it at zero until it is released with")
            .command(again)
            .and(", or let the queue run empty first, see")
            .command(status_command(fleet)),
    )
}

/// Follows the fleets that were written to, and those that an earlier run or another actor left
/// shrinking, with one batched call per look.
///
/// # Errors
/// When looking fails for good; what is known by then is recorded.
pub(super) async fn verify(
    change: &ScaleToZero<'_>,
    seen: &[Candidate],
    run: &mut Verification<'_, ScaleToZero<'_>>,
) -> Result<()> {
    let ctx = change.ctx;
    let fleets = to_follow(seen, run);
    let (ends, trouble) = if ctx.cancel.is_cancelled() || !run.waits() {
        (BTreeMap::new(), None)
    } else {
        follow(ctx, &fleets, run.deadline()).await
    };
    let (holds, unread) = match holds_of(change, &fleets).await {
        Ok(holds) => (holds, None),
        Err(error) => (BTreeMap::new(), Some(error)),
    };
    for fleet in &fleets {
        let end = ends.get(&fleet.fleet).cloned().unwrap_or(FleetEnd::NotFollowed);
        run.end(fleet.fleet.to_string(), end_of(&end, &fleet.fleet, run.waits()));
        let hold = holds.get(&fleet.fleet).cloned();
        run.ending(fleet.fleet.to_string(), Ending { end, hold });
    }
    trouble.or(unread).map_or(Ok(()), Err)
}

/// The holds in force of these fleets, where holds were asked for.
async fn holds_of(change: &ScaleToZero<'_>, fleets: &[Followed]) -> Result<BTreeMap<FleetId, Hold>> {
    if change.request.hold.is_none() {
        return Ok(BTreeMap::new());
    }
    let names: Vec<FleetId> = fleets.iter().map(|fleet| fleet.fleet.clone()).collect();
    let found = hold::in_force(&change.ctx.aws, &change.layout, &names).await?;
    let holds = found.into_iter();
    holds.map(|(fleet, hold)| Ok((fleet, hold?))).collect()
}

fn to_follow(seen: &[Candidate], run: &Verification<'_, ScaleToZero<'_>>) -> Vec<Followed> {
    let done = run.done();
    let shrunk: BTreeSet<&FleetId> = done
        .iter()
        .filter_map(|(step, _)| Some(&step.action.shrink()?.fleet))
        .collect();
    let at_zero = |fleet: &FleetId| {
        let mut groups = seen.iter().filter(|candidate| candidate.id == *fleet);
        groups.any(|candidate| {
            candidate
                .seen
                .as_ref()
                .is_some_and(|(group, _)| group.desired == 0)
        })
    };
    let mut fleets: BTreeMap<FleetId, Followed> = BTreeMap::new();
    for (step, _) in &done {
        let watched = match &step.action {
            Action::Shrink(shrink) if shrink.jobs_wait => ALARM_TIME,
            Action::Shrink(_) | Action::Restore { .. } => Duration::ZERO,
            // Whoever holds a fleet wants to know that it stays.
            Action::Hold { .. } => HOLD_TIME,
        };
        let (fleet, group) = step.action.group();
        // One that is held and was not taken to zero after all does not stay there.
        if !shrunk.contains(fleet) && !at_zero(fleet) {
            continue;
        }
        let followed = fleets.entry(fleet.clone()).or_insert_with(|| Followed {
            fleet: fleet.clone(),
            group: group.to_owned(),
            watched,
        });
        followed.watched = followed.watched.max(watched);
    }
    for Candidate { id, seen, .. } in seen {
        let Some((group, _)) = seen else { continue };
        let leaving = group.desired == 0 && !group.deleting && group.staying().next().is_some();
        if leaving {
            fleets.entry(id.clone()).or_insert_with(|| Followed {
                fleet: id.clone(),
                group: group.name.clone(),
                watched: Duration::ZERO,
            });
        }
    }
    fleets.into_values().collect()
}

/// Follows all fleets. When looking fails for good, the error comes along with what is known by then.
async fn follow(
    ctx: &Ctx,
    fleets: &[Followed],
    deadline: Timestamp,
) -> (BTreeMap<FleetId, FleetEnd>, Option<CtlError>) {
    let mut ends = BTreeMap::new();
    if fleets.is_empty() {
        return (ends, None);
    }
    let started = ctx.clock.now();
    // Instances that each fleet still has.
    let mut left: Vec<(&Followed, usize)> = fleets.iter().map(|fleet| (fleet, 0)).collect();
    let waiter = Waiter::until_deadline(&ctx.clock, deadline, &ctx.cancel)
        .pace(Duration::from_secs(2), Duration::from_secs(10));
    let progress = ctx.ui.progress(&format!(
        "Following {} until the instances leave",
        counted(fleets.len() as u64, "fleet")
    ));
    let waited = waiter
        .until(
            async || {
                let names: Vec<String> = left.iter().map(|(fleet, _)| fleet.group.clone()).collect();
                let groups = ctx.aws.groups_named(&names).await?;
                let waited = Duration::try_from(ctx.clock.now().duration_since(started)).unwrap_or_default();
                left.retain_mut(|(fleet, count)| {
                    let group = groups.iter().find(|group| group.name == fleet.group);
                    *count = group.map_or(0, |group| group.staying().count());
                    let end = judge_leaving(group, waited < fleet.watched);
                    let goes_on = end.is_none();
                    ends.extend(end.map(|end| (fleet.fleet.clone(), end)));
                    goes_on
                });
                if left.is_empty() {
                    return Ok(Look::Ready(()));
                }
                let running: usize = left.iter().map(|(_, count)| count).sum();
                Ok(Look::Pending(format!(
                    "{} still to settle, {} running",
                    counted(left.len() as u64, "fleet"),
                    counted(running as u64, "instance")
                )))
            },
            |text| progress.say(text),
        )
        .await;
    let trouble = match waited {
        Ok(Waited::Ready(())) => None,
        unfinished => {
            let unfinished_fleets = left.into_iter();
            ends.extend(
                unfinished_fleets.map(|(fleet, left)| (fleet.fleet.clone(), FleetEnd::Unfinished { left })),
            );
            unfinished.err()
        }
    };
    find_causes(ctx, fleets, &mut ends).await;
    (ends, trouble)
}

/// Finds out who lifted a capacity, from the group's newest activities.
async fn find_causes(ctx: &Ctx, fleets: &[Followed], ends: &mut BTreeMap<FleetId, FleetEnd>) {
    for fleet in fleets {
        let Some(FleetEnd::Raised { cause, .. }) = ends.get_mut(&fleet.fleet) else {
            continue;
        };
        // Only an explanation: without it the fact stands all the same.
        if let Ok(activities) = ctx.aws.activities(&fleet.group, 5).await {
            *cause = lifted_by(&activities);
        }
    }
}
