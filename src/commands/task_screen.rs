//! Shows what happens to a one-off task that a command follows.

use std::cell::RefCell;

use crate::context::Ctx;
use crate::tasks::Event;
use crate::ui::Progress;

/// What a command does with the lines of the task's containers.
pub(super) trait Lines: Default {
    fn line(&self, ctx: &Ctx, container: &str, line: &str);
}

/// Where events of a task go.
pub(super) struct Screen<'a, L> {
    ctx: &'a Ctx,
    progress: RefCell<Option<Progress>>,
    pub(super) lines: L,
}

impl<'a, L: Lines> Screen<'a, L> {
    pub(super) fn new(ctx: &'a Ctx) -> Self {
        Self {
            ctx,
            progress: RefCell::new(None),
            lines: L::default(),
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
            Event::Line { container, line } => self.lines.line(self.ctx, &container, &line),
            Event::Note(text) => ui.status(&text),
            Event::Warning { text, hints } => ui.warn_with(&text, &hints),
        }
    }
}
