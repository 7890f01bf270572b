//! CloudTrail's event history: the management events of the account (AWS CloudTrail API Reference, LookupEvents).

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, list, page, text};
use crate::service::table::operations;
use crate::service::{Access, Service};
use crate::time::SimTime;
use crate::wire::Call;
use crate::world::World;

/// How long it takes until an event is in the history: "typically delivers events within an average of about 5 minutes of an API
/// call" (AWS CloudTrail User Guide, "How CloudTrail works").
const DELIVERED_AFTER: Duration = Duration::from_secs(300);

/// Results of a page, at most and without being asked ("MaxResults").
const MOST: usize = 50;

/// Operations on objects are data events, which the history does not have (AWS CloudTrail User Guide, "Logging data
/// events").
const DATA: &[&str] = &[
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjects",
    "GetObject",
    "HeadObject",
    "ListObjectVersions",
    "ListObjectsV2",
    "PutObject",
    "UploadPart",
    "UploadPartCopy",
];

/// Other operations that are not logged as management events: lines and points that are written or read.
const NOT_LOGGED: &[&str] = &[
    "PutLogEvents",
    "PutMetricData",
    "GetMetricData",
    "FilterLogEvents",
    "GetLogEvents",
];

/// Members whose values CloudTrail hides.
const HIDDEN: &[&str] = &["SecretString", "SecretBinary", "Value", "MasterUserPassword"];

operations! {
    Read LookupEvents => lookup_events,
}

fn invalid(code: &str, message: &str) -> ApiError {
    ApiError::client(code, message)
}

fn lookup_events(world: &World, input: &Value) -> OpResult {
    let time = |member: &str| input.get(member).and_then(Value::as_f64);
    let (start, end) = (time("StartTime"), time("EndTime"));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(invalid(
            "InvalidTimeRangeException",
            "End time must be greater than start time.",
        ));
    }
    let attributes = list(input, "LookupAttributes");
    // "Currently the list can contain only one item."
    if attributes.len() > 1 {
        let message = "Lookup attributes list can contain only one item.";
        return Err(invalid("InvalidLookupAttributesException", message));
    }
    let size = match integer(input, "MaxResults") {
        None => MOST,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (1..=MOST).contains(size))
            .ok_or_else(|| {
                invalid(
                    "InvalidMaxResultsException",
                    "Max results must be between 1 and 50.",
                )
            })?,
    };
    let first = world.call_count() - world.calls().len() as u64;
    let numbered = world.calls().iter().enumerate().rev();
    let logged = numbered.map(|(place, call)| (call, first + place as u64));
    let events = logged.filter(|(call, _)| is_logged(call) && delivered(world.now, call.at));
    let in_time = events.filter(|(call, _)| {
        let at = call.at.epoch_seconds();
        start.is_none_or(|start| at >= start) && end.is_none_or(|end| at <= end)
    });
    let events = in_time.map(|(call, number)| event(world, call, number));
    let wanted: Vec<Value> = events
        .filter(|event| attributes.iter().all(|wanted| has(event, wanted)))
        .collect();
    let bad_token = || invalid("InvalidNextTokenException", "Invalid next token.");
    let (events, next) = page(wanted, text(input, "NextToken"), size, bad_token)?;
    let mut answer = json!({ "Events": events });
    if let Some(next) = next {
        answer["NextToken"] = Value::from(next);
    }
    Ok(answer)
}

fn is_logged(call: &Call) -> bool {
    let is_data = call.service == Service::S3 && DATA.contains(&call.operation.as_str());
    call.access.is_some() && !is_data && !NOT_LOGGED.contains(&call.operation.as_str())
}

fn delivered(now: SimTime, at: SimTime) -> bool {
    now.since(at) >= DELIVERED_AFTER
}

/// Whether an event has what a lookup asks for.
fn has(event: &Value, wanted: &Value) -> bool {
    let value = text(wanted, "AttributeValue").unwrap_or_default();
    match text(wanted, "AttributeKey").unwrap_or_default() {
        "ResourceName" => list(event, "Resources")
            .iter()
            .any(|one| one["ResourceName"] == value),
        "ResourceType" => list(event, "Resources")
            .iter()
            .any(|one| one["ResourceType"] == value),
        key => event[key] == value,
    }
}

/// The event of a call, as the history has it.
fn event(world: &World, call: &Call, number: u64) -> Value {
    let id = format!(
        "{:08x}-0000-4000-8000-{number:012x}",
        world.options.seed & 0xffff_ffff
    );
    let source = format!("{}.amazonaws.com", source(call.service));
    let name = call.by.rsplit('/').next().unwrap_or_default();
    let read_only = call.access != Some(Access::Write);
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "AssumedRole", "arn": call.by, "accountId": world.options.account_id},
        "eventTime": call.at.iso8601(),
        "eventSource": source,
        "eventName": call.operation,
        "awsRegion": world.options.region,
        "sourceIPAddress": "192.0.2.10",
        "userAgent": call.agent,
        "requestParameters": call.input.as_ref().map_or(Value::Null, parameters),
        "responseElements": null,
        "eventID": id,
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": world.options.account_id,
        "eventCategory": "Management",
    });
    if let Some(error) = &call.error {
        record["errorCode"] = Value::from(error.as_str());
    }
    json!({
        "EventId": id,
        "EventName": call.operation,
        "ReadOnly": read_only.to_string(),
        "EventTime": call.at.epoch_seconds(),
        "EventSource": source,
        "Username": name,
        "Resources": [],
        "CloudTrailEvent": record.to_string(),
    })
}

/// The service's name before `.amazonaws.com` in events, which is that of its endpoint.
fn source(service: Service) -> &'static str {
    match service {
        Service::CloudWatch => "monitoring",
        other => other.iam_prefix(),
    }
}

/// The request's members by their names in events, without what is secret.
fn parameters(input: &Value) -> Value {
    let Some(members) = input.as_object() else {
        return Value::Null;
    };
    let written = members.iter().map(|(name, value)| {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        let shown = match HIDDEN.contains(&name.as_str()) {
            true => Value::from("HIDDEN_DUE_TO_SECURITY_REASONS"),
            false => value.clone(),
        };
        (first.into_iter().chain(letters).collect::<String>(), shown)
    });
    Value::Object(written.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn world() -> World {
        World::new(Options::default())
    }

    fn record(world: &mut World, operation: &str, access: Access) {
        let call = Call {
            at: world.now,
            service: Service::Ssm,
            operation: operation.to_owned(),
            access: Some(access),
            error: None,
            input: Some(json!({"Name": "/bp/x", "Value": "hush"})),
            asked: Vec::new(),
            by: "arn:aws:sts::123456789012:assumed-role/admin/somebody".to_owned(),
            agent: "aws-cli/1.44".to_owned(),
        };
        world.gateway.record(call);
    }

    fn lookup(world: &mut World, input: &Value) -> OpResult {
        world.call(Service::CloudTrail, "LookupEvents", input)
    }

    #[test]
    fn a_change_is_in_the_history_after_minutes_without_its_secrets() {
        let mut world = world();
        record(&mut world, "PutParameter", Access::Write);
        record(&mut world, "GetParameter", Access::Read);
        let changes = json!({"LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]});
        let none = lookup(&mut world, &changes).unwrap();
        assert_eq!(none["Events"], json!([]));
        let later = world.now + DELIVERED_AFTER;
        world.advance(later);
        let found = lookup(&mut world, &changes).unwrap();
        let events = found["Events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{found}");
        assert_eq!(
            (&events[0]["EventName"], &events[0]["Username"]),
            (&json!("PutParameter"), &json!("somebody"))
        );
        let record = events[0]["CloudTrailEvent"].as_str().unwrap();
        assert!(
            record.contains("HIDDEN_DUE") && !record.contains("hush"),
            "{record}"
        );
    }

    #[test]
    fn pages_are_of_fifty_at_most() {
        let mut world = world();
        for _ in 0..60 {
            record(&mut world, "PutParameter", Access::Write);
        }
        let later = world.now + DELIVERED_AFTER;
        world.advance(later);
        let first = lookup(&mut world, &json!({})).unwrap();
        assert_eq!(first["Events"].as_array().unwrap().len(), 50);
        let second = lookup(&mut world, &json!({"NextToken": first["NextToken"]})).unwrap();
        assert_eq!(second["Events"].as_array().unwrap().len(), 10);
        assert!(second.get("NextToken").is_none());
        for wrong in [
            json!({"MaxResults": 51}),
            json!({"StartTime": 2, "EndTime": 1}),
            json!({"NextToken": "x"}),
        ] {
            assert!(lookup(&mut world, &wrong).is_err(), "{wrong}");
        }
    }
}
