//! What taking fleets to zero means for each of them. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aws::autoscaling::{Group, SetDesiredCapacity};
use crate::change::{Blocker, Call as _, Loss, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::fleet::{Verdict, Work, status_command};
use crate::layout::FleetId;

use super::super::text::{at_work, counted};
use super::Request;
use super::observe::Candidate;

/// One fleet to be taken to zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shrink {
    pub(super) fleet: FleetId,
    pub(super) call: SetDesiredCapacity,
    /// The desired capacity that the plan was made with.
    pub(super) desired: u32,
    /// Jobs are (or may be) lost and the operator agreed to that.
    pub(super) at_stake: bool,
    /// Jobs wait: the step policy is going to lift the fleet to 1 again.
    pub(super) jobs_wait: bool,
}

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Shrink(Shrink),
    /// Gives the fleet back the capacity that it had.
    Restore {
        fleet: FleetId,
        call: SetDesiredCapacity,
    },
}

impl Action {
    pub(super) fn shrink(&self) -> Option<&Shrink> {
        match self {
            Self::Shrink(shrink) => Some(shrink),
            Self::Restore { .. } => None,
        }
    }
}

/// The step that takes a step back.
pub(super) fn undo(step: &Step<Action>) -> Option<Step<Action>> {
    let Shrink {
        fleet, call, desired, ..
    } = step.action.shrink()?;
    let call = SetDesiredCapacity {
        desired: *desired,
        loses: None,
        ..call.clone()
    };
    let summary = format!("set the desired capacity back to {desired}");
    let action = Action::Restore {
        fleet: fleet.clone(),
        call: call.clone(),
    };
    Some(
        Step::new(&step.id, summary, vec![call.described()], action)
            .changing("desired 0", format!("desired {desired}")),
    )
}

/// The plan. Fleets that want nothing already are no steps; fleets that must not be touched block.
pub(super) fn plan(request: Request, fleets: &[Candidate]) -> Plan<Action> {
    let mut steps = Vec::new();
    let mut warnings = Vec::new();
    let mut blockers = Vec::new();
    for candidate in fleets {
        let id = &candidate.id;
        let Some((group, work)) = &candidate.seen else {
            warnings.push(format!("{id} has no Auto Scaling group: nothing of it can run"));
            continue;
        };
        if group.deleting {
            warnings.push(format!("{id}: its Auto Scaling group is being deleted already"));
            continue;
        }
        // A run with `--drain` waits for what the protection is there for.
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
        if work.running > 0 && group.is_suspended("Terminate") {
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
            None => warnings.extend(warning(request, id, work, &verdict)),
        }
        steps.push(step(request, id, group, work, &verdict));
    }
    let count = counted(steps.len() as u64, "fleet");
    let title = if request.drain {
        format!("take {count} to zero as soon as no job is left")
    } else {
        format!("take {count} to zero")
    };
    Plan {
        warnings,
        blockers,
        ..Plan::new(title, steps)
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
            CommandLine::bpctl(["fleet", "scale"])
                .args([id.to_string()])
                .option("--min", "0"),
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
                .command(status_command(id))
                .and("and")
                .command(CommandLine::bpctl(["triage"]))
                .and("; `--force` goes on and may lose running jobs"),
        ),
        Verdict::Idle | Verdict::Busy { .. } | Verdict::Unknown { .. } => None,
    }
}

/// What the operator should know of a step that is not blocked.
fn warning(request: Request, id: &FleetId, work: &Work, verdict: &Verdict) -> Vec<String> {
    let mut warnings = Vec::new();
    match verdict {
        Verdict::Busy { queued, .. } if !request.drain => {
            if work.running > 0 {
                warnings.push(format!("{id}: {}; jobs that run are lost", at_work(verdict)));
            }
            if *queued > 0 {
                warnings.push(format!(
                    "{id}: jobs wait, so the scaling policies are going to raise the capacity again within a minute or two"
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

fn running(work: &Work) -> String {
    let verb = if work.running == 1 { "runs" } else { "run" };
    format!("{} {verb}", counted(work.running as u64, "instance"))
}

fn step(request: Request, id: &FleetId, group: &Group, work: &Work, verdict: &Verdict) -> Step<Action> {
    let busy = matches!(verdict, Verdict::Busy { .. } | Verdict::Unknown { .. });
    let zones: BTreeSet<&str> = group
        .staying()
        .filter_map(|instance| instance.zone.as_deref())
        .collect();
    let place = match zones.len() {
        0 => String::new(),
        _ => format!(" in {}", zones.into_iter().collect::<Vec<_>>().join(", ")),
    };
    let summary = if request.drain {
        "wait until no job is left, then set the desired capacity to 0"
    } else {
        "set the desired capacity to 0"
    };
    let at_stake = busy && work.running > 0 && !request.drain;
    let call = SetDesiredCapacity {
        group: group.name.clone(),
        desired: 0,
        resource: format!("asg/{id}"),
        loses: at_stake.then(|| Loss::Work(format!("running jobs of {id}"))),
    };
    let before = format!(
        "desired {}, {}{place}, {}",
        group.desired,
        counted(work.running as u64, "instance"),
        at_work(verdict)
    );
    let calls = vec![call.described()];
    let action = Action::Shrink(Shrink {
        fleet: id.clone(),
        call,
        desired: group.desired,
        at_stake,
        jobs_wait: !request.drain && matches!(verdict, Verdict::Busy { queued: 1.., .. }),
    });
    let mut step = Step::new(id.to_string(), summary, calls, action).changing(before, "desired 0");
    step.waits = request.drain;
    step
}

#[cfg(test)]
mod tests;
