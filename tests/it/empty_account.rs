//! From an empty account to the running platform, with bpctl's own templates and without the CDK.

use std::fs;
use std::time::Duration;

use bpctl_sandbox::{Options, Service, World};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const FLEET: &str = "staging/gpu-default";

const CORE: [&str; 6] = [
    "bp-cicd",
    "bp-network",
    "bp-data",
    "bp-compute",
    "bp-monitoring",
    "bp-gpu-shared",
];

fn empty() -> Account {
    let options = Options {
        empty: true,
        ..Options::default()
    };
    Account::prepared(options, |_| {})
}

/// Runs a command that must end with `status`.
async fn run(account: &Account, args: &[&str], status: u8) -> Run {
    let run = Box::pin(account.run(args)).await;
    eprintln!("$ bpctl {}\n{}", args.join(" "), run.text());
    assert_eq!(run.status.code(), status, "{args:?}: {}", run.text());
    run
}

/// The first step of the checklist that is not done: its name and its command.
async fn next(account: &Account) -> Option<(String, Vec<String>)> {
    let checklist = run(account, &["day1", "-o", "json"], 0).await.json();
    let next = &checklist["next"];
    let command = next["command"].as_str().unwrap_or_default();
    let words = command.split_whitespace().map(str::to_owned);
    Some((next["step"].as_str()?.to_owned(), words.collect()))
}

/// Somebody pushes what the services pull.
fn push_images(account: &Account, app: &str) {
    let tags: &[(&str, &str)] = match app {
        "backend" => &[("bp-backend", "nginx-latest"), ("bp-backend", "php-latest")],
        _ => &[("bp-frontend", "latest")],
    };
    account.sandbox.with_world(|world| {
        for (repository, tag) in tags {
            let pushed = world.push_image(repository, &[tag], true, Duration::ZERO);
            assert!(pushed.is_some(), "{repository}");
        }
    });
}

fn put_parameter(account: &Account, input: &Value) {
    let put = account
        .sandbox
        .with_world(|world| world.call(Service::Ssm, "PutParameter", input));
    put.expect("a parameter");
}

/// Somebody saves a fleet on the admin pages.
fn save_fleet(account: &Account) {
    let config = json!({
        "version": 1, "template_slug": "gpu-default", "instance_type": "g4dn.xlarge",
        "ami_ssm_parameter": "/bp/ami/fleets/staging/gpu-default", "enabled": true,
    });
    for (name, value) in [
        ("desired_config", config.to_string()),
        ("active_bundle", "none".to_owned()),
    ] {
        let name = format!("/bp/fleets/{FLEET}/{name}");
        put_parameter(
            account,
            &json!({ "Name": name, "Type": "String", "Value": value }),
        );
    }
}

/// Somebody builds an image for the fleet.
fn build_image(account: &Account) {
    const IMAGE: &str = "ami-0a1b2c3d4e5f60718";
    let build = |world: &mut World| world.build_machine_image("gpu-default", IMAGE);
    account.sandbox.with_world(build);
    let name = format!("/bp/ami/fleets/{FLEET}");
    let pointer = json!({ "Name": name, "Type": "String", "DataType": "aws:ec2:image", "Value": IMAGE });
    put_parameter(account, &pointer);
}

/// The nine keys of the sign-in services.
fn write_oauth(account: &Account) {
    use base64::Engine as _;
    let p8 = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let mut keys = serde_json::Map::new();
    for key in [
        "google_client_id",
        "google_client_secret",
        "tiktok_client_id",
        "tiktok_client_secret",
        "apple_client_id",
        "apple_client_secret",
        "apple_key_id",
        "apple_team_id",
    ] {
        keys.insert(key.to_owned(), json!(format!("the-{key}")));
    }
    let p8 = base64::engine::general_purpose::STANDARD.encode(p8);
    keys.insert("apple_private_key_p8_b64".to_owned(), json!(p8));
    let file = account.home().join("oauth.json");
    fs::write(file, Value::Object(keys).to_string()).expect("a file");
}

/// Somebody keeps one instance of the fleet, and it boots.
async fn keep_instance(account: &Account) {
    let group = "asg-staging-gpu-default";
    for (operation, input) in [
        (
            "SuspendProcesses",
            json!({ "AutoScalingGroupName": group, "ScalingProcesses": ["AlarmNotification"] }),
        ),
        (
            "SetDesiredCapacity",
            json!({ "AutoScalingGroupName": group, "DesiredCapacity": 1 }),
        ),
    ] {
        let done = account
            .sandbox
            .with_world(|world| world.call(Service::AutoScaling, operation, &input));
        done.unwrap_or_else(|error| panic!("{operation}: {error:?}"));
    }
    account.clock().sleep(Duration::from_secs(600)).await;
}

/// Does what the checklist says, once; what no command does is done as its people do it.
async fn follow(account: &Account, step: &str, words: &[String]) {
    match step.split_once(' ').unwrap_or((step, "")) {
        ("images", app) => push_images(account, app),
        ("secret", "oauth") => {
            write_oauth(account);
            run(
                account,
                &["secrets", "set", "oauth", "--file", "oauth.json", "--yes"],
                0,
            )
            .await;
        }
        ("fleets", _) => save_fleet(account),
        ("provision", _) => {
            build_image(account);
            run(account, &["fleet", "provision", FLEET, "--yes"], 0).await;
        }
        // An instance starts for a job: here somebody keeps one.
        ("workers", _) => keep_instance(account).await,
        _ => {
            assert_eq!(
                words.first().map(String::as_str),
                Some("bpctl"),
                "{step}: {words:?}"
            );
            let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
            run(account, &[&words[..], &["--yes"]].concat(), 0).await;
        }
    }
}

fn desired(account: &Account, service: &str) -> Value {
    let input = json!({ "cluster": "bp", "services": [service] });
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "DescribeServices", &input));
    answer.expect("the service")["services"][0]["desiredCount"].clone()
}

#[tokio::test(start_paused = true)]
async fn the_checklist_leads_from_nothing_to_a_platform_at_work() {
    let account = empty();
    let mut steps = Vec::new();
    while let Some((step, words)) = next(&account).await {
        assert!(
            steps.len() < 40 && !steps.ends_with(&[step.clone()]),
            "no end: {steps:?}, {step}"
        );
        follow(&account, &step, &words).await;
        account.clock().sleep(Duration::from_secs(120)).await;
        steps.push(step);
    }
    assert_eq!(
        steps,
        [
            "stack bp-cicd",
            "images backend",
            "images frontend",
            "secret app-key",
            "secret oauth",
            "secret fleet-secret/staging",
            "secret fleet-secret/production",
            "migrations",
            "start",
            "fleets",
            "provision staging/gpu-default",
            "workers staging/gpu-default",
        ]
    );
    account.clock().sleep(Duration::from_secs(600)).await;
    run(&account, &["triage"], 0).await;
    for args in [
        &["migrate", "--yes"][..],
        &["fleet", "list"],
        &["secrets", "list"],
        &["deploy", "all", "--yes"],
        &["stack", "diff", "--exit-code"],
        &["doctor"],
    ] {
        run(&account, args, 0).await;
    }
    panic!("explore");
}
