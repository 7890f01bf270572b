//! What an import takes into a stack ("Import AWS resources into a CloudFormation stack"; API Reference,
//! ResourceToImport): resources that are there, under names that the request gives. Nothing else may change with it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::document::Document;
use super::super::stack::Stack;
use super::super::{kinds, validation};
use crate::error::ApiError;
use crate::service::member::{list, text};

/// The physical ids of the resources to import, by their logical ids.
///
/// # Errors
/// A `ValidationError` for a request that is no import.
pub(super) fn of(
    document: &Document,
    input: &Value,
    before: Option<&Stack>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut imports = BTreeMap::new();
    for resource in list(input, "ResourcesToImport") {
        let logical = text(resource, "LogicalResourceId").unwrap_or_default();
        let kind = text(resource, "ResourceType").unwrap_or_default();
        imports.insert(logical.to_owned(), identifier(document, resource, logical, kind)?);
    }
    if imports.is_empty() {
        return Err(validation(
            "ResourcesToImport must be specified for a change set of type IMPORT.",
        ));
    }
    let has_policy = |logical: &str| document.attributes(logical).get("DeletionPolicy").is_some();
    let without: Vec<&str> = imports
        .keys()
        .map(String::as_str)
        .filter(|logical| !has_policy(logical))
        .collect();
    if !without.is_empty() {
        return Err(validation(format!(
            "Following resources to import [{}] must have DeletionPolicy attribute specified in the template.",
            without.join(", ")
        )));
    }
    let is_there = |logical: &str| before.is_some_and(|stack| stack.resource(logical).is_some());
    let added: Vec<&str> = document
        .logicals()
        .filter(|logical| !is_there(logical) && !imports.contains_key(*logical))
        .collect();
    if !added.is_empty() {
        return Err(validation(format!(
            "Resources [{}] is missing from ResourceToImport list",
            added.join(", ")
        )));
    }
    if let Some(known) = imports.keys().find(|logical| is_there(logical)) {
        return Err(validation(format!(
            "Resource [{known}] is already in the stack and cannot be imported."
        )));
    }
    let outputs = |document: &Document| document.0.get("Outputs").cloned().unwrap_or_default();
    let old = before.map(|stack| Document::parse(&stack.template).unwrap_or_default());
    if outputs(document) != old.as_ref().map(outputs).unwrap_or_default() {
        return Err(validation(
            "As part of the import operation, you cannot modify or add [Outputs]",
        ));
    }
    Ok(imports)
}

/// The value of the property that identifies resources of its kind.
fn identifier(document: &Document, resource: &Value, logical: &str, kind: &str) -> Result<String, ApiError> {
    if document.kind(logical) != kind {
        return Err(validation(format!(
            "Resource [{logical}] of type {kind} to import is not in the template."
        )));
    }
    let Some(property) = kinds::imported_by(kind) else {
        return Err(validation(format!(
            "ResourceTypes [{kind}] are not supported for Import"
        )));
    };
    let given = resource["ResourceIdentifier"].as_object();
    let value = given
        .and_then(|given| given.get(property))
        .and_then(Value::as_str);
    match (value, given.map(serde_json::Map::len)) {
        (Some(value), Some(1)) => Ok(value.to_owned()),
        _ => Err(validation(format!(
            "Resource [{logical}] of type {kind} is identified by [{property}]."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::tests::Cloud;
    use super::super::super::{find, resources};
    use super::*;

    const GROUP: &str = "/gpu-workers/kept";

    fn template() -> Value {
        json!({ "Resources": { "Logs": {
            "Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain",
            "Properties": { "LogGroupName": GROUP, "RetentionInDays": 7 },
        } } })
    }

    fn to_import(physical: &str) -> Value {
        json!([{ "ResourceType": "AWS::Logs::LogGroup", "LogicalResourceId": "Logs",
            "ResourceIdentifier": { "LogGroupName": physical } }])
    }

    fn request(stack: &str, template: &Value, resources: &Value) -> Value {
        json!({ "StackName": stack, "ChangeSetName": "i", "ChangeSetType": "IMPORT",
            "TemplateBody": template.to_string(), "ResourcesToImport": resources })
    }

    /// Imports, and answers the stack's status.
    fn import(cloud: &mut Cloud, stack: &str, template: &Value, physical: &str) -> String {
        cloud.get("CreateChangeSet", request(stack, template, &to_import(physical)));
        cloud.wait(10);
        let named = json!({ "StackName": stack, "ChangeSetName": "i" });
        let set = cloud.get("DescribeChangeSet", named.clone());
        assert_eq!(set["Status"], "CREATE_COMPLETE", "{set}");
        let change = &set["Changes"][0]["ResourceChange"];
        assert_eq!(
            (&change["Action"], &change["PhysicalResourceId"]),
            (&json!("Import"), &json!(physical))
        );
        cloud.get("ExecuteChangeSet", named.clone());
        cloud.settle(stack);
        cloud.get("DeleteChangeSet", named);
        find(&cloud.0, stack).unwrap().status.to_owned()
    }

    /// A stack that kept its log group, and is gone.
    fn kept() -> Cloud {
        let mut cloud = Cloud::new();
        assert_eq!(cloud.deploy("old", "CREATE", &template()), "CREATE_COMPLETE");
        cloud.get("DeleteStack", json!({ "StackName": "old" }));
        cloud.wait(120);
        cloud
    }

    #[test]
    fn what_outlived_its_stack_is_taken_into_another_one_and_stays_what_it_is() {
        let mut cloud = kept();
        assert_eq!(import(&mut cloud, "new", &template(), GROUP), "IMPORT_COMPLETE");
        let told = cloud.last("new");
        assert!(told.contains(&"Logs IMPORT_COMPLETE".to_owned()), "{told:?}");
        let owners: Vec<&str> = resources(&cloud.0)
            .filter(|(_, resource)| resource.physical == GROUP)
            .map(|(stack, _)| stack)
            .collect();
        assert_eq!(owners, ["new"]);
        // From now on it is the stack's like any other.
        let mut more = template();
        more["Resources"]["Logs"]["Properties"]["RetentionInDays"] = json!(30);
        more["Outputs"] = json!({ "Name": { "Value": { "Ref": "Logs" } } });
        assert_eq!(cloud.deploy("new", "UPDATE", &more), "UPDATE_COMPLETE");
    }

    #[test]
    fn an_import_does_nothing_else() {
        let mut cloud = kept();
        let refuse = |cloud: &mut Cloud, template: &Value, resources: &Value| {
            cloud
                .refused("CreateChangeSet", request("new", template, resources))
                .1
        };
        let resources = to_import(GROUP);
        let mut without = template();
        without["Resources"]["Logs"]
            .as_object_mut()
            .unwrap()
            .remove("DeletionPolicy");
        assert!(refuse(&mut cloud, &without, &resources).contains("[Logs] must have DeletionPolicy"));
        let mut more = template();
        more["Resources"]["Other"] = json!({ "Type": "AWS::Logs::LogGroup" });
        assert!(refuse(&mut cloud, &more, &resources).contains("[Other] is missing from ResourceToImport"));
        let mut outputs = template();
        outputs["Outputs"] = json!({ "Name": { "Value": "x" } });
        assert!(refuse(&mut cloud, &outputs, &resources).contains("modify or add [Outputs]"));
        assert!(refuse(&mut cloud, &template(), &json!([])).contains("ResourcesToImport"));
        let alarm = json!([{ "ResourceType": "AWS::Lambda::Function", "LogicalResourceId": "Logs",
            "ResourceIdentifier": { "FunctionName": "f" } }]);
        assert!(refuse(&mut cloud, &template(), &alarm).contains("not in the template"));
        let by_arn = json!([{ "ResourceType": "AWS::Logs::LogGroup", "LogicalResourceId": "Logs",
            "ResourceIdentifier": { "Arn": "a" } }]);
        assert!(refuse(&mut cloud, &template(), &by_arn).contains("identified by [LogGroupName]"));
    }

    #[test]
    fn what_changes_beside_the_import_fails_the_change_set() {
        let mut cloud = kept();
        let mut both = json!({ "Resources": { "Queue": { "Type": "AWS::Logs::LogGroup",
            "Properties": { "LogGroupName": "/other", "RetentionInDays": 7 } } } });
        assert_eq!(cloud.deploy("new", "CREATE", &both), "CREATE_COMPLETE");
        both["Resources"]["Queue"]["Properties"]["RetentionInDays"] = json!(30);
        both["Resources"]["Logs"] = template()["Resources"]["Logs"].clone();
        cloud.get("CreateChangeSet", request("new", &both, &to_import(GROUP)));
        cloud.wait(10);
        let set = cloud.get(
            "DescribeChangeSet",
            json!({ "StackName": "new", "ChangeSetName": "i" }),
        );
        assert_eq!(set["Status"], "FAILED");
        let reason = set["StatusReason"].as_str().unwrap();
        assert!(
            reason.starts_with("You have modified resources [Queue]"),
            "{reason}"
        );
    }

    #[test]
    fn what_is_not_there_or_anothers_is_not_imported() {
        let mut cloud = kept();
        let mut none = template();
        none["Resources"]["Logs"]["Properties"]["LogGroupName"] = json!("/none");
        assert_eq!(
            import(&mut cloud, "new", &none, "/none"),
            "IMPORT_ROLLBACK_COMPLETE"
        );
        let told = cloud.last("new");
        assert!(told.iter().any(|line| line.contains("was not found")), "{told:?}");
        assert!(find(&cloud.0, "new").unwrap().resource("Logs").is_none());
        assert_eq!(import(&mut cloud, "one", &template(), GROUP), "IMPORT_COMPLETE");
        assert_eq!(
            import(&mut cloud, "two", &template(), GROUP),
            "IMPORT_ROLLBACK_COMPLETE"
        );
        let told = cloud.last("two");
        assert!(
            told.iter().any(|line| line.contains("already exists in stack")),
            "{told:?}"
        );
    }
}
