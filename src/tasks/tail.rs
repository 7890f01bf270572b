//! The lines of one container, each once and in order, also those that arrive after its end.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::description::LogPlace;
use super::event::{Event, Observer};
use super::shown;
use crate::aws::Tokens;
use crate::aws::ecs::Task;
use crate::aws::logs::{LogEvent, StreamRead};
use crate::error::{CommandLine, ErrorKind, Hint, Result};

/// The awslogs driver delivers its lines every five seconds, and the rest when the container has ended
/// (Docker's driver, `defaultForceFlushInterval`). A delivery from before the end has arrived by then; what
/// arrives later came with the last one.
const UNDER_WAY: Duration = Duration::from_millis(1_500);
/// Nothing new for this long while lines may be missing, and the log is at rest.
const QUIET: Duration = Duration::from_secs(5);
/// The driver makes the stream when its container starts (Docker's awslogs driver, `New`). It may take this long
/// to appear: behind a short-lived container, after the task has stopped.
const STREAM: Duration = Duration::from_secs(25);
/// The driver delivers the rest when its container ends. Where the stream is there already, its lines take
/// no longer than this, which is less than Fargate needs to clean up behind a container.
const LAST_LINES: Duration = Duration::from_secs(8);
/// So long after the end of its task a stream that is there is waited for at most.
const AFTER_TASK: Duration = Duration::from_secs(4);
/// A drain ends in any case; what is missing then has to be read later.
const LIMIT: Duration = Duration::from_secs(90);
/// Between two looks of a drain.
const PAUSE: Duration = Duration::from_secs(1);
/// Pages of one look (10,000 events each), so that a flood of lines does not starve the task's state.
const PAGES: usize = 20;

/// Reads a log stream forward.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) group: String,
    pub(crate) stream: String,
    container: String,
    task: String,
    token: Option<String>,
    tokens: Tokens,
    /// What AWS said instead of the stream; `None` since the stream was seen.
    absent: Option<String>,
    /// AWS said that even the group is not there: no stream can come.
    no_group: bool,
    /// The last look reached the end.
    at_end: bool,
    /// The last look brought lines.
    brought: bool,
    last: Option<LogEvent>,
    last_news: Option<Timestamp>,
    /// Reading is not possible; said once.
    given_up: bool,
}

impl Tail {
    pub(crate) fn new(place: &LogPlace, container: &str, task: &str) -> Self {
        Self {
            group: place.group.clone(),
            stream: place.stream(container, task),
            container: container.to_owned(),
            task: task.to_owned(),
            token: None,
            tokens: Tokens::default(),
            absent: Some("it was not looked for".to_owned()),
            no_group: false,
            at_end: false,
            brought: false,
            last: None,
            last_news: None,
            given_up: false,
        }
    }

    /// Tells what is new. Trouble with the log never ends the following of a task.
    pub(super) async fn look(&mut self, observer: &Observer<'_>) {
        if self.given_up {
            return;
        }
        if let Err(error) = self.read(observer).await {
            self.at_end = false;
            match error.kind() {
                // These pass; the next look goes on at the same place.
                ErrorKind::Throttled | ErrorKind::Unreachable => {
                    tracing::warn!(%error, "reading the log again")
                }
                _ => {
                    self.given_up = true;
                    observer.warns(
                        format!("the log cannot be shown: {error}"),
                        error.hints().iter().cloned(),
                    );
                }
            }
        }
    }

    async fn read(&mut self, observer: &Observer<'_>) -> Result<()> {
        self.at_end = false;
        self.brought = false;
        for _ in 0..PAGES {
            let read = observer
                .aws
                .log_page(&self.group, &self.stream, self.token.as_deref())
                .await?;
            let page = match read {
                StreamRead::Page(page) => page,
                StreamRead::Absent(why) => {
                    // The API has one code for both: only its sentence tells them apart.
                    self.no_group = why.contains("log group does not exist");
                    self.absent = Some(why);
                    self.at_end = true;
                    return Ok(());
                }
            };
            self.absent = None;
            for event in &page.events {
                observer.says(Event::Line {
                    container: self.container.clone(),
                    line: shown(&event.message),
                });
            }
            if let Some(last) = page.events.last() {
                let now = observer.clock().now();
                self.brought = true;
                self.last_news = Some(last.ingested.map_or(now, |ingested| ingested.min(now)));
                self.last = Some(last.clone());
            }
            if self.token.as_ref() == Some(&page.next) {
                self.at_end = true;
                return Ok(());
            }
            self.tokens
                .note(&format!("read the log stream {}", self.stream), &page.next)?;
            self.token = Some(page.next);
        }
        Ok(())
    }

    /// After the task's end: reads on until nothing more can be expected.
    ///
    /// `watched` says that the task was still running when it was first looked at.
    pub(super) async fn drain(
        &mut self,
        observer: &Observer<'_>,
        task: &Task,
        watched: bool,
        cancel: &CancellationToken,
    ) {
        if self.given_up || !has_run(task, &self.container) {
            return;
        }
        let clock = observer.clock();
        let begun = clock.now();
        let expected = Expected::of(task, watched, begun);
        let limit = after(begun, LIMIT);
        loop {
            self.look(observer).await;
            let now = clock.now();
            if self.given_up || (self.at_end && self.is_over(task, now, expected)) {
                break;
            }
            if now >= limit {
                observer.warns(
                    "the log did not come to rest: lines may be missing above",
                    [self.command()],
                );
                return;
            }
            tokio::select! {
                () = cancel.cancelled() => {
                    observer.warns("interrupted while the last lines were awaited: some may be missing above", []);
                    return;
                }
                () = clock.sleep(PAUSE) => {}
            }
        }
        if !self.given_up {
            self.conclude(observer);
        }
    }

    /// Whether the end that was reached is the end of the log.
    fn is_over(&self, task: &Task, now: Timestamp, expected: Expected) -> bool {
        if self.last.as_ref().is_some_and(|last| is_final(last, task)) {
            // One more look has found nothing.
            return !self.brought;
        }
        let quiet = self.last_news.is_none_or(|news| now >= after(news, QUIET));
        let by = match self.absent {
            Some(_) if !self.no_group => expected.stream,
            Some(_) | None => expected.lines,
        };
        quiet && now >= by
    }

    fn conclude(&self, observer: &Observer<'_>) {
        let container = &self.container;
        match (&self.absent, &self.last) {
            // Nothing is known of what the container wrote: the stream may also have another name.
            (Some(why), _) => observer.warns(
                format!(
                    "no lines of {container} are shown: {why} (stream {} of log group {})",
                    self.stream, self.group
                ),
                [],
            ),
            (None, None) => observer.says(Event::Note(format!(
                "{container} wrote nothing: log stream {} is empty to its end",
                self.stream
            ))),
            (None, Some(_)) => {}
        }
    }

    /// How to read the whole log once more. The log outlives its task, and `bpctl logs` finds it then as well.
    pub(crate) fn command(&self) -> Hint {
        Hint::from((
            "read the log with",
            CommandLine::bpctl(["logs", "task", &self.task]).option("--container", &self.container),
        ))
    }
}

/// Whether the container can have written anything.
fn has_run(task: &Task, container: &str) -> bool {
    task.started.is_some()
        || task
            .container(container)
            .is_some_and(|found| found.exit_code.is_some())
}

/// Whether an event came with the driver's last delivery. Both times are AWS' own.
fn is_final(event: &LogEvent, task: &Task) -> bool {
    let end = container_end(task).map(|end| after(end, UNDER_WAY));
    end.zip(event.ingested)
        .is_some_and(|(end, ingested)| ingested >= end)
}

/// When the containers came to their end. A container that ends its task has ended before the others, so the
/// last of them is the safe side.
fn container_end(task: &Task) -> Option<Timestamp> {
    task.execution_stopped.or(task.stopped)
}

/// Until when something may still arrive, on this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Expected {
    /// The stream, with all its lines.
    stream: Timestamp,
    /// Lines of a stream that is there.
    lines: Timestamp,
}

impl Expected {
    /// AWS's times and ours are only compared when nothing better is known, so that a wrong clock costs no
    /// lines of a task that was watched.
    fn of(task: &Task, watched: bool, now: Timestamp) -> Self {
        let ended = container_end(task);
        let end = match (watched, ended, task.stopped) {
            (true, Some(ended), Some(stopped)) => {
                let cleaned_up = Duration::try_from(stopped.duration_since(ended)).unwrap_or_default();
                now.checked_sub(cleaned_up).unwrap_or(now)
            }
            (true, _, _) => now,
            (false, Some(ended), _) => ended.min(now),
            (false, None, _) => now,
        };
        // The time that the containers ran is part of the time that the stream may take.
        let ran = task
            .started
            .zip(ended)
            .and_then(|(started, ended)| Duration::try_from(ended.duration_since(started)).ok())
            .unwrap_or_default();
        let lines = after(end, LAST_LINES).min(after(now, AFTER_TASK));
        Self {
            stream: after(end, STREAM.saturating_sub(ran)).max(lines),
            lines,
        }
    }
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

    fn line(ingested: &str) -> LogEvent {
        LogEvent {
            ingested: Some(at(ingested)),
            message: "DONE".to_owned(),
        }
    }

    fn expected(task: &Task, watched: bool, now: &str) -> [String; 2] {
        let expected = Expected::of(task, watched, at(now));
        [expected.stream, expected.lines].map(|time| time.strftime("%H:%M:%S").to_string())
    }

    #[test]
    fn a_watched_task_is_given_the_time_since_its_containers_ended() {
        let task = stopped("09:00:00", "09:00:10");
        assert_eq!(expected(&task, true, "09:00:12"), ["09:00:27", "09:00:10"]);
        // A clock that is an hour off changes nothing.
        assert_eq!(expected(&task, true, "10:00:12"), ["10:00:27", "10:00:10"]);
        // The task has stopped together with its container.
        let at_once = stopped("09:00:10", "09:00:10");
        assert_eq!(expected(&at_once, true, "09:00:12"), ["09:00:37", "09:00:16"]);
    }

    #[test]
    fn a_stream_is_waited_for_from_the_start_of_its_container() {
        let ran = |started: &str| Task {
            started: Some(at(started)),
            ..stopped("09:00:00", "09:00:10")
        };
        assert_eq!(
            expected(&ran("08:59:55"), true, "09:00:12"),
            ["09:00:22", "09:00:10"]
        );
        assert_eq!(
            expected(&ran("08:59:00"), true, "09:00:12"),
            ["09:00:10", "09:00:10"]
        );
    }

    #[test]
    fn a_task_that_ended_long_ago_needs_no_waiting() {
        let task = stopped("09:00:00", "09:00:10");
        let [stream, lines] = expected(&task, false, "09:40:00");
        assert!(stream.as_str() < "09:40:00" && lines.as_str() < "09:40:00");
        assert_eq!(expected(&task, false, "09:00:12"), ["09:00:25", "09:00:08"]);
    }

    #[test]
    fn without_times_the_wait_is_whole() {
        let whole = ["09:00:25", "09:00:04"];
        assert_eq!(expected(&Task::default(), true, "09:00:00"), whole);
        assert_eq!(expected(&Task::default(), false, "09:00:00"), whole);
        assert!(!is_final(&line("09:00:00"), &Task::default()));
    }

    #[test]
    fn a_line_of_the_last_delivery_ends_the_wait() {
        let task = stopped("09:00:30", "09:00:40");
        assert!(is_final(&line("09:00:32"), &task));
        // A delivery from before the end may be as late as this: the rest is still under way.
        assert!(!is_final(&line("09:00:31"), &task));
        assert!(!is_final(&line("09:00:21"), &task));
    }

    #[test]
    fn the_end_is_the_end_only_when_another_look_brings_nothing() {
        let place = LogPlace {
            group: "/ecs/bp-backend".to_owned(),
            prefix: "php".to_owned(),
        };
        let task = stopped("09:00:30", "09:00:40");
        let now = at("09:00:41");
        let expected = Expected {
            stream: at("09:00:55"),
            lines: at("09:00:45"),
        };
        let mut tail = Tail::new(&place, "php-fpm", "0af");
        // The stream may appear yet.
        assert!(!tail.is_over(&task, expected.lines, expected));
        assert!(tail.is_over(&task, expected.stream, expected));
        // Where there is no group none can appear.
        tail.no_group = true;
        assert!(tail.is_over(&task, expected.lines, expected));
        // It is there, and nothing is in it.
        tail.absent = None;
        tail.no_group = false;
        assert!(!tail.is_over(&task, now, expected));
        assert!(tail.is_over(&task, expected.lines, expected));
        tail.last = Some(line("09:00:32"));
        tail.brought = true;
        assert!(!tail.is_over(&task, now, expected));
        tail.brought = false;
        assert!(tail.is_over(&task, now, expected));
        tail.last = Some(line("09:00:11"));
        tail.last_news = Some(at("09:00:11"));
        assert!(!tail.is_over(&task, now, expected));
        assert!(tail.is_over(&task, expected.lines, expected));
    }
}
