//! `bpctl workflow init`: the workflows as files of a repository.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::files::{Folder, Seen, write};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View, counted};
use crate::workflows::State;

/// Write the platform's workflows into a repository, and the action that installs bpctl for them
///
/// Ten workflows that are started by hand: `deploy`, `deploy-infrastructure`, `db-migrate`, `db-seed`,
/// `provision-gpu-fleet`, `apply-gpu-fleet-config`, `create-dev-gpu-instance`, `apply-comfyui-bundle`, `build-ami` and
/// `bake-ami`. Their steps are verbs of bpctl; layout, prefix and region are those of the context. What is to be written
/// is said first. A file that bpctl wrote and nobody has edited is written anew; when one was edited nothing is written
/// without `--force`. `workflow check` says what the workflows need besides.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl workflow init --dry-run              what would be written
  bpctl workflow init                        into .github of the working folder
  bpctl workflow init --region eu-central-1  the region that they begin with
  bpctl workflow init --force                also over files that were edited")]
pub(crate) struct InitArgs {
    #[command(flatten)]
    folder: Folder,

    /// Write also over files that were edited by hand
    #[arg(long)]
    force: bool,

    /// Say what would be written and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Written {
    /// Nothing was written: it was a dry run.
    dry_run: bool,
    files: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    path: String,
    /// What was there.
    was: State,
    /// Whether it was written, or would be.
    written: bool,
}

impl Verb for InitArgs {
    fn needs(&self) -> Needs {
        Needs::SETTINGS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        // A staged layout without a stage is said here and not by every run of the workflows.
        ctx.layout()?;
        let seen = self.folder.all(ctx)?;
        let written = Written::of(&seen, self.dry_run);
        written.announce(ctx);
        if !self.force {
            self.refuse_edited(&seen)?;
        }
        if !self.dry_run {
            let open: Vec<&Seen> = seen.iter().filter(|one| one.state() != State::Current).collect();
            for (done, one) in open.iter().enumerate() {
                write(&ctx.cwd, &one.file).map_err(|error| {
                    let doing = format!("write `{}`", one.shown());
                    let count = counted(done as u64, "other file");
                    CtlError::new(ErrorKind::Failed, doing)
                        .source(&error)
                        .cause(format!("{count} of {} had been written before", open.len()))
                })?;
            }
        }
        ctx.emit(&written)?;
        if !self.dry_run {
            let check = CommandLine::bpctl(["workflow", "check"]).args(self.folder.repeated());
            ctx.ui
                .hint(Hint::new("commit them, and see what they need with").command(check));
        }
        Ok(ExitStatus::Done)
    }
}

impl InitArgs {
    fn refuse_edited(&self, seen: &[Seen]) -> Result<()> {
        let edited: Vec<String> = seen
            .iter()
            .filter(|one| one.state() == State::Edited)
            .map(|one| format!("`{}`", one.shown()))
            .collect();
        if edited.is_empty() {
            return Ok(());
        }
        let diff = CommandLine::bpctl(["workflow", "diff"]).args(self.folder.repeated());
        Err(CtlError::usage(format!(
            "write the workflows: {} edited by hand or not bpctl's: {}",
            if edited.len() == 1 {
                "one file was"
            } else {
                "some files were"
            },
            edited.join(", ")
        ))
        .cause("nothing was written")
        .hint(Hint::new("see what would be lost with").command(diff))
        .hint("write over them with `--force`"))
    }
}

impl Written {
    fn of(seen: &[Seen], dry_run: bool) -> Self {
        let rows = seen.iter().map(|one| Row {
            path: one.shown(),
            was: one.state(),
            written: one.state() != State::Current,
        });
        Self {
            dry_run,
            files: rows.collect(),
        }
    }

    /// What is about to be done.
    fn announce(&self, ctx: &Ctx) {
        let count = |state| self.files.iter().filter(|row| row.was == state).count();
        let parts: Vec<String> = [State::New, State::Outdated, State::Edited, State::Current]
            .into_iter()
            .filter(|state| count(*state) > 0)
            .map(|state| format!("{} {}", count(state), state.as_str()))
            .collect();
        ctx.ui.status(&format!(
            "{}: {}",
            counted(self.files.len() as u64, "file"),
            parts.join(", ")
        ));
    }
}

impl Render for Written {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FILE", "WAS", if self.dry_run { "WOULD BE" } else { "NOW" }]);
        for row in &self.files {
            let done = match (row.written, row.was) {
                (false, _) => "kept",
                (true, State::New) => "written",
                (true, _) => "replaced",
            };
            table.row([row.path.clone(), row.was.as_str().to_owned(), done.to_owned()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let written = self.files.iter().filter(|row| row.written);
        written.map(|row| row.path.clone()).collect()
    }
}
