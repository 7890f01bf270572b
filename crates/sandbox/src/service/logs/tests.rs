//! Reading logs through the API.

use std::time::Duration;

use serde_json::{Value, json};

use super::{append, create_group, ingest};
use crate::service::Service;
use crate::service::operator::{Operator, strings, text};

const GROUP: &str = "/test/group";

fn with_lines(lines: &[&str]) -> Operator {
    let mut operator = Operator::under(&[]);
    create_group(&mut operator.world, GROUP, 7);
    for line in lines {
        append(&mut operator.world, GROUP, "a/b/1", line);
        operator.wait(1);
    }
    operator
}

fn get(operator: &mut Operator, more: Value) -> Value {
    let mut input = json!({"logGroupName": GROUP, "logStreamName": "a/b/1"});
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    operator.call(Service::Logs, "GetLogEvents", &input)
}

#[test]
fn reading_forward_ends_with_the_same_token_and_goes_on_when_there_is_more() {
    let mut operator = with_lines(&["one", "two", "three"]);
    let first = get(&mut operator, json!({"startFromHead": true, "limit": 2}));
    assert_eq!(strings(&first["events"], "message"), ["one", "two"]);
    let second = get(
        &mut operator,
        json!({"nextToken": first["nextForwardToken"], "limit": 2}),
    );
    assert_eq!(strings(&second["events"], "message"), ["three"]);
    let end = get(&mut operator, json!({"nextToken": second["nextForwardToken"]}));
    assert_eq!(end["events"], json!([]));
    assert_eq!(end["nextForwardToken"], second["nextForwardToken"]);
    append(&mut operator.world, GROUP, "a/b/1", "four");
    let more = get(&mut operator, json!({"nextToken": end["nextForwardToken"]}));
    assert_eq!(strings(&more["events"], "message"), ["four"]);
}

#[test]
fn without_start_from_head_the_newest_come_first_and_tokens_lead_back() {
    let mut operator = with_lines(&["one", "two", "three"]);
    let newest = get(&mut operator, json!({"limit": 2}));
    assert_eq!(strings(&newest["events"], "message"), ["two", "three"]);
    let older = get(
        &mut operator,
        json!({"nextToken": newest["nextBackwardToken"], "limit": 2}),
    );
    assert_eq!(strings(&older["events"], "message"), ["one"]);
    let end = get(
        &mut operator,
        json!({"nextToken": older["nextBackwardToken"], "limit": 2}),
    );
    assert_eq!(end["nextBackwardToken"], older["nextBackwardToken"]);
}

#[test]
fn an_event_is_invisible_until_it_was_ingested() {
    let mut operator = with_lines(&[]);
    let now = operator.world.now;
    let later = now + Duration::from_secs(5);
    ingest(&mut operator.world, GROUP, "a/b/1", now, later, "late");
    let input = json!({"logGroupName": GROUP, "logStreamName": "a/b/1"});
    let error = operator.refused(Service::Logs, "GetLogEvents", &input);
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        (
            "ResourceNotFoundException",
            "The specified log stream does not exist."
        )
    );
    operator.wait(5);
    let events = get(&mut operator, json!({}))["events"].clone();
    assert_eq!(events[0]["timestamp"], now.0);
    assert_eq!(events[0]["ingestionTime"], later.0);
}

#[test]
fn filtering_pages_through_all_streams_in_order_of_time() {
    let mut operator = with_lines(&["ERROR one", "fine", "ERROR two"]);
    append(&mut operator.world, GROUP, "a/b/2", "ERROR three");
    let mut messages = Vec::new();
    let mut token = Value::Null;
    for _ in 0..5 {
        let mut input = json!({"logGroupName": GROUP, "filterPattern": "ERROR", "limit": 2});
        if !token.is_null() {
            input["nextToken"] = token.clone();
        }
        let page = operator.call(Service::Logs, "FilterLogEvents", &input);
        messages.extend(strings(&page["events"], "message"));
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(messages, ["ERROR one", "ERROR two", "ERROR three"]);
    let input = json!({"logGroupName": GROUP, "logStreamNames": ["a/b/2"]});
    let page = operator.call(Service::Logs, "FilterLogEvents", &input);
    assert_eq!(strings(&page["events"], "logStreamName"), ["a/b/2"]);
}

#[test]
fn streams_are_listed_by_name_or_by_their_last_event() {
    let mut operator = with_lines(&["one"]);
    append(&mut operator.world, GROUP, "a/b/0", "two");
    let mut list = |more: Value| {
        let mut input = json!({"logGroupName": GROUP});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        let answer = operator.call(Service::Logs, "DescribeLogStreams", &input);
        strings(&answer["logStreams"], "logStreamName")
    };
    assert_eq!(list(json!({})), ["a/b/0", "a/b/1"]);
    assert_eq!(list(json!({"orderBy": "LastEventTime"})), ["a/b/1", "a/b/0"]);
    assert_eq!(
        list(json!({"orderBy": "LastEventTime", "descending": true, "limit": 1})),
        ["a/b/0"]
    );
    assert_eq!(list(json!({"logStreamNamePrefix": "a/b/1"})), ["a/b/1"]);
}

#[test]
fn what_does_not_exist_is_named() {
    let mut operator = with_lines(&[]);
    let input = json!({"logGroupName": "/none", "logStreamName": "x"});
    for operation in ["GetLogEvents", "FilterLogEvents", "DescribeLogStreams"] {
        let error = operator.refused(Service::Logs, operation, &input);
        assert_eq!(error.message, "The specified log group does not exist.");
    }
    let names: Vec<String> = (0..101).map(|index| format!("s{index}")).collect();
    let input = json!({"logGroupName": GROUP, "logStreamNames": names});
    let error = operator.refused(Service::Logs, "FilterLogEvents", &input);
    assert_eq!(error.code, "InvalidParameterException");
}

#[test]
fn services_log_into_streams_of_prefix_container_and_task() {
    let mut operator = Operator::under(&[]);
    let input = json!({"logGroupName": "/ecs/bp-backend", "orderBy": "LastEventTime", "descending": true});
    let answer = operator.call(Service::Logs, "DescribeLogStreams", &input);
    let names = strings(&answer["logStreams"], "logStreamName");
    for prefix in [
        "nginx/nginx/",
        "php/php-fpm/",
        "scheduler/scheduler/",
        "queue/queue-worker/",
    ] {
        assert!(names.iter().any(|name| name.starts_with(prefix)), "{prefix}");
    }
    assert!(text(&answer["logStreams"][0]["arn"]).contains(":log-group:/ecs/bp-backend:log-stream:"));
}
