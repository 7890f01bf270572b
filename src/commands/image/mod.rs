//! `bpctl image`: the images that the services run, from the build to the end of their life.

pub(super) mod build;
pub(super) mod diff;
mod docker;
pub(super) mod gc;
pub(super) mod list;
pub(super) mod push;
mod source;
mod usage;
pub(super) mod words;

use clap::Args;

use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Look at the images of the services, build and push them, and delete old ones
///
/// Images are told apart by their digests: a tag such as `php-latest` means another image after every push.
#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

verbs! {
    enum ImageCommand {
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Diff(diff::DiffArgs),
        Build(build::BuildArgs),
        Push(push::PushArgs),
        Gc(gc::GcArgs),
    }
}

impl Verb for ImageArgs {
    fn uses() -> Uses {
        Uses::Verbs(ImageCommand::uses())
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
