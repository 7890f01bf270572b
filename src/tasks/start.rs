//! Starting a task once, also when the answer is lost.

use std::cell::Cell;
use std::time::Duration;

use super::event::Observer;
use super::stop_reason::{recognize, remedy};
use crate::aws::ecs::Task;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::wait::{Look, Waited, Waiter};

/// After a lost answer: how long to look for the task that may have been started.
const SEARCH: Duration = Duration::from_secs(20);

/// Sends RunTask through `send`. Without an answer bpctl does not know whether the task was started: it looks
/// for it by its `startedBy`, which belongs to this run alone.
///
/// `again` is the command that the operator may repeat.
///
/// # Errors
/// What `send` fails with; when the answer was lost and no task was found, with how to go on.
pub(crate) async fn start(
    observer: &Observer<'_>,
    cluster: &str,
    started_by: &str,
    again: &CommandLine,
    send: impl AsyncFnOnce() -> Result<Task>,
) -> Result<Task> {
    let error = match send().await {
        Ok(task) => return Ok(task),
        Err(error) => error,
    };
    // An answer that cannot be read is as good as none.
    if !matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Unexpected) {
        return Err(error);
    }
    observer.warns("no answer to RunTask: looking whether the task was started", []);
    let looked = Cell::new(false);
    match search(observer, cluster, started_by, &looked).await {
        Ok(Waited::Ready(task)) => Ok(task),
        Ok(Waited::TimedOut) if looked.get() => Err(error.hint((
            format!("no task started by {started_by} was found; run"),
            again.clone(),
            "again: it refuses when one is under way after all",
        ))),
        // Without one look that got an answer nothing is known either.
        Ok(Waited::TimedOut | Waited::Cancelled) | Err(_) => Err(unknown(error, cluster, started_by)),
    }
}

/// `looked`: whether one look got an answer.
async fn search(
    observer: &Observer<'_>,
    cluster: &str,
    started_by: &str,
    looked: &Cell<bool>,
) -> Result<Waited<Task>> {
    let aws = observer.aws;
    Waiter::new(observer.clock(), SEARCH, observer.cancel)
        .until(
            async || {
                let arns = aws.tasks_started_by(cluster, started_by).await?;
                let task = match arns.first() {
                    Some(arn) => aws.task(cluster, arn).await?,
                    None => None,
                };
                looked.set(true);
                Ok(task.map_or_else(|| Look::Pending(String::new()), Look::Ready))
            },
            |_| {},
        )
        .await
}

fn unknown(error: CtlError, cluster: &str, started_by: &str) -> CtlError {
    error.hint((
        "it is not known whether the task was started: look with",
        CommandLine::aws("ecs", "list-tasks")
            .option("--cluster", cluster)
            .option("--started-by", started_by),
    ))
}

/// RunTask's refusals, with what to do about those that have a known remedy.
pub(crate) fn refused(error: CtlError, network_from: &str, again: &CommandLine) -> CtlError {
    let is = |code: &str| error.reply().is_some_and(|reply| reply.is(code));
    if ["InvalidSubnetID", "InvalidGroup", "InvalidSecurityGroup"]
        .into_iter()
        .any(is)
    {
        return error.hint(format!(
            "{network_from}: choose others with `--subnets` and `--security-groups`"
        ));
    }
    let text = error.to_string();
    match recognize(&text) {
        Some(reason) => error.hint(remedy(reason, &text, again)),
        None => error,
    }
}
