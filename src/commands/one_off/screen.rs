//! Shows what happens to a one-off task that a command follows.

use std::cell::RefCell;
use std::time::Duration;

use crate::aws::ecs::Task;
use crate::change::End;
use crate::context::Ctx;
use crate::error::Result;
use crate::tasks::{Event, Followed, Follower, Following, Judged, Observer, Watched};
use crate::ui::Progress;

/// What a command does with the lines of the task's containers.
pub(in crate::commands) trait Lines: Default {
    /// What the lines are folded under in the log of a workflow.
    const GROUP: Option<&'static str> = None;

    fn line(&self, ctx: &Ctx, container: &str, line: &str);

    /// The task has done what it was to do.
    fn settled(&self, _ctx: &Ctx, _task: &Task) {}
}

/// Where events of a task go.
pub(in crate::commands) struct Screen<'a, L> {
    ctx: &'a Ctx,
    progress: RefCell<Option<Progress>>,
    lines: L,
}

impl<'a, L: Lines> Screen<'a, L> {
    pub(in crate::commands) fn new(ctx: &'a Ctx) -> Self {
        Self {
            ctx,
            progress: RefCell::new(None),
            lines: L::default(),
        }
    }

    /// Looks at tasks; what happens to them goes to `events`, which hands it to this screen.
    pub(in crate::commands) fn observer<'s>(&self, events: &'s dyn Fn(Event)) -> Observer<'s>
    where
        'a: 's,
    {
        Observer {
            aws: &self.ctx.aws,
            cancel: &self.ctx.cancel,
            events,
        }
    }

    /// Follows a task to its end, to the deadline or to an interrupt, and says what that end means.
    ///
    /// # Errors
    /// When it cannot be seen any more.
    pub(in crate::commands) async fn follow(
        &self,
        follower: &mut Follower<'_>,
        following: Following,
        judged: &Judged,
        timeout: Duration,
    ) -> Result<Watched> {
        self.begin(&follower.id);
        let followed = follower.follow(timeout).await;
        self.end();
        let followed = followed.map_err(|error| following.goes_on(error, &follower.id))?;
        Ok(self.ended(followed, follower, following, judged))
    }

    /// What the end of following means.
    pub(super) fn ended(
        &self,
        followed: Followed,
        follower: &Follower<'_>,
        following: Following,
        judged: &Judged,
    ) -> Watched {
        let watched = following.ended(followed, judged, follower.tail.as_ref());
        if matches!(watched.end, End::Settled) {
            self.lines.settled(self.ctx, &watched.task);
        }
        watched
    }

    /// Says that a task is being followed, until [`Screen::end`].
    pub(super) fn begin(&self, task: &str) {
        if let Some(group) = L::GROUP {
            self.ctx.ui.group(group);
        }
        let progress = self.ctx.ui.progress(&format!("following task {task}"));
        self.progress.replace(Some(progress));
    }

    pub(super) fn end(&self) {
        self.progress.replace(None);
        if L::GROUP.is_some() {
            self.ctx.ui.end_group();
        }
    }

    pub(in crate::commands) fn hear(&self, event: Event) {
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
