//! `bpctl fleet`: look at GPU fleets, understand how they scale, and take them to zero.

mod assumptions;
mod compute;
mod demand;
mod explain;
mod lint;
mod list;
mod replay;
mod scale_to_zero;
mod simulate;
mod source;
mod status;
mod text;
mod tune;

use clap::{Args, Subcommand};

use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::layout::FleetId;
use crate::settings::Source;

/// Look at GPU fleets, understand how they scale, and take them to zero
///
/// A fleet is written `<stage>/<slug>`, e.g. production/gpu-default. `--stage` limits every command to
/// the fleets of one stage.
#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    #[command(subcommand)]
    command: FleetCommand,
}

#[derive(Debug, Subcommand)]
enum FleetCommand {
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    Status(status::StatusArgs),
    Explain(explain::ExplainArgs),
    Lint(lint::LintArgs),
    Replay(replay::ReplayArgs),
    Simulate(simulate::SimulateArgs),
    Tune(tune::TuneArgs),
    ScaleToZero(scale_to_zero::ScaleToZeroArgs),
}

impl FleetArgs {
    /// Whether AWS is asked: a configuration file needs none.
    pub(crate) fn uses_aws(&self) -> bool {
        match &self.command {
            FleetCommand::List(_)
            | FleetCommand::Status(_)
            | FleetCommand::Explain(_)
            | FleetCommand::Replay(_)
            | FleetCommand::ScaleToZero(_) => true,
            FleetCommand::Lint(args) => args.is_live(),
            FleetCommand::Simulate(args) => args.fleet.is_live(),
            FleetCommand::Tune(args) => args.fleet.is_live(),
        }
    }
}

pub(crate) async fn run(ctx: &Ctx, args: FleetArgs) -> Result<ExitStatus> {
    match args.command {
        FleetCommand::Explain(args) => Box::pin(explain::run(ctx, &args)).await,
        FleetCommand::Lint(args) => Box::pin(lint::run(ctx, &args)).await,
        FleetCommand::List(args) => Box::pin(list::run(ctx, &args)).await,
        FleetCommand::Replay(args) => Box::pin(replay::run(ctx, &args)).await,
        FleetCommand::ScaleToZero(args) => Box::pin(scale_to_zero::run(ctx, &args)).await,
        FleetCommand::Simulate(args) => Box::pin(simulate::run(ctx, &args)).await,
        FleetCommand::Status(args) => Box::pin(status::run(ctx, &args)).await,
        FleetCommand::Tune(args) => Box::pin(tune::run(ctx, &args)).await,
    }
}

/// Offers the fleets to the shell from now on. A list that a flag or the environment cut down to one
/// stage is not the whole truth and is not kept.
fn remember<'a>(ctx: &Ctx, fleets: impl Iterator<Item = &'a FleetId>) {
    let cut = matches!(
        ctx.settings.stage.as_ref().map(|stage| &stage.source),
        Some(Source::Flag(_) | Source::Env(_))
    );
    if !cut {
        crate::completion::remember(ctx, "fleets", fleets.map(ToString::to_string));
    }
}
