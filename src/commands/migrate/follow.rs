//! Shows what happens to a migration's task, and remembers the tenant pools that its lines name.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::attach::attach_command;
use super::plan::CONTAINER;
use super::request::Request;
use crate::aws::ecs::Task;
use crate::change::End;
use crate::commands::task_screen::{self, Lines};
use crate::completion;
use crate::context::Ctx;
use crate::layout::PoolName;
use crate::tasks::{Followed, Following, Judged, Tail, Watched};

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

/// How a migration is followed.
pub(super) const FOLLOWING: Following = Following {
    verb: "migrate",
    attach: attach_command,
};

/// Where events of a migration's task go.
pub(super) type Screen<'a> = task_screen::Screen<'a, Pools>;

/// The tenant pools that the lines spoke of.
#[derive(Default)]
pub(super) struct Pools(RefCell<BTreeSet<PoolName>>);

impl Lines for Pools {
    fn line(&self, ctx: &Ctx, container: &str, line: &str) {
        ctx.ui.log(container, line);
        self.0.borrow_mut().extend(pool_of(line));
    }
}

impl Pools {
    /// Offers the pools to the shell from now on, if these were all.
    fn remember(&self, ctx: &Ctx, task: &Task) {
        let all = task
            .command(CONTAINER)
            .is_some_and(|command| !command.join(" ").contains("--pools"));
        let pools = self.0.borrow();
        if all && !pools.is_empty() {
            completion::remember(ctx, "pools", pools.iter().map(ToString::to_string));
        }
    }
}

/// What the end of following means. What a migration that succeeded said of pools is remembered.
pub(super) fn ended(
    ctx: &Ctx,
    screen: &Screen<'_>,
    followed: Followed,
    judged: &Judged,
    tail: Option<&Tail>,
) -> Watched {
    let watched = FOLLOWING.ended(followed, judged, tail);
    if matches!(watched.end, End::Settled) {
        screen.lines.remember(ctx, &watched.task);
    }
    watched
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
