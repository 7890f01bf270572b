//! `bpctl history`: all runs in this account, those of CI included.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::change::history::{self, Entry};
use crate::change::{Ground as _, Shared};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, Table, View, age_at, lasted};

/// Show who changed what in this account, and how it ended
///
/// Every run of a mutating verb leaves one entry in the platform's logs bucket, of every operator and of CI.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl history                      runs of the last week
  bpctl history --since 90d --verb migrate -o json")]
pub(crate) struct HistoryArgs {
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = humantime::parse_duration)]
    since: Duration,

    /// Only runs of this verb, e.g. `migrate` or `fleet scale-to-zero`
    #[arg(long = "verb", value_name = "VERB")]
    of_verb: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct History {
    /// The oldest first.
    runs: Vec<Entry>,
    #[serde(skip)]
    now: Timestamp,
}

impl Verb for HistoryArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("s3:GetObject", On::Bookkeeping),
            Use::of("s3:ListBucket", On::LogsBucket),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        ctx.layout()?;
        let Shared {
            store: Some(store), ..
        } = ctx.shared()
        else {
            return Err(CtlError::config(
                "read the history: this context has no logs bucket",
            ));
        };
        let since = ctx.clock.now().checked_sub(self.since).unwrap_or_default();
        let runs = ctx.unless_interrupted(history::read(&store, since)).await?;
        let of_verb = |entry: &Entry| self.of_verb.as_ref().is_none_or(|verb| entry.verb == *verb);
        let runs: Vec<Entry> = runs.into_iter().filter(of_verb).collect();
        if runs.is_empty() {
            let since = lasted(self.since);
            ctx.ui.status(&format!("There are no runs in the last {since}"));
        }
        ctx.emit(&History {
            runs,
            now: ctx.clock.now(),
        })?;
        Ok(ExitStatus::Done)
    }
}

impl Render for History {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["AGE", "VERB", "WHO", "VERDICT", "WHAT"]);
        for run in &self.runs {
            // The last part of the ARN: the session of a role, the name of a user.
            let who = run.target.principal.rsplit('/').next().unwrap_or_default();
            table.row([
                age_at(self.now, Some(run.started)),
                run.verb.clone(),
                who.to_owned(),
                run.verdict.clone(),
                run.title.clone(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.runs.iter().map(|run| run.run.to_string()).collect()
    }
}
