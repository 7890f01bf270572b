//! Operations on logs.

mod events;
mod live_tail;
mod removal;
mod retention;
mod streams;

use aws_sdk_cloudwatchlogs::error::SdkError;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Aws;
use super::pages::{Pages, Tokens};
use crate::error::{Required as _, Result, from_sdk};
pub(crate) use events::{Event, Found, Search};
pub(crate) use live_tail::{LiveTail, Tailed};
pub(crate) use removal::DeleteLogGroup;
pub(crate) use retention::{Kept, PutRetentionPolicy};

/// A line of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEvent {
    /// When CloudWatch Logs had it, which is some seconds after it was written.
    pub(crate) ingested: Option<Timestamp>,
    pub(crate) message: String,
}

/// A line found in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FoundLine {
    pub(crate) at: Timestamp,
    pub(crate) stream: String,
    pub(crate) message: String,
}

/// One page of a stream, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogPage {
    pub(crate) events: Vec<LogEvent>,
    /// Where to go on. The same token as the one sent means: nothing more for now. An empty page with
    /// another token does not mean that (API reference of GetLogEvents).
    pub(crate) next: String,
}

/// The end of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LastLines {
    /// Oldest first; none when the stream is empty from its end to its beginning.
    Read(Vec<String>),
    /// There is no such stream or group (yet).
    Absent,
    /// Only empty pages came within the pages that are read.
    NotReached,
}

/// Empty pages from the end that are read before giving up.
const TAIL_PAGES: usize = 20;

const GET: &str = "GetLogEvents";

/// A log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogGroup {
    pub(crate) name: String,
    /// What it stores, compressed.
    pub(crate) bytes: u64,
    pub(crate) kept: Kept,
    pub(crate) created: Option<Timestamp>,
}

/// A look at a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StreamRead {
    Page(LogPage),
    /// There is no such stream or group (yet), in AWS' words.
    Absent(String),
}

impl Aws {
    /// Up to 10,000 events (or 1 MB) of a stream after `token`, from its beginning without one.
    pub(crate) async fn log_page(
        &self,
        group: &str,
        stream: &str,
        token: Option<&str>,
    ) -> Result<StreamRead> {
        let answer = self
            .logs_client()
            .await?
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream)
            .start_from_head(true)
            .set_next_token(token.map(str::to_owned))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {
                return Ok(StreamRead::Absent(absent(error.err().meta().message())));
            }
            Err(error) => {
                return Err(from_sdk(
                    format!("read the log stream {stream} of {group}"),
                    &error,
                ));
            }
        };
        Ok(StreamRead::Page(LogPage {
            next: answer
                .next_forward_token()
                .required(GET, "nextForwardToken")?
                .to_owned(),
            events: answer
                .events
                .required(GET, "events")?
                .iter()
                .map(|event| LogEvent {
                    ingested: event
                        .ingestion_time()
                        .and_then(|time| Timestamp::from_millisecond(time).ok()),
                    message: event.message().unwrap_or_default().to_owned(),
                })
                .collect(),
        }))
    }

    /// Whether there is a log group of exactly this name.
    pub(crate) async fn has_log_group(&self, name: &str) -> Result<bool> {
        let stream = self
            .logs_client()
            .await?
            .describe_log_groups()
            .log_group_name_prefix(name)
            .into_paginator()
            .send();
        // Names that go on behind it come after it: the first page has it, if it is there.
        let first = Pages::new(format!("look for log group {name}"), stream)
            .next()
            .await?;
        let groups = first.unwrap_or_default();
        Ok(groups.iter().any(|group| group.log_group_name() == Some(name)))
    }

    /// The log groups whose names begin with `prefix`.
    pub(crate) async fn log_groups(&self, prefix: &str) -> Result<Vec<LogGroup>> {
        let stream = self
            .logs_client()
            .await?
            .describe_log_groups()
            .log_group_name_prefix(prefix)
            .into_paginator()
            .send();
        let groups = Pages::new(format!("list the log groups under {prefix}"), stream)
            .all()
            .await?;
        let bytes = |bytes: Option<i64>| u64::try_from(bytes.unwrap_or_default()).unwrap_or_default();
        let named = groups.into_iter().filter_map(|group| {
            Some(LogGroup {
                bytes: bytes(group.stored_bytes),
                created: group
                    .creation_time
                    .and_then(|millis| Timestamp::from_millisecond(millis).ok()),
                kept: group.retention_in_days.map_or(Kept::Always, Kept::Days),
                name: group.log_group_name?,
            })
        });
        Ok(named.collect())
    }

    /// The last lines of a stream, at most `most`: those of the last page that has any.
    ///
    /// The service may hand out empty pages before the first lines, from either end: only the token that
    /// was sent coming back means that there is no more (API reference of GetLogEvents).
    pub(crate) async fn log_tail(&self, group: &str, stream: &str, most: i32) -> Result<LastLines> {
        let doing = format!("read the log stream {stream} of {group}");
        let client = self.logs_client().await?;
        let mut tokens = Tokens::default();
        let mut sent: Option<String> = None;
        for _ in 0..TAIL_PAGES {
            let answer = client
                .get_log_events()
                .log_group_name(group)
                .log_stream_name(stream)
                .start_from_head(false)
                .limit(most)
                .set_next_token(sent.clone())
                .send()
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {
                    return Ok(LastLines::Absent);
                }
                Err(error) => return Err(from_sdk(&doing, &error)),
            };
            let events = answer.events.required(GET, "events")?;
            let next = answer.next_backward_token.required(GET, "nextBackwardToken")?;
            if !events.is_empty() || sent.as_ref() == Some(&next) {
                let lines = events.into_iter().filter_map(|event| event.message);
                return Ok(LastLines::Read(lines.collect()));
            }
            tokens.note(&doing, &next)?;
            sent = Some(next);
        }
        Ok(LastLines::NotReached)
    }

    /// Lines of a group since `from` that fit a filter pattern, oldest first, from at most `pages` pages.
    ///
    /// A page may be empty although more follow: the service hands out what it found within its time
    /// (API reference of FilterLogEvents).
    pub(crate) async fn log_search(
        &self,
        group: &str,
        pattern: &str,
        from: Timestamp,
        pages: usize,
    ) -> Result<Vec<FoundLine>> {
        let doing = format!("search the log group {group}");
        let client = self.logs_client().await?;
        let mut lines = Vec::new();
        let mut tokens = Tokens::default();
        let mut token: Option<String> = None;
        for _ in 0..pages {
            let answer = client
                .filter_log_events()
                .log_group_name(group)
                .filter_pattern(pattern)
                .start_time(from.as_millisecond())
                .set_next_token(token.take())
                .send()
                .await
                .map_err(|error| from_sdk(&doing, &error))?;
            lines.extend(found(&answer.events.required("FilterLogEvents", "events")?));
            match answer.next_token {
                Some(next) => {
                    tokens.note(&doing, &next)?;
                    token = Some(next);
                }
                None => break,
            }
        }
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }
}

/// What AWS said, without its full stop; group and stream have one error code for both.
fn absent(message: Option<&str>) -> String {
    let message = message.unwrap_or("there is no such log stream");
    let message = message.trim_end_matches('.');
    let mut letters = message.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn found(events: &[FilteredLogEvent]) -> impl Iterator<Item = FoundLine> + '_ {
    events.iter().filter_map(|event| {
        Some(FoundLine {
            at: Timestamp::from_millisecond(event.timestamp()?).ok()?,
            stream: event.log_stream_name()?.to_owned(),
            message: event.message()?.to_owned(),
        })
    })
}
