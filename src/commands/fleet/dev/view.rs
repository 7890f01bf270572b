//! The documents of `bpctl fleet dev`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ec2::Machine;
use crate::change::RunId;
use crate::layout::FleetId;
use crate::output::{Render, Table, View, age_at};

/// A development instance.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DevInstance {
    id: String,
    /// `<stage>/<slug>`; `null` where its tags do not say it.
    fleet: Option<String>,
    /// As EC2 says it: `pending`, `running`, `stopping`, `stopped`, `shutting-down`, `terminated`.
    state: String,
    instance_type: Option<String>,
    /// Where ComfyUI answers; `null` while it has no address.
    url: Option<String>,
    image: Option<String>,
    launched: Option<Timestamp>,
    security_groups: Vec<String>,
    /// The value of its tag `ManagedBy`.
    managed_by: Option<String>,
}

impl DevInstance {
    pub(super) fn of(machine: &Machine) -> Self {
        Self {
            id: machine.id.clone(),
            fleet: super::fleet(machine),
            state: super::state(machine).to_owned(),
            instance_type: machine.instance_type.clone(),
            url: super::url(machine),
            image: machine.image.clone(),
            launched: machine.launched,
            security_groups: machine.security_groups.clone(),
            managed_by: machine.tags.get(super::MANAGED_BY).cloned(),
        }
    }
}

/// The document of `fleet dev list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DevList {
    pub(super) at: Timestamp,
    pub(super) instances: Vec<DevInstance>,
}

fn table(instances: &[DevInstance], at: Timestamp, view: &View) -> String {
    let mut headers = vec!["INSTANCE", "FLEET", "STATE", "TYPE", "URL", "AGE"];
    if view.wide {
        headers.extend(["IMAGE", "SECURITY GROUPS", "MANAGED BY"]);
    }
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let mut table = Table::new(&headers);
    for one in instances {
        let mut cells = vec![
            one.id.clone(),
            or_dash(&one.fleet),
            one.state.clone(),
            or_dash(&one.instance_type),
            or_dash(&one.url),
            age_at(at, one.launched),
        ];
        if view.wide {
            cells.extend([
                or_dash(&one.image),
                one.security_groups.join(","),
                or_dash(&one.managed_by),
            ]);
        }
        table.row(cells);
    }
    table.render(view)
}

impl Render for DevList {
    fn human(&self, view: &View) -> String {
        table(&self.instances, self.at, view)
    }

    fn names(&self) -> Vec<String> {
        self.instances.iter().map(|one| one.id.clone()).collect()
    }
}

/// The document of `fleet dev launch`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LaunchResult {
    pub(super) run: RunId,
    pub(super) fleet: FleetId,
    pub(super) instance: DevInstance,
    /// The range of addresses that reaches its port 8188.
    pub(super) open_to: String,
    /// When its own timer stops it.
    pub(super) stops: Option<Timestamp>,
    #[serde(skip)]
    pub(super) now: Timestamp,
}

impl Render for LaunchResult {
    fn human(&self, view: &View) -> String {
        let mut text = table(std::slice::from_ref(&self.instance), self.now, view);
        if let Some(url) = &self.instance.url {
            text.push_str(&format!("\nComfyUI answers at {url} for {}", self.open_to));
            if let Some(stops) = self.stops {
                text.push_str(&format!(", until {}", stops.strftime("%Y-%m-%d %H:%MZ")));
            }
            text.push('\n');
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.instance.id.clone()]
    }
}

/// The document of `fleet dev stop` and `fleet dev terminate`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EndingResult {
    pub(super) run: RunId,
    pub(super) instances: Vec<DevInstance>,
    /// Security groups that were deleted.
    pub(super) deleted_security_groups: Vec<String>,
    #[serde(skip)]
    pub(super) now: Timestamp,
}

impl Render for EndingResult {
    fn human(&self, view: &View) -> String {
        let mut text = table(&self.instances, self.now, view);
        for group in &self.deleted_security_groups {
            text.push_str(&format!("Deleted the security group {group}\n"));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.instances.iter().map(|one| one.id.clone()).collect()
    }
}
