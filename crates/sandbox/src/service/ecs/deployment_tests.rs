//! Deployments that are stopped, superseded, slow, or of a task definition that was registered for them.

use serde_json::{Value, json};

use crate::scenario::Scenario;
use crate::service::Service;
use crate::service::operator::{Operator, strings, text};

fn update(operator: &mut Operator, more: &Value) -> String {
    let mut input = json!({"cluster": "bp", "service": "bp-backend", "forceNewDeployment": true});
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    let answer = operator.ecs("UpdateService", input);
    text(&answer["service"]["deployments"][0]["id"]).to_owned()
}

/// The record of a deployment by its id.
fn record(operator: &mut Operator, deployment: &str) -> Value {
    let listed = operator.ecs(
        "ListServiceDeployments",
        json!({"cluster": "bp", "service": "bp-backend"}),
    );
    let number = deployment.trim_start_matches("ecs-svc/");
    let of_it = |brief: &&Value| text(&brief["targetServiceRevisionArn"]).ends_with(number);
    let brief = listed["serviceDeployments"]
        .as_array()
        .and_then(|all| all.iter().find(of_it));
    let arn = brief.map(|brief| brief["serviceDeploymentArn"].clone());
    let input = json!({"serviceDeploymentArns": [arn]});
    operator.ecs("DescribeServiceDeployments", input)["serviceDeployments"][0].clone()
}

fn digests(operator: &mut Operator, deployment: &str) -> Vec<String> {
    let arn = record(operator, deployment)["targetServiceRevision"]["arn"].clone();
    let input = json!({"serviceRevisionArns": [arn]});
    let revision = operator.ecs("DescribeServiceRevisions", input)["serviceRevisions"][0].clone();
    strings(&revision["containerImages"], "imageDigest")
}

#[test]
fn a_deployment_that_is_stopped_goes_back_to_the_digests_of_the_one_before() {
    let mut operator = Operator::under(&[]);
    let before = text(&operator.backend()["deployments"][0]["id"]).to_owned();
    let good = digests(&mut operator, &before);
    operator.world.set_scenarios([Scenario::BreakerRollback].into());
    operator.wait(1_200);
    let ours = update(&mut operator, &json!({}));
    operator.wait(40);
    assert_ne!(digests(&mut operator, &ours), good);
    let arn = record(&mut operator, &ours)["serviceDeploymentArn"].clone();
    let stop = json!({"serviceDeploymentArn": arn, "stopType": "ROLLBACK"});
    assert_eq!(
        operator.ecs("StopServiceDeployment", stop.clone())["serviceDeploymentArn"],
        arn
    );
    assert_eq!(record(&mut operator, &ours)["status"], "ROLLBACK_REQUESTED");
    // Asking again changes nothing.
    operator.ecs("StopServiceDeployment", stop.clone());
    operator.wait(2);
    assert_eq!(record(&mut operator, &ours)["status"], "ROLLBACK_IN_PROGRESS");
    assert!(
        operator.wait_until(300, |operator| record(operator, &ours)["status"]
            == "ROLLBACK_SUCCESSFUL")
    );
    let service = operator.backend();
    assert_eq!(text(&service["deployments"][0]["id"]), before);
    assert_eq!(digests(&mut operator, &before), good);
    let over = operator.refused(Service::Ecs, "StopServiceDeployment", &stop);
    assert_eq!(over.code, "ConflictException");
    let abort = json!({"serviceDeploymentArn": arn, "stopType": "ABORT"});
    let refused = operator.refused(Service::Ecs, "StopServiceDeployment", &abort);
    assert_eq!(refused.code, "InvalidParameterException");
    let nobody = json!({"serviceDeploymentArn": format!("{}0", text(&arn))});
    let refused = operator.refused(Service::Ecs, "StopServiceDeployment", &nobody);
    assert_eq!(refused.code, "ServiceDeploymentNotFoundException");
}

#[test]
fn a_second_update_supersedes_the_first() {
    let mut operator = Operator::under(&[]);
    let first = update(&mut operator, &json!({}));
    operator.wait(20);
    let second = update(&mut operator, &json!({}));
    assert_ne!(first, second);
    assert_eq!(record(&mut operator, &first)["status"], "STOPPED");
    assert!(
        operator.wait_until(600, |operator| record(operator, &second)["status"]
            == "SUCCESSFUL")
    );
    assert_eq!(record(&mut operator, &first)["status"], "STOPPED");
}

#[test]
fn without_rollback_the_breaker_stops_the_deployment_and_leaves_it_failed() {
    let mut operator = Operator::under(&[Scenario::BreakerRollback]);
    let breaker = json!({"deploymentCircuitBreaker": {"enable": true, "rollback": false}});
    let ours = update(&mut operator, &json!({"deploymentConfiguration": breaker}));
    assert!(operator.wait_until(600, |operator| record(operator, &ours)["status"] == "STOPPED"));
    let deployment = operator.backend()["deployments"][0].clone();
    assert_eq!(
        (text(&deployment["id"]), &deployment["rolloutState"]),
        (ours, &json!("FAILED"))
    );
    // The old tasks go on.
    assert_eq!(operator.backend()["runningCount"], 1);
}

#[test]
fn what_was_registered_is_described_as_it_was_given() {
    let mut operator = Operator::under(&[]);
    let newest = operator.ecs("DescribeTaskDefinition", json!({"taskDefinition": "bp-backend"}));
    let mut input = newest["taskDefinition"].clone();
    let read_only = [
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
    ];
    for name in read_only {
        input.as_object_mut().map(|members| members.remove(name));
    }
    input["containerDefinitions"][0]["image"] =
        json!("123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-backend:nginx-none");
    input["containerDefinitions"][0]["stopTimeout"] = json!(77);
    let registered = operator.ecs("RegisterTaskDefinition", input.clone())["taskDefinition"].clone();
    assert_eq!(registered["revision"], 43);
    let again = operator.ecs(
        "DescribeTaskDefinition",
        json!({"taskDefinition": "bp-backend:43"}),
    );
    assert_eq!(again["taskDefinition"], registered);
    for (name, value) in input.as_object().into_iter().flatten() {
        assert_eq!(registered[name], *value, "{name}");
    }
    let list = json!({"familyPrefix": "bp-backend", "sort": "DESC"});
    let arns = operator.ecs("ListTaskDefinitions", list)["taskDefinitionArns"].clone();
    assert_eq!(arns.as_array().map(Vec::len), Some(2));
    assert!(text(&arns[0]).ends_with("bp-backend:43"));
    // An image that is not there: its tasks stop before they start.
    let ours = update(&mut operator, &json!({"taskDefinition": "bp-backend:43"}));
    assert!(
        operator.wait_until(900, |operator| record(operator, &ours)["status"]
            == "ROLLBACK_IN_PROGRESS")
    );
    let mut refuse = |input: Value| {
        operator
            .refused(Service::Ecs, "RegisterTaskDefinition", &input)
            .code
    };
    assert_eq!(
        refuse(json!({"family": "x y", "containerDefinitions": []})),
        "ClientException"
    );
    assert_eq!(
        refuse(json!({"family": "x", "containerDefinitions": []})),
        "ClientException"
    );
    assert_eq!(
        refuse(json!({"family": "x", "containerDefinitions": [{"name": "a", "image": "b"}]})),
        "ClientException"
    );
}

#[test]
fn an_image_for_another_processor_cannot_be_pulled() {
    let mut operator = Operator::under(&[Scenario::WrongArchitecture]);
    let running = operator.backend()["runningCount"].clone();
    assert_eq!(running, 1);
    update(&mut operator, &json!({}));
    assert!(operator.wait_until(300, |operator| !operator.stopped_tasks().is_empty()));
    let task = operator.stopped_tasks()[0].clone();
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    assert!(text(&task["stoppedReason"]).contains("descriptor matching platform 'linux/arm64'"));
}

#[test]
fn slow_tasks_take_minutes_to_become_healthy_and_then_the_deployment_completes() {
    let mut operator = Operator::under(&[Scenario::SlowHealth]);
    let ours = update(&mut operator, &json!({}));
    operator.wait(200);
    assert_eq!(record(&mut operator, &ours)["status"], "IN_PROGRESS");
    assert!(operator.wait_until(400, |operator| record(operator, &ours)["status"] == "SUCCESSFUL"));
    assert_eq!(
        record(&mut operator, &ours)["deploymentCircuitBreaker"]["failureCount"],
        0
    );
}
