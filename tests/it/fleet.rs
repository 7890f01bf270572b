//! `bpctl fleet list` and `status`.

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::json;

use crate::support::Account;

#[tokio::test(start_paused = true)]
async fn list_shows_every_fleet_of_both_stages() {
    let account = Account::with(&[]);
    let run = account.run(&["fleet", "list", "-o", "json"]).await;
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.fleet.list/1");
    let fleets = document["fleets"].as_array().unwrap();
    assert_eq!(
        fleets.iter().map(|fleet| &fleet["name"]).collect::<Vec<_>>(),
        ["staging/gpu-default", "production/gpu-default"]
    );
    assert_eq!(fleets[0]["state"], "at-zero");
    assert_eq!(fleets[1]["state"], "running");
    assert_eq!(
        (&fleets[1]["desired"], &fleets[1]["in_service"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(fleets[1]["missing"], json!([]));
    // The caller's identity, groups, stacks, parameter names.
    assert_eq!(run.calls, 4, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);

    let run = account.run(&["fleet", "list"]).await;
    assert_eq!(
        run.stdout,
        "NAME                    DESIRED  MIN  MAX  IN SERVICE  TYPES        STATE\n\
         staging/gpu-default     0        0    10   0           g4dn.xlarge  at zero\n\
         production/gpu-default  2        0    10   2           g4dn.xlarge  running\n"
    );
}

#[tokio::test(start_paused = true)]
async fn list_of_the_staged_layout_and_of_one_stage() {
    let staged = Account::staged(&[]).run(&["fleet", "list", "-o", "name"]).await;
    assert_eq!(staged.stdout, "staging/image-to-video\n", "{}", staged.text());
    let single = Account::with(&[]);
    let run = single
        .run(&["fleet", "ls", "--stage", "production", "-o", "name"])
        .await;
    assert_eq!(run.stdout, "production/gpu-default\n");
    // A list cut down by a flag is not offered to the shell as the whole.
    assert!(
        !single
            .home()
            .join(".local/state/bpctl/completion/fleets.sandbox")
            .exists()
    );
    single.run(&["fleet", "ls"]).await;
    let offered = std::fs::read_to_string(single.home().join(".local/state/bpctl/completion/fleets.sandbox"));
    assert_eq!(offered.unwrap(), "staging/gpu-default\nproduction/gpu-default\n");
}

#[tokio::test(start_paused = true)]
async fn list_lives_without_stacks_and_parameters_but_not_without_groups() {
    let account = Account::with(&[]);
    let deny = |service, operation: &str| {
        let rule = FaultRule::on(service, operation, Fault::Deny);
        account.sandbox.with_world(|world| world.inject(rule));
    };
    deny(Service::CloudFormation, "DescribeStacks");
    deny(Service::Ssm, "DescribeParameters");
    let run = account.run(&["fleet", "list", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    assert_eq!(document["fleets"].as_array().unwrap().len(), 2);
    assert_eq!(document["fleets"][0]["missing"], json!([]));
    assert_eq!(
        (&document["gaps"][0]["what"], &document["gaps"][1]["what"]),
        (&json!("stacks"), &json!("parameters"))
    );
    assert!(
        run.stderr.contains("allow `cloudformation:DescribeStacks`"),
        "{}",
        run.text()
    );

    deny(Service::AutoScaling, "DescribeAutoScalingGroups");
    let run = account.run(&["fleet", "list"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(
        run.stderr
            .contains("allow `autoscaling:DescribeAutoScalingGroups`"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn status_joins_everything() {
    let account = Account::with(&[]);
    let run = account
        .run(&["fleet", "status", "production/gpu-default", "-o", "json"])
        .await;
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.fleet.status/2");
    let fleet = &document["fleets"][0];
    assert_eq!(document["fleets"].as_array().unwrap().len(), 1);
    assert_eq!(fleet["state"], "running");
    assert_eq!((&fleet["desired"], &fleet["max"]), (&json!(2), &json!(10)));
    assert_eq!(fleet["capacity"]["instances"][0]["lifecycle_state"], "InService");
    assert_eq!(fleet["metrics"]["queue_depth"]["state"], "fresh");
    assert_eq!(fleet["metrics"]["active_workers"]["value"], 2.0);
    assert_eq!(fleet["pointers"]["ami"]["data_type"], "aws:ec2:image");
    assert_eq!(fleet["pointers"]["ami"]["version"], 2);
    assert_eq!(
        fleet["pointers"]["desired_config"]["template_slug"],
        "gpu-default"
    );
    assert!(fleet["pointers"]["bundle"]["bundle_id"].is_string());
    assert_eq!(fleet["alarms"].as_array().unwrap().len(), 4);
    assert_eq!(fleet["alarms"][0]["state"], "ALARM");
    assert_eq!(fleet["alarms"][0]["attention"], json!(null));
    assert_eq!(fleet["stack"]["name"], "bp-gpu-fleet-production-gpu-default");
    assert_eq!(document["gaps"], json!([]));
    // Identity, groups, stacks, parameters by name; metrics, alarms, activities, instances.
    assert_eq!(run.calls, 8, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn status_reads_well() {
    let run = Account::with(&[])
        .run(&["fleet", "status", "staging/gpu-default"])
        .await;
    let text = run.stdout;
    for line in [
        "staging/gpu-default  at zero\n",
        "  capacity      desired 0, min 0, max 10; 0 in service\n",
        "  queue depth   0 (60s ago)\n",
        "  backlog       0 per worker (60s ago)\n",
        "                queue-empty     ALARM for 60m\n",
        "  stack         bp-gpu-fleet-staging-gpu-default (CREATE_COMPLETE)\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
}

#[tokio::test(start_paused = true)]
async fn status_of_the_staged_layout() {
    let run = Account::staged(&[]).run(&["fleet", "status", "-o", "json"]).await;
    let document = run.json();
    let fleet = &document["fleets"][0];
    assert_eq!(fleet["name"], "staging/image-to-video");
    assert_eq!(fleet["pointers"]["ami"]["parameter"], "/bp/ami/image-to-video");
    assert_eq!(
        fleet["pointers"]["bundle"]["parameter"],
        "/bp/staging/assets/image-to-video/active_bundle"
    );
    assert_eq!(fleet["pointers"]["desired_config"], json!(null));
    assert_eq!(fleet["missing"], json!([]));
    assert_eq!(fleet["metrics"]["queue_depth"]["state"], "fresh");
}

#[tokio::test(start_paused = true)]
async fn silent_metrics_are_silent_and_not_zero() {
    let account = Account::with(&[Scenario::MetricsSilent]);
    let run = account
        .run(&["fleet", "status", "production/gpu-default", "-o", "json"])
        .await;
    let fleet = &run.json()["fleets"][0];
    assert_eq!(fleet["metrics"]["queue_depth"]["state"], "silent");
    assert_eq!(fleet["metrics"]["queue_depth"]["value"], json!(null));
    assert!(fleet["metrics"]["queue_depth"]["last_value"].is_number());
    let run = account.run(&["fleet", "status", "production/gpu-default"]).await;
    assert!(
        run.stdout.contains("queue depth   silent (last "),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_ami_pointer_is_said() {
    let account = Account::with(&[Scenario::AmiMissing]);
    let run = account
        .run(&["fleet", "status", "production/gpu-default", "-o", "json"])
        .await;
    let fleet = &run.json()["fleets"][0];
    assert_eq!(fleet["missing"], json!(["AMI pointer"]));
    assert_eq!(fleet["last_activity"]["status"], "Failed");
    let text = account
        .run(&["fleet", "status", "production/gpu-default"])
        .await
        .stdout;
    assert!(
        text.contains("  missing       AMI pointer\n") && text.contains("last scaling  Failed"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn status_lives_without_metrics_and_alarms() {
    let account = Account::with(&[]);
    for operation in ["GetMetricData", "DescribeAlarms"] {
        let rule = FaultRule::on(Service::CloudWatch, operation, Fault::Deny);
        account.sandbox.with_world(|world| world.inject(rule));
    }
    let run = account.run(&["fleet", "status", "production/gpu-default"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stdout.contains("queue depth   could not be read"),
        "{}",
        run.text()
    );
    assert!(
        run.stdout.contains("alarms        could not be read"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("allow `cloudwatch:GetMetricData`"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_fleet_gets_the_nearest_name() {
    let account = Account::with(&[]);
    let run = account.run(&["fleet", "status", "production/gpu-defalt"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr.contains("did you mean `production/gpu-default`?"),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("bpctl fleet list"), "{}", run.text());
    // A name that cannot be one, or one outside the stage, costs no call at all.
    for args in [
        ["fleet", "status", "GPU-default"].as_slice(),
        &["fleet", "status", "production/gpu-default", "--stage", "staging"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    }
}

/// How many calls a command takes in an account with this many fleets.
async fn calls(fleets: usize, args: &[&str]) -> usize {
    let account = Account::with_fleets(fleets);
    let run = account.run(args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    run.calls
}

#[tokio::test(start_paused = true)]
async fn list_takes_as_many_calls_as_there_are_pages() {
    // Identity; groups and stacks by the hundred (six core stacks), parameter names by fifty (three a fleet).
    for (fleets, budget) in [(2, 4), (20, 5), (200, 1 + 2 + 3 + 13)] {
        assert_eq!(calls(fleets, &["fleet", "list"]).await, budget, "{fleets} fleets");
    }
}

#[tokio::test(start_paused = true)]
async fn status_takes_as_many_calls_as_there_are_pages() {
    // Identity; groups and stacks by the hundred; parameters by ten under four paths (one, then two and the
    // stage's secret); metrics by 500 (four a fleet); alarms by a hundred (four a fleet);
    // activities, one by one for no more than three fleets; instances by two hundred.
    for (fleets, budget) in [
        (2, 1 + 1 + 1 + (1 + 1 + 1 + 1) + 1 + 1 + 2 + 1),
        (20, 1 + 1 + 1 + (2 + 5 + 1 + 1) + 1 + 1 + 1 + 1),
        (200, 1 + 2 + 3 + (20 + 41 + 1 + 1) + 2 + 8 + 1 + 2),
    ] {
        assert_eq!(
            calls(fleets, &["fleet", "status"]).await,
            budget,
            "{fleets} fleets"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn many_fleets_are_a_table_with_their_last_scaling() {
    let account = Account::with_fleets(5);
    let input = json!({ "AutoScalingGroupName": "asg-production-fleet-003", "DesiredCapacity": 3 });
    account
        .sandbox
        .with_world(|world| world.call(Service::AutoScaling, "SetDesiredCapacity", &input))
        .expect("the sandbox does it");
    tokio::time::advance(std::time::Duration::from_secs(20)).await;
    let run = account.run(&["fleet", "status", "-o", "wide"]).await;
    let line = run.stdout.lines().nth(4).unwrap_or_default();
    assert!(
        line.starts_with("production/fleet-003  3        2 "),
        "{}",
        run.text()
    );
    assert!(
        line.contains("scaling out") && line.ends_with("InProgress: desired capacity set by a user: 2 to 3"),
        "{}",
        run.text()
    );
    assert_eq!(run.stdout.lines().count(), 6);
}
