//! What the next deploy of a fleet's stack would write over: the desired capacity in its template.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use serde_json::Value;

use super::live::Facts;
use crate::aws::Aws;
use crate::layout::{FleetId, Layout};

/// How many templates are read at once.
const CONCURRENT: usize = 4;

/// The desired capacity that the stack's template states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Deployed {
    /// It was not looked for.
    #[default]
    NotRead,
    /// The template could not be read: why.
    Unknown(String),
    /// What the template says; `None` when it leaves the capacity alone.
    States(Option<i64>),
}

/// Reads the templates of the fleets' stacks, each stack once.
pub(super) async fn read(aws: &Aws, layout: &Layout, fleets: &mut [(FleetId, Facts)]) {
    let mut stacks: Vec<String> = fleets.iter().map(|(id, _)| layout.fleet_stack(id)).collect();
    stacks.sort();
    stacks.dedup();
    let templates: BTreeMap<String, Result<Option<String>, String>> = stream::iter(stacks)
        .map(|stack| {
            Box::pin(async move {
                let template = aws.template(&stack).await.map_err(|error| error.to_string());
                (stack, template)
            })
        })
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    for (id, facts) in fleets {
        facts.deployed = match templates.get(&layout.fleet_stack(id)) {
            Some(Ok(Some(template))) => in_template(template, &facts.group.name),
            Some(Ok(None)) => Deployed::Unknown("there is no such stack".to_owned()),
            Some(Err(why)) => Deployed::Unknown(why.clone()),
            None => Deployed::NotRead,
        };
    }
}

/// The group of this name in a template, or the only group there is: a template may name its group by
/// a reference.
fn in_template(template: &str, group: &str) -> Deployed {
    let Ok(template) = serde_json::from_str::<Value>(template) else {
        return Deployed::Unknown("the template is not JSON".to_owned());
    };
    let groups: Vec<&Value> = template["Resources"]
        .as_object()
        .into_iter()
        .flat_map(|resources| resources.values())
        .filter(|resource| resource["Type"] == "AWS::AutoScaling::AutoScalingGroup")
        .collect();
    let named = groups
        .iter()
        .find(|resource| resource["Properties"]["AutoScalingGroupName"] == group);
    let found = match (named, &groups[..]) {
        (Some(resource), _) => resource,
        (None, [only]) => only,
        (None, _) => return Deployed::Unknown(format!("the template has no group `{group}`")),
    };
    // "CloudFormation ignores property differences related to your Auto Scaling group's MinSize, MaxSize and
    // DesiredCapacity properties during a stack update" (UpdatePolicy attribute, AutoScalingScheduledAction).
    let ignored = &found["UpdatePolicy"]["AutoScalingScheduledAction"]["IgnoreUnmodifiedGroupSizeProperties"];
    if *ignored == true || *ignored == "true" {
        return Deployed::States(None);
    }
    match &found["Properties"]["DesiredCapacity"] {
        Value::Null => Deployed::States(None),
        // CloudFormation takes a text; JSON templates may hold a number.
        stated => match stated
            .as_i64()
            .or_else(|| stated.as_str().and_then(|text| text.parse().ok()))
        {
            Some(desired) => Deployed::States(Some(desired)),
            None => Deployed::Unknown("the desired capacity in the template is no number".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stated(groups: &[(&str, Value)]) -> Deployed {
        let resources: serde_json::Map<String, Value> = groups
            .iter()
            .enumerate()
            .map(|(position, (name, desired))| {
                let properties = json!({"AutoScalingGroupName": name, "DesiredCapacity": desired});
                let resource =
                    json!({"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": properties});
                (format!("Group{position}"), resource)
            })
            .collect();
        in_template(&json!({"Resources": resources}).to_string(), "asg-a")
    }

    #[test]
    fn a_template_that_ignores_unmodified_sizes_leaves_the_capacity_alone() {
        for (ignored, expected) in [
            (json!(true), Deployed::States(None)),
            (json!("true"), Deployed::States(None)),
            (json!(false), Deployed::States(Some(1))),
        ] {
            let template = json!({"Resources": {"Group": {
                "Type": "AWS::AutoScaling::AutoScalingGroup",
                "Properties": {"DesiredCapacity": "1"},
                "UpdatePolicy": {"AutoScalingScheduledAction": {"IgnoreUnmodifiedGroupSizeProperties": ignored}},
            }}});
            assert_eq!(in_template(&template.to_string(), "asg-a"), expected);
        }
    }

    #[test]
    fn the_group_is_found_by_name_or_because_it_is_the_only_one() {
        let two = [("asg-b", json!("3")), ("asg-a", json!("0"))];
        assert_eq!(stated(&two), Deployed::States(Some(0)));
        assert_eq!(stated(&[("other", json!(2))]), Deployed::States(Some(2)));
        assert_eq!(stated(&[("asg-a", Value::Null)]), Deployed::States(None));
        assert!(matches!(stated(&[]), Deployed::Unknown(_)));
        let none = [("asg-b", json!("3")), ("asg-c", json!("0"))];
        assert!(matches!(stated(&none), Deployed::Unknown(_)));
        assert!(matches!(
            stated(&[("asg-a", json!({"Ref": "Size"}))]),
            Deployed::Unknown(_)
        ));
        assert!(matches!(
            in_template("Resources:\n", "asg-a"),
            Deployed::Unknown(_)
        ));
    }
}
