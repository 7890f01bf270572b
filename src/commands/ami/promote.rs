//! `bpctl ami promote`: an image becomes the one that a fleet's new instances start from.

use clap::Args;

use super::pointer::{Move, Wanted};
use crate::change::{ChangeArgs, carry_out};
use crate::commands::fleet::refresh::RefreshOptions;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::named;
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetName, ImageId};

/// Make an image the one that a fleet's new instances start from
///
/// The image must exist, be available and belong to this account, have the processor of the fleet's instance types and
/// the fleet's name in its tags; the root volume must be encrypted, by the image or by the launch template. The pointer
/// is written with the data type `aws:ec2:image`, read back, and the launch template asked what it resolves to.
/// Instances that run keep their image until they are replaced: `--refresh` does that as well, and follows it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl ami promote ami-0123456789abcdef0 --fleet staging/gpu-default              one image to one fleet
  bpctl ami promote --from staging/gpu-default --to production/gpu-default         what staging starts from
  bpctl ami promote --from staging/gpu-default --to production/gpu-default --refresh   and replace the instances
  bpctl ami promote ami-0123456789abcdef0 --fleet staging/gpu-default --dry-run    only say what would happen")]
pub(crate) struct PromoteArgs {
    /// The image
    #[arg(value_name = "AMI", value_parser = super::image, required_unless_present = "from",
          conflicts_with_all = ["from", "to"])]
    image: Option<ImageId>,

    /// The fleet that gets the image
    #[arg(long, value_name = "FLEET", required_unless_present = "to", conflicts_with_all = ["from", "to"],
          add = crate::completion::fleets())]
    fleet: Option<FleetName>,

    /// The fleet whose image is promoted
    #[arg(long, value_name = "FLEET", requires = "to", add = crate::completion::fleets())]
    from: Option<FleetName>,

    /// The fleet that gets it
    #[arg(long, value_name = "FLEET", requires = "from", add = crate::completion::fleets())]
    to: Option<FleetName>,

    /// Replace the fleet's instances afterwards, as `fleet refresh` does, and follow it
    #[arg(long)]
    refresh: bool,

    /// Promote an image of another account, with another fleet's tags or without an encrypted root volume
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for PromoteArgs {
    fn uses() -> Uses {
        super::pointer::uses(&[])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let Some(to) = self.to.or(self.fleet) else {
            return Err(CtlError::usage("promote an image: `--fleet` is missing"));
        };
        let names: Vec<FleetName> = [Some(to), self.from].into_iter().flatten().collect();
        let fleets = ctx.unless_interrupted(named(&ctx.aws, &layout, &names)).await?;
        let mut fleets = fleets.into_iter();
        let (Some(fleet), from) = (fleets.next(), fleets.next()) else {
            return Err(CtlError::usage("promote an image: the fleet is missing"));
        };
        let wanted = match (self.image, from) {
            (Some(image), None) => Wanted::Image(image),
            (None, Some(from)) if from == fleet => {
                return Err(CtlError::usage(format!(
                    "promote the image of {from}: `--from` and `--to` are the same fleet"
                ))
                .hint(
                    "`--from staging/gpu-default --to production/gpu-default` is what is meant, for example",
                ));
            }
            (None, Some(from)) => Wanted::ImageOf(from),
            _ => return Err(CtlError::usage("promote an image: AMI is missing")),
        };
        let change = Move::<false> {
            ctx,
            layout,
            fleet,
            wanted,
            refresh: self.refresh.then(RefreshOptions::default),
            force: self.force,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

/// What a rollback asks for beside it.
pub(super) const HISTORY: &[Use] = &[Use::of("ssm:GetParameterHistory", On::ImagePointers)];
