//! `bpctl bundle activate`: a bundle becomes the active one of fleets.

use clap::Args;

use super::library::Library;
use super::name::BundleName;
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

/// Make a bundle the active one of fleets
///
/// Verifies the bundle, says what nodes will do (skip the synchronisation, or how much they fetch), moves each fleet's
/// pointer if it is still as it was shown, and reads it back. A bundle that fails its verification is refused. Nodes
/// that run keep what they have until they are replaced: `--refresh` does that as well, and follows it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle activate c81d4e2e --fleet staging/gpu-default             one fleet
  bpctl bundle activate c81d4e2e --fleet staging/a --fleet staging/b     several
  bpctl bundle activate c81d4e2e --fleet production/gpu-default --deep   hash all of it first, whatever its size
  bpctl bundle activate c81d4e2e --fleet staging/gpu-default --refresh   and replace the nodes that run
  bpctl bundle activate c81d4e2e --fleet staging/gpu-default --dry-run   only say what would happen")]
pub(crate) struct ActivateArgs {
    /// The bundle: its id or the beginning of it
    #[arg(value_name = "BUNDLE", value_parser = super::name::parse)]
    bundle: BundleName,

    /// A fleet, e.g. staging/gpu-default; may be given several times
    #[arg(long = "fleet", value_name = "FLEET", required = true, add = crate::completion::fleets())]
    fleets: Vec<FleetName>,

    /// Replace the fleets' instances afterwards, as `fleet refresh` does, and follow it
    #[arg(long)]
    refresh: bool,

    /// Read and hash the content of every object first; bundles of up to 256 MiB are hashed anyway
    #[arg(long)]
    deep: bool,

    /// Activate a bundle that fails its verification
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for ActivateArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("ec2:DescribeImages", On::Anything),
                Use::of("s3:GetObject", On::Assets),
                Use::of("s3:GetObject", On::Bundles),
                Use::of("s3:ListBucket", On::ModelsBucket),
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
        let change = Move::<false> {
            ctx,
            library: ctx.unless_interrupted(Library::open(ctx)).await?,
            fleets,
            wanted: Wanted::Bundle(self.bundle),
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
