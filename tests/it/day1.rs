//! `bpctl day1`: every step as AWS shows it, and the one that is next.

use bpctl_sandbox::{Fault, FaultRule, Options, Scenario, Service};
use serde_json::Value;

use crate::site::Site;
use crate::support::{Account, Run};

fn empty() -> Account {
    Account::prepared(
        Options {
            empty: true,
            ..Options::default()
        },
        |_| {},
    )
}

async fn day1(account: &Account, args: &[&str]) -> Value {
    let run: Run = account.run(&[&["day1", "-o", "json"], args].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);
    run.json()
}

fn step<'a>(document: &'a Value, name: &str) -> &'a Value {
    let steps = document["steps"].as_array().expect("steps");
    let found = steps.iter().find(|step| step["step"] == name);
    found.unwrap_or_else(|| panic!("no step `{name}` in {document:#}"))
}

#[tokio::test(start_paused = true)]
async fn an_empty_account_begins_with_the_bootstrap_of_the_app_and_all_else_waits() {
    let account = empty();
    let document = day1(&account, &["--infra-dir", "app"]).await;
    assert_eq!(document["done"], 0, "{document:#}");
    assert_eq!(document["next"]["step"], "bootstrap");
    assert_eq!(
        document["next"]["command"],
        "bpctl --infra-dir app stack bootstrap"
    );
    for name in [
        "stack bp-cicd",
        "images backend",
        "secret app-key",
        "migrations",
        "service backend",
        "health",
    ] {
        assert_eq!(step(&document, name)["state"], "waiting", "{name}: {document:#}");
    }
    let told = account.run(&["day1", "--exit-code", "--infra-dir", "app"]).await;
    assert_eq!(told.status.code(), 9, "{}", told.text());
    assert!(
        told.stdout
            .contains("Next: bootstrap\n  bpctl --infra-dir app stack bootstrap"),
        "{}",
        told.stdout
    );
    // bpctl's own templates need none.
    let told = account.run(&["day1"]).await;
    assert!(
        told.stdout
            .contains("Next: stack bp-cicd\n  bpctl stack deploy --all\n")
            && !told.stdout.contains("bootstrap"),
        "{}",
        told.stdout
    );
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_runs_is_done_but_for_what_nothing_proves() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        let document = day1(&account, &[]).await;
        assert_eq!(document["next"]["step"], "migrations", "{document:#}");
        let command = document["next"]["command"].as_str().expect("a command");
        assert!(command.ends_with("migrate"), "{command}");
        for name in ["images backend", "secret oauth", "service frontend", "health"] {
            assert_eq!(step(&document, name)["state"], "done", "{name}: {document:#}");
        }
        assert_eq!(account.run(&["migrate", "--yes"]).await.status.code(), 0);
        let document = day1(&account, &[]).await;
        assert_eq!(step(&document, "migrations")["state"], "done", "{document:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_thing_that_is_not_as_it_should_be_is_open_with_its_command() {
    for (scenario, name, command) in [
        (
            Scenario::SecretMissing,
            "secret app-key",
            "bpctl secrets set app-key --generate",
        ),
        (Scenario::OauthNoJson, "secret oauth", "bpctl secrets set oauth"),
        (
            Scenario::EcrTagMissing,
            "images backend",
            "bpctl image push backend",
        ),
        (
            Scenario::WrongArchitecture,
            "images backend",
            "bpctl image push backend",
        ),
        (
            Scenario::AmiMissing,
            "ami production/gpu-default",
            "bpctl ami build --fleet production/gpu-default --promote",
        ),
    ] {
        let document = day1(&Account::with(&[scenario]), &[]).await;
        let step = step(&document, name);
        assert_eq!(
            (step["state"].as_str(), step["command"].as_str()),
            (Some("open"), Some(command)),
            "{scenario}: {step:#}"
        );
    }
    // A service without tasks, and with it the load balancer's own answer.
    let account = Account::with(&[Scenario::NoHealthyTargets]);
    let document = day1(&account, &[]).await;
    assert_eq!(
        step(&document, "service backend")["command"],
        "bpctl resume",
        "{document:#}"
    );
    assert_eq!(step(&document, "health")["state"], "waiting", "{document:#}");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_cannot_be_read_is_unknown_and_not_done() {
    for (service, operation, name) in [
        (Service::CloudFormation, "DescribeStacks", "stack bp-data"),
        (Service::Ecs, "DescribeServices", "service backend"),
        (Service::Ecr, "BatchGetImage", "images frontend"),
        (Service::S3, "ListObjectsV2", "migrations"),
        (Service::Ssm, "GetParameters", "ami production/gpu-default"),
    ] {
        let account = Account::with(&[]);
        // The migration is on record, so that nothing waits for it.
        assert_eq!(account.run(&["migrate", "--yes"]).await.status.code(), 0);
        let deny = FaultRule::on(service, operation, Fault::Deny);
        account.sandbox.with_world(|world| world.inject(deny));
        let document = day1(&account, &[]).await;
        let step = step(&document, name);
        assert_eq!(step["state"], "unknown", "{operation}: {step:#}");
        assert!(
            step["found"]
                .as_str()
                .is_some_and(|found| found.contains("not authorized")),
            "{operation}: {step:#}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_fleet_can_be_asked_for_and_an_unknown_name_is_refused() {
    let account = Account::with(&[]);
    let document = day1(&account, &["--fleet", "staging/gpu-default"]).await;
    let workers = step(&document, "workers staging/gpu-default");
    assert_eq!(workers["state"], "open", "{workers:#}");
    assert!(workers["command"].is_null(), "{workers:#}");
    assert!(
        workers["note"].to_string().contains("give the fleet a job"),
        "{workers:#}"
    );
    let steps = document["steps"].as_array().expect("steps");
    assert!(
        steps
            .iter()
            .all(|step| !step["step"].to_string().contains("production/"))
    );
    let wrong = account.run(&["day1", "--fleet", "no such"]).await;
    assert_eq!((wrong.status.code(), wrong.calls), (2, 0), "{}", wrong.text());
}

/// The steps are processes of the real binary, each with its own plan and question.
#[test]
fn a_run_carries_out_what_is_bpctls_begins_where_it_ended_and_stops_at_the_rest() {
    let options = Options {
        scenarios: [Scenario::SecretMissing].into(),
        ..Options::default()
    };
    let site = Site::start(options, 60.0, std::time::Duration::ZERO);
    let home = tempfile::tempdir().expect("a folder");
    let run = |args: &[&str]| {
        let output = site.bpctl(home.path(), args).output().expect("bpctl starts");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), stderr)
    };
    // Without a terminal and without `--yes` the first step is declined, and that ends the run.
    let (status, said) = run(&["day1", "--run"]);
    assert_eq!(status, Some(3), "{said}");
    assert_eq!(site.writes(), [], "{said}");

    let (status, said) = run(&["day1", "--run", "--yes"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("app-key: written as version"), "{said}");
    assert!(said.contains("step `workers staging/gpu-default`"), "{said}");
    let (key, tasks) = (site.changes("PutSecretValue"), site.changes("RunTask"));
    assert_eq!((key, tasks), (1, 1), "{said}");

    let (status, said) = run(&["day1", "--run", "--yes"]);
    assert_eq!(status, Some(1), "{said}");
    assert_eq!(site.changes("RunTask"), 1, "{said}");
}
