//! CloudFormation stacks whose last operation failed, or is under way.
//!
//! Source of the states and of what can be done in each: CloudFormation User Guide, "Stack status codes",
//! "Continue rolling back an update" and "Stack failure options".

use jiff::Timestamp;

use crate::aws::cloudformation::{Stack, StackEvent};
use crate::error::{CommandLine, Hint};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Snapshot, StackSummary, UnsettledStack};
use crate::triage::wording::{ago, minutes_since};

/// A deployment of this platform takes minutes, RDS and CloudFront at most an hour: longer is a finding.
const LONG: i64 = 180;

/// What the state of a stack asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Nothing: a deployment that is under way.
    Patience,
    /// It ends by itself: wait with this waiter of the `aws` command line, where there is one.
    Wait(Option<&'static str>),
    /// A hand.
    Hand,
}

fn need(status: &str) -> Need {
    match status {
        "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "IMPORT_IN_PROGRESS" => Need::Patience,
        // What was replaced is removed; the update itself has succeeded.
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => Need::Patience,
        "DELETE_IN_PROGRESS" => Need::Wait(Some("stack-delete-complete")),
        "UPDATE_ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
            Need::Wait(Some("stack-rollback-complete"))
        }
        "ROLLBACK_IN_PROGRESS" | "IMPORT_ROLLBACK_IN_PROGRESS" => Need::Wait(None),
        _ => Need::Hand,
    }
}

/// What is to be said of one stack, with the newest of its events; `None` when nothing is to be done.
pub(crate) fn of_stack(stack: &Stack, events: &[StackEvent], now: Timestamp) -> Option<Finding> {
    let summary = StackSummary {
        name: stack.name.clone(),
        status: stack.status.clone(),
        status_reason: stack.status_reason.clone(),
        updated: stack.updated.or(stack.created),
    };
    if summary.is_settled() {
        return None;
    }
    finding(&UnsettledStack::of(summary, events), now)
}

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let stacks = snapshot.stacks.iter().flatten();
    stacks.filter_map(|stack| finding(stack, now)).collect()
}

fn finding(stack: &UnsettledStack, now: Timestamp) -> Option<Finding> {
    let name = &stack.name;
    let need = need(&stack.status);
    let long = stack.updated.is_some_and(|at| minutes_since(now, at) >= LONG);
    if need == Need::Patience && !long {
        return None;
    }
    let said = |signs: &[&str]| {
        stack
            .failures
            .iter()
            .chain(&stack.status_reason)
            .any(|text| signs.iter().all(|sign| text.contains(sign)))
    };
    let secret = said(&["already exists", "ecret"]);
    let code = if secret {
        Code::StackSecretExists
    } else {
        Code::StackFailed
    };
    let when = stack
        .updated
        .map(|at| format!(" ({})", ago(now, at)))
        .unwrap_or_default();
    let mut finding = Finding::new(code, Node::Stack(name.clone()), name)
        .severity(severity(&stack.status))
        .evidence(format!("status {}{when}", stack.status))
        .facts(
            stack
                .status_reason
                .as_deref()
                .map(|reason| reason.trim().to_owned()),
        )
        .facts(
            stack
                .failures
                .iter()
                .take(3)
                .map(|failure| failure.trim().to_owned()),
        );
    let (cause, next) = match need {
        Need::Patience => (
            "an operation has been under way for hours: a resource does not come to an end",
            stack_status(name).into(),
        ),
        Need::Wait(waiter) => (
            under_way(&stack.status),
            match waiter {
                Some(waiter) => commands::wait_for_stack(waiter, name).into(),
                None => stack_status(name).into(),
            },
        ),
        Need::Hand if secret => (
            "a secret of that name exists outside of this stack, e.g. left from an earlier deployment",
            CommandLine::other("npx", ["cdk", "import", name]).into(),
        ),
        Need::Hand => advice(stack, &said),
    };
    if said(&["scheduled for deletion"]) {
        finding = finding
            .cause("a secret of that name was deleted and waits for the end of its recovery window: until then nobody can create it again")
            .next(commands::secrets_planned_for_deletion())
            .next("bring the secret back with `restore-secret` and import it, or end its window with `delete-secret --force-delete-without-recovery`; then deploy again");
    } else {
        finding = finding.cause(cause).next(next);
    }
    Some(finding.next(commands::stack_events(name)))
}

/// After a rollback the stack works as before the update; what is under way ends by itself. In the other
/// states the stack cannot be updated.
fn severity(status: &str) -> Severity {
    match status {
        "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE"
        | "UPDATE_ROLLBACK_IN_PROGRESS"
        | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
        | "IMPORT_ROLLBACK_IN_PROGRESS"
        | "CREATE_IN_PROGRESS"
        | "UPDATE_IN_PROGRESS"
        | "IMPORT_IN_PROGRESS"
        | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        | "REVIEW_IN_PROGRESS" => Severity::P3,
        _ => Severity::P2,
    }
}

fn under_way(status: &str) -> &'static str {
    match status {
        "DELETE_IN_PROGRESS" => "the stack is being deleted; that ends by itself",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
            "the last update failed and was undone; the clean-up of what it had made ends by itself"
        }
        "UPDATE_ROLLBACK_IN_PROGRESS" => {
            "the last update failed and is being undone; that ends by itself: wait before the next attempt"
        }
        "ROLLBACK_IN_PROGRESS" => {
            "the stack could not be created and is being removed again; that ends by itself"
        }
        _ => "the last import failed and is being undone; that ends by itself",
    }
}

fn stack_status(name: &str) -> CommandLine {
    commands::stack_operation("describe-stacks", name).picking("Stacks[].[StackStatus,StackStatusReason]")
}

fn advice(stack: &UnsettledStack, said: &dyn Fn(&[&str]) -> bool) -> (&'static str, Hint) {
    let name = &stack.name;
    let operation = |operation: &str| Hint::from(commands::stack_operation(operation, name));
    match stack.status.as_str() {
        "UPDATE_ROLLBACK_FAILED" => (
            "the way back failed too: CloudFormation waits until the rollback is continued",
            CommandLine::bpctl(["stack", "continue-rollback", name.as_str()]).into(),
        ),
        "UPDATE_FAILED" => (
            "the last update failed and was left as it is, without a rollback: roll it back, or update again",
            operation("rollback-stack"),
        ),
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => (
            "the stack could not be created; what is left of it must be deleted before the next attempt",
            operation("delete-stack"),
        ),
        "IMPORT_ROLLBACK_FAILED" => (
            "an import failed, and so did its undoing: the stack must be put right by hand",
            stack_status(name).into(),
        ),
        "IMPORT_ROLLBACK_COMPLETE" => (
            "the last import failed and was undone: the resource is still outside of the stack",
            commands::stack_diff(name).into(),
        ),
        "REVIEW_IN_PROGRESS" => (
            "a change set would create the stack, and nobody has executed it: there is no resource yet",
            commands::stack_operation("list-change-sets", name)
                .picking("Summaries[].[ChangeSetName,ExecutionStatus,StatusReason]")
                .into(),
        ),
        "DELETE_FAILED" if said(&["apacity"]) => (
            "a capacity provider is still in use: stop one-off tasks and delete the services, then delete the stack again",
            operation("delete-stack"),
        ),
        "DELETE_FAILED" => (
            "something in the stack is still in use or protected",
            operation("delete-stack"),
        ),
        "UPDATE_ROLLBACK_COMPLETE" => (
            "the last update failed and was undone: what the code says is not what runs",
            commands::stack_diff(name).into(),
        ),
        _ => (
            "the last operation on the stack did not succeed",
            commands::stack_diff(name).into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;
    use crate::triage::snapshot::StackSummary;

    fn seen(status: &str, failure: &str, minutes: i64) -> Option<Finding> {
        let mut snapshot = sample::healthy();
        let summary = StackSummary {
            name: "bp-data".to_owned(),
            status: status.to_owned(),
            status_reason: None,
            updated: Some(sample::before(minutes)),
        };
        snapshot.stacks = Ok(vec![UnsettledStack {
            summary,
            failures: vec![failure.to_owned()],
        }]);
        rule(&snapshot, sample::now()).pop()
    }

    fn one(status: &str, failure: &str) -> Finding {
        seen(status, failure, 5).unwrap()
    }

    #[test]
    fn each_state_has_its_way_out() {
        let failure = "BackendService: ResourceInitializationError";
        for (status, way, severity) in [
            ("UPDATE_ROLLBACK_FAILED", "stack continue-rollback", Severity::P2),
            ("UPDATE_FAILED", "rollback-stack", Severity::P2),
            ("ROLLBACK_COMPLETE", "delete-stack", Severity::P2),
            ("ROLLBACK_FAILED", "delete-stack", Severity::P2),
            ("CREATE_FAILED", "delete-stack", Severity::P2),
            ("DELETE_FAILED", "delete-stack", Severity::P2),
            ("UPDATE_ROLLBACK_COMPLETE", "stack diff", Severity::P3),
            ("IMPORT_ROLLBACK_COMPLETE", "stack diff", Severity::P3),
            ("IMPORT_ROLLBACK_FAILED", "describe-stacks", Severity::P2),
            ("REVIEW_IN_PROGRESS", "list-change-sets", Severity::P3),
        ] {
            let finding = one(status, failure);
            assert!(
                finding.next.iter().any(|step| step.contains(way)),
                "{status}: {:?}",
                finding.next
            );
            assert_eq!(finding.severity, severity, "{status}");
        }
    }

    #[test]
    fn what_ends_by_itself_is_waited_for() {
        for (status, waiter) in [
            ("ROLLBACK_IN_PROGRESS", None),
            ("IMPORT_ROLLBACK_IN_PROGRESS", None),
            (
                "UPDATE_ROLLBACK_IN_PROGRESS",
                Some("wait stack-rollback-complete"),
            ),
            (
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                Some("wait stack-rollback-complete"),
            ),
            ("DELETE_IN_PROGRESS", Some("wait stack-delete-complete")),
        ] {
            let finding = one(status, "");
            assert!(
                finding.cause.contains("ends by itself"),
                "{status}: {}",
                finding.cause
            );
            let waits = finding
                .next
                .iter()
                .any(|step| waiter.is_some_and(|waiter| step.contains(waiter)));
            assert_eq!(waits, waiter.is_some(), "{status}");
            // Nothing is to be changed meanwhile.
            let changes = |step: &&Hint| step.effect() == crate::error::Effect::Changes;
            assert_eq!(finding.next.iter().filter(changes).count(), 0, "{status}");
        }
    }

    #[test]
    fn a_deployment_that_is_under_way_is_no_finding_for_hours() {
        for status in [
            "CREATE_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
            "IMPORT_IN_PROGRESS",
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        ] {
            assert!(seen(status, "", 40).is_none(), "{status}");
            assert_eq!(seen(status, "", 200).unwrap().severity, Severity::P3, "{status}");
        }
    }

    #[test]
    fn a_secret_that_exists_is_imported() {
        let finding = one(
            "UPDATE_ROLLBACK_COMPLETE",
            "AppKey: The operation failed because the secret /bp/laravel/app-key already exists.",
        );
        assert_eq!(finding.code, Code::StackSecretExists);
        assert_eq!(finding.next[1], "npx cdk import bp-data");
    }

    #[test]
    fn a_secret_that_waits_for_its_deletion_is_brought_back_or_ended() {
        let finding = one(
            "UPDATE_ROLLBACK_COMPLETE",
            "AppKey: You can't create this secret because a secret with this name is already scheduled for deletion.",
        );
        assert!(finding.cause.contains("recovery window"), "{}", finding.cause);
        assert!(
            finding.next.iter().any(|step| step.contains("restore-secret")),
            "{:?}",
            finding.next
        );
    }
}
