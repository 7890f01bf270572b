//! `bpctl stack outputs`: what stacks tell of themselves.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::which;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, Table, View};

/// Show the outputs of stacks, and under which names other stacks import them
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack outputs
  bpctl stack outputs compute
  bpctl stack outputs compute -o json --query \"outputs[?key=='AlbDns'].value\"")]
pub(crate) struct OutputsArgs {
    /// Only of these stacks
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StackOutputs {
    outputs: Vec<Output>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    stack: String,
    key: String,
    value: String,
    /// The name under which other stacks import it.
    export: Option<String>,
}

impl Verb for OutputsArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, &self.stacks)?;
        let found = ctx
            .unless_interrupted(which::chosen(ctx, &layout, &names))
            .await?;
        let mut outputs = Vec::new();
        for (_, stack) in found {
            for (key, value) in stack.outputs {
                outputs.push(Output {
                    stack: stack.name.clone(),
                    export: stack.exported_as.get(&key).cloned(),
                    key,
                    value,
                });
            }
        }
        if outputs.is_empty() {
            ctx.ui.status("There are no outputs");
        }
        ctx.emit(&StackOutputs { outputs })?;
        Ok(ExitStatus::Done)
    }
}

impl Render for StackOutputs {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["STACK", "KEY", "VALUE"];
        if view.wide {
            headers.push("EXPORT");
        }
        let mut table = Table::new(&headers);
        for output in &self.outputs {
            let mut cells = vec![output.stack.clone(), output.key.clone(), output.value.clone()];
            if view.wide {
                cells.push(output.export.clone().unwrap_or_else(|| "-".to_owned()));
            }
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.outputs.iter().map(|output| output.key.clone()).collect()
    }
}
