//! `bpctl fleet explain`: why an alarm is in another state than its metric says, or does nothing, each with its likely reason.

use bpctl_sandbox::Service;
use serde_json::{Value, json};

use crate::fleet_unknown_live::{alarm, joined, names};
use crate::support::Account;

const FLEET: &str = "production/gpu-default";

/// What `explain` says, to programs and to people, of a fleet whose alarm is so.
async fn explained(change: fn(&mut Value)) -> (Value, String) {
    let account = Account::with(&[]);
    account
        .sandbox
        .with_world(|world| world.amend(Service::CloudWatch, "DescribeAlarms", change));
    let run = account.run(&["fleet", "explain", FLEET, "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let human = account.run(&["fleet", "explain", FLEET]).await;
    (run.json(), joined(&format!("{} {}", human.stdout, human.stderr)))
}

/// CloudWatch API Reference, `MetricAlarm`, `Unit`; User Guide, "Metrics concepts": points of other units are not counted.
#[tokio::test(start_paused = true)]
async fn an_alarm_on_a_unit_that_its_metric_lacks_sees_no_data() {
    let (document, human) = explained(|answer| {
        alarm(answer, "UpperAlarm", |alarm| {
            (alarm["Unit"], alarm["StateValue"]) = (json!("Count"), json!("INSUFFICIENT_DATA"));
        });
    })
    .await;
    let told = "as INSUFFICIENT_DATA, and QueueDepth has data: it counts only points with the unit Count, and the \
                metric's have none or another one";
    assert!(names(&document["alarm_differences"], told), "{document:#}");
    assert!(human.contains(told), "{human}");
    // One that is in a state sees the points that it is on.
    let (document, _) = explained(|answer| {
        alarm(answer, "UpperAlarm", |alarm| alarm["Unit"] = json!("Count"));
    })
    .await;
    assert_eq!(document["alarm_differences"], json!([]), "{document:#}");
}

/// EC2 Auto Scaling User Guide, "Target tracking scaling policies": "Do not edit or delete the CloudWatch alarms".
#[tokio::test(start_paused = true)]
async fn an_edited_alarm_of_target_tracking_is_told_on_either_side() {
    for (side, change, told) in [
        (
            "high",
            (|answer| alarm(answer, "AlarmHigh", |alarm| alarm["Threshold"] = json!(9.0))) as fn(&mut Value),
            "is at 9, where Auto Scaling makes it at 2 for the target 2: somebody has edited it",
        ),
        (
            "low",
            |answer| alarm(answer, "AlarmLow", |alarm| alarm["Threshold"] = json!(0.5)),
            "is at 0.5, where Auto Scaling makes it at 1.8 for the target 2: somebody has edited it",
        ),
    ] {
        let (document, human) = explained(change).await;
        let told = format!("{told}, or Auto Scaling makes it otherwise, which is not published");
        assert!(names(&document["assumptions"], &told), "{side}: {document:#}");
        assert!(
            names(&document["assumptions"], &format!("the {side} alarm of policy")),
            "{document:#}"
        );
        assert!(human.contains(&told), "{human}");
        // It is evaluated as it is, and not as it was made.
        let decided = document["why_not_more"].to_string() + &document["why_not_zero"].to_string();
        let threshold = if side == "high" {
            "greater than 9"
        } else {
            "less than 0.5"
        };
        assert!(decided.contains(threshold), "{document:#}");
    }
    let (document, _) = explained(|_| ()).await;
    assert!(
        !names(&document["assumptions"], "somebody has edited it"),
        "{document:#}"
    );
}

/// CloudWatch API Reference, `PutMetricAlarm`, `ActionsEnabled`.
#[tokio::test(start_paused = true)]
async fn an_alarm_whose_actions_are_switched_off_invokes_nothing() {
    let (document, human) = explained(|answer| {
        alarm(answer, "UpperAlarm", |alarm| {
            alarm["ActionsEnabled"] = json!(false)
        });
    })
    .await;
    assert!(names(&document["why_not_more"], "UpperAlarm"), "{document:#}");
    assert!(
        names(&document["why_not_more"], "has its actions switched off"),
        "{document:#}"
    );
    assert!(!names(&document["why_this_many"], "UpperPolicy"), "{document:#}");
    assert_eq!(document["decision"]["desired"], 2, "{document:#}");
    assert!(human.contains("has its actions switched off"), "{human}");
}

/// An alarm invokes what its actions name: a topic is no policy.
#[tokio::test(start_paused = true)]
async fn an_alarm_that_only_notifies_a_topic_invokes_no_policy() {
    let (document, human) = explained(|answer| {
        alarm(answer, "UpperAlarm", |alarm| {
            alarm["AlarmActions"] = json!(["arn:aws:sns:us-east-1:123456789012:bp-ops-alerts"]);
        });
    })
    .await;
    let told = "does not invoke it: the policy is none of its actions";
    assert!(names(&document["why_not_more"], told), "{document:#}");
    assert!(human.contains(told), "{human}");
    // Nothing of it is unknown: it has no effect in AWS either.
    assert_eq!(document["decision"]["desired"], 2, "{document:#}");
}

/// The same under `OKActions`: it acts, and when is not modelled.
#[tokio::test(start_paused = true)]
async fn a_policy_under_ok_actions_alone_is_told_and_leaves_the_capacity_unknown() {
    let (document, human) = explained(|answer| {
        alarm(answer, "UpperAlarm", |alarm| {
            alarm["OKActions"] = alarm["AlarmActions"].take();
            alarm["AlarmActions"] = json!([]);
        });
    })
    .await;
    let told = "invokes it in another state than ALARM, which is not modelled";
    assert!(names(&document["why_not_more"], told), "{document:#}");
    assert!(human.contains(told), "{human}");
    assert!(document["decision"]["desired"].is_null(), "{document:#}");
}
