//! What became of the image.

use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ec2::Image;
use crate::change::RunId;
use crate::layout::FleetId;
use crate::output::{Render, Table, View};

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BakeResult {
    pub(in crate::commands::ami) run: Option<RunId>,
    fleet: FleetId,
    image: String,
    name: Option<String>,
    /// As EC2 says it, e.g. `available`.
    state: String,
    bundle_id: Option<String>,
    /// The image that the builder started from.
    base_image: Option<String>,
    snapshots: Vec<String>,
    /// Whether this run has made it.
    made: bool,
}

impl BakeResult {
    pub(in crate::commands::ami) fn of(
        fleet: &FleetId,
        image: &Image,
        base: Option<&str>,
        made: bool,
    ) -> Self {
        Self {
            run: None,
            fleet: fleet.clone(),
            image: image.id.clone(),
            name: image.name.clone(),
            state: image.state.clone(),
            bundle_id: image.bundle().map(str::to_owned),
            base_image: base.map(str::to_owned),
            snapshots: image.snapshots.clone(),
            made,
        }
    }
}

impl Render for BakeResult {
    fn human(&self, view: &View) -> String {
        let text = |text: Option<&String>| text.cloned().unwrap_or_else(|| "-".to_owned());
        let mut table = Table::new(&["FLEET", "IMAGE", "NAME", "STATE", "BUNDLE", "BASE"]);
        table.row([
            self.fleet.to_string(),
            self.image.clone(),
            text(self.name.as_ref()),
            self.state.clone(),
            text(self.bundle_id.as_ref()),
            text(self.base_image.as_ref()),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.image.clone()]
    }
}
