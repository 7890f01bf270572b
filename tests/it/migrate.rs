//! `bpctl migrate` from the plan to the result: commands, networks, gates, following and attaching.

use bpctl_sandbox::{Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

/// Every line that php-fpm of a task wrote, from the account itself.
pub(crate) fn lines_of(account: &Account, run: &Run) -> Vec<String> {
    let document = run.json();
    let group = document["log_group"].as_str().expect("a log group");
    let stream = document["log_stream"].as_str().expect("a log stream");
    // Whatever is still on its way arrives within a minute.
    account.sandbox.advance(std::time::Duration::from_secs(60));
    let input = json!({
        "logGroupName": group, "logStreamName": stream, "startFromHead": true, "limit": 10_000,
    });
    let answer = account
        .sandbox
        .with_world(|world| world.call(Service::Logs, "GetLogEvents", &input))
        .expect("the stream exists");
    answer["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| event["message"].as_str().map(str::to_owned))
        .collect()
}

/// The lines of php-fpm that bpctl showed.
pub(crate) fn shown(run: &Run) -> Vec<String> {
    run.stderr
        .lines()
        .filter_map(|line| line.strip_prefix("php-fpm | ").or(line.strip_prefix("php-fpm |")))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn position(run: &Run, text: &str) -> usize {
    run.stderr
        .find(text)
        .unwrap_or_else(|| panic!("`{text}` is not on stderr\n{}", run.text()))
}

/// Tasks that RunTask of bpctl has started since the operator arrived.
pub(crate) fn tasks_started(account: &Account) -> usize {
    let input = json!({"cluster": "bp", "family": "bp-backend"});
    account.sandbox.with_world(|world| {
        ["RUNNING", "STOPPED"]
            .iter()
            .map(|status| {
                let mut input = input.clone();
                input["desiredStatus"] = Value::from(*status);
                let listed = world.call(Service::Ecs, "ListTasks", &input).expect("a list");
                let arns = listed["taskArns"].clone();
                if arns.as_array().is_none_or(Vec::is_empty) {
                    return 0;
                }
                let input = json!({"cluster": "bp", "tasks": arns});
                let described = world.call(Service::Ecs, "DescribeTasks", &input).expect("tasks");
                described["tasks"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|task| {
                        task["startedBy"]
                            .as_str()
                            .is_some_and(|by| by.starts_with("bpctl/"))
                    })
                    .count()
            })
            .sum()
    })
}

#[tokio::test(start_paused = true)]
async fn everything_is_migrated_and_every_line_is_shown_once() {
    let account = Account::with(&[]);
    let run = account.run(&["migrate", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.migrate/1");
    assert_eq!(document["verdict"], "succeeded");
    assert_eq!(document["exit_code"], 0);
    assert_eq!(document["state"], "STOPPED");
    assert_eq!(document["stop_code"], "EssentialContainerExited");
    // The entry point is `/bin/sh -lc`: one string.
    assert_eq!(document["command"], json!(["php artisan tenancy:pools-migrate"]));
    assert!(
        document["duration_seconds"]
            .as_i64()
            .is_some_and(|seconds| seconds > 0)
    );
    assert_eq!(run.changes, ["Ecs:RunTask"]);
    let shown = shown(&run);
    assert_eq!(shown, lines_of(&account, &run), "{}", run.text());
    for database in ["central database [bp]", "[tenant_pool_1]", "[tenant_pool_2]"] {
        assert!(shown.iter().any(|line| line.contains(database)), "{shown:?}");
    }
    let provisioning = position(&run, "task is PROVISIONING");
    let running = position(&run, "task is RUNNING");
    assert!(provisioning < running && running < position(&run, "task is STOPPED"));
    assert!(run.calls < 120, "{} calls", run.calls);

    let again = account.run(&["migrate", "--yes"]).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    assert!(again.stderr.contains("Nothing to migrate."), "{}", again.text());
}

#[tokio::test(start_paused = true)]
async fn the_staged_layout_gets_words_and_force() {
    let account = Account::staged(&[]);
    let run = account.run(&["migrate", "--tenant", "--yes", "-o", "json"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        run.json()["command"],
        json!(["php", "artisan", "tenancy:pools-migrate", "--force", "--tenant"])
    );
    let central = account
        .run(&["migrate", "--central", "--yes", "-o", "json"])
        .await;
    assert_eq!(central.status.code(), 0, "{}", central.text());
    assert_eq!(
        central.json()["command"],
        json!(["php", "artisan", "migrate", "--force"])
    );
    assert!(
        central.stderr.contains("Running migrations."),
        "{}",
        central.text()
    );
}

/// What bpctl is careful about really matters: the words one by one run nothing behind a shell.
#[tokio::test(start_paused = true)]
async fn a_command_sent_through_a_shell_runs_into_the_entry_points_trap() {
    let account = Account::with(&[]);
    let plan = account.run(&["migrate", "--dry-run", "-o", "json"]).await.json();
    let parameters = &plan["steps"][0]["calls"][0]["parameters"];
    let input = json!({
        "cluster": "bp", "taskDefinition": "bp-backend", "launchType": "FARGATE",
        "networkConfiguration": parameters["networkConfiguration"],
        "overrides": {"containerOverrides": [{
            "name": "php-fpm", "command": ["php", "artisan", "tenancy:pools-migrate"],
        }]},
    });
    let started = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "RunTask", &input))
        .expect("a task");
    let task = started["tasks"][0]["taskArn"]
        .as_str()
        .expect("an ARN")
        .to_owned();
    let run = account.run(&["migrate", "--attach", &task, "-o", "json"]).await;
    // It even looks like success, but nothing was migrated.
    assert_eq!(run.json()["exit_code"], 0, "{}", run.text());
    assert_eq!(shown(&run), [""; 0]);
    let real = account.run(&["migrate", "--yes"]).await;
    assert!(real.stderr.contains("Running migrations."), "{}", real.text());
}

#[tokio::test(start_paused = true)]
async fn a_second_migration_is_refused_and_the_first_can_be_followed() {
    let account = Account::with(&[Scenario::MigrationSlow]);
    let refused = account.run(&["migrate", "--yes"]).await;
    assert_eq!(refused.status.code(), 1, "{}", refused.text());
    assert_eq!(refused.stdout, "");
    assert!(refused.changes.is_empty());
    position(&refused, "a migration is under way already: task ");
    let (_, rest) = refused
        .stderr
        .split_once("`bpctl migrate --attach ")
        .expect("a hint");
    let task = rest.split('`').next().expect("a task").to_owned();
    let followed = account
        .run(&["migrate", "--attach", &task, "--timeout", "2h", "-o", "json"])
        .await;
    assert_eq!(followed.status.code(), 0, "{}", followed.text());
    assert_eq!(followed.json()["verdict"], "succeeded");
    assert!(followed.changes.is_empty());
    let shown = shown(&followed);
    assert_eq!(shown, lines_of(&account, &followed));
    assert!(shown.len() > 50, "{}", shown.len());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_leaves_the_task_alone_and_says_how_to_go_on() {
    let account = Account::with(&[]);
    let run = account
        .run(&["migrate", "--yes", "--timeout", "20s", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 6, "{}", run.text());
    assert_eq!(run.json()["verdict"], "running");
    assert_eq!(run.changes, ["Ecs:RunTask"]);
    let id = run.json()["task_arn"]
        .as_str()
        .and_then(|arn| arn.rsplit('/').next())
        .expect("an id")
        .to_owned();
    position(
        &run,
        &format!("follow it again with `bpctl migrate --attach {id}`"),
    );
    let again = account.run(&["migrate", "--attach", &id]).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
}

#[tokio::test(start_paused = true)]
async fn detach_starts_and_attach_finishes() {
    let account = Account::with(&[]);
    let begin = account.sandbox.now();
    let run = account.run(&["migrate", "--yes", "--detach", "-o", "name"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(account.sandbox.now().0 - begin.0 < 10_000, "{}", run.text());
    let id = run.stdout.trim().to_owned();
    position(&run, &format!("`bpctl migrate --attach {id}`"));
    let followed = account.run(&["migrate", "--attach", &id, "-o", "json"]).await;
    assert_eq!(followed.status.code(), 0, "{}", followed.text());
    assert_eq!(shown(&followed), lines_of(&account, &followed));
    assert!(followed.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_task_is_said_to_be_unknown() {
    let account = Account::with(&[]);
    let run = account
        .run(&["migrate", "--attach", "0123456789abcdef0123456789abcdef"])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    position(&run, "ECS does not know it");
    assert_eq!(run.stdout, "");
    let elsewhere = account
        .run(&[
            "migrate",
            "--attach",
            "arn:aws:ecs:us-east-1:123456789012:task/bp-staging/0123456789abcdef0123456789abcdef",
        ])
        .await;
    assert_eq!(
        (elsewhere.status.code(), elsewhere.calls),
        (2, 0),
        "{}",
        elsewhere.text()
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_pool_is_the_applications_business() {
    let account = Account::with(&[]);
    let run = account
        .run(&["migrate", "--pools", "tenant_pool_9", "--yes"])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    position(&run, "Unknown tenant pool [tenant_pool_9]");
    let run = account
        .run(&["migrate", "--pools", "tenant_pool_2", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        run.json()["command"],
        json!(["php artisan tenancy:pools-migrate --tenant '--pools=tenant_pool_2'"])
    );
    assert!(!run.stderr.contains("central database"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_comes_first() {
    let account = Account::with(&[]);
    let run = account
        .run(&["migrate", "--snapshot", "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, ["Rds:CreateDBSnapshot", "Ecs:RunTask"]);
    let snapshot = run.json()["snapshot"].as_str().expect("a snapshot").to_owned();
    assert!(
        snapshot.starts_with("bp-data-database") && snapshot.contains("-before-migrate-20260115-09"),
        "{snapshot}"
    );
    assert!(position(&run, &format!("snapshot {snapshot} is available")) < position(&run, "started task"));
    assert!(!run.stderr.contains("warning:"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn the_journal_holds_the_task() {
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
    let text = std::fs::read_to_string(path).expect("text");
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let names: Vec<&str> = events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    assert_eq!(names, ["plan", "begin", "note", "done", "end"]);
    assert_eq!(events[2]["value"], arn);
    assert_eq!(events[4]["status"], 0);
}

#[tokio::test(start_paused = true)]
async fn two_at_once_on_this_machine_start_one() {
    let account = Account::with(&[]);
    let args = ["migrate", "--yes"];
    let (one, other) = tokio::join!(account.run(&args), account.run(&args));
    let mut codes = [one.status.code(), other.status.code()];
    codes.sort_unstable();
    assert_eq!(codes, [0, 1], "{}\n{}", one.text(), other.text());
    let refused = if one.status.code() == 1 { &one } else { &other };
    position(refused, "another bpctl is at it");
    assert_eq!(tasks_started(&account), 1);
}

/// Answers yes, after a migration was started from another machine.
struct Slow(bpctl_sandbox::Sandbox, Value);

impl bpctl::Prompter for Slow {
    fn confirm(&mut self, _question: &str) -> std::io::Result<bool> {
        self.0
            .with_world(|world| world.call(Service::Ecs, "RunTask", &self.1).expect("a task"));
        // ECS needs a moment before it lists a new task.
        self.0.advance(std::time::Duration::from_secs(5));
        Ok(true)
    }

    fn input(&mut self, _question: &str) -> std::io::Result<String> {
        Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_begins_while_the_question_stands_is_noticed() {
    let account = Account::with(&[]);
    let input = {
        let input = json!({"cluster": "bp", "services": ["bp-backend"]});
        let service = account
            .sandbox
            .with_world(|world| world.call(Service::Ecs, "DescribeServices", &input))
            .expect("the service");
        json!({
            "cluster": "bp", "taskDefinition": "bp-backend", "launchType": "FARGATE",
            "networkConfiguration": service["services"][0]["networkConfiguration"],
            "overrides": {"containerOverrides": [{
                "name": "php-fpm", "command": ["php artisan tenancy:pools-migrate"],
            }]},
        })
    };
    let sandbox = account.sandbox.clone();
    let run = account
        .run_with(&["migrate"], move |process| {
            process.can_prompt = true;
            process.prompter = Box::new(Slow(sandbox, input));
        })
        .await;
    assert_eq!(run.status.code(), 5, "{}", run.text());
    position(&run, "has begun to migrate since the plan was made");
    assert!(run.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_way_back_names_the_place() {
    let account = Account::staged(&[]);
    let run = account
        .run(&["migrate", "--yes", "--detach", "--stage", "staging", "-o", "name"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    position(
        &run,
        &format!("`bpctl --stage staging migrate --attach {}`", run.stdout.trim()),
    );
}

/// More than a megabyte: GetLogEvents answers in several pages.
#[tokio::test(start_paused = true)]
async fn a_long_log_comes_in_pages_without_a_seam() {
    let account = Account::with(&[]);
    let service = json!({"cluster": "bp", "services": ["bp-backend"]});
    let service = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "DescribeServices", &service))
        .expect("the service");
    let script: Vec<String> = (0..300)
        .map(|n| format!("echo {n:04}-{}", "x".repeat(8_000)))
        .collect();
    let input = json!({
        "cluster": "bp", "taskDefinition": "bp-backend", "launchType": "FARGATE",
        "startedBy": "bpctl/migrate/0af",
        "networkConfiguration": service["services"][0]["networkConfiguration"],
        "overrides": {"containerOverrides": [{"name": "php-fpm", "command": [script.join("; ")]}]},
    });
    let started = account
        .sandbox
        .with_world(|world| world.call(Service::Ecs, "RunTask", &input))
        .expect("a task");
    let task = started["tasks"][0]["taskArn"]
        .as_str()
        .expect("an ARN")
        .to_owned();
    let run = account.run(&["migrate", "--attach", &task]).await;
    assert_eq!(run.status.code(), 0, "{}", run.stdout);
    let numbers: Vec<String> = shown(&run).iter().map(|line| line[..4].to_owned()).collect();
    let expected: Vec<String> = (0..300).map(|n| format!("{n:04}")).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test(start_paused = true)]
async fn quiet_says_the_plan_and_the_log_and_no_more() {
    let account = Account::with(&[]);
    let run = account.run(&["migrate", "--yes", "--quiet", "-o", "name"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(!run.stderr.contains("task is "), "{}", run.text());
    assert_eq!(run.stdout.trim().len(), 32);
    let remembered = account.home().join(".local/state/bpctl/completion");
    assert!(remembered.exists(), "pools are remembered for the shell");
}
