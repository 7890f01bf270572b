//! `bpctl stack delete`: stacks, with what goes and what stays, and followed until they are gone.

mod blockers;

use std::collections::BTreeSet;

use clap::Args;
use futures::future::try_join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use super::deploy::observe::deployed;
use super::operation::{Goal, Of, Operation, Operations, StackResult, follow, readiness};
use super::which;
use crate::aws::cloudformation::{DeleteStack, SetTerminationProtection, Stack};
use crate::aws::rds::removal::ListedSnapshot;
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Loss, Outcome, Plan, Readiness, RunId, Step,
    StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::output::{Render, Table, View, took};
use crate::stacks::{Change as ResourceChange, compare};

/// Stacks that are deleted at the same time.
const AT_ONCE: usize = 4;

/// Delete stacks, and follow CloudFormation until they are gone
///
/// Says first what goes with each stack, what stays in the account because its template keeps it, and which other stacks
/// still import from it. Several stacks are deleted in the order in which they import from each other. Of a database whose
/// template asks for a last snapshot, that snapshot is looked for afterwards: without it the deletion has failed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack delete staging/gpu-default --dry-run              what goes, what stays
  bpctl stack delete monitoring --confirm sandbox
  bpctl stack delete data --retain LogsBucket --confirm sandbox  after a deletion that failed at this resource")]
pub(crate) struct StackDeleteArgs {
    /// Which stacks: their parts, names or fleets
    #[arg(value_name = "STACK", required = true)]
    stacks: Vec<String>,

    /// Leave this resource of a stack whose deletion has failed in the account; may be repeated
    #[arg(long, value_name = "RESOURCE")]
    retain: Vec<String>,

    /// Take termination protection off first
    #[arg(long)]
    unprotect: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for StackDeleteArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("cloudformation:DeleteStack", On::Stacks),
                Use::of("cloudformation:DescribeStackEvents", On::Stacks),
                Use::of("cloudformation:DescribeStacks", On::Anything),
                Use::of("cloudformation:GetTemplate", On::Stacks),
                Use::of("cloudformation:ListImports", On::Anything),
                Use::of("cloudformation:ListStackResources", On::Stacks),
                Use::of("rds:DescribeDBSnapshots", On::DatabasesAndSnapshots),
            ],
        ])
        .with(
            "--unprotect",
            &[Use::of("cloudformation:UpdateTerminationProtection", On::Stacks)],
        )
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, &self.stacks)?;
        let change = Deletion {
            ctx,
            names,
            retain: self.retain,
            unprotect: self.unprotect,
            operations: Mutex::new(Operations::new()),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Deletion<'a> {
    ctx: &'a Ctx,
    names: Vec<String>,
    retain: Vec<String>,
    unprotect: bool,
    operations: Mutex<Operations>,
}

/// The stacks that are there, and the names of those that are not.
struct Seen {
    stacks: Vec<StackSeen>,
    absent: Vec<String>,
}

struct StackSeen {
    stack: Stack,
    /// Every resource of it, as a removal.
    resources: Vec<ResourceChange>,
    /// Database instances of which CloudFormation takes a last snapshot, as their template says: resources and identifiers.
    databases: Vec<(String, String)>,
    /// Stacks that import from it.
    importers: BTreeSet<String>,
    /// The token of an earlier run's deletion that is under way.
    going_on: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Action {
    /// The ARN.
    id: String,
    status: String,
    resources: usize,
    unprotect: Option<SetTerminationProtection>,
    delete: DeleteStack,
    /// Stacks of the plan that go first.
    needs: Vec<String>,
    going_on: Option<String>,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StacksDeleted {
    run: RunId,
    stacks: Vec<StackResult>,
}

impl Change for Deletion<'_> {
    const NAME: &'static str = "stack delete";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = StackResult;
    type Document = StacksDeleted;

    fn words(&self) -> Words {
        Words {
            goal: "delete the stacks".to_owned(),
            thing: "stack",
            settle: "see every stack gone".to_owned(),
            following: "Following the stacks".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        let aws = &self.ctx.aws;
        let found = try_join_all(self.names.iter().map(|name| aws.stack(name))).await?;
        let mut seen = Seen {
            stacks: Vec::new(),
            absent: Vec::new(),
        };
        for (name, stack) in self.names.iter().zip(found) {
            match stack {
                Some(stack) => seen.stacks.push(look(self.ctx, stack, recent).await?),
                None => seen.absent.push(name.clone()),
            }
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let steps = seen.stacks.iter().map(|stack| self.step(seen, stack, basis));
        let title = format!("delete {}", self.names.join(", "));
        let mut plan = Plan::new(title, steps.collect());
        plan.at_once = AT_ONCE;
        plan.blockers = seen
            .stacks
            .iter()
            .flat_map(|stack| self.blockers(seen, stack))
            .collect();
        plan.say_what_is_blocked();
        if seen.stacks.is_empty() {
            plan.absent = Some(Blocker {
                kind: ErrorKind::NotFound,
                reason: format!("{}: not there", plan.title),
                hint: (
                    "see which stacks there are with",
                    CommandLine::bpctl(["stack", "list"]),
                )
                    .into(),
            });
        } else if !seen.absent.is_empty() {
            plan.warnings
                .push(format!("{}: not there", seen.absent.join(", ")));
        }
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        self.names.clone()
    }

    async fn ready(&self, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
        let mut operations = self.operations.lock().await;
        for operation in operations.values_mut() {
            operation.look(self.ctx).await?;
        }
        steps
            .iter()
            .map(|step| {
                readiness(
                    &operations,
                    &step.action.needs,
                    &format!("delete {}: it waits for", step.id),
                )
            })
            .collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let action = step.action();
        let aws = &self.ctx.aws;
        let name = &action.delete.stack;
        let since = self.ctx.clock.now();
        let (token, since, did) = match &action.going_on {
            Some(token) => (
                token,
                Timestamp::MIN,
                "goes on with the deletion that is under way",
            ),
            None => {
                let now = aws.stack(name).await?;
                let is_same = |now: &Stack| now.id == action.id && now.status == action.status;
                if !now.as_ref().is_some_and(is_same) {
                    let is = now.map_or_else(|| "gone".to_owned(), |now| now.status);
                    return Err(CtlError::changed(format!(
                        "delete {name}: it is {is} by now, and was {} when the plan was made",
                        action.status
                    ))
                    .hint((
                        "see how it is with",
                        CommandLine::bpctl(["stack", "status", name]),
                    )));
                }
                if let Some(unprotect) = &action.unprotect {
                    step.send(aws, unprotect).await?;
                }
                step.note(&format!("deletion of {name}"), &action.delete.token);
                step.send(aws, &action.delete).await?;
                (&action.delete.token, since, "began to delete it")
            }
        };
        let of = Of {
            stack: name,
            asked_by: &action.id,
            again: self.resume(&[name]),
        };
        let operation = Operation::new(of, action.resources, token, since).towards(Goal::Gone);
        self.operations.lock().await.insert(name.clone(), operation);
        Ok(Done::new(did))
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let mut operations = self.operations.lock().await;
        follow(self.ctx, &mut operations, run).await?;
        let gone = |one: &StackSeen| -> Vec<String> {
            let operation = operations.get(&one.stack.name);
            let gone =
                |(resource, _): &&(String, String)| operation.is_some_and(|it| it.has_deleted(resource));
            one.databases
                .iter()
                .filter(gone)
                .map(|(_, id)| id.clone())
                .collect()
        };
        let gone: Vec<(&StackSeen, Vec<String>)> = seen.stacks.iter().map(|one| (one, gone(one))).collect();
        if gone.iter().all(|(_, databases)| databases.is_empty()) {
            return Ok(());
        }
        let snapshots = self.ctx.aws.db_snapshots().await;
        for (one, databases) in gone {
            let name = &one.stack.name;
            let Some(operation) = operations.get(name) else {
                continue;
            };
            let mut result = operation.result();
            for database in databases {
                let found = snapshots
                    .as_ref()
                    .map(|all| last_snapshot(&database, all, result.began));
                match found {
                    Ok(Some(snapshot)) => result.snapshots.push(snapshot.to_owned()),
                    Ok(None) => run.end(name.clone(), without_snapshot(operation.end(), &database, None)),
                    Err(error) => {
                        run.end(
                            name.clone(),
                            without_snapshot(operation.end(), &database, Some(error)),
                        );
                    }
                }
            }
            run.ending(name.clone(), result);
        }
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<StacksDeleted> {
        Some(StacksDeleted {
            run: outcome.run.clone(),
            stacks: outcome.endings.values().cloned().collect(),
        })
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        let left: Vec<&str> = if left.is_empty() {
            self.names.iter().map(String::as_str).collect()
        } else {
            left.to_vec()
        };
        let mut command = CommandLine::bpctl(["stack", "delete"]).args(left);
        for resource in &self.retain {
            command = command.option("--retain", resource);
        }
        if self.unprotect {
            command = command.args(["--unprotect"]);
        }
        command
    }

    fn explain(&self, error: CtlError, outcome: &Outcome<Self>) -> CtlError {
        let failed = outcome
            .endings
            .values()
            .find(|ending| ending.status.as_deref() == Some("DELETE_FAILED"));
        match failed {
            Some(ending) if !ending.failures.is_empty() => {
                let command = ending.failures.iter().fold(
                    CommandLine::bpctl(["stack", "delete", ending.stack.as_str()]),
                    |command, failure| command.option("--retain", &failure.resource),
                );
                error.hint((
                    "mend what is in the way, or let what could not be deleted stay:",
                    command,
                ))
            }
            _ => error,
        }
    }
}

/// The snapshot that CloudFormation has taken of a database before it went: a manual one, complete, since the deletion of
/// the stack began.
fn last_snapshot<'s>(
    database: &str,
    snapshots: &'s [ListedSnapshot],
    began: Option<Timestamp>,
) -> Option<&'s str> {
    let is_last = |snapshot: &&ListedSnapshot| {
        snapshot.instance == database
            && snapshot.kind == "manual"
            && snapshot.status == "available"
            && began.is_some_and(|began| snapshot.taken.is_some_and(|taken| taken >= began))
    };
    snapshots
        .iter()
        .find(is_last)
        .map(|snapshot| snapshot.id.as_str())
}

/// The end of a stack whose database has gone without a snapshot, or whose snapshot RDS did not let bpctl look for (`unseen`).
fn without_snapshot(end: End, database: &str, unseen: Option<&CtlError>) -> End {
    let missing = match unseen {
        None => format!("database {database} is gone, and no last snapshot of it is there"),
        Some(error) => {
            format!("database {database} is gone, and its last snapshot could not be looked for: {error}")
        }
    };
    let error = match end {
        End::Failed(error) | End::RolledBack(error) => error.cause(missing),
        _ => CtlError::new(unseen.map_or(ErrorKind::Failed, CtlError::kind), missing),
    };
    let snapshots = CommandLine::aws("rds", "describe-db-snapshots");
    End::Failed(error.hint((
        "see which snapshots there are with",
        snapshots.option("--db-instance-identifier", database),
    )))
}

/// What a stack holds, and who needs it.
async fn look(ctx: &Ctx, stack: Stack, recent: &[Record]) -> Result<StackSeen> {
    let template = deployed(ctx, &stack.name).await?.unwrap_or(Value::Null);
    let resources = compare(&template, &Value::Null).changes;
    let mut importers = BTreeSet::new();
    for export in stack.exports.keys() {
        importers.extend(ctx.aws.importers(export).await?);
    }
    importers.remove(&stack.name);
    let going_on = match stack.status.as_str() {
        "DELETE_IN_PROGRESS" => {
            let events = ctx.aws.stack_events(&stack.name).await?;
            super::deploy::observe::token_of_ours(&stack.name, &events, recent)
        }
        _ => None,
    };
    let snapshotted = |change: &&ResourceChange| change.as_snapshot && change.kind == "AWS::RDS::DBInstance";
    let mut databases = Vec::new();
    if resources.iter().any(|change| snapshotted(&change)) {
        let wanted: Vec<&ResourceChange> = resources.iter().filter(snapshotted).collect();
        let there = ctx.aws.stack_resources(&stack.id).await?.into_iter();
        let there = there.filter(|one| wanted.iter().any(|change| change.resource == one.logical));
        // Of one that went with an earlier deletion, that one has looked for its snapshot.
        let there = there.filter(|one| one.status != "DELETE_COMPLETE");
        databases.extend(there.filter_map(|one| Some((one.logical, one.physical?))));
    }
    Ok(StackSeen {
        stack,
        resources,
        databases,
        importers,
        going_on,
    })
}

impl Deletion<'_> {
    fn step(&self, seen: &Seen, one: &StackSeen, basis: &Basis<'_>) -> Step<Action> {
        let name = one.stack.name.clone();
        let is_planned = |name: &&String| seen.stacks.iter().any(|other| other.stack.name == **name);
        let needs: Vec<String> = one.importers.iter().filter(is_planned).cloned().collect();
        let is_protected = one.stack.termination_protection == Some(true);
        let kept: Vec<&str> = one
            .resources
            .iter()
            .filter(|change| change.kept && !change.as_snapshot || self.retain.contains(&change.resource))
            .map(|change| change.resource.as_str())
            .collect();
        let lost: Vec<String> = one
            .resources
            .iter()
            .filter(|change| !self.retain.contains(&change.resource))
            .filter_map(|change| Some(format!("{} of {}", change.loses()?, change.resource)))
            .collect();
        let loses = match lost.is_empty() {
            true => Loss::Work(format!("what {name} runs")),
            false => Loss::Data(lost.join(", ")),
        };
        let going = one.resources.len() - kept.len();
        let retain = self.retain.iter().filter(|resource| {
            let names = one.resources.iter().map(|change| &change.resource);
            one.stack.status == "DELETE_FAILED" && names.into_iter().any(|name| name == *resource)
        });
        let action = Action {
            id: one.stack.id.clone(),
            status: one.stack.status.clone(),
            resources: going,
            unprotect: (is_protected && self.unprotect).then(|| SetTerminationProtection {
                stack: name.clone(),
                enabled: false,
            }),
            delete: DeleteStack {
                stack: name.clone(),
                retain: retain.cloned().collect(),
                token: format!("{}-delete", basis.names.token),
                loses: Some(loses),
            },
            needs: needs.clone(),
            going_on: one.going_on.clone(),
        };
        let mut calls = Vec::new();
        if one.going_on.is_none() {
            calls.extend(action.unprotect.as_ref().map(crate::change::Call::described));
            calls.push(action.delete.described());
        }
        let summary = match one.going_on {
            Some(_) => "go on with its deletion, which is under way".to_owned(),
            None => format!("delete it with {going} resources"),
        };
        let mut step = Step::new(name, summary, calls, action).changing(one.stack.status.clone(), "gone");
        step.waits = !needs.is_empty();
        if !kept.is_empty() {
            step.notes
                .push(format!("stays in the account: {}", kept.join(", ")));
        }
        let databases: Vec<&str> = one.databases.iter().map(|(_, id)| id.as_str()).collect();
        if !databases.is_empty() {
            step.notes
                .push(format!("a last snapshot stays of {}", databases.join(", ")));
        }
        step
    }
}

impl Render for StacksDeleted {
    fn human(&self, view: &View) -> String {
        let with_snapshots = self.stacks.iter().any(|stack| !stack.snapshots.is_empty());
        let mut headers = vec!["STACK", "STATUS", "DURATION"];
        headers.extend(with_snapshots.then_some("LAST SNAPSHOT"));
        let mut table = Table::new(&headers);
        for stack in &self.stacks {
            let took = match (stack.began, stack.ended) {
                (Some(began), Some(ended)) => took(began, ended),
                _ => "-".to_owned(),
            };
            let status = stack.status.clone().unwrap_or_else(|| "under way".to_owned());
            let mut cells = vec![stack.stack.clone(), status, took];
            cells.extend(with_snapshots.then(|| match stack.snapshots.as_slice() {
                [] => "-".to_owned(),
                snapshots => snapshots.join(", "),
            }));
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.stacks.iter().map(|stack| stack.stack.clone()).collect()
    }
}
