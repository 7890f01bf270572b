//! From what was asked to groups and streams.

use jiff::{SignedDuration, Timestamp};

use super::request::{Request, Target};
use crate::aws::ecs::Task;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::{App, Layout};
use crate::logs::Source;
use crate::tasks::{LogPlace, TaskName};

/// What is said of a task that ECS has forgotten: its logs are no older than they are kept (log groups of the
/// platform: 30 days).
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Where lines are, and from when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sources: Vec<Source>,
    pub(super) from: Timestamp,
}

/// What one target comes to.
struct Found {
    sources: Vec<Source>,
    /// The beginning of a task's life.
    from: Option<Timestamp>,
}

pub(super) async fn places(ctx: &Ctx, layout: &Layout, request: &Request) -> Result<Place> {
    let mut sources: Vec<Source> = Vec::new();
    let mut begins = Vec::new();
    for target in &request.targets {
        let found = match target {
            Target::App(app) if request.previous => previous(ctx, layout, *app, request).await?,
            Target::App(app) => service(layout, *app, &request.containers),
            // The group of a fleet's workers has no stage in its name.
            Target::Fleet(name) => {
                let stage = name
                    .stage
                    .or(layout.stage())
                    .unwrap_or(crate::layout::Stage::Production);
                let fleet = crate::layout::FleetId {
                    stage,
                    slug: name.slug.clone(),
                };
                whole(layout.fleet_log_group(&fleet), name.slug.to_string())
            }
            Target::Group(name) => whole(name.clone(), name.clone()),
            Target::Task(name) => task(ctx, layout, name, request).await?,
        };
        begins.push(found.from);
        for source in found.sources {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    // A group that is read as a whole has the lines of all its streams.
    let groups: Vec<String> = sources
        .iter()
        .filter(|source| source.prefix.is_none())
        .map(|source| source.group.clone())
        .collect();
    sources.retain(|source| source.prefix.is_none() || !groups.contains(&source.group));
    let usual = begins
        .iter()
        .map(|from| from.unwrap_or(request.usual))
        .min()
        .unwrap_or(request.usual);
    Ok(Place {
        sources,
        from: request.since.unwrap_or(usual),
    })
}

fn whole(group: String, label: String) -> Found {
    let source = Source {
        group,
        prefix: None,
        label,
    };
    Found {
        sources: vec![source],
        from: None,
    }
}

fn label(app: App) -> &'static str {
    match app {
        App::Backend => "backend",
        App::Frontend => "frontend",
    }
}

fn service(layout: &Layout, app: App, containers: &[String]) -> Found {
    if containers.is_empty() {
        return whole(layout.log_group(app), label(app).to_owned());
    }
    let own = |name: &&String| Layout::containers(app).contains(&name.as_str());
    let sources = containers.iter().filter(own).map(|name| Source {
        group: layout.log_group(app),
        prefix: Some(format!("{}/{name}/", Layout::log_stream_prefix(name))),
        label: label(app).to_owned(),
    });
    Found {
        sources: sources.collect(),
        from: None,
    }
}

/// The streams of a task by the platform's names, also when ECS does not know the task any more.
fn streams(layout: &Layout, app: App, id: &str, containers: &[String]) -> Vec<Source> {
    Layout::containers(app)
        .iter()
        .filter(|name| containers.is_empty() || containers.iter().any(|wanted| wanted == *name))
        .map(|name| {
            let place = LogPlace {
                group: layout.log_group(app),
                prefix: Layout::log_stream_prefix(name).to_owned(),
            };
            Source {
                prefix: Some(place.stream(name, id)),
                group: place.group,
                label: label(app).to_owned(),
            }
        })
        .collect()
}

async fn task(ctx: &Ctx, layout: &Layout, name: &TaskName, request: &Request) -> Result<Found> {
    let cluster = layout.cluster();
    if let Some(other) = name.cluster.as_ref().filter(|other| **other != cluster) {
        return Err(
            CtlError::usage(format!("read the logs of task {}: it is in cluster {other}", name.id)).hint(format!(
                "this context's cluster is {cluster}: choose another context or stage with `--context` or `--stage`"
            )),
        );
    }
    if let Some(task) = ctx.aws.task(&cluster, &name.id).await? {
        return of_definition(ctx, layout, &task, request).await;
    }
    // The log outlives the task.
    for app in [App::Backend, App::Frontend] {
        let mut found = Vec::new();
        for source in streams(layout, app, &name.id, &request.containers) {
            let prefix = source.prefix.clone().unwrap_or_default();
            if !ctx.aws.log_streams(&source.group, &prefix).await?.is_empty() {
                found.push(source);
            }
        }
        if !found.is_empty() {
            return Ok(Found {
                sources: found,
                from: ctx.clock.now().checked_sub(KEPT).ok(),
            });
        }
    }
    Err(CtlError::new(
        ErrorKind::NotFound,
        format!(
            "read the logs of task {}: neither ECS nor the logs know it",
            name.id
        ),
    )
    .hint((
        "see which tasks there are with",
        CommandLine::bpctl(["task", "list", "--stopped"]),
    )))
}

async fn of_definition(ctx: &Ctx, layout: &Layout, task: &Task, request: &Request) -> Result<Found> {
    let definition = ctx.aws.task_definition(&task.definition).await?;
    let wanted =
        |name: &str| request.containers.is_empty() || request.containers.iter().any(|wanted| wanted == name);
    let family = crate::aws::ecs::short(&task.definition);
    let label = [App::Backend, App::Frontend]
        .into_iter()
        .find(|app| family.starts_with(&layout.task_family(*app)))
        .map_or("task", label);
    let sources: Vec<Source> = definition
        .containers
        .iter()
        .filter(|container| wanted(&container.name))
        .filter_map(|container| {
            let place = LogPlace::of(container)?;
            Some(Source {
                prefix: Some(place.stream(&container.name, task.id())),
                group: place.group,
                label: label.to_owned(),
            })
        })
        .collect();
    if sources.is_empty() {
        let names: Vec<&str> = definition
            .containers
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        return Err(CtlError::usage(format!(
            "read the logs of task {}: none of the chosen containers logs with awslogs and a stream prefix",
            task.id()
        ))
        .hint(format!("its containers are {}", names.join(", "))));
    }
    Ok(Found {
        sources,
        from: task.created,
    })
}

/// The task of a service that stopped last, off ECS or, when that has forgotten it, off its logs.
async fn previous(ctx: &Ctx, layout: &Layout, app: App, request: &Request) -> Result<Found> {
    let (cluster, service) = (layout.cluster(), layout.service(app));
    let stopped = ctx.aws.stopped_tasks_of_service(&cluster, &service).await?;
    if let Some(last) = stopped
        .iter()
        .filter(|task| task.is_stopped())
        .max_by_key(|task| task.stopped)
    {
        ctx.ui.status(&format!("task {} stopped last", last.id()));
        return of_definition(ctx, layout, last, request).await;
    }
    let group = layout.log_group(app);
    let streams_of_group = ctx.aws.newest_log_streams(&group).await?;
    let running = ctx
        .aws
        .running_tasks_of_family(&cluster, &layout.task_family(app))
        .await?;
    let running: Vec<&str> = running.iter().map(|arn| crate::aws::ecs::short(arn)).collect();
    let id = streams_of_group
        .iter()
        .filter_map(|stream| stream.rsplit('/').next())
        .find(|id| id.parse::<TaskName>().is_ok() && !running.contains(id));
    match id {
        Some(id) => {
            ctx.ui.status(&format!(
                "task {id} wrote last, of those that do not run any more"
            ));
            Ok(Found {
                sources: streams(layout, app, id, &request.containers),
                from: ctx.clock.now().checked_sub(KEPT).ok(),
            })
        }
        None => Err(CtlError::new(
            ErrorKind::NotFound,
            format!("find the task of {service} that stopped last: there is none, nor a log of one"),
        )
        .hint((
            "see the running ones with",
            CommandLine::bpctl(["logs", label(app)]),
        ))),
    }
}
