//! AWS CloudTrail: who changed what in the account, by whatever tool.

use std::collections::BTreeMap;

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

/// Calls that begin an operation on a stack.
const BEGIN_AN_OPERATION: [&str; 3] = ["ExecuteChangeSet", "CreateStack", "UpdateStack"];

/// A stack's times and the event's are taken by two services.
const APART: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

impl Aws {
    /// Calls that change something, since then, the newest first; those of the last minutes are not there yet.
    pub(crate) async fn changes_since(&self, since: Timestamp) -> Result<Traces> {
        const DOING: &str = "read the changes that CloudTrail has recorded";
        self.looked_up(DOING, LookupAttributeKey::ReadOnly, "false", since)
            .await
    }

    /// Who began the last operation on each of these stacks, given with the time of it, as an ARN. A stack is missing
    /// when the history does not have that operation: it keeps 90 days, and is some minutes behind.
    pub(crate) async fn who_changed_stacks(
        &self,
        stacks: &BTreeMap<String, Timestamp>,
    ) -> Result<BTreeMap<String, String>> {
        const DOING: &str = "look who changed the stacks last";
        let mut newest: BTreeMap<String, (Timestamp, String)> = BTreeMap::new();
        let Some(first) = stacks.values().min() else {
            return Ok(BTreeMap::new());
        };
        for name in BEGIN_AN_OPERATION {
            let key = LookupAttributeKey::EventName;
            let traces = self.looked_up(DOING, key, name, *first - APART).await?;
            for trace in traces.found.into_iter().filter(|trace| trace.error.is_none()) {
                let (Some(subject), Some(by)) = (trace.subject, trace.by) else {
                    continue;
                };
                let stack = name_of_stack(&subject);
                let last = stacks
                    .get(stack)
                    .is_some_and(|changed| trace.at >= *changed - APART);
                if last && newest.get(stack).is_none_or(|(at, _)| *at < trace.at) {
                    newest.insert(stack.to_owned(), (trace.at, by));
                }
            }
        }
        Ok(newest.into_iter().map(|(stack, (_, by))| (stack, by)).collect())
    }

    async fn looked_up(
        &self,
        doing: &'static str,
        key: LookupAttributeKey,
        value: &str,
        since: Timestamp,
    ) -> Result<Traces> {
        let client = self.cloudtrail_client().await?;
        let attribute = LookupAttribute::builder()
            .attribute_key(key)
            .attribute_value(value)
            .build()
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, doing).source(&error))?;
        let (mut tokens, mut token) = (Tokens::default(), None);
        let mut traces = Traces::default();
        for _ in 0..PAGES {
            let call = client
                .lookup_events()
                .lookup_attributes(attribute.clone())
                .start_time(DateTime::from_secs(since.as_second()))
                .set_next_token(token);
            let answer = call.send().await.map_err(|error| from_sdk(doing, &error))?;
            for event in answer.events.as_deref().required(REQUEST, "Events")? {
                traces.found.push(convert(event)?);
            }
            token = answer.next_token;
            match &token {
                Some(next) => tokens.note(doing, next)?,
                None => return Ok(traces),
            }
        }
        traces.cut_off = true;
        Ok(traces)
    }
}

/// `bp-data` of `bp-data` or `arn:aws:cloudformation:us-east-1:123456789012:stack/bp-data/2f…`.
fn name_of_stack(name_or_arn: &str) -> &str {
    let of_arn = name_or_arn.split_once(":stack/").map(|(_, rest)| rest);
    of_arn.map_or(name_or_arn, |rest| rest.split('/').next().unwrap_or(rest))
}

/// Members of requests that name what they are about.
const NAMES: [&str; 12] = [
    "stackName",
    "name",
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
