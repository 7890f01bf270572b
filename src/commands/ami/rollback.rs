//! `bpctl ami rollback`: a fleet goes back to the image before.

use clap::Args;

use super::pointer::{Move, Wanted};
use crate::change::{ChangeArgs, carry_out};
use crate::commands::fleet::refresh::RefreshOptions;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::iam::Uses;
use crate::layout::FleetName;

/// Take a fleet back to the image that it had before, and replace its instances
///
/// The way back is the newest other value in the history of the fleet's pointer. AWS rolls no refresh back when the
/// launch template names its image by a parameter, and its skip matching compares the template and not the image that
/// the parameter names: it would replace nothing. So the pointer moves back and a new refresh replaces the instances.
/// A pointer that has been moved back already stays: repeating the command does not go forward again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl ami rollback --fleet production/gpu-default                  to the image before, and replace the instances
  bpctl ami rollback --fleet production/gpu-default --to-version 3   to that of a version in `ami history`
  bpctl ami rollback --fleet production/gpu-default --no-refresh     only new instances start from it")]
pub(crate) struct RollbackArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(long, value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// The version of the pointer to go back to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    to_version: Option<i64>,

    /// Leave the instances that run as they are
    #[arg(long)]
    no_refresh: bool,

    /// Go back to an image that `ami promote` would refuse
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for RollbackArgs {
    fn uses() -> Uses {
        super::pointer::uses(super::promote::HISTORY)
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let change = Move::<true> {
            ctx,
            layout,
            fleet,
            wanted: Wanted::Before(self.to_version),
            refresh: (!self.no_refresh).then(RefreshOptions::default),
            force: self.force,
        };
        carry_out(ctx, &change, &self.change).await
    }
}
