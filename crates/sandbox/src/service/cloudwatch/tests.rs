//! CloudWatch as its callers see it.

use std::time::Duration;

use fleet_scaling::alarm::{AlarmRule, Comparison, MissingData};
use serde_json::{Value, json};

use super::{AlarmSpec, Statistic, put, put_alarm, put_dashboard};
use crate::error::ApiError;
use crate::options::Options;
use crate::service::Service;
use crate::world::World;

fn world() -> World {
    World::new(Options::default())
}

fn call(world: &mut World, operation: &str, input: Value) -> Value {
    world.call(Service::CloudWatch, operation, &input).unwrap()
}

fn fails(world: &mut World, operation: &str, input: Value) -> ApiError {
    world.call(Service::CloudWatch, operation, &input).unwrap_err()
}

fn spec(name: &str) -> AlarmSpec {
    AlarmSpec {
        name: name.to_owned(),
        description: None,
        namespace: "Test".to_owned(),
        metric: "Depth".to_owned(),
        dimensions: vec![("Queue".to_owned(), "q".to_owned())],
        statistic: Statistic::Maximum,
        period: 60,
        rule: AlarmRule {
            comparison: Comparison::GreaterThanOrEqualToThreshold,
            threshold: 10.0,
            evaluation_periods: 2,
            datapoints_to_alarm: 2,
            missing_data: MissingData::NotBreaching,
        },
        alarm_actions: Vec::new(),
        ok_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
        actions_enabled: true,
        unit: None,
    }
}

/// Publishes one value a minute, as the minute begins.
fn publish(world: &mut World, values: &[f64]) {
    for value in values {
        put(world, "Test", "Depth", &[("Queue", "q")], *value);
        world.advance(world.now + Duration::from_secs(60));
    }
}

fn alarm(world: &mut World, name: &str) -> Value {
    call(world, "DescribeAlarms", json!({"AlarmNames": [name]}))["MetricAlarms"][0].clone()
}

#[test]
fn an_alarm_goes_off_explains_itself_and_calms_down() {
    let mut world = world();
    put_alarm(&mut world, spec("t-deep"));
    publish(&mut world, &[1.0, 12.0]);
    assert_eq!(alarm(&mut world, "t-deep")["StateValue"], "OK");
    publish(&mut world, &[14.0, 15.0]);
    let shown = alarm(&mut world, "t-deep");
    assert_eq!(shown["StateValue"], "ALARM");
    assert_eq!(
        shown["StateReason"],
        "Threshold Crossed: 2 out of the last 2 datapoints [14.0 (15/01/26 09:02:00), 12.0 (15/01/26 09:01:00)] were \
         greater than or equal to the threshold (10.0) (minimum 2 datapoints for OK -> ALARM transition)."
    );
    let data: Value = serde_json::from_str(shown["StateReasonData"].as_str().unwrap()).unwrap();
    assert_eq!(data["recentDatapoints"], json!([12.0, 14.0]));
    assert_eq!(
        data["evaluatedDatapoints"][0]["timestamp"],
        "2026-01-15T09:02:00.000+0000"
    );
    publish(&mut world, &[3.0, 3.0]);
    assert_eq!(alarm(&mut world, "t-deep")["StateValue"], "OK");
    let input = json!({"AlarmName": "t-deep", "HistoryItemType": "StateUpdate"});
    let history = call(&mut world, "DescribeAlarmHistory", input);
    let summaries: Vec<_> = history["AlarmHistoryItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["HistorySummary"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        summaries,
        [
            "Alarm updated from ALARM to OK",
            "Alarm updated from OK to ALARM",
            "Alarm updated from INSUFFICIENT_DATA to OK"
        ]
    );
}

#[test]
fn a_state_set_by_hand_lasts_until_the_next_evaluation() {
    let mut world = world();
    put_alarm(&mut world, spec("t-deep"));
    let input = json!({"AlarmName": "t-deep", "StateValue": "ALARM", "StateReason": "drill"});
    call(&mut world, "SetAlarmState", input);
    let shown = alarm(&mut world, "t-deep");
    assert_eq!(
        (&shown["StateValue"], &shown["StateReason"]),
        (&json!("ALARM"), &json!("drill"))
    );
    world.advance(world.now + Duration::from_secs(60));
    assert_eq!(alarm(&mut world, "t-deep")["StateValue"], "OK");
    let unknown = json!({"AlarmName": "none", "StateValue": "OK", "StateReason": "x"});
    assert_eq!(
        fails(&mut world, "SetAlarmState", unknown).code,
        "ResourceNotFound"
    );
}

#[test]
fn a_queue_empty_alarm_takes_its_fleet_to_zero() {
    let mut world = world();
    let name = "production-gpu-default-queue-empty";
    assert_eq!(alarm(&mut world, name)["StateValue"], "OK");
    let input = json!({"AlarmName": name, "StateValue": "ALARM", "StateReason": "drill"});
    call(&mut world, "SetAlarmState", input);
    let group = "asg-production-gpu-default";
    assert_eq!(
        crate::service::autoscaling::desired_capacity(&world, group),
        Some(0)
    );
}

#[test]
fn alarms_are_found_by_prefix_state_and_page() {
    let mut world = world();
    for n in 0..120 {
        put_alarm(&mut world, spec(&format!("t-{n:03}")));
    }
    let first = call(
        &mut world,
        "DescribeAlarms",
        json!({"AlarmNamePrefix": "t-", "MaxRecords": 100}),
    );
    assert_eq!(first["MetricAlarms"].as_array().unwrap().len(), 100);
    let rest = json!({"AlarmNamePrefix": "t-", "MaxRecords": 100, "NextToken": first["NextToken"]});
    let rest = call(&mut world, "DescribeAlarms", rest);
    assert_eq!(rest["MetricAlarms"].as_array().unwrap().len(), 20);
    assert_eq!(rest["NextToken"], Value::Null);
    let input = json!({"StateValue": "INSUFFICIENT_DATA", "AlarmNamePrefix": "t-11"});
    let waiting = call(&mut world, "DescribeAlarms", input);
    assert_eq!(waiting["MetricAlarms"].as_array().unwrap().len(), 10);
    let names: Vec<_> = (0..101).map(|n| format!("t-{n}")).collect();
    assert_eq!(
        fails(&mut world, "DescribeAlarms", json!({"AlarmNames": names})).code,
        "ValidationError"
    );
    let both = json!({"AlarmNames": ["a"], "AlarmNamePrefix": "t"});
    assert_eq!(fails(&mut world, "DescribeAlarms", both).code, "ValidationError");
}

fn queries(world: &World, queries: Value, minutes: u64) -> Value {
    json!({
        "StartTime": (world.now - Duration::from_secs(60 * minutes)).epoch_seconds(),
        "EndTime": world.now.epoch_seconds(),
        "MetricDataQueries": queries,
    })
}

fn stat(name: &str, period: u64) -> Value {
    json!({
        "Metric": {"Namespace": "Test", "MetricName": "Depth", "Dimensions": [{"Name": "Queue", "Value": "q"}]},
        "Period": period,
        "Stat": name,
    })
}

#[test]
fn metric_data_is_aggregated_and_combined() {
    let mut world = world();
    publish(&mut world, &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let all: Vec<Value> = [
        "Average",
        "Maximum",
        "Minimum",
        "Sum",
        "SampleCount",
        "p50",
        "p90",
    ]
    .into_iter()
    .enumerate()
    .map(|(n, name)| json!({"Id": format!("m{n}"), "MetricStat": stat(name, 300)}))
    .chain([json!({"Id": "e1", "Expression": "m3 / m4 * 10", "Label": "mean"})])
    .collect();
    let input = queries(&world, json!(all), 5);
    let results = call(&mut world, "GetMetricData", input)["MetricDataResults"].clone();
    let values: Vec<f64> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["Values"][0].as_f64().unwrap())
        .collect();
    assert_eq!(values, [3.0, 5.0, 1.0, 15.0, 5.0, 3.0, 5.0, 30.0]);
    assert_eq!(results[7]["Label"], "mean");
    let mut input = queries(&world, json!([{"Id": "m", "MetricStat": stat("Sum", 60)}]), 3);
    let newest_first = call(&mut world, "GetMetricData", input.clone());
    assert_eq!(
        newest_first["MetricDataResults"][0]["Values"],
        json!([5.0, 4.0, 3.0])
    );
    input["ScanBy"] = json!("TimestampAscending");
    let oldest_first = call(&mut world, "GetMetricData", input);
    assert_eq!(
        oldest_first["MetricDataResults"][0]["Values"],
        json!([3.0, 4.0, 5.0])
    );
}

#[test]
fn metric_data_comes_in_pages_of_whole_results() {
    let mut world = world();
    publish(&mut world, &[1.0, 2.0, 3.0]);
    let many: Vec<Value> = (0..3)
        .map(|n| json!({"Id": format!("m{n}"), "MetricStat": stat("Sum", 60)}))
        .collect();
    let mut input = queries(&world, json!(many), 3);
    input["MaxDatapoints"] = json!(6);
    let first = call(&mut world, "GetMetricData", input.clone());
    assert_eq!(first["MetricDataResults"].as_array().unwrap().len(), 2);
    input["NextToken"] = first["NextToken"].clone();
    let second = call(&mut world, "GetMetricData", input);
    assert_eq!(second["MetricDataResults"][0]["Id"], "m2");
    assert_eq!(second["NextToken"], Value::Null);
}

#[test]
fn senseless_queries_are_refused() {
    let mut world = world();
    let cases = [
        json!([{"Id": "e1", "Expression": "m1 +"}]),
        json!([{"Id": "e1", "Expression": "m9 * 2"}]),
        json!([{"Id": "e1", "Expression": "e2"}, {"Id": "e2", "Expression": "e1"}]),
        json!([{"Id": "m1", "MetricStat": stat("Mean", 60)}]),
        json!([{"Id": "m1", "MetricStat": stat("Sum", 61)}]),
        json!(
            (0..501)
                .map(|n| json!({"Id": format!("m{n}"), "MetricStat": stat("Sum", 60)}))
                .collect::<Vec<_>>()
        ),
    ];
    for case in cases {
        let input = queries(&world, case, 5);
        assert_eq!(
            fails(&mut world, "GetMetricData", input.clone()).code,
            "ValidationError",
            "{input}"
        );
    }
}

#[test]
fn statistics_and_lists_of_a_custom_metric() {
    let mut world = world();
    let datum = json!({
        "MetricName": "Custom",
        "Dimensions": [{"Name": "A", "Value": "1"}],
        "StatisticValues": {"SampleCount": 4, "Sum": 20, "Minimum": 2, "Maximum": 9},
    });
    call(
        &mut world,
        "PutMetricData",
        json!({"Namespace": "Test", "MetricData": [datum]}),
    );
    let listed = call(
        &mut world,
        "ListMetrics",
        json!({"Namespace": "Test", "Dimensions": [{"Name": "A"}]}),
    );
    assert_eq!(listed["Metrics"][0]["MetricName"], "Custom");
    let mut input = json!({
        "Namespace": "Test", "MetricName": "Custom", "Dimensions": [{"Name": "A", "Value": "1"}],
        "StartTime": (world.now - Duration::from_secs(60)).epoch_seconds(),
        "EndTime": (world.now + Duration::from_secs(60)).epoch_seconds(),
        "Period": 60, "Statistics": ["Average", "Maximum"],
    });
    let points = call(&mut world, "GetMetricStatistics", input.clone())["Datapoints"].clone();
    assert_eq!(
        (&points[0]["Average"], &points[0]["Maximum"]),
        (&json!(5.0), &json!(9.0))
    );
    input["StartTime"] = json!((world.now - Duration::from_secs(2 * 86_400)).epoch_seconds());
    let error = fails(&mut world, "GetMetricStatistics", input);
    assert_eq!(error.code, "InvalidParameterCombination");
    assert!(
        error.message.contains("exceeds the limit of 1440"),
        "{}",
        error.message
    );
    let reserved = json!({"Namespace": "AWS/EC2", "MetricData": []});
    assert_eq!(
        fails(&mut world, "PutMetricData", reserved).code,
        "InvalidParameterValue"
    );
}

#[test]
fn the_idle_fleet_s_empty_queue_is_an_alarm_and_the_busy_one_s_is_none() {
    let mut world = world();
    assert_eq!(
        alarm(&mut world, "staging-gpu-default-queue-empty")["StateValue"],
        "ALARM"
    );
    assert_eq!(
        alarm(&mut world, "production-gpu-default-queue-empty")["StateValue"],
        "OK"
    );
    assert_eq!(
        alarm(&mut world, "production-gpu-default-queue-has-jobs")["StateValue"],
        "ALARM"
    );
    let storage = alarm(&mut world, "p1-rds-storage-low");
    assert_eq!(storage["Threshold"], 2_147_483_648.0);
    assert_eq!(storage["ComparisonOperator"], "LessThanThreshold");
}

#[test]
fn an_alarm_that_is_put_is_overwritten_completely_and_keeps_its_state() {
    let mut world = World::new(Options::default());
    let alarm = |threshold: f64| {
        json!({
            "AlarmName": "a", "Namespace": "Test", "MetricName": "Depth", "Statistic": "Maximum", "Period": 60,
            "Dimensions": [{ "Name": "Queue", "Value": "q" }], "EvaluationPeriods": 1, "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        })
    };
    let mut first = alarm(1.0);
    first["AlarmDescription"] = json!("deep");
    first["OKActions"] = json!(["arn:aws:sns:us-east-1:123456789012:t"]);
    first["ActionsEnabled"] = json!(false);
    let mut call = |operation: &str, input: &Value| world.call(Service::CloudWatch, operation, input);
    call("PutMetricAlarm", &first).unwrap();
    call(
        "SetAlarmState",
        &json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "test" }),
    )
    .unwrap();
    call("PutMetricAlarm", &alarm(2.0)).unwrap();
    let shown = call("DescribeAlarms", &json!({ "AlarmNames": ["a"] })).unwrap()["MetricAlarms"][0].clone();
    assert_eq!(
        (&shown["StateValue"], &shown["Threshold"]),
        (&json!("ALARM"), &json!(2.0))
    );
    assert_eq!(
        (&shown["OKActions"], &shown["ActionsEnabled"]),
        (&json!([]), &json!(true))
    );
    assert!(shown.get("AlarmDescription").is_none(), "{shown}");
    for (member, value) in [
        ("Period", json!(90)),
        ("EvaluationPeriods", json!(2000)),
        ("DatapointsToAlarm", json!(2)),
        ("ExtendedStatistic", json!("p99")),
    ] {
        let mut wrong = alarm(1.0);
        wrong[member] = value;
        assert_eq!(
            call("PutMetricAlarm", &wrong).unwrap_err().code,
            "ValidationError",
            "{member}"
        );
    }
}

#[test]
fn an_alarm_whose_actions_are_switched_off_sets_nothing_in_motion() {
    let mut world = World::new(Options::default());
    for enabled in [true, false] {
        let name = format!("enabled-{enabled}");
        put_alarm(
            &mut world,
            AlarmSpec {
                alarm_actions: vec!["arn:aws:sns:us-east-1:123456789012:t".to_owned()],
                actions_enabled: enabled,
                ..spec(&name)
            },
        );
    }
    publish(&mut world, &[20.0, 20.0, 20.0]);
    let acted = |world: &mut World, name: &str| {
        let input = json!({ "AlarmName": name, "HistoryItemType": "Action" });
        let items = world
            .call(Service::CloudWatch, "DescribeAlarmHistory", &input)
            .unwrap();
        items["AlarmHistoryItems"].as_array().unwrap().len()
    };
    assert_eq!(acted(&mut world, "enabled-true"), 1);
    assert_eq!(acted(&mut world, "enabled-false"), 0);
}

#[test]
fn a_dashboard_is_its_body_or_not_there() {
    let mut world = World::new(Options::default());
    put_dashboard(&mut world, "d", "{}");
    let mut ask = |name: &str| {
        world.call(
            Service::CloudWatch,
            "GetDashboard",
            &json!({ "DashboardName": name }),
        )
    };
    assert_eq!(ask("d").unwrap()["DashboardBody"], "{}");
    let error = ask("none").unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("ResourceNotFound", 404));
}
