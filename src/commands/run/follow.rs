//! Shows what happens to the task, and says by what it is judged.

use std::cell::Cell;

use crate::commands::one_off;
use crate::context::Ctx;
use crate::error::CommandLine;
use crate::output::OutputFormat;
use crate::tasks::Following;
use crate::ui::{mute, strip_controls};

/// Whether the command's lines are what stdout is for: unless a program wants a document.
pub(super) fn lines_are_the_result(ctx: &Ctx) -> bool {
    let for_people = matches!(
        ctx.output.format,
        OutputFormat::Table | OutputFormat::Wide | OutputFormat::Raw
    );
    for_people && ctx.output.query.is_none()
}

/// The lines of the task: the result, or a part of what is told.
#[derive(Default)]
pub(super) struct Lines {
    /// The reader of the lines is gone.
    closed: Cell<bool>,
}

impl one_off::Lines for Lines {
    fn line(&self, ctx: &Ctx, container: &str, line: &str) {
        if !lines_are_the_result(ctx) {
            ctx.ui.log(container, line);
            return;
        }
        if self.closed.get() {
            return;
        }
        let line = strip_controls(line.trim_end_matches(['\n', '\r']));
        let line = if ctx.ui.is_github() {
            mute(&line)
        } else {
            line.into_owned()
        };
        match ctx.ui.stream(&(line + "\n")) {
            Ok(true) => {}
            Ok(false) => self.closed.set(true),
            Err(error) => {
                self.closed.set(true);
                ctx.ui.warn(&format!("failed to {error}"));
            }
        }
    }
}

/// How these verbs follow a task.
pub(super) const fn following(verb: &'static str) -> Following {
    Following {
        verb,
        attach: |task| CommandLine::bpctl(["run"]).option("--attach", task),
        kept: "what the command did until then stays",
        stop_reason: "bpctl was interrupted (--stop-on-interrupt)",
    }
}
