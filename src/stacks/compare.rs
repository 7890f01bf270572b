//! What a template would change, compared with the one that is deployed.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kinds;

/// What the new template does to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Change {
    /// Its name in the template.
    pub(crate) resource: String,
    /// E.g. `AWS::ECS::Service`.
    pub(crate) kind: String,
    pub(crate) action: Action,
    /// Names of the properties that differ; empty unless it is modified.
    pub(crate) properties: Vec<String>,
    /// Unless it is modified, `no`.
    pub(crate) replacement: Replacement,
    /// Whether the account keeps it when it goes: its `DeletionPolicy`, or `UpdateReplacePolicy`.
    pub(crate) kept: bool,
    /// What is kept of it is a last snapshot that CloudFormation takes; the resource itself goes.
    pub(crate) as_snapshot: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    Add,
    Modify,
    Remove,
}

/// Whether a new resource takes the place of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Replacement {
    No,
    Yes,
    /// The value of such a property refers to another resource, or the type is not known here.
    Perhaps,
}

/// All differences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Comparison {
    pub(crate) changes: Vec<Change>,
    /// Outputs that differ, by key.
    pub(crate) outputs: Vec<String>,
    /// Other parts that differ, such as `Parameters`.
    pub(crate) other: Vec<String>,
}

impl Comparison {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.outputs.is_empty() && self.other.is_empty()
    }
}

impl Change {
    fn keep(&mut self, shape: &Value, policy: &str) {
        self.kept = keeps(shape, policy);
        self.as_snapshot = shape[policy] == "Snapshot";
    }

    /// What is lost for good, if anything.
    pub(crate) fn loses(&self) -> Option<&'static str> {
        let goes = self.action == Action::Remove || self.replacement != Replacement::No;
        if goes && !self.kept {
            kinds::holds(&self.kind)
        } else {
            None
        }
    }

    /// In one line: `+ Logs (AWS::Logs::LogGroup)`.
    pub(crate) fn line(&self) -> String {
        let sign = match self.action {
            Action::Add => '+',
            Action::Modify => '~',
            Action::Remove => '-',
        };
        let mut line = format!("{sign} {} ({})", self.resource, self.kind);
        if !self.properties.is_empty() {
            line.push_str(&format!(": {}", self.properties.join(", ")));
        }
        match self.replacement {
            Replacement::No => {}
            Replacement::Yes => line.push_str("; is replaced"),
            Replacement::Perhaps => line.push_str("; may be replaced"),
        }
        if self.kept && (self.action == Action::Remove || self.replacement != Replacement::No) {
            line.push_str(match self.as_snapshot {
                true => "; a last snapshot of it stays in the account",
                false => "; the old one stays in the account",
            });
        }
        line
    }
}

/// What `new` changes. Both are whole templates; `old` is null for a stack that is not there.
///
/// Metadata of the CDK is left out: it changes nothing. A resource whose text is the same is among the changes when it
/// refers to one that is replaced, or to an attribute of one that changes.
pub(crate) fn compare(old: &Value, new: &Value) -> Comparison {
    let mut changes: Vec<Change> = keys(old, new, "Resources")
        .into_iter()
        .filter_map(|name| resource(name, &old["Resources"][name], &new["Resources"][name]))
        .collect();
    while let Some(change) = following(old, new, &changes) {
        changes.push(change);
    }
    changes.sort_by(|one, other| (one.action, &one.resource).cmp(&(other.action, &other.resource)));
    let outputs = keys(old, new, "Outputs")
        .into_iter()
        .filter(|name| old["Outputs"][*name] != new["Outputs"][*name])
        .map(str::to_owned)
        .collect();
    let other = ["Conditions", "Mappings", "Parameters", "Transform"]
        .into_iter()
        .filter(|part| plain(old, part) != plain(new, part))
        .map(str::to_owned)
        .collect();
    Comparison {
        changes,
        outputs,
        other: if old.is_null() { Vec::new() } else { other },
    }
}

/// A part of a template without what the CDK adds to every one.
fn plain(template: &Value, part: &str) -> Value {
    let mut value = template[part].clone();
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "BootstrapVersion" | "CDKMetadataAvailable"));
        if members.is_empty() {
            return Value::Null;
        }
    }
    value
}

fn keys<'a>(old: &'a Value, new: &'a Value, part: &str) -> BTreeSet<&'a str> {
    let of = |template: &'a Value| template[part].as_object().into_iter().flatten();
    of(old).chain(of(new)).map(|(name, _)| name.as_str()).collect()
}

fn resource(name: &str, before: &Value, after: &Value) -> Option<Change> {
    let (action, shape) = match (before.is_null(), after.is_null()) {
        (true, _) => (Action::Add, after),
        (false, true) => (Action::Remove, before),
        (false, false) => (Action::Modify, after),
    };
    let kind = shape["Type"].as_str().unwrap_or_default();
    if kind == "AWS::CDK::Metadata" {
        return None;
    }
    let mut change = Change {
        resource: name.to_owned(),
        kind: kind.to_owned(),
        action,
        properties: Vec::new(),
        replacement: Replacement::No,
        kept: false,
        as_snapshot: false,
    };
    match action {
        Action::Add => {}
        Action::Remove => change.keep(before, "DeletionPolicy"),
        Action::Modify if before["Type"] != after["Type"] => {
            change.properties.push("Type".to_owned());
            change.replacement = Replacement::Yes;
            change.keep(before, "UpdateReplacePolicy");
        }
        Action::Modify => {
            change.keep(after, "UpdateReplacePolicy");
            for property in differing(&before["Properties"], &after["Properties"], &[]) {
                let computed = after["Properties"][&property].is_object();
                let replaced = replacement_by(kind, &property, computed);
                change.replacement = change.replacement.or(replaced);
                change.properties.push(property);
            }
            change.properties.extend(differing(before, after, BESIDES));
            if change.properties.is_empty() {
                return None;
            }
        }
    }
    Some(change)
}

/// Parts of a resource that are no change of it by themselves.
const BESIDES: &[&str] = &["DependsOn", "Metadata", "Properties", "Type"];

/// Whether the resource outlives its place in the template. Without a word RDS makes a snapshot of a cluster, and the
/// CDK's templates always say it for an instance.
fn keeps(shape: &Value, policy: &str) -> bool {
    matches!(
        shape[policy].as_str(),
        Some("Retain" | "RetainExceptOnCreate" | "Snapshot")
    )
}

/// Names of members that differ.
fn differing(before: &Value, after: &Value, besides: &[&str]) -> Vec<String> {
    let of = |value: &'_ Value| value.as_object().cloned().unwrap_or_default();
    let (before, after) = (of(before), of(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| !besides.contains(&name.as_str()) && before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

fn replacement_by(kind: &str, property: &str, computed: bool) -> Replacement {
    match kinds::replacing(kind) {
        None => Replacement::Perhaps,
        Some(replacing) if !replacing.contains(&property) => Replacement::No,
        // An intrinsic function may come to the same value as before.
        Some(_) if computed => Replacement::Perhaps,
        Some(_) => Replacement::Yes,
    }
}

impl Replacement {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Perhaps, _) | (_, Self::Perhaps) => Self::Perhaps,
            (Self::No, Self::No) => Self::No,
        }
    }
}

/// A resource whose text is the same and whose values are not, because of `changes`.
fn following(old: &Value, new: &Value, changes: &[Change]) -> Option<Change> {
    let same = new["Resources"].as_object()?.iter().filter(|(name, _)| {
        !old["Resources"][name.as_str()].is_null() && !changes.iter().any(|change| change.resource == **name)
    });
    for (name, shape) in same {
        let kind = shape["Type"].as_str().unwrap_or_default();
        let mut found = Vec::new();
        let mut replacement = Replacement::No;
        for (property, value) in shape["Properties"].as_object().into_iter().flatten() {
            let moved = changes.iter().any(|change| {
                let replaced = change.replacement != Replacement::No;
                (replaced && refers(value, &change.resource)) || reads(value, &change.resource)
            });
            if moved {
                replacement = replacement.or(replacement_by(kind, property, true));
                found.push(property.clone());
            }
        }
        if !found.is_empty() {
            return Some(Change {
                resource: name.clone(),
                kind: kind.to_owned(),
                action: Action::Modify,
                properties: found,
                replacement,
                kept: keeps(shape, "UpdateReplacePolicy"),
                as_snapshot: shape["UpdateReplacePolicy"] == "Snapshot",
            });
        }
    }
    None
}

/// Whether a value names another resource in any way.
pub(super) fn refers(value: &Value, resource: &str) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| match (name.as_str(), member) {
                ("Ref", Value::String(text)) => text == resource,
                ("Fn::Sub", Value::String(text)) => {
                    text.contains(&format!("${{{resource}}}")) || text.contains(&format!("${{{resource}."))
                }
                _ => refers(member, resource),
            }),
        Value::Array(items) => items.iter().any(|item| refers(item, resource)) || reads(value, resource),
        _ => reads(value, resource),
    }
}

/// Whether a value reads an attribute of another resource.
fn reads(value: &Value, resource: &str) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| match (name.as_str(), member) {
                ("Fn::GetAtt", Value::Array(items)) => items.first().is_some_and(|first| first == resource),
                ("Fn::GetAtt", Value::String(text)) => text.split('.').next() == Some(resource),
                ("Fn::Sub", Value::String(text)) => text.contains(&format!("${{{resource}.")),
                _ => reads(member, resource),
            }),
        Value::Array(items) => items.iter().any(|item| reads(item, resource)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(old: &Value, new: &Value) -> Vec<String> {
        let comparison = compare(old, new);
        comparison.changes.iter().map(Change::line).collect()
    }

    fn of(resources: Value) -> Value {
        json!({ "Resources": resources })
    }

    #[test]
    fn added_changed_and_removed_resources_are_told() {
        let old = of(json!({
            "Gone": { "Type": "AWS::SNS::Topic" },
            "Kept": { "Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain" },
            "Alarm": { "Type": "AWS::CloudWatch::Alarm", "Properties": { "AlarmName": "a", "Threshold": 1 } },
            "CDKMetadata": { "Type": "AWS::CDK::Metadata", "Properties": { "Analytics": "1" } },
            "Same": { "Type": "AWS::SNS::Topic", "Metadata": { "aws:cdk:path": "a" } },
        }));
        let new = of(json!({
            "New": { "Type": "AWS::Logs::LogGroup" },
            "Alarm": { "Type": "AWS::CloudWatch::Alarm", "Properties": { "AlarmName": "a", "Threshold": 2 } },
            "CDKMetadata": { "Type": "AWS::CDK::Metadata", "Properties": { "Analytics": "2" } },
            "Same": { "Type": "AWS::SNS::Topic", "Metadata": { "aws:cdk:path": "b" } },
        }));
        assert_eq!(
            lines(&old, &new),
            [
                "+ New (AWS::Logs::LogGroup)",
                "~ Alarm (AWS::CloudWatch::Alarm): Threshold",
                "- Gone (AWS::SNS::Topic)",
                "- Kept (AWS::S3::Bucket); the old one stays in the account",
            ]
        );
        assert!(compare(&new, &new).is_empty());
    }

    #[test]
    fn a_replacement_is_told_and_so_is_what_goes_with_it() {
        let database = |identifier: &str, policy: Value| {
            let mut shape = json!({
                "Type": "AWS::RDS::DBInstance",
                "Properties": { "DBInstanceIdentifier": identifier, "AllocatedStorage": "20" },
            });
            if !policy.is_null() {
                shape["UpdateReplacePolicy"] = policy;
            }
            of(json!({ "Db": shape }))
        };
        let lost = compare(&database("a", Value::Null), &database("b", Value::Null));
        assert_eq!(lost.changes[0].replacement, Replacement::Yes);
        assert_eq!(lost.changes[0].loses(), Some("the databases in it"));
        let kept = compare(&database("a", "Retain".into()), &database("b", "Retain".into()));
        assert_eq!(kept.changes[0].loses(), None);
        // A type that is not known here may be replaced by any change.
        let old = of(json!({ "X": { "Type": "AWS::New::Thing", "Properties": { "A": 1 } } }));
        let new = of(json!({ "X": { "Type": "AWS::New::Thing", "Properties": { "A": 2 } } }));
        assert_eq!(compare(&old, &new).changes[0].replacement, Replacement::Perhaps);
    }

    #[test]
    fn what_refers_to_a_changed_resource_changes_with_it() {
        let with = |image: &str| {
            of(json!({
                "Template": { "Type": "AWS::EC2::LaunchTemplate", "Properties": { "LaunchTemplateData": { "ImageId": image } } },
                "Group": { "Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {
                    "LaunchTemplate": { "LaunchTemplateId": { "Ref": "Template" }, "Version": { "Fn::GetAtt": ["Template", "LatestVersionNumber"] } },
                } },
                "Policy": { "Type": "AWS::AutoScaling::ScalingPolicy", "Properties": { "AutoScalingGroupName": { "Ref": "Group" } } },
            }))
        };
        assert_eq!(
            lines(&with("a"), &with("b")),
            [
                "~ Group (AWS::AutoScaling::AutoScalingGroup): LaunchTemplate",
                "~ Template (AWS::EC2::LaunchTemplate): LaunchTemplateData",
            ]
        );
        let named = |name: &str| {
            of(json!({
                "Group": { "Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": { "AutoScalingGroupName": name } },
                "Policy": { "Type": "AWS::AutoScaling::ScalingPolicy", "Properties": { "AutoScalingGroupName": { "Ref": "Group" } } },
            }))
        };
        assert_eq!(
            lines(&named("a"), &named("b")),
            [
                "~ Group (AWS::AutoScaling::AutoScalingGroup): AutoScalingGroupName; is replaced",
                "~ Policy (AWS::AutoScaling::ScalingPolicy): AutoScalingGroupName; may be replaced",
            ]
        );
    }

    #[test]
    fn a_new_stack_adds_everything() {
        let new = json!({
            "Resources": { "A": { "Type": "AWS::SNS::Topic" } },
            "Parameters": { "BootstrapVersion": { "Type": "String" } },
            "Outputs": { "O": { "Value": 1 } },
        });
        let comparison = compare(&Value::Null, &new);
        assert_eq!(comparison.changes.len(), 1);
        assert_eq!(comparison.outputs, ["O"]);
        assert!(comparison.other.is_empty());
    }
}
