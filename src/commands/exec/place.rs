//! Which container of which task is entered, and why it cannot be.

use jiff::Timestamp;

use crate::aws::ecs::{Container, Service, Task, short};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::layout::{App, Layout};
use crate::settings::nearest;

/// The containers that are meant when none is named: those of the application itself.
const PREFERRED: [&str; 2] = ["php-fpm", "nextjs"];

/// What was named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A running task of this service.
    Service(String),
    /// This task and no other.
    Task(String),
}

impl Wanted {
    /// Reads `backend`, `frontend`, the name of a service, the id or the ARN of a task.
    ///
    /// # Errors
    /// Anything else.
    pub(crate) fn parse(layout: &Layout, text: &str) -> Result<Self> {
        for (word, app) in [("backend", App::Backend), ("frontend", App::Frontend)] {
            let name = layout.service(app);
            if text == word || text == name {
                return Ok(Self::Service(name));
            }
        }
        if let Some((_, place)) = text.split_once(":task/") {
            let (cluster, id) = place.split_once('/').unwrap_or(("", place));
            if !cluster.is_empty() && cluster != layout.cluster() {
                return Err(CtlError::usage(format!(
                    "enter task {id}: it is in cluster {cluster}, and this context's is {}",
                    layout.cluster()
                ))
                .hint("choose another context or stage with `--context` or `--stage`"));
            }
            return Self::task(id).ok_or_else(|| no_place(layout, text));
        }
        Self::task(text).ok_or_else(|| no_place(layout, text))
    }

    /// Ids of tasks have 32 hexadecimal digits, or the form of a UUID where the account keeps the short ARNs.
    fn task(id: &str) -> Option<Self> {
        let digits = id.chars().filter(|character| *character != '-').count();
        let proper = id
            .chars()
            .all(|character| character.is_ascii_hexdigit() || character == '-');
        (proper && digits == 32).then(|| Self::Task(id.to_owned()))
    }
}

fn no_place(layout: &Layout, text: &str) -> CtlError {
    let error = CtlError::usage(format!(
        "enter `{text}`: it is neither a service nor the id of a task"
    ));
    let services = [App::Backend, App::Frontend].map(|app| layout.service(app));
    let known = ["backend", "frontend"]
        .into_iter()
        .chain(services.iter().map(String::as_str));
    match nearest(text, known.clone()) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error.hint("give `backend`, `frontend`, or the 32 digits of a task's id"),
    }
}

/// Where a session leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) cluster: String,
    pub(crate) task: Task,
    pub(crate) container: String,
    /// How many other tasks would have done as well.
    pub(crate) others: usize,
}

impl Place {
    /// For people: `php-fpm of task 0af…`.
    pub(crate) fn told(&self) -> String {
        format!("{} of task {}", self.container, self.task.id())
    }

    /// What Systems Manager knows the container by.
    ///
    /// # Errors
    /// A container that has no runtime id yet.
    pub(crate) fn target(&self) -> Result<String> {
        let found = self.task.container(&self.container);
        let runtime = found.and_then(|container| container.runtime_id.as_deref());
        let runtime = runtime.ok_or_else(|| {
            CtlError::new(
                ErrorKind::Failed,
                format!(
                    "open a session to {}: the container has not started yet",
                    self.told()
                ),
            )
        })?;
        Ok(format!("ecs:{}_{}_{runtime}", self.cluster, self.task.id()))
    }

    /// When the agent in the container came up.
    pub(crate) fn agent_started(&self) -> Option<Timestamp> {
        let container = self.task.container(&self.container)?;
        container.agent.as_ref()?.started
    }
}

/// Why a container cannot be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    TaskNotRunning {
        state: String,
        reason: Option<String>,
    },
    NotEnabled,
    NoContainer {
        names: Vec<String>,
        given: String,
    },
    WhichContainer {
        names: Vec<String>,
    },
    ContainerNotRunning {
        container: String,
        state: String,
    },
    AgentNotRunning {
        container: String,
        state: String,
        reason: Option<String>,
    },
}

/// The container of `task` to enter.
fn enter<'a>(task: &'a Task, given: Option<&str>) -> Result<&'a Container, Trouble> {
    if task.state != "RUNNING" {
        return Err(Trouble::TaskNotRunning {
            state: task.state.clone(),
            reason: task.stopped_reason.clone(),
        });
    }
    let names = || {
        task.containers
            .iter()
            .map(|container| container.name.clone())
            .collect()
    };
    let container = match given {
        Some(name) => task.container(name).ok_or_else(|| Trouble::NoContainer {
            names: names(),
            given: name.to_owned(),
        })?,
        None => match (
            PREFERRED.iter().find_map(|name| task.container(name)),
            task.containers.as_slice(),
        ) {
            (Some(preferred), _) => preferred,
            (None, [only]) => only,
            (None, _) => return Err(Trouble::WhichContainer { names: names() }),
        },
    };
    if !task.execute_command {
        return Err(Trouble::NotEnabled);
    }
    let state = container.state.as_deref().unwrap_or("RUNNING");
    if state != "RUNNING" {
        return Err(Trouble::ContainerNotRunning {
            container: container.name.clone(),
            state: state.to_owned(),
        });
    }
    match &container.agent {
        Some(agent) if agent.state == "RUNNING" => Ok(container),
        agent => Err(Trouble::AgentNotRunning {
            container: container.name.clone(),
            state: agent
                .as_ref()
                .map_or_else(|| "PENDING".to_owned(), |agent| agent.state.clone()),
            reason: agent.as_ref().and_then(|agent| agent.reason.clone()),
        }),
    }
}

/// A task, its container, and how many other tasks would have done.
type Entered<'a> = (&'a Task, &'a Container, usize);

/// The task that came up last among those that can be entered. With none, why the newest cannot.
pub(crate) fn choose<'a>(
    tasks: &'a [Task],
    given: Option<&str>,
) -> Option<Result<Entered<'a>, (&'a Task, Trouble)>> {
    let mut newest: Vec<&Task> = tasks.iter().collect();
    newest.sort_by_key(|task| std::cmp::Reverse(task.started.or(task.created)));
    let entered: Vec<_> = newest
        .iter()
        .filter_map(|task| Some((*task, enter(task, given).ok()?)))
        .collect();
    if let Some((task, container)) = entered.first() {
        return Some(Ok((task, container, entered.len() - 1)));
    }
    let task = newest.first()?;
    Some(
        enter(task, given)
            .map(|container| (*task, container, 0))
            .map_err(|trouble| (*task, trouble)),
    )
}

/// Looks for the place. For a service: one call to list and one to describe its tasks, and one more when none will do.
///
/// # Errors
/// Why there is no such place, with what to do about it.
pub(crate) async fn find(ctx: &Ctx, layout: &Layout, wanted: &Wanted, given: Option<&str>) -> Result<Place> {
    let cluster = layout.cluster();
    let tasks = match wanted {
        Wanted::Service(service) => {
            let arns = ctx.aws.running_tasks_of_service(&cluster, service).await?;
            if arns.is_empty() {
                Vec::new()
            } else {
                ctx.aws.tasks(&cluster, &arns).await?
            }
        }
        Wanted::Task(id) => ctx.aws.task(&cluster, id).await?.into_iter().collect(),
    };
    match choose(&tasks, given) {
        Some(Ok((task, container, others))) => Ok(Place {
            cluster,
            task: task.clone(),
            container: container.name.clone(),
            others,
        }),
        Some(Err((task, trouble))) => {
            let service = match (wanted, &trouble) {
                (Wanted::Service(service), Trouble::NotEnabled) => ctx.aws.service(&cluster, service).await?,
                _ => None,
            };
            Err(refused(&cluster, task, trouble, service.as_ref()))
        }
        None => Err(match wanted {
            Wanted::Task(id) => CtlError::new(
                ErrorKind::NotFound,
                format!("enter task {id}: ECS does not know it (any more) in cluster {cluster}"),
            )
            .hint((
                "ECS keeps a stopped task for about an hour; a running one is entered by",
                CommandLine::bpctl(["exec", "backend"]),
            )),
            Wanted::Service(name) => no_task(name, ctx.aws.service(&cluster, name).await?.as_ref()),
        }),
    }
}

fn no_task(name: &str, service: Option<&Service>) -> CtlError {
    let triage = || ("find out why with", CommandLine::bpctl(["triage"]));
    match service {
        None => CtlError::new(
            ErrorKind::NotFound,
            format!("enter {name}: there is no such service"),
        )
        .hint((
            "layout, stage or region may be wrong:",
            CommandLine::bpctl(["whoami"]),
            "shows them",
        )),
        Some(service) => CtlError::new(
            ErrorKind::NotFound,
            format!(
                "enter {name}: it has no running task (desired {}, pending {})",
                service.desired, service.pending
            ),
        )
        .hint(triage()),
    }
}

/// Why a container is not entered, and what to do about it.
fn refused(cluster: &str, task: &Task, trouble: Trouble, service: Option<&Service>) -> CtlError {
    let id = task.id();
    let failed = |what: String| CtlError::new(ErrorKind::Failed, what).coded("exec-refused");
    match trouble {
        Trouble::TaskNotRunning { state, reason } => {
            let error = CtlError::new(ErrorKind::NotFound, format!("enter task {id}: it is {state}"))
                .coded("exec-refused")
                .hint((
                    "a running task is entered by",
                    CommandLine::bpctl(["exec", "backend"]),
                ));
            match reason {
                Some(reason) => error.cause(reason),
                None => error,
            }
        }
        Trouble::NotEnabled => {
            let error = failed(format!(
                "enter task {id}: it was started without ECS Exec (enableExecuteCommand)"
            ));
            match service {
                Some(service) if service.execute_command => error.hint(Hint::new(format!(
                    "{} has ECS Exec on by now: its next tasks can be entered; replace the present ones with",
                    service.name
                ))
                .command(update(cluster, &service.name).args(["--force-new-deployment"]))),
                Some(service) => error.hint(
                    Hint::new("turn it on for the service, which replaces its tasks, with")
                        .command(update(cluster, &service.name).args(["--enable-execute-command", "--force-new-deployment"])),
                ),
                None => error.hint("a task keeps what it was started with: start another one with ECS Exec enabled"),
            }
        }
        Trouble::NoContainer { names, given } => {
            let error = CtlError::usage(format!("enter {given} of task {id}: it has no such container"));
            let error = match nearest(&given, names.iter().map(String::as_str)) {
                Some(meant) => error.hint(format!("did you mean `-c {meant}`?")),
                None => error,
            };
            error.hint(format!("its containers are {}", names.join(", ")))
        }
        Trouble::WhichContainer { names } => {
            CtlError::usage(format!("enter task {id}: it has several containers"))
                .hint(format!("choose one with `-c`: {}", names.join(", ")))
        }
        Trouble::ContainerNotRunning { container, state } => failed(format!(
            "enter {container} of task {id}: the container is {state}"
        ))
        .hint(("find out why with", CommandLine::bpctl(["triage"]))),
        Trouble::AgentNotRunning {
            container,
            state,
            reason,
        } => {
            let error = failed(format!(
                "enter {container} of task {id}: the agent of ECS Exec in it is {state}"
            ));
            let error = match reason {
                Some(reason) => error.cause(reason),
                None => error,
            };
            if state == "PENDING" {
                error.hint("it comes up some seconds after the container: try again in half a minute")
            } else {
                error.hint("it does not come back in this task: stop the task and enter the one that replaces it, or another one of the service")
                    .hint("it needs a writable root file system and 128 MiB of memory that the containers leave free")
            }
        }
    }
}

fn update(cluster: &str, service: &str) -> CommandLine {
    CommandLine::aws("ecs", "update-service")
        .option("--cluster", cluster)
        .option("--service", service)
}

/// What to look at when Systems Manager does not reach an agent that runs.
pub(crate) fn unreachable(
    error: CtlError,
    place: &Place,
    role: Option<&str>,
    region: Option<&str>,
) -> CtlError {
    const ACTIONS: [&str; 4] = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ];
    let definition = short(&place.task.definition);
    let error = error
        .coded("exec-not-connected")
        .cause("the agent in the container runs, and Systems Manager has no connection to it");
    let error = match role {
        None => error.hint(format!(
            "{definition} has no task role: ECS Exec needs one that allows {}",
            ACTIONS.join(", ")
        )),
        Some(role) => error.hint(
            Hint::new("the task role must allow four actions of ssmmessages: see which it does with")
                .command(
                    CommandLine::aws("iam", "simulate-principal-policy")
                        .option("--policy-source-arn", role)
                        .args(["--action-names"])
                        .args(ACTIONS),
                ),
        ),
    };
    let service = region.map_or_else(
        || "ssmmessages in its region".to_owned(),
        |region| format!("ssmmessages.{region}.amazonaws.com"),
    );
    error.hint(format!(
        "the task must reach {service} on port 443: through the NAT gateway, or through an interface endpoint whose security group lets it in"
    ))
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
