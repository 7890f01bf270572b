//! `bpctl help exit-codes`: the exit statuses that scripts can rely on.

use clap::Args;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::{ExitStatus, table_text};

/// Exit statuses that scripts can rely on
#[derive(Debug, Args)]
#[command(long_about = long_about())]
pub(crate) struct ExitCodesArgs {}

fn long_about() -> String {
    format!(
        "Exit statuses that scripts can rely on\n\n{}\n`migrate` passes the status of the php-fpm container through; `sandbox run` that of the command it runs.",
        table_text()
    )
}

impl Verb for ExitCodesArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        ctx.ui.result(&table_text())?;
        Ok(ExitStatus::Done)
    }
}
