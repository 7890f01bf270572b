//! `bpctl ami bake`: an image with a bundle in it, and nothing left behind whatever happens.

use bpctl_sandbox::{Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::broken_network::{Break, Network};
use crate::bundle::NEXT;
use crate::campaign_verbs::{broken, over, position, requests_of};
use crate::support::Account;

const FLEET: &str = "staging/gpu-default";
const POINTER: &str = "/bp/ami/fleets/staging/gpu-default";
const BAKE: [&str; 7] = ["ami", "bake", "--fleet", FLEET, "--bundle", NEXT, "--yes"];
const RUN: &str = "Ec2:RunInstances";
const SEND: &str = "Ssm:SendCommand";
const STOP: &str = "Ec2:StopInstances";
const CREATE: &str = "Ec2:CreateImage";
const TERMINATE: &str = "Ec2:TerminateInstances";

fn call(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn array(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// The builders that are not on their way out.
fn builders(account: &Account) -> Vec<Value> {
    let input = json!({"Filters": [
        {"Name": "tag:bpctl:command", "Values": ["ami bake"]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]});
    let found = call(&account.sandbox, Service::Ec2, "DescribeInstances", &input);
    array(&found["Reservations"])
        .iter()
        .flat_map(|one| array(&one["Instances"]))
        .collect()
}

/// Images that were baked, whatever state they are in.
fn images(account: &Account) -> Vec<Value> {
    let input = json!({"Filters": [{"Name": "tag:bpctl:command", "Values": ["ami bake"]}]});
    array(&call(&account.sandbox, Service::Ec2, "DescribeImages", &input)["Images"])
}

fn snapshots(account: &Account) -> Vec<Value> {
    let input = json!({"Filters": [{"Name": "tag:bpctl:command", "Values": ["ami bake"]}]});
    array(&call(&account.sandbox, Service::Ec2, "DescribeSnapshots", &input)["Snapshots"])
}

fn assert_nothing_left(account: &Account, label: &str) {
    assert_eq!(
        (builders(account), images(account), snapshots(account)),
        (Vec::new(), Vec::new(), Vec::new()),
        "{label}"
    );
}

fn tag<'a>(thing: &'a Value, key: &str) -> &'a str {
    let tags = thing["Tags"].as_array().expect("tags");
    let tag = tags.iter().find(|tag| tag["Key"] == key);
    tag.and_then(|tag| tag["Value"].as_str()).unwrap_or_default()
}

/// An account in which a run was killed at its first request of an operation.
async fn killed(operation: &'static str, what: Break) -> Account {
    let account = Account::with(&[]);
    let network = Network::new(account.sandbox.clone(), account.clock(), usize::MAX, what).on(operation);
    let ran = over(&account, &BAKE, &network).await;
    assert!(ran.is_none() && network.was_hit(), "{operation}");
    account
}

fn pointer(account: &Account) -> String {
    let answer = call(
        &account.sandbox,
        Service::Ssm,
        "GetParameter",
        &json!({"Name": POINTER}),
    );
    answer["Parameter"]["Value"]
        .as_str()
        .expect("an image")
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_baked_and_the_builder_is_gone() {
    let account = Account::with(&[]);
    let base = pointer(&account);
    let dry = account
        .run(&["ami", "bake", "--fleet", FLEET, "--bundle", NEXT, "--dry-run"])
        .await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    let run = account.run(&[&BAKE[..], &["-o", "json"]].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [RUN, SEND, STOP, CREATE, TERMINATE]);
    assert!(
        run.stderr
            .contains(&format!("/opt/comfyui/.baked_bundle_id: {NEXT}")),
        "{}",
        run.text()
    );
    let [image] = &images(&account)[..] else {
        panic!("one image: {}", run.text());
    };
    let document = run.json();
    assert_eq!(document["image"], image["ImageId"]);
    assert_eq!(
        (&document["state"], &document["made"]),
        (&json!("available"), &json!(true))
    );
    assert_eq!(document["base_image"], base);
    for (key, value) in [
        ("FleetSlug", "gpu-default"),
        ("ManagedBy", "packer"),
        ("BundleId", NEXT),
        ("bpctl:base", base.as_str()),
    ] {
        assert_eq!(tag(image, key), value);
        assert_eq!(tag(&snapshots(&account)[0], key), value);
    }
    assert_eq!(tag(image, "Name"), image["Name"]);
    assert!(
        image["Name"]
            .as_str()
            .expect("a name")
            .starts_with("bp-comfyui-gpu-default-2026")
    );
    assert_eq!(image["BlockDeviceMappings"][0]["Ebs"]["Encrypted"], true);
    assert!(builders(&account).is_empty());
    assert!(run.stderr.contains("bpctl ami promote ami-"), "{}", run.text());
    // The second time there is nothing to do.
    let again = account.run(&[&BAKE[..], &["-o", "json"]].concat()).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert_eq!(
        (&again.json()["image"], &again.json()["made"]),
        (&image["ImageId"], &json!(false))
    );
}

#[tokio::test(start_paused = true)]
async fn the_builder_is_reached_by_no_one_and_ends_itself() {
    let account = killed("SendCommand", Break::KilledBefore).await;
    let [builder] = &builders(&account)[..] else {
        panic!("one builder");
    };
    assert_eq!(builder["MetadataOptions"]["HttpTokens"], "required");
    assert_eq!(builder["InstanceType"], "g4dn.xlarge");
    assert!(builder["IamInstanceProfile"]["Arn"].is_string());
    assert_eq!(tag(builder, "ManagedBy"), "bpctl");
    assert_eq!(tag(builder, "bpctl:fleet"), FLEET);
    assert!(!tag(builder, "bpctl:run").is_empty());
    let groups = array(&builder["SecurityGroups"]);
    let input = json!({"GroupIds": [groups[0]["GroupId"]]});
    let found = call(&account.sandbox, Service::Ec2, "DescribeSecurityGroups", &input);
    for rule in array(&found["SecurityGroups"][0]["IpPermissions"]) {
        assert_eq!(rule["IpRanges"], json!([]), "{rule}");
    }
    account.sandbox.advance(std::time::Duration::from_secs(9 * 3600));
    assert!(builders(&account).is_empty());
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_with_the_pointer_and_the_instances() {
    let account = Account::with(&[]);
    let run = account
        .run(&[&BAKE[..], &["--promote", "--refresh", "--confirm", "sandbox"]].concat())
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let [image] = &images(&account)[..] else {
        panic!("one image: {}", run.text());
    };
    assert_eq!(pointer(&account), image["ImageId"]);
    assert_eq!(run.changes[5], "Ssm:PutParameter", "{:?}", run.changes);
    // What is promoted has the bundle: nothing is baked on top of it.
    let again = account.run(&BAKE).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_builder_that_is_never_ready_is_terminated() {
    let account = Account::with(&[Scenario::BuilderNeverReady]);
    let run = account.run(&BAKE).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert_eq!(run.changes, [RUN, TERMINATE]);
    assert!(
        run.stderr
            .contains("Systems Manager has not reached it within 15m"),
        "{}",
        run.text()
    );
    assert_nothing_left(&account, &run.text());
}

#[tokio::test(start_paused = true)]
async fn when_the_time_is_over_the_builder_is_terminated() {
    let account = Account::with(&[]);
    let detached = account.run(&[&BAKE[..], &["--no-wait"]].concat()).await;
    assert_eq!(
        (detached.status.code(), detached.calls),
        (2, 0),
        "{}",
        detached.text()
    );
    let run = account.run(&[&BAKE[..], &["--timeout", "2m"]].concat()).await;
    assert_eq!(run.changes, [RUN, SEND, TERMINATE], "{}", run.text());
    assert_ne!(run.status.code(), 0, "{}", run.text());
    assert_nothing_left(&account, &run.text());
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_cannot_be_applied_leaves_nothing() {
    let account = Account::with(&[Scenario::ApplyFails]);
    let run = account.run(&BAKE).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert_eq!(run.changes, [RUN, SEND, TERMINATE]);
    assert!(run.stderr.contains("No space left on device"), "{}", run.text());
    assert_nothing_left(&account, &run.text());
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_anywhere_leaves_nothing_or_the_image() {
    let requests = requests_of(&BAKE).await;
    let first = position(&requests, "RunInstances", 0);
    for at in (first..requests.len()).step_by(2) {
        let account = Account::with(&[]);
        let (_, run) = broken(&account, &BAKE, at, Break::Interrupt).await;
        let run = run.expect("an interrupt is no kill");
        let label = format!("at {at} ({})\n{}", requests[at].operation, run.text());
        match run.status.code() {
            0 => assert_eq!(
                (images(&account).len(), builders(&account).len()),
                (1, 0),
                "{label}"
            ),
            _ => {
                assert!(builders(&account).is_empty(), "{label}");
                let unfinished = images(&account)
                    .into_iter()
                    .filter(|image| image["State"] != "available");
                assert_eq!(unfinished.count(), 0, "{label}");
                assert_eq!(snapshots(&account).len(), images(&account).len(), "{label}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_anywhere_the_next_run_makes_one_image_and_leaves_no_builder() {
    for operation in [
        "RunInstances",
        "SendCommand",
        "StopInstances",
        "CreateImage",
        "TerminateInstances",
    ] {
        for what in [Break::KilledBefore, Break::KilledAfter, Break::KilledInFlight] {
            let account = killed(operation, what).await;
            let again = account.run(&BAKE).await;
            let label = format!("{what:?} {operation}\n{}", again.text());
            assert_eq!(again.status.code(), 0, "{label}");
            let made: Vec<Value> = images(&account);
            assert_eq!(made.len(), 1, "{label}");
            assert_eq!(made[0]["State"], "available", "{label}");
            assert_eq!(
                (builders(&account).len(), snapshots(&account).len()),
                (0, 1),
                "{label}"
            );
            // All that was ever started is gone for good.
            let third = account.run(&BAKE).await;
            assert_eq!(
                (third.status.code(), third.changes.len()),
                (0, 0),
                "{label}\n{}",
                third.text()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_run_left_for_another_bundle_is_removed() {
    // An image is pending, and its builder is stopped.
    let account = killed("CreateImage", Break::KilledAfter).await;
    assert_eq!((builders(&account).len(), images(&account).len()), (1, 1));
    let other = crate::bundle::EARLIER;
    let run = account
        .run(&["ami", "bake", "--fleet", FLEET, "--bundle", other, "--yes"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let made = images(&account);
    assert_eq!(
        (made.len(), builders(&account).len(), snapshots(&account).len()),
        (1, 0, 1)
    );
    assert_eq!(tag(&made[0], "BundleId"), other);
}

#[tokio::test(start_paused = true)]
async fn without_an_active_bundle_and_for_a_type_that_is_not_allowed_it_is_refused() {
    let account = Account::with(&[]);
    let name = "/bp/fleets/staging/gpu-default/desired_config";
    let value = json!({"version": 1, "template_slug": "gpu-default", "instance_type": "p5.48xlarge"});
    let input = json!({"Name": name, "Value": value.to_string(), "Overwrite": true});
    call(&account.sandbox, Service::Ssm, "PutParameter", &input);
    let run = account.run(&BAKE).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("template gpu-default allows g4dn.xlarge"),
        "{}",
        run.text()
    );
    let input =
        json!({"Name": "/bp/fleets/staging/gpu-default/active_bundle", "Value": "none", "Overwrite": true});
    call(&account.sandbox, Service::Ssm, "PutParameter", &input);
    let run = account.run(&["ami", "bake", "--fleet", FLEET, "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("no bundle is active"), "{}", run.text());
}
