//! From what was seen to the pointer that is moved and the instances that are replaced. Pure.

use super::observe::Seen;
use super::{ImageAction, MoveAction};
use crate::aws::ec2::Image;
use crate::aws::ssm::pointer::PointToImage;
use crate::change::{Blocker, Call as _, OnFailure, Plan, Step};
use crate::commands::fleet::refresh::RefreshOptions;
use crate::commands::fleet::refresh::within::plan_within;
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::layout::{FleetId, Layout};

/// How to go about it.
pub(super) struct Asked<'a> {
    pub(super) refresh: Option<&'a RefreshOptions>,
    pub(super) force: bool,
    pub(super) back: bool,
}

pub(super) fn plan(layout: &Layout, fleet: &FleetId, seen: &Seen, asked: &Asked<'_>) -> Plan<ImageAction> {
    let title = if asked.back {
        format!("take {fleet} back to {}", seen.target)
    } else {
        format!("promote {} to {fleet}", seen.target)
    };
    let mut plan = Plan::new(title, Vec::new());
    plan.warnings.extend(seen.stays.clone());
    let there = seen
        .pointer
        .as_ref()
        .is_some_and(|pointer| pointer.value == seen.target && pointer.is_image());
    if let Some(pointer) = seen.pointer.as_ref().filter(|pointer| !pointer.is_image()) {
        plan.blockers.push(wrong_type(fleet, seen, &pointer.data_type));
    } else if !there {
        let refused = Refused::of(fleet, seen);
        plan.blockers.extend(refused.always);
        if asked.force {
            let forced = refused.unless_forced.into_iter();
            plan.warnings.extend(
                forced.map(|blocker| format!("{}; promoted all the same (`--force`)", blocker.reason)),
            );
        } else {
            plan.blockers.extend(refused.unless_forced);
        }
        plan.warnings.extend(refused.unknown);
        plan.steps.push(move_step(fleet, seen, asked.refresh.is_some()));
    }
    plan.blockers.extend(template_blocker(fleet, seen));
    if let (Some(options), Some(refresh)) = (asked.refresh, &seen.refresh)
        && plan.blockers.is_empty()
    {
        let needs: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).collect();
        let inner = plan_within(layout, fleet, options, refresh, &needs);
        plan.blockers.extend(inner.blockers);
        plan.warnings.extend(inner.warnings);
        plan.steps.extend(inner.steps);
    }
    plan
}

fn move_step(fleet: &FleetId, seen: &Seen, refreshes: bool) -> Step<ImageAction> {
    let call = PointToImage {
        name: seen.parameter.clone(),
        image: seen.target.clone(),
        exists: seen.pointer.is_some(),
    };
    let action = MoveAction {
        call: call.clone(),
        before: seen.pointer.as_ref().map(|pointer| pointer.value.clone()),
        version: seen.pointer.as_ref().map(|pointer| pointer.version),
    };
    let before = match &seen.pointer {
        Some(pointer) => pointer.value.clone(),
        None => "no parameter".to_owned(),
    };
    let summary = if seen.pointer.is_some() {
        "move the pointer"
    } else {
        "create the pointer"
    };
    let calls = vec![call.described()];
    let mut step = Step::new(fleet.to_string(), summary, calls, ImageAction::Move(action))
        .changing(before, &seen.target);
    step.on_failure = OnFailure::Stop;
    step.notes.push(bundle_note(seen));
    if !refreshes && seen.on_others > 0 {
        step.notes.push(format!(
            "{} of {} instances keep another image until they are replaced",
            seen.on_others, seen.running
        ));
    }
    step
}

/// What a new node does about the bundle.
fn bundle_note(seen: &Seen) -> String {
    let baked = seen.image.as_ref().and_then(Image::bundle);
    match (baked, seen.active_bundle.as_deref()) {
        (Some(baked), Some(active)) if baked == active => {
            format!("the image has bundle {baked}, which is active: new nodes skip the synchronisation")
        }
        (Some(baked), Some(active)) => {
            format!("the image has bundle {baked}: new nodes synchronise to {active} while they boot")
        }
        (Some(baked), None) => format!("the image has bundle {baked}; no bundle is active"),
        (None, Some(active)) => {
            format!("the image has no bundle: new nodes fetch all of {active} while they boot")
        }
        (None, None) => "the image has no bundle, and none is active".to_owned(),
    }
}

/// What speaks against an image.
#[derive(Default)]
struct Refused {
    always: Vec<Blocker>,
    unless_forced: Vec<Blocker>,
    /// What could not be checked.
    unknown: Vec<String>,
}

impl Refused {
    fn of(fleet: &FleetId, seen: &Seen) -> Self {
        let mut refused = Self::default();
        let blocker = |kind, why: String, hint: Hint| Blocker {
            kind,
            reason: format!("promote {} to {fleet}: {why}", seen.target),
            hint,
        };
        let list =
            || Hint::new("see the images of this account with").command(CommandLine::bpctl(["ami", "list"]));
        let show = || {
            Hint::new("see what it is with")
                .command(CommandLine::bpctl(["ami", "show"]).args([seen.target.clone()]))
        };
        let forced = || show().and("; `--force` promotes it all the same");
        let Some(image) = &seen.image else {
            refused.always.push(blocker(
                ErrorKind::NotFound,
                "EC2 shows no such image: no new instance would start".to_owned(),
                list(),
            ));
            return refused;
        };
        if image.state != "available" {
            refused.always.push(blocker(
                ErrorKind::Failed,
                format!("it is {}: no new instance would start", image.state),
                show(),
            ));
        }
        refused.processor(fleet, seen, image);
        match image.owner.as_deref() {
            Some(owner) if owner == seen.account => {}
            owner => {
                refused.unless_forced.push(blocker(
                    ErrorKind::Failed,
                    format!(
                        "it belongs to {}, not to this account: its owner can take it away at any time",
                        owner.map_or_else(
                            || "another account".to_owned(),
                            |owner| format!("account {owner}")
                        )
                    ),
                    forced(),
                ));
            }
        }
        match image.fleet_slug() {
            Some(slug) if slug == fleet.slug.as_ref() => {}
            Some(slug) => refused.unless_forced.push(blocker(
                ErrorKind::Failed,
                format!("it was built for {slug} (tag FleetSlug)"),
                forced(),
            )),
            None => refused.unless_forced.push(blocker(
                ErrorKind::Failed,
                "it has no tag FleetSlug that says what it was built for".to_owned(),
                forced(),
            )),
        }
        let by_template = seen.template.as_ref().is_some_and(|template| {
            image
                .root_device
                .as_ref()
                .is_some_and(|root| template.encrypts.contains(root))
        });
        if image.encrypted != Some(true) && !by_template {
            if seen.group.is_some() {
                refused.unless_forced.push(blocker(
                    ErrorKind::Failed,
                    "neither the image nor the launch template encrypts the root volume".to_owned(),
                    forced(),
                ));
            } else {
                refused.unknown.push(format!(
                    "could not check whether the root volume of new instances is encrypted: the image does not do it, and {fleet} has no launch template yet"
                ));
            }
        }
        refused
    }

    /// Whether the fleet's instance types can start it.
    fn processor(&mut self, fleet: &FleetId, seen: &Seen, image: &Image) {
        let Some(architecture) = &image.architecture else {
            self.unknown
                .push("could not check the processor: EC2 does not tell that of the image".to_owned());
            return;
        };
        if seen.architectures.is_empty() {
            self.unknown.push(format!(
                "could not check the processor: the instance types of {fleet} are not known"
            ));
        }
        let others = seen.architectures.iter();
        let mut others = others.filter(|(_, all)| !all.contains(architecture));
        if let Some((kind, all)) = others.next() {
            self.always.push(Blocker {
                kind: ErrorKind::Failed,
                reason: format!(
                    "promote {} to {fleet}: it is built for {architecture}, and {kind} starts {} only",
                    seen.target,
                    all.join(", ")
                ),
                hint: Hint::new("see what it is with")
                    .command(CommandLine::bpctl(["ami", "show"]).args([seen.target.clone()])),
            });
        }
    }
}

/// A pointer whose data type Parameter Store does not change (Systems Manager User Guide, "Parameter data types in Parameter
/// Store": no parameter changes to or from `aws:ec2:image`).
fn wrong_type(fleet: &FleetId, seen: &Seen, data_type: &str) -> Blocker {
    Blocker {
        kind: ErrorKind::Failed,
        reason: format!(
            "promote {} to {fleet}: `{}` has the data type {data_type}, and Parameter Store changes no parameter to aws:ec2:image",
            seen.target, seen.parameter
        ),
        hint: Hint::new("its history is lost with it: delete it with")
            .command(CommandLine::aws("ssm", "delete-parameter").option("--name", seen.parameter.as_str()))
            .and(", wait 30 seconds, and run this command again: it creates the parameter"),
    }
}

/// A launch template that does not look at the pointer.
fn template_blocker(fleet: &FleetId, seen: &Seen) -> Option<Blocker> {
    let template = seen.template.as_ref()?;
    let wanted = format!("resolve:ssm:{}", seen.parameter);
    if template.image.as_ref() == Some(&wanted) {
        return None;
    }
    Some(Blocker {
        kind: ErrorKind::Failed,
        reason: format!(
            "promote {} to {fleet}: its launch template names the image `{}` and not `{wanted}`: new instances would not follow the pointer",
            seen.target,
            template.image.as_deref().unwrap_or("none")
        ),
        hint: Hint::new("see what instances run with")
            .command(CommandLine::bpctl(["fleet", "instances"]).args([fleet.to_string()])),
    })
}
