//! What taking fleets to zero means for each of them. Pure.

use std::collections::BTreeSet;

use crate::aws::autoscaling::{Group, Phase};
use crate::change::{ApiCall, Blocker, Plan, Risk, Step, Target};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::fleet::{Verdict, Work};
use crate::layout::{FleetAlarm, FleetId, Layout};

use super::super::text::counted;

/// How to go about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// Wait until the jobs are done.
    pub(super) drain: bool,
    /// Go on although jobs are (or may be) lost.
    pub(super) force: bool,
}

/// A fleet that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: FleetId,
    /// Group and work; `None` when the fleet has no group.
    pub(super) seen: Option<(Group, Work)>,
}

/// Everything the plan is made from.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) target: Target,
    pub(super) fleets: Vec<Candidate>,
}

/// One fleet to be taken to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shrink {
    pub(super) fleet: FleetId,
    pub(super) group: String,
    /// The desired capacity that the plan was made with.
    pub(super) desired: u32,
    /// Jobs are (or may be) lost and the operator agreed to that.
    pub(super) at_stake: bool,
    /// Jobs wait: the step policy is going to lift the fleet to 1 again.
    pub(super) jobs_wait: bool,
}

/// The plan. Fleets that want nothing already are no steps; fleets that must not be touched block.
pub(super) fn plan(request: Request, snapshot: &Snapshot, layout: &Layout) -> Plan<Shrink> {
    let mut steps = Vec::new();
    let mut warnings = Vec::new();
    let mut blockers = Vec::new();
    for candidate in &snapshot.fleets {
        let id = &candidate.id;
        let Some((group, work)) = &candidate.seen else {
            warnings.push(format!("{id} has no Auto Scaling group: nothing of it can run"));
            continue;
        };
        if group.deleting {
            warnings.push(format!("{id}: its Auto Scaling group is being deleted already"));
            continue;
        }
        // Whoever drains waits for what the protection is there for.
        if work.protected > 0 && !request.drain {
            let (is, keeps) = if work.protected == 1 {
                ("is", "keeps")
            } else {
                ("are", "keep")
            };
            warnings.push(format!(
                "{id}: {} {is} protected from scale-in and {keeps} running until the protection ends",
                counted(work.protected as u64, "instance")
            ));
        }
        if work.running > 0 && group.suspended.iter().any(|(process, _)| process == "Terminate") {
            warnings.push(format!(
                "{id}: the process `Terminate` is suspended: no instance leaves until it is resumed"
            ));
        }
        if group.desired == 0 {
            continue;
        }
        if group.min > 0 {
            blockers.push(at_least(id, group));
            continue;
        }
        let verdict = work.verdict();
        match blocker(request, id, work, &verdict) {
            Some(blocker) => blockers.push(blocker),
            None => warnings.extend(warning(request, layout, id, work, &verdict)),
        }
        steps.push(step(request, id, group, work, &verdict));
    }
    let at_stake = steps.iter().any(|step| step.action.at_stake);
    let count = counted(steps.len() as u64, "fleet");
    Plan {
        verb: "fleet scale-to-zero",
        title: if request.drain {
            format!("take {count} to zero as soon as no job is left")
        } else {
            format!("take {count} to zero")
        },
        confirm_word: snapshot.target.context.clone(),
        target: snapshot.target.clone(),
        risk: if at_stake {
            Risk::Destructive
        } else {
            Risk::Reversible
        },
        steps,
        warnings,
        blockers,
    }
}

fn at_least(id: &FleetId, group: &Group) -> Blocker {
    Blocker {
        kind: ErrorKind::Conflict,
        reason: format!(
            "take {id} to zero: its group `{}` has a minimum of {}",
            group.name, group.min
        ),
        hint: Hint::from((
            "lower the minimum first:",
            CommandLine::aws("autoscaling", "update-auto-scaling-group")
                .option("--auto-scaling-group-name", &group.name)
                .option("--min-size", "0"),
        )),
    }
}

/// Why the fleet must not be touched like this.
fn blocker(request: Request, id: &FleetId, work: &Work, verdict: &Verdict) -> Option<Blocker> {
    let block = |reason: String, hint: Hint| {
        Some(Blocker {
            kind: ErrorKind::Conflict,
            reason,
            hint,
        })
    };
    match verdict {
        Verdict::Busy { .. } if !request.force && !request.drain => block(
            format!("take {id} to zero: {}", at_work(verdict)),
            Hint::new("wait for the jobs with `--drain`, or lose them with `--force`"),
        ),
        Verdict::Unknown { why } if !request.force => block(
            format!(
                "take {id} to zero: {} and nobody can say whether they work: {why}",
                running(work)
            ),
            Hint::new("find out why with")
                .command(CommandLine::bpctl(["fleet", "status"]).args([id.to_string()]))
                .and("and")
                .command(CommandLine::bpctl(["triage"]))
                .and("; `--force` goes on and may lose running jobs"),
        ),
        Verdict::Idle | Verdict::Busy { .. } | Verdict::Unknown { .. } => None,
    }
}

/// What the operator should know of a step that is not blocked.
fn warning(request: Request, layout: &Layout, id: &FleetId, work: &Work, verdict: &Verdict) -> Vec<String> {
    let mut warnings = Vec::new();
    match verdict {
        Verdict::Busy { queued, .. } if !request.drain => {
            if work.running > 0 {
                warnings.push(format!("{id}: {}; jobs that run are lost", at_work(verdict)));
            }
            if *queued > 0 {
                warnings.push(format!(
                    "{id}: jobs wait, so the alarm `{}` is going to set the capacity to 1 again within a minute or two",
                    layout.fleet_alarm(FleetAlarm::QueueHasJobs, id)
                ));
            }
        }
        Verdict::Unknown { why } => warnings.push(format!(
            "{id}: {}, and nobody can say whether they work ({why}): jobs that run are lost",
            running(work)
        )),
        Verdict::Idle | Verdict::Busy { .. } => {}
    }
    warnings
}

/// `3 jobs wait, 2 workers are busy`.
pub(super) fn at_work(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Idle => "no jobs".to_owned(),
        Verdict::Unknown { why } => why.clone(),
        Verdict::Busy { queued, busy_workers } => {
            let jobs = (*queued > 0).then(|| format!("{} in the queue", counted(*queued, "job")));
            let workers =
                (*busy_workers > 0).then(|| format!("{} at work", counted(*busy_workers, "worker")));
            jobs.into_iter().chain(workers).collect::<Vec<_>>().join(", ")
        }
    }
}

fn running(work: &Work) -> String {
    let verb = if work.running == 1 { "runs" } else { "run" };
    format!("{} {verb}", counted(work.running as u64, "instance"))
}

fn step(request: Request, id: &FleetId, group: &Group, work: &Work, verdict: &Verdict) -> Step<Shrink> {
    let busy = matches!(verdict, Verdict::Busy { .. } | Verdict::Unknown { .. });
    let zones: BTreeSet<&str> = group
        .instances
        .iter()
        .filter(|instance| instance.phase != Phase::Terminating)
        .filter_map(|instance| instance.zone.as_deref())
        .collect();
    let place = match zones.len() {
        0 => String::new(),
        _ => format!(" in {}", zones.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Step {
        id: id.to_string(),
        summary: if request.drain {
            "wait until no job is left, then set the desired capacity to 0".to_owned()
        } else {
            "set the desired capacity to 0".to_owned()
        },
        calls: vec![ApiCall::new(
            "autoscaling",
            "SetDesiredCapacity",
            [
                ("AutoScalingGroupName", group.name.as_str().into()),
                ("DesiredCapacity", 0.into()),
                ("HonorCooldown", false.into()),
            ],
        )],
        before: Some(format!(
            "desired {}, {}{place}, {}",
            group.desired,
            counted(work.running as u64, "instance"),
            at_work(verdict)
        )),
        after: Some("desired 0".to_owned()),
        action: Shrink {
            fleet: id.clone(),
            group: group.name.clone(),
            desired: group.desired,
            at_stake: busy && work.running > 0 && !request.drain,
            jobs_wait: !request.drain && matches!(verdict, Verdict::Busy { queued: 1.., .. }),
        },
    }
}

#[cfg(test)]
mod tests;
