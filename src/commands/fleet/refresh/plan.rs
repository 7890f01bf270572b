//! From what was seen to the refresh, or to what speaks against it. Pure.

use super::observe::Seen;
use super::{RefreshAction, RefreshOptions, cancel_command, status_command};
use crate::aws::autoscaling::{
    GoOnWithRefresh, PauseRefresh, ProtectedInstances, REFRESH_PROCESS, StartInstanceRefresh,
};
use crate::change::{Blocker, Call as _, Loss, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::fleet::{Node, Skew, Verdict, status_command as fleet_status};
use crate::layout::{FleetId, Layout};

/// Processes without which no instance is replaced.
const NEEDED: [&str; 3] = ["Launch", "Terminate", REFRESH_PROCESS];

pub(in crate::commands) fn plan(
    layout: &Layout,
    fleet: &FleetId,
    options: &RefreshOptions,
    seen: &Seen,
) -> Plan<RefreshAction> {
    let nodes = &seen.nodes;
    let staying: Vec<&Node> = nodes.staying().collect();
    let image = nodes.pointers.ami.as_ref().map(|pointer| pointer.value.clone());
    let title = format!(
        "replace the instances of {fleet} by new ones of {}",
        image.as_deref().unwrap_or("no image")
    );
    let differing = staying.iter().filter(|node| !nodes.skew(node).is_empty()).count();
    let wanted = options.force || differing > 0 || seen.under_way.is_some();
    if staying.is_empty() || !wanted {
        let mut plan = Plan::new(title, Vec::new());
        plan.blockers = pointer_blockers(layout, fleet, seen);
        return plan;
    }
    let going_on = seen.under_way.as_ref().filter(|_| seen.ours);
    let group = &nodes.group;
    let resource = format!("asg/{fleet}");
    let call = StartInstanceRefresh {
        group: group.name.clone(),
        min_healthy: options.min_healthy,
        warmup: options.warmup,
        checkpoints: options.checkpoints.clone(),
        checkpoint_delay: options.checkpoint_delay,
        skip_matching: options.skip_matching,
        protected: options.protected,
        resource: resource.clone(),
        loses: loss(fleet, options, seen),
    };
    let action = RefreshAction {
        going_on: going_on.map(|refresh| refresh.id.clone()),
        image: image.clone().unwrap_or_default(),
        pause: PauseRefresh {
            group: group.name.clone(),
            resource: resource.clone(),
        },
        resume: GoOnWithRefresh {
            group: group.name.clone(),
            resource,
        },
        call: call.clone(),
    };
    let (summary, calls) = match going_on {
        Some(refresh) => (
            format!("go on with refresh {}, which is under way", refresh.id),
            Vec::new(),
        ),
        None => (
            "replace its instances, a few at a time".to_owned(),
            vec![call.described()],
        ),
    };
    let mut step = Step::new(fleet.to_string(), summary, calls, action.clone()).changing(
        format!("{differing} of {} differ from the pointers", staying.len()),
        format!("every instance on {}", action.image),
    );
    if options.pause_on_backlog.is_some() {
        step.waits = going_on.is_none();
        step.if_needed = vec![action.pause.described(), action.resume.described()];
    }
    step.notes = notes(options, seen, &staying);
    let mut plan = Plan::new(title, vec![step]);
    plan.blockers = pointer_blockers(layout, fleet, seen);
    if going_on.is_none() {
        plan.blockers
            .extend(other_blockers(fleet, options, seen, &staying));
    }
    plan
}

/// What each instance is replaced for, and what it costs.
fn notes(options: &RefreshOptions, seen: &Seen, staying: &[&Node]) -> Vec<String> {
    let mut notes = Vec::new();
    for skew in [Skew::Image, Skew::Template, Skew::Bundle] {
        let count = staying
            .iter()
            .filter(|node| seen.nodes.skew(node).contains(&skew))
            .count();
        if count > 0 {
            notes.push(format!("{count} with another {}", skew.word()));
        }
    }
    let at_once = staying.len()
        - (staying.len() * options.min_healthy as usize)
            .div_ceil(100)
            .min(staying.len());
    notes.push(format!(
        "{} at a time, each given {} s to warm up",
        at_once.max(1),
        options.warmup
    ));
    let protected = staying.iter().filter(|node| node.protected).count();
    if protected > 0 {
        notes.push(match options.protected {
            ProtectedInstances::Wait => {
                format!("{protected} protected from scale-in: each is waited for, an hour at most")
            }
            ProtectedInstances::Ignore => {
                format!("{protected} protected from scale-in: they stay as they are")
            }
            ProtectedInstances::Replace => {
                format!("{protected} protected from scale-in: they are replaced all the same")
            }
        });
    }
    notes
}

/// Jobs in hand of instances that nothing protects go back to the queue when their lease ends.
fn loss(fleet: &FleetId, options: &RefreshOptions, seen: &Seen) -> Option<Loss> {
    let protected = seen.work.protected as u64;
    let spared = match options.protected {
        ProtectedInstances::Wait | ProtectedInstances::Ignore => protected,
        ProtectedInstances::Replace => 0,
    };
    let all_spared = spared >= seen.work.running as u64;
    let risked = match seen.work.verdict() {
        Verdict::Idle => false,
        Verdict::Busy { busy_workers, .. } => busy_workers > spared,
        Verdict::Unknown { .. } => !all_spared,
    };
    risked.then(|| {
        Loss::Work(format!(
            "jobs of instances of {fleet} that nothing protects from scale-in"
        ))
    })
}

/// What is wrong with the pointer: new instances would not start, or from something else.
fn pointer_blockers(layout: &Layout, fleet: &FleetId, seen: &Seen) -> Vec<Blocker> {
    let parameter = layout.ami_parameter(fleet);
    let promote = || Hint::new("see its pointers with").command(fleet_status(fleet));
    let refuse = |kind, what: String, hint: Hint| {
        vec![Blocker {
            kind,
            reason: format!("refresh {fleet}: {what}"),
            hint,
        }]
    };
    let Some(pointer) = &seen.nodes.pointers.ami else {
        return refuse(
            ErrorKind::NotFound,
            format!("there is no parameter `{parameter}`: no new instance would start"),
            promote(),
        );
    };
    if !pointer.is_image() {
        return refuse(
            ErrorKind::Failed,
            format!(
                "`{parameter}` has the data type {} instead of aws:ec2:image: no new instance would start",
                pointer.data_type
            ),
            promote(),
        );
    }
    match &seen.image {
        None => {
            return refuse(
                ErrorKind::Failed,
                format!(
                    "EC2 shows no image {}: no new instance would start",
                    pointer.value
                ),
                promote(),
            );
        }
        Some(image) if image.state != "available" => {
            return refuse(
                ErrorKind::Failed,
                format!(
                    "image {} is {}: no new instance would start",
                    image.id, image.state
                ),
                promote(),
            );
        }
        Some(_) => {}
    }
    let wanted = format!("resolve:ssm:{parameter}");
    match seen.template_image.as_deref() {
        Some(named) if named == wanted || named == pointer.value => Vec::new(),
        named => refuse(
            ErrorKind::Failed,
            format!(
                "its launch template names the image `{}` and not `{wanted}`: new instances would not follow the pointer",
                named.unwrap_or("none")
            ),
            Hint::new("see what instances run with").command(fleet_status(fleet)),
        ),
    }
}

fn other_blockers(fleet: &FleetId, options: &RefreshOptions, seen: &Seen, staying: &[&Node]) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    if let Some(refresh) = &seen.under_way {
        blockers.push(Blocker {
            kind: ErrorKind::Conflict,
            reason: format!(
                "refresh {fleet}: refresh {} is under way ({} %)",
                refresh.id,
                refresh.percent.unwrap_or(0)
            ),
            hint: Hint::new("see how far it is with")
                .command(status_command(fleet))
                .and("; end it with")
                .command(cancel_command(fleet)),
        });
    }
    let held = seen
        .nodes
        .group
        .suspended
        .iter()
        .find(|(process, _)| NEEDED.contains(&process.as_str()));
    if let Some((process, reason)) = held {
        blockers.push(Blocker {
            kind: ErrorKind::Failed,
            reason: format!("refresh {fleet}: its process {process} is suspended ({reason})"),
            hint: Hint::new("let it go on with").command(
                CommandLine::aws("autoscaling", "resume-processes")
                    .option("--auto-scaling-group-name", &seen.nodes.group.name)
                    .option("--scaling-processes", process),
            ),
        });
    }
    let seen_by_aws = |node: &&&Node| seen.nodes.skew(node).contains(&Skew::Template);
    if options.skip_matching && staying.iter().filter(seen_by_aws).count() == 0 {
        blockers.push(Blocker {
            kind: ErrorKind::Usage,
            reason: format!(
                "refresh {fleet}: `--skip-matching` would replace nothing: AWS compares launch template, its version and \
                 the instance types, which are the same, and not the image that a parameter names"
            ),
            hint: Hint::new("leave it out: then all instances are replaced"),
        });
    }
    blockers
}
