//! The handler against a simulated account.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bpctl_sandbox::{Access, Fault, FaultRule, Layout, Options, Sandbox, Scenario, Service};
use serde_json::json;

use super::*;

pub(super) const FLEET: &str = "production-gpu-default-queue-empty";
const GROUP: &str = "asg-production-gpu-default";

/// The account's time.
#[derive(Clone, Debug)]
struct AccountTime(Sandbox);

impl TimeSource for AccountTime {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0.now().0).expect("after 1970"))
    }
}

fn account(scenarios: &[Scenario]) -> Sandbox {
    Sandbox::stepped(Options {
        scenarios: scenarios.iter().copied().collect(),
        ..Options::default()
    })
}

/// The production fleet runs and has nothing to do: no function listens to the topic, and an operator keeps it up.
fn idle() -> Sandbox {
    let sandbox = account(&[Scenario::ScaleToZeroUnsubscribed]);
    keep_up(&sandbox);
    sandbox
}

/// One worker whatever the scaling policies of the group would say.
pub(super) fn keep_up(sandbox: &Sandbox) {
    let alarms = json!({ "AutoScalingGroupName": GROUP, "ScalingProcesses": ["AlarmNotification"] });
    call(sandbox, Service::AutoScaling, "SuspendProcesses", alarms);
    let one = json!({ "AutoScalingGroupName": GROUP, "DesiredCapacity": 1 });
    call(sandbox, Service::AutoScaling, "SetDesiredCapacity", one);
    sandbox.advance(Duration::from_secs(20 * 60));
}

fn function(sandbox: &Sandbox, options: ScaleToZeroSpec) -> Function {
    let key = aws_credential_types::Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
    let config = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            key,
        ))
        .http_client(SharedHttpClient::new(sandbox.clone()))
        .time_source(SharedTimeSource::new(AccountTime(sandbox.clone())))
        .build();
    Function::new(&config, options)
}

fn platform() -> ScaleToZeroSpec {
    ScaleToZeroSpec::unguarded(15)
}

fn safe() -> ScaleToZeroSpec {
    ScaleToZeroSpec::safe(15)
}

/// A notification as CloudWatch writes it (User Guide, "Notifying users on alarm changes").
pub(super) fn notification(alarm: &str, old: &str, new: &str) -> String {
    json!({
        "AlarmName": alarm,
        "AlarmDescription": null,
        "AWSAccountId": "123456789012",
        "AlarmConfigurationUpdatedTimestamp": "2026-01-12T08:00:00.000+0000",
        "NewStateValue": new,
        "NewStateReason": "Threshold Crossed: 15 out of the last 15 datapoints [0.0 (15/01/26 08:59:00)] were less than or equal to the threshold (0.0) (minimum 15 datapoints for OK -> ALARM transition).",
        "StateChangeTime": "2026-01-15T09:00:00.000+0000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": format!("arn:aws:cloudwatch:us-east-1:123456789012:alarm:{alarm}"),
        "OldStateValue": old,
        "OKActions": [],
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero"],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "QueueDepth",
            "Namespace": "ComfyUI/Workers",
            "StatisticType": "Statistic",
            "Statistic": "MAXIMUM",
            "Unit": null,
            "Dimensions": [
                { "value": "gpu-default", "name": "FleetSlug" },
                { "value": "production", "name": "Stage" },
            ],
            "Period": 60,
            "EvaluationPeriods": 15,
            "DatapointsToAlarm": 15,
            "ComparisonOperator": "LessThanOrEqualToThreshold",
            "Threshold": 0.0,
            "TreatMissingData": "breaching",
            "EvaluateLowSampleCountPercentile": "",
        },
    })
    .to_string()
}

/// The event with which SNS invokes a function (Lambda Developer Guide, "Invoking Lambda functions with
/// Amazon SNS notifications"). SNS puts one record into it; the function does not rely on that.
pub(super) fn event(messages: &[String]) -> Value {
    let topic = "arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero";
    let record = |(number, message): (usize, &String)| {
        json!({
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": format!("{topic}:21be56ed-a058-49f5-8c98-aedd2564c486"),
            "Sns": {
                "Type": "Notification",
                "MessageId": format!("95df01b4-ee98-5cb9-9903-4c221d41eb{number:02}"),
                "TopicArn": topic,
                "Subject": "ALARM: \"production-gpu-default-queue-empty\" in US East (N. Virginia)",
                "Message": message,
                "Timestamp": "2026-01-15T09:00:00.123Z",
                "SignatureVersion": "1",
                "Signature": "RXhhbXBsZQ==",
                "SigningCertUrl": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0000.pem",
                "UnsubscribeUrl": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
                "MessageAttributes": {},
            },
        })
    };
    json!({ "Records": messages.iter().enumerate().map(record).collect::<Vec<_>>() })
}

fn scheduled() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-15T09:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/bp-scale-to-zero-recheck"],
        "detail": {},
    })
}

async fn ring(sandbox: &Sandbox, options: ScaleToZeroSpec) -> Report {
    let messages = [notification(FLEET, "OK", "ALARM")];
    function(sandbox, options)
        .handle(&event(&messages))
        .await
        .remove(0)
}

fn writes(sandbox: &Sandbox) -> usize {
    sandbox.with_world(|world| {
        world
            .calls()
            .iter()
            .filter(|call| call.access == Some(Access::Write))
            .count()
    })
}

/// Counts the calls of an operation, refused ones too.
fn calls(sandbox: &Sandbox, operation: &str) -> usize {
    sandbox.with_world(|world| {
        world
            .calls()
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    })
}

fn call(sandbox: &Sandbox, service: Service, operation: &str, input: Value) -> Value {
    sandbox
        .with_world(|world| world.call(service, operation, &input))
        .expect("the account does it")
}

pub(super) fn desired(sandbox: &Sandbox) -> Value {
    let input = json!({ "AutoScalingGroupNames": [GROUP] });
    let answer = call(sandbox, Service::AutoScaling, "DescribeAutoScalingGroups", input);
    answer["AutoScalingGroups"][0]["DesiredCapacity"].clone()
}

#[tokio::test]
async fn an_alarm_takes_the_fleet_to_zero_and_its_second_delivery_changes_nothing() {
    let sandbox = idle();
    let report = ring(&sandbox, platform()).await;
    assert_eq!(report.outcome, Outcome::SetToZero);
    assert_eq!((report.desired_before, report.desired_after), (Some(1), Some(0)));
    assert_eq!((desired(&sandbox), writes(&sandbox)), (json!(0), 1));
    let answer = serde_json::to_value(conclude(vec![report]).unwrap()).unwrap();
    assert_eq!(
        answer,
        json!({ "records": [{
            "message_id": "95df01b4-ee98-5cb9-9903-4c221d41eb00",
            "alarm": FLEET, "group": GROUP, "outcome": "set-to-zero",
            "desired_before": 1, "desired_after": 0,
        }] })
    );

    let again = ring(&sandbox, platform()).await;
    assert_eq!((again.outcome, again.desired_after), (Outcome::AlreadyZero, None));
    assert_eq!(writes(&sandbox), 1);
}

#[tokio::test]
async fn what_does_not_concern_a_fleet_costs_no_call() {
    let sandbox = idle();
    for (alarm, state, outcome) in [
        (FLEET, "OK", Outcome::NotAlarming),
        (FLEET, "INSUFFICIENT_DATA", Outcome::NotAlarming),
        ("p1-alb-5xx-critical", "ALARM", Outcome::NotAnAlarmOfAFleet),
        (
            "production-gpu-default-queue-has-jobs",
            "ALARM",
            Outcome::NotAnAlarmOfAFleet,
        ),
    ] {
        let event = event(&[notification(alarm, "ALARM", state)]);
        let reports = function(&sandbox, platform()).handle(&event).await;
        assert_eq!(reports[0].outcome, outcome, "{alarm} {state}");
    }
    assert_eq!(sandbox.with_world(|world| world.calls().len()), 0);
}

/// An alarm on a metric expression has no dimensions, a composite one no trigger.
#[tokio::test]
async fn alarms_of_another_shape_are_ignored_unless_they_are_of_a_fleet() {
    let sandbox = idle();
    let composite = |name: &str| {
        json!({ "AlarmName": name, "NewStateValue": "ALARM", "OldStateValue": "OK", "AlarmRule": "ALARM(a)" })
            .to_string()
    };
    let event = event(&[composite("everything"), composite(FLEET)]);
    let reports = function(&sandbox, safe()).handle(&event).await;
    assert_eq!(reports[0].outcome, Outcome::NotAnAlarmOfAFleet);
    let error = reports[1].error.as_deref().unwrap();
    assert!(error.starts_with("read the alarm's `Trigger`: "), "{error}");
    assert_eq!(writes(&sandbox), 0);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_says_what_is_wrong_with_it() {
    let sandbox = idle();
    let mut without_message = event(&["gone".to_owned()]);
    without_message["Records"][0]["Sns"]
        .as_object_mut()
        .unwrap()
        .remove("Message");
    let unknown_state = notification(FLEET, "OK", "ON_FIRE");
    for (event, what) in [
        (
            event(&["hello".to_owned()]),
            "read the alarm's message: expected value at line 1 column 1",
        ),
        (event(&["{}".to_owned()]), "missing field `AlarmName`"),
        (event(&[unknown_state]), "unknown variant `ON_FIRE`"),
        (without_message, "it has no `Sns.Message`"),
        (json!({ "source": "aws.s3" }), "neither of SNS"),
        (scheduled(), "only SCALE_TO_ZERO_OPTIONS=safe"),
    ] {
        let reports = function(&sandbox, platform()).handle(&event).await;
        let diagnostic = conclude(reports).unwrap_err();
        assert!(
            diagnostic.error_message.contains(what),
            "{}",
            diagnostic.error_message
        );
    }
    assert_eq!(sandbox.with_world(|world| world.calls().len()), 0);
}

#[tokio::test]
async fn one_failure_fails_the_invocation_after_the_others_are_done() {
    let sandbox = idle();
    let event = event(&[
        "not an alarm".to_owned(),
        notification("production-gone-queue-empty", "OK", "ALARM"),
        notification(FLEET, "OK", "ALARM"),
    ]);
    let reports = function(&sandbox, platform()).handle(&event).await;
    let outcomes: Vec<String> = reports.iter().map(|report| report.outcome.to_string()).collect();
    assert_eq!(outcomes, ["failed", "no-such-group", "set-to-zero"]);
    let diagnostic = conclude(reports).unwrap_err();
    assert_eq!(diagnostic.error_type, "ScaleToZeroFailed");
    assert!(
        diagnostic.error_message.starts_with(
            "1 of 3 failed: 95df01b4-ee98-5cb9-9903-4c221d41eb00: failed to read the alarm's message: "
        ),
        "{}",
        diagnostic.error_message
    );
    assert_eq!(desired(&sandbox), 0);
}

#[tokio::test]
async fn what_aws_refuses_is_a_failure_and_passing_trouble_is_not() {
    let sandbox = idle();
    sandbox.with_world(|world| {
        world.inject(FaultRule::on(
            Service::AutoScaling,
            "SetDesiredCapacity",
            Fault::Deny,
        ));
    });
    let report = ring(&sandbox, platform()).await;
    let error = report.error.clone().unwrap();
    assert!(
        error.starts_with("set the desired capacity of `asg-production-gpu-default` to 0: ")
            && error.contains("not authorized to perform: autoscaling:SetDesiredCapacity"),
        "{error}"
    );
    assert_eq!(
        (report.outcome.to_string().as_str(), desired(&sandbox)),
        ("failed", json!(1))
    );

    let sandbox = idle();
    sandbox.with_world(|world| {
        world.inject(
            FaultRule::on(Service::AutoScaling, "DescribeAutoScalingGroups", Fault::Throttle).times(1),
        );
    });
    assert_eq!(ring(&sandbox, platform()).await.outcome, Outcome::SetToZero);
}

#[tokio::test]
async fn a_minimum_is_respected() {
    let sandbox = idle();
    let input = json!({ "AutoScalingGroupName": GROUP, "MinSize": 1 });
    call(&sandbox, Service::AutoScaling, "UpdateAutoScalingGroup", input);
    let report = ring(&sandbox, platform()).await;
    assert_eq!(report.outcome.to_string(), "held:below-minimum");
    assert_eq!(calls(&sandbox, "SetDesiredCapacity"), 0);
}

#[tokio::test]
async fn safe_options_let_an_idle_fleet_go() {
    let sandbox = idle();
    let report = ring(&sandbox, safe()).await;
    assert_eq!(report.outcome, Outcome::SetToZero, "{report:?}");
    assert_eq!(
        report.work,
        Some(Work {
            queued: Some(0.0),
            busy: Some(0),
            missing: 0
        })
    );
    assert_eq!(
        (calls(&sandbox, "GetMetricData"), desired(&sandbox)),
        (1, json!(0))
    );
}

#[tokio::test]
async fn safe_options_hold_a_fleet_with_jobs_back() {
    let sandbox = account(&[]);
    let report = ring(&sandbox, safe()).await;
    assert_eq!(report.outcome.to_string(), "held:queued-jobs");
    assert!(report.work.unwrap().queued.unwrap() > 0.0, "{report:?}");
    assert_eq!(writes(&sandbox), 0);
    // The platform's own function believes the alarm.
    assert_eq!(ring(&sandbox, platform()).await.outcome, Outcome::SetToZero);
}

#[tokio::test]
async fn safe_options_hold_back_a_fleet_whose_work_is_not_known() {
    let sandbox = account(&[Scenario::ScaleToZeroUnsubscribed, Scenario::MetricsSilent]);
    keep_up(&sandbox);
    let report = ring(&sandbox, safe()).await;
    assert_eq!(report.outcome.to_string(), "held:silent");
    assert_eq!(
        report.work,
        Some(Work {
            queued: None,
            busy: None,
            missing: 15
        })
    );
    assert_eq!(writes(&sandbox), 0);
}

/// The queue is empty, one of three workers has no free slot: the other two leave.
#[tokio::test]
async fn safe_options_drain_a_fleet_down_to_its_busy_workers() {
    let sandbox = idle();
    let input = json!({ "AutoScalingGroupName": GROUP, "DesiredCapacity": 3 });
    call(&sandbox, Service::AutoScaling, "SetDesiredCapacity", input);
    let dimensions = json!([
        { "Name": "FleetSlug", "Value": "gpu-default" },
        { "Name": "Stage", "Value": "production" },
    ]);
    let no_slot = json!({ "MetricName": "AvailableCapacity", "Value": 0.0, "Dimensions": dimensions });
    let input = json!({ "Namespace": "ComfyUI/Workers", "MetricData": [no_slot] });
    call(&sandbox, Service::CloudWatch, "PutMetricData", input);
    sandbox.advance(Duration::from_secs(30));
    let report = ring(&sandbox, safe()).await;
    assert_eq!(report.outcome.to_string(), "drained:1", "{report:?}");
    assert_eq!((report.desired_before, report.desired_after), (Some(3), Some(1)));
    // As long as it works nothing more happens.
    assert_eq!(
        ring(&sandbox, safe()).await.outcome.to_string(),
        "held:active-workers"
    );
}

/// What was held back goes to zero once nothing speaks against it, without another notification.
#[tokio::test]
async fn a_schedule_looks_again_at_what_rings() {
    let sandbox = idle();
    let answer = call(
        &sandbox,
        Service::CloudWatch,
        "DescribeAlarms",
        json!({ "AlarmNames": [FLEET] }),
    );
    assert_eq!(
        answer["MetricAlarms"][0]["StateValue"], "ALARM",
        "the fleet has been idle for long"
    );
    let reports = function(&sandbox, safe()).handle(&scheduled()).await;
    let seen: Vec<_> = reports
        .iter()
        .map(|report| (report.alarm.as_deref(), &report.outcome))
        .collect();
    let staging = Some("staging-gpu-default-queue-empty");
    assert_eq!(
        seen,
        [
            (Some(FLEET), &Outcome::SetToZero),
            (staging, &Outcome::AlreadyZero)
        ]
    );
    let reports = function(&sandbox, safe()).handle(&scheduled()).await;
    assert_eq!(reports[0].outcome, Outcome::AlreadyZero);
    assert_eq!(writes(&sandbox), 1);
}

#[tokio::test]
async fn the_staged_layout_is_read_by_its_own_dimensions() {
    let options = Options {
        layout: Layout::Staged,
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    let sandbox = Sandbox::stepped(options);
    sandbox.advance(Duration::from_secs(120));
    let alarms = call(
        &sandbox,
        Service::CloudWatch,
        "DescribeAlarms",
        json!({ "AlarmNamePrefix": "staging-" }),
    );
    let alarms = alarms["MetricAlarms"].as_array().unwrap();
    let empty = alarms
        .iter()
        .find(|alarm| alarm["MetricName"] == "QueueDepth")
        .unwrap();
    let of = |one: &Value| json!({ "name": one["Name"], "value": one["Value"] });
    let dimensions: Vec<Value> = empty["Dimensions"].as_array().unwrap().iter().map(of).collect();
    let trigger = json!({
        "Namespace": "ComfyUI/Workers", "Dimensions": dimensions, "Period": 60, "EvaluationPeriods": 15,
    });
    let work = {
        let function = function(&sandbox, safe());
        Work::read(&function.cloudwatch, &function.time, &trigger)
            .await
            .unwrap()
    };
    assert!(
        work.queued.is_some() && work.busy.is_some() && work.missing == 0,
        "{work:?} by {trigger}"
    );
}

#[test]
fn only_two_sets_of_options_exist() {
    assert_eq!(options(None), Ok(platform()));
    assert_eq!(options(Some("platform")), Ok(platform()));
    assert_eq!(options(Some("safe")), Ok(safe()));
    for typo in ["", "Safe", "safe "] {
        assert!(options(Some(typo)).unwrap_err().contains(OPTIONS), "{typo:?}");
    }
}
