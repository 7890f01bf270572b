//! One step, and the look afterwards.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Reset;
use super::buckets;
use super::observe::Seen;
use super::plan::{Action, ImageAction, StackAction};
use crate::aws::cloudformation::StackEvent;
use crate::aws::ec2::TerminateInstances;
use crate::aws::rds::removal::DeleteDbSnapshot;
use crate::change::{Done, End, StepRun, Verification};
use crate::commands::teardown::{database, refusal};
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::leftovers::{Leftovers, look};
use crate::wait::{Look, Waited, Waiter};

/// Instances, snapshots and stacks take seconds to minutes.
const PACE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(10));

type Run<'s, 'c> = StepRun<'s, Reset<'c>>;

pub(super) async fn act<'c>(change: &Reset<'c>, step: &Run<'_, 'c>) -> Result<Done<Reset<'c>>> {
    let aws = &change.ctx.aws;
    match step.action() {
        Action::Terminate(call) => terminate(change, step, call).await,
        Action::SecurityGroup(call) => {
            let named = [("group-id", &[call.group.as_str()][..])];
            if !aws.security_groups(&named).await?.is_empty() {
                step.send(aws, call).await?;
            }
            Ok(Done::new("deleted"))
        }
        Action::Database(action) => Box::pin(database::delete(change.ctx, step, action)).await,
        Action::SubnetGroup(call) => {
            step.send(aws, call).await?;
            Ok(Done::new("deleted"))
        }
        Action::DatabaseSnapshot(call) => snapshot(change, step, call).await,
        Action::Image(action) => image(change, step, action).await,
        Action::Secret(call) => {
            step.send(aws, call).await?;
            Ok(Done::new("deleted"))
        }
        Action::Parameters(call) => {
            step.send(aws, call).await?;
            Ok(Done::new("deleted"))
        }
        Action::LogGroup(call) => {
            step.send(aws, call).await?;
            Ok(Done::new("deleted"))
        }
        Action::Repository(call) => {
            step.send(aws, call).await?;
            Ok(Done::new("deleted"))
        }
        Action::Stack(action) => stack(change, step, action).await,
        Action::Bucket(action) => Box::pin(buckets::act(change, step, action)).await,
    }
}

/// Waits until `look` is ready.
async fn until<'c>(
    change: &Reset<'c>,
    step: &Run<'_, 'c>,
    what: &str,
    look: impl AsyncFnMut() -> Result<Look<()>>,
) -> Result<()> {
    let ctx = change.ctx;
    let waiter = Waiter::until_deadline(&ctx.clock, step.deadline(), &ctx.cancel).pace(PACE.0, PACE.1);
    match waiter.until(look, |text| step.status(text)).await? {
        Waited::Ready(()) => Ok(()),
        Waited::TimedOut => Err(CtlError::new(
            ErrorKind::TimedOut,
            format!("see {what} gone: it is still there"),
        )),
        Waited::Cancelled => Err(CtlError::new(
            ErrorKind::Interrupted,
            format!("see {what} gone: interrupted"),
        )),
    }
}

async fn terminate<'c>(
    change: &Reset<'c>,
    step: &Run<'_, 'c>,
    call: &TerminateInstances,
) -> Result<Done<Reset<'c>>> {
    let aws = &change.ctx.aws;
    let ids = [call.instance.known()?.to_owned()];
    let state = async || -> Result<Option<String>> {
        let found = aws.machines(&ids).await?.into_values().next();
        let state = found.and_then(|machine| machine.state);
        Ok(state.filter(|state| state != "terminated"))
    };
    match state().await?.as_deref() {
        None | Some("shutting-down") => {}
        Some(_) => drop(step.send(aws, call).await?),
    }
    let look = async || {
        Ok(match state().await? {
            None => Look::Ready(()),
            Some(state) => Look::Pending(format!("{} is {state}", ids[0])),
        })
    };
    until(change, step, &ids[0], look).await?;
    Ok(Done::new("terminated"))
}

async fn snapshot<'c>(
    change: &Reset<'c>,
    step: &Run<'_, 'c>,
    call: &DeleteDbSnapshot,
) -> Result<Done<Reset<'c>>> {
    let ctx = change.ctx;
    // RDS deletes none that is still being taken.
    let taken = async || {
        Ok(match ctx.aws.db_snapshot(&call.name).await? {
            Some(now) if now.status == "creating" => Look::Pending(format!(
                "{} is still being taken: {} %",
                call.name,
                now.percent / 10 * 10
            )),
            Some(_) | None => Look::Ready(()),
        })
    };
    until(change, step, &format!("snapshot {}", call.name), taken).await?;
    step.send(&ctx.aws, call).await?;
    Ok(Done::new("deleted"))
}

async fn image<'c>(change: &Reset<'c>, step: &Run<'_, 'c>, action: &ImageAction) -> Result<Done<Reset<'c>>> {
    let aws = &change.ctx.aws;
    if let Some(call) = &action.image {
        step.send(aws, call).await?;
    }
    for call in &action.snapshots {
        step.send(aws, call).await?;
    }
    Ok(Done::new(match (&action.image, action.snapshots.len()) {
        (Some(_), 0) => "deregistered",
        (Some(_), _) => "deregistered, and its snapshots deleted",
        (None, _) => "deleted",
    }))
}

/// Clocks of AWS and of this machine differ by less.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// How far a deletion is.
#[derive(Debug, PartialEq, Eq)]
enum Deletion {
    /// The last look was before it began, or it is under way.
    Pending,
    Failed(String),
}

/// What a state and events say of a deletion. A stack that has failed to go before stays `DELETE_FAILED` until the new
/// deletion begins: that state counts once the deletion was seen under way, or when an event of its own says so.
fn judge(name: &str, status: &str, events: &[StackEvent], token: Option<&str>, under_way: bool) -> Deletion {
    let own: Vec<StackEvent> = events
        .iter()
        .filter(|event| token.is_none_or(|token| event.token.as_deref() == Some(token)))
        .cloned()
        .collect();
    match status {
        "DELETE_IN_PROGRESS" => Deletion::Pending,
        "DELETE_FAILED" => {
            let is_end = |event: &StackEvent| event.is_of_stack(name) && event.status == "DELETE_FAILED";
            match under_way || (token.is_some() && own.iter().any(is_end)) {
                true => Deletion::Failed("its deletion ended DELETE_FAILED".to_owned()),
                false => refusal(&own).map_or(Deletion::Pending, Deletion::Failed),
            }
        }
        _ => refusal(&own).map_or(Deletion::Pending, Deletion::Failed),
    }
}

async fn stack<'c>(change: &Reset<'c>, step: &Run<'_, 'c>, action: &StackAction) -> Result<Done<Reset<'c>>> {
    let (ctx, name) = (change.ctx, &action.name);
    let aws = &ctx.aws;
    let since = ctx.clock.now().checked_sub(SKEW).unwrap_or(Timestamp::MIN);
    let status = async || -> Result<Option<String>> {
        let status = aws.stack(&action.id).await?.map(|stack| stack.status);
        Ok(status.filter(|status| status != "DELETE_COMPLETE"))
    };
    // Without a call of its own the plan has seen a deletion under way.
    let mut token = None;
    if let Some(call) = &action.delete
        && status()
            .await?
            .is_some_and(|status| status != "DELETE_IN_PROGRESS")
    {
        step.note(&format!("deletion of {name}"), &call.token);
        step.send(aws, call).await?;
        token = Some(call.token.as_str());
    }
    let failed = |why: &str| {
        let events = match &action.name {
            toolkit if toolkit == "CDKToolkit" => {
                CommandLine::aws("cloudformation", "describe-stack-events").option("--stack-name", toolkit)
            }
            platform => CommandLine::bpctl(["stack", "events", platform]),
        };
        CtlError::new(ErrorKind::Failed, format!("delete {name}: {why}"))
            .hint(("see what did not go with", events))
    };
    let mut under_way = token.is_none();
    let look = async || {
        let Some(status) = status().await? else {
            return Ok(Look::Ready(()));
        };
        under_way |= status == "DELETE_IN_PROGRESS";
        let events = match status.as_str() {
            "DELETE_IN_PROGRESS" => Vec::new(),
            _ => aws.stack_events_since(&action.id, since).await?,
        };
        match judge(name, &status, &events, token, under_way) {
            Deletion::Failed(why) => Err(failed(&why)),
            Deletion::Pending => Ok(Look::Pending(format!("{name} is {status}"))),
        }
    };
    until(change, step, name, look).await?;
    Ok(Done::new("gone"))
}

/// Looks until nothing that was deleted is listed any more: Secrets Manager and RDS list what goes for a while longer.
pub(super) async fn settled<'c>(
    change: &Reset<'c>,
    seen: &Seen,
    run: &mut Verification<'_, Reset<'c>>,
) -> Result<Leftovers> {
    let ctx = change.ctx;
    let done: Vec<(String, Vec<String>)> = run
        .done()
        .iter()
        .map(|(step, _)| {
            let names = step.action.names().into_iter().map(str::to_owned);
            (step.id.clone(), names.collect())
        })
        .collect();
    let all = async || Box::pin(look(&ctx.aws, &change.layout, &seen.account, &seen.region)).await;
    let left = |found: &Leftovers| -> Vec<String> {
        let is_there = |names: &Vec<String>| found.ours.iter().any(|one| names.contains(&one.name));
        let left = done.iter().filter(|(_, names)| is_there(names));
        left.map(|(id, _)| id.clone()).collect()
    };
    let waiter = Waiter::until_deadline(&ctx.clock, run.deadline(), &ctx.cancel).pace(PACE.0, PACE.1);
    let once = async || {
        let found = all().await?;
        let left = left(&found);
        Ok(match left.as_slice() {
            [] => Look::Ready(found),
            [only] => Look::Pending(format!("{only} is still listed")),
            [first, others @ ..] => {
                Look::Pending(format!("{first} and {} more are still listed", others.len()))
            }
        })
    };
    match waiter.until(once, |text| ctx.ui.status(text)).await? {
        Waited::Ready(found) => Ok(found),
        Waited::TimedOut | Waited::Cancelled => {
            let found = all().await?;
            for id in left(&found) {
                let what = format!("{id} is still listed");
                let hint = Hint::from(("see what is left with", CommandLine::bpctl(["reset", "--list"])));
                run.end(&id, End::Running { what, hint });
            }
            Ok(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, kind: &str, status: &str, (reason, token): (&str, &str)) -> StackEvent {
        StackEvent {
            id: format!("{resource}-{status}-{token}"),
            at: None,
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            token: Some(token.to_owned()),
        }
    }

    #[test]
    fn a_failure_of_an_earlier_deletion_is_no_failure_of_this_one() {
        const STACK: &str = "AWS::CloudFormation::Stack";
        let judge = |status: &str, events: &[StackEvent], token: Option<&str>, under_way: bool| {
            judge("bp-network", status, events, token, under_way)
        };
        let earlier = event("bp-network", STACK, "DELETE_FAILED", ("", "earlier"));
        let refused = event(
            "bp-network",
            STACK,
            "DELETE_FAILED",
            ("Delete canceled. Cannot delete export net", "earlier"),
        );
        let resource = event("Subnet", "AWS::EC2::Subnet", "DELETE_FAILED", ("in use", "mine"));
        let own = event("bp-network", STACK, "DELETE_FAILED", ("", "mine"));
        let mine = Some("mine");
        let before = [earlier.clone(), refused];
        for status in ["DELETE_FAILED", "CREATE_COMPLETE"] {
            assert_eq!(judge(status, &before, mine, false), Deletion::Pending, "{status}");
        }
        let during = [resource, earlier.clone()];
        assert_eq!(judge("DELETE_FAILED", &during, mine, false), Deletion::Pending);
        assert_eq!(
            judge("DELETE_IN_PROGRESS", &during, mine, true),
            Deletion::Pending
        );
        let ended = Deletion::Failed("its deletion ended DELETE_FAILED".to_owned());
        assert_eq!(judge("DELETE_FAILED", &[own, earlier], mine, false), ended);
        assert_eq!(judge("DELETE_FAILED", &[], mine, true), ended);
        // A deletion that another operator has begun, and that the plan has seen under way.
        assert_eq!(judge("DELETE_FAILED", &[], None, true), ended);
        let refusal = ("Delete canceled. Cannot delete export net", "mine");
        let refused = event("bp-network", STACK, "CREATE_COMPLETE", refusal);
        let why = Deletion::Failed(refusal.0.to_owned());
        assert_eq!(judge("CREATE_COMPLETE", &[refused], mine, false), why);
    }
}
