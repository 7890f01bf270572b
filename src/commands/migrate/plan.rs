//! From what was asked and what was seen to what will be done.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::command;
use super::request::Request;
use super::verify::{GIVES_WAY, STOP_REASON};
use crate::aws::ecs::{Network, RunTask, StopTask};
use crate::aws::rds::CreateDbSnapshot;
use crate::change::{Basis, Blocker, Call as _, Later, Loss, OnFailure, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::layout::LayoutKind;
use crate::tasks::{Chosen, LogPlace, for_entry_point};

/// The container whose command is replaced and whose exit code counts.
pub(super) const CONTAINER: &str = "php-fpm";

/// The step that starts the task.
pub(super) const START: &str = "migrate";

/// The step that takes a snapshot.
pub(super) const SNAPSHOT: &str = "snapshot";

/// What `startedBy` of a migration's task begins with.
pub(super) const STARTED_BY: &str = "bpctl/migrate/";

/// What the reads showed.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) layout: LayoutKind,
    pub(super) cluster: String,
    pub(super) service: ServiceFacts,
    /// ARN of the task definition that the service runs.
    pub(super) definition: String,
    /// `None` when the task definition has no such container.
    pub(super) container: Option<ContainerFacts>,
    /// Containers with which a task ends.
    pub(super) essential: Vec<String>,
    /// Migrations that have not come to their end.
    pub(super) migrations: Vec<RunningMigration>,
    /// Looked for only when a snapshot is wanted.
    pub(super) database: Option<DatabaseFacts>,
}

/// The backend service.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceFacts {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) desired: i32,
    pub(super) running: i32,
    /// Rollout state of the primary deployment.
    pub(super) rollout: Option<String>,
    pub(super) subnets: Vec<String>,
    pub(super) security_groups: Vec<String>,
    pub(super) public_ip: bool,
    pub(super) platform_version: Option<String>,
    pub(super) execute_command: bool,
}

/// php-fpm in the task definition.
#[derive(Clone, Debug, Default)]
pub(super) struct ContainerFacts {
    pub(super) entry_point: Vec<String>,
    /// `None` without the awslogs driver.
    pub(super) logs: Option<LogPlace>,
}

/// A migration that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunningMigration {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) started_by: Option<String>,
    pub(super) created: Option<Timestamp>,
}

/// The database that a snapshot would be taken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DatabaseFacts {
    Found {
        id: String,
        status: String,
        /// Why it is thought to be the right one, when that is not certain.
        doubt: Option<String>,
    },
    Unknown(String),
}

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Snapshot(CreateDbSnapshot),
    Start(Box<Start>),
}

/// The task to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) call: RunTask,
    pub(super) logs: Option<LogPlace>,
    /// Containers with which the task ends.
    #[serde(default)]
    pub(super) essential: Vec<String>,
    /// Where subnets and security groups come from, in a sentence.
    pub(super) network_from: String,
}

impl Start {
    /// What the task changes, for locks.
    pub(super) fn resource(&self) -> String {
        self.call.resource()
    }

    /// The call that stops the task.
    pub(super) fn stop(&self, task: Later, reason: &str) -> StopTask {
        StopTask {
            cluster: self.call.cluster.clone(),
            task,
            reason: reason.to_owned(),
            resource: self.resource(),
            loses: None,
        }
    }
}

/// What will be done, and what speaks against it.
pub(super) fn plan(request: &Request, observed: &Observed, basis: &Basis<'_>) -> Result<Plan<Action>> {
    let production = basis.target.production;
    let words = command::artisan(observed.layout, request);
    let start = start(request, observed, basis, &words)?;
    let blockers = blockers(request, observed, &start.call);
    let mut steps = Vec::new();
    if let (true, Some(DatabaseFacts::Found { id, .. })) = (request.snapshot, &observed.database) {
        steps.push(snapshot_step(id, basis));
    }
    steps.push(start_step(request, start, &words.join(" ")));
    let verb = if request.fresh {
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

pub(super) fn start(
    request: &Request,
    observed: &Observed,
    basis: &Basis<'_>,
    words: &[String],
) -> Result<Start> {
    let service = &observed.service;
    let own = |own: &[String]| Chosen {
        ids: own.to_vec(),
        source: format!("service {}", service.name),
    };
    let container = observed.container.clone().unwrap_or_default();
    let subnets = request.subnets.clone().unwrap_or_else(|| own(&service.subnets));
    let security_groups = request
        .security_groups
        .clone()
        .unwrap_or_else(|| own(&service.security_groups));
    let network_from = network_from(&subnets, &security_groups);
    Ok(Start {
        call: RunTask {
            cluster: observed.cluster.clone(),
            definition: observed.definition.clone(),
            container: CONTAINER.to_owned(),
            command: for_entry_point(&container.entry_point, words)?,
            network: Network {
                subnets: subnets.ids,
                security_groups: security_groups.ids,
                public_ip: service.public_ip,
            },
            platform_version: service.platform_version.clone(),
            execute_command: service.execute_command,
            started_by: format!("{STARTED_BY}{}", basis.names.run.short()),
            client_token: basis.names.token.clone(),
            tags: basis.names.tags("migrate"),
            loses: request
                .fresh
                .then(|| Loss::Data(format!("every table of {}", request.scope()))),
        },
        logs: container.logs,
        essential: observed.essential.clone(),
        network_from,
    })
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

fn start_step(request: &Request, start: Start, line: &str) -> Step<Action> {
    let family = start.call.definition.rsplit('/').next().unwrap_or_default();
    let summary = format!("run `{line}` in a new task of {family}");
    let calls = vec![start.call.described()];
    let mut reasons = vec![GIVES_WAY];
    if request.stop_on_interrupt {
        reasons.push(STOP_REASON);
    }
    let stops = reasons
        .into_iter()
        .map(|reason| start.stop(Later::FromStep(START.to_owned()), reason).described());
    let if_needed = stops.collect();
    let notes = vec![start.network_from.clone()];
    let mut step = Step::new(START, summary, calls, Action::Start(Box::new(start)));
    step.notes = notes;
    step.on_failure = OnFailure::Stop;
    step.if_needed = if_needed;
    step
}

/// Where the network of the task comes from.
fn network_from(subnets: &Chosen, groups: &Chosen) -> String {
    format!(
        "the subnets come from {}, the security groups from {}",
        subnets.source, groups.source
    )
}

fn warnings(request: &Request, observed: &Observed, production: bool) -> Vec<String> {
    let service = &observed.service;
    let mut warnings = Vec::new();
    if production {
        warnings.push("this is production".to_owned());
    }
    if request.fresh && !request.snapshot {
        warnings.push(
            "`--fresh` drops all tables and no snapshot is taken first: add `--snapshot` to be able to go back"
                .to_owned(),
        );
    }
    if let Some(DatabaseFacts::Found {
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
    match service.rollout.as_deref() {
        Some("IN_PROGRESS") => warnings.push(format!(
            "a deployment of {} is in progress: the migration runs with its task definition, which may still be rolled back",
            service.name
        )),
        Some("FAILED") => warnings.push(format!("the last deployment of {} failed", service.name)),
        _ => {}
    }
    if observed
        .container
        .as_ref()
        .is_some_and(|container| container.logs.is_none())
    {
        warnings.push(format!(
            "{CONTAINER} does not log with awslogs and a stream prefix: its lines cannot be shown"
        ));
    }
    warnings
}

pub(super) fn blockers(request: &Request, observed: &Observed, call: &RunTask) -> Vec<Blocker> {
    let service = &observed.service;
    let mut blockers = Vec::new();
    let mut block = |kind, reason: String, hint: Hint| blockers.push(Blocker { kind, reason, hint });
    for migration in &observed.migrations {
        let by = match &migration.started_by {
            Some(by) => format!(", started by {by}"),
            None => String::new(),
        };
        let since = match migration.created {
            Some(created) => format!(" since {}", created.strftime("%Y-%m-%dT%H:%M:%SZ")),
            None => String::new(),
        };
        block(
            ErrorKind::Conflict,
            format!(
                "migrate: a migration is under way already: task {} is {}{since}{by}",
                migration.id, migration.state
            ),
            Hint::from((
                "follow it with",
                CommandLine::bpctl(["migrate"]).option("--attach", &migration.id),
            )),
        );
    }
    if service.status != "ACTIVE" {
        block(
            ErrorKind::Changed,
            format!("migrate: service {} is {}", service.name, service.status),
            Hint::from((
                "deploy the compute stack first, or check context and stage with",
                CommandLine::bpctl(["whoami"]),
            )),
        );
    }
    if observed.container.is_none() {
        block(
            ErrorKind::Changed,
            format!("migrate: {} has no container {CONTAINER}", observed.definition),
            Hint::from((
                "check layout and prefix with",
                CommandLine::bpctl(["config", "explain", "layout"]),
            )),
        );
    }
    if call.network.subnets.is_empty() || call.network.security_groups.is_empty() {
        block(
            ErrorKind::Config,
            format!(
                "migrate: service {} has no network configuration to copy",
                service.name
            ),
            Hint::new("give `--subnets` and `--security-groups`"),
        );
    }
    if request.snapshot {
        match &observed.database {
            Some(DatabaseFacts::Found { id, status, .. }) if status != "available" => block(
                ErrorKind::Changed,
                format!("migrate: no snapshot can be taken while database {id} is {status}"),
                Hint::new("wait until it is available, or leave out `--snapshot`"),
            ),
            Some(DatabaseFacts::Found { .. }) => {}
            Some(DatabaseFacts::Unknown(why)) => block(
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

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
