//! `bpctl run`, `seed` and `task`: commands in one-off tasks.

use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::{Value, json};

use crate::broken_network::Break;
use crate::campaigns::broken;
use crate::support::{Account, Run};

/// One-off tasks that bpctl has started, as DescribeTasks has them.
fn one_off_tasks(account: &Account) -> Vec<Value> {
    let mut found = Vec::new();
    for status in ["RUNNING", "STOPPED"] {
        account.sandbox.with_world(|world| {
            let input = json!({"cluster": "bp", "family": "bp-backend", "desiredStatus": status});
            let arns = world.call(Service::Ecs, "ListTasks", &input).expect("a list")["taskArns"].clone();
            if arns.as_array().is_some_and(|arns| !arns.is_empty()) {
                let input = json!({"cluster": "bp", "tasks": arns});
                let tasks = world.call(Service::Ecs, "DescribeTasks", &input).expect("tasks");
                found.extend(tasks["tasks"].as_array().expect("a list").clone());
            }
        });
    }
    found.retain(|task| {
        task["startedBy"]
            .as_str()
            .is_some_and(|by| by.starts_with("bpctl/"))
    });
    found
}

fn command(task: &Value) -> &Value {
    let overrides = task["overrides"]["containerOverrides"]
        .as_array()
        .expect("a list");
    let of_php = overrides.iter().find(|one| one["name"] == "php-fpm");
    &of_php.expect("php-fpm")["command"]
}

#[tokio::test(start_paused = true)]
async fn the_lines_of_the_command_are_the_result_and_its_status_is_bpctls() {
    let account = Account::with(&[]);
    let run = account.run(&["run", "--", "php", "artisan", "about"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.stdout.contains("Laravel Version ...."), "{}", run.text());
    assert!(
        run.stdout
            .lines()
            .all(|line| line.is_empty() || line.starts_with("  ")),
        "{}",
        run.text()
    );
    assert_eq!(run.changes, ["Ecs:RunTask"]);
    let run = account.run(&["run", "--", "sh", "-c", "echo one; exit 7"]).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (7, "one\n"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("run: php-fpm exited with 7"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_program_gets_a_document_and_the_lines_go_to_stderr() {
    let account = Account::with(&[]);
    let run = account
        .run(&["run", "-o", "json", "--", "php", "artisan", "about"])
        .await;
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.run/1");
    assert_eq!(
        (&document["exit_code"], &document["verdict"]),
        (&json!(0), &json!("succeeded"))
    );
    assert!(
        run.stderr.contains("php-fpm |   Laravel Version"),
        "{}",
        run.text()
    );
}

/// A shell with `-c` gets one string in which every word is quoted; without it the words arrive as they are.
#[tokio::test(start_paused = true)]
async fn words_reach_the_container_as_they_were_typed_in_both_layouts() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        let words = ["echo", "it's $HOME `id`; & \"x\"", "a\\b"];
        let run = account.run(&[&["run", "--"][..], &words[..]].concat()).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert_eq!(run.stdout, "it's $HOME `id`; & \"x\" a\\b\n", "{}", run.text());
    }
    let account = Account::with(&[]);
    account.run(&["run", "--", "echo", "a b"]).await;
    assert_eq!(command(&one_off_tasks(&account)[0]), &json!(["echo 'a b'"]));
}

#[tokio::test(start_paused = true)]
async fn a_command_is_started_and_followed_later_by_its_task() {
    let account = Account::with(&[]);
    let run = account
        .run(&[
            "run",
            "--detach",
            "-o",
            "name",
            "--",
            "sh",
            "-c",
            "sleep 90; echo done; exit 3",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let task = run.stdout.trim().to_owned();
    assert!(
        run.stderr.contains(&format!("bpctl run --attach {task}")),
        "{}",
        run.text()
    );
    let run = account.run(&["run", "--attach", &task]).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (3, "done\n"),
        "{}",
        run.text()
    );
    assert!(run.changes.is_empty());
    let run = account
        .run(&["run", "--attach", "0123456789abcdef0123456789abcdef"])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.stderr.contains("bpctl logs task 0123"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_timeout_leaves_the_task_running_and_says_how_to_go_on() {
    let account = Account::with(&[]);
    let run = account
        .run(&["run", "--timeout", "40s", "--", "sleep", "300"])
        .await;
    assert_eq!(run.status.code(), 6, "{}", run.text());
    assert!(
        run.stderr.contains("follow it again with `bpctl run --attach "),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_stops_the_task_only_when_that_was_asked_for() {
    for (stops, status) in [(false, "RUNNING"), (true, "STOPPED")] {
        let account = Account::with(&[]);
        let mut args = vec!["run"];
        if stops {
            args.push("--stop-on-interrupt");
        }
        args.extend(["--", "sleep", "3000"]);
        let (process, captured) = account.process(&args);
        let cancel = process.cancel.clone();
        let interrupt = async {
            #[expect(clippy::disallowed_methods, reason = "the operator's time, not bpctl's")]
            tokio::time::sleep(Duration::from_secs(120)).await;
            cancel.cancel();
        };
        let (exit, ()) = tokio::join!(bpctl::run_async(process), interrupt);
        assert_eq!(exit.code(), 130, "{}", captured.stderr());
        let task = &one_off_tasks(&account)[0];
        assert_eq!(task["lastStatus"], status, "{}", captured.stderr());
    }
}

/// The same request is recognised by its token: however an answer is lost, one task runs.
#[tokio::test(start_paused = true)]
async fn a_command_that_is_cut_off_at_any_request_runs_once_for_each_time_it_was_typed() {
    for what in [Break::KilledBefore, Break::KilledAfter, Break::KilledInFlight] {
        for at in 0..14 {
            let account = Account::with(&[]);
            let args = ["run", "--", "php", "artisan", "about"];
            let (network, run) = broken(&account, &args, at, what).await;
            if !network.was_hit() {
                assert!(run.is_some_and(|run| run.status.code() == 0));
                break;
            }
            let again = account.run(&args).await;
            assert_eq!(again.status.code(), 0, "{what:?} at {at}: {}", again.text());
            let tasks = one_off_tasks(&account).len();
            assert!((1..=2).contains(&tasks), "{what:?} at {at}: {tasks}");
        }
    }
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::Ecs, "RunTask", Fault::LoseAnswer).times(1));
    });
    let run = account.run(&["run", "--", "php", "artisan", "about"]).await;
    assert_eq!(
        (run.status.code(), one_off_tasks(&account).len()),
        (0, 1),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_run_is_refused_before_aws_is_asked() {
    let account = Account::with(&[]);
    for args in [
        &["run"][..],
        &["run", "--container", "php", "--", "x"],
        &["run", "--attach", "latest"],
        &["run", "--attach", "0123456789abcdef0123456789abcdef", "--", "x"],
        &["seed", "--class", "Plans;id"],
        &["seed", "--class", "$(id)"],
        &["task", "describe", "x"],
        &["task", "stop"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?}: {}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_the_call_and_sends_nothing() {
    let account = Account::with(&[]);
    for args in [
        &["run", "--dry-run", "--", "php", "artisan", "about"][..],
        &["run", "--print-aws", "--", "php", "artisan", "about"],
        &["seed", "--dry-run"],
    ] {
        let run = account.run(args).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert!(run.changes.is_empty());
        assert!(run.stdout.contains("php artisan"), "{}", run.text());
    }
}

fn refused(run: &Run, status: u8, said: &str) {
    assert_eq!(run.status.code(), status, "{}", run.text());
    assert!(run.stderr.contains(said), "{}", run.text());
    assert!(run.changes.is_empty(), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn seeding_asks_and_in_production_wants_the_accounts_number() {
    let account = Account::with(&[]);
    refused(&account.run(&["seed"]).await, 3, "give `--yes`");
    let run = account.run(&["seed", "--yes", "--class", "PlansSeeder"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.stdout.contains("PlansSeeder"), "{}", run.text());
    assert_eq!(
        command(&one_off_tasks(&account)[0]),
        &json!(["php artisan db:seed --force '--class=PlansSeeder'"])
    );
    let run = account.run(&["seed", "--yes", "--class", "Nonsense"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    // A protected context counts as production.
    let production = Account::with(&[]);
    let asked = production.run(&["--protected", "seed", "--yes"]).await;
    refused(&asked, 3, "--confirm 123456789012");
    let run = production
        .run(&["--protected", "seed", "--confirm", "123456789012"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    // A command is its own consent, but not there.
    let asked = production
        .run(&["--protected", "run", "--", "php", "artisan", "about"])
        .await;
    refused(&asked, 3, "--confirm sandbox");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_seeded_while_a_migration_is_under_way() {
    let account = Account::with(&[]);
    let started = account.run(&["migrate", "--yes", "--detach", "-o", "name"]).await;
    assert_eq!(started.status.code(), 0, "{}", started.text());
    refused(
        &account.run(&["seed", "--yes"]).await,
        1,
        "a migration is under way",
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_are_listed_described_and_stopped() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        let run = account.run(&["task", "list", "-o", "json"]).await;
        let document = run.json();
        let tasks = document["tasks"].as_array().expect("tasks");
        assert!(tasks.iter().any(|task| {
            task["service"]
                .as_str()
                .is_some_and(|name| name.ends_with("frontend"))
        }));
        // Two lists, one description, the account guard.
        assert!(run.calls <= 4, "{} calls", run.calls);
        let backend = account.run(&["task", "list", "backend", "-o", "name"]).await;
        let id = backend.stdout.lines().next().expect("a task").to_owned();
        let run = account.run(&["task", "describe", &id]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        for said in ["php/php-fpm/", "queue/queue-worker/", "RUNNING", "service "] {
            assert!(run.stdout.contains(said), "{said}: {}", run.text());
        }
        refused(&account.run(&["task", "stop", &id]).await, 3, "give `--yes`");
        let run = account
            .run(&["task", "stop", &id, "--yes", "--reason", "stuck"])
            .await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert_eq!(run.changes, ["Ecs:StopTask"]);
        assert!(run.stderr.contains("which starts another one"), "{}", run.text());
        let run = account.run(&["task", "describe", &id, "-o", "json"]).await;
        let document = run.json();
        assert_eq!(document["state"], "STOPPED");
        let reason = document["stopped_reason"].as_str().expect("a reason");
        assert!(
            reason.contains("bpctl task stop") && reason.contains("stuck"),
            "{reason}"
        );
        let listed = account.run(&["task", "list", "--stopped", "-o", "name"]).await;
        assert!(listed.stdout.contains(&id), "{}", listed.text());
        // What has stopped needs no stopping.
        let run = account.run(&["task", "stop", &id, "--yes"]).await;
        assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_a_migration_loses_its_work() {
    let account = Account::with(&[]);
    let started = account.run(&["migrate", "--yes", "--detach", "-o", "name"]).await;
    let id = started.stdout.trim().to_owned();
    refused(
        &account.run(&["task", "stop", &id, "--yes"]).await,
        3,
        "--confirm sandbox",
    );
    let run = account.run(&["task", "stop", &id, "--confirm", "sandbox"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_never_starts_says_why() {
    let account = Account::with(&[Scenario::SecretMissing]);
    let run = account.run(&["run", "--", "php", "artisan", "about"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.stderr.contains("never started"), "{}", run.text());
}
