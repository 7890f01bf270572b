//! `bpctl fleet config set`: other values of single members.

use clap::Args;

use super::change::{ConfigChange, USES, Wanted};
use super::parameter;
use crate::change::{ChangeArgs, carry_out};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::exit::ExitStatus;
use crate::fleet::desired_config::FleetConfig;
use crate::fleet::named_one;
use crate::iam::{CHANGE, Uses};
use crate::layout::FleetName;

/// Set instance type, template or the switch of a fleet's configuration; everything else in it stays
///
/// The result must be one that a stack can be made of: a template that exists, and an instance type that it allows. It
/// takes effect when the fleet's stack is applied.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("member").required(true).multiple(true).args(["instance_type", "template", "enabled"])))]
#[command(after_help = "Examples:
  bpctl fleet config set production/gpu-default --instance-type g5.xlarge
  bpctl fleet config set production/gpu-p --template gpu-p-series --instance-type p5.48xlarge
  bpctl fleet config set staging/gpu-default --enabled false --dry-run")]
pub(crate) struct SetArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// Instance type of new instances
    #[arg(long, value_name = "TYPE")]
    instance_type: Option<String>,

    /// Fleet template
    #[arg(long, value_name = "SLUG")]
    template: Option<String>,

    /// Whether the fleet is enabled
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for SetArgs {
    fn uses() -> Uses {
        Uses::of(&[CHANGE, USES])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let change = ConfigChange {
            ctx,
            parameter: parameter(&layout, &fleet)?,
            layout,
            fleet,
            wanted: Members {
                instance_type: self.instance_type,
                template: self.template,
                enabled: self.enabled,
            },
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Members {
    instance_type: Option<String>,
    template: Option<String>,
    enabled: Option<bool>,
}

impl Wanted for Members {
    const NAME: &'static str = "fleet config set";

    fn after(&self, before: &FleetConfig) -> FleetConfig {
        let mut config = before.clone();
        if let Some(template) = &self.template {
            config = config.with("template_slug", template.as_str());
        }
        if let Some(kind) = &self.instance_type {
            config = config.with("instance_type", kind.as_str());
        }
        match self.enabled {
            Some(enabled) => config.with("enabled", enabled),
            None => config,
        }
    }

    fn resume(&self, fleet: String) -> CommandLine {
        let mut command = CommandLine::bpctl(["fleet", "config", "set"]).args([fleet]);
        for (flag, value) in [
            ("--template", self.template.clone()),
            ("--instance-type", self.instance_type.clone()),
            ("--enabled", self.enabled.map(|enabled| enabled.to_string())),
        ] {
            if let Some(value) = value {
                command = command.option(flag, value);
            }
        }
        command
    }
}
