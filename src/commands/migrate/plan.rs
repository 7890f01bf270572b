//! From what was asked and what was seen to what will be done.

use serde::{Deserialize, Serialize};

use super::follow::FOLLOWING;
use super::request::Request;
use crate::aws::ecs::Task;
use crate::aws::rds::CreateDbSnapshot;
use crate::change::{Basis, Blocker, Call as _, Loss, OnFailure, Plan, Step};
use crate::commands::db::instances::PlatformDatabase;
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::layout::LayoutKind;
use crate::tasks::{GIVES_WAY, Place, Start};

/// The container whose command is replaced and whose exit code counts.
pub(super) const CONTAINER: &str = "php-fpm";

/// The step that starts the task.
pub(super) const START: &str = "migrate";

/// The step that takes a snapshot.
pub(super) const SNAPSHOT: &str = "snapshot";

/// What the reads showed.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) layout: LayoutKind,
    /// The backend.
    pub(super) place: Place,
    /// Migrations that have not come to their end.
    pub(super) migrations: Vec<Task>,
    /// Looked for only when a snapshot is wanted.
    pub(super) database: Option<PlatformDatabase>,
}

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Snapshot(CreateDbSnapshot),
    Start(Box<Start>),
}

/// What will be done, and what speaks against it.
pub(super) fn plan(request: &Request, observed: &Observed, basis: &Basis<'_>) -> Result<Plan<Action>> {
    let production = basis.target.production;
    let start = start(request, observed, basis)?;
    let blockers = blockers(request, observed, &start);
    let mut steps = Vec::new();
    if let (true, Some(PlatformDatabase::Found { id, .. })) = (request.databases.snapshot, &observed.database)
    {
        steps.push(snapshot_step(id, basis));
    }
    let line = request.words(observed.layout).join(" ");
    let mut reasons = vec![GIVES_WAY];
    if request.task.stop_on_interrupt {
        reasons.push(FOLLOWING.stop_reason);
    }
    steps.push(start.step(START, &line, &reasons, |start| Action::Start(Box::new(start))));
    let verb = if request.databases.fresh {
        "drop all tables and migrate"
    } else {
        "migrate"
    };
    Ok(Plan {
        warnings: warnings(request, observed, production),
        blockers,
        ..Plan::new(format!("{verb} {}", request.scope()), steps)
    })
}

pub(super) fn start(request: &Request, observed: &Observed, basis: &Basis<'_>) -> Result<Start> {
    let words = request.words(observed.layout);
    let mut start = Start::of("migrate", &words, &request.task, &observed.place, basis)?;
    let fresh = request.databases.fresh;
    start.call.loses = fresh.then(|| Loss::Data(format!("every table of {}", request.scope())));
    Ok(start)
}

fn snapshot_step(instance: &str, basis: &Basis<'_>) -> Step<Action> {
    // Letters, digits and single hyphens, beginning with a letter (CreateDBSnapshot).
    let id = format!(
        "{instance}-before-migrate-{}-{}",
        basis.now.strftime("%Y%m%d-%H%M%S"),
        basis.names.run.short()
    );
    let call = CreateDbSnapshot {
        instance: instance.to_owned(),
        snapshot: id,
        tags: basis.names.tags("migrate"),
    };
    let summary = format!("take a snapshot of database {instance} and wait until it is available");
    let calls = vec![call.described()];
    let mut step = Step::new(SNAPSHOT, summary, calls, Action::Snapshot(call));
    step.on_failure = OnFailure::Stop;
    step
}

fn warnings(request: &Request, observed: &Observed, production: bool) -> Vec<String> {
    let service = &observed.place.service;
    let mut warnings = Vec::new();
    if production {
        warnings.push("this is production".to_owned());
    }
    if request.databases.fresh && !request.databases.snapshot {
        warnings.push(
            "`--fresh` drops all tables and no snapshot is taken first: add `--snapshot` to be able to go back"
                .to_owned(),
        );
    }
    if let Some(PlatformDatabase::Found {
        id,
        doubt: Some(doubt),
        ..
    }) = &observed.database
    {
        warnings.push(format!("the snapshot is taken of {id}: {doubt}"));
    }
    if service.desired == 0 {
        warnings.push(format!(
            "service {} is scaled to zero: nothing serves while the migration runs",
            service.name
        ));
    } else if service.running < service.desired {
        warnings.push(format!(
            "service {} is not healthy: {} of {} tasks run; triage says why",
            service.name, service.running, service.desired
        ));
    }
    let rollout = service
        .primary()
        .and_then(|primary| primary.rollout_state.as_deref());
    match rollout {
        Some("IN_PROGRESS") => warnings.push(format!(
            "a deployment of {} is in progress: the migration runs with its task definition, which may still be rolled back",
            service.name
        )),
        Some("FAILED") => warnings.push(format!("the last deployment of {} failed", service.name)),
        _ => {}
    }
    warnings.extend(observed.place.mute());
    warnings
}

pub(super) fn blockers(request: &Request, observed: &Observed, start: &Start) -> Vec<Blocker> {
    let mut blockers: Vec<Blocker> = observed.migrations.iter().map(under_way).collect();
    blockers.extend(start.blockers("migrate", &observed.place));
    let mut block = |kind, reason: String, hint: Hint| blockers.push(Blocker { kind, reason, hint });
    if request.databases.snapshot {
        match &observed.database {
            Some(PlatformDatabase::Found { id, status, .. }) if status != "available" => block(
                ErrorKind::Changed,
                format!("migrate: no snapshot can be taken while database {id} is {status}"),
                Hint::new("wait until it is available, or leave out `--snapshot`"),
            ),
            Some(PlatformDatabase::Found { .. }) => {}
            Some(PlatformDatabase::Unknown(why)) => block(
                ErrorKind::NotFound,
                format!("migrate: the database to take a snapshot of is not known: {why}"),
                Hint::from((
                    "look for it with",
                    CommandLine::aws("rds", "describe-db-instances")
                        .picking("DBInstances[].[DBInstanceIdentifier,DBInstanceStatus]"),
                    ", take a snapshot by hand and leave out `--snapshot`",
                )),
            ),
            None => block(
                ErrorKind::NotFound,
                "migrate: the database to take a snapshot of was not looked for".to_owned(),
                Hint::new("leave out `--snapshot`"),
            ),
        }
    }
    blockers
}

/// Why nothing is started beside this migration.
fn under_way(task: &Task) -> Blocker {
    let by = match &task.started_by {
        Some(by) => format!(", started by {by}"),
        None => String::new(),
    };
    let since = match task.created {
        Some(created) => format!(" since {}", created.strftime("%Y-%m-%dT%H:%M:%SZ")),
        None => String::new(),
    };
    Blocker {
        kind: ErrorKind::Conflict,
        reason: format!(
            "migrate: a migration is under way already: task {} is {}{since}{by}",
            task.id(),
            task.state
        ),
        hint: Hint::from(("follow it with", (FOLLOWING.attach)(task.id()))),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
