//! What a resume came to.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::rds::DbInstance;
use crate::change::RunId;
use crate::commands::shutdown::platform::Platform;
use crate::commands::shutdown::record::Record;
use crate::output::{Render, Table, View};

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ResumeResult {
    pub(super) run: Option<RunId>,
    /// The parameter with the record.
    record: String,
    /// When the platform was shut down.
    since: Timestamp,
    /// ARN of the principal that shut it down.
    by: String,
    /// When it was resumed; null as long as something is left to do.
    resumed: Option<Timestamp>,
    parts: Vec<Row>,
    /// The database that the shutdown had stopped; null when it had stopped none.
    database: Option<Database>,
}

/// The database beside the services and fleets.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Database {
    name: String,
    /// As RDS says it, e.g. `available`; null when it is gone.
    status: Option<String>,
}

/// A service or a fleet on record.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Row {
    name: String,
    /// `service` or `fleet`.
    kind: &'static str,
    /// What is on record.
    recorded: Size,
    /// What it has now; null when it is gone.
    now: Option<Size>,
}

/// Desired count or capacity, and its bounds; those are null without service auto scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Size {
    desired: i64,
    min: Option<i64>,
    max: Option<i64>,
}

impl Size {
    fn cell(self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{} ({min}-{max})", self.desired),
            _ => self.desired.to_string(),
        }
    }
}

impl ResumeResult {
    pub(super) fn new(
        parameter: String,
        platform: &Platform,
        database: Option<DbInstance>,
        record: Record,
    ) -> Self {
        let services = record.services.iter().map(|(name, size)| Row {
            name: name.clone(),
            kind: "service",
            recorded: Size {
                desired: i64::from(size.desired),
                min: size.bounds.map(|bounds| i64::from(bounds.min)),
                max: size.bounds.map(|bounds| i64::from(bounds.max)),
            },
            now: platform.services.get(name).map(|part| Size {
                desired: i64::from(part.service.desired),
                min: part.bounds.map(|bounds| i64::from(bounds.min)),
                max: part.bounds.map(|bounds| i64::from(bounds.max)),
            }),
        });
        let of = |min: u32, max: u32, desired: u32| Size {
            desired: i64::from(desired),
            min: Some(i64::from(min)),
            max: Some(i64::from(max)),
        };
        let fleets = record.fleets.iter().map(|(fleet, size)| Row {
            name: fleet.to_string(),
            kind: "fleet",
            recorded: of(size.min, size.max, size.desired),
            now: platform
                .groups
                .get(fleet)
                .map(|group| of(group.min, group.max, group.desired)),
        });
        Self {
            run: None,
            record: parameter,
            since: record.since,
            by: record.by.clone(),
            resumed: record.resumed,
            parts: services.chain(fleets).collect(),
            database: record.database.clone().map(|name| Database {
                name,
                status: database.map(|instance| instance.status),
            }),
        }
    }
}

impl Render for ResumeResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["NAME", "KIND", "ON RECORD", "NOW"]);
        for row in &self.parts {
            table.row([
                row.name.clone(),
                row.kind.to_owned(),
                row.recorded.cell(),
                row.now.map_or_else(|| "gone".to_owned(), Size::cell),
            ]);
        }
        if let Some(database) = &self.database {
            table.row([
                database.name.clone(),
                "database".to_owned(),
                "available".to_owned(),
                database.status.clone().unwrap_or_else(|| "gone".to_owned()),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.parts.iter().map(|row| row.name.clone()).collect()
    }
}
