//! After the writes: do all tasks and instances end, and does nothing lift the counts again?

use std::collections::BTreeMap;
use std::time::Duration;

use super::Shutdown;
use super::plan::Seen;
use super::platform::Platform;
use super::steps::{self, Action};
use crate::aws::rds::DbInstance;
use crate::aws::rds::power::Power;
use crate::change::{End, Verification};
use crate::error::{CommandLine, Hint, Result};
use crate::wait::{Look, Waited, Waiter};

/// Tasks or instances that a service or fleet still has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left(pub(super) u64);

/// What each service and fleet still has; an error text where something has lifted its count again.
fn left(platform: &Platform) -> BTreeMap<String, std::result::Result<u64, String>> {
    let services = platform.services.iter().map(|(name, part)| {
        let service = &part.service;
        let tasks = u64::try_from(service.running.max(0) + service.pending.max(0)).unwrap_or_default();
        let left = match service.desired {
            0 => Ok(tasks),
            desired => Err(format!("{name} has a desired count of {desired} again")),
        };
        (name.clone(), left)
    });
    let fleets = platform.groups.iter().map(|(fleet, group)| {
        let left = match group.desired {
            0 => Ok(group.instances.len() as u64),
            desired => Err(format!("{fleet} has a desired capacity of {desired} again")),
        };
        (fleet.to_string(), left)
    });
    services.chain(fleets).collect()
}

/// How the stop of the database ended, and whether it still runs.
fn database_end(
    run: &Verification<'_, Shutdown<'_>>,
    instance: &str,
    seen: Option<&DbInstance>,
) -> (End, Option<u64>) {
    match seen.map(|database| (database.power(), database)) {
        Some((Power::Off, _)) => (End::Settled, Some(0)),
        None if !run.waits() => (End::Settled, None),
        Some((Power::Stopping, _)) | None => {
            let end = End::Running {
                what: format!("the database {instance} is stopping"),
                hint: Hint::new("AWS goes on with it; look again with")
                    .command(CommandLine::bpctl(["triage"])),
            };
            (end, seen.map(|_| 1))
        }
        Some((Power::On | Power::Busy | Power::Starting | Power::Other, database)) => {
            let what = format!("the database {instance} is {} again", database.status);
            (End::Overturned(what), Some(1))
        }
    }
}

/// Looks until nothing is left. One look is three calls, whatever the number of fleets below a hundred.
///
/// # Errors
/// When looking fails for good.
pub(super) async fn verify(
    change: &Shutdown<'_>,
    seen: &Seen,
    run: &mut Verification<'_, Shutdown<'_>>,
) -> Result<()> {
    let ctx = change.ctx;
    let written: Vec<String> = run.done().iter().map(|(step, _)| step.id.clone()).collect();
    let followed = |name: &String| {
        written.contains(name) || matches!(left(&seen.platform).get(name), Some(Ok(count)) if *count > 0)
    };
    let names: Vec<String> = seen.platform.names().into_iter().filter(followed).collect();
    let mut last = BTreeMap::new();
    let stopped = run.done().iter().find_map(|(step, _)| match &step.action {
        Action::Stop { call } => Some(call.instance.clone()),
        _ => None,
    });
    let mut database = None;
    if (!names.is_empty() || stopped.is_some()) && run.waits() && !ctx.cancel.is_cancelled() {
        let waiter = Waiter::until_deadline(&ctx.clock, run.deadline(), &ctx.cancel)
            .pace(Duration::from_secs(5), Duration::from_secs(20));
        let progress = ctx.ui.progress("Waiting for tasks and instances to end");
        let waited = waiter
            .until(
                async || {
                    last = left(&change.look().await?);
                    let open = names
                        .iter()
                        .filter(|name| matches!(last.get(*name), Some(Ok(count)) if *count > 0));
                    let open: Vec<&String> = open.collect();
                    if let Some(instance) = &stopped {
                        database = Some(ctx.aws.db_instance(instance).await?);
                    }
                    match open.as_slice() {
                        [] => Ok(match &database {
                            Some(database) if database.power() == Power::Stopping => {
                                Look::Pending(format!("{} is stopping", database.id))
                            }
                            _ => Look::Ready(()),
                        }),
                        [first, others @ ..] => Ok(Look::Pending(match others.len() {
                            0 => format!("{first} still runs"),
                            more => format!("{first} and {more} more still run"),
                        })),
                    }
                },
                |text| progress.say(text),
            )
            .await?;
        match waited {
            Waited::Ready(()) | Waited::TimedOut | Waited::Cancelled => {}
        }
    }
    for name in &names {
        let end = match last.get(name) {
            Some(Ok(0)) => End::Settled,
            Some(Err(lifted)) => End::Overturned(lifted.clone()),
            // It is gone.
            None if !last.is_empty() => End::Settled,
            None if !run.waits() => End::Settled,
            Some(Ok(_)) | None => End::Running {
                what: format!("{name} still has some"),
                hint: Hint::new("the counts are set; look again with")
                    .command(CommandLine::bpctl(["get", "services,fleets"])),
            },
        };
        run.end(name.clone(), end);
        if let Some(Ok(count)) = last.get(name) {
            run.ending(name.clone(), Left(*count));
        }
    }
    if let Some(instance) = stopped {
        let name = steps::database_id(&instance);
        let (end, left) = database_end(run, &instance, database.as_ref());
        run.end(name.clone(), end);
        if let Some(left) = left {
            run.ending(name, Left(left));
        }
    }
    if !seen.platform.services.is_empty() && !last.is_empty() {
        let others = ctx.aws.running_tasks(&change.layout.cluster()).await?;
        run.ending(super::view::OTHERS, Left(others.len() as u64));
    }
    Ok(())
}
