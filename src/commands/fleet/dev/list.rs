//! `bpctl fleet dev list`: the development instances of the region.

use clap::Args;

use super::view::{DevInstance, DevList};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::iam::{On, Use, Uses};
use crate::layout::FleetName;

/// List the development instances, those of the local script as well
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet dev list
  bpctl fleet dev list staging/gpu-default -o wide")]
pub(crate) struct ListArgs {
    /// Only those of this fleet
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: Option<FleetName>,
}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[Use::of("ec2:DescribeInstances", On::Anything)]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let list = ctx.unless_interrupted(self.look(ctx)).await?;
        if list.instances.is_empty() {
            ctx.ui.status("There are no development instances");
        }
        ctx.emit(&list)?;
        Ok(ExitStatus::Done)
    }
}

impl ListArgs {
    async fn look(&self, ctx: &Ctx) -> Result<DevList> {
        let only = match &self.fleet {
            Some(name) => Some(named_one(&ctx.aws, &ctx.layout()?, name).await?.to_string()),
            None => None,
        };
        let mut found = super::instances(&ctx.aws).await?;
        found.retain(|machine| only.is_none() || super::fleet(machine) == only);
        found.sort_by_key(|machine| std::cmp::Reverse(machine.launched));
        Ok(DevList {
            at: ctx.clock.now(),
            instances: found.iter().map(DevInstance::of).collect(),
        })
    }
}
