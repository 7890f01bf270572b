//! What a refresh came to.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::change::RunId;
use crate::fleet::{FailedLaunches, Node, Nodes, Skew};
use crate::layout::FleetId;
use crate::output::{Render, Table, View};

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct NodeView {
    id: String,
    lifecycle_state: String,
    availability_zone: Option<String>,
    image: Option<String>,
    /// In what it differs from a new instance: `image`, `launch template`, `bundle`.
    differs_in: Vec<&'static str>,
    protected_from_scale_in: bool,
}

impl NodeView {
    pub(super) fn of(nodes: &Nodes, node: &Node) -> Self {
        Self {
            id: node.id.clone(),
            lifecycle_state: node.state.clone(),
            availability_zone: node.zone.clone(),
            image: node.image.clone(),
            differs_in: nodes.skew(node).into_iter().map(Skew::word).collect(),
            protected_from_scale_in: node.protected,
        }
    }
}

/// The document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RefreshResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<RunId>,
    pub(super) fleet: FleetId,
    /// Id of the refresh; `null` when nothing had to be replaced, or there never was one.
    pub(super) refresh: Option<String>,
    /// As AWS says it, e.g. `Successful`; `UpToDate` when nothing had to be replaced, `None` without any refresh.
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) percent_complete: Option<i32>,
    pub(super) started: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    /// The image that the pointer names.
    pub(super) image: Option<String>,
    /// Why it does not advance.
    pub(super) waits_for: Vec<String>,
    /// Launches that failed since it began.
    pub(super) failed_launches: Vec<FailedLaunches>,
    pub(super) instances: Vec<NodeView>,
}

impl RefreshResult {
    /// Instances that booted with another bundle than the one that is active.
    pub(in crate::commands) fn with_another_bundle(&self) -> Vec<&str> {
        let differs = |node: &&NodeView| node.differs_in.contains(&Skew::Bundle.word());
        self.instances
            .iter()
            .filter(differs)
            .map(|node| node.id.as_str())
            .collect()
    }

    pub(super) fn empty(fleet: &FleetId) -> Self {
        Self {
            run: None,
            fleet: fleet.clone(),
            refresh: None,
            status: "None".to_owned(),
            reason: None,
            percent_complete: None,
            started: None,
            ended: None,
            image: None,
            waits_for: Vec::new(),
            failed_launches: Vec::new(),
            instances: Vec::new(),
        }
    }
}

impl Render for RefreshResult {
    fn human(&self, view: &View) -> String {
        let mut text = format!("Fleet {}: ", self.fleet);
        text.push_str(&match (&self.refresh, self.percent_complete) {
            (None, _) if self.status == "UpToDate" => "nothing to replace".to_owned(),
            (None, _) => "no refresh on record".to_owned(),
            (Some(id), Some(percent)) => format!("refresh {id} {} ({percent} %)", self.status),
            (Some(id), None) => format!("refresh {id} {}", self.status),
        });
        text.push_str(&format!(
            "; pointer {}\n",
            self.image.as_deref().unwrap_or("none")
        ));
        for why in &self.waits_for {
            text.push_str(&format!("  waits: {why}\n"));
        }
        if self.instances.is_empty() {
            return text;
        }
        let mut headers = vec!["INSTANCE", "STATE", "IMAGE", "DIFFERS IN", "PROTECTED"];
        if view.wide {
            headers.push("ZONE");
        }
        let mut table = Table::new(&headers);
        for node in &self.instances {
            let differs = match node.differs_in.as_slice() {
                [] => "-".to_owned(),
                some => some.join(", "),
            };
            let mut row = vec![
                node.id.clone(),
                node.lifecycle_state.clone(),
                node.image.clone().unwrap_or_else(|| "?".to_owned()),
                differs,
                if node.protected_from_scale_in { "yes" } else { "no" }.to_owned(),
            ];
            if view.wide {
                row.push(node.availability_zone.clone().unwrap_or_else(|| "-".to_owned()));
            }
            table.row(row);
        }
        text.push_str(&table.render(view));
        text
    }

    fn names(&self) -> Vec<String> {
        self.refresh.iter().cloned().collect()
    }
}
