//! Carries out one step: the change set is made, compared with the plan, and begun.

use super::super::change_set::{Doing, settled, wait_until_gone};
use super::plan::Action;
use super::synth::Npx;
use super::{DeployVerb, StackDeploy, Started};
use crate::aws::cloudformation::SetChange;
use crate::change::{Done, StepRun};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::stacks::{Action as ResourceAction, Replacement};

type Run<'s, 'c, V> = StepRun<'s, StackDeploy<'c, V>>;

pub(super) async fn act<'c, V: DeployVerb>(
    change: &StackDeploy<'c, V>,
    step: &Run<'_, 'c, V>,
) -> Result<Done<StackDeploy<'c, V>>> {
    let action = step.action();
    let aws = &change.ctx.aws;
    if let Some(token) = &action.going_on {
        step.note(&format!("operation on {}", action.stack), token);
        return Ok(
            Done::new("goes on with the operation that is under way").with(Started {
                token: Some(token.clone()),
            }),
        );
    }
    check(change, action).await?;
    let mut did = Vec::new();
    let mut started = Started { token: None };
    if action.sets {
        if let Some(delete) = &action.delete {
            step.send(aws, delete).await?;
            wait_until_gone(change.ctx, change.doing(&action.stack)).await?;
            did.push("removed what its failed creation left");
        }
        if let Some(publish) = &action.publish {
            let npx = Npx::find(change.ctx, (&change.target).into())?;
            match (step.send(&npx, publish).await, &action.publish_by_cdk) {
                (Err(error), Some(by_cdk)) if error.kind() == ErrorKind::Changed => {
                    step.status(&format!("{error}: the app's own CDK publishes it"));
                    step.send(&npx, by_cdk).await?;
                }
                (published, _) => published?,
            }
        }
        started = begin(change, step, action).await?;
        did.push(match started.token {
            Some(_) if action.create.creates => "began to create it",
            Some(_) => "began to update it",
            None => "found nothing to change",
        });
    }
    if let Some(protect) = &action.protect {
        // A stack that is not there yet takes it as soon as there is one.
        step.send(aws, protect).await?;
        did.push(if protect.enabled {
            "protected it from deletion"
        } else {
            "took its protection from deletion off"
        });
    }
    Ok(Done::new(did.join(", ")).with(started))
}

/// The stack is as it was when the plan was made.
async fn check<V: DeployVerb>(change: &StackDeploy<'_, V>, action: &Action) -> Result<()> {
    let now = change.ctx.aws.stack(&action.stack).await?;
    let now = now
        .map(|stack| stack.status)
        .filter(|status| status != "REVIEW_IN_PROGRESS");
    if now == action.status {
        return Ok(());
    }
    let is = |status: &Option<String>| status.clone().unwrap_or_else(|| "not there".to_owned());
    Err(CtlError::changed(format!(
        "deploy {}: it is {} by now, and was {} when the plan was made",
        action.stack,
        is(&now),
        is(&action.status)
    ))
    .hint((
        "see how it is with",
        CommandLine::bpctl(["stack", "status", action.stack.as_str()]),
    )))
}

/// Makes the change set, compares it with the plan and begins it.
async fn begin<'c, V: DeployVerb>(
    change: &StackDeploy<'c, V>,
    step: &Run<'_, 'c, V>,
    action: &Action,
) -> Result<Started> {
    let aws = &change.ctx.aws;
    if let Err(error) = step.send(aws, &action.create).await {
        // Its answer may be lost, and the change set be there.
        let arrived = matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Unexpected);
        return Err(match arrived {
            true => discarded(change, step, action, error).await,
            false => error,
        });
    }
    let set = match settled(change.ctx, change.doing(&action.stack), &action.create.name).await {
        Ok(set) => set,
        Err(error) => return Err(discarded(change, step, action, error).await),
    };
    if set.is_empty() {
        discard(change, step, action).await?;
        return Ok(Started { token: None });
    }
    if set.status != "CREATE_COMPLETE" {
        let reason = set
            .reason
            .unwrap_or_else(|| "CloudFormation gives no reason".to_owned());
        let error = CtlError::new(
            ErrorKind::Rejected,
            format!("deploy {}: its change set failed", action.stack),
        )
        .cause(reason);
        return Err(discarded(change, step, action, error).await);
    }
    let more = beyond(action, &set.changes);
    if !more.is_empty() {
        let error = more.iter().fold(
            CtlError::changed(format!(
                "deploy {}: CloudFormation would do more than the plan says, and nothing was begun",
                action.stack
            )),
            |error, line| error.cause(line.clone()),
        );
        let names: Vec<&str> = set
            .changes
            .iter()
            .filter(|one| is_beyond(action, one))
            .map(|one| one.logical.as_str())
            .collect();
        let error = error.hint(format!(
            "to let it happen, repeat the command with {}",
            names
                .iter()
                .map(|name| format!("`--allow-replacement {name}`"))
                .collect::<Vec<_>>()
                .join(" ")
        ));
        return Err(discarded(change, step, action, error).await);
    }
    step.note(&format!("operation on {}", action.stack), &action.execute.token);
    step.send(aws, &action.execute).await?;
    Ok(Started {
        token: Some(action.execute.token.clone()),
    })
}

/// The error, once the change set is taken back.
async fn discarded<'c, V: DeployVerb>(
    change: &StackDeploy<'c, V>,
    step: &Run<'_, 'c, V>,
    action: &Action,
    error: CtlError,
) -> CtlError {
    match discard(change, step, action).await {
        Ok(()) => error,
        Err(left) => error.cause(format!("its change set stays: {left}")),
    }
}

/// Takes the change set back, with the empty stack of a new one.
async fn discard<'c, V: DeployVerb>(
    change: &StackDeploy<'c, V>,
    step: &Run<'_, 'c, V>,
    action: &Action,
) -> Result<()> {
    let aws = &change.ctx.aws;
    match &action.discard_stack {
        Some(stack) => {
            // Only the empty one: a stack of this name with resources in it is that of another client, made meanwhile.
            let now = aws.stack(&action.stack).await?;
            match now.is_some_and(|now| now.status == "REVIEW_IN_PROGRESS") {
                true => step.send(aws, stack).await,
                false => Ok(()),
            }
        }
        None => step.send(aws, &action.discard).await,
    }
}

impl<V: DeployVerb> StackDeploy<'_, V> {
    fn doing<'s>(&'s self, stack: &'s str) -> Doing<'s> {
        Doing {
            verb: "deploy",
            stack,
            again: &self.request.command,
        }
    }
}

fn is_beyond(action: &Action, set: &SetChange) -> bool {
    if action.allowed.contains(&set.logical) {
        return false;
    }
    let planned = action
        .announced
        .iter()
        .find(|change| change.resource == set.logical);
    match set.action.as_str() {
        "Remove" => planned.is_none_or(|planned| planned.action != ResourceAction::Remove),
        // CloudFormation says "Conditional" of every value that it computes; the plan says so of what it knows.
        "Modify" if set.replacement.as_deref() == Some("True") => {
            planned.is_none_or(|planned| planned.replacement == Replacement::No)
        }
        _ => false,
    }
}

/// What the change set does beyond the plan, in words.
fn beyond(action: &Action, changes: &[SetChange]) -> Vec<String> {
    changes
        .iter()
        .filter(|change| is_beyond(action, change))
        .map(|change| match change.action.as_str() {
            "Remove" => format!("{} ({}) would be removed", change.logical, change.kind),
            _ => format!("{} ({}) would be replaced", change.logical, change.kind),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudformation::{CreateChangeSet, DeleteChangeSet, ExecuteChangeSet, TemplateSource};
    use crate::stacks::Change;

    fn action(announced: Vec<Change>) -> Action {
        let stack = "bp-data".to_owned();
        Action {
            stack: stack.clone(),
            status: None,
            delete: None,
            publish: None,
            publish_by_cdk: None,
            create: CreateChangeSet {
                stack: stack.clone(),
                name: "s".to_owned(),
                creates: false,
                template: TemplateSource::Body("{}".to_owned()),
                tags: Vec::new(),
                role: None,
                token: "t".to_owned(),
            },
            discard: DeleteChangeSet {
                stack: stack.clone(),
                name: "s".to_owned(),
            },
            discard_stack: None,
            execute: ExecuteChangeSet {
                stack,
                name: "s".to_owned(),
                token: "t".to_owned(),
                loses: None,
            },
            protect: None,
            announced,
            allowed: vec!["Allowed".to_owned()],
            needs: Vec::new(),
            going_on: None,
            sets: true,
        }
    }

    fn planned(resource: &str, action: ResourceAction, replacement: Replacement) -> Change {
        Change {
            resource: resource.to_owned(),
            kind: "AWS::RDS::DBInstance".to_owned(),
            action,
            properties: Vec::new(),
            replacement,
            kept: false,
            as_snapshot: false,
        }
    }

    fn set(resource: &str, action: &str, replacement: Option<&str>) -> SetChange {
        SetChange {
            logical: resource.to_owned(),
            kind: "AWS::RDS::DBInstance".to_owned(),
            action: action.to_owned(),
            replacement: replacement.map(str::to_owned),
        }
    }

    #[test]
    fn a_change_set_may_do_no_more_than_the_plan_says() {
        let plan = action(vec![
            planned("Changed", ResourceAction::Modify, Replacement::No),
            planned("Replaced", ResourceAction::Modify, Replacement::Yes),
            planned("Perhaps", ResourceAction::Modify, Replacement::Perhaps),
            planned("Removed", ResourceAction::Remove, Replacement::No),
        ]);
        for good in [
            set("Changed", "Modify", Some("False")),
            set("Changed", "Modify", Some("Conditional")),
            set("Replaced", "Modify", Some("True")),
            set("Perhaps", "Modify", Some("True")),
            set("Removed", "Remove", None),
            set("Allowed", "Modify", Some("True")),
            set("Added", "Add", None),
        ] {
            assert!(beyond(&plan, std::slice::from_ref(&good)).is_empty(), "{good:?}");
        }
        for bad in [
            set("Changed", "Modify", Some("True")),
            set("Changed", "Remove", None),
            set("Unknown", "Modify", Some("True")),
            set("Unknown", "Remove", None),
        ] {
            assert_eq!(beyond(&plan, std::slice::from_ref(&bad)).len(), 1, "{bad:?}");
        }
    }
}
