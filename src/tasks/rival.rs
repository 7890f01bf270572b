//! Another migration that was started at the same moment, by a run that no lease kept out: the one that ECS
//! created first goes on, the other one stops itself.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::artisan::is_migration;
use super::ending::{Following, Watched};
use super::event::{Event, Observer};
use super::follow::Follower;
use super::one_off::Start;
use super::verdict::{Judged, Verdict, judge};
use crate::aws::ecs::{StopTask, Task};
use crate::change::{End, Later};
use crate::error::{CtlError, ErrorKind, Hint, Result};

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

/// Why a task is stopped beside which another one migrates.
pub(crate) const GIVES_WAY: &str = "bpctl migrate: another migration was started first";

/// What is told when a task that was to be stopped had succeeded by then.
pub(crate) const FINISHED_BEFORE: &str = "the migration had finished before it could be stopped";

/// Migrations beside the one that this run has started.
pub(crate) struct Rivals<'a> {
    observer: Observer<'a>,
    following: Following,
    start: &'a Start,
    /// ARN of the task of this run.
    ours: &'a str,
    /// Tasks that need not be looked at again: they are no migrations, or were told of.
    known: RefCell<BTreeSet<String>>,
}

impl<'a> Rivals<'a> {
    pub(crate) fn of(observer: Observer<'a>, following: Following, start: &'a Start, ours: &'a str) -> Self {
        Self {
            observer,
            following,
            start,
            ours,
            known: RefCell::default(),
        }
    }

    /// The migration that was created before ours, as soon as one is seen. Without one this never ends.
    pub(crate) async fn elder(&self) -> Task {
        for pause in PAUSES {
            self.observer.clock().sleep(Duration::from_secs(pause)).await;
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
    pub(crate) async fn elder_at_once(&self) -> Option<Task> {
        for pause in SHORT_PAUSES {
            self.observer.clock().sleep(Duration::from_secs(pause)).await;
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
        let (aws, call) = (self.observer.aws, &self.start.call);
        let arns = aws.running_tasks_of_family(&call.cluster, call.family()).await?;
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
        let tasks = aws.tasks(&call.cluster, &unknown).await?;
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
        let then = if by.starts_with("bpctl/migrate/") {
            "its run is to stop it"
        } else {
            "bpctl did not start it and does not stop it"
        };
        let attach = (self.following.attach)(younger.id());
        self.observer.warns(
            format!(
                "task {}, started by {by} after the one of this run, migrates at the same time: {then}",
                younger.id()
            ),
            [Hint::new("see what becomes of it with").command(attach)],
        );
    }

    /// Stops the task of this run through `send`, because another migration was created before it.
    ///
    /// # Errors
    /// When it cannot be stopped or seen any more.
    pub(crate) async fn give_way(
        &self,
        elder: &Task,
        follower: &mut Follower<'_>,
        judged: &Judged,
        send: impl AsyncFnOnce(&StopTask) -> Result<Task>,
    ) -> Result<Watched> {
        let (first, ours) = (elder.id(), follower.id.clone());
        let attach = self.following.attach;
        let by = match &elder.started_by {
            Some(by) => format!(", started by {by},"),
            None => String::new(),
        };
        self.observer.warns(
            format!("task {first}{by} began to migrate before task {ours} of this run: stopping {ours}"),
            [],
        );
        let stop = self.start.stop(Later::Known(ours.clone()), GIVES_WAY);
        send(&stop).await.map_err(|error| {
            error
                .context(format!("stop task {ours}, which migrates beside task {first}"))
                .hint(("follow the one of this run with", attach(&ours)))
        })?;
        let task = follower.follow_to_stop().await?.into_task();
        let judgement = judge(&task, judged);
        let superseded = |ours: String| {
            End::Superseded(
                CtlError::new(
                    ErrorKind::Changed,
                    format!("migrate: task {first} was started first, and {ours}"),
                )
                .hint(("follow the first one with", attach(first))),
            )
        };
        let end = match judgement.verdict {
            Verdict::Succeeded => {
                self.observer.says(Event::Note(FINISHED_BEFORE.to_owned()));
                End::Settled
            }
            Verdict::Running => superseded(format!(
                "task {ours} of this run was told to stop and is still {}",
                task.state
            )),
            Verdict::Failed | Verdict::NeverStarted | Verdict::Stopped | Verdict::Unknown => {
                superseded(format!("task {ours} of this run is stopped"))
            }
        };
        Ok(Watched { task, judgement, end })
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
