//! Waits that every change set has, whatever it is for.

use std::time::Duration;

use crate::aws::cloudformation::ChangeSet;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::wait::{Look, Waited, Waiter};

/// A change set takes seconds, one of many resources a minute or two.
const SET_WITHIN: Duration = Duration::from_secs(600);

/// A stack that holds nothing goes within moments.
const EMPTY_WITHIN: Duration = Duration::from_secs(600);

const PACE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));

/// What is being done to a stack, for errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doing<'a> {
    /// "deploy", "import into".
    pub(super) verb: &'a str,
    pub(super) stack: &'a str,
    /// The command that goes on with it.
    pub(super) again: &'a CommandLine,
}

/// The change set once CloudFormation has made up its mind.
pub(super) async fn settled(ctx: &Ctx, doing: Doing<'_>, name: &str) -> Result<ChangeSet> {
    let Doing { verb, stack, again } = doing;
    let waiter = Waiter::new(&ctx.clock, SET_WITHIN, &ctx.cancel).pace(PACE.0, PACE.1);
    let waited = waiter
        .until(
            async || {
                let set = ctx.aws.change_set(stack, name).await?;
                Ok(match set {
                    Some(set) if set.is_settled() => Look::Ready(set),
                    Some(set) => Look::Pending(set.status),
                    None => Look::Pending("not listed yet".to_owned()),
                })
            },
            |_| {},
        )
        .await?;
    match waited {
        Waited::Ready(set) => Ok(set),
        Waited::TimedOut => Err(CtlError::new(
            ErrorKind::TimedOut,
            format!("{verb} {stack}: its change set was not made in time"),
        )
        .hint(("nothing was begun; try again with", again.clone()))),
        Waited::Cancelled => Err(CtlError::new(
            ErrorKind::Interrupted,
            format!("{verb} {stack}: interrupted before it was begun"),
        )
        .hint(("go on with", again.clone()))),
    }
}

/// Waits until what a failed creation has left is gone.
pub(super) async fn wait_until_gone(ctx: &Ctx, doing: Doing<'_>) -> Result<()> {
    let Doing { verb, stack, again } = doing;
    let waiter = Waiter::new(&ctx.clock, EMPTY_WITHIN, &ctx.cancel).pace(PACE.0, PACE.1);
    let waited = waiter
        .until(
            async || {
                Ok(match ctx.aws.stack(stack).await? {
                    None => Look::Ready(None),
                    Some(seen) if seen.status == "DELETE_FAILED" => Look::Ready(Some(seen)),
                    Some(seen) => Look::Pending(seen.status),
                })
            },
            |_| {},
        )
        .await?;
    match waited {
        Waited::Ready(None) => Ok(()),
        Waited::Ready(Some(seen)) => {
            let reason = seen
                .status_reason
                .unwrap_or_else(|| "CloudFormation gives no reason".to_owned());
            Err(CtlError::new(
                ErrorKind::Failed,
                format!("{verb} {stack}: what its failed creation left cannot be deleted"),
            )
            .cause(reason))
        }
        Waited::TimedOut | Waited::Cancelled => Err(CtlError::new(
            ErrorKind::TimedOut,
            format!("{verb} {stack}: what its failed creation left was not gone in time"),
        )
        .hint(("go on with", again.clone()))),
    }
}
