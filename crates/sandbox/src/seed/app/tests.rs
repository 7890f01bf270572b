//! The application as an operator meets it: healthy, and in each of its incidents.

use serde_json::{Value, json};

use crate::options::Layout;
use crate::scenario::Scenario;
use crate::service::Service;
use crate::service::operator::{Operator, instant, strings, text};

const PHP: &str = "php/php-fpm";
const MIGRATE: &[&str] = &["php artisan tenancy:pools-migrate"];

fn seconds_ago(operator: &Operator, value: &Value) -> u64 {
    instant(value).map_or(u64::MAX, |at| operator.world.now.since(at).as_secs())
}

fn primary(service: &Value) -> &Value {
    &service["deployments"][0]
}

#[test]
fn a_healthy_platform_is_steady_in_both_layouts() {
    for (layout, cluster, backend, repository) in [
        (Layout::Single, "bp", "bp-backend", "bp-backend"),
        (
            Layout::Staged,
            "bp-staging",
            "bp-staging-backend",
            "bp-backend-staging",
        ),
    ] {
        let mut operator = Operator::with(layout, &[]);
        assert_eq!(operator.cluster(), cluster);
        let service = operator.service(backend);
        assert_eq!(
            (&service["runningCount"], &service["pendingCount"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
        assert_eq!(primary(&service)["rolloutState"], "COMPLETED");
        assert_eq!(primary(&service)["failedTasks"], 0);
        let events = operator.events(backend);
        assert_eq!(
            events,
            [format!("(service {backend}) has reached a steady state.")]
        );
        assert!(operator.stopped_tasks().is_empty());
        assert_eq!(service["deploymentConfiguration"]["minimumHealthyPercent"], 50);
        assert_eq!(operator.targets(backend), [json!({"State": "healthy"})]);
        let images = json!({
            "repositoryName": repository,
            "imageIds": [{"imageTag": "nginx-latest"}, {"imageTag": "php-latest"}],
        });
        let images = operator.call(Service::Ecr, "DescribeImages", &images);
        assert_eq!(images["imageDetails"].as_array().map(Vec::len), Some(2));
        let databases = operator.call(Service::Rds, "DescribeDBInstances", &json!({}));
        assert_eq!(databases["DBInstances"][0]["DBInstanceStatus"], "available");
    }
}

#[test]
fn the_php_containers_have_a_shell_as_entry_point_in_the_single_layout_only() {
    for (layout, entry_point) in [
        (Layout::Single, json!(["/bin/sh", "-lc"])),
        (Layout::Staged, Value::Null),
    ] {
        let mut operator = Operator::with(layout, &[]);
        let family = operator.world.services.ecs.services[0].name.clone();
        let answer = operator.ecs("DescribeTaskDefinition", json!({"taskDefinition": family}));
        let containers = answer["taskDefinition"]["containerDefinitions"].clone();
        let names = strings(&containers, "name");
        assert_eq!(names, ["nginx", "php-fpm", "scheduler", "queue-worker"]);
        assert_eq!(containers[1]["entryPoint"], entry_point);
        assert_eq!(containers[0]["entryPoint"], Value::Null);
        // The PHP containers share their variables and secrets; nginx needs none.
        let (variables, secrets) = match layout {
            Layout::Single => (28, 22),
            Layout::Staged => (25, 12),
        };
        for container in &containers.as_array().unwrap()[1..] {
            let count = |member: &str| container[member].as_array().map(Vec::len);
            assert_eq!(
                (count("environment"), count("secrets")),
                (Some(variables), Some(secrets))
            );
        }
        assert_eq!(containers[0]["secrets"], Value::Null);
    }
}

#[test]
fn migration_fails_left_a_failed_task_and_fails_again() {
    let mut operator = Operator::under(&[Scenario::MigrationFails]);
    let stopped = operator.stopped_tasks();
    assert_eq!(stopped.len(), 1);
    let old = &stopped[0];
    assert!(text(&old["startedBy"]).starts_with("bpctl/migrate/"));
    assert_eq!(Operator::exit_code(old, "php-fpm"), Some(3));
    assert!((540..700).contains(&seconds_ago(&operator, &old["stoppedAt"])));
    let lines = operator.lines(&text(&old["taskArn"]), PHP).join("\n");
    assert!(
        lines.contains("SQLSTATE[42S22]: Column not found: 1054 Unknown column 'priority'"),
        "{lines}"
    );
    for command in [
        "php artisan tenancy:pools-migrate",
        "php artisan tenancy:pools-migrate --tenant",
        "php artisan migrate --force",
    ] {
        let arn = operator.run(&[command]);
        let task = operator.finish(&arn);
        assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(3), "{command}");
    }
}

#[test]
fn migration_slow_has_one_running_and_new_ones_take_forty_minutes() {
    let mut operator = Operator::under(&[Scenario::MigrationSlow]);
    let listed = operator.ecs("ListTasks", json!({"cluster": "bp", "family": "bp-backend"}));
    let arns: Vec<String> = listed["taskArns"]
        .as_array()
        .map(|arns| arns.iter().map(text).collect())
        .unwrap_or_default();
    let running = arns
        .iter()
        .map(|arn| operator.task(arn))
        .find(|task| text(&task["startedBy"]).starts_with("bpctl/migrate/"))
        .unwrap_or_default();
    assert_eq!(running["lastStatus"], "RUNNING");
    assert!((1450..1560).contains(&seconds_ago(&operator, &running["startedAt"])));
    let lines = operator.lines(&text(&running["taskArn"]), PHP);
    let tenants = lines
        .iter()
        .filter(|line| line.contains("Migrating tenant_"))
        .count();
    assert!((20..30).contains(&tenants), "{tenants}");
    let arn = operator.run(MIGRATE);
    let task = operator.finish(&arn);
    let took = instant(&task["executionStoppedAt"]).zip(instant(&task["startedAt"]));
    let minutes = took.map(|(end, start)| end.since(start).as_secs() / 60);
    assert!(matches!(minutes, Some(38..=42)), "{minutes:?}");
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(0));
}

#[test]
fn pull_error_keeps_the_old_tasks_and_explains_itself() {
    let mut operator = Operator::under(&[Scenario::PullError]);
    let service = operator.backend();
    assert_eq!(service["deployments"].as_array().map(Vec::len), Some(2));
    let begun = seconds_ago(&operator, &primary(&service)["createdAt"]);
    assert!((295..=305).contains(&begun), "{begun}");
    assert_eq!(primary(&service)["rolloutState"], "IN_PROGRESS");
    assert!(primary(&service)["failedTasks"].as_i64() >= Some(1));
    assert_eq!(service["deployments"][1]["runningCount"], 1);
    let stopped = operator.stopped_tasks();
    let reason = text(&stopped[0]["stoppedReason"]);
    assert_eq!(stopped[0]["stopCode"], "TaskFailedToStart");
    assert!(
        reason.starts_with(
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref "
        ) && reason.ends_with(": not found"),
        "{reason}"
    );
    let arn = operator.run(MIGRATE);
    let task = operator.finish(&arn);
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    assert!(task.get("startedAt").is_none());
    // The build arrives, and the deployment goes on by itself.
    operator.world.set_scenarios(Default::default());
    assert!(operator.wait_until(
        900,
        |operator| operator.backend()["deployments"][0]["rolloutState"] == "COMPLETED"
    ));
}

#[test]
fn crash_loop_shows_exit_code_and_fatal_error_again_and_again() {
    let mut operator = Operator::under(&[Scenario::CrashLoop]);
    let service = operator.backend();
    let failed = primary(&service)["failedTasks"].as_i64();
    assert!(failed >= Some(4), "{failed:?}");
    assert_eq!(primary(&service)["rolloutState"], "IN_PROGRESS");
    assert!(
        operator
            .events("bp-backend")
            .iter()
            .any(|event| event.contains("is unable to consistently start tasks successfully"))
    );
    let crashed = operator
        .stopped_tasks()
        .into_iter()
        .find(|task| task["lastStatus"] == "STOPPED")
        .unwrap_or_default();
    assert_eq!(crashed["stopCode"], "EssentialContainerExited");
    assert_eq!(Operator::exit_code(&crashed, "php-fpm"), Some(255));
    operator.wait(10);
    let lines = operator.lines(&text(&crashed["taskArn"]), PHP);
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("PHP Fatal error:  Uncaught Error"))
    );
    operator.wait(120);
    assert!(primary(&operator.backend())["failedTasks"].as_i64() > failed);
}

#[test]
fn breaker_rollback_lies_behind_and_looks_stable() {
    let mut operator = Operator::under(&[Scenario::BreakerRollback]);
    let service = operator.backend();
    assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
    assert_eq!(primary(&service)["rolloutState"], "COMPLETED");
    let newest = operator.ecs("DescribeTaskDefinition", json!({"taskDefinition": "bp-backend"}));
    assert_ne!(
        newest["taskDefinition"]["taskDefinitionArn"],
        service["taskDefinition"]
    );
    let listed = operator.ecs(
        "ListServiceDeployments",
        json!({"cluster": "bp", "service": "bp-backend"}),
    );
    let record = &listed["serviceDeployments"][0];
    assert_eq!(record["status"], "ROLLBACK_SUCCESSFUL");
    assert!((1000..1400).contains(&seconds_ago(&operator, &record["finishedAt"])));
    let events = operator.events("bp-backend").join("\n");
    assert!(events.contains("deployment failed: tasks failed to start."));
    assert!(events.contains("rolling back to deployment ecs-svc/"));
}

#[test]
fn secret_missing_stops_tasks_before_they_start() {
    let mut operator = Operator::under(&[Scenario::SecretMissing]);
    let get = json!({"SecretId": "/bp/laravel/app-key"});
    let error = operator.refused(Service::SecretsManager, "GetSecretValue", &get);
    assert_eq!(error.code, "ResourceNotFoundException");
    assert_eq!(
        error.message,
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
    );
    let described = operator.call(Service::SecretsManager, "DescribeSecret", &get);
    assert!(described.get("VersionIdsToStages").is_none());
    let service = operator.backend();
    assert_eq!(primary(&service)["rolloutState"], "IN_PROGRESS");
    assert_eq!(service["runningCount"], 1);
    let stopped = operator.stopped_tasks();
    assert!(
        text(&stopped[0]["stoppedReason"])
            .starts_with("ResourceInitializationError: unable to pull secrets or registry auth: ")
    );
    // Giving the secret a value heals the deployment.
    let put = json!({"SecretId": "/bp/laravel/app-key", "SecretString": "base64:AAAA"});
    operator.call(Service::SecretsManager, "PutSecretValue", &put);
    assert!(operator.wait_until(
        900,
        |operator| operator.backend()["deployments"][0]["rolloutState"] == "COMPLETED"
    ));
}

#[test]
fn capacity_unavailable_leaves_the_frontend_without_a_task() {
    let mut operator = Operator::under(&[Scenario::CapacityUnavailable]);
    let service = operator.service("bp-frontend");
    assert_eq!(
        (&service["runningCount"], &service["desiredCount"]),
        (&json!(0), &json!(1))
    );
    // The first task of the backend is no Spot task.
    assert_eq!(operator.backend()["runningCount"], 1);
    assert!(operator.events("bp-frontend")[0].starts_with(
        "(service bp-frontend) was unable to place a task. Reason: Capacity is unavailable at this time."
    ));
    assert_eq!(operator.stopped_tasks()[0]["stopCode"], "SpotInterruption");
    operator.world.set_scenarios(Default::default());
    assert!(
        operator.wait_until(200, |operator| operator.service("bp-frontend")["runningCount"]
            == 1)
    );
}

#[test]
fn alb_5xx_is_explained_by_the_log_while_targets_are_healthy() {
    let mut operator = Operator::under(&[Scenario::Alb5xx]);
    assert!(
        operator
            .targets("bp-backend")
            .iter()
            .all(|target| target["State"] == "healthy")
    );
    assert!(
        !operator
            .grep("\"production.ERROR\" \"VideoController.php:142\"")
            .is_empty()
    );
    assert!(!operator.grep("%HTTP/1.1\" 500%").is_empty());
}

#[test]
fn backend_502_is_explained_by_nginx_and_the_targets() {
    let mut operator = Operator::under(&[Scenario::Backend502]);
    assert!(
        !operator
            .grep("\"connect() failed (111: Connection refused) while connecting to upstream\"")
            .is_empty()
    );
    let look = |operator: &mut Operator| {
        let targets = operator.targets("bp-backend");
        assert!(targets.iter().all(|target| target["State"] != "healthy"));
        assert!(targets.iter().any(|target| {
            target["Reason"] == "Target.ResponseCodeMismatch"
                && target["Description"] == "Health checks failed with these codes: [502]"
        }));
    };
    // Replacements are no better, but there is always a task to see.
    for _ in 0..30 {
        look(&mut operator);
        operator.wait(31);
    }
    let events = operator.events("bp-backend").join("\n");
    assert!(events.contains("is unhealthy in (target-group arn:"), "{events}");
    let reasons = strings(&Value::from(operator.stopped_tasks()), "stoppedReason");
    assert!(
        reasons
            .iter()
            .any(|reason| reason.starts_with("Task failed ELB health checks in (target-group "))
    );
}

#[test]
fn no_healthy_targets_means_nothing_is_wanted() {
    let mut operator = Operator::under(&[Scenario::NoHealthyTargets]);
    let service = operator.backend();
    assert_eq!(
        (&service["runningCount"], &service["desiredCount"]),
        (&json!(0), &json!(0))
    );
    assert!(operator.targets("bp-backend").is_empty());
}

#[test]
fn rds_refused_is_in_every_log_although_rds_is_available() {
    let mut operator = Operator::under(&[Scenario::RdsRefused]);
    let databases = operator.call(Service::Rds, "DescribeDBInstances", &json!({}));
    assert_eq!(databases["DBInstances"][0]["DBInstanceStatus"], "available");
    assert!(
        !operator
            .grep("\"SQLSTATE[HY000] [2002] Connection refused\"")
            .is_empty()
    );
    let arn = operator.run(MIGRATE);
    let task = operator.finish(&arn);
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(1));
    assert!(
        operator
            .lines(&arn, PHP)
            .join("\n")
            .contains("SQLSTATE[HY000] [2002] Connection refused")
    );
}

#[test]
fn nat_exhausted_times_out_in_the_queue_worker() {
    let mut operator = Operator::under(&[Scenario::NatExhausted]);
    assert!(!operator.grep("\"cURL error 28\"").is_empty());
}

#[test]
fn ecr_tag_missing_hurts_only_the_next_deployment() {
    let mut operator = Operator::under(&[Scenario::EcrTagMissing]);
    let service = operator.backend();
    assert_eq!(service["runningCount"], 1);
    for tag in ["php-latest", "nginx-latest"] {
        let input = json!({"repositoryName": "bp-backend", "imageIds": [{"imageTag": tag}]});
        let error = operator.refused(Service::Ecr, "DescribeImages", &input);
        assert_eq!(error.code, "ImageNotFoundException");
    }
    let arn = operator.run(MIGRATE);
    let task = operator.finish(&arn);
    assert!(text(&task["stoppedReason"]).starts_with("CannotPullContainerError"));
    operator.world.set_scenarios(Default::default());
    let arn = operator.run(MIGRATE);
    let task = operator.finish(&arn);
    assert_eq!(Operator::exit_code(&task, "php-fpm"), Some(0));
}

#[test]
fn a_running_platform_can_be_broken_and_mended() {
    let mut operator = Operator::under(&[]);
    operator
        .world
        .set_scenarios([Scenario::NoHealthyTargets].into_iter().collect());
    assert!(operator.wait_until(120, |operator| operator.targets("bp-backend").is_empty()));
    operator
        .world
        .set_scenarios([Scenario::CrashLoop].into_iter().collect());
    assert!(operator.wait_until(400, |operator| {
        operator.backend()["deployments"][0]["failedTasks"].as_i64() >= Some(3)
    }));
    operator.world.set_scenarios(Default::default());
    assert!(operator.wait_until(600, |operator| {
        let service = operator.backend();
        service["deployments"].as_array().map(Vec::len) == Some(1)
            && service["deployments"][0]["rolloutState"] == "COMPLETED"
            && service["runningCount"] == 1
    }));
}

/// The statistic of a metric over the last five minutes.
fn last_five_minutes(
    operator: &mut Operator,
    namespace: &str,
    metric: &str,
    statistic: &str,
    dimension: (&str, &str),
) -> Option<f64> {
    let now = operator.world.now.epoch_seconds();
    let input = json!({
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": dimension.0, "Value": dimension.1}],
        "StartTime": now - 300.0,
        "EndTime": now,
        "Period": 300,
        "Statistics": [statistic],
    });
    let answer = operator.call(Service::CloudWatch, "GetMetricStatistics", &input);
    answer["Datapoints"][0][statistic].as_f64()
}

fn alarm_state(operator: &mut Operator, name: &str) -> String {
    let answer = operator.call(
        Service::CloudWatch,
        "DescribeAlarms",
        &json!({"AlarmNames": [name]}),
    );
    text(&answer["MetricAlarms"][0]["StateValue"])
}

#[test]
fn incidents_show_in_metrics_and_alarms_and_only_there() {
    let instance = crate::seed::database_of(&crate::options::Options::default());
    let database = ("DBInstanceIdentifier", instance.as_str());
    for (scenario, alarms) in [
        (Scenario::Healthy, &[][..]),
        // The alarms count what the load balancer answers itself, not what it passes on from the targets.
        (Scenario::Alb5xx, &[]),
        (
            Scenario::NoHealthyTargets,
            &["p1-alb-5xx-critical", "p2-alb-5xx-warning"],
        ),
        (Scenario::RdsCpu, &["p1-rds-cpu-critical", "p2-rds-cpu-warning"]),
        (Scenario::RdsStorageLow, &["p1-rds-storage-low"]),
        (Scenario::Backend502, &["p1-backend-unhealthy-hosts"]),
    ] {
        let mut operator = Operator::under(&[scenario]);
        let cpu = last_five_minutes(&mut operator, "AWS/RDS", "CPUUtilization", "Average", database);
        assert_eq!(cpu.is_some_and(|cpu| cpu >= 95.0), scenario == Scenario::RdsCpu);
        for name in [
            "p1-alb-5xx-critical",
            "p2-alb-5xx-warning",
            "p1-rds-cpu-critical",
            "p2-rds-cpu-warning",
            "p1-rds-storage-low",
            "p1-backend-unhealthy-hosts",
        ] {
            let expected = if alarms.contains(&name) { "ALARM" } else { "OK" };
            assert_eq!(alarm_state(&mut operator, name), expected, "{scenario}: {name}");
        }
    }
}

#[test]
fn the_nat_gateway_and_the_cache_have_metrics() {
    for (scenario, exhausted) in [(Scenario::Healthy, false), (Scenario::NatExhausted, true)] {
        let mut operator = Operator::under(&[scenario]);
        let gateway = operator.world.services.facts.nat_gateways[0].clone();
        let failed = last_five_minutes(
            &mut operator,
            "AWS/NATGateway",
            "ErrorPortAllocation",
            "Sum",
            ("NatGatewayId", &gateway),
        );
        assert_eq!(failed.map(|failed| failed > 0.0), Some(exhausted));
        let cluster = operator.world.services.facts.cache.clone();
        let cache = ("CacheClusterId", cluster.as_str());
        assert!(
            last_five_minutes(
                &mut operator,
                "AWS/ElastiCache",
                "EngineCPUUtilization",
                "Average",
                cache
            )
            .is_some()
        );
    }
}

#[test]
fn a_platform_that_answers_again_gets_back_to_its_healthy_task() {
    let mut operator = Operator::under(&[Scenario::Backend502]);
    operator.world.set_scenarios(Default::default());
    assert!(operator.wait_until(600, |operator| {
        let targets = operator.targets("bp-backend");
        targets.len() == 1 && targets.iter().all(|target| target["State"] == "healthy")
    }));
    operator.wait(60);
    assert!(operator.events("bp-backend")[0].ends_with("has reached a steady state."));
}

#[test]
fn the_staged_layout_breaks_in_the_same_ways() {
    let arrive = |scenario| Operator::with(Layout::Staged, &[scenario]);
    let name = "bp-staging-backend";
    let mut operator = arrive(Scenario::MigrationFails);
    assert_eq!(
        Operator::exit_code(&operator.stopped_tasks()[0], "php-fpm"),
        Some(3)
    );
    let mut operator = arrive(Scenario::PullError);
    assert_eq!(operator.stopped_tasks()[0]["stopCode"], "TaskFailedToStart");
    let mut operator = arrive(Scenario::SecretMissing);
    let error = operator.refused(
        Service::SecretsManager,
        "GetSecretValue",
        &json!({"SecretId": "/bp/staging/laravel/app-key"}),
    );
    assert_eq!(error.code, "ResourceNotFoundException");
    let mut operator = arrive(Scenario::CapacityUnavailable);
    assert_eq!(operator.service("bp-staging-frontend")["runningCount"], 0);
    let mut operator = arrive(Scenario::CrashLoop);
    assert!(operator.service(name)["deployments"][0]["failedTasks"].as_i64() > Some(3));
    let mut operator = arrive(Scenario::BreakerRollback);
    assert!(
        operator
            .events(name)
            .join("\n")
            .contains("rolling back to deployment")
    );
    let mut operator = arrive(Scenario::NoHealthyTargets);
    assert!(operator.targets(name).is_empty());
}
