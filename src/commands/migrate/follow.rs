//! Shows what happens to a migration's task, and remembers the tenant pools that its lines name.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::plan::CONTAINER;
use super::request::Request;
use crate::aws::ecs::Task;
use crate::completion;
use crate::context::Ctx;
use crate::layout::PoolName;
use crate::tasks::{Event, Judged};
use crate::ui::Progress;

/// What a migration is judged by. `essential` are the containers with which its task ends.
pub(super) fn judged(request: &Request, essential: &[String]) -> Judged {
    Judged {
        container: CONTAINER.to_owned(),
        essential: Some(essential.to_vec()),
        again: request.again(),
        go_on: request.go_on(),
        kept: "migrations that were finished are recorded in the database",
    }
}

/// Where events of a migration's task go.
pub(super) struct Screen<'a> {
    ctx: &'a Ctx,
    progress: RefCell<Option<Progress>>,
    pools: RefCell<BTreeSet<PoolName>>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(ctx: &'a Ctx) -> Self {
        Self {
            ctx,
            progress: RefCell::new(None),
            pools: RefCell::default(),
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
            Event::Line { container, line } => {
                ui.log(&container, &line);
                self.pools.borrow_mut().extend(pool_of(&line));
            }
            Event::Note(text) => ui.status(&text),
            Event::Warning { text, hints } => {
                ui.warn_with(&text, &hints);
            }
        }
    }

    /// Offers the tenant pools that the lines spoke of to the shell from now on, if these were all.
    pub(super) fn remember_pools(&self, task: &Task) {
        let all = task
            .command(CONTAINER)
            .is_some_and(|command| !command.join(" ").contains("--pools"));
        let pools = self.pools.borrow();
        if all && !pools.is_empty() {
            completion::remember(self.ctx, "pools", pools.iter().map(ToString::to_string));
        }
    }
}

/// The pool in `Migrating tenant pool database [tenant_pool_1].`
fn pool_of(line: &str) -> Option<PoolName> {
    let (_, rest) = line.split_once("tenant pool database [")?;
    rest.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::pool_of;

    #[test]
    fn pools_are_read_from_the_lines_that_name_them() {
        let found = |line: &str| pool_of(line).map(|pool| pool.to_string());
        assert_eq!(
            found("Migrating tenant pool database [tenant_pool_1]."),
            Some("tenant_pool_1".to_owned())
        );
        assert_eq!(found("Migrating central database [bp]."), None);
        assert_eq!(found("Migrating tenant pool database [$(id)]."), None);
        assert_eq!(found("Migrating tenant pool database [tenant"), None);
    }
}
