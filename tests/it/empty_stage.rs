//! From an empty account to a stage of the staged layout at work, with bpctl's own templates, and back.

use std::fs;
use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, Layout, Options, Service, World};
use serde_json::{Value, json};

use crate::empty_account::{codes, keep_instance, next, run, write_oauth};
use crate::support::Account;
use crate::teardown::{databases, stacks};

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
            format!(
                "{{ slug = \"{slug}\", template_slug = \"gpu-default\", instance_type = \"g4dn.xlarge\" }}"
            )
        })
        .collect();
    let file = format!(
        "[blueprint]\nalert_email = \"ops@example.com\"\nfleets = [{}]\n",
        fleets.join(", ")
    );
    fs::write(account.home().join("bpctl.toml"), file).expect("a file");
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

/// The nine keys of the sign-in services.
async fn oauth(account: &Account) {
    write_oauth(account);
    let set = ["secrets", "set", "oauth", "--file", "oauth.json", "--yes"];
    run(account, &set, 0).await;
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
    let by = |stack: &Value| {
        stack["changed_by"]
            .as_str()
            .is_some_and(|by| by.starts_with("arn:aws:"))
    };
    assert!(
        listed["stacks"]
            .as_array()
            .is_some_and(|stacks| stacks.iter().all(by)),
        "{listed}"
    );
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
        &["secrets", "list"],
        &["stack", "status", "gpu"],
        &["stack", "diff", "--exit-code"],
        &["deploy", "all", "--yes"],
        &["logs", "backend", "--since", "5m"],
        &["describe", "service", "backend"],
    ] {
        run(&account, args, 0).await;
    }
    let check = run(&account, &["monitoring", "check", "-o", "json"], 9)
        .await
        .json();
    let differences = check["differences"].as_array().expect("a list").iter();
    let differences: Vec<&str> = differences.filter_map(|one| one["property"].as_str()).collect();
    assert_eq!((differences, &check["unread"]), (vec!["subscribers"], &json!([])));
    let again = run(&account, &["stack", "deploy", "--all", "--yes"], 0).await;
    assert_eq!(again.changes, [""; 0], "{}", again.text());
    let gone = ["teardown", "--database", "delete", "--confirm", "123456789012"];
    run(&account, &gone, 0).await;
    assert_eq!(stacks(&account.sandbox), [""; 0]);
    let left = run(&account, &["reset", "--list"], 0).await;
    assert!(
        left.stdout.contains("machine image") && left.stdout.contains("-before-teardown-"),
        "{}",
        left.text()
    );
    assert!(!left.stdout.contains("LEFT ALONE"), "{}", left.text());
    let reset = ["reset", "--everything", "--confirm", "123456789012"];
    run(&account, &reset, 0).await;
    // Nothing is left that keeps the next one from being made.
    bring_up(&account).await;
}

/// What CloudFormation does to a database whose template says `Snapshot` is proved afterwards.
#[tokio::test(start_paused = true)]
async fn a_stack_goes_with_a_last_snapshot_of_its_database() {
    let account = empty();
    let deploy = ["stack", "deploy", "network", "data", "--yes"];
    let delete = ["stack", "delete", "data", "--confirm", "sandbox", "-o", "json"];
    run(&account, &deploy, 0).await;
    // What bpctl has written down of these runs keeps the bucket of logs.
    let deleted = run(&account, &delete, 1).await;
    assert!(
        deleted.stderr.contains("a last snapshot stays of"),
        "{}",
        deleted.text()
    );
    let named = deleted.json()["stacks"][0]["snapshots"].clone();
    let there = call(&account, Service::Rds, "DescribeDBSnapshots", &json!({}));
    let there = there["DBSnapshots"].as_array().expect("snapshots");
    let manual = there.iter().filter(|one| one["SnapshotType"] == "manual");
    let manual: Value = manual.map(|one| one["DBSnapshotIdentifier"].clone()).collect();
    assert!(
        named.as_array().is_some_and(|named| named.len() == 1),
        "{}",
        deleted.text()
    );
    assert_eq!(named, manual);
    let retained = [&delete[..], &["--retain", "LogsBucket"]].concat();
    let gone = run(&account, &retained, 0).await;
    assert!(!gone.stderr.contains("snapshot"), "{}", gone.text());
    // Who may not look has not seen it: that is no success.
    let account = empty();
    run(&account, &deploy, 0).await;
    let denied = FaultRule::on(Service::Rds, "DescribeDBSnapshots", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(denied));
    let unseen = account.run(&delete).await;
    assert!(
        unseen.status.code() != 0 && unseen.stderr.contains("rds:DescribeDBSnapshots"),
        "{}",
        unseen.text()
    );
}

/// Does what the checklist says, once; what no command does is done as its people do it.
async fn follow(account: &Account, step: &str, words: &[String]) {
    match step.split_once(' ').unwrap_or((step, "")) {
        ("images", _) => push_images(account),
        ("secret", "oauth") => oauth(account).await,
        ("fleets", _) => {
            settings(account, &["image-to-video"]);
            build_image(account, "image-to-video");
            run(account, &["stack", "deploy", "gpu", "monitoring", "--yes"], 0).await;
        }
        // An instance starts for a job: here somebody keeps one.
        ("workers", _) => keep_instance(account, "asg-staging-image-to-video").await,
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

#[tokio::test(start_paused = true)]
async fn the_checklist_leads_from_nothing_to_a_stage_at_work() {
    let account = empty();
    settings(&account, &[]);
    let mut steps = Vec::new();
    while let Some((step, words)) = next(&account).await {
        assert!(!steps.contains(&step), "no end: {steps:?}, {step}");
        follow(&account, &step, &words).await;
        account.clock().sleep(Duration::from_secs(120)).await;
        steps.push(step);
    }
    assert_eq!(
        steps,
        [
            "stack bp-staging-cicd",
            "images backend",
            "secret app-key",
            "secret oauth",
            "secret fleet-secret/staging",
            "migrations",
            "start",
            "fleets",
            "workers staging/image-to-video",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_database_of_a_stage_stays_unless_it_is_asked_for() {
    let account = empty();
    bring_up(&account).await;
    let before = databases(&account.sandbox);
    run(&account, &["teardown", "--confirm", "sandbox"], 0).await;
    // The database stands in its subnets.
    assert_eq!(stacks(&account.sandbox), ["bp-staging-network"]);
    assert_eq!(databases(&account.sandbox), before);
}

#[tokio::test(start_paused = true)]
async fn fleets_come_and_go_with_the_settings() {
    const DEPLOY: [&str; 4] = ["stack", "deploy", "gpu", "monitoring"];
    let account = empty();
    let refused = async |args: &[&str], status: u8, words: &[&str]| {
        let refused = run(&account, args, status).await;
        assert_eq!(refused.changes, [""; 0], "{}", refused.text());
        for words in words {
            assert!(refused.stderr.contains(words), "{words}: {}", refused.text());
        }
    };
    // Before there is an image nothing is begun.
    refused(
        &["stack", "deploy", "--all", "--yes"],
        1,
        &[
            "bp-staging-gpu makes staging/image-to-video, and there is no image pointer `/bp/ami/image-to-video`",
            "hint: build an image for it first: `bpctl ami build --fleet staging/image-to-video --promote`",
        ],
    )
    .await;
    bring_up(&account).await;
    for verb in ["provision", "apply-config"] {
        refused(
            &["fleet", verb, FLEET, "--yes"],
            2,
            &[
                "the fleets are parts of one stack",
                "`bpctl stack deploy gpu monitoring`",
            ],
        )
        .await;
    }
    let values = [
        "-c",
        "fleetStage=staging",
        "-c",
        "fleetSlug=x",
        "-c",
        "templateSlug=gpu-default",
        "-c",
        "instanceType=g5.xlarge",
    ];
    refused(
        &[&DEPLOY[..], &values, &["--yes"]].concat(),
        2,
        &[
            "the next deployment would take it away",
            "`fleets` of `[blueprint]`",
        ],
    )
    .await;
    let many: Vec<String> = (0..20).map(|n| format!("workflow-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    settings(&account, &many);
    refused(
        &[&DEPLOY[..], &["--yes"]].concat(),
        2,
        &[
            "`fleets` are 20: the template of bp-staging-gpu has",
            "and the first",
        ],
    )
    .await;
    // A second one, then without the first, then the first again.
    build_image(&account, "upscale");
    for slugs in [
        &["image-to-video", "upscale"][..],
        &["upscale"],
        &["upscale", "image-to-video"],
    ] {
        settings(&account, slugs);
        // The logs of a fleet that goes are lost: that is confirmed by a word.
        run(&account, &[&DEPLOY[..], &["--confirm", "sandbox"]].concat(), 0).await;
        let listed = run(&account, &["fleet", "list", "-o", "name"], 0).await;
        for slug in ["image-to-video", "upscale"] {
            assert_eq!(
                listed.stdout.contains(slug),
                slugs.contains(&slug),
                "{}",
                listed.text()
            );
        }
    }
}
