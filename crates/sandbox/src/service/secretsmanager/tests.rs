//! Secrets and their versions as callers see them.

use serde_json::{Value, json};

use crate::service::Service;
use crate::service::operator::{Operator, text as string};

const KEY: &str = "/bp/laravel/app-key";

fn secrets(operator: &mut Operator, operation: &str, input: Value) -> Value {
    operator.call(Service::SecretsManager, operation, &input)
}

#[test]
fn putting_a_value_moves_current_and_leaves_previous() {
    let mut operator = Operator::under(&[]);
    let before = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
    secrets(
        &mut operator,
        "PutSecretValue",
        json!({"SecretId": KEY, "SecretString": "two"}),
    );
    let now = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
    assert_eq!(
        (&now["SecretString"], &now["VersionStages"]),
        (&json!("two"), &json!(["AWSCURRENT"]))
    );
    let previous = json!({"SecretId": KEY, "VersionStage": "AWSPREVIOUS"});
    let previous = secrets(&mut operator, "GetSecretValue", previous);
    assert_eq!(previous["SecretString"], before["SecretString"]);
}

#[test]
fn moving_the_current_label_back_is_a_rollback() {
    let mut operator = Operator::under(&[]);
    let old = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
    let new = secrets(
        &mut operator,
        "PutSecretValue",
        json!({"SecretId": KEY, "SecretString": "two"}),
    );
    let mut input = json!({
        "SecretId": KEY, "VersionStage": "AWSCURRENT", "MoveToVersionId": old["VersionId"],
    });
    let error = operator.refused(Service::SecretsManager, "UpdateSecretVersionStage", &input);
    assert_eq!(error.code, "InvalidParameterException");
    input["RemoveFromVersionId"] = new["VersionId"].clone();
    secrets(&mut operator, "UpdateSecretVersionStage", input);
    let stages = secrets(&mut operator, "DescribeSecret", json!({"SecretId": KEY}));
    let stages = &stages["VersionIdsToStages"];
    assert_eq!(stages[string(&old["VersionId"])], json!(["AWSCURRENT"]));
    assert_eq!(stages[string(&new["VersionId"])], json!(["AWSPREVIOUS"]));
}

#[test]
fn a_pending_value_changes_nothing_for_readers() {
    let mut operator = Operator::under(&[]);
    let before = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
    let pending = json!({"SecretId": KEY, "SecretString": "next", "VersionStages": ["AWSPENDING"]});
    secrets(&mut operator, "PutSecretValue", pending);
    let after = secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
    assert_eq!(before["VersionId"], after["VersionId"]);
}

#[test]
fn a_request_token_writes_once() {
    let mut operator = Operator::under(&[]);
    let mut input = json!({"SecretId": KEY, "SecretString": "x", "ClientRequestToken": "t-1"});
    secrets(&mut operator, "PutSecretValue", input.clone());
    secrets(&mut operator, "PutSecretValue", input.clone());
    let versions = json!({"SecretId": KEY, "IncludeDeprecated": true});
    let versions = secrets(&mut operator, "ListSecretVersionIds", versions);
    assert_eq!(versions["Versions"].as_array().map(Vec::len), Some(2));
    input["SecretString"] = json!("y");
    let error = operator.refused(Service::SecretsManager, "PutSecretValue", &input);
    assert_eq!(error.code, "ResourceExistsException");
}

#[test]
fn secrets_are_found_by_name_and_arn_and_nothing_else() {
    let mut operator = Operator::under(&[]);
    let found = secrets(&mut operator, "DescribeSecret", json!({"SecretId": KEY}));
    let arn = string(&found["ARN"]);
    secrets(&mut operator, "DescribeSecret", json!({"SecretId": arn}));
    secrets(
        &mut operator,
        "DescribeSecret",
        json!({"SecretId": arn[..arn.len() - 7]}),
    );
    let error = operator.refused(
        Service::SecretsManager,
        "DescribeSecret",
        &json!({"SecretId": "/bp/no"}),
    );
    assert_eq!(error.message, "Secrets Manager can't find the specified secret.");
    let listed = secrets(&mut operator, "ListSecrets", json!({}));
    assert_eq!(listed["SecretList"].as_array().map(Vec::len), Some(5));
}
