//! What a hold or a release came to.

use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::autoscaling::Group;
use crate::change::RunId;
use crate::fleet::hold::{Hold, minute};
use crate::layout::FleetId;
use crate::output::{Render, Table, View};

/// The result document of `fleet hold` and `fleet release`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct HoldResult {
    pub(super) run: Option<RunId>,
    fleet: FleetId,
    desired: u32,
    /// Every process of the group that is suspended, also by others.
    suspended: Vec<String>,
    /// The last record: in force as long as `released` is null.
    hold: Option<Hold>,
}

impl HoldResult {
    pub(super) fn of(fleet: &FleetId, group: &Group, hold: Option<Hold>) -> Self {
        Self {
            run: None,
            fleet: fleet.clone(),
            desired: group.desired,
            suspended: group
                .suspended
                .iter()
                .map(|(process, _)| process.clone())
                .collect(),
            hold,
        }
    }
}

impl Render for HoldResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FLEET", "DESIRED", "SUSPENDED", "HELD SINCE", "UNTIL", "REASON"]);
        let held = self.hold.as_ref().filter(|hold| !hold.is_released());
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        table.row([
            self.fleet.to_string(),
            self.desired.to_string(),
            or_dash((!self.suspended.is_empty()).then(|| self.suspended.join(","))),
            or_dash(held.map(|hold| minute(hold.since))),
            or_dash(held.and_then(|hold| hold.until).map(minute)),
            or_dash(held.and_then(|hold| hold.reason.clone())),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.fleet.to_string()]
    }
}
