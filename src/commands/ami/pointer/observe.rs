//! What is so: the pointer, the image that is wanted, the fleet's group, its launch template and its instances.

use std::collections::BTreeMap;

use super::{Move, Wanted};
use crate::aws::autoscaling::Group;
use crate::aws::ec2::{Image, Template};
use crate::change::Target;
use crate::change::journal::Record;
use crate::commands::fleet::refresh::observe::{Seen as RefreshSeen, observe as observe_refresh};
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::fleet::{Pointer, Pointers, WayBack, parameter_names, way_back};
use crate::layout::FleetId;

/// One fleet and one image.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(super) parameter: String,
    /// `None` without the parameter.
    pub(super) pointer: Option<Pointer>,
    /// The image that the pointer is to name.
    pub(super) target: String,
    /// Why the pointer stays where it is although it could move.
    pub(super) stays: Option<String>,
    /// `None` when EC2 does not show the image.
    pub(super) image: Option<Image>,
    /// The account of this run.
    pub(super) account: String,
    /// The id of the bundle that is active on the fleet.
    pub(super) active_bundle: Option<String>,
    /// `None` before the fleet's stack is deployed.
    pub(super) group: Option<Group>,
    pub(super) template: Option<Template>,
    /// The instance types that the image must start on, with the architectures of each.
    pub(super) architectures: BTreeMap<String, Vec<String>>,
    /// Instances that are there to stay, and those of them that run another image than the one that is wanted.
    pub(super) running: usize,
    pub(super) on_others: usize,
    /// What a refresh begins with.
    pub(super) refresh: Option<RefreshSeen>,
}

impl Seen {
    /// Name and version of the launch template in force.
    pub(super) fn template_name(&self) -> Option<(&str, &str)> {
        let (name, version) = self.group.as_ref()?.launch_template.as_ref()?;
        Some((name, version))
    }

    /// What to do so that the instances really run the image.
    pub(super) fn next(&self, fleet: &FleetId) -> Option<Hint> {
        (self.on_others > 0).then(|| {
            Hint::new(format!(
                "{fleet}: running instances keep their image: replace them with"
            ))
            .command(CommandLine::bpctl(["fleet", "refresh"]).args([fleet.to_string()]))
        })
    }
}

pub(super) async fn observe<const BACK: bool>(
    change: &Move<'_, BACK>,
    target: &Target,
    recent: &[Record],
) -> Result<Seen> {
    let (aws, layout, fleet) = (&change.ctx.aws, &change.layout, &change.fleet);
    let mut names = parameter_names(layout, fleet);
    if let Wanted::ImageOf(from) = &change.wanted {
        names.push(layout.ami_parameter(from));
        names.sort();
        names.dedup();
    }
    let group_name = [layout.auto_scaling_group(fleet)];
    let (parameters, groups) = futures::try_join!(aws.parameters(&names), aws.groups_named(&group_name))?;
    let pointers = Pointers::of(layout, fleet, &parameters.found);
    let parameter = layout.ami_parameter(fleet);
    let (image, stays) = match &change.wanted {
        Wanted::Image(image) => (image.to_string(), None),
        Wanted::ImageOf(from) => {
            let other = Pointers::of(layout, from, &parameters.found).ami;
            (source(from, &layout.ami_parameter(from), other)?, None)
        }
        Wanted::Before(version) => {
            let versions = aws.pointer_versions(&parameter).await?;
            match way_back(&versions, *version, fleet, "ami")? {
                WayBack::To(value) => (value, None),
                WayBack::Already { value, why } => (value, Some(why)),
            }
        }
    };
    let group = groups.into_iter().next();
    let mut types = group
        .as_ref()
        .map(|group| group.instance_types.clone())
        .unwrap_or_default();
    if types.is_empty() {
        let configured = pointers.desired_config.as_ref();
        types.extend(configured.and_then(|config| config.instance_type.clone()));
    }
    let staying: Vec<String> = group
        .iter()
        .flat_map(|group| group.staying())
        .map(|instance| instance.id.clone())
        .collect();
    let template = async {
        match group.as_ref().and_then(|group| group.launch_template.as_ref()) {
            Some((name, version)) => aws.launch_template(name, version, false).await.map(Some),
            None => Ok(None),
        }
    };
    let refresh = async {
        match (&change.refresh, &group) {
            (Some(_), Some(_)) => observe_refresh(change.ctx, layout, fleet, recent).await.map(Some),
            _ => Ok(None),
        }
    };
    let ids = [image.clone()];
    let (images, architectures, machines, template, refresh) = futures::try_join!(
        aws.machine_images(&ids),
        aws.architectures(&types),
        aws.machines(&staying),
        template,
        refresh
    )?;
    let wanted = images.into_iter().next();
    let on_others = staying.iter().filter(|id| {
        let machine = machines.get(*id);
        machine.and_then(|machine| machine.image.as_ref()) != Some(&image)
    });
    Ok(Seen {
        parameter,
        pointer: pointers.ami,
        stays,
        image: wanted.clone(),
        account: target.account.clone(),
        active_bundle: pointers.bundle.and_then(|bundle| bundle.bundle_id),
        template,
        architectures,
        running: staying.len(),
        on_others: on_others.count(),
        refresh: refresh.map(|seen| after_the_move(seen, &image, wanted)),
        target: image,
        group,
    })
}

/// The image of the fleet that is promoted from.
fn source(from: &FleetId, parameter: &str, pointer: Option<Pointer>) -> Result<String> {
    let refuse = |kind, why: String| {
        CtlError::new(kind, format!("promote the image of {from}: {why}")).hint((
            "see the images of this account with",
            CommandLine::bpctl(["ami", "list"]),
        ))
    };
    match pointer {
        None => Err(refuse(
            ErrorKind::NotFound,
            format!("there is no parameter `{parameter}`"),
        )),
        Some(pointer) if !pointer.is_image() => Err(refuse(
            ErrorKind::Failed,
            format!(
                "`{parameter}` has the data type {} instead of aws:ec2:image",
                pointer.data_type
            ),
        )),
        Some(pointer) => Ok(pointer.value),
    }
}

/// What a refresh will see when the pointer has been moved.
fn after_the_move(mut seen: RefreshSeen, target: &str, image: Option<Image>) -> RefreshSeen {
    let before = seen.nodes.pointers.ami.take();
    seen.nodes.pointers.ami = Some(Pointer {
        parameter: before
            .as_ref()
            .map(|pointer| pointer.parameter.clone())
            .unwrap_or_default(),
        version: before.as_ref().map_or(0, |pointer| pointer.version),
        modified: before.and_then(|pointer| pointer.modified),
        value: target.to_owned(),
        // The write states it.
        data_type: "aws:ec2:image".to_owned(),
    });
    seen.image = image;
    seen
}
