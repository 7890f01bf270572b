//! From an empty account to the running platform, with bpctl's own templates and without the CDK.

use std::fs;
use std::time::Duration;

use bpctl_sandbox::{Options, Service, World};
use serde_json::{Value, json};

use crate::broken_network::{Break, Network};
use crate::campaign_verbs::{broken, over, position};
use crate::campaign_worlds::stacks;
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
pub(crate) async fn run(account: &Account, args: &[&str], status: u8) -> Run {
    let run = Box::pin(account.run(args)).await;
    assert_eq!(run.status.code(), status, "{args:?}: {}", run.text());
    run
}

/// The first step of the checklist that is not done: its name and its command.
pub(crate) async fn next(account: &Account) -> Option<(String, Vec<String>)> {
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
pub(crate) fn write_oauth(account: &Account) {
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
pub(crate) async fn keep_instance(account: &Account, group: &str) {
    // The alarm of an empty queue fires once after 15 minutes without a job, and takes the fleet to zero.
    account.clock().sleep(Duration::from_secs(20 * 60)).await;
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
        ("workers", _) => keep_instance(account, "asg-staging-gpu-default").await,
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

fn service(account: &Account, name: &str) -> Value {
    let input = json!({ "cluster": "bp", "services": [name] });
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "DescribeServices", &input));
    answer.expect("the service")["services"][0].clone()
}

fn set_desired(account: &Account, name: &str, count: u32) {
    let input = json!({ "cluster": "bp", "service": name, "desiredCount": count });
    let done = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "UpdateService", &input));
    done.expect("another count");
}

/// Codes of what triage finds, symptoms included.
pub(crate) fn codes(triage: &Run) -> Vec<String> {
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

#[tokio::test(start_paused = true)]
async fn the_checklist_leads_from_nothing_to_a_platform_at_work() {
    let account = empty();
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
    account
        .sandbox
        .with_world(|world| {
            let group = json!({ "AutoScalingGroupName": "asg-staging-gpu-default" });
            world.call(Service::AutoScaling, "ResumeProcesses", &group)
        })
        .expect("its alarms act again");
    account.clock().sleep(Duration::from_secs(1200)).await;
    let triage = run(&account, &["triage", "-o", "json"], 0).await;
    // Nobody was named who hears the alarms.
    assert_eq!(codes(&triage), ["BP-ALM-005"], "{}", triage.text());
    for args in [
        &["migrate", "--yes"][..],
        &["fleet", "list"],
        &["secrets", "list"],
        &["deploy", "all", "--yes"],
        &["stack", "diff", "--exit-code"],
        &["logs", "backend", "--since", "5m"],
        &["describe", "service", "backend"],
        &["fleet", "status", FLEET],
    ] {
        run(&account, args, 0).await;
    }
    let again = run(&account, &["stack", "deploy", "--all", "--yes"], 0).await;
    assert_eq!(again.changes, [""; 0], "{}", again.text());
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_was_never_started_is_neither_broken_nor_at_work() {
    let account = empty();
    let plan = run(&account, &["stack", "deploy", "--all", "--dry-run"], 0).await;
    for words in [
        "neither `infra_dir` nor `[blueprint]` is set",
        "preset: no preset: APP_ENV production",
        "bp-backend is made without tasks: bp-backend has no image nginx-latest, php-latest",
    ] {
        assert!(plan.stdout.contains(words), "{words}: {}", plan.text());
    }
    let made = run(&account, &["stack", "deploy", "--all", "--yes", "-o", "json"], 0).await;
    let document = made.json();
    let made: Vec<(&str, &str)> = document["stacks"]
        .as_array()
        .expect("stacks")
        .iter()
        .filter_map(|stack| Some((stack["stack"].as_str()?, stack["status"].as_str()?)))
        .collect();
    assert_eq!(made, CORE.map(|name| (name, "CREATE_COMPLETE")));
    for name in ["bp-backend", "bp-frontend"] {
        let service = service(&account, name);
        assert_eq!(
            (&service["desiredCount"], &service["runningCount"]),
            (&json!(0), &json!(0))
        );
    }
    account.clock().sleep(Duration::from_secs(1800)).await;
    let triage = run(&account, &["triage", "-o", "json"], 0).await;
    assert_eq!(
        codes(&triage),
        ["BP-ALM-005", "BP-ECS-015", "BP-ECS-015"],
        "{}",
        triage.text()
    );
    run(&account, &["triage", "--fail-on", "P3"], 1).await;
    run(&account, &["stack", "diff", "--exit-code"], 0).await;
    let again = run(&account, &["stack", "deploy", "--all", "--yes"], 0).await;
    assert_eq!(again.changes, [""; 0], "{}", again.text());
    // With images there is something to start.
    push_images(&account, "frontend");
    let diff = run(&account, &["stack", "diff", "--exit-code", "-o", "json"], 9)
        .await
        .json();
    let changes = diff["stacks"][3]["changes"].as_array().expect("changes").iter();
    let changes: Vec<&str> = changes.filter_map(|change| change["resource"].as_str()).collect();
    assert_eq!(changes, ["FrontendScaling", "FrontendService"]);
    run(&account, &["stack", "deploy", "compute", "--yes"], 0).await;
    account.clock().sleep(Duration::from_secs(300)).await;
    let counts = ["bp-backend", "bp-frontend"].map(|name| service(&account, name)["runningCount"].clone());
    assert_eq!(counts, [json!(0), json!(1)]);
    run(&account, &["stack", "diff", "--exit-code"], 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_later_deployment_leaves_the_count_that_a_service_has() {
    let account = empty();
    run(&account, &["stack", "deploy", "cicd", "--yes"], 0).await;
    push_images(&account, "backend");
    push_images(&account, "frontend");
    run(&account, &["stack", "deploy", "--all", "--yes"], 0).await;
    assert_eq!(service(&account, "bp-backend")["runningCount"], 1);
    set_desired(&account, "bp-backend", 3);
    account.clock().sleep(Duration::from_secs(300)).await;
    let file = "[blueprint.sizes]\nbackend = { cpu = 2048, memory = 4096 }\n";
    fs::write(account.home().join("bpctl.toml"), file).expect("a file");
    let changed = run(&account, &["stack", "deploy", "compute", "--yes"], 0).await;
    assert!(changed.stderr.contains("~ BackendTask"), "{}", changed.text());
    let backend = service(&account, "bp-backend");
    assert_eq!(
        (&backend["desiredCount"], &backend["runningCount"]),
        (&json!(3), &json!(3))
    );
}

#[tokio::test(start_paused = true)]
async fn the_context_chooses_the_templates_and_flags_win() {
    let account = empty();
    let plan = async |args: &[&str]| {
        let run = run(
            &account,
            &[&["stack", "deploy", "cicd", "--dry-run"], args].concat(),
            0,
        )
        .await;
        let facts = run.stdout.lines().skip(2).take(2);
        facts.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let file = "[blueprint]\npreset = \"staging\"\nsizes = { nat_gateways = 2 }\n";
    fs::write(account.home().join("bpctl.toml"), file).expect("a file");
    let facts = plan(&[]).await;
    assert!(
        facts[0].starts_with("templates: bpctl's own, with `[blueprint]` of")
            && facts[0].contains("bpctl.toml:1;"),
        "{facts:?}"
    );
    assert_eq!(
        facts[1],
        "preset: staging: APP_ENV staging, database db.t4g.small in one zone, Redis cache.t4g.micro, NAT gateways 2, \
         tasks 512/1024 and 256/512"
    );
    fs::write(account.home().join("other.toml"), "preset = \"production\"\n").expect("a file");
    let facts = plan(&["--blueprint", "other.toml"]).await;
    assert_eq!(
        facts[0],
        "templates: bpctl's own, with the settings in `other.toml`, by --blueprint"
    );
    assert!(facts[1].starts_with("preset: production:"), "{facts:?}");
    // The app of the context comes before the section, and is not there.
    let app = account
        .run(&["stack", "deploy", "cicd", "--dry-run", "--infra-dir", "app"])
        .await;
    assert_eq!(app.status.code(), 2, "{}", app.text());
    assert!(app.stderr.contains("no `cdk.json`"), "{}", app.text());
    fs::write(
        account.home().join("bpctl.toml"),
        "[blueprint]\npreset = \"huge\"\n",
    )
    .expect("a file");
    let wrong = account.run(&["stack", "diff"]).await;
    assert_eq!(
        (wrong.status.code(), wrong.changes.len()),
        (2, 0),
        "{}",
        wrong.text()
    );
    assert!(
        wrong.stderr.contains("there is no preset `huge`"),
        "{}",
        wrong.text()
    );
}

/// The log group of a fleet outlives its stack.
#[tokio::test(start_paused = true)]
async fn a_fleet_is_provisioned_beside_the_log_group_that_an_earlier_one_left() {
    let account = empty();
    run(&account, &["stack", "deploy", "--all", "--yes"], 0).await;
    save_fleet(&account);
    let group = json!({ "logGroupName": "/gpu-workers/gpu-default" });
    let made = account
        .sandbox
        .with_world(|world| world.call(Service::Logs, "CreateLogGroup", &group));
    made.expect("a log group");
    let without = account.run(&["fleet", "provision", FLEET, "--yes"]).await;
    assert_eq!(
        (without.status.code(), without.changes.len()),
        (1, 0),
        "{}",
        without.text()
    );
    assert!(
        without.stderr.contains("has no image pointer"),
        "{}",
        without.text()
    );
    build_image(&account);
    let made = run(&account, &["fleet", "provision", FLEET, "--yes"], 0).await;
    assert!(
        made.stderr.contains("/gpu-workers/gpu-default is there already"),
        "{}",
        made.text()
    );
    let again = run(&account, &["fleet", "provision", FLEET, "--yes"], 0).await;
    assert_eq!(again.changes, [""; 0], "{}", again.text());
}

/// SIGKILL around every change set and every execution of one; the same command goes on.
#[tokio::test(start_paused = true)]
async fn a_deployment_of_everything_that_is_killed_ends_the_same_when_it_is_run_again() {
    const ALL: [&str; 4] = ["stack", "deploy", "--all", "--yes"];
    let account = empty();
    let network = Network::sound(account.sandbox.clone(), account.clock());
    let whole = Box::pin(over(&account, &ALL, &network)).await.expect("a run");
    assert_eq!(whole.status.code(), 0, "{}", whole.text());
    let wanted = stacks(&account.sandbox).things;
    assert_eq!(wanted.len(), CORE.len());
    let requests = network.seen.lock().expect("no panic").clone();
    for operation in ["CreateChangeSet", "ExecuteChangeSet"] {
        for nth in 0..CORE.len() {
            for what in [Break::KilledBefore, Break::KilledAfter, Break::KilledInFlight] {
                let account = empty();
                let at = position(&requests, operation, nth);
                let (network, killed) = Box::pin(broken(&account, &ALL, at, what)).await;
                let label = format!("{what:?} at {operation} {nth}");
                assert!(network.was_hit() && killed.is_none(), "{label}");
                let mut again = Box::pin(account.run(&ALL)).await;
                if again.status.code() != 0 {
                    assert!(again.stderr.contains("hint: "), "{label}: {}", again.text());
                    account.clock().sleep(Duration::from_secs(900)).await;
                    again = Box::pin(account.run(&ALL)).await;
                }
                assert_eq!(again.status.code(), 0, "{label}: {}", again.text());
                assert_eq!(stacks(&account.sandbox).things, wanted, "{label}");
            }
        }
    }
}
