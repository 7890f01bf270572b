//! `bpctl migrate`: the plan, its gates, and what is refused before anything is started.

use serde_json::{Value, json};

use crate::migrate::{position, tasks_started};
use crate::support::{Account, Run};

#[tokio::test(start_paused = true)]
async fn bad_arguments_are_refused_before_any_api_call() {
    let account = Account::with(&[]);
    for args in [
        &["migrate", "--pools", "tenant_pool_1;id", "--yes"][..],
        &["migrate", "--pools", "$(id)", "--yes"],
        &["migrate", "--pools", "", "--yes"],
        &["migrate", "--central", "--pools", "tenant_pool_1", "--yes"],
        &["migrate", "--subnets", "10.0.0.0/8", "--yes"],
        &["migrate", "--security-groups", "default", "--yes"],
        &["migrate", "--detach", "--timeout", "5m", "--yes"],
        &["migrate", "--timeout", "5", "--yes"],
        &["migrate", "--detach", "--stop-on-interrupt", "--yes"],
        &[
            "migrate",
            "--attach",
            "0123456789abcdef0123456789abcdef",
            "--fresh",
        ],
        &["migrate", "--attach", "latest"],
        &["migrate", "--print-aws", "--dry-run"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?}\n{}", run.text());
    }
    let run = account
        .run_with(&["migrate", "--yes"], |process| {
            process
                .env
                .insert("PRIVATE_SUBNET_IDS".to_owned(), "subnet-1,subnet-2".to_owned());
        })
        .await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn dry_run_and_no_answer_change_nothing() {
    let account = Account::with(&[]);
    let dry = account
        .run(&["migrate", "--dry-run", "--exit-code", "-o", "json"])
        .await;
    assert_eq!(dry.status.code(), 9, "{}", dry.text());
    let plan = dry.json();
    assert_eq!(plan["schema"], "bpctl.plan/2");
    assert_eq!(plan["steps"][0]["calls"][0]["operation"], "RunTask");
    assert!(dry.changes.is_empty());
    assert!(dry.calls <= 7, "{} calls", dry.calls);
    let unanswered = account.run(&["migrate"]).await;
    assert_eq!(unanswered.status.code(), 3, "{}", unanswered.text());
    assert!(unanswered.changes.is_empty());
    assert_eq!(tasks_started(&account), 0);
    assert!(!account.home().join(".local/state/bpctl/journal").exists());
}

#[tokio::test(start_paused = true)]
async fn flags_beat_the_environment_which_beats_the_service() {
    let account = Account::with(&[]);
    let env = |process: &mut bpctl::Process| {
        for (name, value) in [
            ("PRIVATE_SUBNET_IDS", "[\"subnet-0a1b2c3d\"]"),
            ("BACKEND_SG_ID", "sg-0a1b2c3d"),
        ] {
            process.env.insert(name.to_owned(), value.to_owned());
        }
    };
    let network = |run: &Run| {
        let step = &run.json()["steps"][0];
        let network = &step["calls"][0]["parameters"]["networkConfiguration"]["awsvpcConfiguration"];
        (
            network["subnets"].clone(),
            network["securityGroups"].clone(),
            step["notes"][0].clone(),
        )
    };
    let run = account
        .run_with(&["migrate", "--dry-run", "-o", "json"], env)
        .await;
    let both = "the subnets come from environment PRIVATE_SUBNET_IDS, the security groups from environment BACKEND_SG_ID";
    let (subnets, groups) = (json!(["subnet-0a1b2c3d"]), json!(["sg-0a1b2c3d"]));
    assert_eq!(network(&run), (subnets.clone(), groups, both.into()));
    let flag = [
        "migrate",
        "--dry-run",
        "-o",
        "json",
        "--security-groups",
        "sg-00000001",
    ];
    let run = account.run_with(&flag, env).await;
    let mixed = "the subnets come from environment PRIVATE_SUBNET_IDS, the security groups from flag --security-groups";
    assert_eq!(network(&run), (subnets, json!(["sg-00000001"]), mixed.into()));
    let run = account.run(&["migrate", "--dry-run", "-o", "json"]).await;
    assert_eq!(
        network(&run).2,
        "the subnets come from service bp-backend, the security groups from service bp-backend"
    );
    // A network that does not exist is refused by ECS; the error says where it came from.
    let run = account.run_with(&["migrate", "--yes"], env).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    position(&run, "the subnets come from environment PRIVATE_SUBNET_IDS");
    assert!(run.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn fresh_wants_its_word() {
    let account = Account::with(&[]);
    let yes = account.run(&["migrate", "--fresh", "--yes"]).await;
    assert_eq!(yes.status.code(), 3, "{}", yes.text());
    position(&yes, "give `--confirm sandbox`");
    position(&yes, "add `--snapshot`");
    assert!(yes.changes.is_empty());
    let protected = |process: &mut bpctl::Process| {
        process
            .env
            .insert("BPCTL_PROTECTED".to_owned(), "true".to_owned());
    };
    let name = account
        .run_with(&["migrate", "--fresh", "--confirm", "sandbox"], protected)
        .await;
    assert_eq!(name.status.code(), 3, "{}", name.text());
    assert!(name.changes.is_empty());
    let id = account
        .run_with(&["migrate", "--fresh", "--confirm", "123456789012"], protected)
        .await;
    assert_eq!(id.status.code(), 0, "{}", id.text());
    position(&id, "Dropping all tables");
}

#[tokio::test(start_paused = true)]
async fn the_printed_command_is_what_would_be_sent() {
    let account = Account::with(&[]);
    let run = account.run(&["migrate", "--tenant", "--print-aws"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.changes.is_empty());
    let words = shlex::split(&run.stdout).expect("a shell command");
    assert_eq!(words[..3], ["aws", "ecs", "run-task"]);
    let value = |option: &str| {
        let at = words.iter().position(|word| word == option).expect(option);
        words[at + 1].as_str()
    };
    let overrides: Value = serde_json::from_str(value("--overrides")).expect("JSON");
    assert_eq!(
        overrides,
        json!({"containerOverrides": [{
            "name": "php-fpm", "command": ["php artisan tenancy:pools-migrate --tenant"],
        }]})
    );
    let network: Value = serde_json::from_str(value("--network-configuration")).expect("JSON");
    assert_eq!(network["awsvpcConfiguration"]["assignPublicIp"], "DISABLED");
    assert_eq!(value("--cluster"), "bp");
    let snapshot = account.run(&["migrate", "--snapshot", "--print-aws"]).await;
    assert!(
        snapshot
            .stdout
            .contains("aws rds wait db-snapshot-available \\\n  --db-snapshot-identifier "),
        "{}",
        snapshot.stdout
    );
}

#[tokio::test(start_paused = true)]
async fn a_staged_production_is_production() {
    let account = Account::from_options(bpctl_sandbox::Options {
        layout: bpctl_sandbox::Layout::Staged,
        stage: "production".to_owned(),
        ..bpctl_sandbox::Options::default()
    });
    let production = |process: &mut bpctl::Process| {
        process
            .env
            .insert("BPCTL_STAGE".to_owned(), "production".to_owned());
    };
    let name = ["migrate", "--fresh", "--confirm", "sandbox"];
    let run = account.run_with(&name, production).await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
    position(&run, "this is production");
    position(&run, "give `--confirm 123456789012`");
    assert!(run.changes.is_empty());
    let id = ["migrate", "--fresh", "--confirm", "123456789012"];
    let run = account.run_with(&id, production).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    position(&run, "run `php artisan tenancy:pools-migrate --force --fresh`");
    position(&run, "Dropping all tables");
}
