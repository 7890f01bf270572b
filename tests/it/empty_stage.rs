//! From an empty account to a stage of the staged layout at work, with bpctl's own templates, and back.

use std::fs;
use std::time::Duration;

use bpctl_sandbox::{Layout, Options, Service, World};
use serde_json::{Value, json};

use crate::support::{Account, Run};
use crate::teardown::stacks;

const FLEET: &str = "staging/image-to-video";

const CORE: [&str; 6] = [
    "bp-staging-cicd",
    "bp-staging-network",
    "bp-staging-data",
    "bp-staging-compute",
    "bp-staging-gpu",
    "bp-staging-monitoring",
];

/// An account without anything, and settings with a fleet.
fn empty() -> Account {
    let account = Account::from_options(Options {
        layout: Layout::Staged,
        empty: true,
        ..Options::default()
    });
    settings(&account, &["image-to-video"]);
    account
}

fn settings(account: &Account, slugs: &[&str]) {
    let fleets: Vec<String> = slugs
        .iter()
        .map(|slug| {
            format!("{{ slug = \"{slug}\", template_slug = \"gpu-default\", instance_type = \"g4dn.xlarge\" }}")
        })
        .collect();
    let file = format!(
        "[blueprint]\nalert_email = \"ops@example.com\"\nfleets = [{}]\n",
        fleets.join(", ")
    );
    fs::write(account.home().join("bpctl.toml"), file).expect("a file");
}

/// Runs a command that must end with `status`.
async fn run(account: &Account, args: &[&str], status: u8) -> Run {
    let run = Box::pin(account.run(args)).await;
    assert_eq!(run.status.code(), status, "{args:?}: {}", run.text());
    run
}

fn call(account: &Account, service: Service, operation: &str, input: &Value) -> Value {
    let called = account
        .sandbox
        .with_world(|world| world.call(service, operation, input));
    called.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// Somebody builds an image for the fleet.
fn build_image(account: &Account, slug: &str) {
    const IMAGE: &str = "ami-0a1b2c3d4e5f60718";
    let build = |world: &mut World| world.build_machine_image(slug, IMAGE);
    account.sandbox.with_world(build);
    let name = format!("/bp/ami/{slug}");
    let pointer = json!({ "Name": name, "Type": "String", "DataType": "aws:ec2:image", "Value": IMAGE });
    call(account, Service::Ssm, "PutParameter", &pointer);
}

/// Somebody pushes what the services pull.
fn push_images(account: &Account) {
    let tags = [
        ("bp-backend-staging", "nginx-latest"),
        ("bp-backend-staging", "php-latest"),
        ("bp-frontend-staging", "latest"),
    ];
    account.sandbox.with_world(|world| {
        for (repository, tag) in tags {
            let pushed = world.push_image(repository, &[tag], true, Duration::ZERO);
            assert!(pushed.is_some(), "{repository}");
        }
    });
}

/// Codes of what triage finds, symptoms included.
fn codes(triage: &Run) -> Vec<String> {
    fn collect(findings: &Value, codes: &mut Vec<String>) {
        for finding in findings.as_array().into_iter().flatten() {
            codes.push(finding["code"].as_str().unwrap_or_default().to_owned());
            collect(&finding["symptoms"], codes);
        }
    }
    let mut found = Vec::new();
    collect(&triage.json()["findings"], &mut found);
    found
}

/// Everything that an empty account needs to be a stage at work.
async fn bring_up(account: &Account) {
    build_image(account, "image-to-video");
    run(account, &["stack", "deploy", "cicd", "--yes"], 0).await;
    push_images(account);
    run(account, &["stack", "deploy", "--all", "--yes"], 0).await;
    for secret in ["app-key", "fleet-secret/staging"] {
        run(account, &["secrets", "set", secret, "--generate", "--yes"], 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stage_is_made_from_nothing_works_and_is_taken_away() {
    let account = empty();
    bring_up(&account).await;
    account.clock().sleep(Duration::from_secs(1800)).await;
    let listed = run(&account, &["stack", "list", "-o", "json"], 0).await.json();
    let listed: Vec<(&str, &str)> = listed["stacks"]
        .as_array()
        .expect("stacks")
        .iter()
        .filter_map(|stack| Some((stack["name"].as_str()?, stack["status"].as_str()?)))
        .collect();
    assert_eq!(listed, CORE.map(|name| (name, "CREATE_COMPLETE")));
    let triage = run(&account, &["triage", "-o", "json"], 0).await;
    // Nobody has confirmed the mail of the alarms.
    assert_eq!(codes(&triage), ["BP-ALM-005"], "{}", triage.text());
    for args in [
        &["migrate", "--yes"][..],
        &["fleet", "list"],
        &["fleet", "status", FLEET],
        &["fleet", "lint", FLEET],
        &["monitoring", "check"],
        &["secrets", "list"],
        &["stack", "status", "gpu"],
        &["stack", "diff", "--exit-code"],
        &["deploy", "all", "--yes"],
        &["logs", "backend", "--since", "5m"],
        &["describe", "service", "backend"],
    ] {
        run(&account, args, 0).await;
    }
    let again = run(&account, &["stack", "deploy", "--all", "--yes"], 0).await;
    assert_eq!(again.changes, [""; 0], "{}", again.text());
    let gone = ["teardown", "--database", "delete", "--confirm", "123456789012"];
    run(&account, &gone, 0).await;
    assert_eq!(stacks(&account.sandbox), [""; 0]);
    let left = run(&account, &["reset", "--list"], 0).await;
    assert!(left.stdout.contains("/gpu-workers/image-to-video"), "{}", left.text());
}
