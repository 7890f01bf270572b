//! `runs prune`: removes journals of runs that are over. Changes nothing in AWS.

use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::change::RunId;
use crate::change::journal::{self, Record};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::output::{Render, View};

/// Remove journals of runs that have ended; those that were cut off stay
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl runs prune                        journals older than 30 days
  bpctl runs prune --older-than 0s        every run that has ended")]
pub(crate) struct PruneArgs {
    /// Only runs that began longer ago than this
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = humantime::parse_duration)]
    older_than: Duration,

    /// Only say which journals would be removed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Pruned {
    dry_run: bool,
    removed: Vec<RunId>,
}

impl Verb for PruneArgs {
    fn needs(&self) -> Needs {
        Needs::SETTINGS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let (records, _) = ctx.state_dir.as_deref().map(journal::list).unwrap_or_default();
        let oldest = ctx.clock.now().checked_sub(self.older_than).unwrap_or_default();
        let is_old = |record: &Record| record.run.began().is_some_and(|began| began < oldest);
        let mut removed = Vec::new();
        for record in records
            .iter()
            .filter(|record| record.end.is_some() && is_old(record))
        {
            if !self.dry_run {
                journal::remove(record)?;
            }
            removed.push(record.run.clone());
        }
        ctx.emit(&Pruned {
            dry_run: self.dry_run,
            removed,
        })?;
        Ok(ExitStatus::Done)
    }
}

impl Render for Pruned {
    fn human(&self, _view: &View) -> String {
        let verb = if self.dry_run { "would remove" } else { "removed" };
        let count = self.removed.len();
        format!("{verb} {count} journal{}\n", if count == 1 { "" } else { "s" })
    }

    fn names(&self) -> Vec<String> {
        self.removed.iter().map(ToString::to_string).collect()
    }
}
