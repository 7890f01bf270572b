//! `bpctl stack import`: resources that are there already become a stack's.

mod act;
mod observe;
mod plan;
#[cfg(test)]
mod plan_tests;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::deploy::SourceArgs;
use super::deploy::source;
use super::deploy::synth::{self, no_such_stack};
use super::operation::{Goal, Of, Operation, Operations, StackResult, follow};
use super::which;
use crate::aws::cloudformation::{CreateImportSet, DeleteChangeSet, DeleteStack, ExecuteChangeSet, Import};
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, RunId, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::output::{Render, Table, View};
use crate::stacks::StackArtifact;
use observe::Seen;

/// Take resources that are there already into a stack
///
/// A log group, bucket or database that outlived its stack keeps the next stack from being made: CloudFormation creates
/// nothing under a name that is taken. This verb takes such resources in, as the template describes them, and changes
/// nothing else: they stay what they are, and so does the rest of the stack. Without `--resource` it takes in what the
/// template names, the account has and no stack owns. A stack that is not there begins with them; `bpctl stack deploy`
/// then makes the rest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack import data --dry-run                              what would be taken in
  bpctl stack import data --resource MediaBucket                 one resource, by the name in the template
  bpctl stack import data --resource Database=bp-data-database-1abc2def
  bpctl stack import staging/gpu-default -c fleetStage=staging -c fleetSlug=gpu-default -c templateSlug=gpu-default -c instanceType=g5.xlarge")]
pub(crate) struct ImportArgs {
    /// Which stack: its part, name or fleet
    #[arg(value_name = "STACK")]
    stack: String,

    /// A resource of the template; with the name that it has in the account, where the template does not say it; may be
    /// repeated
    #[arg(long, value_name = "LOGICAL_ID[=[PROPERTY=]IDENTIFIER]", value_parser = asked)]
    resource: Vec<Asked>,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

/// A resource that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    logical: String,
    /// The property that identifies its kind, where bpctl does not know it.
    property: Option<String>,
    identifier: Option<String>,
}

impl Asked {
    fn text(&self) -> String {
        let parts = [
            Some(&self.logical),
            self.property.as_ref(),
            self.identifier.as_ref(),
        ];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        parts.join("=")
    }
}

/// For clap.
fn asked(text: &str) -> Result<Asked, String> {
    let parts: Vec<&str> = text.splitn(3, '=').collect();
    let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
    let is_value = |value: &str| !value.is_empty() && !value.chars().any(char::is_control);
    let (logical, property, identifier) = match parts.as_slice() {
        [logical] => (*logical, None, None),
        [logical, identifier] => (*logical, None, Some(*identifier)),
        [logical, property, identifier] => (*logical, Some(*property), Some(*identifier)),
        _ => ("", None, None),
    };
    if !is_id(logical) || !property.is_none_or(is_id) || !identifier.is_none_or(is_value) {
        return Err(
            "write the resource's name in the template, `NAME=IDENTIFIER` or `NAME=PROPERTY=IDENTIFIER`"
                .to_owned(),
        );
    }
    Ok(Asked {
        logical: logical.to_owned(),
        property: property.map(str::to_owned),
        identifier: identifier.map(str::to_owned),
    })
}

impl Verb for ImportArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("cloudformation:CreateChangeSet", On::Stacks),
                Use::of("cloudformation:DeleteChangeSet", On::Stacks),
                Use::of("cloudformation:DeleteStack", On::Stacks),
                Use::of("cloudformation:DescribeChangeSet", On::Stacks),
                Use::of("cloudformation:DescribeStackEvents", On::Stacks),
                Use::of("cloudformation:DescribeStackResources", On::Anything),
                Use::of("cloudformation:DescribeStacks", On::Anything),
                Use::of("cloudformation:ExecuteChangeSet", On::Stacks),
                Use::of("cloudformation:GetTemplate", On::Stacks),
                Use::of("cloudformation:ListStackResources", On::Stacks),
                Use::of("ecr:DescribeRepositories", On::AllRepositories),
                Use::of("iam:PassRole", On::CdkExecutionRole),
                Use::of("logs:DescribeLogGroups", On::Anything),
                Use::of("rds:DescribeDBInstances", On::Databases),
                Use::of("s3:ListBucket", On::Importable),
                Use::of("ssm:GetParameters", On::Importable),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, std::slice::from_ref(&self.stack))?;
        let name = names.into_iter().next().unwrap_or_default();
        for (at, one) in self.resource.iter().enumerate() {
            if self.resource[..at]
                .iter()
                .any(|other| other.logical == one.logical)
            {
                return Err(CtlError::usage(format!(
                    "import into {name}: `{}` is given twice",
                    one.logical
                )));
            }
        }
        let context = self.source.context()?;
        let target = ctx.unless_interrupted(ctx.target()).await?;
        synth::check(&context, &target.region)?;
        let made = source::templates(ctx, &layout, (&target).into(), &self.source, (&context).into()).await?;
        let Some(artifact) = made.assembly.stack(&name).cloned() else {
            return Err(no_such_stack(&name, &made.assembly));
        };
        let change = Importing {
            ctx,
            artifact,
            command: self
                .source
                .added(CommandLine::bpctl(["stack", "import", name.as_str()])),
            deploy: self
                .source
                .added(CommandLine::bpctl(["stack", "deploy", name.as_str()])),
            asked: self.resource,
            operations: Mutex::new(Operations::new()),
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Importing<'a> {
    ctx: &'a Ctx,
    artifact: StackArtifact,
    asked: Vec<Asked>,
    /// This command without its resources, and the one that makes the rest of the stack.
    command: CommandLine,
    deploy: CommandLine,
    operations: Mutex<Operations>,
}

/// The only step.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Action {
    /// The stack's status when the plan was made; none for a new stack.
    status: Option<String>,
    /// Removes what a creation that was rolled back has left.
    delete: Option<DeleteStack>,
    create: CreateImportSet,
    discard: DeleteChangeSet,
    /// Takes back the empty stack that a change set of a new one makes.
    discard_stack: Option<DeleteStack>,
    execute: ExecuteChangeSet,
    going_on: Option<String>,
}

/// A resource that was taken in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Imported {
    /// Its name in the template.
    resource: String,
    /// E.g. `AWS::Logs::LogGroup`.
    kind: String,
    /// Its name in the account.
    identifier: String,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImportResult {
    run: RunId,
    #[serde(flatten)]
    stack: StackResult,
    imported: Vec<Imported>,
    /// What is done next.
    next: Vec<Hint>,
}

impl Change for Importing<'_> {
    const NAME: &'static str = "stack import";
    type Seen = Seen;
    type Action = Action;
    /// What was taken in.
    type Output = Vec<Import>;
    type Ending = StackResult;
    type Document = ImportResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("import into {}", self.artifact.name),
            thing: "stack",
            settle: "see every resource in the stack".to_owned(),
            following: "Following the stack".to_owned(),
        }
    }

    async fn observe(&self, target: &Target, recent: &[Record]) -> Result<Seen> {
        observe::observe(self.ctx, &self.artifact, &self.asked, target, recent).await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        Ok(plan::plan(&self.artifact, &self.asked, seen, basis))
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        vec![self.artifact.name.clone()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let action = step.action();
        let name = &self.artifact.name;
        let began = self.ctx.clock.now();
        let (token, since, did) = match &action.going_on {
            Some(token) => (token, Timestamp::MIN, "goes on with the import that is under way"),
            None => {
                act::begin(self, step).await?;
                (&action.execute.token, began, "began to take in what is there")
            }
        };
        let of = Of {
            stack: name,
            asked_by: name,
            again: self.resume(&[]),
        };
        let imports = &action.create.imports;
        let operation = Operation::new(of, imports.len(), token, since).towards(Goal::Import);
        self.operations.lock().await.insert(name.clone(), operation);
        Ok(Done::new(did).with(imports.clone()))
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let mut operations = self.operations.lock().await;
        follow(self.ctx, &mut operations, run).await?;
        let name = &self.artifact.name;
        let has_ended_well = operations.get(name).is_some_and(Operation::is_good);
        let meant = run.done().into_iter().find_map(|(_, imports)| imports);
        if let (true, Some(meant)) = (has_ended_well, meant) {
            let resources = self.ctx.aws.stack_resources(name).await?;
            let has = |import: &&Import| {
                resources.iter().any(|resource| {
                    resource.logical == import.logical
                        && resource.physical.as_deref() == Some(import.identifier.as_str())
                })
            };
            let lost: Vec<&str> = meant
                .iter()
                .filter(|import| !has(import))
                .map(|import| import.logical.as_str())
                .collect();
            if !lost.is_empty() {
                let error = CtlError::new(
                    ErrorKind::Failed,
                    format!(
                        "import into {name}: CloudFormation has ended well, and the stack does not show {}",
                        lost.join(", ")
                    ),
                );
                run.end(name.clone(), End::Failed(error));
            }
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<ImportResult> {
        let name = &self.artifact.name;
        let ended = outcome.endings.get(name).cloned();
        let is_in = ended
            .as_ref()
            .is_some_and(|ended| ended.status.as_deref() == Some("IMPORT_COMPLETE"));
        let imported = seen.imports().into_iter().filter(|_| is_in);
        let imported: Vec<Imported> = imported
            .map(|import| Imported {
                resource: import.logical,
                kind: import.kind,
                identifier: import.identifier,
            })
            .collect();
        let next = match is_in {
            true => vec![
                (
                    "see whether they are as the template says with",
                    CommandLine::bpctl(["stack", "drift", name.as_str()]),
                )
                    .into(),
                ("then make the rest of the stack with", self.deploy.clone()).into(),
            ],
            false => Vec::new(),
        };
        let stack = ended.unwrap_or_else(|| StackResult::unchanged(name));
        Some(ImportResult {
            run: outcome.run.clone(),
            stack,
            imported,
            next,
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let asked = self.asked.iter();
        asked.fold(self.command.clone(), |command, one| {
            command.option("--resource", one.text())
        })
    }
}

impl Render for ImportResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["RESOURCE", "KIND", "IDENTIFIER"]);
        for one in &self.imported {
            table.row([one.resource.clone(), one.kind.clone(), one.identifier.clone()]);
        }
        let mut text = match self.imported.is_empty() {
            true => String::new(),
            false => table.render(view),
        };
        for (number, step) in self.next.iter().enumerate() {
            let label = if number == 0 { "next:" } else { "then:" };
            text.push_str(&format!("{label} {}\n", crate::ui::one_line(&step.line())));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.imported.iter().map(|one| one.resource.clone()).collect()
    }
}
