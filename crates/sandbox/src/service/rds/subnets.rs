//! DB subnet groups: DescribeDBSubnetGroups and DeleteDBSubnetGroup (Amazon RDS API Reference).

use serde_json::{Value, json};

use super::{arn, marked};
use crate::error::{ApiError, OpResult};
use crate::service::member::text;
use crate::world::World;

/// A group of subnets that instances may stand in.
#[derive(Clone, Debug)]
pub(super) struct SubnetGroup {
    pub(super) name: String,
    vpc: String,
    subnets: Vec<String>,
}

/// Puts a group in place.
pub(crate) fn make(world: &mut World, name: &str, subnets: Vec<String>) {
    let vpc = world.services.facts.vpc.clone();
    world.services.rds.subnet_groups.push(SubnetGroup {
        name: name.to_owned(),
        vpc,
        subnets,
    });
}

fn not_found(name: &str) -> ApiError {
    ApiError::client(
        "DBSubnetGroupNotFoundFault",
        format!("DB subnet group '{name}' does not exist."),
    )
    .with_status(404)
}

pub(super) fn describe(world: &World, input: &Value) -> OpResult {
    let asked = text(input, "DBSubnetGroupName");
    let groups = world.services.rds.subnet_groups.iter();
    let found: Vec<Value> = groups
        .filter(|group| asked.is_none_or(|name| group.name.eq_ignore_ascii_case(name)))
        .map(|group| {
            let subnets = group
                .subnets
                .iter()
                .map(|subnet| json!({ "SubnetIdentifier": subnet, "SubnetStatus": "Active" }));
            json!({
                "DBSubnetGroupName": group.name,
                "DBSubnetGroupDescription": "Subnets of the database",
                "VpcId": group.vpc,
                "SubnetGroupStatus": "Complete",
                "Subnets": subnets.collect::<Vec<_>>(),
                "DBSubnetGroupArn": arn(world, "subgrp", &group.name),
            })
        })
        .collect();
    match asked {
        Some(name) if found.is_empty() => Err(not_found(name)),
        _ => marked(found, "DBSubnetGroups", input),
    }
}

pub(super) fn delete(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "DBSubnetGroupName").unwrap_or_default();
    let state = &mut world.services.rds;
    let known = |group: &SubnetGroup| group.name.eq_ignore_ascii_case(name);
    if !state.subnet_groups.iter().any(known) {
        return Err(not_found(name));
    }
    let mut users = state.instances.iter();
    if users.any(|instance| instance.subnet_group.eq_ignore_ascii_case(name)) {
        return Err(ApiError::client(
            "InvalidDBSubnetGroupStateFault",
            format!(
                "Cannot delete the subnet group '{name}' because at least one database instance is still using it."
            ),
        ));
    }
    state.subnet_groups.retain(|group| !known(group));
    Ok(json!({}))
}
