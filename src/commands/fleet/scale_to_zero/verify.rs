//! After the write: do the instances really leave, and does the capacity stay at zero?

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::aws::autoscaling::{Group, Phase};
use crate::change::{End, Outcome, Verification};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::layout::FleetId;
use crate::wait::{Look, Waited, Waiter};

use super::super::text::counted;
use super::ScaleToZero;
use super::observe::Candidate;

/// While jobs wait, the step policy's alarm is looked at once a minute: this long it may take until
/// the capacity is lifted again.
const ALARM_TIME: Duration = Duration::from_secs(100);

/// A fleet to be followed.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    pub(super) fleet: FleetId,
    pub(super) group: String,
    /// A policy is expected to lift it again.
    pub(super) jobs_wait: bool,
}

/// How a fleet ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FleetEnd {
    /// Nothing runs, or what is left is on its way out.
    AtZero { terminating: usize },
    /// Only instances that scale-in leaves alone (or that nothing may terminate) are left.
    Stays {
        instances: Vec<String>,
        why: &'static str,
    },
    /// Something set the capacity again.
    Raised { desired: u32, cause: Option<String> },
    /// The deadline passed (or Ctrl-C) with so many instances left.
    Unfinished { left: usize },
    /// Nothing was waited for.
    NotFollowed,
}

impl FleetEnd {
    fn as_engine_sees_it(&self, fleet: &FleetId, waits: bool) -> End {
        match self {
            Self::AtZero { .. } | Self::Stays { .. } => End::Settled,
            Self::NotFollowed if !waits => End::Settled,
            Self::Raised { desired, cause } => {
                End::Overturned(format!("{fleet} was {}", raised(*desired, cause.as_deref())))
            }
            Self::Unfinished { .. } | Self::NotFollowed => End::Running {
                what: format!("{fleet} still has some"),
                hint: Hint::new("the capacity is set; look again with").command(CommandLine::bpctl([
                    "fleet".to_owned(),
                    "status".to_owned(),
                    fleet.to_string(),
                ])),
            },
        }
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
pub(super) fn explain(error: CtlError, outcome: &Outcome<ScaleToZero<'_>>) -> CtlError {
    let raised = outcome
        .endings
        .iter()
        .find(|(_, end)| matches!(end, FleetEnd::Raised { .. }));
    let Some((fleet, _)) = raised else {
        return error;
    };
    error.hint(
        Hint::new("let the queue run empty first, see")
            .command(CommandLine::bpctl(["fleet", "status", fleet.as_str()]))
            .and(", or suspend its process AlarmNotification while it must stay at zero"),
    )
}

/// What a look at the group says; `None` when there is more to wait for.
fn judge(group: Option<&Group>, may_be_lifted: bool) -> Option<FleetEnd> {
    let Some(group) = group else {
        return Some(FleetEnd::AtZero { terminating: 0 });
    };
    if group.desired > 0 {
        return Some(FleetEnd::Raised {
            desired: group.desired,
            cause: None,
        });
    }
    if may_be_lifted {
        return None;
    }
    let left: Vec<_> = group
        .instances
        .iter()
        .filter(|instance| instance.phase != Phase::Terminating)
        .collect();
    let stays = |why| {
        Some(FleetEnd::Stays {
            instances: left.iter().map(|instance| instance.id.clone()).collect(),
            why,
        })
    };
    if left.is_empty() {
        Some(FleetEnd::AtZero {
            terminating: group.count(Phase::Terminating),
        })
    } else if group.suspended.iter().any(|(process, _)| process == "Terminate") {
        stays("the process `Terminate` is suspended")
    } else if left.iter().all(|instance| instance.protected) {
        stays("protected from scale-in")
    } else {
        None
    }
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
    for fleet in &fleets {
        let end = ends.get(&fleet.fleet).cloned().unwrap_or(FleetEnd::NotFollowed);
        run.end(
            fleet.fleet.to_string(),
            end.as_engine_sees_it(&fleet.fleet, run.waits()),
        );
        run.ending(fleet.fleet.to_string(), end);
    }
    trouble.map_or(Ok(()), Err)
}

fn to_follow(seen: &[Candidate], run: &Verification<'_, ScaleToZero<'_>>) -> Vec<Followed> {
    let written = run.done().into_iter().filter_map(|(step, _)| {
        let shrink = step.action.shrink()?;
        Some(Followed {
            fleet: shrink.fleet.clone(),
            group: shrink.call.group.clone(),
            jobs_wait: shrink.jobs_wait,
        })
    });
    let shrinking = seen.iter().filter_map(|Candidate { id, seen }| {
        let (group, _) = seen.as_ref()?;
        let leaving =
            group.desired == 0 && !group.deleting && group.instances.len() > group.count(Phase::Terminating);
        leaving.then(|| Followed {
            fleet: id.clone(),
            group: group.name.clone(),
            jobs_wait: false,
        })
    });
    written.chain(shrinking).collect()
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
    let mut left: Vec<&Followed> = fleets.iter().collect();
    let mut instances: BTreeMap<FleetId, usize> = BTreeMap::new();
    let waiter = Waiter::until_deadline(&ctx.clock, deadline, &ctx.cancel)
        .pace(Duration::from_secs(2), Duration::from_secs(10));
    let progress = ctx.ui.progress(&format!(
        "Following {} until the instances leave",
        counted(fleets.len() as u64, "fleet")
    ));
    let waited = waiter
        .until(
            async || {
                let names: Vec<String> = left.iter().map(|fleet| fleet.group.clone()).collect();
                let groups = ctx.aws.groups_named(&names).await?;
                let waited = Duration::try_from(ctx.clock.now().duration_since(started)).unwrap_or_default();
                left.retain(|fleet| {
                    let group = groups.iter().find(|group| group.name == fleet.group);
                    match judge(group, fleet.jobs_wait && waited < ALARM_TIME) {
                        Some(end) => {
                            ends.insert(fleet.fleet.clone(), end);
                            false
                        }
                        None => {
                            let count = group
                                .map_or(0, |group| group.instances.len() - group.count(Phase::Terminating));
                            instances.insert(fleet.fleet.clone(), count);
                            true
                        }
                    }
                });
                if left.is_empty() {
                    return Ok(Look::Ready(()));
                }
                let running: usize = left.iter().filter_map(|fleet| instances.get(&fleet.fleet)).sum();
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
            for fleet in left {
                let left = instances.get(&fleet.fleet).copied().unwrap_or_default();
                ends.insert(fleet.fleet.clone(), FleetEnd::Unfinished { left });
            }
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
            *cause = activities
                .iter()
                .map(|activity| &activity.cause)
                .find(|cause| cause.contains("changing the desired capacity from 0"))
                .cloned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::autoscaling::sample;

    fn group(desired: u32, instances: &[(Phase, bool)]) -> Group {
        let phases: Vec<Phase> = instances.iter().map(|(phase, _)| *phase).collect();
        let mut group = sample::group("asg-production-a", desired, &phases);
        for (instance, (_, protected)) in group.instances.iter_mut().zip(instances) {
            instance.protected = *protected;
        }
        group
    }

    #[test]
    fn leaving_counts_as_gone() {
        assert_eq!(
            judge(Some(&group(0, &[])), false),
            Some(FleetEnd::AtZero { terminating: 0 })
        );
        let leaving = group(0, &[(Phase::Terminating, false), (Phase::Terminating, true)]);
        assert_eq!(
            judge(Some(&leaving), false),
            Some(FleetEnd::AtZero { terminating: 2 })
        );
        assert_eq!(judge(None, false), Some(FleetEnd::AtZero { terminating: 0 }));
    }

    #[test]
    fn an_instance_in_service_is_waited_for() {
        let mixed = group(0, &[(Phase::InService, false), (Phase::InService, true)]);
        assert_eq!(judge(Some(&mixed), false), None);
    }

    #[test]
    fn protected_instances_are_not_waited_for() {
        let protected = group(0, &[(Phase::InService, true), (Phase::Terminating, false)]);
        let Some(FleetEnd::Stays { instances, why }) = judge(Some(&protected), false) else {
            panic!("protected instances stay")
        };
        assert_eq!(
            (instances, why),
            (vec!["i-0".to_owned()], "protected from scale-in")
        );
    }

    #[test]
    fn nothing_leaves_while_terminate_is_suspended() {
        let mut suspended = group(0, &[(Phase::InService, false)]);
        suspended.suspended = vec![("Terminate".to_owned(), String::new())];
        assert!(matches!(
            judge(Some(&suspended), false),
            Some(FleetEnd::Stays { .. })
        ));
    }

    #[test]
    fn a_capacity_that_came_back_is_seen_at_once() {
        let raised = group(1, &[(Phase::Terminating, false)]);
        for may_be_lifted in [true, false] {
            assert!(matches!(
                judge(Some(&raised), may_be_lifted),
                Some(FleetEnd::Raised { desired: 1, .. })
            ));
        }
    }

    #[test]
    fn a_fleet_with_waiting_jobs_is_watched_for_a_while() {
        assert_eq!(judge(Some(&group(0, &[])), true), None);
    }
}
