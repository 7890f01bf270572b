//! `runs list`: the journals of this machine.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::change::RunId;
use crate::change::journal::{self, Record};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View, age_at};

/// List the runs that changed something from this machine, the newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl runs list                    every run that has a journal
  bpctl runs list --cut-off          those that ended in the middle
  bpctl runs list --verb migrate     those of one verb")]
pub(crate) struct ListArgs {
    /// Only runs of this verb, e.g. `migrate` or `fleet scale-to-zero`
    #[arg(long = "verb", value_name = "VERB")]
    of_verb: Option<String>,

    /// Only runs that were cut off
    #[arg(long)]
    cut_off: bool,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands) enum RunState {
    Ended,
    GoingOn,
    CutOff,
}

impl RunState {
    pub(super) fn of(record: &Record) -> Self {
        if record.end.is_some() {
            Self::Ended
        } else if record.going_on {
            Self::GoingOn
        } else {
            Self::CutOff
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::GoingOn => "going on",
            Self::CutOff => "cut off",
        }
    }
}

/// One run of the list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct RunRow {
    pub(in crate::commands) run: RunId,
    pub(in crate::commands) verb: String,
    title: String,
    context: String,
    account: String,
    region: String,
    #[schemars(with = "jiff::Timestamp")]
    started: String,
    state: RunState,
    verdict: Option<String>,
    exit_status: Option<u8>,
    steps_done: usize,
    steps: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunList {
    runs: Vec<RunRow>,
    #[serde(skip)]
    now: Timestamp,
}

impl Verb for ListArgs {
    fn needs(&self) -> Needs {
        Needs::SETTINGS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let (records, unreadable) = ctx.state_dir.as_deref().map(journal::list).unwrap_or_default();
        for journal in unreadable {
            ctx.ui.warn(&format!(
                "the journal `{}` cannot be read: {}",
                journal.path.display(),
                journal.error
            ));
        }
        let wanted = |record: &Record| {
            self.of_verb.as_ref().is_none_or(|verb| record.verb == *verb)
                && (!self.cut_off || record.is_cut_off())
        };
        let runs: Vec<RunRow> = records
            .iter()
            .filter(|record| wanted(record))
            .map(RunRow::of)
            .collect();
        let cut_off = runs.iter().find(|run| run.state == RunState::CutOff);
        if let Some(run) = cut_off {
            ctx.ui.hint((
                "go on with a run that was cut off with",
                CommandLine::bpctl(["runs", "resume", run.run.as_str()]),
            ));
        }
        ctx.emit(&RunList {
            runs,
            now: ctx.clock.now(),
        })?;
        Ok(ExitStatus::Done)
    }
}

pub(in crate::commands) const COLUMNS: &[&str] =
    &["RUN", "AGE", "VERB", "CONTEXT", "STEPS", "STATE", "VERDICT"];

impl RunRow {
    pub(in crate::commands) fn cells(&self, now: Timestamp) -> Vec<String> {
        vec![
            self.run.to_string(),
            age_at(now, self.started.parse().ok()),
            self.verb.clone(),
            self.context.clone(),
            format!("{}/{}", self.steps_done, self.steps),
            self.state.as_str().to_owned(),
            self.verdict.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }

    pub(in crate::commands) fn of(record: &Record) -> Self {
        Self {
            run: record.run.clone(),
            verb: record.verb.clone(),
            title: record.title.clone(),
            context: record.target.context.clone(),
            account: record.target.account.clone(),
            region: record.target.region.clone(),
            started: record.started.clone(),
            state: RunState::of(record),
            verdict: record.end.as_ref().map(|end| end.verdict.clone()),
            exit_status: record.end.as_ref().and_then(|end| end.status),
            steps_done: record.done(),
            steps: record.steps.len(),
        }
    }
}

impl Render for RunList {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(COLUMNS);
        for run in &self.runs {
            table.row(run.cells(self.now));
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.runs.iter().map(|run| run.run.to_string()).collect()
    }
}
