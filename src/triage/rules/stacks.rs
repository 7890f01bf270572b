//! CloudFormation stacks whose last operation failed.

use jiff::Timestamp;

use crate::error::CommandLine;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{FailedStack, Snapshot};
use crate::triage::wording::{ago, shorten};

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let stacks = snapshot.stacks.iter().flatten();
    stacks.map(|stack| finding(stack, now)).collect()
}

fn finding(stack: &FailedStack, now: Timestamp) -> Finding {
    let name = &stack.name;
    let said = |signs: &[&str]| {
        stack
            .failures
            .iter()
            .chain(&stack.reason)
            .any(|text| signs.iter().all(|sign| text.contains(sign)))
    };
    let secret = said(&["already exists", "ecret"]);
    let code = if secret {
        Code::StackSecretExists
    } else {
        Code::StackFailed
    };
    // After a rollback the stack works as before the update; in the other states it cannot be updated.
    let severity = if stack.status == "UPDATE_ROLLBACK_COMPLETE" {
        Severity::P3
    } else {
        Severity::P2
    };
    let when = stack
        .updated
        .map(|at| format!(" ({})", ago(now, at)))
        .unwrap_or_default();
    let mut finding = Finding::new(code, Node::Stack(name.clone()), name)
        .severity(severity)
        .evidence(format!("status {}{when}", stack.status))
        .facts(stack.reason.as_deref().map(|reason| shorten(reason, 240)))
        .facts(stack.failures.iter().take(3).map(|failure| shorten(failure, 240)));
    let (cause, next) = if secret {
        (
            "a secret of that name is left from an earlier deployment: secrets are retained when a stack is deleted",
            CommandLine::other("npx", ["cdk", "import", name]),
        )
    } else {
        advice(stack, &said)
    };
    finding = finding.cause(cause).next(next);
    finding.next(commands::stack_events(name))
}

fn advice(stack: &FailedStack, said: &dyn Fn(&[&str]) -> bool) -> (&'static str, CommandLine) {
    let name = &stack.name;
    match stack.status.as_str() {
        "UPDATE_ROLLBACK_FAILED" => (
            "the way back failed too: CloudFormation waits until the rollback is continued",
            commands::stack_operation("continue-update-rollback", name),
        ),
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => (
            "the stack could not be created; what is left of it must be deleted before the next attempt",
            commands::stack_operation("delete-stack", name),
        ),
        "DELETE_FAILED" if said(&["apacity"]) => (
            "a capacity provider is still in use: stop one-off tasks and delete the services, then delete the stack again",
            commands::stack_operation("delete-stack", name),
        ),
        "DELETE_FAILED" => (
            "something in the stack is still in use or protected",
            commands::stack_operation("delete-stack", name),
        ),
        "UPDATE_ROLLBACK_COMPLETE" => (
            "the last update failed and was undone: what the code says is not what runs",
            commands::cdk_diff(name),
        ),
        _ => ("the last operation on the stack failed", commands::cdk_diff(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn one(status: &str, failure: &str) -> Finding {
        let mut snapshot = sample::healthy();
        snapshot.stacks = Ok(vec![FailedStack {
            name: "bp-data".to_owned(),
            status: status.to_owned(),
            reason: None,
            failures: vec![failure.to_owned()],
            updated: None,
        }]);
        rule(&snapshot, sample::now()).remove(0)
    }

    #[test]
    fn each_state_has_its_way_out() {
        let failure = "BackendService: ResourceInitializationError";
        assert!(one("UPDATE_ROLLBACK_FAILED", failure).next[1].contains("continue-update-rollback"));
        assert!(one("ROLLBACK_COMPLETE", failure).next[1].contains("delete-stack"));
        assert_eq!(one("UPDATE_ROLLBACK_COMPLETE", failure).severity, Severity::P3);
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
}
