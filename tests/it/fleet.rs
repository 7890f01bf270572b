//! `bpctl fleet list` and `status`.

use bpctl_sandbox::{Fault, FaultRule, Service};
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
        "NAME                    DESIRED  MIN  MAX  IN SERVICE  TYPES           STATE\n\
         staging/gpu-default     0        0    10   0           g4dn.xlarge +2  at zero\n\
         production/gpu-default  2        0    10   2           g4dn.xlarge +2  running\n"
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
        account.sandbox.with_world(|world| world.forget_calls(rule));
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
