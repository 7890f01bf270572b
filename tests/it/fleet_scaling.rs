//! `bpctl fleet explain`, `lint` and `replay`: how a fleet scales, read from a live one or from a file.

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const FLEET: &str = "production/gpu-default";

/// A sentence of `section` that holds `part`.
fn says(document: &Value, section: &str, part: &str) -> bool {
    let sentences = document[section].as_array().unwrap();
    sentences
        .iter()
        .any(|sentence| sentence.as_str().unwrap().contains(part))
}

async fn explain(account: &Account, more: &[&str]) -> Value {
    let mut args = vec!["fleet", "explain", FLEET, "-o", "json"];
    args.extend(more);
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);
    run.json()
}

#[tokio::test(start_paused = true)]
async fn a_busy_fleet_is_explained_with_its_numbers() {
    let account = Account::with(&[]);
    let document = explain(&account, &[]).await;
    assert_eq!(document["schema"], "bpctl.fleet.explain/2");
    assert_eq!(
        document["decision"],
        json!({"desired": 2, "instances": 2, "least": 2, "most": 2})
    );
    assert!(says(
        &document,
        "why_not_more",
        "is ALARM: 1 of 1 points of QueueDepth are greater than or equal to 1"
    ));
    assert!(says(&document, "why_not_more", "AlarmHigh"));
    assert!(says(
        &document,
        "why_not_zero",
        "so the fleet is not taken to zero"
    ));
    assert!(says(&document, "why_this_many", "has the largest capacity, 2"));
}

#[tokio::test(start_paused = true)]
async fn what_if_supposes_and_changes_nothing() {
    let account = Account::with(&[]);
    let document = explain(&account, &["--what-if", "queue=40,workers=2,spot=none"]).await;
    assert_eq!(
        document["decision"],
        json!({"desired": 10, "instances": 2, "least": 10, "most": 10})
    );
    assert_eq!(
        document["what_if"],
        json!({"queue": 40.0, "workers": 2, "no_spot": true})
    );
    assert!(says(&document, "why_not_more", "20 is more than the maximum: 10"));
    assert!(says(
        &document,
        "why_not_more",
        "Spot has no capacity: of 10 instances wanted 2 run"
    ));
    let document = explain(&account, &["--what-if", "queue=0,workers=2"]).await;
    assert_eq!(document["decision"]["desired"], 0);
    assert!(says(
        &document,
        "why_not_zero",
        "answers QueueDepth 0 with a capacity of 0"
    ));

    let run = account
        .run(&["fleet", "explain", FLEET, "--what-if", "queue=0,workers=2"])
        .await;
    assert!(
        run.stdout
            .contains("supposing a queue depth of 0 and 2 warm workers")
    );
    assert!(
        run.stdout.ends_with("=> the desired capacity goes from 2 to 0\n"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn an_alarm_whose_state_does_not_follow_from_its_metric_is_told() {
    let account = Account::with(&[]);
    let differences = |document: &Value| document["alarm_differences"].as_array().unwrap().clone();
    assert_eq!(differences(&explain(&account, &[]).await), [json!(null); 0]);
    account.sandbox.with_world(|world| {
        let input = json!({
            "AlarmName": "production-gpu-default-queue-empty",
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "as if its metric had another unit",
        });
        world.call(Service::CloudWatch, "SetAlarmState", &input).unwrap();
    });
    let document = explain(&account, &[]).await;
    let [difference] = &differences(&document)[..] else {
        panic!("{document:#}");
    };
    let said = difference.as_str().unwrap();
    assert!(
        said.starts_with("AWS reports alarm `production-gpu-default-queue-empty` as INSUFFICIENT_DATA")
            && said.contains("it follows that it is OK: it sees no data where there is some"),
        "{said}"
    );
    // What is supposed is not what AWS has seen.
    let document = explain(&account, &["--what-if", "queue=0"]).await;
    assert_eq!(differences(&document), [json!(null); 0]);
}

/// CloudWatch User Guide, "Using Amazon CloudWatch alarms", on missing data: it retrieves more than N points, and does not
/// say how many.
#[tokio::test(start_paused = true)]
async fn an_alarm_in_alarm_whose_points_say_otherwise_is_told_with_its_likely_reason() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        let input = json!({
            "AlarmName": "production-gpu-default-queue-empty",
            "StateValue": "ALARM",
            "StateReason": "as if it looked at other points",
        });
        world.call(Service::CloudWatch, "SetAlarmState", &input).unwrap();
    });
    let document = explain(&account, &[]).await;
    let differences = document["alarm_differences"].as_array().unwrap();
    let [difference] = &differences[..] else {
        panic!("{document:#}");
    };
    let said = difference.as_str().unwrap();
    assert!(
        said.starts_with("AWS reports alarm `production-gpu-default-queue-empty` as ALARM")
            && said.contains(
                "it follows that it is OK: the points that CloudWatch evaluates are others than these"
            )
            && said.ends_with("by how many is not published"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_fleet_without_spot_capacity_says_what_aws_said() {
    let account = Account::with(&[Scenario::SpotDrought]);
    let document = explain(&account, &[]).await;
    assert!(
        says(&document, "why_not_more", "the last launch failed")
            && says(&document, "why_not_more", "capacity"),
        "{document:#}"
    );
}

#[tokio::test(start_paused = true)]
async fn alarms_on_another_slug_are_no_part_of_the_fleet() {
    let account = Account::with(&[Scenario::WrongDimensions]);
    let document = explain(&account, &[]).await;
    assert_eq!(document["decision"]["desired"], 0);
    assert!(
        says(
            &document,
            "why_not_more",
            "FleetSlug=gpu-default-v2,Stage=production, which is not this fleet"
        ),
        "{document:#}"
    );

    let run = account.run(&["fleet", "lint", FLEET, "-o", "json"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    let findings = run.json()["fleets"][0]["findings"].clone();
    assert_eq!(
        (&findings[0]["rule"], &findings[0]["severity"]),
        (&json!("not-connected"), &json!("error"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_alarm_without_a_listener_takes_no_fleet_to_zero() {
    let account = Account::with(&[Scenario::ScaleToZeroUnsubscribed]);
    let document = explain(&account, &[]).await;
    assert!(
        says(
            &document,
            "why_not_zero",
            "notifies in vain: no function listens to the topic `bp-scale-to-zero`"
        ),
        "{document:#}"
    );
    let run = account
        .run(&["fleet", "explain", FLEET, "--what-if", "workers=11"])
        .await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (2, ""),
        "{}",
        run.text()
    );
    assert!(
        run.stderr
            .contains("the maximum of fleet `production/gpu-default` is 10")
    );
}

#[tokio::test(start_paused = true)]
async fn suspended_processes_are_a_finding() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        let input =
            json!({"AutoScalingGroupName": "asg-production-gpu-default", "ScalingProcesses": ["Launch"]});
        world
            .call(Service::AutoScaling, "SuspendProcesses", &input)
            .unwrap();
    });
    let run = account.run(&["fleet", "lint", FLEET, "-o", "json"]).await;
    let findings = run.json()["fleets"][0]["findings"].to_string();
    assert!(
        findings.contains("`Launch` of the group is suspended"),
        "{findings}"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_shows_as_no_data() {
    let account = Account::with(&[Scenario::MetricsSilent]);
    let document = explain(&account, &[]).await;
    assert_eq!(
        document["metrics"][0],
        json!({"metric": "QueueDepth", "value": null})
    );
    assert!(
        says(&document, "why_not_zero", "treated as breaching"),
        "{document:#}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_staged_layout_is_explained_too() {
    let account = Account::staged(&[]);
    let run = account
        .run(&["fleet", "explain", "staging/image-to-video", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(says(
        &run.json(),
        "why_not_zero",
        "alarm `staging-image-to-video-queue-empty` is OK"
    ));
}

/// Status, stderr, and that nothing was asked of AWS.
fn refused_before_any_call(run: &Run, stderr: &str) {
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    assert!(run.stderr.contains(stderr), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_refused_before_any_call() {
    let account = Account::with(&[]);
    let run = account
        .run(&["fleet", "explain", FLEET, "--what-if", "que=1"])
        .await;
    refused_before_any_call(&run, "unknown `que`, did you mean `queue`?");
    let run = account.run(&["fleet", "explain"]).await;
    refused_before_any_call(&run, "<FLEET>");
    let run = account.run(&["fleet", "replay", FLEET, "--since", "30d"]).await;
    refused_before_any_call(&run, "14d is the longest");
    let run = account.run(&["fleet", "lint", "--config", "nowhere.toml"]).await;
    refused_before_any_call(&run, "failed to read the fleet configuration `nowhere.toml`");
    let run = account.run(&["fleet", "lint", FLEET, "--config", "x.toml"]).await;
    refused_before_any_call(&run, "cannot be used with");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_fleet_is_named_with_the_one_most_like_it() {
    let account = Account::with(&[]);
    for verb in ["explain", "replay", "lint"] {
        let run = account.run(&["fleet", verb, "production/gpu-defualt"]).await;
        assert_eq!(run.status.code(), 1, "{}", run.text());
        assert!(
            run.stderr.contains("there is no such fleet")
                && run.stderr.contains("did you mean `production/gpu-default`?"),
            "{}",
            run.text()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_is_whole_or_not_there() {
    let account = Account::with(&[]);
    let rule = FaultRule::on(Service::AutoScaling, "DescribePolicies", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(rule));
    let run = account.run(&["fleet", "lint"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(
        run.stderr.contains("autoscaling:DescribePolicies"),
        "{}",
        run.text()
    );
    let account = Account::with(&[]);
    let rule = FaultRule::on(Service::CloudWatch, "GetMetricData", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(rule));
    for command in [
        &["explain", FLEET][..],
        &["lint", FLEET],
        &["replay", FLEET],
        &["simulate", FLEET, "--arrivals", "none", "--days", "1"],
        &["tune", FLEET, "--p95-wait", "5m"],
    ] {
        let run = account.run(&[&["fleet"], command].concat()).await;
        let told = (run.status.code(), run.stdout.as_str());
        assert_eq!(told, (4, ""), "{}", run.text());
        assert!(run.stderr.contains("cloudwatch:GetMetricData"), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn an_explanation_without_the_diary_says_so() {
    let account = Account::with(&[]);
    let rule = FaultRule::on(Service::AutoScaling, "DescribeScalingActivities", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(rule));
    let run = account.run(&["fleet", "explain", FLEET, "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.json()["gaps"][0]["what"], "scaling activities");
    assert!(
        run.stderr.contains("the scaling activities could not be read"),
        "{}",
        run.text()
    );
    // What a group was made to do is not known without it.
    let run = account.run(&["fleet", "replay", FLEET]).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (4, ""),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn lint_of_every_fleet_reads_everything_but_templates_at_once() {
    let account = Account::with_fleets(20);
    let all = account.run(&["fleet", "lint", "-o", "json"]).await;
    assert_eq!(all.status.code(), 1, "{}", all.text());
    let fleets = all.json()["fleets"].as_array().unwrap().len();
    let one = account
        .run(&["fleet", "lint", "production/fleet-000", "-o", "json"])
        .await;
    // Identity, groups, policies, scheduled actions, alarms, metrics, the topic; and of each fleet its lifecycle hooks
    // and the template of its stack.
    assert_eq!((fleets, all.calls, one.calls), (20, 7 + 2 * 20, 7 + 2));
    let rules: Vec<String> = one.json()["fleets"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect();
    assert!(rules.contains(&"silence-scales-to-zero".to_owned()), "{rules:?}");
    assert!(
        rules.contains(&"exact-step-fights-tracking".to_owned()),
        "{rules:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_file_is_linted_without_any_account() {
    let account = Account::with(&[]);
    let file = account.home().join("fleet.toml");
    std::fs::write(
        &file,
        include_str!("../../crates/fleet-scaling/examples/fleet.toml"),
    )
    .unwrap();
    let run = account.run(&["fleet", "lint", "--config", "fleet.toml"]).await;
    assert_eq!((run.status.code(), run.calls), (0, 0), "{}", run.text());
    assert_eq!(
        run.stdout,
        "fleet.toml: nothing works against itself\n\n1 fleet: 0 errors, 0 warnings, 0 notes\n"
    );
    std::fs::write(
        &file,
        "max = 4\nmin = 9\n[[instance_types]]\nname = \"g5.xlarge\"\n",
    )
    .unwrap();
    let run = account.run(&["fleet", "lint", "--config", "fleet.toml"]).await;
    assert_eq!(
        run.stderr,
        "error: failed to read the fleet configuration `fleet.toml`\n  caused by: line 2: `min` is 9, more \
         than `max`, which is 4\n"
    );
    assert_eq!(run.status.code(), 2);
}

#[tokio::test(start_paused = true)]
async fn fail_on_decides_the_status() {
    let account = Account::with(&[]);
    // Warnings and notes: the busy workers of this fleet protect themselves, so no work is lost.
    for (fail_on, status) in [("never", 0), ("note", 1), ("warning", 1), ("error", 0)] {
        let run = account.run(&["fleet", "lint", FLEET, "--fail-on", fail_on]).await;
        assert_eq!(run.status.code(), status, "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_fleet_left_alone_does_what_its_policies_ask_for() {
    let account = Account::with(&[]);
    let run = account
        .run(&["fleet", "replay", FLEET, "-o", "json", "--exit-code"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    assert_eq!(document["disagreements"], json!([]), "{document:#}");
    assert_eq!(
        run.stderr,
        "assumed: policies and alarms were all the time what they are now, and no process was suspended\n"
    );
    assert!(document["minutes"].as_u64().unwrap() > 40, "{document:#}");
}

#[tokio::test(start_paused = true)]
async fn what_alarms_and_scale_to_zero_did_is_asked_for() {
    for scenario in [
        Scenario::QueueSurge,
        Scenario::SpotDrought,
        Scenario::ScaleToZeroUnsubscribed,
        Scenario::MetricsSilent,
    ] {
        let account = Account::with(&[scenario]);
        let run = account
            .run(&["fleet", "replay", FLEET, "-o", "json", "--exit-code"])
            .await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert_ne!(run.json()["explained"], json!(0), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_policy_there_is_no_verdict_on_them() {
    let account = Account::with(&[Scenario::WrongDimensions]);
    let run = account.run(&["fleet", "replay", FLEET]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stdout.contains("no policy of this fleet can be replayed"),
        "{}",
        run.text()
    );
    assert!(!run.stdout.contains("no disagreement"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn what_a_person_did_is_no_policy() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        let input = json!({"AutoScalingGroupName": "asg-production-gpu-default", "DesiredCapacity": 5});
        world
            .call(Service::AutoScaling, "SetDesiredCapacity", &input)
            .unwrap();
    });
    tokio::time::advance(std::time::Duration::from_secs(240)).await;
    let run = account
        .run(&["fleet", "replay", FLEET, "-o", "json", "--exit-code"])
        .await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    let first = run.json()["disagreements"][0].clone();
    assert_eq!(
        (&first["kind"], &first["before"], &first["actual"]),
        (&json!("unasked"), &json!(2), &json!(5)),
        "{first:#}"
    );
    assert_eq!(
        first["by"],
        "a user request explicitly set group desired capacity"
    );
    let run = account.run(&["fleet", "replay", FLEET]).await;
    let by = "AWS says who did it: a user request explicitly set group desired capacity";
    assert!(run.stdout.contains(by), "{}", run.text());
    assert!(run.stdout.contains("no policy asks for it"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_past_without_metrics_cannot_be_replayed() {
    let account = Account::with(&[Scenario::MetricsSilent]);
    let run = account.run(&["fleet", "replay", FLEET, "--since", "5m"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr.contains("failed to replay the past of fleet"),
        "{}",
        run.text()
    );
}
