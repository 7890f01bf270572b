//! Shows what happens to the task, and says what its end means.

use std::cell::{Cell, RefCell};

use super::attach::attach_command;
use super::request::Request;
use crate::change::End;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint};
use crate::exit::ExitStatus;
use crate::output::OutputFormat;
use crate::tasks::{Event, Followed, Judged, Judgement, Tail, Verdict, judge};
use crate::ui::{Progress, mute, strip_controls};

/// Whether the command's lines are what stdout is for: unless a program wants a document.
pub(super) fn lines_are_the_result(ctx: &Ctx) -> bool {
    let for_people = matches!(
        ctx.output.format,
        OutputFormat::Table | OutputFormat::Wide | OutputFormat::Raw
    );
    for_people && ctx.output.query.is_none()
}

/// What the command is judged by. `essential` are the containers with which its task ends.
pub(super) fn judged(container: &str, essential: Vec<String>, again: CommandLine) -> Judged {
    Judged {
        container: container.to_owned(),
        essential: Some(essential),
        go_on: again.clone(),
        again,
        kept: "what the command did until then stays",
    }
}

/// Where events of the task go.
pub(super) struct Screen<'a> {
    ctx: &'a Ctx,
    progress: RefCell<Option<Progress>>,
    /// The reader of the lines is gone.
    closed: Cell<bool>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(ctx: &'a Ctx) -> Self {
        Self {
            ctx,
            progress: RefCell::new(None),
            closed: Cell::new(false),
        }
    }

    /// Says that a task is being followed, until [`Screen::end`].
    pub(super) fn begin(&self, task: &str) {
        let progress = self.ctx.ui.progress(&format!("following task {task}"));
        self.progress.replace(Some(progress));
    }

    pub(super) fn end(&self) {
        self.progress.replace(None);
    }

    pub(super) fn hear(&self, event: Event) {
        let ui = &self.ctx.ui;
        let say = |text: &str| {
            if let Some(progress) = self.progress.borrow().as_ref() {
                progress.say(text);
            }
        };
        match event {
            Event::State(text) => {
                ui.status(&text);
                say(&text);
            }
            Event::Awaiting(text) => say(&text),
            Event::Line { container, line } if !lines_are_the_result(self.ctx) => ui.log(&container, &line),
            Event::Line { line, .. } => self.line(&line),
            Event::Note(text) => ui.status(&text),
            Event::Warning { text, hints } => ui.warn_with(&text, &hints),
        }
    }

    fn line(&self, line: &str) {
        if self.closed.get() {
            return;
        }
        let line = strip_controls(line.trim_end_matches(['\n', '\r']));
        let line = if self.ctx.ui.is_github() {
            mute(&line)
        } else {
            line.into_owned()
        };
        match self.ctx.ui.stream(&(line + "\n")) {
            Ok(true) => {}
            Ok(false) => self.closed.set(true),
            Err(error) => {
                self.closed.set(true);
                self.ctx.ui.warn(&format!("failed to {error}"));
            }
        }
    }
}

/// What the end of following means.
pub(super) fn ended(
    verb: &str,
    followed: &Followed,
    judged: &Judged,
    tail: Option<&Tail>,
) -> (Judgement, End) {
    let (task, stopped) = match followed {
        Followed::Stopped(task) => (task, true),
        Followed::TimedOut(task) | Followed::Interrupted(task) => (task, false),
    };
    let judgement = judge(task, judged);
    let end = if !stopped {
        End::Running {
            what: format!("task {} is {} and goes on", task.id(), task.state),
            hint: Hint::new("follow it again with").command(attach_command(task.id())),
        }
    } else if judgement.verdict == Verdict::Succeeded {
        End::Settled
    } else {
        failed(verb, &judgement, tail)
    };
    (judgement, end)
}

/// The task was told to stop. It may have finished just before.
pub(super) fn stopped(verb: &str, followed: &Followed, judged: &Judged) -> (Judgement, End) {
    let (Followed::Stopped(task) | Followed::TimedOut(task) | Followed::Interrupted(task)) = followed;
    let judgement = judge(task, judged);
    let interrupted = |what: String| CtlError::new(ErrorKind::Interrupted, what);
    let end = match judgement.verdict {
        Verdict::Succeeded => End::Settled,
        Verdict::Running => End::Failed(
            interrupted(format!("stop task {}: it is still {}", task.id(), task.state))
                .hint(("follow it with", attach_command(task.id()))),
        ),
        Verdict::Failed | Verdict::NeverStarted | Verdict::Stopped | Verdict::Unknown => End::Failed(
            interrupted(format!("{verb}: interrupted, and task {} is stopped", task.id()))
                .cause(judgement.summary.clone())
                .hint(format!("{} as it is", judged.kept)),
        ),
    };
    (judgement, end)
}

fn failed(verb: &str, judgement: &Judgement, tail: Option<&Tail>) -> End {
    let mut error = CtlError::new(ErrorKind::Failed, format!("{verb}: {}", judgement.summary));
    for cause in &judgement.causes {
        error = error.cause(cause);
    }
    for hint in &judgement.hints {
        error = error.hint(hint);
    }
    if let (Verdict::Failed | Verdict::Stopped | Verdict::Unknown, Some(tail)) = (judgement.verdict, tail) {
        error = error.hint(tail.command());
    }
    match judgement.status {
        ExitStatus::External(status) => End::Exited { status, error },
        _ => End::Failed(error),
    }
}

/// The command that starts the same again, for what was attached to: bpctl does not know how it was asked for.
pub(super) fn unknown(request: Option<&Request>, task: &str) -> CommandLine {
    request.map_or_else(|| attach_command(task), Request::again)
}
