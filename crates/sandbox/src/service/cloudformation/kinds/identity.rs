//! Roles, policies and instance profiles.

use serde_json::{Value, json};

use super::read::{name, required, text};
use super::{Kind, PLAIN, Refusal, Request};
use crate::service::Service;
use crate::service::iam;
use crate::world::World;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::IAM::Role",
        fixed: &["Path", "RoleName"],
        named: Some("RoleName"),
        attributes: &["Arn", "RoleId"],
        seconds: 17,
        create: |world, request| {
            let name = name(world, request, "RoleName");
            let input = json!({
                "RoleName": name,
                "Path": text(request.properties, "Path").unwrap_or_else(|| "/".to_owned()),
                "Description": text(request.properties, "Description"),
                "AssumeRolePolicyDocument": request.properties["AssumeRolePolicyDocument"].to_string(),
            });
            iam(world, "CreateRole", &input)?;
            put_policies(world, &name, &request.properties["Policies"])?;
            Ok(name)
        },
        update: |world, physical, before, request| {
            let after = &request.properties["Policies"];
            for old in before["Policies"].as_array().into_iter().flatten() {
                let kept = after.as_array().into_iter().flatten();
                if !kept.into_iter().any(|new| new["PolicyName"] == old["PolicyName"]) {
                    let input = json!({ "RoleName": physical, "PolicyName": old["PolicyName"] });
                    iam(world, "DeleteRolePolicy", &input)?;
                }
            }
            iam::trust(world, physical, &request.properties["AssumeRolePolicyDocument"]);
            put_policies(world, physical, after)
        },
        delete: |world, resource| {
            iam::remove_role(world, &resource.physical);
            Ok(true)
        },
        attribute: |world, resource, attribute| {
            let input = json!({ "RoleName": resource.physical });
            let path = text(&resource.properties, "Path").unwrap_or_else(|| "/".to_owned());
            Some(match attribute {
                "Arn" => json!(format!(
                    "arn:aws:iam::{}:role{path}{}",
                    world.options.account_id, resource.physical
                )),
                _ => iam::role_id(world, &input)?,
            })
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::IAM::Policy",
        perhaps: &["PolicyName"],
        attributes: &["Id"],
        seconds: 16,
        tagged: false,
        create: |world, request| {
            attach(world, request)?;
            required(request.properties, "PolicyName")
        },
        update: |world, physical, before, request| {
            detach(world, physical, before);
            attach(world, request)
        },
        delete: |world, resource| {
            detach(world, &resource.physical, &resource.properties);
            Ok(true)
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::IAM::ManagedPolicy",
        fixed: &["Description", "ManagedPolicyName", "Path"],
        named: Some("ManagedPolicyName"),
        attributes: &["PolicyArn"],
        seconds: 16,
        tagged: false,
        create: |world, request| {
            let name = name(world, request, "ManagedPolicyName");
            Ok(format!("arn:aws:iam::{}:policy/{name}", world.options.account_id))
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::IAM::OIDCProvider",
        fixed: &["Url"],
        attributes: &["Arn"],
        create: |world, request| {
            let input = json!({
                "Url": required(request.properties, "Url")?,
                "ClientIDList": clients(request.properties),
                "ThumbprintList": request.properties["ThumbprintList"],
            });
            let made = iam(world, "CreateOpenIDConnectProvider", &input)?;
            required(&made, "OpenIDConnectProviderArn")
        },
        update: |world, physical, _, request| {
            iam::accept(world, physical, clients(request.properties));
            Ok(())
        },
        delete: |world, resource| {
            iam::remove_provider(world, &resource.physical);
            Ok(true)
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::IAM::InstanceProfile",
        fixed: &["InstanceProfileName", "Path"],
        named: Some("InstanceProfileName"),
        attributes: &["Arn"],
        // "IAM is eventually consistent": CloudFormation waits two minutes for a new profile to be known everywhere.
        seconds: 122,
        tagged: false,
        create: |world, request| Ok(name(world, request, "InstanceProfileName")),
        attribute: |world, resource, _| {
            let path = text(&resource.properties, "Path").unwrap_or_else(|| "/".to_owned());
            let account = &world.options.account_id;
            Some(json!(format!(
                "arn:aws:iam::{account}:instance-profile{path}{}",
                resource.physical
            )))
        },
        ..PLAIN
    },
];

/// "Acknowledging IAM resources in CloudFormation templates": the types, and the property with their name.
pub(super) fn needs_capability(kind: &str) -> Option<Option<&'static str>> {
    Some(match kind {
        "AWS::IAM::AccessKey" | "AWS::IAM::Policy" | "AWS::IAM::UserToGroupAddition" => None,
        "AWS::IAM::Group" => Some("GroupName"),
        "AWS::IAM::InstanceProfile" => Some("InstanceProfileName"),
        "AWS::IAM::ManagedPolicy" => Some("ManagedPolicyName"),
        "AWS::IAM::Role" => Some("RoleName"),
        "AWS::IAM::User" => Some("UserName"),
        _ => return None,
    })
}

fn iam(world: &mut World, operation: &str, input: &Value) -> Result<Value, Refusal> {
    let input = crate::service::member::present(input.clone());
    let answer = world.call(Service::Iam, operation, &input);
    answer.map_err(|error| Refusal::of(world, "Iam", &error))
}

fn clients(properties: &Value) -> Vec<String> {
    crate::service::member::texts(properties, "ClientIdList")
}

fn put_policies(world: &mut World, role: &str, policies: &Value) -> Result<(), Refusal> {
    for policy in policies.as_array().into_iter().flatten() {
        put_policy(world, role, &policy["PolicyName"], &policy["PolicyDocument"])?;
    }
    Ok(())
}

fn put_policy(world: &mut World, role: &str, name: &Value, document: &Value) -> Result<(), Refusal> {
    let input = json!({ "RoleName": role, "PolicyName": name, "PolicyDocument": document.to_string() });
    iam(world, "PutRolePolicy", &input).map(|_| ())
}

fn roles(properties: &Value) -> Vec<String> {
    let roles = properties["Roles"].as_array().into_iter().flatten();
    roles
        .filter_map(|role| role.as_str().map(str::to_owned))
        .collect()
}

fn attach(world: &mut World, request: &Request<'_>) -> Result<(), Refusal> {
    let properties = request.properties;
    for role in roles(properties) {
        put_policy(
            world,
            &role,
            &properties["PolicyName"],
            &properties["PolicyDocument"],
        )?;
    }
    Ok(())
}

/// Takes the policy from its roles; from one that is gone there is nothing to take.
fn detach(world: &mut World, name: &str, properties: &Value) {
    for role in roles(properties) {
        let input = json!({ "RoleName": role, "PolicyName": name });
        let _ = world.call(Service::Iam, "DeleteRolePolicy", &input);
    }
}
