//! `bpctl fleet dev launch`, `list`, `stop` and `terminate`.

use base64::Engine as _;
use bpctl_sandbox::{Fault, FaultRule, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const FLEET: &str = "production/gpu-default";
const RUN: &str = "Ec2:RunInstances";

fn call(account: &Account, operation: &str, input: &Value) -> Value {
    let called = account
        .sandbox
        .with_world(|world| world.call(Service::Ec2, operation, input));
    called.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

async fn launch(account: &Account, words: &[&str]) -> Run {
    let line = ["fleet", "dev", "launch", FLEET];
    account.run(&[&line, words].concat()).await
}

fn shown(account: &Account, id: &str) -> Value {
    let found = call(account, "DescribeInstances", &json!({"InstanceIds": [id]}));
    found["Reservations"][0]["Instances"][0].clone()
}

fn rules(account: &Account, group: &Value) -> Value {
    let found = call(account, "DescribeSecurityGroups", &json!({"GroupIds": [group]}));
    found["SecurityGroups"][0]["IpPermissions"].clone()
}

const ONE: [&str; 3] = ["--cidr", "203.0.113.7/32", "--yes"];

#[tokio::test(start_paused = true)]
async fn an_instance_is_launched_from_what_the_fleet_says_and_reached_from_one_range() {
    let account = Account::with(&[]);
    let run = launch(&account, &[&ONE[..], &["-o", "json"]].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        run.changes,
        [
            "Ec2:CreateSecurityGroup",
            "Ec2:AuthorizeSecurityGroupIngress",
            RUN
        ],
        "{}",
        run.text()
    );
    let document = run.json();
    let id = document["instance"]["id"].as_str().unwrap().to_owned();
    let instance = shown(&account, &id);
    assert_eq!(
        document["instance"]["url"],
        format!("http://{}:8188", instance["PublicIpAddress"].as_str().unwrap())
    );
    assert_eq!(instance["State"]["Name"], "running");
    assert_eq!(instance["InstanceType"], "g4dn.xlarge");
    let pointer = account.sandbox.with_world(|world| {
        let name = json!({"Name": "/bp/ami/fleets/production/gpu-default"});
        world.call(Service::Ssm, "GetParameter", &name).unwrap()["Parameter"]["Value"].clone()
    });
    assert_eq!(instance["ImageId"], pointer);
    assert_eq!(instance["MetadataOptions"]["HttpTokens"], "required");
    assert_eq!(instance["MetadataOptions"]["HttpPutResponseHopLimit"], 1);
    let group = &instance["SecurityGroups"][0]["GroupId"];
    let open = rules(&account, group);
    assert_eq!(open.as_array().unwrap().len(), 1);
    assert_eq!(
        (&open[0]["FromPort"], &open[0]["IpRanges"][0]["CidrIp"]),
        (&json!(8188), &json!("203.0.113.7/32"))
    );
    let of_it = json!({"Filters": [{"Name": "attachment.instance-id", "Values": [id]}]});
    let volume = call(&account, "DescribeVolumes", &of_it)["Volumes"][0].clone();
    assert_eq!(
        (&volume["Size"], &volume["Encrypted"], &volume["VolumeType"]),
        (&json!(100), &json!(true), &json!("gp3"))
    );
    // Its own timer stops it.
    account
        .sandbox
        .advance(std::time::Duration::from_secs(4 * 3600 + 120));
    let list = account.run(&["fleet", "dev", "list"]).await;
    assert!(
        list.stdout.contains(&id) && list.stdout.contains("stopped"),
        "{}",
        list.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_launch_shares_the_group_and_closes_it_for_everybody_else() {
    let account = Account::with(&[]);
    let first = launch(&account, &[&ONE[..], &["-o", "json"]].concat()).await;
    let first = first.json()["instance"].clone();
    let other = launch(
        &account,
        &["--cidr", "198.51.100.0/24", "--hours", "8", "--yes", "-o", "json"],
    )
    .await;
    assert_eq!(other.status.code(), 0, "{}", other.text());
    assert_eq!(
        other.changes,
        [
            "Ec2:RevokeSecurityGroupIngress",
            "Ec2:AuthorizeSecurityGroupIngress",
            RUN
        ]
    );
    assert!(
        other.stderr.contains("is there already") && other.stderr.contains("share the security group"),
        "{}",
        other.text()
    );
    let second = other.json()["instance"].clone();
    assert_ne!(first["id"], second["id"]);
    assert_eq!(first["security_groups"], second["security_groups"]);
    let open = rules(&account, &second["security_groups"][0]);
    assert_eq!(open.as_array().unwrap().len(), 1);
    assert_eq!(open[0]["IpRanges"][0]["CidrIp"], "198.51.100.0/24");
    // One of two: the group stays.
    let (one, two) = (first["id"].as_str().unwrap(), second["id"].as_str().unwrap());
    let args = [
        "fleet",
        "dev",
        "terminate",
        one,
        "--cleanup",
        "--confirm",
        "sandbox",
    ];
    let ended = account.run(&args).await;
    assert_eq!(
        (ended.status.code(), &ended.changes[..]),
        (0, &["Ec2:TerminateInstances".to_owned()][..]),
        "{}",
        ended.text()
    );
    assert!(
        ended.stderr.contains("something else uses it"),
        "{}",
        ended.text()
    );
    let args = [
        "fleet",
        "dev",
        "terminate",
        two,
        "--cleanup",
        "--confirm",
        "sandbox",
    ];
    let ended = account.run(&args).await;
    assert_eq!(ended.status.code(), 0, "{}", ended.text());
    assert_eq!(
        ended.changes,
        ["Ec2:TerminateInstances", "Ec2:DeleteSecurityGroup"]
    );
    assert_eq!(shown(&account, two)["State"]["Name"], "terminated");
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_wrongly_is_refused_before_anything_is_read() {
    let account = Account::with(&[]);
    for (cidr, why) in [
        ("0.0.0.0/0", "--open-to-everyone"),
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.7/24", "203.0.113.0/24"),
    ] {
        let run = launch(&account, &["--cidr", cidr, "--yes"]).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
        assert!(run.stderr.contains(why), "{}", run.text());
    }
    let everyone = launch(
        &account,
        &["--cidr", "0.0.0.0/0", "--open-to-everyone", "--dry-run"],
    )
    .await;
    assert_eq!(
        (everyone.status.code(), everyone.changes.len()),
        (0, 0),
        "{}",
        everyone.text()
    );
    let hours = launch(&account, &["--cidr", "203.0.113.7/32", "--hours", "0"]).await;
    assert_eq!(hours.status.code(), 2, "{}", hours.text());
    let member = call(&account, "DescribeInstances", &json!({}));
    let member = member["Reservations"][0]["Instances"][0]["InstanceId"]
        .as_str()
        .unwrap();
    let run = account
        .run(&["fleet", "dev", "terminate", member, "--confirm", "sandbox"])
        .await;
    assert_eq!(run.changes.len(), 0, "{}", run.text());
    assert!(
        run.stderr.contains("is no development instance"),
        "{}",
        run.text()
    );
}

/// An answer that is lost: the same token is sent again, and one instance runs.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_starts_nothing_twice() {
    let account = Account::with(&[]);
    let lost = FaultRule::on(Service::Ec2, "RunInstances", Fault::LoseAnswer).times(1);
    account.sandbox.with_world(|world| world.inject(lost));
    let run = launch(&account, &ONE).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let dev = json!({"Filters": [{"Name": "tag:ManagedBy", "Values": ["dev-gpu-action"]}]});
    let found = call(&account, "DescribeInstances", &dev);
    assert_eq!(found["Reservations"].as_array().unwrap().len(), 1);
    assert!(
        run.changes.iter().filter(|one| *one == RUN).count() > 1,
        "{:?}",
        run.changes
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_the_local_script_is_listed_and_stopped() {
    let account = Account::with(&[]);
    let images = call(&account, "DescribeImages", &json!({"Owners": ["self"]}));
    let script = base64::engine::general_purpose::STANDARD.encode("#!/bin/sh\n");
    let started = call(
        &account,
        "RunInstances",
        &json!({
            "MinCount": 1, "MaxCount": 1, "ImageId": images["Images"][0]["ImageId"], "InstanceType": "g5.xlarge",
            "UserData": script,
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "ManagedBy", "Value": "dev-gpu-scripts"}]}],
        }),
    );
    let id = started["Instances"][0]["InstanceId"].as_str().unwrap();
    account.sandbox.advance(std::time::Duration::from_secs(60));
    let list = account.run(&["fleet", "dev", "list", "-o", "wide"]).await;
    assert!(
        list.stdout.contains(id) && list.stdout.contains("dev-gpu-scripts"),
        "{}",
        list.text()
    );
    let run = account.run(&["fleet", "dev", "stop", id, "--yes"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &["Ec2:StopInstances".to_owned()][..]),
        "{}",
        run.text()
    );
    assert_eq!(shown(&account, id)["State"]["Name"], "stopped");
    let again = account.run(&["fleet", "dev", "stop", id, "--yes"]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
}
