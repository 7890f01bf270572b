//! `bpctl stack diff`: what templates would change.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::deploy::{Request, SourceArgs, observe, source, synth};
use super::which;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{Required as _, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, View, paragraph};
use crate::stacks::Change;
use crate::ui::one_line;

/// Show what the templates of the infrastructure code would change, and change nothing
///
/// Compares them with the deployed ones: no change set is made. Which resources CloudFormation would replace is said by
/// the properties that differ, as the template reference tells of them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack diff compute                     one stack
  bpctl stack diff --exit-code                 status 9 when anything differs
  bpctl stack diff --assembly cdk.out -o json  from templates that are there already")]
pub(crate) struct StackDiffArgs {
    /// Only these stacks: their parts, names or fleets
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,

    #[command(flatten)]
    source: SourceArgs,

    /// End with status 9 when something differs
    #[arg(long)]
    exit_code: bool,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StackDiff {
    stacks: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    stack: String,
    /// Null for one that is not there.
    status: Option<String>,
    changes: Vec<Change>,
    /// Keys of outputs that differ.
    outputs: Vec<String>,
    /// Other parts of the template that differ.
    other: Vec<String>,
    tags_differ: bool,
    /// Exports that would go although stacks import them.
    exports_in_use: Vec<String>,
}

impl Row {
    fn differs(&self) -> bool {
        self.status.is_none()
            || self.tags_differ
            || !(self.changes.is_empty() && self.outputs.is_empty() && self.other.is_empty())
    }
}

impl Verb for StackDiffArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:GetTemplate", On::Stacks),
            Use::of("cloudformation:ListImports", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("ecr:BatchGetImage", On::Repositories),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, &self.stacks)?;
        let context = self.source.context()?;
        let looked = async {
            let account = ctx.aws.identity().await?.account.to_string();
            let region = ctx.aws.region().await?.required("the settings", "region")?;
            synth::check(&context, &region)?;
            let place = synth::Place {
                account: &account,
                region: &region,
            };
            let made = source::templates(ctx, &layout, place, &self.source, (&context).into()).await?;
            let request = Request {
                stacks: names,
                ..Request::of(&layout)
            };
            observe::observe(ctx, &layout, &made.assembly, &request, &[]).await
        };
        let seen = ctx.unless_interrupted(looked).await?;
        let rows = seen.stacks.into_iter().map(|stack| Row {
            tags_differ: stack.retags(),
            stack: stack.artifact.name,
            status: stack.present.map(|present| present.status),
            changes: stack.comparison.changes,
            outputs: stack.comparison.outputs,
            other: stack.comparison.other,
            exports_in_use: stack.imported.into_iter().map(|(export, _)| export).collect(),
        });
        let diff = StackDiff {
            stacks: rows.collect(),
        };
        ctx.emit(&diff)?;
        let differs = self.exit_code && diff.stacks.iter().any(Row::differs);
        Ok(if differs {
            ExitStatus::Differences
        } else {
            ExitStatus::Done
        })
    }
}

impl Render for StackDiff {
    fn human(&self, view: &View) -> String {
        let mut out = String::new();
        for row in &self.stacks {
            let what = match (&row.status, row.differs()) {
                (None, _) => "is new",
                (Some(_), true) => "differs",
                (Some(_), false) => "is the same",
            };
            out.push_str(&format!("{} {what}\n", one_line(&row.stack)));
            for change in &row.changes {
                let mut line = change.line();
                if let Some(lost) = change.loses() {
                    line.push_str(&format!("; loses {lost}"));
                }
                paragraph(&mut out, view, "  ", &line);
            }
            for (what, names) in [
                ("outputs: ", &row.outputs),
                ("also differs: ", &row.other),
                ("exports in use that would go: ", &row.exports_in_use),
            ] {
                if row.status.is_some() && !names.is_empty() {
                    paragraph(&mut out, view, &format!("  {what}"), &names.join(", "));
                }
            }
            if row.tags_differ {
                out.push_str("  its tags differ\n");
            }
        }
        out
    }

    fn names(&self) -> Vec<String> {
        let differing = self.stacks.iter().filter(|row| row.differs());
        differing.map(|row| row.stack.clone()).collect()
    }
}
