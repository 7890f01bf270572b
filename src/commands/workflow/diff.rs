//! `bpctl workflow diff`: the repository's files beside what `init` would write.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::files::Folder;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::output::{Render, View};
use crate::workflows::{State, unified};

/// Show how the repository's workflows differ from what `workflow init` would write
///
/// As a unified diff, from what is there to what would be written; it shows also what was edited by hand.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl workflow diff
  bpctl workflow diff --exit-code       status 9 when a file differs
  bpctl workflow diff -o name           only the files")]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    folder: Folder,

    /// End with status 9 when something differs
    #[arg(long)]
    exit_code: bool,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WorkflowDiff {
    files: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    path: String,
    state: State,
    /// A unified diff; empty where only the right to run the file is missing, or nothing.
    diff: String,
}

impl Verb for DiffArgs {
    fn needs(&self) -> Needs {
        Needs::SETTINGS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        ctx.layout()?;
        let seen = self.folder.all(ctx)?;
        let rows = seen.iter().map(|one| {
            let path = one.shown();
            let found = one.found.as_ref().map(|found| found.text.as_str());
            Row {
                diff: unified(&path, found, &one.file.text),
                state: one.state(),
                path,
            }
        });
        let diff = WorkflowDiff {
            files: rows.collect(),
        };
        ctx.emit(&diff)?;
        let differs = diff.differing().next().is_some();
        if !differs {
            ctx.ui.status("every file is what `workflow init` would write");
        }
        Ok(if differs && self.exit_code {
            ExitStatus::Differences
        } else {
            ExitStatus::Done
        })
    }
}

impl WorkflowDiff {
    fn differing(&self) -> impl Iterator<Item = &Row> {
        self.files.iter().filter(|row| row.state != State::Current)
    }
}

impl Render for WorkflowDiff {
    fn human(&self, _view: &View) -> String {
        let mut out = String::new();
        for row in self.differing() {
            if row.diff.is_empty() {
                out.push_str(&format!("{}: it has to be executable\n", row.path));
            }
            out.push_str(&row.diff);
        }
        out
    }

    fn names(&self) -> Vec<String> {
        self.differing().map(|row| row.path.clone()).collect()
    }
}
