//! AWS CloudTrail: who changed what in the account, by whatever tool.

use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde_json::Value;

use super::Aws;
use super::convert::time;
use super::pages::Tokens;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

const REQUEST: &str = "LookupEvents";

/// LookupEvents gives at most 50 events a page and answers twice a second (CloudTrail API Reference): a minute's wait for
/// the busiest account.
const PAGES: usize = 40;

/// A change of the account as CloudTrail has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// E.g. `ssm.amazonaws.com`.
    pub(crate) source: String,
    /// E.g. `PutParameter`.
    pub(crate) name: String,
    /// ARN of who asked, or the service that did so by itself.
    pub(crate) by: Option<String>,
    /// What the client calls itself.
    pub(crate) agent: String,
    /// Why it was refused.
    pub(crate) error: Option<String>,
    /// What it was about: the one name among the request's parameters.
    pub(crate) subject: Option<String>,
}

/// The changes that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traces {
    /// The newest first.
    pub(crate) found: Vec<Trace>,
    /// There are older ones that were not read.
    pub(crate) cut_off: bool,
}

impl Aws {
    /// Calls that change something, since then, the newest first; those of the last minutes are not there yet.
    pub(crate) async fn changes_since(&self, since: Timestamp) -> Result<Traces> {
        const DOING: &str = "read the changes that CloudTrail has recorded";
        let client = self.cloudtrail_client().await?;
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ReadOnly)
            .attribute_value("false")
            .build()
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, DOING).source(&error))?;
        let (mut tokens, mut token) = (Tokens::default(), None);
        let mut traces = Traces::default();
        for _ in 0..PAGES {
            let call = client
                .lookup_events()
                .lookup_attributes(attribute.clone())
                .start_time(DateTime::from_secs(since.as_second()))
                .set_next_token(token);
            let answer = call.send().await.map_err(|error| from_sdk(DOING, &error))?;
            for event in answer.events.as_deref().required(REQUEST, "Events")? {
                traces.found.push(convert(event)?);
            }
            token = answer.next_token;
            match &token {
                Some(next) => tokens.note(DOING, next)?,
                None => return Ok(traces),
            }
        }
        traces.cut_off = true;
        Ok(traces)
    }
}

/// Members of requests that name what they are about.
const NAMES: [&str; 12] = [
    "name",
    "stackName",
    "service",
    "autoScalingGroupName",
    "secretId",
    "bucketName",
    "dBInstanceIdentifier",
    "functionName",
    "alarmName",
    "repositoryName",
    "cluster",
    "roleName",
];

fn convert(event: &Event) -> Result<Trace> {
    let record: Value = event
        .cloud_trail_event()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let identity = &record["userIdentity"];
    let by = text(&identity["arn"])
        .or_else(|| text(&identity["invokedBy"]))
        .or_else(|| event.username().map(str::to_owned));
    let resource = event
        .resources()
        .iter()
        .find_map(|resource| resource.resource_name());
    let parameters = &record["requestParameters"];
    let named = || NAMES.iter().find_map(|name| text(&parameters[*name]));
    Ok(Trace {
        id: event.event_id().required(REQUEST, "EventId")?.to_owned(),
        at: time(event.event_time()).required(REQUEST, "EventTime")?,
        source: event.event_source().required(REQUEST, "EventSource")?.to_owned(),
        name: event.event_name().required(REQUEST, "EventName")?.to_owned(),
        by,
        agent: text(&record["userAgent"]).unwrap_or_default(),
        error: text(&record["errorCode"]),
        subject: named().or_else(|| resource.map(str::to_owned)),
    })
}
