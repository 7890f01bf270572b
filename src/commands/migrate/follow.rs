//! Shows what happens to a migration's task, and remembers the tenant pools that its lines name.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::plan::CONTAINER;
use super::request::Request;
use crate::aws::ecs::Task;
use crate::commands::one_off::{self, Lines};
use crate::completion;
use crate::context::Ctx;
use crate::error::CommandLine;
use crate::layout::PoolName;
use crate::tasks::{Following, Judged};

/// What a migration is judged by. `essential` are the containers with which its task ends.
pub(super) fn judged(request: &Request, essential: &[String]) -> Judged {
    FOLLOWING.judged(CONTAINER, essential.to_vec(), request.again(), request.go_on())
}

/// How a migration is followed.
pub(super) const FOLLOWING: Following = Following {
    verb: "migrate",
    attach: |task| CommandLine::bpctl(["migrate"]).option("--attach", task),
    kept: "migrations that were finished are recorded in the database",
    stop_reason: "bpctl migrate was interrupted (--stop-on-interrupt)",
};

/// Where events of a migration's task go.
pub(super) type Screen<'a> = one_off::Screen<'a, Pools>;

/// The tenant pools that the lines spoke of.
#[derive(Default)]
pub(super) struct Pools(RefCell<BTreeSet<PoolName>>);

impl Lines for Pools {
    const GROUP: Option<&'static str> = Some("migration");

    fn line(&self, ctx: &Ctx, container: &str, line: &str) {
        ctx.ui.log(container, line);
        self.0.borrow_mut().extend(pool_of(line));
    }

    /// Offers the pools to the shell from now on, if these were all.
    fn settled(&self, ctx: &Ctx, task: &Task) {
        let all = task
            .command(CONTAINER)
            .is_some_and(|command| !command.join(" ").contains("--pools"));
        let pools = self.0.borrow();
        if all && !pools.is_empty() {
            completion::remember(ctx, "pools", pools.iter().map(ToString::to_string));
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
