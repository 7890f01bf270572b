//! Rows of several kinds in one document.

use schemars::JsonSchema;
use serde::Serialize;

use super::kinds::alarms::AlarmRow;
use super::kinds::deployments::DeploymentRow;
use super::kinds::fleets::FleetRow;
use super::kinds::images::ImageRow;
use super::kinds::instances::InstanceRow;
use super::kinds::leases::LeaseRow;
use super::kinds::parameters::ParameterRow;
use super::kinds::runs::RunRow;
use super::kinds::secrets::SecretRow;
use super::kinds::services::ServiceRow;
use super::kinds::stacks::StackRow;
use super::kinds::tasks::TaskRow;
use super::row::Sheet;
use crate::fleet::Gap;
use crate::output::{Render, View};

macro_rules! items {
    ($($kind:ident($row:ident),)+) => {
        /// A thing of any kind.
        #[derive(Debug, Serialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "lowercase")]
        pub(in crate::commands) enum Item {
            $($kind($row),)+
        }

        $(impl From<$row> for Item {
            fn from(row: $row) -> Self {
                Self::$kind(row)
            }
        })+
    };
}

items! {
    Service(ServiceRow),
    Task(TaskRow),
    Deployment(DeploymentRow),
    Image(ImageRow),
    Alarm(AlarmRow),
    Fleet(FleetRow),
    Instance(InstanceRow),
    Stack(StackRow),
    Parameter(ParameterRow),
    Secret(SecretRow),
    Run(RunRow),
    Lease(LeaseRow),
}

/// Runs an expression with a type alias for the rows of a kind.
macro_rules! with_row {
    ($kind:expr, $row:ident => $body:expr) => {{
        use $crate::commands::get::kinds as of;
        use $crate::kinds::Kind;
        match $kind {
            Kind::Service => {
                type $row = of::services::ServiceRow;
                $body
            }
            Kind::Task => {
                type $row = of::tasks::TaskRow;
                $body
            }
            Kind::Deployment => {
                type $row = of::deployments::DeploymentRow;
                $body
            }
            Kind::Image => {
                type $row = of::images::ImageRow;
                $body
            }
            Kind::Alarm => {
                type $row = of::alarms::AlarmRow;
                $body
            }
            Kind::Fleet => {
                type $row = of::fleets::FleetRow;
                $body
            }
            Kind::Instance => {
                type $row = of::instances::InstanceRow;
                $body
            }
            Kind::Stack => {
                type $row = of::stacks::StackRow;
                $body
            }
            Kind::Parameter => {
                type $row = of::parameters::ParameterRow;
                $body
            }
            Kind::Secret => {
                type $row = of::secrets::SecretRow;
                $body
            }
            Kind::Run => {
                type $row = of::runs::RunRow;
                $body
            }
            Kind::Lease => {
                type $row = of::leases::LeaseRow;
                $body
            }
        }
    }};
}

pub(in crate::commands) use with_row;

/// The types of rows, for the table of documents.
pub(in crate::commands) mod rows {
    pub(in crate::commands) use crate::commands::get::kinds::alarms::AlarmRow;
    pub(in crate::commands) use crate::commands::get::kinds::deployments::DeploymentRow;
    pub(in crate::commands) use crate::commands::get::kinds::fleets::FleetRow;
    pub(in crate::commands) use crate::commands::get::kinds::images::ImageRow;
    pub(in crate::commands) use crate::commands::get::kinds::instances::InstanceRow;
    pub(in crate::commands) use crate::commands::get::kinds::leases::LeaseRow;
    pub(in crate::commands) use crate::commands::get::kinds::parameters::ParameterRow;
    pub(in crate::commands) use crate::commands::get::kinds::runs::RunRow;
    pub(in crate::commands) use crate::commands::get::kinds::secrets::SecretRow;
    pub(in crate::commands) use crate::commands::get::kinds::services::ServiceRow;
    pub(in crate::commands) use crate::commands::get::kinds::stacks::StackRow;
    pub(in crate::commands) use crate::commands::get::kinds::tasks::TaskRow;
}

/// The rows of several kinds.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(in crate::commands) struct Mixed {
    pub(super) items: Vec<Item>,
    /// What could not be looked at.
    pub(super) gaps: Vec<Gap>,
    #[serde(skip)]
    pub(super) sheets: Vec<Sheet>,
    #[serde(skip)]
    pub(super) names: Vec<String>,
}

impl Render for Mixed {
    fn human(&self, view: &View) -> String {
        let tables = self.sheets.iter().map(|sheet| sheet.render(view, true));
        let tables: Vec<String> = tables.filter(|table| !table.is_empty()).collect();
        tables.join("\n")
    }

    fn names(&self) -> Vec<String> {
        self.names.clone()
    }
}
