//! Operations on logs.

use aws_sdk_cloudwatchlogs::error::SdkError;
use jiff::Timestamp;

use super::Aws;
use crate::error::{Required as _, Result, from_sdk};

/// A line of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEvent {
    /// When CloudWatch Logs had it, which is some seconds after it was written.
    pub(crate) ingested: Option<Timestamp>,
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

impl Aws {
    /// Up to 10,000 events (or 1 MB) of a stream after `token`, from its beginning without one; `None`
    /// when there is no such stream (yet).
    pub(crate) async fn log_page(
        &self,
        group: &str,
        stream: &str,
        token: Option<&str>,
    ) -> Result<Option<LogPage>> {
        const REQUEST: &str = "GetLogEvents";
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
                return Ok(None);
            }
            Err(error) => {
                return Err(from_sdk(
                    format!("read the log stream {stream} of {group}"),
                    &error,
                ));
            }
        };
        Ok(Some(LogPage {
            events: answer
                .events()
                .iter()
                .map(|event| LogEvent {
                    ingested: event
                        .ingestion_time()
                        .and_then(|time| Timestamp::from_millisecond(time).ok()),
                    message: event.message().unwrap_or_default().to_owned(),
                })
                .collect(),
            next: answer
                .next_forward_token()
                .required(REQUEST, "nextForwardToken")?
                .to_owned(),
        }))
    }
}
