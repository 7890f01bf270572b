//! The lines of one container, each once and in order, also those that arrive after its end.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::aws::ecs::Task;
use crate::context::Ctx;
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::layout::PoolName;

/// Nothing new for this long, and it is quiet.
const QUIET: Duration = Duration::from_secs(5);
/// The last lines of a short-lived container may take this long to arrive: the log driver flushes on
/// exit, and CloudWatch Logs has to create the stream first.
const LAST_LINES: Duration = Duration::from_secs(25);
/// A drain ends in any case; what is missing then has to be read later.
const LIMIT: Duration = Duration::from_secs(90);
/// Pages of one look (10,000 events each), so that a flood of lines does not starve the task's state.
const PAGES: usize = 20;

/// Reads a log stream forward.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) group: String,
    pub(super) stream: String,
    container: &'static str,
    token: Option<String>,
    /// The stream has been seen to exist.
    found: bool,
    /// The last look reached the end.
    at_end: bool,
    last_news: Option<Timestamp>,
    /// Reading is not allowed; said once.
    given_up: bool,
    /// Tenant pools that the lines spoke of.
    pub(super) pools: BTreeSet<PoolName>,
}

impl Tail {
    pub(super) fn new(place: &(String, String), container: &'static str, task: &str) -> Self {
        let (group, prefix) = place;
        Self {
            group: group.clone(),
            // "prefix-name/container-name/ecs-task-id" (ECS Developer Guide, awslogs-stream-prefix).
            stream: format!("{prefix}/{container}/{task}"),
            container,
            token: None,
            found: false,
            at_end: false,
            last_news: None,
            given_up: false,
            pools: BTreeSet::new(),
        }
    }

    /// Shows what is new. Trouble with the log never ends a migration's watch.
    pub(super) async fn look(&mut self, ctx: &Ctx) {
        if self.given_up {
            return;
        }
        if let Err(error) = self.read(ctx).await {
            self.at_end = false;
            match error.kind() {
                // These pass; the next look goes on at the same place.
                ErrorKind::Throttled | ErrorKind::Unreachable => {
                    tracing::warn!(%error, "reading the log again")
                }
                _ => {
                    self.given_up = true;
                    ctx.ui.warn(&format!("the log cannot be shown: {error}"));
                    for hint in error.hints() {
                        ctx.ui.hint(hint);
                    }
                }
            }
        }
    }

    async fn read(&mut self, ctx: &Ctx) -> Result<()> {
        self.at_end = false;
        for _ in 0..PAGES {
            let page = ctx
                .aws
                .log_page(&self.group, &self.stream, self.token.as_deref())
                .await?;
            let Some(page) = page else {
                self.at_end = true;
                return Ok(());
            };
            self.found = true;
            for event in &page.events {
                ctx.ui.log(self.container, &event.message);
                self.pools.extend(pool_of(&event.message));
            }
            if let Some(last) = page.events.last() {
                let now = ctx.clock.now();
                self.last_news = Some(last.ingested.map_or(now, |ingested| ingested.min(now)));
            }
            if self.token.as_ref() == Some(&page.next) {
                self.at_end = true;
                return Ok(());
            }
            self.token = Some(page.next);
        }
        Ok(())
    }

    /// After the task's end: reads on until nothing more can be expected.
    ///
    /// `watched` says that the task was still running when it was first looked at.
    pub(super) async fn drain(&mut self, ctx: &Ctx, task: &Task, watched: bool, cancel: &CancellationToken) {
        if self.given_up || !has_run(task, self.container) {
            return;
        }
        let begun = ctx.clock.now();
        let expected = last_lines_by(task, watched, begun);
        let limit = after(begun, LIMIT);
        loop {
            self.look(ctx).await;
            let now = ctx.clock.now();
            let quiet = self.last_news.is_none_or(|news| now >= after(news, QUIET));
            if self.given_up || (self.at_end && quiet && now >= expected) {
                break;
            }
            if now >= limit {
                ctx.ui
                    .warn("the log did not come to rest: lines may be missing above");
                ctx.ui.hint(self.command());
                return;
            }
            tokio::select! {
                () = cancel.cancelled() => {
                    ctx.ui.warn("interrupted while the last lines were awaited: some may be missing above");
                    return;
                }
                () = ctx.clock.sleep(Duration::from_secs(1)) => {}
            }
        }
        if !self.found && !self.given_up {
            ctx.ui.status(&format!(
                "{} wrote nothing: there is no log stream {}",
                self.container, self.stream
            ));
        }
    }

    /// How to read the whole log by hand.
    pub(super) fn command(&self) -> Hint {
        Hint::from((
            "read the log with",
            CommandLine::aws("logs", "get-log-events")
                .option("--log-group-name", &self.group)
                .option("--log-stream-name", &self.stream)
                .args(["--start-from-head"]),
        ))
    }
}

/// The pool in `Migrating tenant pool database [tenant_pool_1].`
fn pool_of(line: &str) -> Option<PoolName> {
    let (_, rest) = line.split_once("tenant pool database [")?;
    rest.split_once(']')?.0.parse().ok()
}

/// Whether the container can have written anything.
fn has_run(task: &Task, container: &str) -> bool {
    task.started.is_some()
        || task
            .container(container)
            .is_some_and(|found| found.exit_code.is_some())
}

/// Until when the last lines may still arrive. AWS's times and ours are only compared when nothing
/// better is known, so that a wrong clock costs no lines of a task that was watched.
fn last_lines_by(task: &Task, watched: bool, now: Timestamp) -> Timestamp {
    let ended = task.execution_stopped.or(task.stopped);
    let end = match (watched, ended, task.stopped) {
        (true, Some(ended), Some(stopped)) => {
            let cleaned_up = Duration::try_from(stopped.duration_since(ended)).unwrap_or_default();
            now.checked_sub(cleaned_up).unwrap_or(now)
        }
        (true, _, _) => now,
        (false, Some(ended), _) => ended.min(now),
        (false, None, _) => now,
    };
    after(end, LAST_LINES)
}

fn after(moment: Timestamp, duration: Duration) -> Timestamp {
    moment.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-01-15T{text}Z").parse().unwrap()
    }

    fn stopped(execution: &str, stopped: &str) -> Task {
        Task {
            execution_stopped: Some(at(execution)),
            stopped: Some(at(stopped)),
            ..Task::default()
        }
    }

    #[test]
    fn a_watched_task_is_given_the_time_since_its_containers_ended() {
        let task = stopped("09:00:00", "09:00:10");
        assert_eq!(last_lines_by(&task, true, at("09:00:12")), at("09:00:27"));
        // A clock that is an hour off changes nothing.
        assert_eq!(last_lines_by(&task, true, at("10:00:12")), at("10:00:27"));
    }

    #[test]
    fn a_task_that_ended_long_ago_needs_no_waiting() {
        let task = stopped("09:00:00", "09:00:10");
        let now = at("09:40:00");
        assert!(last_lines_by(&task, false, now) < now);
        assert!(last_lines_by(&task, false, at("09:00:12")) > at("09:00:12"));
    }

    #[test]
    fn without_times_the_wait_is_whole() {
        let now = at("09:00:00");
        assert_eq!(last_lines_by(&Task::default(), true, now), at("09:00:25"));
        assert_eq!(last_lines_by(&Task::default(), false, now), at("09:00:25"));
    }

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

    #[test]
    fn streams_are_named_by_prefix_container_and_task() {
        let place = ("/ecs/bp-backend".to_owned(), "php".to_owned());
        assert_eq!(Tail::new(&place, "php-fpm", "0af").stream, "php/php-fpm/0af");
    }
}
