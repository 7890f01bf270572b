//! `bpctl bundle`: the assets that GPU nodes work with, in versions: looked at, verified, made, activated and applied.

mod activate;
pub(crate) mod apply;
pub(crate) mod create;
pub(crate) mod diff;
pub(crate) mod history;
mod library;
pub(crate) mod list;
mod local;
mod meter;
mod name;
pub(crate) mod pointer;
mod rollback;
pub(crate) mod show;
mod sound;
mod text;
pub(crate) mod upload;
pub(crate) mod verify;

pub(in crate::commands) use apply::follow::{Followed, failure, follow};
pub(in crate::commands) use apply::script::{After, lines, send};
pub(in crate::commands) use library::Library;
pub(in crate::commands) use name::{BundleName, parse as bundle_name};
pub(in crate::commands) use sound::{Sound, sound};
pub(in crate::commands) use text::size as bundle_size;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Look at the asset bundles of GPU fleets, verify, make and activate them
///
/// A bundle is a manifest in the models bucket that names models, LoRAs, custom nodes and where each belongs on a
/// node. It is named by its id or the beginning of it; in the staged layout, where every workflow has bundles of its
/// own, also by `<workflow>/<id>`.
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    #[command(subcommand)]
    command: BundleCommand,
}

verbs! {
    enum BundleCommand {
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Show(show::ShowArgs),
        Verify(verify::VerifyArgs),
        Diff(diff::DiffArgs),
        Activate(activate::ActivateArgs),
        Rollback(rollback::RollbackArgs),
        History(history::HistoryArgs),
        Apply(apply::ApplyArgs),
        Upload(upload::UploadArgs),
        Create(create::CreateArgs),
    }
}

impl Verb for BundleArgs {
    fn uses() -> Uses {
        Uses::Verbs(BundleCommand::uses())
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
