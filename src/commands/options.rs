//! `bpctl options`: the flags that every command has.

use clap::Args;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;

/// Flags that every command has
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl help options")]
pub(crate) struct OptionsArgs {}

impl Verb for OptionsArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let mut tree = (ctx.command_tree)();
        tree.build();
        let page = tree
            .find_subcommand_mut("options")
            .map(|page| page.render_long_help().to_string());
        ctx.ui.result(&page.unwrap_or_default())?;
        Ok(ExitStatus::Done)
    }
}
