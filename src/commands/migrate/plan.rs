//! From what was asked and what was seen to what will be done.

use jiff::Timestamp;

use super::command;
use super::request::{Chosen, Request};
use crate::change::{ApiCall, Blocker, Plan, Risk, Step, Target};
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::layout::{LayoutKind, Stage};
use crate::tasks::LogPlace;

/// The container whose command is replaced and whose exit code counts.
pub(super) const CONTAINER: &str = "php-fpm";

/// What `startedBy` of a migration's task begins with.
pub(super) const STARTED_BY: &str = "bpctl/migrate/";

/// What the reads showed.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) target: Target,
    pub(super) layout: LayoutKind,
    pub(super) stage: Option<Stage>,
    pub(super) cluster: String,
    pub(super) service: ServiceFacts,
    /// ARN of the task definition that the service runs.
    pub(super) definition: String,
    /// `None` when the task definition has no such container.
    pub(super) container: Option<ContainerFacts>,
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

/// Names of this run.
#[derive(Clone, Debug)]
pub(super) struct RunIds {
    /// Hexadecimal digits that mark everything this run makes.
    pub(super) short: String,
    /// For RunTask.
    pub(super) client_token: String,
}

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Snapshot { instance: String, id: String },
    Start(Box<Order>),
}

/// The task to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) cluster: String,
    pub(super) definition: String,
    pub(super) command: Vec<String>,
    pub(super) subnets: Chosen,
    pub(super) security_groups: Chosen,
    pub(super) public_ip: bool,
    pub(super) platform_version: Option<String>,
    pub(super) execute_command: bool,
    pub(super) started_by: String,
    pub(super) client_token: String,
    pub(super) logs: Option<LogPlace>,
}

/// What will be done, and what speaks against it.
pub(super) fn plan(
    request: &Request,
    observed: &Observed,
    ids: &RunIds,
    now: Timestamp,
) -> Result<Plan<Action>> {
    let production = observed.target.protected
        || (observed.layout == LayoutKind::Staged && observed.stage == Some(Stage::Production));
    let words = command::artisan(observed.layout, request);
    let order = order(request, observed, ids, &words)?;
    let mut steps = Vec::new();
    if let (true, Some(DatabaseFacts::Found { id, .. })) = (request.snapshot, &observed.database) {
        steps.push(snapshot_step(id, &ids.short, now));
    }
    steps.push(start_step(&order, &words.join(" ")));
    let verb = if request.fresh {
        "drop all tables and migrate"
    } else {
        "migrate"
    };
    Ok(Plan {
        verb: "migrate",
        title: format!("{verb} {}", request.scope()),
        confirm_word: if request.fresh && production {
            observed.target.account.clone()
        } else {
            observed.target.context.clone()
        },
        target: observed.target.clone(),
        risk: if request.fresh {
            Risk::Destructive
        } else {
            Risk::Reversible
        },
        warnings: warnings(request, observed, production),
        blockers: blockers(request, observed, &order),
        steps,
    })
}

fn order(request: &Request, observed: &Observed, ids: &RunIds, words: &[String]) -> Result<Order> {
    let service = &observed.service;
    let own = |own: &[String]| Chosen {
        ids: own.to_vec(),
        source: format!("service {}", service.name),
    };
    let container = observed.container.clone().unwrap_or_default();
    Ok(Order {
        cluster: observed.cluster.clone(),
        definition: observed.definition.clone(),
        command: command::for_entry_point(&container.entry_point, words)?,
        subnets: request.subnets.clone().unwrap_or_else(|| own(&service.subnets)),
        security_groups: request
            .security_groups
            .clone()
            .unwrap_or_else(|| own(&service.security_groups)),
        public_ip: service.public_ip,
        platform_version: service.platform_version.clone(),
        execute_command: service.execute_command,
        started_by: format!("{STARTED_BY}{}", ids.short),
        client_token: ids.client_token.clone(),
        logs: container.logs,
    })
}

fn snapshot_step(instance: &str, short: &str, now: Timestamp) -> Step<Action> {
    // Letters, digits and single hyphens, beginning with a letter (CreateDBSnapshot).
    let id = format!(
        "{instance}-before-migrate-{}-{short}",
        now.strftime("%Y%m%d-%H%M%S")
    );
    Step {
        id: "snapshot".to_owned(),
        summary: format!("take a snapshot of database {instance} and wait until it is available"),
        calls: vec![ApiCall::new(
            "rds",
            "CreateDBSnapshot",
            [
                ("DBInstanceIdentifier", instance.into()),
                ("DBSnapshotIdentifier", id.clone().into()),
            ],
        )],
        before: None,
        after: None,
        action: Action::Snapshot {
            instance: instance.to_owned(),
            id,
        },
    }
}

fn start_step(order: &Order, line: &str) -> Step<Action> {
    // As the API gets it: a list of one string for a shell, a list of words otherwise.
    let command = serde_json::Value::from(order.command.clone());
    let family = order.definition.rsplit('/').next().unwrap_or_default();
    Step {
        id: "migrate".to_owned(),
        summary: format!("run `{line}` in a new task of {family}"),
        calls: vec![ApiCall::new(
            "ecs",
            "RunTask",
            [
                ("cluster", order.cluster.clone().into()),
                ("taskDefinition", order.definition.clone().into()),
                ("launchType", "FARGATE".into()),
                (
                    "platformVersion",
                    order.platform_version.as_deref().unwrap_or("LATEST").into(),
                ),
                ("container", CONTAINER.into()),
                ("command", command),
                ("subnets", order.subnets.ids.clone().into()),
                ("securityGroups", order.security_groups.ids.clone().into()),
                ("networkFrom", networks_from(order).into()),
                ("startedBy", order.started_by.clone().into()),
            ],
        )],
        before: None,
        after: None,
        action: Action::Start(Box::new(order.clone())),
    }
}

/// Who said which network the task goes into.
fn networks_from(order: &Order) -> String {
    let (subnets, groups) = (&order.subnets.source, &order.security_groups.source);
    if subnets == groups {
        subnets.clone()
    } else {
        format!("{subnets} (subnets), {groups} (security groups)")
    }
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

fn blockers(request: &Request, observed: &Observed, order: &Order) -> Vec<Blocker> {
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
    if order.subnets.ids.is_empty() || order.security_groups.ids.is_empty() {
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
