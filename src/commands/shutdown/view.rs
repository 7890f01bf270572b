//! What a shutdown came to.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Shutdown;
use super::database::{Database, starts_itself};
use super::plan::Seen;
use super::record::Author;
use super::saving::Saving;
use super::steps;
use crate::aws::rds::power::Power;
use crate::change::{Outcome, RunId, State};
use crate::fleet::hold::minute;
use crate::output::{Render, Table, View, paragraph};

/// The name under which tasks are counted that belong to no service.
pub(super) const OTHERS: &str = "other tasks";

/// The result document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ShutdownResult {
    run: RunId,
    /// `app`, `gpu` or `all`.
    scope: &'static str,
    /// The parameter with what there was; null when no shutdown is on record.
    record: Option<String>,
    parts: Vec<Row>,
    /// Tasks of the cluster that belong to no service that was taken down; null when they were not counted.
    other_tasks: Option<u64>,
    /// When AWS starts the database again by itself; null when this run has not stopped it.
    database_starts: Option<Timestamp>,
    /// Null when no shutdown is on record.
    saving: Option<Saving>,
}

/// A service, a fleet or the database.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    name: String,
    /// `service`, `fleet` or `database`.
    kind: &'static str,
    /// Tasks or instances that were desired, as on record; 1 for a database that ran.
    desired_before: i64,
    /// Tasks or instances that run still; null when that was not looked at.
    left: Option<u64>,
}

impl ShutdownResult {
    pub(super) fn new(change: &Shutdown<'_>, seen: &Seen, outcome: &Outcome<Shutdown<'_>>) -> Self {
        let author = Author {
            run: outcome.run.to_string(),
            by: outcome.target.principal.clone(),
            now: jiff::Timestamp::UNIX_EPOCH,
            reason: None,
        };
        let record = seen.record(author);
        let ending = |name: &str| outcome.endings.get(name).map(|left| left.0);
        let at_rest = |name: &str, now: u64| match ending(name) {
            Some(left) => Some(left),
            // Nothing was to be done, and nothing ran.
            None => (now == 0).then_some(0),
        };
        let services = seen.platform.services.iter().map(|(name, part)| {
            let now = part.service.desired.max(0) + part.service.running.max(0);
            Row {
                name: name.clone(),
                kind: "service",
                desired_before: record
                    .services
                    .get(name)
                    .map_or(0, |size| i64::from(size.desired)),
                left: at_rest(name, u64::try_from(now).unwrap_or_default()),
            }
        });
        let fleets = seen.platform.groups.iter().map(|(fleet, group)| {
            let name = fleet.to_string();
            Row {
                kind: "fleet",
                desired_before: record.fleets.get(fleet).map_or(0, |size| i64::from(size.desired)),
                left: at_rest(&name, u64::from(group.desired) + group.instances.len() as u64),
                name,
            }
        });
        let database = record.database.as_ref().map(|id| {
            let name = steps::database_id(id);
            let left = ending(&name).or(match &seen.database {
                Some(Database::Found { instance, .. }) => Some(u64::from(!matches!(
                    instance.power(),
                    Power::Stopping | Power::Off
                ))),
                Some(Database::Unknown(_)) | None => None,
            });
            Row {
                name: id.clone(),
                kind: "database",
                desired_before: 1,
                left,
            }
        });
        let has_stopped = record.database.as_ref().is_some_and(|id| {
            let step = outcome.step(&steps::database_id(id));
            step.is_some_and(|step| matches!(step.state, State::Done { .. }))
        });
        let held = seen.last.as_ref().is_some_and(|last| last.resumed.is_none());
        let on_record = held
            || outcome
                .step(steps::RECORD)
                .is_some_and(|step| matches!(step.state, State::Done { .. }));
        Self {
            run: outcome.run.clone(),
            scope: change.scope.word(),
            record: on_record.then(|| change.layout.shutdown_parameter()),
            parts: services.chain(fleets).chain(database).collect(),
            other_tasks: ending(OTHERS),
            database_starts: has_stopped.then(|| starts_itself(change.ctx.clock.now())),
            saving: on_record.then(|| Saving::of(&change.layout, &seen.platform, &record)),
        }
    }
}

impl Render for ShutdownResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["NAME", "KIND", "DESIRED BEFORE", "LEFT"]);
        for row in &self.parts {
            table.row([
                row.name.clone(),
                row.kind.to_owned(),
                row.desired_before.to_string(),
                row.left.map_or_else(|| "?".to_owned(), |left| left.to_string()),
            ]);
        }
        let mut text = table.render(view);
        if let Some(others) = self.other_tasks.filter(|others| *others > 0) {
            let others = format!(
                "{others} more tasks run in the cluster and belong to no service: `task list` shows them"
            );
            paragraph(&mut text, view, "", &others);
        }
        if let Some(at) = self.database_starts {
            let starts = format!("AWS starts the database again by itself on {}.", minute(at));
            paragraph(&mut text, view, "", &starts);
        }
        if let Some(saving) = &self.saving {
            let saving = format!(
                "Saves about {:.2} dollars a day: {}.",
                saving.dollars_per_day,
                saving.assumptions.join("; ")
            );
            paragraph(&mut text, view, "", &saving);
        }
        if let Some(record) = &self.record {
            let record = format!("What there was is on record in {record}; `resume` restores it.");
            paragraph(&mut text, view, "", &record);
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.parts.iter().map(|row| row.name.clone()).collect()
    }
}
