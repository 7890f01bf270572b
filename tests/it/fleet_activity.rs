//! `bpctl fleet activity`.

use std::time::Duration;

use bpctl_sandbox::{Options, Scenario, Service};
use serde_json::json;

use crate::support::{Account, kept_by_hand};

const FLEET: &str = "production/gpu-default";
const GROUP: &str = "asg-production-gpu-default";

/// Three workers by hand, one of them taken out by a user.
fn with_a_history() -> Account {
    let options = Options {
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    Account::prepared(options, |sandbox| {
        kept_by_hand(sandbox, &[GROUP.to_owned()], 3);
        sandbox.with_world(|world| {
            let named = json!({"AutoScalingGroupNames": [GROUP]});
            let groups = world
                .call(Service::AutoScaling, "DescribeAutoScalingGroups", &named)
                .unwrap();
            let id = &groups["AutoScalingGroups"][0]["Instances"][0]["InstanceId"];
            let input = json!({"InstanceId": id, "ShouldDecrementDesiredCapacity": true});
            world
                .call(
                    Service::AutoScaling,
                    "TerminateInstanceInAutoScalingGroup",
                    &input,
                )
                .unwrap();
        });
        sandbox.advance(Duration::from_secs(5));
    })
}

#[tokio::test(start_paused = true)]
async fn activities_have_their_cause_in_one_clause() {
    let account = with_a_history();
    let run = account.run(&["fleet", "activity", FLEET]).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    let first = run.stdout.lines().nth(1).unwrap_or_default();
    assert!(
        first.contains("terminate")
            && first.contains("InProgress 50%")
            && first.contains("a user terminated it: 3 to 2"),
        "{}",
        run.text()
    );
    assert!(
        run.stdout.contains("Successful in") && run.stdout.contains("desired capacity set by a user: "),
        "{}",
        run.text()
    );
    assert!(!run.stdout.contains("in response to"), "{}", run.text());
    let wide = account.run(&["fleet", "activity", FLEET, "-o", "wide"]).await;
    assert!(
        wide.stdout
            .contains("was taken out of service in response to a user request"),
        "{}",
        wide.text()
    );
    let json = account
        .run(&["fleet", "activity", FLEET, "-o", "json"])
        .await
        .json();
    assert_eq!(json["activities"][0]["kind"], "terminate");
    assert_eq!(json["activities"][0]["progress"], 50);
    assert_eq!(json["failures"], json!([]));
    let lately = ["fleet", "activity", FLEET, "--failed", "--since", "5m"];
    let failed = account.run(&lately).await;
    assert!(
        failed.stderr.contains("nothing failed in the last 5m"),
        "{}",
        failed.text()
    );
}

#[tokio::test(start_paused = true)]
async fn failures_that_follow_each_other_are_one_line() {
    let account = Account::with(&[Scenario::SpotDrought]);
    let run = account.run(&["fleet", "activity", FLEET, "--failed"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stdout.contains("EC2 has no capacity (") && run.stdout.contains("Failed launches: "),
        "{}",
        run.text()
    );
    let missing = Account::with(&[Scenario::AmiMissing]);
    let run = missing.run(&["fleet", "activity", FLEET, "--failed"]).await;
    let lines = run.stdout.lines().filter(|line| line.contains("Failed")).count();
    assert!(
        run.stdout.contains(" × Failed") && run.stdout.contains(", first "),
        "{}",
        run.text()
    );
    let json = missing
        .run(&["fleet", "activity", FLEET, "--failed", "-o", "json"])
        .await
        .json();
    let all = json["activities"].as_array().unwrap();
    assert!(all.len() > 1 && lines <= 2, "{}", run.text());
    assert!(all.iter().all(|one| one["status"] == "Failed"), "{json}");
    // A single fleet's status says it in one clause as well.
    let status = missing.run(&["fleet", "status", FLEET]).await;
    assert!(
        status
            .stdout
            .contains("launch, launch template: The Systems Manager"),
        "{}",
        status.text()
    );
}
