//! Services and their deployments as operators see them.

use serde_json::{Value, json};

use crate::scenario::Scenario;
use crate::service::Service;
use crate::service::operator::{Operator, strings, text};

fn force(operator: &mut Operator) -> Value {
    let input = json!({"cluster": "bp", "service": "bp-backend", "forceNewDeployment": true});
    operator.ecs("UpdateService", input)["service"].clone()
}

fn primary(service: &Value) -> Value {
    service["deployments"]
        .as_array()
        .and_then(|all| all.iter().find(|deployment| deployment["status"] == "PRIMARY"))
        .cloned()
        .unwrap_or_default()
}

#[test]
fn a_forced_deployment_replaces_every_task_and_never_falls_below_the_desired_count() {
    let mut operator = Operator::under(&[]);
    let before = primary(&operator.backend());
    let answer = force(&mut operator);
    let started = primary(&answer);
    assert_ne!(started["id"], before["id"]);
    assert_eq!(started["taskDefinition"], before["taskDefinition"]);
    assert_eq!(started["rolloutState"], "IN_PROGRESS");
    let mut fewest = i64::MAX;
    let done = operator.wait_until(600, |operator| {
        let service = operator.backend();
        fewest = fewest.min(service["runningCount"].as_i64().unwrap_or_default());
        service["deployments"].as_array().map(Vec::len) == Some(1)
    });
    assert!(done && fewest >= 1, "{fewest}");
    let after = operator.backend();
    assert_eq!(primary(&after)["id"], started["id"]);
    assert_eq!(primary(&after)["rolloutState"], "COMPLETED");
    let events = strings(&after["events"], "message");
    assert!(events[0].ends_with("has reached a steady state."), "{events:#?}");
    assert!(events[1].ends_with("deployment completed."));
    assert!(
        events
            .iter()
            .any(|event| event.contains("has started 1 tasks: (task "))
    );
    assert!(
        events
            .iter()
            .any(|event| event.contains("registered 1 targets in (target-group arn:"))
    );
}

#[test]
fn a_service_deployment_is_recorded_from_pending_to_successful() {
    let mut operator = Operator::under(&[]);
    force(&mut operator);
    let list = json!({"cluster": "bp", "service": "bp-backend"});
    let newest = |operator: &mut Operator| {
        operator.ecs("ListServiceDeployments", list.clone())["serviceDeployments"][0].clone()
    };
    assert_eq!(newest(&mut operator)["status"], "PENDING");
    operator.wait(3);
    assert_eq!(newest(&mut operator)["status"], "IN_PROGRESS");
    assert!(operator.wait_until(600, |operator| newest(operator)["status"] == "SUCCESSFUL"));
    let brief = newest(&mut operator);
    let describe = json!({"serviceDeploymentArns": [brief["serviceDeploymentArn"]]});
    let record = operator.ecs("DescribeServiceDeployments", describe)["serviceDeployments"][0].clone();
    assert_eq!(record["deploymentCircuitBreaker"]["threshold"], 3);
    assert_eq!(record["targetServiceRevision"]["runningTaskCount"], 1);
    let number = text(&primary(&operator.backend())["id"]).replace("ecs-svc/", "");
    assert!(text(&record["targetServiceRevision"]["arn"]).ends_with(&number));
    assert_eq!(record["sourceServiceRevisions"][0]["requestedTaskCount"], 1);
}

#[test]
fn the_breaker_trips_at_three_failures_and_goes_back_to_the_old_deployment() {
    let mut operator = Operator::under(&[]);
    let old = primary(&operator.backend());
    let scenarios = [Scenario::BreakerRollback].into_iter().collect();
    operator.world.set_scenarios(scenarios);
    let failing = primary(&operator.backend());
    assert_ne!(failing["id"], old["id"]);
    let fails = |operator: &mut Operator| {
        operator.backend()["deployments"].as_array().is_some_and(|all| {
            all.iter()
                .any(|deployment| deployment["rolloutState"] == "FAILED")
        })
    };
    assert!(operator.wait_until(900, fails));
    let service = operator.backend();
    assert_eq!(primary(&service)["id"], old["id"]);
    assert_eq!(
        primary(&service)["rolloutStateReason"],
        format!(
            "ECS deployment circuit breaker: rolling back to deploymentId {}.",
            text(&old["id"])
        )
    );
    let failed = &service["deployments"][1];
    assert_eq!(
        failed["rolloutStateReason"],
        "ECS deployment circuit breaker: tasks failed to start."
    );
    assert!(failed["failedTasks"].as_i64() >= Some(3));
    let list = json!({"cluster": "bp", "service": "bp-backend"});
    let status = |operator: &mut Operator| {
        operator.ecs("ListServiceDeployments", list.clone())["serviceDeployments"][0]["status"].clone()
    };
    assert_eq!(status(&mut operator), "ROLLBACK_IN_PROGRESS");
    assert!(operator.wait_until(300, |operator| status(operator) == "ROLLBACK_SUCCESSFUL"));
    // Exactly what `services-stable` waits for, and yet the release failed.
    let service = operator.backend();
    assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
    assert_eq!(service["runningCount"], service["desiredCount"]);
    assert_eq!(primary(&service)["id"], old["id"]);
}

#[test]
fn the_desired_count_changes_without_a_deployment() {
    let mut operator = Operator::under(&[]);
    let before = primary(&operator.backend());
    let scale = |count: i64| json!({"cluster": "bp", "service": "bp-backend", "desiredCount": count});
    operator.ecs("UpdateService", scale(4));
    assert!(operator.wait_until(120, |operator| operator.backend()["runningCount"] == 4));
    operator.wait(60);
    assert_eq!(operator.targets("bp-backend").len(), 4);
    operator.ecs("UpdateService", scale(0));
    operator.wait(2);
    assert_eq!(operator.backend()["runningCount"], 0);
    assert!(
        operator
            .targets("bp-backend")
            .iter()
            .all(|target| target["State"] == "draining")
    );
    operator.wait(120);
    assert!(operator.targets("bp-backend").is_empty());
    assert_eq!(primary(&operator.backend())["id"], before["id"]);
    let reasons: Vec<String> = strings(&Value::from(operator.stopped_tasks()), "stoppedReason");
    assert!(
        reasons
            .iter()
            .all(|reason| reason.starts_with("Scaling activity initiated by (deployment ecs-svc/"))
    );
}

#[test]
fn unknown_clusters_and_services_are_reported_as_ecs_does() {
    let mut operator = Operator::under(&[]);
    let answer = operator.ecs(
        "DescribeServices",
        json!({"cluster": "bp", "services": ["nobody"]}),
    );
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
    let mut code = |operation: &str, input: Value| operator.refused(Service::Ecs, operation, &input).code;
    assert_eq!(
        code(
            "DescribeServices",
            json!({"cluster": "no", "services": ["bp-backend"]})
        ),
        "ClusterNotFoundException"
    );
    assert_eq!(
        code("UpdateService", json!({"cluster": "bp", "service": "nobody"})),
        "ServiceNotFoundException"
    );
    let eleven: Vec<String> = (0..11).map(|index| format!("s{index}")).collect();
    assert_eq!(
        code("DescribeServices", json!({"cluster": "bp", "services": eleven})),
        "InvalidParameterException"
    );
}
