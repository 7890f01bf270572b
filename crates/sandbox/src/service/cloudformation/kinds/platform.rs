//! What else the platform's stacks consist of: functions, the budget, and what CDK adds.

use serde_json::json;

use super::read::name;
use super::{Kind, PLAIN};

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
        ..PLAIN
    },
];
