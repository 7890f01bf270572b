//! Resources that are there already, as an import takes them into a stack (CloudFormation User Guide, "Import AWS
//! resources into a CloudFormation stack"): by which property each is identified, and the template of the import.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::assembly::Environment;

/// The property that identifies resources of a kind ("Resource type support"; `primaryIdentifier` of its schema).
const IDENTIFIED: &[(&str, &str)] = &[
    ("AWS::ECR::Repository", "RepositoryName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::RDS::DBInstance", "DBInstanceIdentifier"),
    ("AWS::RDS::DBSubnetGroup", "DBSubnetGroupName"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::SSM::Parameter", "Name"),
    ("AWS::SecretsManager::Secret", "Id"),
];

/// Parts of a template that an import may take over; outputs it may neither add nor change.
const PARTS: &[&str] = &["Parameters", "Mappings", "Conditions", "Rules"];

/// The property by which an import names resources of a kind; `None` for a kind that is not known here.
pub(crate) fn identified_by(kind: &str) -> Option<&'static str> {
    let mut known = IDENTIFIED.iter();
    known
        .find(|(name, _)| *name == kind)
        .map(|(_, property)| *property)
}

/// The value of a property, where the template alone says it for this account and region.
pub(crate) fn fixed(value: &Value, here: Environment<'_>) -> Option<String> {
    let pseudo = |name: &str| match name {
        "AWS::AccountId" => Some(here.account.to_owned()),
        "AWS::Region" => Some(here.region.to_owned()),
        "AWS::Partition" => Some(here.partition.to_owned()),
        _ => None,
    };
    let members = match value {
        Value::String(text) => return Some(text.clone()),
        Value::Object(members) if members.len() == 1 => members,
        _ => return None,
    };
    let (function, argument) = members.iter().next()?;
    match (function.as_str(), argument) {
        ("Ref", Value::String(name)) => pseudo(name),
        ("Fn::Sub", Value::String(text)) => {
            let mut out = String::new();
            let mut rest = text.as_str();
            while let Some((before, after)) = rest.split_once("${") {
                let (name, behind) = after.split_once('}')?;
                out.push_str(before);
                out.push_str(&pseudo(name)?);
                rest = behind;
            }
            out.push_str(rest);
            Some(out)
        }
        ("Fn::Join", Value::Array(parts)) => {
            let [Value::String(between), Value::Array(texts)] = parts.as_slice() else {
                return None;
            };
            let texts: Option<Vec<String>> = texts.iter().map(|text| fixed(text, here)).collect();
            Some(texts?.join(between))
        }
        _ => None,
    }
}

/// A template that takes resources in, and what it lacks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImportTemplate {
    pub(crate) template: Value,
    /// Resources that the imported ones refer to and that the stack does not have.
    pub(crate) missing: BTreeSet<String>,
    /// Imported resources to which a `DeletionPolicy` was given, because the import asks for one.
    pub(crate) retained: Vec<String>,
}

/// The template of an import: that of the stack as it is (null for a new one), and the resources of `new` with these
/// logical ids. Nothing else may change with it.
pub(crate) fn import_template(deployed: &Value, new: &Value, logicals: &[&str]) -> ImportTemplate {
    let mut template = match deployed {
        Value::Object(_) => deployed.clone(),
        _ => {
            let mut fresh = new.clone();
            fresh["Resources"] = json!({});
            if let Some(members) = fresh.as_object_mut() {
                members.remove("Outputs");
            }
            fresh
        }
    };
    for part in PARTS {
        for (name, member) in new[*part].as_object().into_iter().flatten() {
            if template[*part].get(name).is_none() {
                template[*part][name.as_str()] = member.clone();
            }
        }
    }
    let mut retained = Vec::new();
    for logical in logicals {
        let mut resource = new["Resources"][*logical].clone();
        if resource.get("DeletionPolicy").is_none() && resource.is_object() {
            resource["DeletionPolicy"] = json!("Retain");
            retained.push((*logical).to_owned());
        }
        template["Resources"][*logical] = resource;
    }
    let mut named = BTreeSet::new();
    for logical in logicals {
        references(&template["Resources"][*logical], &mut named);
    }
    let is_known = |name: &String| {
        name.starts_with("AWS::")
            || template["Resources"].get(name).is_some()
            || template["Parameters"].get(name).is_some()
    };
    named.retain(|name| !is_known(name));
    ImportTemplate {
        template,
        missing: named,
        retained,
    }
}

/// The names that a resource refers to: `Ref`, `Fn::GetAtt`, `Fn::Sub` and `DependsOn`.
fn references(resource: &Value, names: &mut BTreeSet<String>) {
    match &resource["DependsOn"] {
        Value::String(one) => {
            names.insert(one.clone());
        }
        Value::Array(all) => names.extend(all.iter().filter_map(|one| one.as_str().map(str::to_owned))),
        _ => {}
    }
    values(&resource["Properties"], names);
}

fn values(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, member)| function(name, member, members, names)),
        Value::Array(items) => items.iter().for_each(|item| values(item, names)),
        _ => {}
    }
}

fn function(name: &str, member: &Value, members: &Map<String, Value>, names: &mut BTreeSet<String>) {
    let first = |text: &str| text.split('.').next().unwrap_or_default().to_owned();
    match (members.len(), name, member) {
        (1, "Ref", Value::String(text)) => {
            names.insert(text.clone());
        }
        (1, "Fn::GetAtt", Value::String(text)) => {
            names.insert(first(text));
        }
        (1, "Fn::GetAtt", Value::Array(parts)) => {
            names.extend(parts.first().and_then(Value::as_str).map(str::to_owned));
        }
        (1, "Fn::Sub", Value::String(text)) => substituted(text, &Value::Null, names),
        (1, "Fn::Sub", Value::Array(parts)) => {
            let given = parts.get(1).unwrap_or(&Value::Null);
            substituted(
                parts.first().and_then(Value::as_str).unwrap_or_default(),
                given,
                names,
            );
            values(given, names);
        }
        _ => values(member, names),
    }
}

/// The names in `${…}` that the function itself does not explain; `${!…}` is no name.
fn substituted(text: &str, given: &Value, names: &mut BTreeSet<String>) {
    let inside = text.split("${").skip(1).filter_map(|part| part.split_once('}'));
    let found = inside
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with('!') && given.get(name).is_none());
    names.extend(found.map(|name| name.split('.').next().unwrap_or_default().to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Environment<'static> = Environment {
        partition: "aws",
        account: "123456789012",
        region: "us-east-1",
    };

    #[test]
    fn a_name_is_fixed_where_the_template_alone_says_it() {
        for (value, name) in [
            (json!("/gpu-workers/a"), Some("/gpu-workers/a")),
            (
                json!({ "Fn::Sub": "bp-media-${AWS::AccountId}" }),
                Some("bp-media-123456789012"),
            ),
            (
                json!({ "Fn::Join": ["-", ["bp", { "Ref": "AWS::Region" }]] }),
                Some("bp-us-east-1"),
            ),
            (json!({ "Ref": "Name" }), None),
            (json!({ "Fn::Sub": "bp-${Stage}" }), None),
            (json!({ "Fn::GetAtt": ["A", "B"] }), None),
            (Value::Null, None),
        ] {
            assert_eq!(fixed(&value, HERE).as_deref(), name, "{value}");
        }
    }

    fn new() -> Value {
        json!({
            "Description": "d",
            "Metadata": { "bpctl": {} },
            "Parameters": { "Days": { "Type": "Number", "Default": 7 } },
            "Resources": {
                "Logs": { "Type": "AWS::Logs::LogGroup", "Properties": { "RetentionInDays": { "Ref": "Days" } } },
                "Kept": { "Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate" },
                "Database": { "Type": "AWS::RDS::DBInstance", "DependsOn": "Role", "Properties": {
                    "DBSubnetGroupName": { "Ref": "Subnets" },
                    "MasterUserPassword": { "Fn::Sub": ["{{resolve:${Secret}:${Key}}}", { "Key": { "Fn::GetAtt": "Key.Id" } }] },
                    "VPCSecurityGroups": [{ "Fn::GetAtt": ["Group", "GroupId"] }],
                    "Tags": [{ "Key": "Region", "Value": { "Ref": "AWS::Region" } }],
                } },
            },
            "Outputs": { "Name": { "Value": { "Ref": "Logs" } } },
        })
    }

    #[test]
    fn a_new_stack_begins_with_what_is_imported_and_without_outputs() {
        let made = import_template(&Value::Null, &new(), &["Logs", "Kept"]);
        assert!(made.missing.is_empty(), "{:?}", made.missing);
        assert_eq!(made.retained, ["Logs"]);
        let names: BTreeSet<&String> = made.template["Resources"].as_object().unwrap().keys().collect();
        assert!(
            names.iter().map(|name| name.as_str()).eq(["Kept", "Logs"]),
            "{names:?}"
        );
        assert_eq!(made.template["Resources"]["Logs"]["DeletionPolicy"], "Retain");
        assert_eq!(
            made.template["Resources"]["Kept"]["DeletionPolicy"],
            "RetainExceptOnCreate"
        );
        assert!(made.template.get("Outputs").is_none());
        assert_eq!(made.template["Metadata"], new()["Metadata"]);
    }

    #[test]
    fn a_stack_that_is_there_stays_what_it_is_but_for_the_import() {
        let deployed = json!({
            "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } },
            "Outputs": { "Old": { "Value": "x" } },
        });
        let made = import_template(&deployed, &new(), &["Logs"]);
        assert_eq!(
            made.template["Resources"]["Topic"],
            deployed["Resources"]["Topic"]
        );
        assert_eq!(made.template["Outputs"], deployed["Outputs"]);
        assert!(made.template["Parameters"].get("Days").is_some());
    }

    #[test]
    fn what_is_referred_to_and_not_there_is_named() {
        let made = import_template(&Value::Null, &new(), &["Database"]);
        let missing: Vec<&str> = made.missing.iter().map(String::as_str).collect();
        assert_eq!(missing, ["Group", "Key", "Role", "Secret", "Subnets"]);
    }
}
