//! `bpctl ami`: the machine images that GPU nodes start from: looked at, promoted to fleets, rolled back and cleared away.

pub(crate) mod bake;
mod build;
pub(crate) mod gc;
pub(crate) mod history;
pub(crate) mod list;
mod look;
mod machine_type;
pub(crate) mod pointer;
mod promote;
mod rollback;
pub(crate) mod show;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::exit::ExitStatus;
use crate::iam::Uses;
use crate::layout::{FleetId, ImageId, InvalidName};

/// Look at the machine images of GPU fleets, make and promote them, roll back, delete old ones
///
/// Every fleet has a parameter that names the image of its new instances: its pointer. Launch templates look it up for
/// each instance that they start, so a pointer that moves changes new instances, and running ones by a refresh.
#[derive(Debug, Args)]
pub(crate) struct AmiArgs {
    #[command(subcommand)]
    command: AmiCommand,
}

verbs! {
    enum AmiCommand {
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Show(show::ShowArgs),
        Promote(promote::PromoteArgs),
        Rollback(rollback::RollbackArgs),
        History(history::HistoryArgs),
        Gc(gc::GcArgs),
        Bake(bake::BakeArgs),
        Build(build::BuildArgs),
    }
}

impl Verb for AmiArgs {
    fn uses() -> Uses {
        Uses::Verbs(AmiCommand::uses())
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

/// For clap.
fn image(text: &str) -> Result<ImageId, String> {
    text.parse().map_err(|error: InvalidName| error.to_string())
}

/// The command that shows what a fleet's pointer named.
fn history_command(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["ami", "history"]).option("--fleet", fleet.to_string())
}
