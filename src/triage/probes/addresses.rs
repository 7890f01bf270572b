//! Where workers are told to find the backend: the user data in the deployed templates of the fleets' stacks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use futures::future::{try_join, try_join_all};
use serde_json::Value;

use crate::aws::Aws;
use crate::error::Result;
use crate::layout::Layout;
use crate::triage::snapshot::{Addresses, FleetGroup};

/// How many stacks' templates are read: those of the fleets with the most instances.
const STACKS: usize = 10;

/// The variable that workers read, in the file that the user data write.
const VARIABLE: &str = "API_BASE_URL=";

/// The output of the compute stack that says where the platform is.
const OUTPUT: &str = "ApiBaseUrl";

/// Stands for what a template takes from somewhere that was not read.
const UNKNOWN: char = '\u{fffd}';

/// The platform's address and those in the launch templates of the fleets.
pub(super) async fn read(aws: &Aws, layout: &Layout, groups: &[FleetGroup]) -> Result<Addresses> {
    let Some(compute) = layout.core_stack("compute").filter(|_| !groups.is_empty()) else {
        return Ok(Addresses::default());
    };
    let mut busiest: Vec<&FleetGroup> = groups.iter().collect();
    busiest.sort_by_key(|group| Reverse((group.instances.len(), group.desired)));
    let mut seen = BTreeSet::new();
    let stacks: Vec<String> = busiest
        .iter()
        .map(|group| layout.fleet_stack(&group.fleet))
        .filter(|stack| seen.insert(stack.clone()))
        .take(STACKS)
        .collect();
    let templates = try_join_all(
        stacks
            .iter()
            .map(async |stack| Ok((stack, aws.template(stack).await?))),
    );
    let (compute, templates) = try_join(aws.stack(&compute), templates).await?;
    let Some(compute) = compute else {
        return Ok(Addresses::default());
    };
    let mut fleets = BTreeMap::new();
    for (stack, template) in templates {
        let Some(template) = template.and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
            continue;
        };
        for group in groups {
            if layout.fleet_stack(&group.fleet) == *stack
                && let Some(address) =
                    address(&template, &layout.launch_template(&group.fleet), &compute.exports)
            {
                fleets.insert(group.fleet.clone(), address);
            }
        }
    }
    Ok(Addresses {
        platform: compute.outputs.get(OUTPUT).cloned(),
        fleets,
    })
}

/// The address that the user data of a launch template hand to the worker; `None` where they hand over none, or
/// one that cannot be told from the template alone.
fn address(template: &Value, launch_template: &str, exports: &BTreeMap<String, String>) -> Option<String> {
    let data = template["Resources"]
        .as_object()?
        .values()
        .filter(|resource| resource["Type"] == "AWS::EC2::LaunchTemplate")
        .find(|resource| resource["Properties"]["LaunchTemplateName"] == launch_template)?;
    let script = text(&data["Properties"]["LaunchTemplateData"]["UserData"], exports);
    let (_, rest) = script.split_once(VARIABLE)?;
    let value = rest.lines().next()?.trim();
    let value = value.trim_matches(['"', '\'']);
    (!value.is_empty() && !value.contains([UNKNOWN, '$'])).then(|| value.to_owned())
}

/// What an expression of a template comes to (CloudFormation, "Intrinsic function reference").
fn text(value: &Value, exports: &BTreeMap<String, String>) -> String {
    let unknown = || UNKNOWN.to_string();
    let function = match value {
        Value::String(text) => return text.clone(),
        Value::Object(members) if members.len() == 1 => members.iter().next(),
        _ => None,
    };
    match function.map(|(name, of)| (name.as_str(), of)) {
        Some(("Fn::Base64", of)) => text(of, exports),
        Some(("Fn::Join", of)) => {
            let separator = of[0].as_str().unwrap_or_default();
            let parts: Vec<String> = of[1]
                .as_array()
                .into_iter()
                .flatten()
                .map(|part| text(part, exports))
                .collect();
            parts.join(separator)
        }
        Some(("Fn::ImportValue", Value::String(name))) => exports.get(name).cloned().unwrap_or_else(unknown),
        _ => unknown(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(user_data: &Value) -> Option<String> {
        let template = json!({ "Resources": {
            "Other": { "Type": "AWS::EC2::LaunchTemplate", "Properties": { "LaunchTemplateName": "lt-other" } },
            "Lt": { "Type": "AWS::EC2::LaunchTemplate", "Properties": {
                "LaunchTemplateName": "lt-production-x",
                "LaunchTemplateData": { "UserData": user_data },
            } },
        } });
        let exports = BTreeMap::from([("bp-compute:Dns".to_owned(), "bp-1.elb.amazonaws.com".to_owned())]);
        address(&template, "lt-production-x", &exports)
    }

    #[test]
    fn an_address_that_is_put_together_is_read() {
        let join = |parts: Value| json!({ "Fn::Base64": { "Fn::Join": ["", parts] } });
        let import = json!({ "Fn::ImportValue": "bp-compute:Dns" });
        assert_eq!(
            of(&join(json!([
                "cat <<EOF\nAPI_BASE_URL=\"http://",
                import,
                "\"\nA=1\n"
            ])))
            .as_deref(),
            Some("http://bp-1.elb.amazonaws.com")
        );
        assert_eq!(
            of(&json!({ "Fn::Base64": "API_BASE_URL=https://bp.example.com\n" })).as_deref(),
            Some("https://bp.example.com")
        );
    }

    #[test]
    fn what_the_template_does_not_tell_is_not_known() {
        let join =
            |part: Value| json!({ "Fn::Base64": { "Fn::Join": ["", ["API_BASE_URL=http://", part]] } });
        assert_eq!(of(&join(json!({ "Fn::ImportValue": "other:Dns" }))), None);
        assert_eq!(of(&join(json!({ "Fn::GetAtt": ["Alb", "DNSName"] }))), None);
        assert_eq!(of(&json!({ "Fn::Base64": "API_BASE_URL=$URL\n" })), None);
        assert_eq!(of(&json!({ "Fn::Base64": "echo nothing" })), None);
    }
}
