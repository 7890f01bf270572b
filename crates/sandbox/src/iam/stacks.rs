//! What IAM is asked before CloudFormation does something.

use serde_json::Value;

use super::ask::{Arns, Ask, passed};
use crate::service::member::text;

pub(super) fn asks(arns: &Arns<'_>, operation: &str, action: &str, input: &Value) -> Vec<Ask> {
    let named = text(input, "StackName");
    let mut asks = match (operation, named) {
        (_, Some(name)) if name.starts_with("arn:") => vec![Ask::new(action, name)],
        (_, Some(name)) => vec![Ask::new(
            action,
            arns.of("cloudformation", &format!("stack/{name}/*")),
        )],
        // "This requires ListStacks and DescribeStacks permissions" (API Reference, DescribeStacks, StackName).
        ("DescribeStacks", None) => vec![Ask::new(action, "*"), Ask::new("cloudformation:ListStacks", "*")],
        (_, None) => vec![Ask::new(action, "*")],
    };
    // The role with which CloudFormation works on the stack (CloudFormation User Guide, "CloudFormation service role").
    let role = text(input, "RoleARN");
    asks.extend(role.map(|role| passed(role, "cloudformation.amazonaws.com")));
    asks
}
