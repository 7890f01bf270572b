//! Where the fleet comes from that a command thinks about: a live one, or a file.

use std::path::PathBuf;

use clap::Args;

use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::fleet::named_one;
use crate::fleet::scaling::{Model, facts_of, model, read_file, with_templates};
use crate::layout::FleetName;

/// A live fleet or a configuration file.
#[derive(Debug, Args)]
pub(super) struct FleetSource {
    /// Fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: Option<FleetName>,

    /// The fleet's configuration (TOML or JSON) instead of a live fleet's
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "fleet")]
    config: Option<PathBuf>,
}

impl FleetSource {
    /// Whether AWS has to be asked.
    pub(super) fn is_live(&self) -> bool {
        self.config.is_none()
    }

    /// The live fleet, when it is one.
    pub(super) fn fleet(&self) -> Option<&FleetName> {
        self.fleet.as_ref()
    }

    /// The fleet.
    ///
    /// # Errors
    /// Neither or an unusable one is given; or AWS cannot be asked.
    pub(super) async fn model(&self, ctx: &Ctx) -> Result<Model> {
        match (&self.fleet, &self.config) {
            (_, Some(file)) => read_file(&ctx.cwd.join(file), file),
            (Some(fleet), None) => live(ctx, fleet).await,
            (None, None) => Err(neither()),
        }
    }

    /// Whether one is given.
    ///
    /// # Errors
    /// Neither is.
    pub(super) fn check(&self) -> Result<()> {
        match (&self.fleet, &self.config) {
            (None, None) => Err(neither()),
            _ => Ok(()),
        }
    }
}

fn neither() -> CtlError {
    CtlError::usage("choose a fleet: neither FLEET nor `--config` is given").hint((
        "see the fleets of this context with",
        CommandLine::bpctl(["fleet", "list"]),
    ))
}

async fn live(ctx: &Ctx, name: &FleetName) -> Result<Model> {
    let layout = ctx.layout()?;
    let fleet = &named_one(&ctx.aws, &layout, name).await?;
    let look = async {
        let facts = facts_of(&ctx.aws, &layout, fleet).await?;
        let fleets = with_templates(&ctx.aws, &layout, vec![(fleet.clone(), facts)]).await;
        fleets
            .iter()
            .map(|(fleet, facts)| model(&layout, fleet, facts))
            .collect::<Result<Vec<_>>>()
    };
    let model = look.await?.pop();
    model.ok_or_else(|| CtlError::missing_in_response("DescribeAutoScalingGroups", "AutoScalingGroups"))
}
