//! Reading logs through the API.

use std::time::Duration;

use serde_json::{Value, json};

use super::{append, create_group, ingest};
use crate::options::Options;
use crate::service::Service;
use crate::service::operator::{Operator, strings, text};
use crate::world::World;

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

fn put(operator: &mut Operator, group: &str, stream: &str, messages: &[(i64, &str)]) -> Value {
    let events: Vec<Value> = messages
        .iter()
        .map(|(at, message)| json!({"timestamp": at, "message": message}))
        .collect();
    let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
    operator.call(Service::Logs, "PutLogEvents", &input)
}

#[test]
fn what_is_put_is_there_and_what_is_too_old_or_too_new_is_rejected() {
    let mut operator = Operator::under(&[]);
    for (operation, input) in [
        ("CreateLogGroup", json!({"logGroupName": "/new"})),
        (
            "CreateLogStream",
            json!({"logGroupName": "/new", "logStreamName": "s"}),
        ),
    ] {
        operator.call(Service::Logs, operation, &input);
        let again = operator.refused(Service::Logs, operation, &input);
        assert_eq!(again.code, "ResourceAlreadyExistsException");
    }
    let now = operator.world.now.0;
    let day = 24 * 60 * 60 * 1000;
    let answer = put(
        &mut operator,
        "/new",
        "s",
        &[(now - 15 * day, "old"), (now, "kept"), (now + day, "new")],
    );
    assert_eq!(
        answer["rejectedLogEventsInfo"],
        json!({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2})
    );
    let found = operator.call(Service::Logs, "FilterLogEvents", &json!({"logGroupName": "/new"}));
    assert_eq!(strings(&found["events"], "message"), ["kept"]);
    let input = json!({"logGroupName": "/new", "logStreamName": "s", "logEvents":
        [{"timestamp": 2, "message": "b"}, {"timestamp": 1, "message": "a"}]});
    let refused = operator.refused(Service::Logs, "PutLogEvents", &input);
    assert!(refused.message.contains("chronological"), "{}", refused.message);
}

#[test]
fn a_page_of_a_long_search_may_be_empty_although_more_follows() {
    let mut operator = with_lines(&[]);
    operator.call(
        Service::Logs,
        "CreateLogStream",
        &json!({"logGroupName": GROUP, "logStreamName": "s"}),
    );
    let now = operator.world.now.0;
    let noise: Vec<(i64, &str)> = (0..10_000).map(|_| (now, "noise")).collect();
    for _ in 0..3 {
        put(&mut operator, GROUP, "s", &noise);
    }
    put(&mut operator, GROUP, "s", &[(now, "needle")]);
    let mut input = json!({"logGroupName": GROUP, "filterPattern": "needle"});
    let first = operator.call(Service::Logs, "FilterLogEvents", &input);
    assert_eq!(first["events"], json!([]));
    input["nextToken"] = first["nextToken"].clone();
    let second = operator.call(Service::Logs, "FilterLogEvents", &input);
    assert_eq!(strings(&second["events"], "message"), ["needle"]);
    assert!(second.get("nextToken").is_none());
}

fn tail(operator: &mut Operator, more: Value) -> String {
    let arn = super::group_arn(&operator.world, GROUP);
    let mut input = json!({"logGroupIdentifiers": [arn]});
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    let answer = operator.call(Service::Logs, "StartLiveTail", &input);
    let id = answer["responseStream"]["sessionStart"]["sessionId"].as_str();
    id.expect("a session").to_owned()
}

fn update(operator: &mut Operator, session: &str) -> Value {
    match super::next_update(&mut operator.world, session) {
        Some(super::Next::Update(update)) => update,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_gets_what_arrives_once_and_nothing_from_before() {
    let mut operator = with_lines(&["before"]);
    let all = tail(&mut operator, json!({}));
    let some = tail(
        &mut operator,
        json!({"logStreamNamePrefixes": ["a/"], "logEventFilterPattern": "two"}),
    );
    for line in ["one", "two"] {
        append(&mut operator.world, GROUP, "a/b/1", line);
    }
    append(&mut operator.world, GROUP, "c", "two");
    let first = update(&mut operator, &all);
    assert_eq!(
        strings(&first["sessionResults"], "message"),
        ["one", "two", "two"]
    );
    assert_eq!(first["sessionMetadata"]["sampled"], json!(false));
    assert_eq!(update(&mut operator, &all)["sessionResults"], json!([]));
    assert_eq!(
        strings(&update(&mut operator, &some)["sessionResults"], "logStreamName"),
        ["a/b/1"]
    );
}

#[test]
fn more_than_500_events_are_sampled_and_more_than_15_sessions_refused() {
    let mut operator = with_lines(&[]);
    let session = tail(&mut operator, json!({}));
    for _ in 0..1_234 {
        append(&mut operator.world, GROUP, "s", "x");
    }
    let sampled = update(&mut operator, &session);
    assert_eq!(sampled["sessionMetadata"]["sampled"], json!(true));
    assert_eq!(sampled["sessionResults"].as_array().unwrap().len(), 500);
    for _ in 1..15 {
        tail(&mut operator, json!({}));
    }
    let arn = super::group_arn(&operator.world, GROUP);
    let input = json!({"logGroupIdentifiers": [arn]});
    let refused = operator.refused(Service::Logs, "StartLiveTail", &input);
    assert_eq!(refused.code, "LimitExceededException");
    super::end_session(&mut operator.world, &session);
    tail(&mut operator, json!({}));
}

#[test]
fn a_session_is_over_after_three_hours_or_when_the_network_goes() {
    let mut operator = with_lines(&[]);
    let long = tail(&mut operator, json!({}));
    operator.wait(3 * 60 * 60);
    let over = super::next_update(&mut operator.world, &long);
    assert!(
        matches!(over, Some(super::Next::Over("SessionTimeoutException", _))),
        "{over:?}"
    );
    assert_eq!(super::next_update(&mut operator.world, &long), None);
    let cut = tail(&mut operator, json!({}));
    operator.world.cut_streams();
    assert_eq!(
        super::next_update(&mut operator.world, &cut),
        Some(super::Next::Cut)
    );
}

#[test]
fn a_group_keeps_its_events_for_one_of_the_numbers_of_days_that_there_are() {
    let mut world = World::new(Options::default());
    create_group(&mut world, "g", 0);
    let mut put = |group: &str, days: i64| {
        let input = json!({ "logGroupName": group, "retentionInDays": days });
        world
            .call(Service::Logs, "PutRetentionPolicy", &input)
            .map_err(|error| error.code)
    };
    assert_eq!(put("g", 8), Err("InvalidParameterException".into()));
    assert_eq!(put("none", 7), Err("ResourceNotFoundException".into()));
    put("g", 7).unwrap();
    let shown = world
        .call(
            Service::Logs,
            "DescribeLogGroups",
            &json!({ "logGroupNamePrefix": "g" }),
        )
        .unwrap();
    assert_eq!(shown["logGroups"][0]["retentionInDays"], 7);
}
