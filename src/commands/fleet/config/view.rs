//! The documents of `bpctl fleet config`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::change::RunId;
use crate::layout::FleetId;
use crate::output::{Render, Table, View, age_at};

/// The document of `fleet config get`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConfigDetails {
    pub(super) fleet: FleetId,
    pub(super) parameter: String,
    pub(super) version: i64,
    pub(super) modified: Option<Timestamp>,
    /// `null` when the parameter holds no JSON object.
    pub(super) config: Option<Map<String, Value>>,
    /// What keeps a stack from being made of it.
    pub(super) problems: Vec<String>,
    /// Instance types that the template allows.
    pub(super) allowed_instance_types: Vec<String>,
    /// Instance types of the fleet's group now; `null` when it has no group.
    pub(super) group_instance_types: Option<Vec<String>>,
    /// Whether the group has the configured type.
    pub(super) applied: Option<bool>,
    #[serde(skip)]
    pub(super) now: Timestamp,
}

impl Render for ConfigDetails {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["MEMBER", "VALUE"]);
        for (name, value) in self.config.iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            table.row([name.clone(), text]);
        }
        let mut text = table.render(view);
        text.push_str(&format!(
            "\n`{}`, version {}, {} old\n",
            self.parameter,
            self.version,
            age_at(self.now, self.modified)
        ));
        if let (Some(false), Some(types)) = (self.applied, &self.group_instance_types) {
            text.push_str(&format!(
                "The group starts {}: the stack has not been applied since\n",
                types.join(", ")
            ));
        }
        for problem in &self.problems {
            text.push_str(&format!("Wrong: {problem}\n"));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.fleet.to_string()]
    }
}

/// The document of `fleet config set` and `fleet config edit`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConfigResult {
    pub(super) run: RunId,
    pub(super) fleet: FleetId,
    pub(super) parameter: String,
    /// The version that counts now.
    pub(super) version: i64,
    pub(super) config: Map<String, Value>,
    /// What was changed, a line for each member.
    pub(super) differences: Vec<String>,
}

impl Render for ConfigResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FLEET", "VERSION", "CHANGED"]);
        let changed = match self.differences.is_empty() {
            true => "-".to_owned(),
            false => self.differences.join(", "),
        };
        table.row([self.fleet.to_string(), self.version.to_string(), changed]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.fleet.to_string()]
    }
}
