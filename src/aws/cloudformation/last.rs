//! What the events of a stack say of its last operation.

use super::StackEvent;

/// The events of the last operation on a stack, the newest first.
///
/// `events` come the newest first. An operation begins with the event of the stack itself that says who began it
/// ("User Initiated"); a rollback belongs to the operation that failed.
pub(crate) fn last_operation<'a>(stack: &str, events: &'a [StackEvent]) -> &'a [StackEvent] {
    let began = events
        .iter()
        .position(|event| event.is_of_stack(stack) && event.reason.as_deref() == Some("User Initiated"));
    match began {
        Some(at) => events.get(..=at).unwrap_or(events),
        None => events,
    }
}

/// What failed in the last operation on a stack, the first failure first: the others followed from it. What
/// CloudFormation cancelled because something else had failed is not among them.
pub(crate) fn failures_of_last_operation<'a>(stack: &str, events: &'a [StackEvent]) -> Vec<&'a StackEvent> {
    let mut failures: Vec<&StackEvent> = last_operation(stack, events)
        .iter()
        .filter(|event| event.status.ends_with("_FAILED") && !event.is_of_stack(stack))
        .filter(|event| {
            !event
                .reason
                .as_deref()
                .is_some_and(|reason| reason.contains("cancelled"))
        })
        .collect();
    failures.reverse();
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, status: &str, reason: &str) -> StackEvent {
        let kind = if resource == "bp-data" {
            "AWS::CloudFormation::Stack"
        } else {
            "AWS::RDS::DBInstance"
        };
        StackEvent {
            id: format!("{resource}-{status}"),
            at: None,
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            token: None,
        }
    }

    #[test]
    fn the_first_failure_is_told_from_what_it_cancelled_and_from_earlier_operations() {
        let events = [
            event("bp-data", "UPDATE_ROLLBACK_COMPLETE", ""),
            event(
                "bp-data",
                "UPDATE_ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to update: [Db, Cache].",
            ),
            event("Queue", "UPDATE_FAILED", "Resource update cancelled"),
            event("Cache", "UPDATE_FAILED", "Node type is not offered"),
            event("Db", "UPDATE_FAILED", "Storage cannot shrink"),
            event("bp-data", "UPDATE_IN_PROGRESS", "User Initiated"),
            event("bp-data", "CREATE_FAILED", ""),
            event("Old", "CREATE_FAILED", "an earlier operation"),
            event("bp-data", "CREATE_IN_PROGRESS", "User Initiated"),
        ];
        assert_eq!(last_operation("bp-data", &events).len(), 6);
        let failed: Vec<&str> = failures_of_last_operation("bp-data", &events)
            .into_iter()
            .map(|event| event.resource.as_str())
            .collect();
        assert_eq!(failed, ["Db", "Cache"]);
        // The page may end before the operation begins.
        assert_eq!(last_operation("bp-data", &events[..3]).len(), 3);
    }
}
