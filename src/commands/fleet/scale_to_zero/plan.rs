//! What taking fleets to zero means for each of them. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aws::autoscaling::{Group, SetDesiredCapacity};
use crate::change::{Blocker, Call as _, Loss, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::fleet::hold::Wish;
use crate::fleet::{Verdict, Work, status_command};
use crate::layout::{FleetId, Layout};

use super::super::hold::steps::{self as hold, Parts};
use super::super::text::{at_work, counted};
use super::observe::Candidate;
use super::{Holds, Request};

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
    /// Keeps the fleet from being lifted, or ends that.
    Hold {
        fleet: FleetId,
        group: String,
        hold: Box<hold::Action>,
    },
}

/// Before the fleet in the id of the step that writes the record of its hold.
const RECORD_OF: &str = "hold of ";
/// Before the fleet in the id of the step that suspends its processes.
const PROCESSES_OF: &str = "processes of ";

/// Ids of the steps that a fleet can have.
pub(super) fn ids(fleet: &FleetId) -> [String; 3] {
    [
        format!("{RECORD_OF}{fleet}"),
        format!("{PROCESSES_OF}{fleet}"),
        fleet.to_string(),
    ]
}

/// The fleet of a step.
pub(super) fn fleet_of(step: &str) -> &str {
    let prefixes = [RECORD_OF, PROCESSES_OF].into_iter();
    let rest = prefixes.filter_map(|prefix| step.strip_prefix(prefix)).next();
    rest.unwrap_or(step)
}

/// `--hold` as it is typed.
pub(super) fn hold_flag(holds: Holds) -> &'static str {
    match holds {
        Holds::Alarms => "--hold",
        Holds::Launch => "--hold=launch",
    }
}

impl Action {
    pub(super) fn shrink(&self) -> Option<&Shrink> {
        match self {
            Self::Shrink(shrink) => Some(shrink),
            Self::Restore { .. } | Self::Hold { .. } => None,
        }
    }

    /// The fleet, and its group.
    pub(super) fn group(&self) -> (&FleetId, &str) {
        match self {
            Self::Shrink(Shrink { fleet, call, .. }) | Self::Restore { fleet, call } => (fleet, &call.group),
            Self::Hold { fleet, group, .. } => (fleet, group),
        }
    }
}

/// The step that takes a step back.
pub(super) fn undo(step: &Step<Action>) -> Option<Step<Action>> {
    if let Action::Hold { fleet, group, hold } = &step.action {
        let (summary, hold) = hold::undo(hold)?;
        let calls = vec![hold::described(&hold)];
        let (fleet, group, hold) = (fleet.clone(), group.clone(), Box::new(hold));
        return Some(Step::new(
            &step.id,
            summary,
            calls,
            Action::Hold { fleet, group, hold },
        ));
    }
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

/// The plan. Fleets that want nothing already are no steps; fleets that must not be touched block. With a `wish` each
/// fleet is held before it goes to zero.
///
/// # Errors
/// When the record of a hold cannot be made.
pub(super) fn plan(
    layout: &Layout,
    request: Request,
    wish: Option<&Wish>,
    fleets: &[Candidate],
) -> Result<Plan<Action>> {
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
        if group.desired > 0 && group.min > 0 {
            blockers.push(at_least(id, group));
            continue;
        }
        let held = match wish {
            Some(wish) => hold_steps(layout, candidate, group, wish, request.drain)?,
            None => Vec::new(),
        };
        let needs: Vec<String> = held.iter().map(|step| step.id.clone()).collect();
        steps.extend(held);
        if group.desired == 0 {
            continue;
        }
        let verdict = work.verdict();
        match blocker(request, id, work, &verdict) {
            Some(blocker) => blockers.push(blocker),
            None => warnings.extend(warning(request, id, work, &verdict)),
        }
        let mut shrink = step(request, id, group, work, &verdict);
        // Nothing may lift it between the two.
        shrink.needs = needs;
        steps.push(shrink);
    }
    let mut names: Vec<&FleetId> = steps.iter().map(|step| step.action.group().0).collect();
    names.dedup();
    let count = counted(names.len() as u64, "fleet");
    let title = if wish.is_some() {
        format!(
            "take {count} to zero and hold {}",
            if names.len() == 1 { "it" } else { "them" }
        )
    } else if request.drain {
        format!("take {count} to zero as soon as no job is left")
    } else {
        format!("take {count} to zero")
    };
    Ok(Plan {
        warnings,
        blockers,
        ..Plan::new(title, steps)
    })
}

/// Puts the hold of a fleet in force. With `--drain` it waits for the jobs like the rest: until then alarms may lift the
/// fleet, which is what gets the jobs done.
fn hold_steps(
    layout: &Layout,
    candidate: &Candidate,
    group: &Group,
    wish: &Wish,
    drain: bool,
) -> Result<Vec<Step<Action>>> {
    let fleet = &candidate.id;
    let last = candidate.last.as_ref();
    let record = wish.record(group, last)?;
    let parts = Parts {
        layout,
        fleet,
        group,
        last,
        wish,
    };
    let [record_id, processes_id, _] = ids(fleet);
    let action = |hold| Action::Hold {
        fleet: fleet.clone(),
        group: group.name.clone(),
        hold: Box::new(hold),
    };
    let mut steps = parts.steps(&record, [record_id, processes_id], action)?;
    for step in &mut steps {
        if drain && group.desired > 0 {
            step.waits = true;
            step.notes.push("waits until no job is left".to_owned());
        }
    }
    Ok(steps)
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
                warnings.push(match request.hold {
                    None => format!(
                        "{id}: jobs wait, so the scaling policies are going to raise the capacity again within a minute or two, unless `--hold` keeps them from it"
                    ),
                    Some(_) => format!("{id}: jobs wait, and go on waiting until it is released"),
                });
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
