//! `bpctl exit-codes`: the exit statuses that scripts can rely on.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::{ExitStatus, TABLE, table_text};
use crate::output::{Render, View};

/// Exit statuses that scripts can rely on
#[derive(Debug, Args)]
#[command(long_about = long_about())]
#[command(after_help = "Examples:
  bpctl exit-codes
  bpctl exit-codes --query 'exit_codes[?code==`4`].meaning'     what one of them means")]
pub(crate) struct ExitCodesArgs {}

fn long_about() -> String {
    format!(
        "Exit statuses that scripts can rely on\n\n{}\n`migrate` passes the status of the php-fpm container through; `sandbox run` that of the command it runs.",
        table_text()
    )
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ExitCodes {
    exit_codes: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    code: u8,
    meaning: &'static str,
}

impl Render for ExitCodes {
    fn human(&self, _view: &View) -> String {
        table_text()
    }

    fn names(&self) -> Vec<String> {
        self.exit_codes.iter().map(|row| row.code.to_string()).collect()
    }

    fn markdown(&self) -> Option<String> {
        let rows = self
            .exit_codes
            .iter()
            .map(|row| format!("| {} | {} |\n", row.code, row.meaning));
        Some(format!(
            "| Status | Meaning |\n|---|---|\n{}",
            rows.collect::<String>()
        ))
    }
}

impl Verb for ExitCodesArgs {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        ctx.emit(&ExitCodes {
            exit_codes: TABLE
                .iter()
                .map(|&(code, meaning)| Row { code, meaning })
                .collect(),
        })?;
        Ok(ExitStatus::Done)
    }
}
