//! What else the platform's stacks consist of: functions, the budget, and what CDK adds.

use serde_json::json;

use super::read::{name, number};
use super::{Kind, Made, PLAIN, Refusal, Request};
use crate::seed::names::generated;
use crate::service::{Service, budgets};
use crate::world::World;

/// A custom resource, answered by its provider.
pub(super) const CUSTOM: Kind = Kind {
    name: "Custom::",
    attributes: &["*"],
    seconds: 6,
    tagged: false,
    attribute: |_, resource, attribute| {
        Some(
            resource
                .properties
                .get(attribute)
                .cloned()
                .unwrap_or_else(|| json!("")),
        )
    },
    ..PLAIN
};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::CDK::Metadata",
        tagged: false,
        seconds: 1,
        create: |world, _| Ok(world.ids.uuid()),
        ..PLAIN
    },
    Kind {
        name: "AWS::CloudFormation::WaitConditionHandle",
        tagged: false,
        seconds: 1,
        ..PLAIN
    },
    Kind {
        name: "AWS::Lambda::Function",
        fixed: &["FunctionName", "PackageType"],
        named: Some("FunctionName"),
        attributes: &["Arn"],
        seconds: 8,
        create: |world, request| {
            let name = name(world, request, "FunctionName");
            // The function that the queue-empty alarms reach through their topic.
            if request.logical.starts_with("ScaleToZero") {
                world.services.facts.zero_function.clone_from(&name);
            }
            Ok(name)
        },
        attribute: |world, resource, _| {
            let options = &world.options;
            Some(json!(format!(
                "arn:aws:lambda:{}:{}:function:{}",
                options.region, options.account_id, resource.physical
            )))
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::Lambda::Permission",
        fixed: &[
            "Action",
            "FunctionName",
            "Principal",
            "SourceAccount",
            "SourceArn",
        ],
        attributes: &["Id"],
        tagged: false,
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    // The CDK's bootstrap template has both, for accounts that want a key of their own.
    Kind {
        name: "AWS::KMS::Key",
        attributes: &["Arn", "KeyId"],
        create: |world, _| Ok(world.ids.uuid()),
        attribute: |world, resource, attribute| {
            let options = &world.options;
            Some(match attribute {
                "Arn" => json!(format!(
                    "arn:aws:kms:{}:{}:key/{}",
                    options.region, options.account_id, resource.physical
                )),
                _ => json!(resource.physical),
            })
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::KMS::Alias",
        fixed: &["AliasName"],
        named: Some("AliasName"),
        tagged: false,
        create: |world, request| Ok(name(world, request, "AliasName")),
        ..PLAIN
    },
    Kind {
        name: "AWS::Budgets::Budget",
        fixed: &["NotificationsWithSubscribers"],
        tagged: false,
        create: create_budget,
        delete: |world, resource| {
            budgets::delete(world, &resource.physical);
            Ok(true)
        },
        ..PLAIN
    },
];

/// CloudFormation's numbers are numbers, those of the API are texts.
fn create_budget(world: &mut World, request: &Request<'_>) -> Made {
    let mut budget = request.properties["Budget"].clone();
    let name = budget["BudgetName"].as_str().map(str::to_owned);
    let name = name.unwrap_or_else(|| generated(&mut world.ids, request.stack, request.logical));
    budget["BudgetName"] = json!(name);
    if let Some(amount) = number(&budget["BudgetLimit"], "Amount") {
        budget["BudgetLimit"]["Amount"] = json!(amount.to_string());
    }
    let input = json!({
        "AccountId": world.options.account_id,
        "Budget": budget,
        "NotificationsWithSubscribers": request.properties["NotificationsWithSubscribers"].as_array().cloned().unwrap_or_default(),
    });
    match world.call(Service::Budgets, "CreateBudget", &input) {
        Ok(_) => Ok(name),
        Err(error) => Err(Refusal::of(world, "Budgets", &error)),
    }
}
