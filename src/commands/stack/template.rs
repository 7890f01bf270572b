//! `bpctl stack template`: one of the templates that bpctl makes itself.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::deploy::source::Source;
use super::deploy::synth::{self, Context};
use super::which;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Required as _, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, View};
use crate::stacks::Environment;

/// Print the template of a stack that bpctl makes itself, without the CDK
///
/// The settings come from a file in TOML, or from `[blueprint]` of `bpctl.toml`: a preset, sizes, domain, address for
/// alerts, budget, fleets. Without any the template is that of the platform as it is, without a domain and without
/// fleets. Names are those of the context's layout; in layout `staged` its stage chooses the preset, and all fleets are in
/// the stack `gpu`. AWS is not asked; account and region are those of the context, or the flags.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack template data --account-id 123456789012                 JSON, for CloudFormation or a linter
  bpctl stack template data -o yaml --query template                  the same as YAML
  bpctl stack template compute --blueprint platform.toml --account-id 123456789012
  bpctl stack template gpu --layout staged --stage staging            all fleets of a stage
  bpctl stack deploy --all --blueprint platform.toml --dry-run        what it would do")]
pub(crate) struct TemplateArgs {
    /// Which stack: its part, name or fleet
    #[arg(value_name = "STACK")]
    stack: String,

    /// The settings
    #[arg(long, value_name = "FILE")]
    blueprint: Option<PathBuf>,

    /// The platform's choices where they contradict each other, too
    #[arg(long)]
    upstream_compatible: bool,
}

/// The document: the template itself.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PrintedTemplate {
    stack: String,
    /// As CloudFormation takes it.
    template: serde_json::Value,
}

impl Verb for TemplateArgs {
    fn needs(&self) -> Needs {
        Needs::SETTINGS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let names = which::named(&layout, std::slice::from_ref(&self.stack))?;
        let account = ctx
            .settings
            .account_id
            .as_ref()
            .map(|account| account.value.to_string());
        let account = account.ok_or_else(|| {
            CtlError::config(
                "make the template: the account is not known, and its number is in the names of the buckets",
            )
            .hint("give `--account-id`, or set `account_id` in the context")
        })?;
        let region = ctx.settings.region.as_ref().map(|region| region.value.clone());
        let region = region.ok_or_else(|| {
            CtlError::config("make the template: the region is not known").hint("give `--region`")
        })?;
        let here = Environment {
            partition: crate::settings::partition(&region).unwrap_or("aws"),
            account: &account,
            region: &region,
        };
        let source = match &self.blueprint {
            Some(file) => Source::File(file.clone()),
            // The app's templates are printed by the app.
            None => Source::own(ctx),
        };
        let mut blueprint = source.blueprint(ctx, &layout, here, &Context::new())?;
        if self.upstream_compatible {
            blueprint = blueprint.upstream_compatible();
        }
        let assembly = blueprint.assembly()?;
        let name = names.first().required("the command line", "STACK")?;
        let stack = assembly
            .stack(name)
            .ok_or_else(|| synth::no_such_stack(name, &assembly))?;
        ctx.emit(&PrintedTemplate {
            stack: stack.name.clone(),
            template: stack.template.clone(),
        })?;
        Ok(ExitStatus::Done)
    }
}

impl Render for PrintedTemplate {
    fn human(&self, _view: &View) -> String {
        format!("{:#}\n", self.template)
    }

    fn names(&self) -> Vec<String> {
        vec![self.stack.clone()]
    }
}
