//! Another migration that was started at the same moment, by a run that no lease kept out: the one that ECS
//! created first goes on, the other one stops itself.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::attach::attach_command;
use super::plan::{STARTED_BY, Start};
use crate::aws::ecs::Task;
use crate::context::Ctx;
use crate::error::{Hint, Result};
use crate::tasks::is_migration;

/// Pauses before the tasks are listed again. ECS may show a new task late: it is to be looked for again and
/// again, from a couple of seconds up to five minutes after RunTask (Amazon ECS API Reference, RunTask, on
/// eventual consistency). A task that ECS shows later than that is not seen.
const PAUSES: [u64; 7] = [2, 4, 8, 16, 32, 64, 128];

/// The same for a run that does not wait: it looks until ECS lists its own task.
const SHORT_PAUSES: [u64; 4] = [0, 2, 4, 8];

/// What a list of tasks showed.
enum Seen {
    /// A migration that was created before ours.
    Elder(Box<Task>),
    /// None; whether ECS lists our own task already.
    None { listed: bool },
}

/// Migrations beside the one that this run has started.
pub(super) struct Rivals<'a> {
    ctx: &'a Ctx,
    cluster: &'a str,
    family: &'a str,
    /// ARN of the task of this run.
    ours: &'a str,
    /// Tasks that need not be looked at again: they are no migrations, or were told of.
    known: RefCell<BTreeSet<String>>,
}

impl<'a> Rivals<'a> {
    pub(super) fn of(ctx: &'a Ctx, start: &'a Start, ours: &'a str) -> Self {
        Self {
            ctx,
            cluster: &start.call.cluster,
            family: start.call.family(),
            ours,
            known: RefCell::default(),
        }
    }

    /// The migration that was created before ours, as soon as one is seen. Without one this never ends.
    pub(super) async fn elder(&self) -> Task {
        for pause in PAUSES {
            self.ctx.clock.sleep(Duration::from_secs(pause)).await;
            match self.look().await {
                Ok(Seen::Elder(task)) => return *task,
                Ok(Seen::None { .. }) => {}
                // The next look may get through; what is wrong, the following of our own task says.
                Err(error) => tracing::warn!(%error, "other migrations cannot be looked for"),
            }
        }
        std::future::pending().await
    }

    /// The migration that was created before ours, if ECS shows one by the time that it lists ours.
    pub(super) async fn elder_at_once(&self) -> Option<Task> {
        for pause in SHORT_PAUSES {
            self.ctx.clock.sleep(Duration::from_secs(pause)).await;
            match self.look().await {
                Ok(Seen::Elder(task)) => return Some(*task),
                Ok(Seen::None { listed: true }) => return None,
                Ok(Seen::None { listed: false }) => {}
                Err(error) => tracing::warn!(%error, "other migrations cannot be looked for"),
            }
        }
        None
    }

    async fn look(&self) -> Result<Seen> {
        let aws = &self.ctx.aws;
        let arns = aws.running_tasks_of_family(self.cluster, self.family).await?;
        let listed = arns.iter().any(|arn| arn == self.ours);
        let mut unknown: Vec<String> = {
            let known = self.known.borrow();
            let unknown = arns
                .into_iter()
                .filter(|arn| arn != self.ours && !known.contains(arn));
            unknown.collect()
        };
        if unknown.is_empty() {
            return Ok(Seen::None { listed });
        }
        // In one answer with the others: the times in it are those that the other run sees as well.
        unknown.push(self.ours.to_owned());
        let tasks = aws.tasks(self.cluster, &unknown).await?;
        let Some(ours) = tasks.iter().find(|task| task.arn == self.ours) else {
            return Ok(Seen::None { listed });
        };
        for other in tasks.iter().filter(|task| task.arn != self.ours) {
            if is_migration(other) && !other.is_stopped() {
                if is_before(other, ours) {
                    return Ok(Seen::Elder(Box::new(other.clone())));
                }
                self.tell(other);
            }
            self.known.borrow_mut().insert(other.arn.clone());
        }
        Ok(Seen::None { listed })
    }

    fn tell(&self, younger: &Task) {
        let by = younger.started_by.as_deref().unwrap_or("nobody by name");
        let then = if by.starts_with(STARTED_BY) {
            "its run is to stop it"
        } else {
            "bpctl did not start it and does not stop it"
        };
        self.ctx.ui.warn_with(
            &format!(
                "task {}, started by {by} after the one of this run, migrates at the same time: {then}",
                younger.id()
            ),
            &[Hint::new("see what becomes of it with").command(attach_command(younger.id()))],
        );
    }
}

/// Which of two migrations goes on: the one that ECS created first, of two of the same moment the one with the
/// smaller id. Both runs see the same times and ids, so they agree.
fn is_before(other: &Task, ours: &Task) -> bool {
    (other.created, other.id()) < (ours.created, ours.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, created: &str) -> Task {
        Task {
            arn: format!("arn:aws:ecs:us-east-1:123456789012:task/bp/{id}"),
            created: created.parse().ok(),
            ..Task::default()
        }
    }

    #[test]
    fn of_any_two_migrations_exactly_one_goes_on() {
        let early = "2026-01-15T09:00:00.001Z";
        let late = "2026-01-15T09:00:00.002Z";
        let tasks = [task("b", early), task("a", late), task("c", late), task("d", "")];
        for (at, one) in tasks.iter().enumerate() {
            for other in &tasks[at + 1..] {
                assert!(
                    is_before(one, other) != is_before(other, one),
                    "{one:?} {other:?}"
                );
            }
        }
        // The time decides before the id does.
        assert!(is_before(&tasks[0], &tasks[1]) && is_before(&tasks[1], &tasks[2]));
    }
}
