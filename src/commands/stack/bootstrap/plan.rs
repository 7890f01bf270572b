//! From what is there to `cdk bootstrap`, or to what speaks against it. Pure.

use super::Action;
use super::call::RunBootstrap;
use super::observe::Seen;
use crate::change::{Blocker, Call as _, OnFailure, Plan, Step, Target};
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::stacks::Bootstrap;

/// What the CDK's own template gives CloudFormation, unless the app's settings say less (AWS CDK Developer Guide,
/// "Bootstrap from the AWS CDK CLI").
const POWER: &str = "it makes a bucket, a repository and roles; the one that CloudFormation deploys with has \
                     AdministratorAccess, unless the bootstrap in force was made with other policies";

pub(super) fn plan(wanted: &Bootstrap, upgrade: bool, seen: &Seen, target: &Target) -> Result<Plan<Action>> {
    let mut plan = Plan::new(
        format!("bootstrap account {} in {}", target.account, target.region),
        Vec::new(),
    );
    let missing = seen.missing(wanted);
    if missing.is_empty() && !upgrade {
        return Ok(plan);
    }
    plan.blockers.extend(blocker(wanted, seen));
    plan.say_what_is_blocked();
    if let (Some(error), true) = (&seen.no_npx, plan.blockers.is_empty()) {
        return Err(error.clone());
    }
    let call = RunBootstrap::of(wanted, &target.account, &target.region);
    let calls = vec![call.described()];
    let action = Action {
        call,
        status: seen.prepared.status.clone(),
    };
    let summary = match &seen.prepared.status {
        None => "make it with the CDK",
        Some(_) => "bring it up to date with the CDK",
    };
    let mut step = Step::new(wanted.stack.clone(), summary, calls, action);
    let version = |version: u32| format!("version {version}");
    step.before = Some(match (&seen.prepared.status, seen.prepared.version) {
        (None, _) => "not there".to_owned(),
        (Some(status), None) => status.clone(),
        (Some(_), Some(is)) => version(is),
    });
    step.after = Some(match wanted.wanted {
        Some(wants) => format!("version {wants} or a later one"),
        None => "the version of the CDK in the folder".to_owned(),
    });
    step.on_failure = OnFailure::Stop;
    step.notes.extend(missing);
    step.notes.push(POWER.to_owned());
    plan.steps.push(step);
    Ok(plan)
}

/// Why the CDK would not come to a good end.
fn blocker(wanted: &Bootstrap, seen: &Seen) -> Option<Blocker> {
    let name = &wanted.stack;
    let delete = CommandLine::aws("cloudformation", "delete-stack").option("--stack-name", name);
    let (reason, hint): (String, Hint) = match seen.prepared.status.as_deref() {
        None => {
            let left = seen.left();
            if left.is_empty() {
                return None;
            }
            // The bucket stays when its stack is deleted; CloudFormation makes none under a name that is taken.
            (
                format!(
                    "there is no stack {name}, and {} of an earlier one {} there: CloudFormation does not take over what is there",
                    left.join(" and "),
                    if left.len() == 1 { "is" } else { "are" }
                ),
                Hint::new(
                    "when no stack needs what is in it, empty and delete it; else choose another qualifier in `cdk.json` \
                     (`@aws-cdk/core:bootstrapQualifier`)",
                ),
            )
        }
        Some(status) if status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS" => (
            format!("{name} is {status}: somebody else works on it"),
            (
                "see how far it is with",
                CommandLine::aws("cloudformation", "describe-stack-events").option("--stack-name", name),
            )
                .into(),
        ),
        Some("UPDATE_ROLLBACK_FAILED") => (
            format!("{name} is UPDATE_ROLLBACK_FAILED: it takes no update before its rollback is complete"),
            Hint::new("mend what the rollback stumbled over, then").command(
                CommandLine::aws("cloudformation", "continue-update-rollback").option("--stack-name", name),
            ),
        ),
        Some("DELETE_FAILED") => (
            format!("{name} is DELETE_FAILED: it can only be deleted"),
            ("delete what is left of it with", delete).into(),
        ),
        // The CDK deletes it before it makes it anew.
        Some("REVIEW_IN_PROGRESS" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED") => {
            return None;
        }
        Some(_) => {
            let mut gone = seen.gone();
            if seen.prepared.version.is_none() {
                gone.push(format!("there is no parameter {}", wanted.parameter()));
            }
            if gone.is_empty() {
                return None;
            }
            // Its template is the same: CloudFormation would find nothing to change.
            (
                format!(
                    "{name} is there, and {}: a bootstrap does not make it anew",
                    gone.join(", ")
                ),
                Hint::new("delete the stack, which keeps the bucket, and repeat this command:")
                    .command(delete),
            )
        }
    };
    Some(Blocker {
        kind: ErrorKind::Conflict,
        reason,
        hint,
    })
}
