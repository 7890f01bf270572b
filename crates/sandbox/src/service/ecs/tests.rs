//! One-off tasks as their callers see them.

use serde_json::json;

use crate::options::Layout;
use crate::scenario::Scenario;
use crate::service::Service;
use crate::service::operator::{Operator, instant, text};

const PHP: &str = "php/php-fpm";

#[test]
fn a_task_goes_through_its_states_in_order_with_its_timestamps() {
    let mut operator = Operator::under(&[]);
    let arn = operator.run(&["sleep 20 && exit 7"]);
    let mut states: Vec<String> = Vec::new();
    operator.wait(1);
    operator.wait_until(200, |operator| {
        let state = text(&operator.task(&arn)["lastStatus"]);
        if states.last() != Some(&state) {
            states.push(state);
        }
        states.last().is_some_and(|state| state == "STOPPED")
    });
    let order = [
        "PROVISIONING",
        "PENDING",
        "ACTIVATING",
        "RUNNING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ];
    assert_eq!(states, order);
    let task = operator.task(&arn);
    let times: Vec<_> = [
        "createdAt",
        "connectivityAt",
        "pullStartedAt",
        "pullStoppedAt",
        "startedAt",
        "stoppingAt",
        "executionStoppedAt",
        "stoppedAt",
    ]
    .iter()
    .map(|name| instant(&task[name]).unwrap_or_else(|| panic!("no {name}")))
    .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(task["stopCode"], "EssentialContainerExited");
    assert_eq!(task["stoppedReason"], "Essential container in task exited");
    assert_eq!(task["attachments"][0]["status"], "DELETED");
    // The exit code that counts is php-fpm's; its neighbours were told to stop.
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(7));
    assert_eq!(Operator::exit_code(&task, "nginx"), Some(0));
    assert_eq!(Operator::exit_code(&task, "scheduler"), Some(143));
}

#[test]
fn a_shell_entry_point_swallows_all_but_the_first_word() {
    let mut operator = Operator::under(&[]);
    let arn = operator.run(&["php", "artisan", "tenancy:pools-migrate"]);
    let task = operator.finish(&arn);
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(0));
    assert!(operator.lines(&arn, PHP).is_empty(), "nothing was migrated");
    let arn = operator.run(&["php artisan tenancy:pools-migrate"]);
    operator.finish(&arn);
    let lines = operator.lines(&arn, PHP).join("\n");
    assert!(
        lines.contains("add_fleet_slug_to_ai_job_dispatches_table") && lines.contains("DONE"),
        "{lines}"
    );
}

#[test]
fn without_entry_point_the_words_are_the_command() {
    let mut operator = Operator::with(Layout::Staged, &[]);
    let arn = operator.run(&["php", "artisan", "tenancy:pools-migrate", "--force"]);
    let task = operator.finish(&arn);
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(0));
    assert!(
        operator
            .lines(&arn, PHP)
            .join("\n")
            .contains("Running migrations.")
    );
    let arn = operator.run(&["php artisan migrate --force"]);
    let task = operator.finish(&arn);
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(127));
}

#[test]
fn a_database_remembers_its_migrations_until_it_is_dropped() {
    let mut operator = Operator::under(&[]);
    for (command, expected, count) in [
        (
            "php artisan tenancy:pools-migrate --central",
            "Running migrations.",
            1,
        ),
        ("php artisan migrate --force", "Nothing to migrate.", 1),
        ("php artisan tenancy:pools-migrate", "Nothing to migrate.", 1),
        ("php artisan tenancy:pools-migrate", "Nothing to migrate.", 3),
        (
            "php artisan tenancy:pools-migrate --tenant --pools=tenant_pool_2 --fresh",
            "Dropping all tables",
            1,
        ),
    ] {
        let arn = operator.run(&[command]);
        operator.finish(&arn);
        let lines = operator.lines(&arn, PHP);
        let found = lines.iter().filter(|line| line.contains(expected)).count();
        assert_eq!(found, count, "{command}: {lines:#?}");
    }
}

#[test]
fn the_last_lines_of_a_short_task_arrive_at_last() {
    let mut operator = Operator::under(&[]);
    let arn = operator.run(&["php artisan tenancy:pools-migrate"]);
    operator.wait_until(200, |operator| operator.task(&arn)["lastStatus"] == "STOPPED");
    let last = |operator: &mut Operator| operator.lines(&arn, PHP).pop().unwrap_or_default();
    operator.wait(25);
    assert!(last(&mut operator).contains("All requested databases are migrated"));
}

#[test]
fn lines_arrive_while_a_long_task_runs() {
    let mut operator = Operator::under(&[Scenario::MigrationSlow]);
    let arn = operator.run(&["php artisan tenancy:pools-migrate"]);
    operator.wait(150);
    assert_eq!(operator.task(&arn)["lastStatus"], "RUNNING");
    let early = operator.lines(&arn, PHP).len();
    operator.wait(120);
    let late = operator.lines(&arn, PHP).len();
    assert!(0 < early && early < late, "{early} {late}");
}

#[test]
fn a_client_token_starts_one_task_only() {
    let mut operator = Operator::under(&[]);
    let mut input = operator.one_off(&["sleep 30"]);
    input["clientToken"] = json!("token-1");
    let first = operator.ecs("RunTask", input.clone());
    operator.wait(5);
    let again = operator.ecs("RunTask", input.clone());
    assert_eq!(first["tasks"][0]["taskArn"], again["tasks"][0]["taskArn"]);
    input["startedBy"] = json!("somebody");
    let error = operator.refused(Service::Ecs, "RunTask", &input);
    assert_eq!(error.code, "ConflictException");
    assert_eq!(error.members["resourceIds"][0], first["tasks"][0]["taskArn"]);
}

#[test]
fn a_task_is_missing_for_a_moment_and_again_an_hour_after_it_stopped() {
    let mut operator = Operator::under(&[]);
    let arn = operator.run(&["true"]);
    let describe = json!({"cluster": "bp", "tasks": [arn]});
    let answer = operator.ecs("DescribeTasks", describe.clone());
    assert_eq!(answer["failures"][0], json!({"arn": arn, "reason": "MISSING"}));
    operator.wait(1);
    assert_eq!(operator.task(&arn)["lastStatus"], "PROVISIONING");
    operator.finish(&arn);
    operator.wait(3500);
    assert_eq!(operator.task(&arn)["lastStatus"], "STOPPED");
    operator.wait(120);
    let answer = operator.ecs("DescribeTasks", describe);
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
}

#[test]
fn listing_filters_by_what_was_asked() {
    let mut operator = Operator::under(&[]);
    let mut input = operator.one_off(&["sleep 600"]);
    input["startedBy"] = json!("bpctl/migrate/abc");
    let arn = operator.ecs("RunTask", input)["tasks"][0]["taskArn"].clone();
    operator.wait(2);
    let mut list = |input| {
        operator.ecs("ListTasks", input)["taskArns"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(list(json!({"cluster": "bp"})), Some(3));
    assert_eq!(
        list(json!({"cluster": "bp", "serviceName": "bp-backend"})),
        Some(1)
    );
    assert_eq!(list(json!({"cluster": "bp", "family": "bp-backend"})), Some(2));
    assert_eq!(
        list(json!({"cluster": "bp", "startedBy": "bpctl/migrate/abc"})),
        Some(1)
    );
    assert_eq!(
        list(json!({"cluster": "bp", "desiredStatus": "STOPPED"})),
        Some(0)
    );
    let error = operator.refused(
        Service::Ecs,
        "ListTasks",
        &json!({"cluster": "bp", "startedBy": "x", "family": "bp-backend"}),
    );
    assert_eq!(error.message, "cannot specify startedBy with other arguments");
    operator.ecs(
        "StopTask",
        json!({"cluster": "bp", "task": arn, "reason": "enough"}),
    );
    let stopped = json!({"cluster": "bp", "startedBy": "bpctl/migrate/abc", "desiredStatus": "STOPPED"});
    assert_eq!(operator.ecs("ListTasks", stopped)["taskArns"], json!([arn]));
}

#[test]
fn a_stopped_command_that_ignores_sigterm_is_killed() {
    let mut operator = Operator::under(&[]);
    let arn = operator.run(&["sleep 3600"]);
    operator.wait(60);
    operator.ecs(
        "StopTask",
        json!({"cluster": "bp", "task": arn, "reason": "enough"}),
    );
    let task = operator.finish(&arn);
    assert_eq!(
        (&task["stopCode"], &task["stoppedReason"]),
        (&json!("UserInitiated"), &json!("enough"))
    );
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(137));
    assert_eq!(Operator::exit_code(&task, "queue-worker"), Some(0));
}

#[test]
fn run_task_refuses_what_ecs_refuses() {
    let mut operator = Operator::under(&[]);
    let good = operator.one_off(&["true"]);
    let mut expect = |change: &dyn Fn(&mut serde_json::Value), code: &str, words: &str| {
        let mut input = good.clone();
        change(&mut input);
        let error = operator.refused(Service::Ecs, "RunTask", &input);
        assert_eq!(error.code, code);
        assert!(error.message.contains(words), "{}", error.message);
    };
    expect(
        &|input| input["cluster"] = json!("other"),
        "ClusterNotFoundException",
        "Cluster not found.",
    );
    expect(
        &|input| input["taskDefinition"] = json!("other"),
        "ClientException",
        "TaskDefinition not found.",
    );
    expect(
        &|input| {
            input
                .as_object_mut()
                .map(|members| members.remove("networkConfiguration"));
        },
        "InvalidParameterException",
        "Network Configuration must be provided",
    );
    expect(
        &|input| input["overrides"]["containerOverrides"][0]["name"] = json!("php"),
        "InvalidParameterException",
        "Override for container named php is not a container",
    );
    expect(
        &|input| input["networkConfiguration"]["awsvpcConfiguration"]["subnets"] = json!(["subnet-1"]),
        "InvalidParameterException",
        "The subnet ID 'subnet-1' does not exist",
    );
    expect(
        &|input| input["count"] = json!(11),
        "InvalidParameterException",
        "Count",
    );
}

#[test]
fn a_spot_task_without_capacity_is_a_failure_not_an_error() {
    let mut operator = Operator::under(&[Scenario::CapacityUnavailable]);
    let mut input = operator.one_off(&["true"]);
    input.as_object_mut().map(|members| members.remove("launchType"));
    input["capacityProviderStrategy"] = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]);
    let answer = operator.ecs("RunTask", input);
    assert_eq!(answer["tasks"], json!([]));
    assert!(text(&answer["failures"][0]["reason"]).starts_with("Capacity is unavailable at this time."));
}

#[test]
fn a_silent_command_leaves_an_empty_stream() {
    let mut operator = Operator::under(&[]);
    let arn = operator.run(&["php", "artisan", "migrate", "--force"]);
    operator.wait(22);
    let id = arn.rsplit('/').next().unwrap_or_default();
    let input = json!({"logGroupName": "/ecs/bp-backend", "logStreamName": format!("{PHP}/{id}")});
    let early = operator.refused(Service::Logs, "GetLogEvents", &input);
    assert_eq!(early.code, "ResourceNotFoundException");
    operator.finish(&arn);
    let answer = operator.call(Service::Logs, "GetLogEvents", &input);
    assert_eq!(answer["events"], json!([]));
}

#[test]
fn seeding_runs_the_named_class_or_all() {
    let mut operator = Operator::under(&[]);
    for (command, status, expected) in [
        ("php artisan db:seed --force", 0, "Database\\Seeders\\PlansSeeder"),
        (
            "php artisan db:seed --force '--class=Database\\Seeders\\EffectsSeeder'",
            0,
            "EffectsSeeder .....",
        ),
        (
            "php artisan db:seed --force --class=Nonsense",
            1,
            "Target class [Database\\Seeders\\Nonsense] does not exist.",
        ),
        ("php artisan db:seed", 1, "Command cancelled."),
    ] {
        let arn = operator.run(&[command]);
        let task = operator.finish(&arn);
        assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(status), "{command}");
        let lines = operator.lines(&arn, PHP).join("\n");
        assert!(lines.contains(expected), "{command}: {lines}");
    }
}

#[test]
fn a_public_subnet_without_public_address_leads_nowhere() {
    let mut operator = Operator::under(&[]);
    let mut input = operator.one_off(&["true"]);
    let subnet = operator.world.services.facts.public_subnets[0].clone();
    input["networkConfiguration"]["awsvpcConfiguration"]["subnets"] = json!([subnet]);
    let arn = text(&operator.ecs("RunTask", input.clone())["tasks"][0]["taskArn"]);
    let task = operator.finish(&arn);
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    assert!(text(&task["stoppedReason"]).contains("Please check your task network configuration"));
    input["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] = json!("ENABLED");
    let arn = text(&operator.ecs("RunTask", input)["tasks"][0]["taskArn"]);
    let task = operator.finish(&arn);
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(0));
}
