//! `bpctl migrate` when something goes wrong: in the task, on the way to AWS, or at the keyboard.

use std::time::Duration;

use bpctl::Clock;
use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::migrate::{lines_of, position, shown, tasks_started};
use crate::support::{Account, Run};

#[tokio::test(start_paused = true)]
async fn a_failed_migration_ends_with_its_own_exit_code() {
    let account = Account::with(&[Scenario::MigrationFails]);
    let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
    let document = run.json();
    assert_eq!(
        (&document["verdict"], &document["exit_code"]),
        (&Value::from("failed"), &Value::from(3))
    );
    let shown = shown(&run);
    assert_eq!(shown, lines_of(&account, &run), "{}", run.text());
    assert!(
        shown
            .iter()
            .any(|line| line.contains("SQLSTATE[42S22]: Column not found: 1054 Unknown column 'priority'")),
        "{}",
        run.text()
    );
    // Under `-o json` the error is a document too.
    let error = position(&run, "\"message\":\"failed to migrate: php-fpm exited with 3\"");
    assert!(position(&run, "SQLSTATE[42S22]") < error, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn the_failed_migration_of_before_can_be_looked_at_afterwards() {
    let account = Account::with(&[Scenario::MigrationFails]);
    let input = serde_json::json!({"cluster": "bp", "family": "bp-backend", "desiredStatus": "STOPPED"});
    let listed = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "ListTasks", &input))
        .expect("a list");
    let task = listed["taskArns"][0]
        .as_str()
        .expect("the failed task")
        .to_owned();
    let before = account.sandbox.now();
    let run = account.run(&["migrate", "--attach", &task, "-o", "json"]).await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
    assert_eq!(shown(&run), lines_of(&account, &run));
    assert!(run.changes.is_empty());
    // It ended long ago: nothing to wait for.
    assert!(account.sandbox.now().0 - before.0 < 62_000, "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_is_explained() {
    let account = Account::with(&[Scenario::PullError]);
    let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert_eq!(run.json()["verdict"], "never-started");
    assert_eq!(run.json()["exit_code"], Value::Null);
    for part in [
        "the task never started: the image is not in the registry",
        "CannotPullContainerError",
        "aws ecr describe-images --repository-name bp-backend --image-ids imageTag=php-",
    ] {
        position(&run, part);
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_a_value_is_explained() {
    let account = Account::with(&[Scenario::SecretMissing]);
    let run = account.run(&["migrate", "--yes"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    for part in [
        "the task never started: a secret has no value",
        "ResourceInitializationError",
        "aws secretsmanager list-secret-version-ids --secret-id arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/laravel/app-key",
    ] {
        position(&run, part);
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_refuses_shows_laravels_words() {
    let account = Account::with(&[Scenario::RdsRefused]);
    let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert_eq!(run.json()["verdict"], "failed");
    position(&run, "SQLSTATE[HY000] [2002] Connection refused");
}

#[tokio::test(start_paused = true)]
async fn without_the_snapshot_nothing_is_migrated() {
    let account = Account::with(&[]);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::on(Service::Rds, "CreateDBSnapshot", Fault::Deny)));
    let run = account.run(&["migrate", "--snapshot", "--yes"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(run.changes.is_empty());
    assert_eq!(tasks_started(&account), 0);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_survived() {
    let account = Account::with(&[Scenario::Throttled]);
    let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(shown(&run), lines_of(&account, &run));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_starts_one_task() {
    let account = Account::with(&[]);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::on(Service::Ecs, "RunTask", Fault::LoseAnswer).times(1)));
    let run = account.run(&["migrate", "--yes"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, ["Ecs:RunTask", "Ecs:RunTask"]);
    assert_eq!(tasks_started(&account), 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_answer_never_came_is_found_by_its_mark() {
    let account = Account::with(&[]);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::on(Service::Ecs, "RunTask", Fault::LoseAnswer)));
    let run = account.run(&["migrate", "--yes"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    position(&run, "looking whether the task was started");
    assert_eq!(tasks_started(&account), 1);
}

#[tokio::test(start_paused = true)]
async fn no_connection_at_all_starts_nothing_and_says_so() {
    let account = Account::with(&[]);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::on(Service::Ecs, "RunTask", Fault::Disconnect)));
    let run = account.run(&["migrate", "--yes"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    position(&run, "no task started by bpctl/migrate/");
    assert_eq!((run.stdout.as_str(), tasks_started(&account)), ("", 0));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_may_not_be_read_does_not_change_the_verdict() {
    let account = Account::with(&[Scenario::MigrationFails]);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::on(Service::Logs, "GetLogEvents", Fault::Deny)));
    let run = account.run(&["migrate", "--yes"]).await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
    position(&run, "the log cannot be shown");
    assert_eq!(run.stderr.matches("the log cannot be shown").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_denied_start_names_the_permission() {
    let account = Account::with(&[]);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::on(Service::Ecs, "RunTask", Fault::Deny)));
    let run = account.run(&["migrate", "--yes"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    position(&run, "allow `ecs:RunTask`");
}

/// Runs a command line that is interrupted (Ctrl-C) after some seconds.
async fn interrupted(account: &Account, args: &[&str], after: u64) -> Run {
    let cancel = CancellationToken::new();
    let given = cancel.clone();
    let clock = Clock::starting_at(jiff::Timestamp::UNIX_EPOCH, 1.0);
    let (run, ()) = tokio::join!(
        account.run_with(args, move |process| process.cancel = given),
        async {
            clock.sleep(std::time::Duration::from_secs(after)).await;
            cancel.cancel();
        }
    );
    run
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_lets_go_of_the_task() {
    let account = Account::with(&[]);
    let run = interrupted(&account, &["migrate", "--yes", "-o", "json"], 15).await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert_eq!(run.changes, ["Ecs:RunTask"]);
    assert_eq!(run.json()["verdict"], "running");
    let arn = run.json()["task_arn"].as_str().expect("an ARN").to_owned();
    let id = arn.rsplit('/').next().expect("an id");
    position(
        &run,
        &format!("follow it again with `bpctl migrate --attach {id}`"),
    );
    let attached = account.run(&["migrate", "--attach", &arn]).await;
    assert_eq!(attached.status.code(), 0, "{}", attached.text());
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_can_stop_the_task() {
    let account = Account::with(&[]);
    let run = interrupted(
        &account,
        &["migrate", "--yes", "--stop-on-interrupt", "-o", "json"],
        15,
    )
    .await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert_eq!(run.changes, ["Ecs:RunTask", "Ecs:StopTask"]);
    let document = run.json();
    assert_eq!(
        (&document["state"], &document["verdict"]),
        (&Value::from("STOPPED"), &Value::from("stopped"))
    );
    assert_eq!(document["stop_code"], "UserInitiated");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_during_the_snapshot_migrates_nothing() {
    let account = Account::with(&[]);
    let run = interrupted(&account, &["migrate", "--snapshot", "--yes"], 60).await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert_eq!(run.changes, ["Rds:CreateDBSnapshot"]);
    position(&run, "nothing was migrated");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_before_the_start_starts_nothing() {
    let account = Account::with(&[]);
    let run = account
        .run_with(&["migrate", "--yes"], |process| process.cancel.cancel())
        .await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert!(run.changes.is_empty());
    assert_eq!(run.stdout, "");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_on_the_way_leave_a_way_back() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::Ecs, "DescribeTasks", Fault::Expire).after(8));
    });
    let run = account.run(&["migrate", "--yes"]).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    position(
        &run,
        "the task goes on in AWS: follow it again with `bpctl migrate --attach ",
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_in_trouble_does_not_keep_migrations_from_running() {
    for (scenario, warning) in [
        (Scenario::CapacityUnavailable, "service bp-backend is not healthy"),
        (Scenario::NoHealthyTargets, "service bp-backend is scaled to zero"),
        (Scenario::BreakerRollback, ""),
    ] {
        let account = Account::with(&[scenario]);
        if scenario == Scenario::CapacityUnavailable {
            // The first task of the backend is no Spot task; the others have no capacity.
            account.sandbox.with_world(|world| {
                let more = json!({"cluster": "bp", "service": "bp-backend", "desiredCount": 4});
                world
                    .call(Service::Ecs, "UpdateService", &more)
                    .expect("the service grows");
            });
            account.sandbox.advance(Duration::from_secs(60));
        }
        let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
        assert_eq!(run.status.code(), 0, "{scenario}\n{}", run.text());
        position(&run, warning);
        // After a rollback that is the release that runs, not the newest one.
        let definition = run.json()["task_definition"].as_str().expect("an ARN").to_owned();
        assert!(definition.ends_with(":42"), "{scenario}: {definition}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wrong_place_is_recognised() {
    let account = Account::with(&[]);
    let run = account
        .run(&["migrate", "--yes", "--layout", "staged", "--stage", "staging"])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    position(&run, "bp-staging");
    position(&run, "`bpctl --layout staged --stage staging whoami` shows them");
    let run = account
        .run(&["migrate", "--yes", "--account-id", "999988887777"])
        .await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(run.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_command_is_printed_for_a_snapshot_that_cannot_be_taken() {
    let account = Account::with(&[]);
    account
        .sandbox
        .with_world(|world| world.inject(FaultRule::on(Service::Rds, "DescribeDBInstances", Fault::Deny)));
    let run = account.run(&["migrate", "--snapshot", "--print-aws"]).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (4, ""),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_stopped_migration_shows_its_lines_to_the_end() {
    let account = Account::with(&[Scenario::MigrationSlow]);
    // An operator stops the migration that is under way, so that another one may start.
    let refused = account.run(&["migrate", "--yes"]).await;
    let (_, rest) = refused.stderr.split_once("--attach ").expect("a hint");
    let other = rest.split('`').next().expect("a task").to_owned();
    let stop = serde_json::json!({"cluster": "bp", "task": other});
    account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "StopTask", &stop))
        .expect("a task");
    let stopping = account.run(&["migrate", "--yes"]).await;
    // It is not over before it is stopped.
    assert_eq!(stopping.status.code(), 1, "{}", stopping.text());
    position(&stopping, "a migration is under way already");
    account.sandbox.advance(std::time::Duration::from_secs(120));
    let args = [
        "migrate",
        "--tenant",
        "--yes",
        "--stop-on-interrupt",
        "-o",
        "json",
    ];
    let run = interrupted(&account, &args, 150).await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    let document = run.json();
    assert_eq!(document["verdict"], "stopped", "{}", run.text());
    assert_eq!(document["exit_code"], 137, "{}", run.text());
    let shown = shown(&run);
    assert!(shown.len() > 3, "{}", run.text());
    assert_eq!(shown, lines_of(&account, &run));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_task_still_gets_its_last_lines() {
    let account = Account::with(&[Scenario::MigrationSlow]);
    let slow = account.run(&["migrate", "--yes"]).await;
    let (_, rest) = slow.stderr.split_once("--attach ").expect("a hint");
    let task = rest.split('`').next().expect("a task").to_owned();
    let ended = account
        .run(&["migrate", "--attach", &task, "--timeout", "3h"])
        .await;
    assert_eq!(ended.status.code(), 0, "{}", ended.text());
    let run = interrupted(
        &account,
        &["migrate", "--yes", "--stop-on-interrupt", "-o", "json"],
        60,
    )
    .await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert_eq!(shown(&run), lines_of(&account, &run), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_query_that_does_not_fit_hides_neither_success_nor_failure() {
    let account = Account::with(&[]);
    let run = account
        .run(&["migrate", "--yes", "--query", "abs(verdict)"])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    position(&run, "what was asked for is done");
    let account = Account::with(&[Scenario::MigrationFails]);
    let run = account
        .run(&["migrate", "--yes", "--query", "abs(verdict)"])
        .await;
    assert_eq!(run.status.code(), 3, "{}", run.text());
    position(&run, "php-fpm exited with 3");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_ecs_itself_neither_loses_nor_doubles_the_task() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        world.inject(
            FaultRule::on(Service::Ecs, "DescribeTasks", Fault::Fail)
                .after(2)
                .times(8),
        );
        world.inject(FaultRule::on(Service::Ecs, "RunTask", Fault::Fail));
    });
    let run = account.run(&["migrate", "--yes"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    position(&run, "looking whether the task was started");
    position(&run, "HTTP status 500");
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        world.inject(
            FaultRule::on(Service::Ecs, "DescribeTasks", Fault::Fail)
                .after(2)
                .times(8),
        )
    });
    let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(shown(&run), lines_of(&account, &run));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_while_looking_asks_nothing_and_changes_nothing() {
    let account = Account::with(&[]);
    account.sandbox.with_world(|world| {
        let slow = Fault::Delay(std::time::Duration::from_secs(15));
        world.inject(FaultRule::on(Service::Ecs, "DescribeServices", slow));
    });
    let run = interrupted(&account, &["migrate", "--yes"], 5).await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    position(&run, "nothing was changed");
    assert!(run.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn any_name_of_a_context_will_do() {
    let account = Account::with(&[]);
    let file = "[contexts.\"eu/prod ../x\"]\naccount_id = \"123456789012\"\nregion = \"us-east-1\"\n";
    std::fs::write(account.home().join("bpctl.toml"), file).expect("a file");
    let run = account
        .run(&[
            "--context",
            "eu/prod ../x",
            "migrate",
            "--yes",
            "--timeout",
            "20s",
        ])
        .await;
    assert_eq!(run.status.code(), 6, "{}", run.text());
    position(&run, "`bpctl --context 'eu/prod ../x' migrate --attach ");
    let refused = account.run(&["--context", "eu/prod ../x", "migrate"]).await;
    // Hints lead to the same place.
    position(&refused, "`bpctl --context 'eu/prod ../x' migrate --attach ");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_killed_run_can_be_looked_at() {
    let account = Account::with(&[]);
    let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
    let arn = run.json()["task_arn"].as_str().expect("an ARN").to_owned();
    let folder = account.home().join(".local/state/bpctl/journal");
    let path = std::fs::read_dir(folder)
        .expect("a journal")
        .next()
        .expect("a file")
        .expect("readable")
        .path();
    let text = std::fs::read_to_string(&path).expect("text");
    let cut = text.rfind("{\"at\"").or(text.rfind("{\"")).expect("a last line");
    std::fs::write(&path, &text[..text[..cut].len()]).expect("written");
    let again = account.run(&["migrate", "--yes"]).await;
    position(&again, "was not followed to its end on this machine");
    position(
        &again,
        &format!("see how it ended with `bpctl migrate --attach {arn}`"),
    );
}
