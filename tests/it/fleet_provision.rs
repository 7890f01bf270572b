//! `bpctl fleet provision` and `fleet apply-config`: the stack of one fleet, from its desired configuration.

use bpctl_sandbox::Service;
use serde_json::{Value, json};

use crate::assemblies::{NEW_FLEET, configure_new_fleet, lay_files};
use crate::support::{Account, Run};

async fn run(account: &Account, args: &[&str]) -> Run {
    let mut words = vec!["fleet"];
    words.extend(args);
    words.extend(["--assembly", "cdk.out"]);
    account.run(&words).await
}

fn account(configured: bool) -> Account {
    let account = Account::with(&[]);
    lay_files(&account.sandbox, account.home());
    if configured {
        configure_new_fleet(&account.sandbox);
    }
    account
}

fn group(account: &Account, name: &str) -> Value {
    let input = json!({ "AutoScalingGroupNames": [name] });
    let shown = account
        .sandbox
        .with_world(|world| world.call(Service::AutoScaling, "DescribeAutoScalingGroups", &input));
    shown.expect("groups")["AutoScalingGroups"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn a_fleet_is_provisioned_and_then_known() {
    let account = account(true);
    let plan = run(&account, &["provision", NEW_FLEET, "--dry-run"]).await;
    assert_eq!(plan.status.code(), 0, "{}", plan.text());
    assert!(
        plan.stdout.starts_with("plan: provision staging/gpu-new"),
        "{}",
        plan.text()
    );
    let made = run(&account, &["provision", NEW_FLEET, "--yes", "-o", "json"]).await;
    assert_eq!(made.status.code(), 0, "{}", made.text());
    assert_eq!(made.json()["stacks"][0]["status"], "CREATE_COMPLETE");
    assert_eq!(group(&account, "asg-staging-gpu-new")["MaxSize"], 10);
    let listed = account.run(&["fleet", "list", "-o", "name"]).await;
    assert!(listed.stdout.contains(NEW_FLEET), "{}", listed.text());
    let again = run(&account, &["provision", NEW_FLEET, "--yes"]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    // One that differs is brought to its configuration by the other verb.
    let other = run(&account, &["provision", "production/gpu-default", "--yes"]).await;
    assert_eq!(
        (other.status.code(), other.changes.len()),
        (1, 0),
        "{}",
        other.text()
    );
    let apply = "`bpctl fleet apply-config production/gpu-default --assembly cdk.out`";
    assert!(other.stderr.contains(apply), "{}", other.text());
}

#[tokio::test(start_paused = true)]
async fn a_changed_configuration_is_applied_and_the_capacity_stays() {
    let account = account(false);
    let before = group(&account, "asg-production-gpu-default");
    let applied = run(&account, &["apply-config", "production/gpu-default", "--yes"]).await;
    assert_eq!(applied.status.code(), 0, "{}", applied.text());
    let after = group(&account, "asg-production-gpu-default");
    assert_eq!(after["MaxSize"], 8);
    assert_eq!(after["DesiredCapacity"], before["DesiredCapacity"]);
}

#[tokio::test(start_paused = true)]
async fn what_speaks_against_it_is_told_before_anything_is_sent() {
    let account = account(false);
    let refused = async |args: &[&str], status: u8, words: &str| {
        let run = run(&account, args).await;
        assert_eq!(
            (run.status.code(), run.changes.len()),
            (status, 0),
            "{}",
            run.text()
        );
        assert!(run.stderr.contains(words), "{words}: {}", run.text());
    };
    refused(
        &["provision", NEW_FLEET, "--yes"],
        2,
        "its desired configuration is not there",
    )
    .await;
    configure_new_fleet(&account.sandbox);
    refused(&["apply-config", NEW_FLEET, "--yes"], 1, "is not provisioned").await;
    refused(
        &["provision", NEW_FLEET, "--yes", "-c", "instanceType=p5.48xlarge"],
        2,
        "`p5.48xlarge` was given",
    )
    .await;
    let call = |service, operation: &str, input: Value| {
        let done = account
            .sandbox
            .with_world(|world| world.call(service, operation, &input));
        done.unwrap_or_else(|error| panic!("{operation}: {error:?}"));
    };
    call(
        Service::Ssm,
        "DeleteParameter",
        json!({ "Name": "/bp/ami/fleets/staging/gpu-new" }),
    );
    refused(&["provision", NEW_FLEET, "--yes"], 1, "has no image pointer").await;
    let config =
        json!({ "version": 1, "template_slug": "gpu-default", "instance_type": "p5.48xlarge" }).to_string();
    call(
        Service::Ssm,
        "PutParameter",
        json!({ "Name": "/bp/fleets/staging/gpu-new/desired_config", "Value": config, "Overwrite": true }),
    );
    configure_new_fleet_image(&account);
    refused(
        &["provision", NEW_FLEET, "--yes"],
        1,
        "does not allow instance type p5.48xlarge",
    )
    .await;
    call(
        Service::Logs,
        "CreateLogGroup",
        json!({ "logGroupName": "/gpu-workers/gpu-new" }),
    );
    refused(
        &["provision", NEW_FLEET, "--yes"],
        1,
        "/gpu-workers/gpu-new is there already",
    )
    .await;
    let staged = Account::staged(&[]);
    let run = staged
        .run(&["fleet", "provision", "staging/gpu-default", "--yes"])
        .await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
}

fn configure_new_fleet_image(account: &Account) {
    let image = json!({ "Name": "/bp/ami/fleets/production/gpu-default" });
    account.sandbox.with_world(|world| {
        let image = world.call(Service::Ssm, "GetParameter", &image).expect("a pointer")["Parameter"]["Value"].clone();
        let input = json!({
            "Name": "/bp/ami/fleets/staging/gpu-new", "Type": "String", "DataType": "aws:ec2:image", "Value": image,
        });
        world.call(Service::Ssm, "PutParameter", &input).expect("a pointer");
    });
}
