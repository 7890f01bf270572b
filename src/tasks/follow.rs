//! Follows a task to its end: its states, its lines, and what the operator does meanwhile.

use std::time::Duration;

use futures::join;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::event::{Event, Observer};
use super::tail::Tail;
use crate::aws::ecs::Task;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::wait::{Look, Waited, Waiter};

/// ECS may take some seconds until every part of it knows a new task (API reference of RunTask).
const KNOWN_AFTER: Duration = Duration::from_secs(60);
/// A task that was named by hand is either known by then or does not exist.
const KNOWN_WHEN_NAMED: Duration = Duration::from_secs(5);
/// How long a known task may be missing before it counts as gone.
const MISSING: Duration = Duration::from_secs(30);
/// Containers get 30 seconds to stop by default and 120 at most (stopTimeout), then the network goes.
const STOPPING: Duration = Duration::from_secs(300);

/// How following ended.
#[derive(Debug)]
pub(crate) enum Followed {
    Stopped(Task),
    /// The deadline passed.
    TimedOut(Task),
    /// Ctrl-C; the task runs on.
    Interrupted(Task),
}

impl Followed {
    /// As it was last seen.
    pub(crate) fn into_task(self) -> Task {
        let (Self::Stopped(task) | Self::TimedOut(task) | Self::Interrupted(task)) = self;
        task
    }
}

/// A task and what is known of it.
pub(crate) struct Follower<'a> {
    observer: Observer<'a>,
    cluster: String,
    /// The container that the task is about; empty as long as it is not known.
    pub(crate) container: String,
    pub(crate) id: String,
    pub(crate) tail: Option<Tail>,
    /// As last seen.
    last: Option<Task>,
    /// DescribeTasks has shown it.
    known: bool,
    /// Seen before its end.
    watched: bool,
    /// Since when ECS does not know the task.
    missing_since: Option<Timestamp>,
    /// How long a task that was never seen may stay unknown.
    known_after: Duration,
}

impl<'a> Follower<'a> {
    /// Follows a task that has just been started.
    pub(crate) fn of_new(observer: Observer<'a>, cluster: &str, container: &str, task: &Task) -> Self {
        Self {
            known_after: KNOWN_AFTER,
            watched: true,
            last: Some(task.clone()),
            container: container.to_owned(),
            ..Self::of_named(observer, cluster, task.id())
        }
    }

    /// Follows a task that the operator named.
    pub(crate) fn of_named(observer: Observer<'a>, cluster: &str, id: &str) -> Self {
        Self {
            observer,
            cluster: cluster.to_owned(),
            container: String::new(),
            id: id.to_owned(),
            tail: None,
            last: None,
            known: false,
            watched: false,
            missing_since: None,
            known_after: KNOWN_WHEN_NAMED,
        }
    }

    /// Waits until ECS knows the task.
    pub(crate) async fn until_known(&mut self) -> Result<Task> {
        let waiter = self.waiter(KNOWN_AFTER, self.observer.cancel);
        let waited = waiter
            .until(
                async || {
                    Ok(match self.look().await? {
                        Some(task) => Look::Ready(task),
                        None => Look::Pending(String::new()),
                    })
                },
                |_| {},
            )
            .await?;
        match waited {
            Waited::Ready(task) => Ok(task),
            Waited::TimedOut => Err(self.unknown()),
            Waited::Cancelled => Err(CtlError::new(
                ErrorKind::Interrupted,
                format!("look for task {}: interrupted", self.id),
            )),
        }
    }

    /// Tells states and lines until the task stops, the deadline passes or the operator interrupts.
    pub(crate) async fn follow(&mut self, timeout: Duration) -> Result<Followed> {
        self.follow_until(timeout, self.observer.cancel).await
    }

    /// Follows a task that was told to stop to its end, whatever the operator interrupts.
    pub(crate) async fn follow_to_stop(&mut self) -> Result<Followed> {
        self.follow_until(STOPPING, &CancellationToken::new()).await
    }

    async fn follow_until(&mut self, timeout: Duration, cancel: &CancellationToken) -> Result<Followed> {
        let observer = self.observer;
        let waiter = self.waiter(timeout, cancel);
        let waited = waiter
            .until(
                async || {
                    // A look changes nothing: an interrupt need not wait for an answer that may never come.
                    let seen = tokio::select! {
                        biased;
                        () = cancel.cancelled() => None,
                        seen = self.look() => seen?,
                    };
                    let Some(task) = seen else {
                        return Ok(Look::Pending(match &self.last {
                            Some(last) => state_line(last, &self.container),
                            None => "task is not known to ECS yet".to_owned(),
                        }));
                    };
                    if task.is_stopped() {
                        return Ok(Look::Ready(task));
                    }
                    Ok(Look::Pending(state_line(&task, &self.container)))
                },
                |line| observer.says(Event::State(line.to_owned())),
            )
            .await?;
        match waited {
            Waited::Ready(task) => {
                observer.says(Event::State("task is STOPPED".to_owned()));
                if let Some(tail) = &mut self.tail {
                    observer.says(Event::Awaiting(
                        "waiting for the last lines of the log".to_owned(),
                    ));
                    tail.drain(&observer, &task, self.watched, cancel).await;
                }
                Ok(Followed::Stopped(task))
            }
            Waited::TimedOut => self
                .last
                .clone()
                .map(Followed::TimedOut)
                .ok_or_else(|| self.unknown()),
            Waited::Cancelled => self
                .last
                .clone()
                .map(Followed::Interrupted)
                .ok_or_else(|| self.unknown()),
        }
    }

    fn waiter(&self, timeout: Duration, cancel: &CancellationToken) -> Waiter {
        Waiter::new(self.observer.clock(), timeout, cancel)
            .pace(Duration::from_secs(1), Duration::from_secs(4))
    }

    /// One look at task and log; `None` while ECS may merely not know the task yet.
    async fn look(&mut self) -> Result<Option<Task>> {
        let observer = self.observer;
        let lines = async {
            if let Some(tail) = &mut self.tail {
                tail.look(&observer).await;
            }
        };
        let (task, ()) = join!(observer.aws.task(&self.cluster, &self.id), lines);
        let now = observer.clock().now();
        let Some(task) = task? else {
            let since = *self.missing_since.get_or_insert(now);
            let patience = if self.known { MISSING } else { self.known_after };
            if now.duration_since(since) >= jiff::SignedDuration::try_from(patience).unwrap_or_default() {
                return Err(self.unknown());
            }
            return Ok(None);
        };
        self.missing_since = None;
        self.known = true;
        self.watched |= !task.is_stopped();
        self.last = Some(task.clone());
        Ok(Some(task))
    }

    fn unknown(&self) -> CtlError {
        let error = CtlError::new(
            ErrorKind::NotFound,
            format!(
                "find task {} in cluster {}: ECS does not know it",
                self.id, self.cluster
            ),
        )
        .cause("ECS forgets a task about an hour after it stopped");
        match &self.tail {
            Some(tail) => error.hint(tail.command()),
            None => error.hint((
                "see which tasks there are with",
                CommandLine::bpctl(["task", "list"]),
                "(and `--stopped`); logs outlive their tasks",
            )),
        }
    }
}

/// "task is STOPPING: php-fpm exited with 0".
fn state_line(task: &Task, container: &str) -> String {
    let mut line = format!("task is {}", task.state);
    if let Some(code) = task.container(container).and_then(|found| found.exit_code) {
        line.push_str(&format!(": {container} exited with {code}"));
    } else if let Some(code) = &task.stop_code {
        // The whole reason is told once, at the end.
        line.push_str(&format!(": {code}"));
    }
    line
}
