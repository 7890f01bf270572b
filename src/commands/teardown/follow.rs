//! A deletion of one stack, followed by its events to its end. The stack is known by its ARN: another one of the same name
//! is another stack.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::Teardown;
use crate::aws::cloudformation::StackEvent;
use crate::change::StepRun;
use crate::error::Result;
use crate::wait::{Look, Waited, Waiter};

/// Resources take seconds to minutes.
const PACE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(10));

/// A resource that did not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// Its name in the template.
    pub(super) resource: String,
    /// E.g. `AWS::ECS::Cluster`.
    pub(super) kind: String,
    pub(super) reason: Option<String>,
}

/// How a deletion ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Gone,
    /// What failed, the first one first.
    Failed(Vec<Failed>),
    /// CloudFormation has not begun it, and why.
    Refused(String),
    TimedOut,
    Interrupted,
}

/// The events of the deletion that was begun last, the oldest first; none when there was none.
pub(super) fn last_deletion<'e>(name: &str, events: &'e [StackEvent]) -> Vec<&'e StackEvent> {
    // The newest come first.
    let begun = events
        .iter()
        .position(|event| event.is_of_stack(name) && event.status == "DELETE_IN_PROGRESS");
    let mut last: Vec<&StackEvent> = begun.map_or(Vec::new(), |at| events[..=at].iter().collect());
    last.reverse();
    last
}

/// What failed in it; what was given up because of another failure is left out.
pub(super) fn failures(name: &str, events: &[&StackEvent]) -> Vec<Failed> {
    let of_resources = events.iter().filter(|event| {
        let cancelled = event
            .reason
            .as_deref()
            .is_some_and(|reason| reason.contains("cancelled"));
        event.status.ends_with("_FAILED") && !event.is_of_stack(name) && !cancelled
    });
    of_resources
        .map(|event| Failed {
            resource: event.resource.clone(),
            kind: event.kind.clone(),
            reason: event.reason.clone(),
        })
        .collect()
}

/// Why CloudFormation has not begun a deletion: "Delete canceled. Cannot delete export … as it is in use by …" leaves the
/// stack as it was.
pub(in crate::commands) fn refusal(events: &[StackEvent]) -> Option<String> {
    let reasons = events.iter().filter_map(|event| event.reason.as_deref());
    let mut cancelled = reasons.filter(|reason| reason.contains("Delete canceled"));
    cancelled.next().map(str::to_owned)
}

/// Follows a deletion; `since` is the moment before it was asked for.
pub(super) async fn follow<'c>(
    change: &Teardown<'c>,
    step: &StepRun<'_, Teardown<'c>>,
    (name, id): (&str, &str),
    since: Timestamp,
) -> Result<Ended> {
    let ctx = change.ctx;
    let mut told: BTreeSet<String> = BTreeSet::new();
    let waiter = Waiter::until_deadline(&ctx.clock, step.deadline(), &ctx.cancel).pace(PACE.0, PACE.1);
    let look = async || {
        let status = ctx.aws.stack(id).await?.map(|stack| stack.status);
        let events = ctx.aws.stack_events_since(id, since).await?;
        for event in events.iter().rev() {
            if told.insert(event.id.clone()) && !event.status.ends_with("_IN_PROGRESS") {
                let reason = event
                    .reason
                    .as_deref()
                    .filter(|_| event.status.ends_with("_FAILED"));
                let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                step.status(&format!(
                    "{name}: {} ({}) {}{reason}",
                    event.resource, event.kind, event.status
                ));
            }
        }
        let last = last_deletion(name, &events);
        Ok(match status.as_deref() {
            None | Some("DELETE_COMPLETE") => Look::Ready(Ended::Gone),
            Some("DELETE_FAILED") => Look::Ready(Ended::Failed(failures(name, &last))),
            Some("DELETE_IN_PROGRESS") => {
                let done = last
                    .iter()
                    .filter(|event| event.status == "DELETE_COMPLETE")
                    .count();
                Look::Pending(format!("{name}: {done} resources gone"))
            }
            Some(status) => {
                match refusal(&events) {
                    Some(reason) => Look::Ready(Ended::Refused(reason)),
                    // Asked for and not yet begun.
                    None => Look::Pending(format!("{name} is {status}")),
                }
            }
        })
    };
    Ok(match waiter.until(look, |text| step.status(text)).await? {
        Waited::Ready(ended) => ended,
        Waited::TimedOut => Ended::TimedOut,
        Waited::Cancelled => Ended::Interrupted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, kind: &str, status: &str, reason: Option<&str>) -> StackEvent {
        StackEvent {
            id: format!("{resource}-{status}"),
            at: None,
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            token: None,
        }
    }

    #[test]
    fn only_the_last_deletion_counts_and_what_was_cancelled_did_not_fail() {
        const STACK: &str = "AWS::CloudFormation::Stack";
        // The newest first.
        let events = [
            event("bp-data", STACK, "DELETE_FAILED", None),
            event(
                "B",
                "AWS::X",
                "DELETE_FAILED",
                Some("Resource deletion cancelled"),
            ),
            event("A", "AWS::X", "DELETE_FAILED", Some("in use")),
            event("bp-data", STACK, "DELETE_IN_PROGRESS", None),
            event("Old", "AWS::X", "DELETE_FAILED", Some("in use")),
            event("bp-data", STACK, "DELETE_IN_PROGRESS", None),
        ];
        let last = last_deletion("bp-data", &events);
        let failed = failures("bp-data", &last);
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].resource, "A");
        assert!(last_deletion("bp-other", &events).is_empty());
    }
}
