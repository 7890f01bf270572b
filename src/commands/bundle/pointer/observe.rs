//! What is so: pointers, baked bundles, running nodes, and the bundle that is wanted, verified.

use std::collections::BTreeMap;

use super::super::diff::lacking;
use super::super::library::{Bundle, Library};
use super::super::name::BundleName;
use super::super::verify::{Checked, check};
use super::{Move, Wanted};
use crate::bundle::Problem;
use crate::change::journal::Record;
use crate::commands::fleet::refresh::observe::{Seen as RefreshSeen, observe as observe_refresh};
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::fleet::{Pointers, WayBack, bundle_id, parameter_names, way_back};
use crate::layout::{FleetId, Layout, LayoutKind};

/// All fleets of a run.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(super) fleets: Vec<FleetSeen>,
}

/// What a fleet's pointer is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct To {
    pub(super) value: String,
    /// The bundle as commands take it; `None` when no bundle is to be active.
    pub(super) bundle: Option<String>,
    pub(super) bundle_id: Option<String>,
    /// Of all of its assets.
    pub(super) bytes: u64,
    pub(super) problems: Vec<Problem>,
    /// Whether the content of all objects was read.
    pub(super) hashed: bool,
}

/// What a node that boots does about the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Boot {
    /// The image has it.
    Skip,
    /// It fetches so many bytes.
    Sync(u64),
    /// There is nothing to fetch.
    Nothing,
}

/// One fleet.
#[derive(Clone, Debug)]
pub(super) struct FleetSeen {
    pub(super) fleet: FleetId,
    pub(super) parameter: String,
    /// Value and version; `None` without the parameter.
    pub(super) pointer: Option<(String, i64)>,
    pub(super) to: To,
    /// Why the pointer stays where it is although it could move.
    pub(super) stays: Option<String>,
    /// The image that new nodes start from.
    pub(super) image: Option<String>,
    /// The bundle that is baked into it.
    pub(super) baked: Option<String>,
    pub(super) boot: Boot,
    /// Bytes that the bundle has and the one that is active now has not.
    pub(super) differing: Option<u64>,
    /// Nodes that run now; `None` without a group.
    pub(super) running: Option<usize>,
    /// What a refresh begins with; `None` when none is asked for, and without a group.
    pub(super) refresh: Option<RefreshSeen>,
}

impl FleetSeen {
    /// What to do so that nodes really have the bundle.
    pub(super) fn next(&self) -> Vec<Hint> {
        let mut hints = Vec::new();
        if self.running.is_some_and(|running| running > 0) {
            let command = CommandLine::bpctl(["fleet", "refresh"]).args([self.fleet.to_string()]);
            hints.push(
                Hint::new(format!(
                    "{}: running nodes keep what they have: replace them with",
                    self.fleet
                ))
                .command(command),
            );
        }
        hints
    }
}

/// Bundles that have been looked at in this run, by their labels.
type Looked = BTreeMap<String, (Bundle, Checked)>;

pub(super) async fn observe<const BACK: bool>(change: &Move<'_, BACK>, recent: &[Record]) -> Result<Seen> {
    let (library, aws) = (&change.library, &change.ctx.aws);
    let layout = &library.layout;
    let names: Vec<String> = change
        .fleets
        .iter()
        .flat_map(|fleet| parameter_names(layout, fleet))
        .collect();
    let groups: Vec<String> = change
        .fleets
        .iter()
        .map(|fleet| layout.auto_scaling_group(fleet))
        .collect();
    let (parameters, groups) = futures::try_join!(aws.parameters(&names), aws.groups_named(&groups))?;
    let pointers: Vec<Pointers> = change
        .fleets
        .iter()
        .map(|fleet| Pointers::of(layout, fleet, &parameters.found))
        .collect();
    let images = pointers.iter().filter_map(|pointers| pointers.ami.as_ref());
    let mut images: Vec<String> = images.map(|pointer| pointer.value.clone()).collect();
    images.sort();
    images.dedup();
    let baked = aws.baked_bundles(&images).await?;
    let mut looked = Looked::new();
    let mut fleets = Vec::with_capacity(change.fleets.len());
    for (fleet, pointers) in change.fleets.iter().zip(pointers) {
        let pointer = pointers
            .bundle
            .map(|bundle| (bundle.pointer.value, bundle.pointer.version));
        let (to, stays) = to(change, fleet, pointer.as_ref(), &mut looked).await?;
        let image = pointers.ami.map(|pointer| pointer.value);
        let baked = image
            .as_ref()
            .and_then(|image| baked.get(image).cloned().flatten());
        let target = to.bundle.as_ref().and_then(|label| looked.get(label));
        let current = pointer.as_ref().and_then(|(value, _)| bundle_id(value));
        let current = earlier(library, fleet, current.as_deref()).await?;
        let differing = match (target, &current) {
            (Some((bundle, checked)), Some(current)) => Some(lacking(current, bundle, &checked.objects)),
            _ => None,
        };
        let boot = match target {
            None => Boot::Nothing,
            Some((bundle, _)) if baked.as_deref() == Some(bundle.entry.id.as_ref()) => Boot::Skip,
            Some((_, checked)) if layout.kind() == LayoutKind::Single => Boot::Sync(checked.bytes),
            // `aws s3 sync` fetches what the image has not.
            Some((bundle, checked)) => match earlier(library, fleet, baked.as_deref()).await? {
                Some(baked) => Boot::Sync(lacking(&baked, bundle, &checked.objects)),
                None => Boot::Sync(checked.bytes),
            },
        };
        let group = layout.auto_scaling_group(fleet);
        let running = groups
            .iter()
            .find(|found| found.name == group)
            .map(|group| group.instances.len());
        let refresh = match (&change.refresh, running) {
            (Some(_), Some(_)) => {
                let seen = observe_refresh(change.ctx, layout, fleet, recent).await?;
                Some(after_the_move(seen, &to, stays.is_some()))
            }
            (Some(_), None) | (None, _) => None,
        };
        fleets.push(FleetSeen {
            parameter: layout.active_bundle_parameter(fleet),
            fleet: fleet.clone(),
            pointer,
            to,
            stays,
            image,
            baked,
            boot,
            differing,
            running,
            refresh,
        });
    }
    Ok(Seen { fleets })
}

/// What a refresh will see when the pointer has been moved.
fn after_the_move(mut seen: RefreshSeen, to: &To, stays: bool) -> RefreshSeen {
    if let Some(bundle) = &mut seen.nodes.pointers.bundle
        && !stays
    {
        bundle.pointer.value.clone_from(&to.value);
        bundle.bundle_id.clone_from(&to.bundle_id);
    }
    seen
}

/// A bundle that something points to already; one that is not there or cannot be read is none to compare with.
async fn earlier(library: &Library<'_>, fleet: &FleetId, id: Option<&str>) -> Result<Option<Bundle>> {
    let Some(name) = id.and_then(|id| id.parse::<BundleName>().ok()) else {
        return Ok(None);
    };
    match library.find(&name, Some(fleet)).await {
        Ok(bundle) => Ok(Some(bundle)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::Failed | ErrorKind::Usage
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Where the pointer of one fleet is to go, and why it stays instead.
async fn to<const BACK: bool>(
    change: &Move<'_, BACK>,
    fleet: &FleetId,
    pointer: Option<&(String, i64)>,
    looked: &mut Looked,
) -> Result<(To, Option<String>)> {
    let library = &change.library;
    let value = match &change.wanted {
        Wanted::Bundle(name) => {
            check_workflow(name, fleet, &library.layout)?;
            return Ok((verified(change, name, fleet, looked).await?, None));
        }
        // Nothing to look up: the plan is refused.
        Wanted::Previous | Wanted::Version(_) if pointer.is_none() => String::new(),
        Wanted::Previous | Wanted::Version(_) => {
            let name = library.layout.active_bundle_parameter(fleet);
            let versions = change.ctx.aws.pointer_versions(&name).await?;
            let version = match change.wanted {
                Wanted::Version(version) => Some(version),
                Wanted::Previous | Wanted::Bundle(_) => None,
            };
            match way_back(&versions, version, fleet, "bundle")? {
                WayBack::To(value) => value,
                WayBack::Already { value, why } => return Ok((none(value), Some(why))),
            }
        }
    };
    match bundle_id(&value) {
        None => Ok((none(value), None)),
        Some(id) => {
            let name: BundleName = id.parse().map_err(|error| {
                CtlError::new(
                    ErrorKind::Failed,
                    format!("roll back {fleet}: `{value}` names no bundle"),
                )
                .source(&error)
            })?;
            let mut to = verified(change, &name, fleet, looked).await?;
            // As it was written then, with or without a slash at the end.
            to.value = value;
            Ok((to, None))
        }
    }
}

fn none(value: String) -> To {
    To {
        value,
        bundle: None,
        bundle_id: None,
        bytes: 0,
        problems: Vec::new(),
        hashed: false,
    }
}

fn check_workflow(name: &BundleName, fleet: &FleetId, layout: &Layout) -> Result<()> {
    match &name.slug {
        Some(slug) if layout.kind() == LayoutKind::Staged && *slug != fleet.slug => Err(CtlError::usage(
            format!("activate bundle `{name}` on {fleet}: it belongs to workflow `{slug}`"),
        )
        .hint((
            "see the bundles of this workflow with",
            CommandLine::bpctl(["bundle", "list"]).option("--workflow", fleet.slug.to_string()),
        ))),
        _ => Ok(()),
    }
}

async fn verified<const BACK: bool>(
    change: &Move<'_, BACK>,
    name: &BundleName,
    fleet: &FleetId,
    looked: &mut Looked,
) -> Result<To> {
    let library = &change.library;
    let bundle = library.find(name, Some(fleet)).await?;
    let label = bundle.entry.label();
    let value = library.layout.bundle_pointer(&bundle.entry.id);
    if !looked.contains_key(&label) {
        let checked = check(library, &bundle, change.depth).await?;
        looked.insert(label.clone(), (bundle, checked));
    }
    let (bundle, checked) = looked
        .get(&label)
        .ok_or_else(|| CtlError::new(ErrorKind::Unexpected, format!("look at bundle {label}")))?;
    Ok(To {
        value,
        bundle_id: Some(bundle.entry.id.to_string()),
        bundle: Some(label),
        bytes: checked.bytes,
        problems: checked.problems.clone(),
        hashed: checked.hashed.is_some(),
    })
}
