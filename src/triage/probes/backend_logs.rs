//! Errors in the backend's log, and the workers that register. They are read whatever else was seen: workers in the background fail
//! without an alarm, and a log that was not read says nothing.

use crate::aws::Aws;
use crate::aws::logs::FoundLine;
use crate::error::Result;
use crate::layout::{App, Layout};
use crate::tasks::shown;

use super::deadline::Deadline;

/// How far back the log is searched.
const MINUTES: u64 = 30;

/// How many pages are read: the service may need several to find anything at all.
const PAGES: usize = 2;

/// How many lines are kept, the newest.
const LINES: usize = 1_000;

/// What errors look like: Laravel's levels, PHP's and nginx's own words, and the exceptions of clients; and the
/// path that workers register at, in nginx' access log.
const PATTERN: &str = r#"?".ERROR:" ?".CRITICAL:" ?".ALERT:" ?".EMERGENCY:" ?"PHP Fatal error" ?"Uncaught " ?"SQLSTATE[" ?"connect() failed" ?"[emerg]" ?"cURL error" ?RedisException ?"Predis\\" ?NOAUTH ?WRONGPASS ?"POST /api/worker/register""#;

/// Error lines of the backend, oldest first.
pub(super) async fn search(aws: &Aws, deadline: &Deadline<'_>, layout: &Layout) -> Result<Vec<FoundLine>> {
    let group = layout.log_group(App::Backend);
    let lines = aws
        .log_search(&group, PATTERN, deadline.minutes_ago(MINUTES), PAGES)
        .await?;
    let surplus = lines.len().saturating_sub(LINES);
    Ok(lines
        .into_iter()
        .skip(surplus)
        .map(|line| FoundLine {
            message: shown(&line.message),
            ..line
        })
        .collect())
}
