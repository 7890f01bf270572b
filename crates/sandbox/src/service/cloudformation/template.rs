//! `GetTemplate`: the template of a stack, as it was deployed.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};

use super::{StackSpec, State, change_set, find, validation};
use crate::error::OpResult;
use crate::service::member::text;
use crate::world::World;

/// The template as CDK uploads it: JSON, indented by one space.
///
/// A property or output that names another resource of the stack is a `Ref` to it, and one that is an
/// export of another stack is an `Fn::ImportValue`.
pub(super) fn body(state: &State, spec: &StackSpec) -> String {
    let reference = |text: &str, own: Option<&str>| {
        let other = spec
            .resources
            .iter()
            .find(|resource| resource.physical == text && own != Some(&resource.logical));
        match other {
            Some(resource) => Some(json!({ "Ref": resource.logical })),
            None => export(state, text).map(|name| json!({ "Fn::ImportValue": name })),
        }
    };
    let mut template = Map::new();
    template.insert("Description".to_owned(), json!(spec.description));
    let resources: Map<String, Value> = spec
        .resources
        .iter()
        .map(|resource| {
            let mut shape = json!({ "Type": resource.kind });
            if !resource.properties.is_null() {
                let own = Some(resource.logical.as_str());
                shape["Properties"] = linked(&resource.properties, &|text| reference(text, own));
            }
            for (name, value) in resource.attributes.as_object().into_iter().flatten() {
                shape[name] = value.clone();
            }
            (resource.logical.clone(), shape)
        })
        .collect();
    template.insert("Resources".to_owned(), Value::Object(resources));
    if !spec.outputs.is_empty() {
        let outputs: Map<String, Value> = spec
            .outputs
            .iter()
            .map(|output| {
                let value = reference(&output.value, None).unwrap_or_else(|| json!(output.value));
                let mut shape = json!({ "Value": value });
                if let Some(name) = &output.export {
                    shape["Export"] = json!({ "Name": name });
                }
                (output.key.clone(), shape)
            })
            .collect();
        template.insert("Outputs".to_owned(), Value::Object(outputs));
    }
    indented(&Value::Object(template))
}

/// The name under which any stack exports `value`.
fn export<'a>(state: &'a State, value: &str) -> Option<&'a str> {
    let outputs = state.stacks.values().flat_map(|stack| &stack.spec.outputs);
    outputs
        .filter(|output| output.value == value)
        .find_map(|output| output.export.as_deref())
}

/// `value` with every text that `reference` knows replaced by what it says.
fn linked(value: &Value, reference: &impl Fn(&str) -> Option<Value>) -> Value {
    match value {
        Value::String(text) => reference(text).unwrap_or_else(|| value.clone()),
        Value::Array(items) => items.iter().map(|item| linked(item, reference)).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), linked(member, reference)))
                .collect(),
        ),
        _ => value.clone(),
    }
}

fn indented(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b" "));
    // Neither a JSON value nor a vector refuses to be written.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "{written:?}");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The template of a stack, or that of a change set. No template here has a transform, so both stages are the same.
pub(super) fn get_template(world: &mut World, input: &Value) -> OpResult {
    let body = match (text(input, "ChangeSetName"), text(input, "StackName")) {
        (Some(_), _) => change_set::named(world, input)?.1.template().to_owned(),
        (None, Some(name)) => find(world, name)
            .ok_or_else(|| validation(format!("Stack with id {name} does not exist")))?
            .template
            .clone(),
        (None, None) => return Err(validation("StackName is required")),
    };
    Ok(json!({
        "TemplateBody": body,
        "StagesAvailable": ["Original", "Processed"],
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::options::{FleetSeed, Layout, Options};
    use crate::scenario::Scenario;
    use crate::service::Service;
    use crate::world::World;

    fn template(world: &mut World, stack: &str) -> Value {
        let input = json!({ "StackName": stack });
        let answer = world
            .call(Service::CloudFormation, "GetTemplate", &input)
            .unwrap();
        assert_eq!(answer["StagesAvailable"], json!(["Original", "Processed"]));
        serde_json::from_str(answer["TemplateBody"].as_str().unwrap()).unwrap()
    }

    /// Logical id and properties of the resources of a type.
    fn of_type<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
        let resources = template["Resources"].as_object().unwrap();
        resources
            .iter()
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(logical, resource)| (logical.as_str(), &resource["Properties"]))
            .collect()
    }

    #[test]
    fn a_fleet_stack_states_a_desired_capacity_of_zero_whatever_the_group_has() {
        let mut world = World::new(Options::default());
        let template = template(&mut world, "bp-gpu-fleet-production-gpu-default");
        let groups = of_type(&template, "AWS::AutoScaling::AutoScalingGroup");
        let [(asg, group)] = groups[..] else {
            panic!("{groups:?}")
        };
        assert!(asg.starts_with("FleetgpudefaultAsgSpotASG"), "{asg}");
        // A deploy leaves the capacity alone as long as the template's number stays the same.
        assert_eq!(
            template["Resources"][asg]["UpdatePolicy"]["AutoScalingScheduledAction"],
            json!({ "IgnoreUnmodifiedGroupSizeProperties": true })
        );
        assert_eq!(group["AutoScalingGroupName"], "asg-production-gpu-default");
        assert_eq!(
            [&group["MinSize"], &group["MaxSize"], &group["DesiredCapacity"]],
            ["0", "10", "0"]
        );
        let (logical, launch) = of_type(&template, "AWS::EC2::LaunchTemplate")[0];
        assert_eq!(
            group["MixedInstancesPolicy"]["LaunchTemplate"],
            json!({
                "LaunchTemplateSpecification": {
                    "LaunchTemplateId": { "Ref": logical },
                    "Version": { "Fn::GetAtt": [logical, "LatestVersionNumber"] },
                },
                "Overrides": [{ "InstanceType": "g4dn.xlarge" }],
            })
        );
        assert_eq!(
            launch["LaunchTemplateData"]["ImageId"],
            "resolve:ssm:/bp/ami/fleets/production/gpu-default"
        );
        assert_eq!(template["Outputs"]["AsgName"], json!({ "Value": { "Ref": asg } }));
        // Pointers and configuration of a fleet are written by workflows, not by its stack.
        assert_eq!(of_type(&template, "AWS::SSM::Parameter"), []);
    }

    #[test]
    fn policies_and_alarms_are_those_that_the_apis_show() {
        let mut world = World::new(Options::default());
        let template = template(&mut world, "bp-gpu-fleet-production-gpu-default");
        let input = json!({"AutoScalingGroupName": "asg-production-gpu-default"});
        let shown = world
            .call(Service::AutoScaling, "DescribePolicies", &input)
            .unwrap();
        let policies = of_type(&template, "AWS::AutoScaling::ScalingPolicy");
        let asg = of_type(&template, "AWS::AutoScaling::AutoScalingGroup")[0].0;
        assert_eq!(policies.len(), 3);
        for ((_, deployed), shown) in policies.iter().zip(shown["ScalingPolicies"].as_array().unwrap()) {
            assert_eq!(deployed["AutoScalingGroupName"], json!({ "Ref": asg }));
            for name in ["PolicyType", "AdjustmentType", "TargetTrackingConfiguration"] {
                assert_eq!(deployed[name], shown[name], "{name}");
            }
        }
        let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
        let names: Vec<_> = alarms.iter().map(|(_, alarm)| &alarm["AlarmName"]).collect();
        // CloudFormation names the alarms of the step policies, and Auto Scaling makes those of the tracking
        // policy itself.
        assert_eq!(
            names,
            [
                &Value::Null,
                &Value::Null,
                &json!("production-gpu-default-queue-has-jobs"),
                &json!("production-gpu-default-queue-empty"),
                &json!("production-p3-gpu-default-queue-deep"),
                &json!("production-p2-gpu-default-error-rate"),
            ]
        );
        for (alarm, policy) in [(0, 0), (1, 1)] {
            assert_eq!(
                alarms[alarm].1["AlarmActions"],
                json!([{ "Ref": policies[policy].0 }])
            );
        }
        // It is there for people to see.
        assert_eq!(alarms[2].1["AlarmActions"], json!([]));
        let alarms = &alarms[2..];
        assert_eq!(
            alarms[1].1["AlarmActions"],
            json!([{ "Fn::ImportValue": "bp-scale-to-zero-topic-arn" }])
        );
        assert_eq!(alarms[1].1["TreatMissingData"], "breaching");
        assert_eq!(
            [&alarms[1].1["EvaluationPeriods"], &alarms[1].1["Period"]],
            [&json!(15), &json!(60)]
        );
    }

    #[test]
    fn alarms_on_a_wrong_slug_were_deployed_that_way() {
        let mut world = World::new(Options {
            scenarios: [Scenario::WrongDimensions].into(),
            ..Options::default()
        });
        let template = template(&mut world, "bp-gpu-fleet-production-gpu-default");
        for (logical, alarm) in of_type(&template, "AWS::CloudWatch::Alarm") {
            assert_eq!(alarm["Dimensions"][0]["Value"], "gpu-default-v2", "{logical}");
        }
    }

    #[test]
    fn the_staged_stack_holds_every_fleet_under_ids_of_its_own() {
        let fleet = |slug| FleetSeed::new("staging", slug, 1, 0.5);
        let mut world = World::new(Options {
            layout: Layout::Staged,
            fleets: vec![fleet("image-to-video"), fleet("upscale")],
            ..Options::default()
        });
        let template = template(&mut world, "bp-staging-gpu");
        let groups = of_type(&template, "AWS::AutoScaling::AutoScalingGroup");
        let logical: Vec<_> = groups
            .iter()
            .map(|(logical, _)| &logical[..logical.len() - 8])
            .collect();
        assert_eq!(logical, ["WfimagetovideoAsgASG", "WfupscaleAsgASG"]);
        for (_, alarm) in of_type(&template, "AWS::CloudWatch::Alarm") {
            let name = alarm["AlarmName"].as_str();
            if name.is_some_and(|name| name.ends_with("queue-empty")) {
                assert_eq!(alarm["AlarmActions"], json!([{ "Ref": "ScaleToZeroTopic" }]));
            }
        }
        let resources = world
            .call(
                Service::CloudFormation,
                "DescribeStackResources",
                &json!({"StackName": "bp-staging-gpu"}),
            )
            .unwrap();
        let described = resources["StackResources"].as_array().unwrap().iter();
        let described: Vec<_> = described.map(|resource| &resource["LogicalResourceId"]).collect();
        let stated: Vec<_> = template["Resources"].as_object().unwrap().keys().collect();
        assert_eq!(described, stated);
    }

    #[test]
    fn every_stack_has_a_template_with_a_resource() {
        for layout in [Layout::Single, Layout::Staged] {
            let mut world = World::new(Options {
                layout,
                ..Options::default()
            });
            let stacks = world
                .call(Service::CloudFormation, "DescribeStacks", &json!({}))
                .unwrap();
            for stack in stacks["Stacks"].as_array().unwrap() {
                let name = stack["StackName"].as_str().unwrap();
                let template = template(&mut world, name);
                assert!(!template["Resources"].as_object().unwrap().is_empty(), "{name}");
                for output in stack["Outputs"].as_array().unwrap() {
                    let key = output["OutputKey"].as_str().unwrap();
                    assert!(template["Outputs"][key]["Value"] != Value::Null, "{name}: {key}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_refused_in_the_words_of_aws() {
        let mut world = World::new(Options::default());
        let mut refused = |input: Value| {
            let error = world
                .call(Service::CloudFormation, "GetTemplate", &input)
                .unwrap_err();
            (error.code, error.message, error.status)
        };
        assert_eq!(
            refused(json!({"StackName": "bp-none", "TemplateStage": "Original"})),
            (
                "ValidationError".to_owned(),
                "Stack with id bp-none does not exist".to_owned(),
                400
            )
        );
        assert_eq!(
            refused(json!({"StackName": "bp-network", "ChangeSetName": "c"})),
            (
                "ChangeSetNotFound".to_owned(),
                "ChangeSet [c] does not exist".to_owned(),
                404
            )
        );
    }
}
