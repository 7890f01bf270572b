//! From what was asked and what was seen to what will be done.

use serde::{Deserialize, Serialize};

use super::observe::EarlierTask;
use super::request::Request;
use crate::aws::ecs::{ContainerDefinition, Network, RunAside, RunTask, Service, StopTask, short};
use crate::change::{Basis, Blocker, Call as _, Later, Loss, OnFailure, Plan, Step};
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::tasks::{Chosen, LogPlace, for_entry_point};

/// The only step.
pub(super) const STEP: &str = "task";

/// Why a task is stopped that `--stop-on-interrupt` stops.
pub(super) const STOP_REASON: &str = "bpctl was interrupted (--stop-on-interrupt)";

/// What the reads showed.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) cluster: String,
    pub(super) service: Service,
    /// ARN of the task definition that the service runs.
    pub(super) definition: String,
    /// `None` when the task definition has no such container.
    pub(super) container: Option<ContainerDefinition>,
    /// Containers with which a task ends.
    pub(super) essential: Vec<String>,
    /// A migration that is under way; looked for by `seed` alone.
    pub(super) migration: Option<String>,
    /// A seeder that is under way; looked for by `seed` alone.
    pub(super) seeding: Option<String>,
    /// Tasks of runs of this verb that were cut off, which have not stopped.
    pub(super) cut_off: Vec<EarlierTask>,
}

/// The task to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) call: RunTask,
    /// It keeps nothing out, and nothing keeps it out.
    pub(super) aside: bool,
    pub(super) logs: Option<LogPlace>,
    pub(super) essential: Vec<String>,
    pub(super) network_from: String,
    /// ARN of the task of a run that was cut off, which is gone on with instead of starting another one.
    #[serde(default)]
    pub(super) going_on: Option<String>,
}

impl Start {
    /// The call that stops the task.
    pub(super) fn stop(&self, task: Later) -> StopTask {
        StopTask {
            cluster: self.call.cluster.clone(),
            task,
            reason: STOP_REASON.to_owned(),
            resource: if self.aside {
                RunAside(self.call.clone()).resource()
            } else {
                self.call.resource()
            },
            loses: None,
        }
    }
}

/// What will be done, and what speaks against it.
pub(super) fn plan(verb: &str, request: &Request, seen: &Observed, basis: &Basis<'_>) -> Result<Plan<Start>> {
    let mut start = start(verb, request, seen, basis)?;
    let same = |task: &&EarlierTask| {
        (&task.call.container, &task.call.command) == (&start.call.container, &start.call.command)
    };
    if let Some(task) = seen.cut_off.iter().find(same) {
        start.going_on = Some(task.arn.clone());
        return Ok(go_on(request, start, task));
    }
    let blockers = blockers(verb, request, seen, &start);
    let line = crate::tasks::shell_line(&request.words)?;
    let calls = vec![if start.aside {
        RunAside(start.call.clone()).described()
    } else {
        start.call.described()
    }];
    let family = short(&start.call.definition).to_owned();
    let mut if_needed = Vec::new();
    if request.stop_on_interrupt {
        if_needed.push(start.stop(Later::FromStep(STEP.to_owned())).described());
    }
    let notes = vec![start.network_from.clone()];
    let mut step = Step::new(
        STEP,
        format!("run `{line}` in a new task of {family}"),
        calls,
        start,
    );
    step.notes = notes;
    step.on_failure = OnFailure::Stop;
    step.if_needed = if_needed;
    Ok(Plan {
        warnings: warnings(request, seen, basis.target.production),
        blockers,
        ..Plan::new(title(request), vec![step])
    })
}

fn title(request: &Request) -> String {
    if request.seeds {
        "seed the database".to_owned()
    } else {
        format!("run a command in {}", request.container)
    }
}

/// Follows what an earlier run has started instead of starting the same a second time.
fn go_on(request: &Request, start: Start, task: &EarlierTask) -> Plan<Start> {
    let stop = start.stop(Later::FromStep(STEP.to_owned())).described();
    let summary = format!(
        "go on with task {}, which run {} started before it was cut off",
        short(&task.arn),
        task.run
    );
    let mut step = Step::new(STEP, summary, Vec::new(), start);
    step.on_failure = OnFailure::Stop;
    if request.stop_on_interrupt {
        step.if_needed = vec![stop];
    }
    Plan::new(title(request), vec![step])
}

fn start(verb: &str, request: &Request, seen: &Observed, basis: &Basis<'_>) -> Result<Start> {
    let own = seen.service.network.clone().unwrap_or_default();
    let of_service = |ids: &[String]| Chosen {
        ids: ids.to_vec(),
        source: format!("service {}", seen.service.name),
    };
    let subnets = request
        .subnets
        .clone()
        .unwrap_or_else(|| of_service(&own.subnets));
    let groups = request
        .security_groups
        .clone()
        .unwrap_or_else(|| of_service(&own.security_groups));
    let entry_point = seen.container.as_ref().map(|one| one.entry_point.clone());
    let loses = request.seeds && basis.target.production;
    Ok(Start {
        network_from: format!(
            "the subnets come from {}, the security groups from {}",
            subnets.source, groups.source
        ),
        call: RunTask {
            cluster: seen.cluster.clone(),
            definition: seen.definition.clone(),
            container: request.container.clone(),
            command: for_entry_point(&entry_point.unwrap_or_default(), &request.words)?,
            network: Network {
                subnets: subnets.ids,
                security_groups: groups.ids,
                public_ip: own.public_ip,
            },
            platform_version: seen.service.platform_version.clone(),
            execute_command: seen.service.execute_command,
            started_by: format!("bpctl/{verb}/{}", basis.names.run.short()),
            client_token: basis.names.token.clone(),
            tags: basis.names.tags(verb),
            loses: loses.then(|| Loss::Data("rows of the database that the seeders replace".to_owned())),
        },
        aside: !request.seeds,
        going_on: None,
        logs: seen.container.as_ref().and_then(LogPlace::of),
        essential: seen.essential.clone(),
    })
}

fn warnings(request: &Request, seen: &Observed, production: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if production {
        warnings.push("this is production".to_owned());
    }
    let has = |word: &str| request.words.iter().any(|given| given.contains(word));
    if has("pools-migrate")
        || (has("artisan") && request.words.iter().any(|word| word.starts_with("migrate")))
    {
        warnings.push(
            "this migrates databases, and no other migration is kept out: that is what the verb migrate is for"
                .to_owned(),
        );
    }
    if seen
        .container
        .as_ref()
        .is_some_and(|one| LogPlace::of(one).is_none())
    {
        warnings.push(format!(
            "{} does not log with awslogs and a stream prefix: its lines cannot be shown",
            request.container
        ));
    }
    warnings
}

fn blockers(verb: &str, request: &Request, seen: &Observed, start: &Start) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    let mut block = |kind, reason: String, hint: Hint| blockers.push(Blocker { kind, reason, hint });
    if let Some(migration) = &seen.migration {
        block(
            ErrorKind::Conflict,
            format!("{verb}: a migration is under way: task {migration}"),
            Hint::from((
                "follow it with",
                CommandLine::bpctl(["migrate"]).option("--attach", migration),
            )),
        );
    }
    if let Some(seeding) = &seen.seeding {
        block(
            ErrorKind::Conflict,
            format!("{verb}: the database is being seeded already: task {seeding}"),
            Hint::from((
                "follow it with",
                CommandLine::bpctl(["run"]).option("--attach", seeding),
            )),
        );
    }
    if seen.service.status != "ACTIVE" {
        block(
            ErrorKind::Changed,
            format!("{verb}: service {} is {}", seen.service.name, seen.service.status),
            Hint::from((
                "deploy the compute stack first, or check context and stage with",
                CommandLine::bpctl(["whoami"]),
            )),
        );
    }
    if seen.container.is_none() {
        block(
            ErrorKind::Changed,
            format!(
                "{verb}: {} has no container {}",
                seen.definition, request.container
            ),
            Hint::from((
                "check layout and prefix with",
                CommandLine::bpctl(["config", "explain", "layout"]),
            )),
        );
    }
    let network = &start.call.network;
    if network.subnets.is_empty() || network.security_groups.is_empty() {
        block(
            ErrorKind::Config,
            format!(
                "{verb}: service {} has no network configuration to copy",
                seen.service.name
            ),
            Hint::new("give `--subnets` and `--security-groups`"),
        );
    }
    blockers
}
