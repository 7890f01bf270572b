//! Makes the change set of an import, looks whether it does only that, and begins it.

use super::super::change_set::{Doing, settled, wait_until_gone};
use super::{Action, Importing};
use crate::aws::cloudformation::SetChange;
use crate::change::{Change as _, StepRun};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};

type Run<'s, 'c> = StepRun<'s, Importing<'c>>;

pub(super) async fn begin<'c>(change: &Importing<'c>, step: &Run<'_, 'c>) -> Result<()> {
    let action = step.action();
    let aws = &change.ctx.aws;
    let name = &change.artifact.name;
    let again = change.resume(&[]);
    let doing = Doing {
        verb: "import into",
        stack: name,
        again: &again,
    };
    let now = aws.stack(name).await?.map(|stack| stack.status);
    let now = now.filter(|status| status != "REVIEW_IN_PROGRESS");
    if now != action.status {
        let is = |status: &Option<String>| status.clone().unwrap_or_else(|| "not there".to_owned());
        return Err(CtlError::changed(format!(
            "import into {name}: it is {} by now, and was {} when the plan was made",
            is(&now),
            is(&action.status)
        ))
        .hint((
            "see how it is with",
            CommandLine::bpctl(["stack", "status", name.as_str()]),
        )));
    }
    if let Some(delete) = &action.delete {
        step.send(aws, delete).await?;
        wait_until_gone(change.ctx, doing).await?;
    }
    if let Err(error) = step.send(aws, &action.create).await {
        // Its answer may be lost, and the change set be there.
        let arrived = matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Unexpected);
        return Err(match arrived {
            true => discarded(change, step, error).await,
            false => error,
        });
    }
    let set = match settled(change.ctx, doing, &action.create.name).await {
        Ok(set) => set,
        Err(error) => return Err(discarded(change, step, error).await),
    };
    if set.status != "CREATE_COMPLETE" {
        let reason = set
            .reason
            .unwrap_or_else(|| "CloudFormation gives no reason".to_owned());
        let error = CtlError::new(
            ErrorKind::Rejected,
            format!("import into {name}: its change set failed"),
        )
        .cause(reason);
        return Err(discarded(change, step, error).await);
    }
    if let Some(other) = set.changes.iter().find(|change| !is_meant(action, change)) {
        let error = CtlError::changed(format!(
            "import into {name}: CloudFormation would do more than the plan says, and nothing was begun"
        ))
        .cause(format!("{} ({}): {}", other.logical, other.kind, other.action));
        return Err(discarded(change, step, error).await);
    }
    step.note(&format!("operation on {name}"), &action.execute.token);
    step.send(aws, &action.execute).await
}

/// Whether the change set does this because of the plan.
fn is_meant(action: &Action, change: &SetChange) -> bool {
    let mut imports = action.create.imports.iter();
    change.action == "Import" && imports.any(|import| import.logical == change.logical)
}

/// The error, once the change set is taken back.
async fn discarded<'c>(change: &Importing<'c>, step: &Run<'_, 'c>, error: CtlError) -> CtlError {
    let action = step.action();
    let aws = &change.ctx.aws;
    let back = async {
        let Some(stack) = &action.discard_stack else {
            return step.send(aws, &action.discard).await;
        };
        // Only the empty one: a stack of this name with resources in it was made by somebody else meanwhile.
        let now = aws.stack(&change.artifact.name).await?;
        match now.is_some_and(|now| now.status == "REVIEW_IN_PROGRESS") {
            true => step.send(aws, stack).await,
            false => Ok(()),
        }
    };
    match back.await {
        Ok(()) => error,
        Err(left) => error.cause(format!("its change set stays: {left}")),
    }
}
