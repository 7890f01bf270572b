//! What became of the pointers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::text::size;
use super::Ended;
use super::observe::{Boot, FleetSeen, Seen};
use super::plan::notes;
use crate::change::RunId;
use crate::commands::fleet::refresh::view::RefreshResult;
use crate::commands::fleet::refresh::within::step_within;
use crate::layout::FleetId;
use crate::output::{Render, Table, View};

/// What a node that boots does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum NewNodes {
    /// Its image has the bundle.
    Skip,
    /// It fetches the bundle while it boots.
    Sync,
    /// No bundle is active.
    Nothing,
}

/// One pointer at its place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Moved {
    fleet: FleetId,
    parameter: String,
    bundle: Option<String>,
    before: Option<String>,
    value: String,
    version: i64,
    /// Whether this run has moved it.
    moved: bool,
    image: Option<String>,
    baked_bundle: Option<String>,
    new_nodes: NewNodes,
    /// What a new node fetches while it boots.
    sync_bytes: u64,
    /// What the bundle has and the one before has not.
    differing_bytes: Option<u64>,
    /// Nodes that keep what they have until they are replaced.
    running_nodes: Option<usize>,
    /// The same in words.
    nodes: Vec<String>,
    /// The replacement of the nodes; `null` without one.
    refresh: Option<RefreshResult>,
}

impl Moved {
    pub(super) fn of(seen: &FleetSeen, value: String, version: i64, moved: bool) -> Self {
        let (new_nodes, sync_bytes) = match seen.boot {
            Boot::Skip => (NewNodes::Skip, 0),
            Boot::Sync(bytes) => (NewNodes::Sync, bytes),
            Boot::Nothing => (NewNodes::Nothing, 0),
        };
        Self {
            fleet: seen.fleet.clone(),
            parameter: seen.parameter.clone(),
            bundle: seen.to.bundle.clone(),
            before: seen.pointer.as_ref().map(|(value, _)| value.clone()),
            value,
            version,
            moved,
            image: seen.image.clone(),
            baked_bundle: seen.baked.clone(),
            new_nodes,
            sync_bytes,
            differing_bytes: seen.differing,
            running_nodes: seen.running,
            nodes: notes(seen),
            refresh: None,
        }
    }
}

/// The result document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PointerResult {
    run: RunId,
    fleets: Vec<Moved>,
}

impl PointerResult {
    pub(super) fn new(seen: &Seen, run: &RunId, endings: &BTreeMap<String, Ended>) -> Option<Self> {
        let fleets = seen.fleets.iter();
        let fleets: Vec<Moved> = fleets
            .filter_map(|fleet| {
                let Some(Ended::Pointer(moved)) = endings.get(&fleet.fleet.to_string()) else {
                    return None;
                };
                let refresh = match endings.get(&step_within(&fleet.fleet)) {
                    Some(Ended::Refresh(result)) => Some((**result).clone()),
                    Some(Ended::Pointer(_)) | None => None,
                };
                Some(Moved {
                    refresh,
                    ..(**moved).clone()
                })
            })
            .collect();
        (!fleets.is_empty()).then(|| Self {
            run: run.clone(),
            fleets,
        })
    }
}

impl Render for PointerResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FLEET", "POINTS TO", "VERSION", "NEW NODES", "RUNNING"]);
        for row in &self.fleets {
            table.row([
                row.fleet.to_string(),
                row.value.clone(),
                row.version.to_string(),
                match row.new_nodes {
                    NewNodes::Skip => "skip".to_owned(),
                    NewNodes::Sync => format!("sync {}", size(row.sync_bytes)),
                    NewNodes::Nothing => "nothing".to_owned(),
                },
                row.running_nodes
                    .map_or_else(|| "-".to_owned(), |running| running.to_string()),
            ]);
        }
        let mut text = table.render(view);
        for refresh in self.fleets.iter().filter_map(|row| row.refresh.as_ref()) {
            text.push_str(&refresh.human(view));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.fleets.iter().map(|row| row.fleet.to_string()).collect()
    }
}
