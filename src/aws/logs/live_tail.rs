//! StartLiveTail: what arrives in up to ten groups, once a second.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use aws_sdk_cloudwatchlogs::error::SdkError;
use aws_sdk_cloudwatchlogs::operation::start_live_tail::StartLiveTailOutput;
use aws_sdk_cloudwatchlogs::types::StartLiveTailResponseStream as Message;
use aws_sdk_cloudwatchlogs::types::error::StartLiveTailResponseStreamError as StreamError;

use super::Event;
use crate::aws::Aws;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// An open session. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct LiveTail(StartLiveTailOutput);

/// What a session tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tailed {
    /// The lines of the last second, each with the name of its group.
    Lines {
        lines: Vec<(String, Event)>,
        /// There were more than 500, and these are a sample.
        sampled: bool,
    },
    /// Three hours are over (API reference of StartLiveTail).
    TimedOut,
    /// The service closed the stream.
    Closed,
}

const DOING: &str = "follow the logs through Live Tail";

impl Aws {
    /// Opens a session for these groups. `prefixes` of stream names are only allowed with one group.
    ///
    /// # Errors
    /// What keeps it from being opened; it is not tried again here.
    pub(crate) async fn live_tail(
        &self,
        groups: &[&str],
        prefixes: &[&str],
        pattern: Option<&str>,
    ) -> Result<LiveTail> {
        let identity = self.identity().await?;
        let partition = identity.arn.split(':').nth(1).unwrap_or("aws");
        let region = self.region().await?.required("settings", "region")?;
        let arns = groups
            .iter()
            .map(|group| {
                format!(
                    "arn:{partition}:logs:{region}:{}:log-group:{group}",
                    identity.account
                )
            })
            .collect();
        let prefixes: Vec<String> = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
        // The one who follows decides when to try again, and reads in another way until then.
        let once = aws_sdk_cloudwatchlogs::config::Builder::new().retry_config(RetryConfig::disabled());
        let session = self
            .logs_client()
            .await?
            .start_live_tail()
            .set_log_group_identifiers(Some(arns))
            .set_log_stream_name_prefixes((!prefixes.is_empty()).then_some(prefixes))
            .set_log_event_filter_pattern(pattern.map(str::to_owned))
            .customize()
            .config_override(once)
            .send()
            .await
            .map_err(|error| from_sdk(DOING, &error))?;
        Ok(LiveTail(session))
    }
}

impl LiveTail {
    /// What the session tells next.
    ///
    /// # Errors
    /// The connection or the service fails: the session is over.
    pub(crate) async fn next(&mut self) -> Result<Tailed> {
        loop {
            return Ok(match self.0.response_stream.recv().await {
                Ok(Some(Message::SessionUpdate(update))) => {
                    let sampled = update.session_metadata.is_some_and(|metadata| metadata.sampled());
                    let results = update.session_results.unwrap_or_default();
                    let lines = results.into_iter().filter_map(|result| {
                        let group = name_of(&result.log_group_identifier?).to_owned();
                        let event = Event {
                            at: result.timestamp?,
                            ingested: result.ingestion_time.unwrap_or_default(),
                            stream: Arc::from(result.log_stream_name?),
                            message: result.message.unwrap_or_default(),
                        };
                        Some((group, event))
                    });
                    Tailed::Lines {
                        lines: lines.collect(),
                        sampled,
                    }
                }
                // The start, and members that later versions of the API may add.
                Ok(Some(_)) => continue,
                Ok(None) => Tailed::Closed,
                Err(SdkError::ServiceError(error)) => match error.err() {
                    StreamError::SessionTimeoutException(_) => Tailed::TimedOut,
                    error => {
                        let message = error.meta().message().unwrap_or("AWS gave no message");
                        return Err(CtlError::new(ErrorKind::Unreachable, DOING).cause(message));
                    }
                },
                Err(error) => {
                    return Err(CtlError::new(ErrorKind::Unreachable, DOING).source(&error));
                }
            });
        }
    }
}

/// The name in an ARN, in `<account>:<name>`, or by itself.
fn name_of(identifier: &str) -> &str {
    if let Some((_, name)) = identifier.split_once(":log-group:") {
        return name.trim_end_matches(":*");
    }
    match identifier.split_once(':') {
        Some((account, name)) if account.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => identifier,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_known_by_any_of_its_identifiers() {
        for identifier in [
            "/ecs/bp-backend",
            "123456789012:/ecs/bp-backend",
            "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/bp-backend",
            "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/bp-backend:*",
        ] {
            assert_eq!(name_of(identifier), "/ecs/bp-backend", "{identifier}");
        }
    }
}
