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

#[test]
fn a_secret_that_is_being_deleted_is_described_and_not_read_until_it_is_restored() {
    let mut operator = Operator::under(&[]);
    let service = Service::SecretsManager;
    let window = |days: i64| json!({"SecretId": KEY, "RecoveryWindowInDays": days});
    for days in [6, 31] {
        assert_eq!(
            operator.refused(service, "DeleteSecret", &window(days)).code,
            "InvalidParameterException"
        );
    }
    secrets(&mut operator, "DeleteSecret", window(7));
    for (operation, input) in [
        ("GetSecretValue", json!({"SecretId": KEY})),
        ("PutSecretValue", json!({"SecretId": KEY, "SecretString": "x"})),
        ("UpdateSecret", json!({"SecretId": KEY, "SecretString": "x"})),
        ("DeleteSecret", window(7)),
    ] {
        assert_eq!(
            operator.refused(service, operation, &input).code,
            "InvalidRequestException",
            "{operation}"
        );
    }
    let described = secrets(&mut operator, "DescribeSecret", json!({"SecretId": KEY}));
    assert!(described["DeletedDate"].is_number(), "{described}");
    let count = |operator: &mut Operator, input: Value| {
        secrets(operator, "ListSecrets", input)["SecretList"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(count(&mut operator, json!({})), Some(4));
    assert_eq!(
        count(&mut operator, json!({"IncludePlannedDeletion": true})),
        Some(5)
    );
    secrets(&mut operator, "RestoreSecret", json!({"SecretId": KEY}));
    secrets(&mut operator, "GetSecretValue", json!({"SecretId": KEY}));
    let now = json!({"SecretId": KEY, "ForceDeleteWithoutRecovery": true});
    secrets(&mut operator, "DeleteSecret", now);
    let error = operator.refused(service, "DescribeSecret", &json!({"SecretId": KEY}));
    assert_eq!(error.code, "ResourceNotFoundException");
}

#[test]
fn an_update_with_the_token_of_a_version_is_refused_even_with_its_value() {
    let mut operator = Operator::under(&[]);
    let input = json!({"SecretId": KEY, "SecretString": "x", "ClientRequestToken": "t-1"});
    let first = secrets(&mut operator, "UpdateSecret", input.clone());
    assert_eq!(first["VersionId"], "t-1");
    let error = operator.refused(Service::SecretsManager, "UpdateSecret", &input);
    assert_eq!(error.code, "ResourceExistsException");
    // PutSecretValue takes the same for a repetition.
    secrets(&mut operator, "PutSecretValue", input);
    let words = secrets(
        &mut operator,
        "UpdateSecret",
        json!({"SecretId": KEY, "Description": "d"}),
    );
    assert_eq!(words["VersionId"], Value::Null);
}

#[test]
fn many_values_come_in_one_answer_and_what_is_missing_beside_them() {
    let mut operator = Operator::under(&[]);
    let input = json!({"SecretIdList": [KEY, "/bp/none", "/bp/redis/auth-token"]});
    let answer = secrets(&mut operator, "BatchGetSecretValue", input);
    assert_eq!(answer["SecretValues"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["Errors"][0]["ErrorCode"], "ResourceNotFoundException");
}

#[test]
fn outdated_versions_go_after_a_day_and_labelled_ones_stay() {
    let mut operator = Operator::under(&[]);
    let put = |operator: &mut Operator, value: usize, stage: &str| {
        let input = json!({"SecretId": KEY, "SecretString": value.to_string(), "VersionStages": [stage]});
        secrets(operator, "PutSecretValue", input);
    };
    put(&mut operator, 0, "kept");
    for value in 1..=120 {
        put(&mut operator, value, "AWSCURRENT");
    }
    let versions = |operator: &mut Operator| {
        let input = json!({"SecretId": KEY, "IncludeDeprecated": true, "MaxResults": 100});
        let listed = secrets(operator, "ListSecretVersionIds", input);
        (
            listed["Versions"].as_array().map_or(0, Vec::len),
            listed["NextToken"].is_string(),
        )
    };
    assert_eq!(versions(&mut operator), (100, true));
    operator.world.now = operator.world.now + std::time::Duration::from_secs(25 * 60 * 60);
    put(&mut operator, 121, "AWSCURRENT");
    assert_eq!(versions(&mut operator), (100, false));
    let kept = json!({"SecretId": KEY, "VersionStage": "kept"});
    assert_eq!(
        secrets(&mut operator, "GetSecretValue", kept)["SecretString"],
        "0"
    );
}
