//! `bpctl stack continue-rollback`: the way back of an update, gone on with where it stopped.

mod plan;
#[cfg(test)]
mod plan_tests;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::operation::{Goal, Of, Operation, Operations, StackResult, follow};
use super::{deploy, which};
use crate::aws::cloudformation::{ContinueUpdateRollback, StackResource};
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, RunId, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::output::{Render, Table, View, took};
use plan::{Failed, Seen};

/// A resource of this kind is a stack of its own.
const NESTED: &str = "AWS::CloudFormation::Stack";

/// Go on with the rollback of an update that has stopped half way
///
/// A stack is UPDATE_ROLLBACK_FAILED when a resource could not become what it was. It takes no update until its rollback
/// is complete: mend what the rollback stumbled over, and continue it. What cannot be mended is left as it is with
/// `--skip`, and then differs from what the template says: bring both in line before the next update.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack continue-rollback compute --dry-run                             what has failed, and why
  bpctl stack continue-rollback compute                                       once it is mended
  bpctl stack continue-rollback compute --skip BackendService                 without this resource
  bpctl stack continue-rollback compute --skip bp-compute-Inner-1ABC.Queue    without one of a nested stack")]
pub(crate) struct ContinueRollbackArgs {
    /// Which stack: its part, name or fleet
    #[arg(value_name = "STACK")]
    stack: String,

    /// Leave this resource as it is: its name in the template, with the name of a nested stack and a dot before it; may
    /// be repeated
    #[arg(long, value_name = "LOGICAL_ID", value_parser = skipped)]
    skip: Vec<String>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// For clap: the pattern of the API reference for `ResourcesToSkip`.
fn skipped(text: &str) -> Result<String, String> {
    let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
    let is_stack = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let fits = match text.split_once('.') {
        None => is_id(text),
        Some((stack, id)) => is_stack(stack) && is_id(id),
    };
    match fits {
        true => Ok(text.to_owned()),
        false => Err("write the resource's name in the template, or `NESTED_STACK.NAME`".to_owned()),
    }
}

impl Verb for ContinueRollbackArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("cloudformation:ContinueUpdateRollback", On::Stacks),
                Use::of("cloudformation:DescribeStackEvents", On::Stacks),
                Use::of("cloudformation:DescribeStacks", On::Anything),
                Use::of("cloudformation:ListStackResources", On::Stacks),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, std::slice::from_ref(&self.stack))?;
        let change = Rollback {
            ctx,
            stack: names.into_iter().next().unwrap_or(self.stack),
            skip: self.skip,
            operations: Mutex::new(Operations::new()),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Rollback<'a> {
    ctx: &'a Ctx,
    stack: String,
    skip: Vec<String>,
    operations: Mutex<Operations>,
}

/// The only step.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Action {
    call: ContinueUpdateRollback,
    /// The stack's status when the plan was made.
    status: String,
    /// Resources that have failed and are not skipped.
    left: usize,
    going_on: Option<String>,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RollbackResult {
    run: RunId,
    #[serde(flatten)]
    stack: StackResult,
    /// Resources that stay as they were, and may differ from the template.
    skipped: Vec<String>,
}

impl Change for Rollback<'_> {
    const NAME: &'static str = "stack continue-rollback";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = StackResult;
    type Document = RollbackResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("continue the rollback of {}", self.stack),
            thing: "stack",
            settle: "see the rollback complete".to_owned(),
            following: "Following the stack".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        let aws = &self.ctx.aws;
        let Some(stack) = aws.stack(&self.stack).await? else {
            return Ok(Seen::absent());
        };
        let going_on = match stack.status.as_str() {
            "UPDATE_ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
                let events = aws.stack_events(&stack.name).await?;
                deploy::observe::token_of_ours(&stack.name, &events, recent)
            }
            _ => None,
        };
        let failed = match stack.status.as_str() {
            "UPDATE_ROLLBACK_FAILED" => self.failed().await?,
            _ => Vec::new(),
        };
        Ok(Seen {
            status: Some(stack.status),
            failed,
            going_on,
        })
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        Ok(plan::plan(&self.stack, &self.skip, seen, basis))
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        vec![self.stack.clone()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let action = step.action();
        let aws = &self.ctx.aws;
        let began = self.ctx.clock.now();
        let (token, since, did) = match &action.going_on {
            Some(token) => (
                token,
                Timestamp::MIN,
                "goes on with the rollback that is under way",
            ),
            None => {
                let now = aws.stack(&self.stack).await?.map(|stack| stack.status);
                if now.as_ref() != Some(&action.status) {
                    let is = now.unwrap_or_else(|| "gone".to_owned());
                    return Err(CtlError::changed(format!(
                        "continue the rollback of {}: it is {is} by now, and was {} when the plan was made",
                        self.stack, action.status
                    ))
                    .hint((
                        "see how it is with",
                        CommandLine::bpctl(["stack", "status", self.stack.as_str()]),
                    )));
                }
                step.note(&format!("rollback of {}", self.stack), &action.call.token);
                step.send(aws, &action.call).await?;
                (&action.call.token, began, "goes on with its rollback")
            }
        };
        let of = Of {
            stack: &self.stack,
            asked_by: &self.stack,
            again: self.resume(&[]),
        };
        let operation = Operation::new(of, action.left, token, since).towards(Goal::Back);
        self.operations.lock().await.insert(self.stack.clone(), operation);
        Ok(Done::new(did))
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let mut operations = self.operations.lock().await;
        follow(self.ctx, &mut operations, run).await
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<RollbackResult> {
        let ended = outcome.endings.get(&self.stack).cloned();
        let stack = ended.unwrap_or_else(|| StackResult {
            status: seen.status.clone(),
            ..StackResult::unchanged(&self.stack)
        });
        Some(RollbackResult {
            run: outcome.run.clone(),
            stack,
            skipped: self.skip.clone(),
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let command = CommandLine::bpctl(["stack", "continue-rollback", self.stack.as_str()]);
        let skip = self.skip.iter();
        skip.fold(command, |command, resource| command.option("--skip", resource))
    }

    fn explain(&self, error: CtlError, outcome: &Outcome<Self>) -> CtlError {
        let failed = outcome
            .endings
            .values()
            .find(|ending| ending.status.as_deref() == Some("UPDATE_ROLLBACK_FAILED"));
        let Some(ending) = failed else { return error };
        let mut command = self.resume(&[]);
        for failure in &ending.failures {
            if failure.kind != NESTED && !self.skip.contains(&failure.resource) {
                command = command.option("--skip", &failure.resource);
            }
        }
        error.hint((
            "mend what is in the way and repeat the command, or leave what cannot become what it was:",
            command,
        ))
    }
}

impl Rollback<'_> {
    /// The resources that have failed, in the stack and in the nested stacks that have.
    async fn failed(&self) -> Result<Vec<Failed>> {
        let aws = &self.ctx.aws;
        let mut stacks = vec![(None, self.stack.clone())];
        let mut failed = Vec::new();
        while let Some((nested, asked_by)) = stacks.pop() {
            for resource in aws.stack_resources(&asked_by).await? {
                if resource.status != "UPDATE_FAILED" {
                    continue;
                }
                let StackResource { kind, physical, .. } = &resource;
                if let (NESTED, Some(arn)) = (kind.as_str(), physical) {
                    stacks.push((plan::name_in(arn), arn.clone()));
                }
                failed.push(Failed::new(nested.as_deref(), resource));
            }
        }
        Ok(failed)
    }
}

impl Render for RollbackResult {
    fn human(&self, view: &View) -> String {
        let stack = &self.stack;
        let mut table = Table::new(&["STACK", "STATUS", "SKIPPED", "DURATION"]);
        let took = match (stack.began, stack.ended) {
            (Some(began), Some(ended)) => took(began, ended),
            _ => "-".to_owned(),
        };
        let skipped = match self.skipped.as_slice() {
            [] => "-".to_owned(),
            skipped => skipped.join(", "),
        };
        let status = stack.status.clone().unwrap_or_else(|| "under way".to_owned());
        table.row([stack.stack.clone(), status, skipped, took]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.stack.stack.clone()]
    }
}
