//! Reads what the plan needs to know, in two rounds of calls.

use futures::future::OptionFuture;
use futures::{join, try_join};
use jiff::SignedDuration;

use super::follow::FOLLOWING;
use super::plan::{CONTAINER, DatabaseFacts, Observed};
use super::request::Request;
use crate::aws::ecs::{RunTask, Task, short};
use crate::aws::rds::{DbInstance, Recognized, platform_instance};
use crate::change::journal::Record;
use crate::commands::one_off::went_on;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{App, Layout};
use crate::tasks::{Place, is_migration};

/// ECS may take so long until every part of it knows a new task (API Reference, RunTask).
const KNOWN_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// Output of the data stack that holds the database's host name.
const ENDPOINT_OUTPUT: &str = "RdsEndpoint";

pub(super) async fn observe(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
    recent: &[Record],
) -> Result<Observed> {
    // Futures of SDK calls are large: joined on the heap they do not pile up on the stack.
    let (place, migrations, database) = try_join!(
        Box::pin(Place::look(&ctx.aws, layout, App::Backend, CONTAINER)),
        Box::pin(migrations(ctx, layout)),
        Box::pin(async {
            OptionFuture::from(request.databases.snapshot.then(|| database(ctx, layout)))
                .await
                .transpose()
        }),
    )?;
    Ok(Observed {
        layout: layout.kind(),
        migrations: with_recent(ctx, &place.cluster, migrations, recent).await?,
        place,
        database,
    })
}

/// Migrations of the backend that have not come to their end, also those that bpctl did not start.
async fn migrations(ctx: &Ctx, layout: &Layout) -> Result<Vec<Task>> {
    let family = layout.task_family(App::Backend);
    let mut tasks = ctx
        .aws
        .live_tasks_of_family(&layout.cluster(), &family)
        .await
        .or_else(|error| {
            // Without the cluster there are none; the service's absence is what gets reported.
            if error.kind() == ErrorKind::NotFound {
                Ok(Vec::new())
            } else {
                Err(error)
            }
        })?;
    tasks.retain(is_migration);
    Ok(tasks)
}

/// No other migration has begun since the plan was made. The task of the very request that is sent again is no
/// other one.
pub(super) async fn still_alone(ctx: &Ctx, layout: &Layout, call: &RunTask) -> Result<()> {
    let others = migrations(ctx, layout).await?;
    let ours = Some(call.started_by.as_str());
    match others.iter().find(|other| other.started_by.as_deref() != ours) {
        None => Ok(()),
        Some(other) => Err(CtlError::new(
            ErrorKind::Changed,
            format!(
                "migrate: task {} has begun to migrate since the plan was made",
                other.id()
            ),
        )
        .hint(("follow it with", (FOLLOWING.attach)(other.id())))),
    }
}

/// Adds the tasks that this machine has started in the last minutes: ECS lists a new task only after some
/// seconds (API Reference, RunTask), and describes it by its ARN before that.
async fn with_recent(
    ctx: &Ctx,
    cluster: &str,
    mut migrations: Vec<Task>,
    recent: &[Record],
) -> Result<Vec<Task>> {
    for record in recent {
        let is_known = |arn: &String| migrations.iter().any(|known| known.id() == short(arn));
        if record.notes.get("task").is_some_and(is_known) {
            continue;
        }
        if let Some((arn, task)) = went_on(ctx, cluster, record, KNOWN_AFTER).await? {
            migrations.push(task.unwrap_or_else(|| Task {
                arn: arn.to_owned(),
                state: "not known to all of ECS yet".to_owned(),
                created: record.run.began(),
                ..Task::default()
            }));
        }
    }
    Ok(migrations)
}

/// The platform's database: the instance whose host name the data stack puts out. When the stack
/// cannot tell, the only instance of the region is meant; among several bpctl does not choose.
async fn database(ctx: &Ctx, layout: &Layout) -> Result<DatabaseFacts> {
    let endpoint = async {
        let Some(stack) = layout.core_stack("data") else {
            return Err("this layout has no data stack".to_owned());
        };
        match ctx.aws.stack(&stack).await {
            Ok(Some(found)) => found
                .outputs
                .get(ENDPOINT_OUTPUT)
                .cloned()
                .ok_or_else(|| format!("stack {stack} has no output {ENDPOINT_OUTPUT}")),
            Ok(None) => Err(format!("there is no stack {stack}")),
            Err(error) => Err(format!("stack {stack} cannot be read ({error})")),
        }
    };
    let (endpoint, instances) = join!(Box::pin(endpoint), Box::pin(ctx.aws.db_instances()));
    Ok(choose(endpoint, &instances?))
}

fn choose(endpoint: Result<String, String>, instances: &[DbInstance]) -> DatabaseFacts {
    let found = |instance: &DbInstance, doubt: Option<String>| DatabaseFacts::Found {
        id: instance.id.clone(),
        status: instance.status.clone(),
        doubt,
    };
    let chosen = platform_instance(instances, endpoint.as_deref().ok(), None);
    match (chosen, endpoint) {
        (Some((instance, Recognized::ByEndpoint | Recognized::ByAlarm)), _) => found(instance, None),
        // The only instance is not the one that the stack names.
        (_, Ok(endpoint)) => {
            let host = endpoint.split(':').next().unwrap_or_default();
            DatabaseFacts::Unknown(format!("no database instance has the host name {host}"))
        }
        (Some((only, Recognized::AsTheOnlyOne)), Err(why)) => found(
            only,
            Some(format!("{why}, but it is the only database in this region")),
        ),
        (None, Err(why)) => DatabaseFacts::Unknown(match instances.len() {
            0 => format!("{why}, and there is no database in this region"),
            several => format!("{why}, and there are {several} databases in this region"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: &str) -> DbInstance {
        DbInstance {
            id: id.to_owned(),
            status: "available".to_owned(),
            endpoint: Some(format!("{id}.example.rds.amazonaws.com")),
            ..DbInstance::default()
        }
    }

    #[test]
    fn the_database_is_the_one_behind_the_stacks_endpoint() {
        let instances = [instance("a"), instance("b")];
        let endpoint = "b.example.rds.amazonaws.com".to_owned();
        for endpoint in [endpoint.clone(), format!("{endpoint}:3306")] {
            assert_eq!(
                choose(Ok(endpoint), &instances),
                DatabaseFacts::Found {
                    id: "b".to_owned(),
                    status: "available".to_owned(),
                    doubt: None
                }
            );
        }
        assert!(matches!(
            choose(Ok("c.example".to_owned()), &instances),
            DatabaseFacts::Unknown(_)
        ));
    }

    #[test]
    fn without_the_stack_only_an_only_database_will_do() {
        let why = || Err("there is no stack bp-data".to_owned());
        assert!(
            matches!(choose(why(), &[instance("a")]), DatabaseFacts::Found { doubt: Some(doubt), .. } if doubt.contains("only database"))
        );
        assert!(
            matches!(choose(why(), &[instance("a"), instance("b")]), DatabaseFacts::Unknown(why) if why.contains("2 databases"))
        );
        assert!(matches!(choose(why(), &[]), DatabaseFacts::Unknown(_)));
    }
}
