//! The checklist of each GPU fleet: "Day-1 checklist (GPU bring-up)" of the runbook.

use super::app::seen;
use super::step::Step;
use crate::aws::cloudformation::Stack;
use crate::commands::stack::deploy::source::Source;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::fleet::{Pointers, Reading, discover, look_at_nodes, named, parameter_names, read_signals};
use crate::layout::{FleetId, FleetName, Layout, LayoutKind};
use crate::triage::commands::build_image;

/// # Errors
/// A fleet of `names` that there cannot be.
pub(super) async fn steps(
    ctx: &Ctx,
    layout: &Layout,
    stacks: &Result<Vec<Stack>>,
    names: &[FleetName],
) -> Result<Vec<Step>> {
    let fleets: Vec<FleetId> = match names {
        [] => match discover(&ctx.aws, layout).await {
            Ok(known) => known.fleets.into_keys().collect(),
            Err(error) => return Ok(vec![Step::unknown("fleets", &error)]),
        },
        names => named(&ctx.aws, layout, names).await?,
    };
    if fleets.is_empty() {
        let step = Step::open("fleets", "none is configured");
        return Ok(vec![step.note(match layout.kind() {
            LayoutKind::Single => "create a fleet on the admin pages: that writes its desired configuration",
            LayoutKind::Staged if Source::in_context(ctx).is_built_in() => {
                "name it in `fleets` of `[blueprint]`, build its image, and deploy the stacks gpu and monitoring"
            }
            LayoutKind::Staged => {
                "name it among the workflows of the CDK app, build its image, and deploy the stacks gpu and monitoring"
            }
        })]);
    }
    let parameters: Vec<String> = fleets
        .iter()
        .flat_map(|fleet| parameter_names(layout, fleet))
        .collect();
    let (parameters, (signals, _)) = futures::join!(
        ctx.aws.parameters(&parameters),
        Box::pin(read_signals(&ctx.aws, layout, &fleets))
    );
    let looks = fleets.iter().map(async |fleet| {
        let pointers = parameters
            .as_ref()
            .map(|read| Pointers::of(layout, fleet, &read.found));
        let workers = signals.get(fleet).map(|signals| &signals.active_workers);
        let mut steps = vec![configuration(layout, fleet, &pointers)];
        steps.push(provisioned(layout, fleet, stacks, &steps));
        steps.push(image(ctx, fleet, &pointers).await);
        let before: Vec<String> = steps.iter().map(|step| step.step.clone()).collect();
        let (refreshed, registered) = instances(ctx, layout, fleet, workers).await;
        let after = refreshed.step.clone();
        steps.push(refreshed.after(before));
        steps.push(registered.after([after]));
        steps
    });
    let steps = futures::future::join_all(looks.map(Box::pin)).await;
    Ok(steps.into_iter().flatten().collect())
}

type Read<'a> = std::result::Result<Pointers, &'a CtlError>;

/// What the fleet shall be; in the staged layout the stack says it.
fn configuration(layout: &Layout, fleet: &FleetId, pointers: &Read<'_>) -> Step {
    let step = format!("config {fleet}");
    if layout.kind() == LayoutKind::Staged {
        return Step::done(step, "part of its stack");
    }
    let config = match pointers {
        Ok(pointers) => pointers.desired_config.as_ref(),
        Err(error) => return Step::unknown(step, error),
    };
    let note = "save the fleet on the admin pages: that writes its desired configuration";
    match config {
        Some(config) if config.invalid => Step::open(step, "it is no JSON object").note(note),
        Some(config) => match (&config.template_slug, &config.instance_type) {
            (Some(template), Some(kind)) => Step::done(step, format!("{template} on {kind}")),
            _ => Step::open(step, "it names no template or no instance type").note(note),
        },
        None => Step::open(step, "there is none").note(note),
    }
}

fn provisioned(layout: &Layout, fleet: &FleetId, stacks: &Result<Vec<Stack>>, before: &[Step]) -> Step {
    let name = layout.fleet_stack(fleet);
    let deploy = match layout.kind() {
        LayoutKind::Single => CommandLine::bpctl(["fleet", "provision", &fleet.to_string()]),
        LayoutKind::Staged => CommandLine::bpctl(["stack", "deploy", &name]),
    };
    let step = seen(&format!("provision {fleet}"), &name, stacks).by_line(deploy);
    let shared: Option<String> = ["gpu-shared", "gpu"]
        .into_iter()
        .find_map(|role| layout.core_stack(role))
        .map(|name| format!("stack {name}"));
    step.after(before.iter().map(|step| step.step.clone()).chain(shared))
}

/// The pointer names an image that can be launched.
async fn image(ctx: &Ctx, fleet: &FleetId, pointers: &Read<'_>) -> Step {
    let step = format!("ami {fleet}");
    let build = "with packer; one of another fleet can be promoted instead";
    let pointer = match pointers {
        Ok(pointers) => pointers.ami.as_ref(),
        Err(error) => return Step::unknown(step, error),
    };
    let Some(pointer) = pointer else {
        return Step::open(step, "there is no pointer")
            .by_line(build_image(fleet))
            .note(build);
    };
    if !pointer.is_image() {
        let found = format!("{} has data type {}", pointer.parameter, pointer.data_type);
        return Step::open(step, found).by_line(build_image(fleet)).note(build);
    }
    match ctx.aws.machine_images(std::slice::from_ref(&pointer.value)).await {
        Err(error) => Step::unknown(step, &error),
        Ok(images) => match images.first() {
            Some(image) if image.state == "available" => Step::done(step, pointer.value.clone()),
            Some(image) => Step::open(step, format!("{} is {}", image.id, image.state)),
            None => Step::open(step, format!("{} does not exist here", pointer.value)),
        }
        .by_line(build_image(fleet))
        .note(build),
    }
}

/// Whether every instance runs the pointer's image, and whether the workers on them have registered.
async fn instances(ctx: &Ctx, layout: &Layout, fleet: &FleetId, workers: Option<&Reading>) -> (Step, Step) {
    let name = fleet.to_string();
    let (refresh, register) = (format!("refresh {fleet}"), format!("workers {fleet}"));
    let nodes = match look_at_nodes(&ctx.aws, layout, fleet).await {
        Ok(nodes) => nodes,
        Err(error) => return (Step::unknown(refresh, &error), Step::unknown(register, &error)),
    };
    let count = nodes.staying().count();
    let old = nodes.on_other_images().len();
    let refreshed = match old {
        0 => Step::done(refresh, format!("instances of another image: 0 of {count}")),
        old => Step::open(refresh, format!("instances of another image: {old} of {count}"))
            .by(["fleet", "refresh", &name]),
    };
    let registered = match workers {
        // Scaling it by hand would not do: its policy takes it back to zero before a worker has booted.
        _ if count == 0 => Step::open(register, "no instance runs, so none can register")
            .note("give the fleet a job: an instance starts for it, and its worker registers"),
        Some(Reading::Fresh { value, .. }) => Step::of(
            *value >= 1.0,
            register,
            format!("workers registered: {value}, instances: {count}"),
        )
        .by(["fleet", "status", &name]),
        Some(Reading::Silent { .. }) => {
            Step::unseen(register, "the backend publishes no ActiveWorkers").by(["fleet", "status", &name])
        }
        Some(Reading::Unknown { why }) => Step::unseen(register, why.clone()),
        None => Step::unseen(register, "ActiveWorkers was not read"),
    };
    (refreshed, registered)
}
