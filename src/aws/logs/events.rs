//! FilterLogEvents, page by page, for many events: the answer is read straight into what is needed of it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_cloudwatchlogs::error::ErrorMetadata;
use aws_sdk_cloudwatchlogs::error::SdkError;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::{FilterLogEventsError, FilterLogEventsOutput};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, Error, Output,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::config_bag::ConfigBag;
use jiff::Timestamp;
use serde::Deserialize;

use crate::aws::Aws;
use crate::error::{Required as _, Result, from_sdk};

/// A line of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When the program wrote it, in milliseconds since the epoch.
    pub(crate) at: i64,
    /// When CloudWatch Logs had it, likewise.
    pub(crate) ingested: i64,
    pub(crate) stream: Arc<str>,
    pub(crate) message: String,
}

/// Which lines of a group are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search<'a> {
    pub(crate) group: &'a str,
    /// What the names of the streams begin with.
    pub(crate) prefix: Option<&'a str>,
    /// A filter pattern of CloudWatch Logs.
    pub(crate) pattern: Option<&'a str>,
    pub(crate) from: Timestamp,
    pub(crate) until: Option<Timestamp>,
}

/// A page of lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// In the order of their times.
    pub(crate) events: Vec<Event>,
    /// Where to go on; a page may be empty although more follow (API reference of FilterLogEvents).
    pub(crate) next: Option<String>,
}

const REQUEST: &str = "FilterLogEvents";

impl Aws {
    /// Up to 10,000 lines (or 1 MB) of a group; `None` when there is no such group.
    pub(crate) async fn log_events(&self, search: &Search<'_>, token: Option<&str>) -> Result<Option<Found>> {
        let into = Arc::new(Mutex::new(None));
        let answer = self
            .logs_client()
            .await?
            .filter_log_events()
            .log_group_name(search.group)
            .set_log_stream_name_prefix(search.prefix.map(str::to_owned))
            .set_filter_pattern(search.pattern.map(str::to_owned))
            .start_time(search.from.as_millisecond())
            .set_end_time(search.until.map(Timestamp::as_millisecond))
            .set_next_token(token.map(str::to_owned))
            .customize()
            .interceptor(ReadStraight(Arc::clone(&into)))
            .send()
            .await;
        match answer {
            Ok(_) => {
                let found = into.lock().unwrap_or_else(PoisonError::into_inner).take();
                found.required(REQUEST, "events").map(Some)
            }
            Err(SdkError::ServiceError(error))
                if error.err().meta().code() == Some("ResourceNotFoundException") =>
            {
                Ok(None)
            }
            Err(error) => Err(from_sdk(format!("read the log group {}", search.group), &error)),
        }
    }
}

/// Where the events of an answer go.
type Into = Arc<Mutex<Option<Found>>>;

/// Puts [`Straight`] in the place of the SDK's own reader of answers, for one request and its retries.
#[derive(Debug)]
struct ReadStraight(Into);

#[dyn_dispatch_hint]
impl Intercept for ReadStraight {
    fn name(&self) -> &'static str {
        "ReadStraight"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reader = SharedResponseDeserializer::new(Straight(Arc::clone(&self.0)));
        config.interceptor_state().store_put(reader);
        Ok(())
    }
}

/// Reads the events of a good answer in one pass, without the SDK's copies of members that are not needed. A dump of
/// many events spends most of its time here.
#[derive(Debug)]
struct Straight(Into);

impl DeserializeResponse for Straight {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = response.body().bytes().unwrap_or_default();
        if !response.status().is_success() {
            let refused = FilterLogEventsError::generic(refusal(response, body));
            return Err(OrchestratorError::operation(Error::erase(refused)));
        }
        let found = read(body).map_err(OrchestratorError::other)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(Output::erase(FilterLogEventsOutput::builder().build()))
    }
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

/// What a refusal says, in the form of the JSON protocol (AWS JSON 1.1, "Operation error serialization").
fn refusal(response: &HttpResponse, body: &[u8]) -> ErrorMetadata {
    let said: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let headers = response.headers();
    let code = said
        .code
        .or_else(|| headers.get("x-amzn-errortype").map(str::to_owned));
    // `com.amazonaws.logs#ThrottlingException:http://…`
    let code = code.map(|code| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    });
    let mut refusal = ErrorMetadata::builder();
    if let Some(code) = code {
        refusal = refusal.code(code);
    }
    if let Some(message) = said.message {
        refusal = refusal.message(message);
    }
    if let Some(id) = headers.get("x-amzn-requestid") {
        refusal = refusal.custom("aws_request_id", id.to_owned());
    }
    refusal.build()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow)]
    events: Option<Vec<Line<'a>>>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    log_stream_name: Cow<'a, str>,
    timestamp: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    ingestion_time: i64,
}

/// The events of an answer; `None` for one without a list of them.
fn read(body: &[u8]) -> serde_json::Result<Option<Found>> {
    let page: Page<'_> = serde_json::from_slice(body)?;
    let Some(lines) = page.events else { return Ok(None) };
    let mut names: HashMap<String, Arc<str>> = HashMap::new();
    let mut named = |name: &str| match names.get(name) {
        Some(known) => Arc::clone(known),
        None => {
            let shared: Arc<str> = Arc::from(name);
            names.insert(name.to_owned(), Arc::clone(&shared));
            shared
        }
    };
    let events = lines.into_iter().map(|line| Event {
        at: line.timestamp,
        ingested: line.ingestion_time,
        stream: named(&line.log_stream_name),
        message: line.message,
    });
    Ok(Some(Found {
        events: events.collect(),
        next: page.next_token.filter(|token| !token.is_empty()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_and_without_escapes() {
        let found = read(
            br#"{"events":[{"eventId":"1","ingestionTime":5,"logStreamName":"a\/b","message":"x \"y\"\n","timestamp":3},
                {"logStreamName":"c","message":"z","timestamp":4}],"nextToken":"t","searchedLogStreams":[]}"#,
        );
        let found = found.unwrap().unwrap();
        assert_eq!(found.next.as_deref(), Some("t"));
        assert_eq!(
            (&*found.events[0].stream, found.events[0].message.as_str()),
            ("a/b", "x \"y\"\n")
        );
        assert_eq!((found.events[0].at, found.events[0].ingested), (3, 5));
        assert_eq!((found.events[1].at, found.events[1].ingested), (4, 0));
    }

    #[test]
    fn an_answer_without_a_list_is_none_and_one_that_is_cut_off_an_error() {
        assert_eq!(read(b"{}").unwrap(), None);
        assert!(read(br#"{"events":[{"logStreamName":"a""#).is_err());
        assert!(read(br#"{"events":[{"message":"no stream, no time"}]}"#).is_err());
    }
}
