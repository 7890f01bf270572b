//! What became of a pointer, and of the instances.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Ended;
use super::observe::Seen;
use crate::aws::ec2::Image;
use crate::change::RunId;
use crate::commands::fleet::refresh::view::RefreshResult;
use crate::commands::fleet::refresh::within::step_within;
use crate::layout::FleetId;
use crate::output::{Render, View};

/// A pointer at its place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ImagePointer {
    fleet: FleetId,
    parameter: String,
    /// What it named before; `null` when there was no parameter.
    before: Option<String>,
    /// What it names now.
    image: Option<String>,
    version: Option<i64>,
    /// Whether this run has moved it.
    moved: bool,
    /// What the launch template resolves to; `null` before the fleet's stack is deployed.
    template_image: Option<String>,
    baked_bundle: Option<String>,
    active_bundle: Option<String>,
    /// Instances that were there when the plan was made.
    running_instances: usize,
    /// Those of them that ran another image.
    on_other_images: usize,
}

impl ImagePointer {
    pub(super) fn of(
        fleet: &FleetId,
        seen: &Seen,
        now: Option<&(String, i64)>,
        template_image: Option<String>,
        moved: bool,
    ) -> Self {
        Self {
            fleet: fleet.clone(),
            parameter: seen.parameter.clone(),
            before: seen.pointer.as_ref().map(|pointer| pointer.value.clone()),
            image: now.map(|(value, _)| value.clone()),
            version: now.map(|(_, version)| *version),
            moved,
            template_image,
            baked_bundle: seen.image.as_ref().and_then(Image::bundle).map(str::to_owned),
            active_bundle: seen.active_bundle.clone(),
            running_instances: seen.running,
            on_other_images: seen.on_others,
        }
    }
}

/// The result document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PromoteResult {
    run: RunId,
    #[serde(flatten)]
    pointer: ImagePointer,
    /// The replacement of the instances; `null` without one.
    refresh: Option<RefreshResult>,
}

impl PromoteResult {
    pub(super) fn new(
        fleet: &FleetId,
        seen: &Seen,
        run: &RunId,
        endings: &BTreeMap<String, Ended>,
    ) -> Option<Self> {
        let refresh = match endings.get(&step_within(fleet)) {
            Some(Ended::Refresh(result)) => Some((**result).clone()),
            Some(Ended::Pointer(_)) | None => None,
        };
        let pointer = match (endings.get(&fleet.to_string()), &refresh) {
            (Some(Ended::Pointer(pointer)), _) => (**pointer).clone(),
            (Some(Ended::Refresh(_)) | None, Some(_)) => ImagePointer::of(fleet, seen, None, None, false),
            (Some(Ended::Refresh(_)) | None, None) => return None,
        };
        Some(Self {
            run: run.clone(),
            pointer,
            refresh,
        })
    }
}

impl Render for PromoteResult {
    fn human(&self, view: &View) -> String {
        let pointer = &self.pointer;
        let version = pointer.version.map(|version| format!(" (version {version})"));
        let mut text = format!(
            "Fleet {}: points to {}{}",
            pointer.fleet,
            pointer.image.as_deref().unwrap_or("no image"),
            version.unwrap_or_default()
        );
        text.push_str(match (&pointer.before, pointer.moved) {
            (Some(_), true) => ", before ",
            (None, true) => ", no image before",
            (_, false) => ", as before",
        });
        if let (Some(before), true) = (&pointer.before, pointer.moved) {
            text.push_str(before);
        }
        text.push('\n');
        match &self.refresh {
            Some(refresh) => text.push_str(&refresh.human(view)),
            None if pointer.on_other_images > 0 => text.push_str(&format!(
                "{} of {} instances run another image until they are replaced\n",
                pointer.on_other_images, pointer.running_instances
            )),
            None => {}
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.pointer.image.iter().cloned().collect()
    }
}
