//! What is so: the fleet's pointers, the image to begin with, the bundle, where the builder can be started, and what
//! earlier runs have left.

use std::collections::BTreeMap;

use super::Bake;
use super::plan::{COMMAND_TAG, FLEET_TAG};
use crate::aws::ec2::{Image, Machine};
use crate::change::Change as _;
use crate::change::journal::Record;
use crate::commands::bundle::{BundleName, Sound, sound};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::fleet::{Pointers, parameter_names};
use crate::layout::LayoutKind;

/// One fleet, one bundle.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// What the pointer or the operator names; `None` without a pointer that names an image.
    pub(super) base_id: Option<String>,
    /// `None` when EC2 does not show it.
    pub(super) base: Option<Image>,
    /// The fleet's image pointer.
    pub(super) parameter: String,
    pub(super) bundle: Sound,
    /// Where bundles are.
    pub(super) bucket: String,
    pub(super) kind: super::super::machine_type::MachineType,
    /// Architectures of the images that the instance type starts.
    pub(super) architectures: Vec<String>,
    pub(super) profile: Option<String>,
    pub(super) subnet: Option<String>,
    /// Whether the subnet is one that gives a public address.
    pub(super) is_default_subnet: bool,
    /// Instances that runs of this command have started for this fleet, and that are there.
    pub(super) builders: Vec<Machine>,
    /// Images that runs of this command have made for this fleet.
    pub(super) images: Vec<Image>,
}

pub(super) async fn observe(bake: &Bake<'_>, recent: &[Record]) -> Result<Seen> {
    let (ctx, layout, fleet) = (bake.ctx, &bake.layout, &bake.fleet);
    let aws = &ctx.aws;
    let mut names = parameter_names(layout, fleet);
    let profile_parameter = layout.packer_profile_parameter();
    names.extend(profile_parameter.clone());
    let group_name = [layout.auto_scaling_group(fleet)];
    let own = fleet.to_string();
    let own_fleet = [own.as_str()];
    // EC2 may not show by their tags yet what was started a moment ago.
    let noted = recent
        .iter()
        .filter_map(|record| record.notes.get(super::BUILDER));
    let noted: Vec<String> = noted.cloned().collect();
    let (parameters, groups, tagged, noted, images) = futures::try_join!(
        aws.parameters(&names),
        aws.groups_named(&group_name),
        aws.machines_tagged(FLEET_TAG, &own_fleet),
        aws.machines(&noted),
        aws.own_images_tagged(FLEET_TAG, &own),
    )?;
    let pointers = Pointers::of(layout, fleet, &parameters.found);
    let pointer = pointers.ami.as_ref().filter(|pointer| pointer.is_image());
    let base_id = match &bake.base {
        Some(base) => Some(base.to_string()),
        None => pointer.map(|pointer| pointer.value.clone()),
    };
    let name = match &bake.bundle {
        Some(name) => name.clone(),
        None => active(bake, &pointers)?,
    };
    let kind = super::super::machine_type::MachineType::of(&pointers, groups.first());
    let kinds: Vec<String> = kind.name.iter().cloned().collect();
    let ids: Vec<String> = base_id.iter().cloned().collect();
    let subnets = async {
        match &bake.subnet {
            Some(_) => Ok(Vec::new()),
            None => aws.default_subnets().await,
        }
    };
    let (bases, architectures, subnets, bundle) = futures::try_join!(
        aws.machine_images(&ids),
        aws.architectures(&kinds),
        subnets,
        sound(&bake.library, &name, fleet),
    )?;
    let profile = profile_parameter.and_then(|name| parameters.found.get(&name));
    let profile = profile.map(|parameter| parameter.value.expose().to_owned());
    Ok(Seen {
        base: bases.into_iter().next(),
        base_id,
        parameter: layout.ami_parameter(fleet),
        bundle,
        bucket: bake.library.bucket.clone(),
        architectures: architectures.into_values().flatten().collect(),
        kind,
        profile: bake.profile.clone().or(profile),
        is_default_subnet: bake.subnet.is_none(),
        subnet: bake
            .subnet
            .clone()
            .or_else(|| subnets.into_iter().next().map(|subnet| subnet.id)),
        builders: builders(tagged, noted),
        images: images.into_iter().filter(|image| is_ours(&image.tags)).collect(),
    })
}

/// Whether a run of this command has made it.
fn is_ours(tags: &BTreeMap<String, String>) -> bool {
    tags.get(COMMAND_TAG).map(String::as_str) == Some(Bake::NAME)
}

/// Those that are there to be used or ended.
fn builders(tagged: BTreeMap<String, Machine>, noted: BTreeMap<String, Machine>) -> Vec<Machine> {
    let mut all = tagged;
    all.extend(noted);
    let there = |machine: &Machine| {
        !matches!(
            machine.state.as_deref(),
            Some("shutting-down" | "terminated") | None
        )
    };
    let ours = all.into_values().filter(|machine| is_ours(&machine.tags));
    ours.filter(there).collect()
}

/// The fleet's active bundle.
fn active(bake: &Bake<'_>, pointers: &Pointers) -> Result<BundleName> {
    let fleet = &bake.fleet;
    let id = pointers
        .bundle
        .as_ref()
        .and_then(|bundle| bundle.bundle_id.as_deref());
    let Some(id) = id else {
        return Err(CtlError::new(
            ErrorKind::NotFound,
            format!("bake an image for {fleet}: no bundle is active on it"),
        )
        .hint((
            "choose one with `--bundle`; see them with",
            CommandLine::bpctl(["bundle", "list"]),
        )));
    };
    let text = match bake.layout.kind() {
        LayoutKind::Single => id.to_owned(),
        LayoutKind::Staged => format!("{}/{id}", fleet.slug),
    };
    text.parse().map_err(|error| {
        CtlError::new(
            ErrorKind::Failed,
            format!("bake an image for {fleet}: its pointer's value `{id}` names no bundle"),
        )
        .source(&error)
    })
}
