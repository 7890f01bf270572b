//! Roles and what they allow.

use serde_json::{Value, json};

use crate::build::Resource;

/// A role that a service of AWS takes. CloudFormation names it after its stack.
pub(crate) fn role(service: &str, managed: &[&str], statements: &[Value]) -> Resource {
    let mut properties = json!({
        "AssumeRolePolicyDocument": document(&[json!({
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": "sts:AssumeRole",
        })]),
    });
    if !managed.is_empty() {
        properties["ManagedPolicyArns"] = managed.iter().map(|name| managed_policy(name)).collect();
    }
    if !statements.is_empty() {
        properties["Policies"] = json!([{ "PolicyName": "own", "PolicyDocument": document(statements) }]);
    }
    Resource::new("AWS::IAM::Role", properties)
}

pub(crate) fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

pub(crate) fn allow(actions: &[&str], resources: Value) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// Allowed only where the request's context says `value` under `key`.
pub(crate) fn allow_when(actions: &[&str], resources: Value, key: &str, value: &str) -> Value {
    let mut statement = allow(actions, resources);
    statement["Condition"] = json!({ "StringEquals": { key: value } });
    statement
}

fn managed_policy(name: &str) -> Value {
    json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:iam::aws:policy/{name}") })
}
