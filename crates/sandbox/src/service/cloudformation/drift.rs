//! Drift detection: what was changed by hand since a stack was deployed.

use std::time::Duration;

use serde_json::{Value, json};

use super::stack::Stack;
use super::{Resource, find, validation};
use crate::error::{ApiError, OpResult};
use crate::service::member::{present, text, texts};
use crate::service::{cloudwatch, ec2};
use crate::time::SimTime;
use crate::world::World;

/// Looking takes about this long for each resource that can drift.
const EACH: Duration = Duration::from_secs(2);

/// A comparison that was asked for.
#[derive(Debug)]
pub(super) struct Detection {
    id: String,
    stack: String,
    ends: SimTime,
    /// Only these, unless empty.
    resources: Vec<String>,
}

fn stack<'a>(world: &'a World, input: &Value) -> Result<&'a Stack, ApiError> {
    let name = text(input, "StackName").unwrap_or_default();
    find(world, name).ok_or_else(|| validation(format!("Stack [{name}] does not exist")))
}

pub(super) fn detect(world: &mut World, input: &Value) -> OpResult {
    let stack = stack(world, input)?;
    let (name, count) = (stack.spec.name.clone(), stack.spec.resources.len());
    let detections = &world.services.cloudformation.detections;
    let running = detections
        .iter()
        .any(|detection| detection.stack == name && detection.ends > world.now);
    if running {
        return Err(validation(format!(
            "Drift detection is already in progress for stack [{name}]"
        )));
    }
    let id = world.ids.uuid();
    let ends = world.now + EACH * u32::try_from(count).unwrap_or(1);
    let resources = texts(input, "LogicalResourceIds");
    let detection = Detection {
        id: id.clone(),
        stack: name,
        ends,
        resources,
    };
    world.services.cloudformation.detections.push(detection);
    Ok(json!({ "StackDriftDetectionId": id }))
}

pub(super) fn status(world: &World, input: &Value) -> OpResult {
    let id = text(input, "StackDriftDetectionId").unwrap_or_default();
    let detections = &world.services.cloudformation.detections;
    let found = detections.iter().find(|detection| detection.id == id);
    let found = found.ok_or_else(|| validation(format!("Drift detection with id [{id}] does not exist")))?;
    let stack = find(world, &found.stack).ok_or_else(|| validation("The stack was deleted"))?;
    let done = found.ends <= world.now;
    let drifted = drifted(world, stack, &found.resources);
    Ok(present(json!({
        "StackId": stack.id,
        "StackDriftDetectionId": id,
        "DetectionStatus": if done { "DETECTION_COMPLETE" } else { "DETECTION_IN_PROGRESS" },
        "StackDriftStatus": done.then(|| drift_status(drifted)),
        "DriftedStackResourceCount": done.then_some(drifted),
        "Timestamp": found.ends.min(world.now).epoch_seconds(),
    })))
}

fn drift_status(drifted: usize) -> &'static str {
    if drifted == 0 { "IN_SYNC" } else { "DRIFTED" }
}

fn drifted(world: &World, stack: &Stack, only: &[String]) -> usize {
    let resources = stack.spec.resources.iter();
    resources
        .filter(|resource| only.is_empty() || only.contains(&resource.logical))
        .filter(|resource| difference(world, resource).is_some())
        .count()
}

/// What the stack's answers say of its drift: nothing before the first detection.
pub(super) fn information(world: &World, stack: &Stack) -> Value {
    let detections = &world.services.cloudformation.detections;
    let last = detections
        .iter()
        .rfind(|seen| seen.stack == stack.spec.name && seen.ends <= world.now);
    match last {
        None => json!({ "StackDriftStatus": "NOT_CHECKED" }),
        Some(seen) => json!({
            "StackDriftStatus": drift_status(drifted(world, stack, &seen.resources)),
            "LastCheckTimestamp": seen.ends.epoch_seconds(),
        }),
    }
}

/// A property that is not as it was deployed.
struct Difference {
    path: String,
    /// Null for one that was added.
    expected: Value,
    /// Null for one that is gone.
    actual: Value,
}

impl Difference {
    /// As the API shows it: values as texts, those of properties that are not there as `null`.
    fn shown(&self) -> Value {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        json!({
            "PropertyPath": self.path,
            "ExpectedValue": text(&self.expected),
            "ActualValue": text(&self.actual),
            "DifferenceType": match (&self.expected, &self.actual) {
                (Value::Null, _) => "ADD",
                (_, Value::Null) => "REMOVE",
                _ => "NOT_EQUAL",
            },
        })
    }
}

/// What differs of a resource, with its properties as they are; `None` when it is as it was deployed.
fn difference(world: &World, resource: &Resource) -> Option<(Vec<Difference>, Value)> {
    let mut actual = resource.properties.clone();
    let differences = match resource.kind.as_str() {
        "AWS::EC2::SecurityGroup" => rules(world, resource, &mut actual),
        "AWS::CloudWatch::Alarm" => threshold(world, resource, &mut actual).into_iter().collect(),
        _ => Vec::new(),
    };
    (!differences.is_empty()).then_some((differences, actual))
}

fn rules(world: &World, resource: &Resource, actual: &mut Value) -> Vec<Difference> {
    let deployed = resource.properties["SecurityGroupIngress"].as_array();
    let deployed = deployed.map(Vec::as_slice).unwrap_or_default();
    let present = ec2::ingress(world, &resource.physical, deployed);
    let mut differences = Vec::new();
    for (at, rule) in deployed
        .iter()
        .enumerate()
        .filter(|(_, rule)| !present.contains(rule))
    {
        differences.push(Difference {
            path: format!("/SecurityGroupIngress/{at}"),
            expected: rule.clone(),
            actual: Value::Null,
        });
    }
    for (at, rule) in present
        .iter()
        .enumerate()
        .filter(|(_, rule)| !deployed.contains(rule))
    {
        differences.push(Difference {
            path: format!("/SecurityGroupIngress/{at}"),
            expected: Value::Null,
            actual: rule.clone(),
        });
    }
    if !differences.is_empty() {
        actual["SecurityGroupIngress"] = present.into();
    }
    differences
}

fn threshold(world: &World, resource: &Resource, actual: &mut Value) -> Option<Difference> {
    let expected = resource.properties.get("Threshold")?.clone();
    let deployed = match &expected {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }?;
    let present: f64 = cloudwatch::alarm(world, &resource.physical)?
        .spec()
        .rule
        .threshold;
    if present.total_cmp(&deployed).is_eq() {
        return None;
    }
    actual["Threshold"] = json!(present);
    Some(Difference {
        path: "/Threshold".to_owned(),
        expected,
        actual: json!(present),
    })
}

pub(super) fn resource_drifts(world: &World, input: &Value) -> OpResult {
    let stack = stack(world, input)?;
    let detections = &world.services.cloudformation.detections;
    let seen = detections
        .iter()
        .rfind(|seen| seen.stack == stack.spec.name && seen.ends <= world.now);
    let Some(seen) = seen else {
        return Ok(json!({ "StackResourceDrifts": [] }));
    };
    let wanted = texts(input, "StackResourceDriftStatusFilters");
    let drifts: Vec<Value> = stack
        .spec
        .resources
        .iter()
        .filter(|resource| seen.resources.is_empty() || seen.resources.contains(&resource.logical))
        .map(|resource| {
            let difference = difference(world, resource);
            let mut shown = json!({
                "StackId": stack.id,
                "LogicalResourceId": resource.logical,
                "PhysicalResourceId": resource.physical,
                "ResourceType": resource.kind,
                "StackResourceDriftStatus": if difference.is_some() { "MODIFIED" } else { "IN_SYNC" },
                "Timestamp": seen.ends.epoch_seconds(),
                "PropertyDifferences": [],
            });
            if let Some((differences, actual)) = difference {
                shown["ExpectedProperties"] = json!(resource.properties.to_string());
                shown["ActualProperties"] = json!(actual.to_string());
                shown["PropertyDifferences"] = differences.iter().map(Difference::shown).collect();
            }
            shown
        })
        .filter(|shown| {
            wanted.is_empty()
                || wanted
                    .iter()
                    .any(|status| shown["StackResourceDriftStatus"] == **status)
        })
        .collect();
    Ok(json!({ "StackResourceDrifts": drifts }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::scenario::Scenario;
    use crate::service::Service;

    /// Somebody's change beside the stack is found by the next detection, and its end too.
    #[test]
    fn what_was_changed_by_hand_differs_until_it_is_changed_back() {
        let mut world = World::new(Options {
            scenarios: [Scenario::Drifted].into(),
            ..Options::default()
        });
        let differences = |world: &mut World, stack: &str| {
            let named = json!({ "StackName": stack });
            let ask = |world: &mut World, operation| {
                world.call(Service::CloudFormation, operation, &named).unwrap()
            };
            ask(world, "DetectStackDrift");
            world.advance(world.now + Duration::from_secs(300));
            let drifts = ask(world, "DescribeStackResourceDrifts");
            let drifts = drifts["StackResourceDrifts"].as_array().unwrap().iter();
            drifts
                .flat_map(|drift| drift["PropertyDifferences"].as_array().unwrap().clone())
                .collect::<Vec<Value>>()
        };
        let found = differences(&mut world, "bp-monitoring");
        assert_eq!(
            found,
            [
                json!({ "PropertyPath": "/Threshold", "ExpectedValue": "80.0", "ActualValue": "90.0",
                "DifferenceType": "NOT_EQUAL" })
            ]
        );
        let found = differences(&mut world, "bp-network");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["DifferenceType"], "ADD");
        assert!(
            found[0]["ActualValue"].as_str().unwrap().contains("22"),
            "{found:?}"
        );
        world.set_scenarios([].into());
        assert_eq!(differences(&mut world, "bp-monitoring"), [json!(null); 0]);
        assert_eq!(differences(&mut world, "bp-network"), [json!(null); 0]);
    }

    #[test]
    fn a_rule_that_is_gone_is_drift_of_the_network() {
        for (scenario, status, count) in [
            (Scenario::Healthy, "IN_SYNC", 0),
            (Scenario::RdsRefused, "DRIFTED", 1),
        ] {
            let mut world = World::new(Options {
                scenarios: [scenario].into(),
                ..Options::default()
            });
            let ask = |world: &mut World, operation, input: Value| {
                world.call(Service::CloudFormation, operation, &input).unwrap()
            };
            let id = ask(&mut world, "DetectStackDrift", json!({"StackName": "bp-network"}));
            let begun = ask(&mut world, "DescribeStackDriftDetectionStatus", id.clone());
            assert_eq!(begun["DetectionStatus"], "DETECTION_IN_PROGRESS");
            world.advance(world.now + Duration::from_secs(300));
            let ended = ask(&mut world, "DescribeStackDriftDetectionStatus", id);
            assert_eq!(ended["StackDriftStatus"], status);
            assert_eq!(ended["DriftedStackResourceCount"], count);
            let modified =
                json!({"StackName": "bp-network", "StackResourceDriftStatusFilters": ["MODIFIED"]});
            let drifts = ask(&mut world, "DescribeStackResourceDrifts", modified);
            assert_eq!(
                drifts["StackResourceDrifts"].as_array().map(Vec::len),
                Some(count)
            );
            let stack = ask(&mut world, "DescribeStacks", json!({"StackName": "bp-network"}));
            assert_eq!(stack["Stacks"][0]["DriftInformation"]["StackDriftStatus"], status);
        }
    }
}
