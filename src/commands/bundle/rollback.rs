//! `bpctl bundle rollback`: fleets go back to the bundle before.

use clap::Args;

use super::library::Library;
use super::pointer::{Move, SMALL, Wanted};
use super::verify::Depth;
use crate::change::{ChangeArgs, carry_out};
use crate::commands::fleet::refresh::{self, RefreshOptions};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::named;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::FleetName;

/// Take fleets back to the bundle that was active before
///
/// The way back is the newest other value in the history of each fleet's pointer. A pointer that has been moved back
/// already stays: repeating the command does not go forward again. The bundle is verified as for `bundle activate`, and
/// `--refresh` replaces the nodes that run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle rollback --fleet production/gpu-default                  to the bundle before
  bpctl bundle rollback --fleet production/gpu-default --to-version 3   to that of a version in `bundle history`
  bpctl bundle rollback --fleet production/gpu-default --refresh        and replace the nodes that run
  bpctl bundle rollback --fleet production/gpu-default --dry-run        only say what would happen")]
pub(crate) struct RollbackArgs {
    /// A fleet, e.g. production/gpu-default; may be given several times
    #[arg(long = "fleet", value_name = "FLEET", required = true, add = crate::completion::fleets())]
    fleets: Vec<FleetName>,

    /// The version of the pointer to go back to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    to_version: Option<i64>,

    /// Replace the fleets' instances afterwards, as `fleet refresh` does, and follow it
    #[arg(long)]
    refresh: bool,

    /// Read and hash the content of every object first; bundles of up to 256 MiB are hashed anyway
    #[arg(long)]
    deep: bool,

    /// Go back to a bundle that fails its verification
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for RollbackArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("ec2:DescribeImages", On::Anything),
                Use::of("s3:GetObject", On::Assets),
                Use::of("s3:GetObject", On::Bundles),
                Use::of("ssm:GetParameterHistory", On::ActiveBundles),
                Use::of("ssm:GetParameters", On::FleetParameters),
                Use::of("ssm:PutParameter", On::ActiveBundles),
            ],
        ])
        .with("--refresh", &refresh::uses_within())
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let mut fleets = ctx
            .unless_interrupted(named(&ctx.aws, &layout, &self.fleets))
            .await?;
        fleets.sort();
        fleets.dedup();
        let change = Move::<true> {
            ctx,
            library: ctx.unless_interrupted(Library::open(ctx)).await?,
            fleets,
            wanted: self.to_version.map_or(Wanted::Previous, Wanted::Version),
            depth: if self.deep {
                Depth::Hashed
            } else {
                Depth::HashedUpTo(SMALL)
            },
            refresh: self.refresh.then(RefreshOptions::default),
            force: self.force,
        };
        carry_out(ctx, &change, &self.change).await
    }
}
