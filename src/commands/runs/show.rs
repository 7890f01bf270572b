//! `runs show`: one run, step by step.

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::RunState;
use crate::change::journal::{self, Progress};
use crate::change::{ApiCall, RunId, Target};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View};

/// Show a run: its plan, how far each step came, and its end
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl runs show 20260115T090000Z-0123456789ab             the plan, each step and the end of a run
  bpctl runs show 20260115T090000Z-0123456789ab -o json     the same for a script")]
pub(crate) struct ShowArgs {
    /// The run, as `runs list` names it
    #[arg(value_name = "RUN")]
    run: RunId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunDetails {
    run: RunId,
    verb: String,
    title: String,
    target: Target,
    command_line: Vec<String>,
    reason: Option<String>,
    host: String,
    #[schemars(with = "jiff::Timestamp")]
    started: String,
    state: RunState,
    #[schemars(with = "Option<jiff::Timestamp>")]
    ended: Option<String>,
    verdict: Option<String>,
    exit_status: Option<u8>,
    /// What was noted on the way, e.g. the ARN of a task.
    notes: BTreeMap<String, String>,
    steps: Vec<StepDetails>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StepDetails {
    id: String,
    summary: String,
    state: StepState,
    did: Option<String>,
    calls: Vec<ApiCall>,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum StepState {
    NotBegun,
    /// It was begun, and the journal does not say how it ended.
    InDoubt,
    Done,
    Failed,
}

impl From<Progress> for StepState {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Planned => Self::NotBegun,
            Progress::InDoubt => Self::InDoubt,
            Progress::Done => Self::Done,
            Progress::Failed => Self::Failed,
        }
    }
}

impl StepState {
    fn as_str(self) -> &'static str {
        match self {
            Self::NotBegun => "not begun",
            Self::InDoubt => "in doubt",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Verb for ShowArgs {
    fn needs(&self) -> Needs {
        Needs::SETTINGS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let record = journal::find(ctx.state_dir.as_deref(), &self.run)?;
        let state = RunState::of(&record);
        if state == RunState::CutOff {
            ctx.ui.hint((
                "go on with it with",
                CommandLine::bpctl(["runs", "resume", record.run.as_str()]),
            ));
        }
        let steps = record.steps.iter().map(|step| StepDetails {
            id: step.id.clone(),
            summary: step.summary.clone(),
            state: StepState::from(step.progress),
            did: step.did.clone(),
            calls: step.calls.clone(),
        });
        let details = RunDetails {
            steps: steps.collect(),
            run: record.run,
            verb: record.verb,
            title: record.title,
            target: record.target,
            command_line: record.command_line,
            reason: record.reason,
            host: record.host,
            started: record.started,
            state,
            ended: record.end.as_ref().map(|end| end.at.clone()),
            verdict: record.end.as_ref().map(|end| end.verdict.clone()),
            exit_status: record.end.as_ref().and_then(|end| end.status),
            notes: record.notes,
        };
        ctx.emit(&details)?;
        Ok(ExitStatus::Done)
    }
}

/// A time of the journal in whole seconds, as documents have it.
fn seconds(time: &str) -> String {
    time.parse::<jiff::Timestamp>().map_or_else(
        |_| time.to_owned(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

impl Render for RunDetails {
    fn human(&self, view: &View) -> String {
        let typed = CommandLine::bpctl(self.command_line.iter().map(String::as_str)).to_string();
        let mut facts = vec![
            ("run", self.run.to_string()),
            ("plan", self.title.clone()),
            (
                "place",
                format!(
                    "context {} (account {}, {})",
                    self.target.context, self.target.account, self.target.region
                ),
            ),
            ("typed", typed),
            ("by", format!("{} on {}", self.target.principal, self.host)),
            ("started", seconds(&self.started)),
        ];
        if let Some(reason) = &self.reason {
            facts.push(("reason", reason.clone()));
        }
        let end = match (&self.verdict, &self.ended) {
            (Some(verdict), Some(ended)) => format!("{verdict} at {}", seconds(ended)),
            _ => self.state.as_str().to_owned(),
        };
        facts.push(("end", end));
        facts.extend(
            self.notes
                .iter()
                .map(|(what, value)| (what.as_str(), value.clone())),
        );
        let mut text: String = facts
            .iter()
            .map(|(name, value)| format!("{name:<8} {value}\n"))
            .collect();
        let mut table = Table::new(&["STEP", "STATE", "WHAT"]);
        for step in &self.steps {
            let what = step.did.clone().unwrap_or_else(|| step.summary.clone());
            table.row([step.id.clone(), step.state.as_str().to_owned(), what]);
        }
        text.push_str(&table.render(view));
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.run.to_string()]
    }
}
