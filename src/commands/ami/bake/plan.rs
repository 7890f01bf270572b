//! From what was seen to the builder that is started, or gone on with, and the image that is made of it. Pure.

use super::{
    APPLIED, After as GoesOn, BUILDER, BUNDLE, Bake, BakeAction, CLEAN_UP, IMAGE, Leftovers,
    SELF_DESTRUCTION, Seen,
};
use crate::aws::ec2::{
    CreateImage, DeleteSnapshot, DeregisterImage, Image, Machine, RootVolume, RunInstances, StopInstances,
    TerminateInstances,
};
use crate::aws::ssm::command::SendCommand;
use crate::change::{ApiCall, Basis, Blocker, Call as _, Change as _, Later, OnFailure, Plan, Step};
use crate::commands::bundle::{After, bundle_size, lines};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::layout::{FleetId, Layout};

/// Tags of everything that this command makes.
pub(super) const COMMAND_TAG: &str = "bpctl:command";
pub(super) const RUN_TAG: &str = "bpctl:run";
pub(super) const FLEET_TAG: &str = "bpctl:fleet";
pub(super) const BASE_TAG: &str = "bpctl:base";

/// How the comment of the command begins that applies the bundle.
const COMMENT: &str = "bpctl ami bake";

/// The device of the root volume of Ubuntu's images, where the image does not say it.
const ROOT_DEVICE: &str = "/dev/sda1";
/// GiB of its volume, likewise.
const ROOT_SIZE: u32 = 100;

/// What was asked for.
pub(super) struct Asked<'a> {
    pub(super) layout: &'a Layout,
    pub(super) fleet: &'a FleetId,
    pub(super) force: bool,
    pub(super) goes_on: GoesOn,
}

impl Asked<'_> {
    /// For locks: one builder for a fleet at a time.
    fn resource(&self) -> String {
        resource(self.fleet)
    }
}

fn resource(fleet: &FleetId) -> String {
    format!("bake/{fleet}")
}

/// Whether an image has the bundle on the base that is wanted.
pub(super) fn is_wanted(seen: &Seen, image: &Image) -> bool {
    image.bundle() == Some(seen.bundle.id.as_str())
        && image.tags.get(BASE_TAG).map(String::as_str) == seen.base_id.as_deref()
}

/// The image that makes another one needless.
pub(super) fn finished(seen: &Seen) -> Option<&Image> {
    let available = |image: &&Image| image.state == "available";
    let base = seen.base.as_ref().filter(available);
    let base = base.filter(|base| base.bundle() == Some(seen.bundle.id.as_str()));
    let mut made = seen.images.iter().filter(available);
    made.find(|image| is_wanted(seen, image)).or(base)
}

pub(super) fn plan(asked: &Asked<'_>, seen: &Seen, basis: &Basis<'_>) -> Plan<BakeAction> {
    let title = format!(
        "bake bundle {} into an image for {}",
        seen.bundle.label, asked.fleet
    );
    let mut plan = Plan::new(title, Vec::new());
    if let Some(image) = finished(seen) {
        plan.warnings.push(format!(
            "image {} has bundle {} already: none is made",
            image.id, seen.bundle.label
        ));
        plan.steps.extend(clean_up(asked, seen, None, None));
        return plan;
    }
    let pending = seen.images.iter().find(|image| image.state == "pending");
    if let Some(image) = pending.filter(|image| is_wanted(seen, image)) {
        plan.steps.extend(clean_up_images(asked, seen, image));
        plan.steps.push(await_step(asked, seen, image));
        return plan;
    }
    blockers(asked, seen, &mut plan);
    let (Some(base), Some(kind), Some(profile), Some(subnet)) =
        (&seen.base_id, &seen.kind.name, &seen.profile, &seen.subnet)
    else {
        return plan;
    };
    let usable = |machine: &&Machine| {
        matches!(machine.state.as_deref(), Some("pending" | "running"))
            && machine.image.as_ref() == Some(base)
            && machine.instance_type.as_ref() == Some(kind)
    };
    let builder = seen.builders.iter().find(usable);
    let before = clean_up(asked, seen, builder, None);
    let needs: Vec<String> = before.iter().map(|step| step.id.clone()).collect();
    plan.steps.extend(before);
    let mut steps = vec![
        match builder {
            Some(machine) => go_on_step(machine),
            None => start_step(asked, seen, basis, (base, kind, profile, subnet)),
        },
        bundle_step(asked, seen),
        image_step(asked, seen, basis, base),
    ];
    steps[0].needs = needs;
    steps[1].needs = vec![BUILDER.to_owned()];
    steps[2].needs = vec![BUNDLE.to_owned()];
    for step in &mut steps {
        step.on_failure = OnFailure::Undo;
    }
    plan.steps.extend(steps);
    plan
}

/// The step that removes what earlier runs have left, but for what is gone on with.
fn clean_up(
    asked: &Asked<'_>,
    seen: &Seen,
    builder: Option<&Machine>,
    image: Option<&Image>,
) -> Option<Step<BakeAction>> {
    let others = seen.builders.iter();
    let others = others.filter(|machine| builder.is_none_or(|kept| kept.id != machine.id));
    let unfinished = seen
        .images
        .iter()
        .filter(|other| other.state != "available" && image.is_none_or(|kept| kept.id != other.id));
    let leftovers = Leftovers {
        machines: others.map(|machine| machine.id.clone()).collect(),
        images: unfinished
            .map(|image| (image.id.clone(), image.snapshots.clone()))
            .collect(),
    };
    if leftovers == Leftovers::default() {
        return None;
    }
    let mut calls: Vec<ApiCall> = leftovers
        .machines
        .iter()
        .map(|id| terminate(asked.fleet, Later::Known(id.clone())).described())
        .collect();
    for (image, snapshots) in &leftovers.images {
        calls.push(deregister(Later::Known(image.clone())).described());
        let snapshots = snapshots.iter();
        calls.extend(snapshots.map(|id| delete(Later::Known(id.clone())).described()));
    }
    let mut step = Step::new(
        CLEAN_UP,
        "remove what an earlier run has left",
        calls,
        BakeAction::CleanUp(leftovers),
    );
    step.on_failure = OnFailure::Stop;
    Some(step)
}

/// The same where the image of an earlier run is gone on with: its builder stays until it is there.
fn clean_up_images(asked: &Asked<'_>, seen: &Seen, image: &Image) -> Option<Step<BakeAction>> {
    let without_builders = Seen {
        builders: Vec::new(),
        ..seen.clone()
    };
    clean_up(asked, &without_builders, None, Some(image))
}

/// An image that was never finished.
pub(super) fn deregister(image: Later) -> DeregisterImage {
    DeregisterImage {
        image,
        is_loss: false,
    }
}

/// A snapshot of such an image.
pub(super) fn delete(snapshot: Later) -> DeleteSnapshot {
    DeleteSnapshot {
        snapshot,
        gib: 0,
        is_loss: false,
    }
}

fn terminate(fleet: &FleetId, instance: Later) -> TerminateInstances {
    TerminateInstances {
        instance,
        resource: resource(fleet),
        loses: None,
    }
}

fn start_step(
    asked: &Asked<'_>,
    seen: &Seen,
    basis: &Basis<'_>,
    (base, kind, profile, subnet): (&String, &String, &String, &String),
) -> Step<BakeAction> {
    let image = seen.base.as_ref();
    let root = image.and_then(|image| image.root_device.as_deref());
    let mut tags = basis.names.tags(Bake::NAME);
    tags.push(("Name".to_owned(), format!("bpctl-bake-{}", asked.fleet.slug)));
    tags.push((FLEET_TAG.to_owned(), asked.fleet.to_string()));
    let call = RunInstances {
        image: base.clone(),
        instance_type: kind.clone(),
        profile: Some(profile.clone()),
        subnet: subnet.clone(),
        // The default one of the network: nothing from outside comes in.
        security_groups: Vec::new(),
        public_ip: seen.is_default_subnet,
        volume: RootVolume {
            device: root.unwrap_or(ROOT_DEVICE).to_owned(),
            size: image.and_then(|image| image.root_gib).unwrap_or(ROOT_SIZE),
            // Images of encrypted volumes are encrypted themselves, as `ami promote` wants them.
            encrypted: true,
        },
        ends_by_shutdown: true,
        hop_limit: 1,
        user_data: user_data(),
        tags,
        client_token: basis.names.token.clone(),
        resource: asked.resource(),
    };
    let calls = vec![call.described()];
    let action = BakeAction::Start(Box::new(call));
    let mut step = Step::new(BUILDER, format!("start a {kind} from {base}"), calls, action);
    step.notes.push(format!(
        "on demand, in subnet {subnet}; it is terminated in any case, and ends itself after {} hours",
        SELF_DESTRUCTION / 60
    ));
    step
}

/// Only its first boot runs it: an image of it has nothing of this.
fn user_data() -> String {
    format!(
        "#!/bin/bash\n\
         # A builder that nobody looks after ends itself.\n\
         shutdown -h +{SELF_DESTRUCTION}\n\
         # Ubuntu has the agent as a snap.\n\
         snap start amazon-ssm-agent || systemctl start amazon-ssm-agent || true\n"
    )
}

fn go_on_step(machine: &Machine) -> Step<BakeAction> {
    Step::new(
        BUILDER,
        format!("go on with {}, which an earlier run has started", machine.id),
        Vec::new(),
        BakeAction::GoOn(machine.id.clone()),
    )
}

fn bundle_step(asked: &Asked<'_>, seen: &Seen) -> Step<BakeAction> {
    let bundle = &seen.bundle;
    let call = SendCommand {
        instance: Later::FromStep(BUILDER.to_owned()),
        comment: format!("{COMMENT} {}", bundle.id),
        lines: lines(&seen.bucket, &bundle.prefix, After::Mark(&bundle.id)),
        limit: APPLIED.as_secs(),
        resource: asked.resource(),
    };
    let calls = vec![call.described()];
    let action = BakeAction::Apply(Box::new(call));
    let mut step = Step::new(BUNDLE, "apply the bundle and mark it as baked", calls, action);
    step.notes
        .push(format!("the builder fetches up to {}", bundle_size(bundle.bytes)));
    step
}

fn image_step(asked: &Asked<'_>, seen: &Seen, basis: &Basis<'_>, base: &str) -> Step<BakeAction> {
    let builder = || Later::FromStep(BUILDER.to_owned());
    let stamp = basis.now.strftime("%Y%m%d%H%M%S").to_string();
    let slug = asked.fleet.slug.as_ref();
    let name = asked.layout.machine_image_name(slug, &stamp);
    let run = basis.names.run.short();
    let tags = [
        ("Name", name.as_str()),
        ("FleetSlug", slug),
        ("BuildTime", &stamp),
        ("ManagedBy", "packer"),
        ("BundleId", &seen.bundle.id),
        (COMMAND_TAG, Bake::NAME),
        (RUN_TAG, run),
        (FLEET_TAG, &asked.fleet.to_string()),
        (BASE_TAG, base),
    ];
    let call = CreateImage {
        instance: builder(),
        description: format!("bundle {} on {base}", seen.bundle.id),
        tags: tags
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        resource: asked.resource(),
        name,
    };
    let stop = StopInstances {
        instance: builder(),
        resource: asked.resource(),
        loses: None,
    };
    let calls = vec![
        stop.described(),
        call.described(),
        terminate(asked.fleet, builder()).described(),
    ];
    let summary = format!("stop it, make the image {}, terminate it", call.name);
    let mut step = Step::new(IMAGE, summary, calls, BakeAction::Image(Box::new(call)));
    step.notes.extend(asked.goes_on.note());
    step
}

fn await_step(asked: &Asked<'_>, seen: &Seen, image: &Image) -> Step<BakeAction> {
    let machines: Vec<String> = seen.builders.iter().map(|machine| machine.id.clone()).collect();
    let terminations = machines
        .iter()
        .map(|id| terminate(asked.fleet, Later::Known(id.clone())).described());
    let calls = terminations.collect();
    let action = BakeAction::Await {
        image: image.id.clone(),
        name: image.name.clone().unwrap_or_default(),
        machines,
    };
    let summary = format!("wait for image {}, which an earlier run has begun", image.id);
    let mut step = Step::new(IMAGE, summary, calls, action);
    step.on_failure = OnFailure::Undo;
    step.notes.extend(asked.goes_on.note());
    step
}

/// The way back of a step: the builder is terminated, and an image that is not finished is removed.
pub(super) fn undo(step: &Step<BakeAction>, fleet: &FleetId) -> Option<Step<BakeAction>> {
    let (summary, calls, action) = match &step.action {
        BakeAction::Start(call) => {
            let run = call.tags.iter().find(|(key, _)| key == RUN_TAG);
            let call = terminate(fleet, Later::FromStep(BUILDER.to_owned()));
            let action = BakeAction::Terminate {
                call: call.clone(),
                run: run.map(|(_, value)| value.clone()).unwrap_or_default(),
            };
            ("terminate the builder", vec![call.described()], action)
        }
        BakeAction::GoOn(id) => {
            let call = terminate(fleet, Later::Known(id.clone()));
            let action = BakeAction::Terminate {
                call: call.clone(),
                run: String::new(),
            };
            ("terminate the builder", vec![call.described()], action)
        }
        BakeAction::Image(call) => discard(fleet, &call.name, &[]),
        BakeAction::Await { name, machines, .. } => discard(fleet, name, machines),
        BakeAction::CleanUp(_)
        | BakeAction::Apply(_)
        | BakeAction::Terminate { .. }
        | BakeAction::Discard { .. }
        | BakeAction::Nothing => (
            "nothing: it goes with the builder",
            Vec::new(),
            BakeAction::Nothing,
        ),
    };
    Some(Step::new(&step.id, summary, calls, action))
}

fn discard(fleet: &FleetId, name: &str, machines: &[String]) -> (&'static str, Vec<ApiCall>, BakeAction) {
    let image = || Later::FromStep(IMAGE.to_owned());
    let mut calls = vec![deregister(image()).described(), delete(image()).described()];
    for id in machines {
        calls.push(terminate(fleet, Later::Known(id.clone())).described());
    }
    let action = BakeAction::Discard {
        name: name.to_owned(),
        machines: machines.to_vec(),
    };
    ("remove the image, if it was begun", calls, action)
}

/// What speaks against it.
fn blockers(asked: &Asked<'_>, seen: &Seen, plan: &mut Plan<BakeAction>) {
    let doing = format!("bake an image for {}", asked.fleet);
    let mut refuse = |kind, why: String, hint: Hint| {
        plan.blockers.push(Blocker {
            kind,
            reason: format!("{doing}: {why}"),
            hint,
        });
    };
    let list =
        || Hint::new("see the images of this account with").command(CommandLine::bpctl(["ami", "list"]));
    match (&seen.base_id, &seen.base) {
        (None, _) => refuse(
            ErrorKind::NotFound,
            format!("there is no pointer `{}` that names an image", seen.parameter),
            Hint::new("name an image to begin with by `--base`, or build one with packer"),
        ),
        (Some(id), None) => refuse(ErrorKind::NotFound, format!("EC2 shows no image {id}"), list()),
        (Some(id), Some(base)) if base.state != "available" => {
            refuse(ErrorKind::Failed, format!("image {id} is {}", base.state), list());
        }
        (Some(id), Some(base)) => {
            let fits = |architecture: &String| seen.architectures.contains(architecture);
            if !seen.architectures.is_empty() && !base.architecture.as_ref().is_none_or(fits) {
                refuse(
                    ErrorKind::Failed,
                    format!(
                        "image {id} is built for {}, and the fleet's instance type starts {} only",
                        base.architecture.as_deref().unwrap_or("another processor"),
                        seen.architectures.join(", ")
                    ),
                    list(),
                );
            }
        }
    }
    if seen.profile.is_none() {
        refuse(
            ErrorKind::NotFound,
            "the platform has no instance profile for packer".to_owned(),
            Hint::new(
                "name one with `--instance-profile`: Systems Manager must reach the builder, and the builder the models bucket",
            ),
        );
    }
    if seen.subnet.is_none() {
        refuse(
            ErrorKind::NotFound,
            "the region has no default VPC to start the builder in".to_owned(),
            Hint::new("name a subnet with `--subnet`, from which Systems Manager and S3 are reached"),
        );
    }
    if let Some(blocker) = seen.kind.blocker(&doing, asked.fleet) {
        if asked.force && seen.kind.name.is_some() {
            plan.warnings
                .push(format!("{}; done all the same (`--force`)", blocker.reason));
        } else {
            plan.blockers.push(blocker);
        }
    }
    let judged = seen.bundle.judge(&doing, asked.force);
    plan.warnings.extend(judged.warning);
    plan.blockers.extend(judged.blocker);
}
