//! `bpctl fleet`: look at GPU fleets, understand how they scale, and take them to zero.

pub(super) mod activity;
mod assumptions;
pub(super) mod compute;
pub(super) mod config;
mod demand;
pub(super) mod dev;
pub(super) mod drain;
pub(super) mod explain;
pub(super) mod hold;
pub(super) mod instances;
pub(super) mod lint;
pub(super) mod list;
pub(super) mod protect;
pub(super) mod provision;
pub(crate) mod refresh;
pub(super) mod replay;
pub(super) mod scale;
pub(super) mod scale_to_zero;
pub(super) mod simulate;
mod source;
pub(super) mod status;
pub(super) mod text;
pub(super) mod tune;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;
use crate::layout::FleetId;
use crate::settings::Source;

/// Look at GPU fleets, understand how they scale, and take them to zero
///
/// A fleet is written `<stage>/<slug>`, e.g. production/gpu-default; the slug alone is enough with
/// `--stage`, or where only one stage has it. `--stage` limits every command to the fleets of one stage.
#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    #[command(subcommand)]
    command: FleetCommand,
}

verbs! {
    enum FleetCommand {
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Status(status::StatusArgs),
        Instances(instances::InstancesArgs),
        Activity(activity::ActivityArgs),
        Explain(explain::ExplainArgs),
        Lint(lint::LintArgs),
        Replay(replay::ReplayArgs),
        Simulate(simulate::SimulateArgs),
        Tune(tune::TuneArgs),
        Provision(provision::ProvisionArgs),
        ApplyConfig(provision::ApplyConfigArgs),
        Config(config::ConfigArgs),
        Scale(scale::ScaleArgs),
        Refresh(refresh::RefreshArgs),
        Protect(protect::ProtectArgs),
        Drain(drain::DrainArgs),
        Dev(dev::DevArgs),
        Hold(hold::HoldArgs),
        Release(hold::release::ReleaseArgs),
        ScaleToZero(scale_to_zero::ScaleToZeroArgs),
    }
}

impl Verb for FleetArgs {
    fn uses() -> Uses {
        Uses::Verbs(FleetCommand::uses())
    }

    fn needs(&self) -> Needs {
        self.command.needs()
    }

    fn continues(&self) -> Option<Continuation> {
        self.command.continues()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.command.run(ctx).await
    }
}

/// Offers the fleets to the shell from now on. A list that a flag or the environment cut down to one
/// stage is not the whole truth and is not kept.
pub(super) fn remember<'a>(ctx: &Ctx, fleets: impl Iterator<Item = &'a FleetId>) {
    let cut = matches!(
        ctx.settings.stage.as_ref().map(|stage| &stage.source),
        Some(Source::Flag(_) | Source::Env(_))
    );
    if !cut {
        crate::completion::remember(ctx, "fleets", fleets.map(ToString::to_string));
    }
}
