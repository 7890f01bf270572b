//! `bpctl fleet config get`: the configuration of a fleet, what is wrong with it, and whether it is in force.

use clap::Args;
use fleet_templates::FleetScaling;

use super::view::ConfigDetails;
use super::{missing, parameter, stored};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::desired_config::FleetConfig;
use crate::fleet::named_one;
use crate::iam::{On, Use, Uses};
use crate::layout::FleetName;

/// Show the configuration of a fleet, what is wrong with it, and whether the fleet's group has it already
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet config get production/gpu-default
  bpctl fleet config get production/gpu-default -o json --query config.instance_type")]
pub(crate) struct GetArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,
}

impl Verb for GetArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("ssm:GetParameters", On::FleetParameters),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let details = ctx.unless_interrupted(look(ctx, &self.fleet)).await?;
        ctx.emit(&details)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, name: &FleetName) -> Result<ConfigDetails> {
    let layout = ctx.layout()?;
    let fleet = named_one(&ctx.aws, &layout, name).await?;
    let parameter = parameter(&layout, &fleet)?;
    let groups = [layout.auto_scaling_group(&fleet)];
    let (found, groups) = futures::try_join!(stored(&ctx.aws, &parameter), ctx.aws.groups_named(&groups))?;
    let found = found.ok_or_else(|| missing(&fleet, &parameter))?;
    let group_instance_types = groups.into_iter().next().map(|group| group.instance_types);
    let config = FleetConfig::parse(&found.text);
    let problems = match &config {
        Ok(config) => config.problems(&layout.ami_parameter(&fleet)),
        Err(why) => vec![why.clone()],
    };
    let config = config.ok();
    let template = config.as_ref().and_then(FleetConfig::template);
    let template = template.and_then(FleetScaling::template);
    let kind = config.as_ref().and_then(FleetConfig::instance_type);
    let applied = group_instance_types
        .as_ref()
        .zip(kind)
        .map(|(types, kind)| types.iter().any(|one| one == kind));
    Ok(ConfigDetails {
        fleet,
        parameter,
        version: found.version,
        modified: found.modified,
        problems,
        allowed_instance_types: template
            .map(|template| template.instance_types)
            .unwrap_or_default(),
        group_instance_types,
        applied,
        config: config.map(|config| config.0),
        now: ctx.clock.now(),
    })
}
